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
    let (escalated, fourth) = reports_someone(&world, liar).await;
    done(safety.escalate(fourth.id, by, String::new()).await);
    let weight = seen(&world, second.id, &alone).await.weight;
    assert!(weight.0 > 0);
    done(safety.invalidate(liar, Some(DAY), None, by).await);
    assert_eq!(seen(&world, second.id, &alone).await.weight.0, 0);

    world.advance(MINUTE);
    let again = done(safety.revalidate(alone.id, Some(second.id), by).await);
    assert_eq!((again.reports, again.opened), (3, 2));
    for (draft, case, state) in [
        (&alone, second.id, CaseState::Open),
        (&beside, third.id, CaseState::Open),
        (&escalated, fourth.id, CaseState::Escalated),
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
        (Some(mei), Some(second.id), "3 reports")
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
