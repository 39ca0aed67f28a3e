//! Decisions: what they do to reports, what follows, and what the people concerned are told, all at once.

use miyu::domain::safety::{
    Actor, AppealState, AuditAct, CaseState, NoticeKind, Reason, Role, SanctionDraft,
    SanctionKind as Kind, SanctionTarget, Verdict,
};
use miyu::store::safety::ActRefusal;

use super::*;

super::for_each_backend! {
    a_decision_judges_imposes_and_tells
    without_a_violation_nothing_follows
    what_is_not_told_makes_no_notice
    a_sanction_that_may_not_be_imposed_refuses_all_of_it
    what_is_told_is_on_the_subject_alone
    a_decision_is_whole_after_a_crash
}

async fn a_decision_judges_imposes_and_tells<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let subject = SessionId::fresh();
    let first = reported_by_stranger(&world, subject, Reason::Sexual).await;
    let withdrawn = reported_by_stranger(&world, subject, Reason::Sexual).await;
    safety
        .withdraw(withdrawn.reporter, withdrawn.id)
        .await
        .unwrap();
    let mei = operator(&world, "Mei", Role::Moderator).await;
    let case = safety.claim_next(mei).await.unwrap().unwrap();
    world.advance(MINUTE);
    let now = world.setting.now.get();
    let follows = [
        on(subject, Kind::Warning, None),
        on(subject, Kind::Ban, Some(7 * DAY)),
    ];
    let decision = violation(&case, Actor::Operator(mei), &follows);
    let imposed = done(safety.decide(decision.clone()).await);
    assert_eq!(
        imposed.iter().map(|it| it.kind).collect::<Vec<_>>(),
        [Kind::Warning, Kind::Ban]
    );
    assert_eq!(imposed[1].until, Some(now.plus(7 * DAY)));
    assert!(
        imposed
            .iter()
            .all(|it| it.by == Some(mei) && it.case == Some(case.id))
    );
    let file = file(&world, case.id).await;
    assert_eq!(
        (file.case.state, file.case.claim),
        (CaseState::Decided, None)
    );
    assert_eq!(file.case.closed_at, Some(now));
    let verdicts: Vec<_> = file.reports.iter().map(|it| it.verdict).collect();
    assert_eq!(verdicts, [None, Some(Verdict::Upheld)]);
    assert_eq!(file.decisions[0].note, "seen");
    assert_eq!(
        (file.decisions[0].by, file.decisions[0].at),
        (Some(mei), now)
    );
    assert_eq!(file.sanctions, [imposed[1], imposed[0]]);
    let notices = safety.notices(subject).await.unwrap();
    let told: Vec<_> = notices
        .iter()
        .map(|it| (it.kind, it.sanction, it.until))
        .collect();
    let expected = [
        (NoticeKind::Ban, Some(imposed[1].id), imposed[1].until),
        (NoticeKind::Warning, Some(imposed[0].id), None),
    ];
    assert_eq!(told, expected);
    for notice in &notices {
        assert_eq!(
            (notice.text.as_str(), notice.rule),
            ("because", Some(Reason::Sexual))
        );
        assert_eq!((notice.from, notice.automatic), (now, false));
        assert_eq!(notice.appeal, AppealState::Possible);
    }
    let outcome = safety.notices(first.reporter).await.unwrap();
    assert_eq!((outcome.len(), outcome[0].kind), (1, NoticeKind::Outcome));
    assert_eq!(
        (outcome[0].acted, outcome[0].text.as_str()),
        (Some(true), "thank you")
    );
    assert_eq!(
        (outcome[0].rule, outcome[0].appeal),
        (None, AppealState::None)
    );
    assert_eq!(safety.notices(withdrawn.reporter).await.unwrap(), []);
    assert_eq!(refused(safety.decide(decision).await), ActRefusal::Unfit);
    let log = safety.audit(0).await.unwrap();
    let acts: Vec<_> = log.iter().map(|row| row.what.act).collect();
    let last = [
        AuditAct::DecidedViolation,
        AuditAct::Imposed,
        AuditAct::Imposed,
    ];
    assert_eq!(acts[acts.len() - 3..], last);
    let row = &log[log.len() - 3];
    assert_eq!((row.name.as_deref(), row.what.by), (Some("Mei"), Some(mei)));
    assert_eq!(row.what.took_ms, Some(60_000));
}

async fn without_a_violation_nothing_follows<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let report = reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
    let case = only_case(&world).await;
    let by = Actor::Operator(operator(&world, "Mei", Role::Administrator).await);
    for kind in [Kind::Warning, Kind::Mute, Kind::Ban, Kind::ShadowMute] {
        let mut decision = no_violation(&case, by);
        let length = (kind != Kind::Warning).then_some(DAY);
        decision.sanctions.push(on(case.subject, kind, length));
        assert_eq!(
            refused(safety.decide(decision).await),
            ActRefusal::NotAllowed
        );
    }
    let mut decision = no_violation(&case, by);
    decision
        .sanctions
        .push(on(report.reporter, Kind::ReporterMute, Some(DAY)));
    assert_eq!(done(safety.decide(decision).await).len(), 1);
    assert_eq!(safety.notices(case.subject).await.unwrap(), []);
    let outcome = safety.notices(report.reporter).await.unwrap();
    assert_eq!((outcome.len(), outcome[0].acted), (1, Some(false)));
    let file = file(&world, case.id).await;
    assert_eq!(file.reports[0].verdict, Some(Verdict::NotUpheld));
}

async fn what_is_not_told_makes_no_notice<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
    let case = only_case(&world).await;
    let follows = [
        on(case.subject, Kind::Note, None),
        on(case.subject, Kind::ShadowMute, Some(DAY)),
    ];
    done(
        safety
            .decide(violation(&case, Actor::Local, &follows))
            .await,
    );
    assert_eq!(safety.notices(case.subject).await.unwrap(), []);
    let on_them = safety
        .sanctions_on(SanctionTarget::Session(case.subject))
        .await;
    assert_eq!(on_them.unwrap().len(), 2);
}

async fn a_sanction_that_may_not_be_imposed_refuses_all_of_it<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let report = reported_by_stranger(&world, SessionId::fresh(), Reason::Sexual).await;
    let case = only_case(&world).await;
    let moderator = Actor::Operator(operator(&world, "Mei", Role::Moderator).await);
    let network = SanctionDraft {
        target: SanctionTarget::Network(networks("192.0.2.1").near),
        kind: Kind::Ban,
        length: Some(DAY),
    };
    let good = on(case.subject, Kind::Mute, Some(DAY));
    for (wrong, by) in [
        (network, moderator),
        (
            SanctionDraft {
                length: Some(DAY + SECOND),
                ..network
            },
            Actor::Local,
        ),
        (
            SanctionDraft {
                kind: Kind::Mute,
                ..network
            },
            Actor::Local,
        ),
        // Not told, and not spam.
        (on(case.subject, Kind::ShadowMute, Some(DAY)), Actor::Local),
        (
            on(case.subject, Kind::Mute, Some(Duration::ZERO)),
            Actor::Local,
        ),
    ] {
        let refusal = refused(safety.decide(violation(&case, by, &[good, wrong])).await);
        assert_eq!(refusal, ActRefusal::NotAllowed, "{wrong:?}");
    }
    assert_eq!(only_case(&world).await.state, CaseState::Open);
    assert_eq!(safety.notices(case.subject).await.unwrap(), []);
    assert_eq!(safety.notices(report.reporter).await.unwrap(), []);
    let on_them = safety
        .sanctions_on(SanctionTarget::Session(case.subject))
        .await;
    assert_eq!(on_them.unwrap(), []);
    let imposed = done(
        safety
            .decide(violation(&case, Actor::Local, &[good, network]))
            .await,
    );
    assert_eq!(imposed[1].target, network.target);
}

async fn what_is_told_is_on_the_subject_alone<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
    let case = only_case(&world).await;
    let other = on(SessionId::fresh(), Kind::Ban, None);
    let refusal = refused(
        safety
            .decide(violation(&case, Actor::Local, &[other]))
            .await,
    );
    assert_eq!(refusal, ActRefusal::NotAllowed);
}

async fn a_decision_is_whole_after_a_crash<X: Backend>() {
    let mut world = World::<X>::new().await;
    let report = reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
    let case = only_case(&world).await;
    let ban = on(case.subject, Kind::Ban, None);
    // The answer is not waited for: whatever became of it, all of it did.
    let pending = world
        .safety()
        .decide(violation(&case, Actor::Local, &[ban]));
    drop(pending);
    world.crash().await;
    let safety = world.safety();
    let decided = queue(&world).await.is_empty();
    let whole = usize::from(decided);
    let subject = SanctionTarget::Session(case.subject);
    assert_eq!(safety.sanctions_on(subject).await.unwrap().len(), whole);
    assert_eq!(safety.notices(case.subject).await.unwrap().len(), whole);
    assert_eq!(safety.notices(report.reporter).await.unwrap().len(), whole);
    assert_eq!(
        safety.accuracy(report.reporter, None).await.unwrap().upheld as usize,
        whole
    );
    assert_eq!(file(&world, case.id).await.decisions.len(), whole);
}
