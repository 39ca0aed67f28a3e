//! Bad faith taken back: what became invalid by one act stands again, and nothing else.

use miyu::domain::safety::{
    AuditAct, CaseState, Priority, Reason, Report, Role, SanctionKind, Verdict,
};
use miyu::store::safety::ActRefusal;

use super::*;

super::for_each_backend! {
    what_one_act_made_invalid_stands_again
    a_case_that_was_closed_otherwise_keeps_what_is_invalid
    what_an_administrator_made_invalid_a_moderator_does_not_take_back
    two_acts_of_one_moment_are_two
    what_was_invalid_before_acts_had_numbers_can_be_taken_back
    bad_faith_leaves_alone_what_is_not_the_operators_to_judge
    who_may_take_bad_faith_back_is_asked_before
}

/// This reporter reports someone new.
async fn reports_someone<X: Backend>(world: &World<X>, reporter: SessionId) -> (ReportDraft, Case) {
    let pairing = pairing_of(reporter, SessionId::fresh());
    world.store().create_room(&pairing).await.unwrap();
    let draft = draft(&pairing, Reason::Minor);
    report(world, &draft).await;
    let about = world.safety().cases_about(draft_subject(&pairing)).await;
    (draft, about.unwrap().remove(0))
}

fn draft_subject(pairing: &Pairing) -> SessionId {
    pairing.parties[1].session
}

/// That report, as operators see it.
async fn seen<X: Backend>(world: &World<X>, case: CaseId, draft: &ReportDraft) -> Report {
    let reports = file(world, case).await.reports;
    let found = reports.into_iter().find(|it| it.id == draft.id);
    found.expect("the report")
}

async fn what_one_act_made_invalid_stands_again<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mei = operator(&world, "Mei", Role::Moderator).await;
    let by = Actor::Operator(mei);
    let liar = SessionId::fresh();
    let (early, first) = reports_someone(&world, liar).await;
    done(safety.invalidate(liar, None, None, by).await);
    world.advance(MINUTE);
    let (alone, second) = reports_someone(&world, liar).await;
    let (beside, third) = reports_someone(&world, liar).await;
    reported_by_stranger(&world, third.subject, Reason::Spam).await;
    let weight = seen(&world, second.id, &alone).await.weight;
    assert!(weight.0 > 0);
    done(safety.invalidate(liar, Some(DAY), None, by).await);
    assert_eq!(seen(&world, second.id, &alone).await.weight.0, 0);

    world.advance(MINUTE);
    let again = done(safety.revalidate(alone.id, Some(second.id), by).await);
    assert_eq!((again.reports, again.opened), (2, 1));
    for (draft, case, state) in [
        (&alone, second.id, CaseState::Open),
        (&beside, third.id, CaseState::Open),
    ] {
        let report = seen(&world, case, draft).await;
        assert_eq!((report.verdict, report.weight), (None, weight));
        let row = file(&world, case).await.case;
        assert_eq!((row.state, row.closed_at), (state, None));
    }
    let second = file(&world, second.id).await.case;
    assert_eq!(
        (second.reports, second.priority),
        (1, Priority(8 * u64::from(weight.0)))
    );
    assert_eq!(file(&world, third.id).await.case.reports, 2);
    // The act before it is another one.
    let report = seen(&world, first.id, &early).await;
    assert_eq!(report.verdict, Some(Verdict::Invalid));
    let lifted = again.lifted.expect("a row");
    assert_eq!(
        (lifted.kind, lifted.by),
        (SanctionKind::ReporterMute, Some(mei))
    );
    let accuracy = safety.accuracy(liar, None).await.unwrap();
    assert_eq!((accuracy.upheld, accuracy.decided), (0, 1));

    let log = safety.audit(0).await.unwrap();
    let row = log.iter().find(|it| it.what.act == AuditAct::Revalidated);
    let what = &row.expect("a row").what;
    assert_eq!(
        (what.by, what.case, what.details.as_str()),
        (Some(mei), Some(second.id), "2 reports")
    );
    let twice = safety.revalidate(alone.id, None, by).await;
    assert_eq!(refused(twice), ActRefusal::Unfit);
    // A decision counts it now.
    done(safety.decide(violation(&second, by, &[])).await);
    let report = seen(&world, second.id, &alone).await;
    assert_eq!(report.verdict, Some(Verdict::Upheld));
}

async fn a_case_that_was_closed_otherwise_keeps_what_is_invalid<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let by = Actor::Local;
    let liar = SessionId::fresh();
    let (lie, case) = reports_someone(&world, liar).await;
    reported_by_stranger(&world, case.subject, Reason::Spam).await;
    done(safety.invalidate(liar, None, None, by).await);
    world.advance(MINUTE);
    done(safety.decide(violation(&case, by, &[])).await);
    let refusal = refused(safety.revalidate(lie.id, None, by).await);
    assert_eq!(refusal, ActRefusal::Unfit);
    assert_eq!(
        seen(&world, case.id, &lie).await.verdict,
        Some(Verdict::Invalid)
    );
    done(safety.reopen(case.id, by).await);
    assert_eq!(done(safety.revalidate(lie.id, None, by).await).reports, 1);
    let unknown = safety.revalidate(ReportId::fresh(), None, by).await;
    assert_eq!(refused(unknown), ActRefusal::Unknown);
}

async fn what_an_administrator_made_invalid_a_moderator_does_not_take_back<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mei = Actor::Operator(operator(&world, "Mei", Role::Moderator).await);
    let ada = Actor::Operator(operator(&world, "Ada", Role::Administrator).await);
    for above in [ada, Actor::Local] {
        let liar = SessionId::fresh();
        let (lie, case) = reports_someone(&world, liar).await;
        done(safety.invalidate(liar, None, None, above).await);
        world.advance(MINUTE);
        let refusal = refused(safety.revalidate(lie.id, None, mei).await);
        assert_eq!(refusal, ActRefusal::NotAllowed);
        assert_eq!(file(&world, case.id).await.case.state, CaseState::Skipped);
        done(safety.revalidate(lie.id, None, ada).await);
        assert_eq!(file(&world, case.id).await.case.state, CaseState::Open);
    }
}

async fn two_acts_of_one_moment_are_two<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mei = Actor::Operator(operator(&world, "Mei", Role::Moderator).await);
    let liar = SessionId::fresh();
    let (first, early) = reports_someone(&world, liar).await;
    done(safety.invalidate(liar, Some(DAY), None, Actor::Local).await);
    let (second, late) = reports_someone(&world, liar).await;
    done(safety.invalidate(liar, None, None, mei).await);
    let moment = |case: Case| case.closed_at.expect("closed");
    let [one, two] = [early.id, late.id];
    assert_eq!(
        moment(file(&world, one).await.case),
        moment(file(&world, two).await.case),
        "the clock stands still"
    );
    assert_eq!(safety.revalidatable(one, mei).await.unwrap(), []);
    assert_eq!(safety.revalidatable(two, mei).await.unwrap(), [second.id]);
    let again = done(safety.revalidate(second.id, None, mei).await);
    assert_eq!((again.reports, again.opened, again.lifted), (1, 1, None));
    assert_eq!(file(&world, one).await.case.state, CaseState::Skipped);
    let refusal = refused(safety.revalidate(first.id, None, mei).await);
    assert_eq!(refusal, ActRefusal::NotAllowed);
    let again = done(safety.revalidate(first.id, None, Actor::Local).await);
    assert!(again.lifted.is_some(), "its own mute");
}

/// Makes the data what the version before acts had numbers wrote.
const WITHOUT_NUMBERS: &str = "DROP INDEX reports_invalid; ALTER TABLE reports DROP COLUMN invalidation; \
    ALTER TABLE cases DROP COLUMN emptied; DROP TABLE invalidations; ALTER TABLE settings DROP COLUMN version; \
    DELETE FROM refinery_schema_history WHERE name = 'numbered_acts'";

async fn what_was_invalid_before_acts_had_numbers_can_be_taken_back<X: Backend>() {
    let mut world = World::<X>::new().await;
    let mei = Actor::Operator(operator(&world, "Mei", Role::Moderator).await);
    let (one, two) = (SessionId::fresh(), SessionId::fresh());
    let (early, first) = reports_someone(&world, one).await;
    done(world.safety().invalidate(one, None, None, mei).await);
    world.advance(MINUTE);
    let (late, second) = reports_someone(&world, one).await;
    let mute = Some(DAY);
    done(world.safety().invalidate(one, mute, None, mei).await);
    world.advance(MINUTE);
    let (local, third) = reports_someone(&world, two).await;
    done(
        world
            .safety()
            .invalidate(two, None, None, Actor::Local)
            .await,
    );
    world.close().await;
    world.backend.run(WITHOUT_NUMBERS).await;
    world.open().await;

    let safety = world.safety();
    let refusal = refused(safety.revalidate(local.id, None, mei).await);
    assert_eq!(refusal, ActRefusal::NotAllowed, "of a command");
    let again = done(safety.revalidate(late.id, None, mei).await);
    assert_eq!((again.reports, again.opened), (1, 1));
    assert!(again.lifted.is_some(), "the mute that came with it");
    let state = async |case| file(&world, case).await.case.state;
    assert_eq!(state(first.id).await, CaseState::Skipped);
    assert_eq!(state(second.id).await, CaseState::Open);
    let again = done(safety.revalidate(early.id, None, mei).await);
    assert_eq!((again.reports, again.opened, again.lifted), (1, 1, None));
    done(safety.revalidate(local.id, None, Actor::Local).await);
    assert_eq!(state(third.id).await, CaseState::Open);
    // A new act has a number of its own.
    done(safety.invalidate(two, None, None, mei).await);
    assert_eq!(
        safety.revalidatable(third.id, mei).await.unwrap(),
        [local.id]
    );
    assert_eq!(safety.revalidatable(first.id, mei).await.unwrap(), []);
}

async fn bad_faith_leaves_alone_what_is_not_the_operators_to_judge<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let id = operator(&world, "Mei", Role::Moderator).await;
    let mei = Actor::Operator(id);
    let (liar, own) = (SessionId::fresh(), SessionId::fresh());
    safety.note_visitor(id, own).await.unwrap();
    // About the operator; where the operator reported; left to the administrators; any other.
    let pairing = pairing_of(liar, own);
    world.store().create_room(&pairing).await.unwrap();
    let about_own = draft(&pairing, Reason::Harassment);
    report(&world, &about_own).await;
    let (beside_own, shared) = reports_someone(&world, liar).await;
    let pairing = pairing_of(own, shared.subject);
    world.store().create_room(&pairing).await.unwrap();
    report(&world, &draft(&pairing, Reason::Spam)).await;
    let (left, escalated) = reports_someone(&world, liar).await;
    done(safety.escalate(escalated.id, mei, String::new()).await);
    let (other, theirs) = reports_someone(&world, liar).await;

    let invalid = done(safety.invalidate(liar, None, None, mei).await);
    assert_eq!((invalid.reports, invalid.closed), (1, 1));
    let own_case = safety.cases_about(own).await.unwrap().remove(0).id;
    let kept = [
        (own_case, &about_own),
        (shared.id, &beside_own),
        (escalated.id, &left),
    ];
    for (case, draft) in kept {
        assert_eq!(seen(&world, case, draft).await.verdict, None);
    }
    let report = seen(&world, theirs.id, &other).await;
    assert_eq!(report.verdict, Some(Verdict::Invalid));
    // It is for an administrator who has no part in them.
    let rest = done(safety.invalidate(liar, None, None, Actor::Local).await);
    assert_eq!(rest.reports, 3);
}

async fn who_may_take_bad_faith_back_is_asked_before<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let id = operator(&world, "Mei", Role::Moderator).await;
    let (mei, ken) = (
        Actor::Operator(id),
        Actor::Operator(operator(&world, "Ken", Role::Moderator).await),
    );
    let ada = Actor::Operator(operator(&world, "Ada", Role::Administrator).await);
    let liar = SessionId::fresh();
    let (lie, case) = reports_someone(&world, liar).await;
    let may = async |by| safety.revalidatable(case.id, by).await.unwrap() == [lie.id];
    assert!(!may(ada).await, "it is valid");
    done(safety.invalidate(liar, None, None, ken).await);
    for by in [mei, ken, ada, Actor::Local] {
        assert!(may(by).await, "{by:?}");
    }
    safety.note_visitor(id, liar).await.unwrap();
    assert!(!may(mei).await, "their own");
    assert_eq!(
        refused(safety.revalidate(lie.id, None, mei).await),
        ActRefusal::Conflict
    );
    done(safety.revalidate(lie.id, None, ken).await);
    done(safety.invalidate(liar, None, None, ada).await);
    assert!(!may(ken).await && may(ada).await, "of an administrator");
    let disabled = vec![miyu::store::safety::OperatorChange::Disabled(true)];
    let Actor::Operator(ken_id) = ken else {
        unreachable!()
    };
    let changed = safety.change_operator(ken_id, disabled, Actor::Local);
    changed.await.unwrap();
    done(safety.revalidate(lie.id, None, ada).await);
    done(
        safety
            .invalidate(liar, None, None, another_moderator(&world).await)
            .await,
    );
    assert!(!may(ken).await, "disabled");
    // A case that was closed otherwise is opened first.
    done(safety.reopen(case.id, ada).await);
    assert!(may(ada).await);
    done(safety.skip(case.id, ada, String::new(), None).await);
    assert!(!may(ada).await);
}

/// A moderator who has a part in nothing.
async fn another_moderator<X: Backend>(world: &World<X>) -> Actor {
    Actor::Operator(operator(world, "Lin", Role::Moderator).await)
}
