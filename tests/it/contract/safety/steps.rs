//! What is done in a case besides deciding it, with its words; and what administrators had a hand in.

use miyu::domain::safety::{Actor, AuditAct, CaseState, Hold, Reason, Role, SanctionKind};
use miyu::store::safety::{About, Act, ActRefusal, HandDraft, StepKind};

use super::*;

super::for_each_backend! {
    what_administrators_decided_is_reopened_by_them
    an_escalated_case_stays_one_when_it_is_reopened
    words_of_an_act_are_kept_with_who_and_when
    what_reporters_and_the_person_were_told_is_kept
    only_administrators_open_cases_and_others_learn_nothing
    a_reporter_is_judged_by_other_cases
}

async fn what_administrators_decided_is_reopened_by_them<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mei = Actor::Operator(operator(&world, "Mei", Role::Moderator).await);
    let admin = Actor::Operator(operator(&world, "Ken", Role::Administrator).await);
    for (by, above) in [(mei, false), (admin, true), (Actor::Local, true)] {
        reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
        let case = only_case(&world).await;
        done(safety.decide(no_violation(&case, by)).await);
        let may = done(safety.permitted_acts(case.id, mei).await);
        assert_eq!(may.contains(&Act::Reopen), !above, "{by:?}");
        let may = done(safety.permitted_acts(case.id, admin).await);
        assert!(may.contains(&Act::Reopen), "{by:?}");
        if above {
            let refusal = refused(safety.reopen(case.id, mei).await);
            assert_eq!(refusal, ActRefusal::NotAllowed);
            done(safety.reopen(case.id, admin).await);
        } else {
            done(safety.reopen(case.id, mei).await);
        }
        let again = only_case(&world).await;
        assert_eq!((again.id, again.state), (case.id, CaseState::Open));
        done(safety.decide(no_violation(&again, Actor::Local)).await);
    }
}

async fn an_escalated_case_stays_one_when_it_is_reopened<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mei = Actor::Operator(operator(&world, "Mei", Role::Moderator).await);
    let admin = Actor::Operator(operator(&world, "Ken", Role::Administrator).await);
    for decides in [true, false] {
        reported_by_stranger(&world, SessionId::fresh(), Reason::Minor).await;
        let case = only_case(&world).await;
        done(safety.escalate(case.id, mei, String::new()).await);
        match decides {
            true => drop(done(safety.decide(violation(&case, admin, &[])).await)),
            false => done(safety.skip(case.id, admin, String::new(), None).await),
        }
        let refusal = refused(safety.reopen(case.id, mei).await);
        assert_eq!(refusal, ActRefusal::NotAllowed);
        done(safety.reopen(case.id, admin).await);
        let again = only_case(&world).await;
        assert_eq!(
            (again.state, again.closed_at),
            (CaseState::Escalated, None),
            "it is the administrators' as before"
        );
        let refusal = refused(safety.decide(no_violation(&again, mei)).await);
        assert_eq!(refusal, ActRefusal::NotAllowed);
        done(safety.decide(no_violation(&again, admin)).await);
    }
}

async fn words_of_an_act_are_kept_with_who_and_when<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mei = operator(&world, "Mei", Role::Moderator).await;
    let by = Actor::Operator(mei);
    reported_by_stranger(&world, SessionId::fresh(), Reason::Minor).await;
    let case = only_case(&world).await;
    let held = safety.hold(case.id, Some(Hold::Year), by, "the police called".into());
    done(held.await);
    world.advance(MINUTE);
    done(
        safety
            .escalate(case.id, by, "she says she is 13".into())
            .await,
    );
    let escalated_at = world.setting.now.get();
    world.advance(MINUTE);
    done(
        safety
            .skip(case.id, Actor::Local, "unreadable".into(), None)
            .await,
    );
    let file = file(&world, case.id).await;
    let steps: Vec<_> = file
        .steps
        .iter()
        .map(|it| (it.kind, it.by, it.note.as_str(), it.text.as_str()))
        .collect();
    let expected = [
        (StepKind::Skipped, None, "unreadable", ""),
        (StepKind::Escalated, Some(mei), "she says she is 13", ""),
        (StepKind::Held, Some(mei), "the police called", ""),
    ];
    assert_eq!(steps, expected);
    assert_eq!(file.steps[1].at, escalated_at);
    assert_eq!(file.decisions, [], "no step is a decision");
    assert_eq!(file.case.text, "", "nor words of the case");
    for row in safety.audit(0).await.unwrap() {
        assert!(!row.what.details.contains("police"), "{row:?}");
    }
}

async fn what_reporters_and_the_person_were_told_is_kept<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
    let case = only_case(&world).await;
    let follows = [on(case.subject, SanctionKind::Mute, Some(DAY))];
    let decision = violation(&case, Actor::Local, &follows);
    let mute = done(safety.decide(decision).await)[0];
    let lifted = safety.lift_sanction(mute.id, "we were wrong".into(), Actor::Local);
    done(lifted.await);
    let known = file(&world, case.id).await;
    let steps: Vec<_> = known
        .steps
        .iter()
        .map(|it| (it.kind, it.text.as_str()))
        .collect();
    let expected = [
        (StepKind::Lifted, "we were wrong"),
        (StepKind::Told, "thank you"),
    ];
    assert_eq!(steps, expected);
    assert_eq!(known.decisions.len(), 1);
    // They are erased with the case, and a lift after that leaves nothing behind.
    world.advance(world.setting.rules.record_retention + 40 * DAY);
    while safety.sweep_safety().await.unwrap() {}
    assert_eq!(safety.case(case.id).await.unwrap(), None);
}

async fn only_administrators_open_cases_and_others_learn_nothing<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mei = operator(&world, "Mei", Role::Moderator).await;
    let (own, pairing) = (SessionId::fresh(), world.room().await);
    safety.note_visitor(mei, own).await.unwrap();
    for about in [
        About::Side(pairing.room, A),
        About::Side(RoomId::fresh(), A),
        About::Session(SessionId::fresh()),
        About::Session(own),
    ] {
        let opened = safety.open_by_hand(HandDraft {
            by: Actor::Operator(mei),
            about,
            reason: Reason::Other,
            note: "to look".into(),
        });
        assert_eq!(refused(opened.await), ActRefusal::NotAllowed, "{about:?}");
    }
    assert_eq!(queue(&world).await, []);
}

async fn a_reporter_is_judged_by_other_cases<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let reporter = SessionId::fresh();
    let mut cases = Vec::new();
    for upheld in [true, false] {
        let pairing = pairing_of(reporter, SessionId::fresh());
        world.store().create_room(&pairing).await.unwrap();
        report(&world, &draft(&pairing, Reason::Spam)).await;
        let case = only_case(&world).await;
        let decision = match upheld {
            true => violation(&case, Actor::Local, &[]),
            false => no_violation(&case, Actor::Local),
        };
        done(safety.decide(decision).await);
        cases.push(case.id);
    }
    let judged = async |besides| {
        let known = safety.accuracy(reporter, besides).await.unwrap();
        (known.upheld, known.decided)
    };
    assert_eq!(judged(None).await, (1, 2));
    assert_eq!(judged(Some(cases[0])).await, (0, 1));
    assert_eq!(judged(Some(cases[1])).await, (1, 1));
    let mei = Actor::Operator(operator(&world, "Mei", Role::Moderator).await);
    let invalid = safety.invalidate(reporter, None, Some(cases[1]), mei);
    done(invalid.await);
    let log = safety.audit(0).await.unwrap();
    let row = log.last().expect("a row");
    assert_eq!(
        (row.what.act, row.what.case, row.what.details.as_str()),
        (AuditAct::Invalidated, Some(cases[1]), "0 reports")
    );
}
