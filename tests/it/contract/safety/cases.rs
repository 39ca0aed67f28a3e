//! The queue and who has what; cases that are closed without a decision, opened again, or opened by hand.

use miyu::domain::id::Timestamp;
use miyu::domain::safety::case::CLAIM;
use miyu::domain::safety::{
    Actor, AuditAct, CaseClaim, CaseKind, CaseState, Hold, Priority, Reason, Role, SanctionKind,
    Verdict,
};
use miyu::store::safety::{About, Act, ActRefusal, Claimed, HandDraft};

use super::*;

super::for_each_backend! {
    the_worst_case_comes_first_and_of_equal_ones_the_oldest
    a_claim_holds_twenty_minutes_and_longer_by_acting
    two_operators_never_get_one_case
    escalated_cases_are_for_administrators
    no_operator_acts_on_their_own_case
    an_operator_who_is_disabled_acts_on_nothing
    no_report_is_judged_that_came_after_the_case_was_read
    a_skipped_case_says_nothing_about_reporters
    a_closed_case_can_be_opened_again
    a_case_by_hand_waits_in_its_place
    a_case_with_reports_becomes_one_by_hand
    bad_faith_makes_all_of_a_reporters_reports_invalid
    what_an_administrator_held_no_moderator_lets_go
    every_act_on_an_unknown_case_is_refused
}

async fn the_worst_case_comes_first_and_of_equal_ones_the_oldest<X: Backend>() {
    let world = World::<X>::new().await;
    let mut subjects = Vec::new();
    for reason in [Reason::Spam, Reason::Minor, Reason::Other, Reason::Sexual] {
        let subject = SessionId::fresh();
        reported_by_stranger(&world, subject, reason).await;
        world.advance(SECOND);
        subjects.push(subject);
    }
    let seen: Vec<_> = queue(&world).await.iter().map(|it| it.subject).collect();
    assert_eq!(seen, [1, 3, 0, 2].map(|at: usize| subjects[at]));
}

async fn a_claim_holds_twenty_minutes_and_longer_by_acting<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let [mei, ken] = [
        operator(&world, "Mei", Role::Moderator).await,
        operator(&world, "Ken", Role::Moderator).await,
    ];
    reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
    let until = |from: Timestamp| CaseClaim {
        by: mei,
        until: from.plus(CLAIM),
    };
    let start = world.setting.now.get();
    let case = safety.claim_next(mei).await.unwrap().expect("a case");
    assert_eq!(case.claim, Some(until(start)));
    assert_eq!(only_case(&world).await, case);
    assert_eq!(safety.claim_next(ken).await.unwrap(), None);
    assert_eq!(
        done(safety.permitted_acts(case.id, Actor::Operator(ken)).await),
        []
    );
    let taken = Claimed::Refused(ActRefusal::Taken(until(start)));
    assert_eq!(safety.claim(case.id, ken).await.unwrap(), taken);
    let held = refused(
        safety
            .skip(case.id, Actor::Operator(ken), String::new(), None)
            .await,
    );
    assert_eq!(held, ActRefusal::Taken(until(start)));
    world.advance(CLAIM - SECOND);
    done(
        safety
            .hold(
                case.id,
                Some(Hold::Year),
                Actor::Operator(mei),
                String::new(),
            )
            .await,
    );
    let later = world.setting.now.get();
    assert_eq!(only_case(&world).await.claim, Some(until(later)));
    world.advance(CLAIM - SECOND);
    assert_eq!(safety.claim_next(ken).await.unwrap(), None);
    world.advance(SECOND);
    assert_eq!(only_case(&world).await.claim, None);
    let next = safety.claim_next(ken).await.unwrap().expect("it is free");
    assert_eq!(next.claim.map(|it| it.by), Some(ken));
    // Giving up what is another's changes nothing.
    safety.release(case.id, mei).await.unwrap();
    assert_eq!(only_case(&world).await, next);
    safety.release(case.id, ken).await.unwrap();
    assert_eq!(only_case(&world).await.claim, None);
}

async fn two_operators_never_get_one_case<X: Backend>() {
    let world = World::<X>::new().await;
    const OPERATORS: usize = 4;
    let mut operators = Vec::new();
    for number in 0..OPERATORS {
        operators.push(operator(&world, &format!("op {number}"), Role::Moderator).await);
    }
    for _ in 0..OPERATORS {
        reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
    }
    let asked: Vec<_> = operators
        .iter()
        .map(|it| world.safety().claim_next(*it))
        .collect();
    let mut got = Vec::new();
    for claim in asked {
        got.push(claim.await.unwrap().expect("one each").id);
    }
    got.sort();
    got.dedup();
    assert_eq!(got.len(), OPERATORS);
    // Their own comes first when they ask again.
    let again = world.safety().claim_next(operators[0]).await.unwrap();
    assert_eq!(again.unwrap().claim.map(|it| it.by), Some(operators[0]));
    assert_eq!(
        queue(&world)
            .await
            .iter()
            .filter(|it| it.claim.is_some())
            .count(),
        OPERATORS
    );
}

async fn escalated_cases_are_for_administrators<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let moderator = operator(&world, "Mei", Role::Moderator).await;
    let administrator = operator(&world, "Ken", Role::Administrator).await;
    reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
    let case = safety.claim_next(moderator).await.unwrap().unwrap();
    let by = Actor::Operator(moderator);
    done(safety.escalate(case.id, by, String::new()).await);
    let case = only_case(&world).await;
    assert_eq!((case.state, case.claim), (CaseState::Escalated, None));
    assert_eq!(safety.claim_next(moderator).await.unwrap(), None);
    let refusal = Claimed::Refused(ActRefusal::NotAllowed);
    assert_eq!(safety.claim(case.id, moderator).await.unwrap(), refusal);
    for refusal in [
        refused(safety.skip(case.id, by, String::new(), None).await),
        refused(safety.decide(no_violation(&case, by)).await),
    ] {
        assert_eq!(refusal, ActRefusal::NotAllowed);
    }
    assert_eq!(done(safety.permitted_acts(case.id, by).await), [Act::Hold]);
    let permitted = safety.permitted_acts(case.id, Actor::Operator(administrator));
    let all = [Act::Claim, Act::Decide, Act::Skip, Act::Hold];
    assert_eq!(done(permitted.await), all);
    let again = refused(
        safety
            .escalate(case.id, Actor::Operator(administrator), String::new())
            .await,
    );
    assert_eq!(again, ActRefusal::Unfit);
    // More reports join it where it is.
    reported_by_stranger(&world, case.subject, Reason::Minor).await;
    let joined = only_case(&world).await;
    assert_eq!((joined.id, joined.state), (case.id, CaseState::Escalated));
    let claimed = safety.claim_next(administrator).await.unwrap();
    assert_eq!(claimed.map(|it| it.id), Some(case.id));
    done(
        safety
            .decide(no_violation(&joined, Actor::Operator(administrator)))
            .await,
    );
}

async fn no_operator_acts_on_their_own_case<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let [reporter, subject, other] = [
        operator(&world, "reporter", Role::Administrator).await,
        operator(&world, "subject", Role::Administrator).await,
        operator(&world, "other", Role::Moderator).await,
    ];
    let pairing = world.room().await;
    let sessions = pairing.parties.each_ref().map(|it| it.session);
    safety.note_visitor(reporter, sessions[0]).await.unwrap();
    safety.note_visitor(subject, sessions[1]).await.unwrap();
    report(&world, &draft(&pairing, Reason::Spam)).await;
    let case = only_case(&world).await;
    for involved in [reporter, subject] {
        let by = Actor::Operator(involved);
        assert_eq!(safety.claim_next(involved).await.unwrap(), None);
        for refusal in [
            refused(safety.decide(no_violation(&case, by)).await),
            refused(safety.skip(case.id, by, String::new(), None).await),
            refused(safety.escalate(case.id, by, String::new()).await),
            refused(
                safety
                    .hold(case.id, Some(Hold::Year), by, String::new())
                    .await,
            ),
            refused(safety.permitted_acts(case.id, by).await),
        ] {
            assert_eq!(refusal, ActRefusal::Conflict);
        }
    }
    let own = on(sessions[1], SanctionKind::Ban, None);
    let by = Actor::Operator(subject);
    let imposed = safety.impose(own, Reason::Spam, String::new(), by).await;
    assert_eq!(refused(imposed), ActRefusal::Conflict);
    let invalid = safety
        .invalidate(sessions[0], None, None, Actor::Operator(reporter))
        .await;
    assert_eq!(refused(invalid), ActRefusal::Conflict);
    assert!(safety.claim_next(other).await.unwrap().is_some());
}

async fn an_operator_who_is_disabled_acts_on_nothing<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let gone = operator(&world, "gone", Role::Administrator).await;
    operator(&world, "there", Role::Administrator).await;
    reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
    let case = safety.claim_next(gone).await.unwrap().unwrap();
    let disable = miyu::store::safety::OperatorChange::Disabled(true);
    safety
        .change_operator(gone, vec![disable], Actor::Local)
        .await
        .unwrap();
    assert_eq!(
        only_case(&world).await.claim,
        None,
        "the claim ends with it"
    );
    assert_eq!(safety.claim_next(gone).await.unwrap(), None);
    let refusal = Claimed::Refused(ActRefusal::NoOperator);
    assert_eq!(safety.claim(case.id, gone).await.unwrap(), refusal);
    for by in [gone, OperatorId(999)].map(Actor::Operator) {
        let refusal = refused(safety.decide(no_violation(&case, by)).await);
        assert_eq!(refusal, ActRefusal::NoOperator);
    }
}

async fn no_report_is_judged_that_came_after_the_case_was_read<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let subject = SessionId::fresh();
    reported_by_stranger(&world, subject, Reason::Spam).await;
    let withdrawn = reported_by_stranger(&world, subject, Reason::Spam).await;
    let gone = safety.withdraw(withdrawn.reporter, withdrawn.id).await;
    gone.unwrap();
    let case = only_case(&world).await;
    assert_eq!(file(&world, case.id).await.reports.len(), 2);
    let seen = |seen_reports| DecisionDraft {
        seen_reports,
        ..no_violation(&case, Actor::Local)
    };
    let refusal = refused(safety.decide(seen(Some(1))).await);
    assert_eq!(refusal, ActRefusal::NewReports);
    let skip = |seen| safety.skip(case.id, Actor::Local, String::new(), seen);
    assert_eq!(refused(skip(Some(0)).await), ActRefusal::NewReports);
    assert_eq!(file(&world, case.id).await.case.state, CaseState::Open);
    done(safety.decide(seen(Some(2))).await);
    assert_eq!(refused(skip(None).await), ActRefusal::Unfit);
}

async fn a_skipped_case_says_nothing_about_reporters<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let draft = reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
    let case = only_case(&world).await;
    done(
        safety
            .skip(case.id, Actor::Local, String::new(), None)
            .await,
    );
    assert_eq!(queue(&world).await, []);
    let closed = safety.closed_cases().await.unwrap().remove(0);
    assert_eq!((closed.id, closed.state), (case.id, CaseState::Skipped));
    assert_eq!(closed.closed_at, Some(world.setting.now.get()));
    assert_eq!(file(&world, case.id).await.reports[0].verdict, None);
    assert_eq!(
        safety.accuracy(draft.reporter, None).await.unwrap().decided,
        0
    );
    assert_eq!(
        refused(
            safety
                .skip(case.id, Actor::Local, String::new(), None)
                .await
        ),
        ActRefusal::Unfit
    );
    // The next report opens another.
    reported_by_stranger(&world, case.subject, Reason::Spam).await;
    assert_ne!(only_case(&world).await.id, case.id);
}

async fn a_closed_case_can_be_opened_again<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    reported_by_stranger(&world, SessionId::fresh(), Reason::Sexual).await;
    let case = only_case(&world).await;
    assert_eq!(
        refused(safety.reopen(case.id, Actor::Local).await),
        ActRefusal::Unfit
    );
    done(safety.decide(no_violation(&case, Actor::Local)).await);
    done(safety.reopen(case.id, Actor::Local).await);
    let again = only_case(&world).await;
    assert_eq!((again.id, again.state), (case.id, CaseState::Open));
    assert!(again.reopened && again.closed_at.is_none());
    assert_eq!(again.priority, case.priority);
    done(safety.decide(violation(&again, Actor::Local, &[])).await);
    let file = file(&world, case.id).await;
    assert_eq!(file.decisions.len(), 2);
    assert_eq!(
        file.reports[0].verdict,
        Some(Verdict::Upheld),
        "the last decision counts"
    );
}

async fn a_case_by_hand_waits_in_its_place<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    reported_by_stranger(&world, SessionId::fresh(), Reason::Sexual).await;
    let subject = SessionId::fresh();
    let by_hand = HandDraft {
        by: Actor::Operator(operator(&world, "Mei", Role::Administrator).await),
        about: About::Session(subject),
        reason: Reason::Minor,
        note: "a call from the police".into(),
    };
    let id = done(safety.open_by_hand(by_hand.clone()).await);
    let case = queue(&world).await.remove(0);
    assert_eq!(
        (case.id, case.kind, case.subject),
        (id, CaseKind::ByHand, subject)
    );
    assert_eq!((case.priority, case.reports), (Priority(8000), 0));
    assert_eq!(case.text, "a call from the police");
    // Reports join it, and when they are taken back it stays.
    let joined = reported_by_stranger(&world, subject, Reason::Spam).await;
    let case = queue(&world).await.remove(0);
    assert_eq!((case.id, case.reports, case.reason), (id, 1, Reason::Minor));
    assert_eq!(case.priority, Priority(10_000));
    safety.withdraw(joined.reporter, joined.id).await.unwrap();
    let case = queue(&world).await.remove(0);
    assert_eq!(
        (case.id, case.reports, case.priority),
        (id, 0, Priority(8000))
    );
    let gone = HandDraft {
        about: About::Side(RoomId::fresh(), A),
        ..by_hand
    };
    assert_eq!(
        refused(safety.open_by_hand(gone).await),
        ActRefusal::Unknown
    );
}

async fn a_case_with_reports_becomes_one_by_hand<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let report = reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
    let before = only_case(&world).await;
    for (reason, note) in [
        (Reason::Other, "first"),
        (Reason::Sexual, ""),
        (Reason::Spam, "third"),
    ] {
        let by_hand = HandDraft {
            by: Actor::Local,
            about: About::Session(before.subject),
            reason,
            note: note.into(),
        };
        assert_eq!(done(safety.open_by_hand(by_hand).await), before.id);
    }
    let case = only_case(&world).await;
    assert_eq!(
        (case.kind, case.text.as_str()),
        (CaseKind::ByHand, "first\n\nthird")
    );
    assert_eq!(
        (case.reason, case.priority),
        (Reason::Sexual, Priority(2000 + 4000))
    );
    safety.withdraw(report.reporter, report.id).await.unwrap();
    assert_eq!(only_case(&world).await.reports, 0);
}

async fn bad_faith_makes_all_of_a_reporters_reports_invalid<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let reporter = SessionId::fresh();
    let both = SessionId::fresh();
    for subject in [both, SessionId::fresh(), SessionId::fresh()] {
        let pairing = miyu::domain::Pairing {
            ..crate::support::store::pairing_of(reporter, subject)
        };
        world.store().create_room(&pairing).await.unwrap();
        report(&world, &draft(&pairing, Reason::Minor)).await;
    }
    reported_by_stranger(&world, both, Reason::Spam).await;
    let decided = queue(&world).await.remove(2);
    done(safety.decide(violation(&decided, Actor::Local, &[])).await);
    let invalid = done(
        safety
            .invalidate(reporter, Some(DAY), None, Actor::Local)
            .await,
    );
    assert_eq!((invalid.reports, invalid.closed), (2, 1));
    let mute = invalid.mute.expect("a mute");
    assert_eq!(mute.kind, SanctionKind::ReporterMute);
    assert_eq!(mute.until, Some(world.setting.now.get().plus(DAY)));
    assert_eq!(
        safety.notices(reporter).await.unwrap().len(),
        1,
        "of the decision alone"
    );
    let left = only_case(&world).await;
    assert_eq!(
        (left.subject, left.reports, left.priority),
        (both, 1, Priority(2000))
    );
    // It counts as having been wrong, and looks like having been looked at.
    let accuracy = safety.accuracy(reporter, None).await.unwrap();
    assert_eq!((accuracy.upheld, accuracy.decided), (1, 3));
    let own = safety.reports_by(reporter).await.unwrap();
    let acted = own
        .iter()
        .filter(|it| it.state == miyu::domain::safety::OwnReportState::Decided { acted: true });
    assert_eq!((acted.count(), own.len()), (1, 3));
    let none = done(safety.invalidate(reporter, None, None, Actor::Local).await);
    assert_eq!((none.reports, none.closed, none.mute), (0, 0, None));
    let log = safety.audit(0).await.unwrap();
    let acts = log
        .iter()
        .filter(|row| row.what.act == AuditAct::Invalidated);
    assert_eq!(acts.count(), 2);
}

async fn every_act_on_an_unknown_case_is_refused<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let none = CaseId(77);
    let by = operator(&world, "Mei", Role::Administrator).await;
    let unknown = Claimed::Refused(ActRefusal::Unknown);
    assert_eq!(safety.claim(none, by).await.unwrap(), unknown);
    let by = Actor::Operator(by);
    for refusal in [
        refused(safety.skip(none, by, String::new(), None).await),
        refused(safety.escalate(none, by, String::new()).await),
        refused(safety.reopen(none, by).await),
        refused(safety.hold(none, None, by, String::new()).await),
        refused(safety.permitted_acts(none, by).await),
    ] {
        assert_eq!(refusal, ActRefusal::Unknown);
    }
    assert_eq!(safety.case(none).await.unwrap(), None);
    assert_eq!(safety.evidence(none, RoomId::fresh()).await.unwrap(), None);
}

async fn what_an_administrator_held_no_moderator_lets_go<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mei = Actor::Operator(operator(&world, "Mei", Role::Moderator).await);
    let ada = Actor::Operator(operator(&world, "Ada", Role::Administrator).await);
    reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
    let case = only_case(&world).await.id;
    let hold = async |hold, by| safety.hold(case, hold, by, String::new()).await;
    let held = async || file(&world, case).await.case.held_until.is_some();
    assert_eq!(refused(hold(None, mei).await), ActRefusal::Unfit);
    done(hold(Some(Hold::HalfYear), mei).await);
    done(hold(None, mei).await);
    assert!(!held().await);
    for above in [ada, Actor::Local] {
        done(hold(Some(Hold::Year), above).await);
        // Nor by holding it themselves first.
        done(hold(Some(Hold::HalfYear), mei).await);
        assert_eq!(refused(hold(None, mei).await), ActRefusal::NotAllowed);
        let may = done(safety.permitted_acts(case, mei).await);
        assert!(!may.contains(&Act::EndHold) && held().await);
        done(hold(None, above).await);
        assert!(!held().await);
    }
}
