//! Appeals: once a sanction, in the same queue, decided by another operator where there is one.

use miyu::domain::safety::{
    Actor, AppealDecision, AppealOutcome, AppealState, AuditAct, CaseKind, Notice, NoticeId,
    NoticeKind, Reason, Role, SanctionKind as Kind,
};
use miyu::store::safety::{ActRefusal, Appealed};

use super::*;

super::for_each_backend! {
    a_sanction_is_appealed_once
    only_what_is_told_can_be_appealed
    an_appeal_that_is_upheld_changes_nothing
    an_appeal_that_is_overturned_lifts_the_sanction
    an_appeal_can_change_the_sanction
    another_operator_decides_if_there_is_one
    an_appeal_is_no_case_of_reports
}

/// A person who was sanctioned so for their reports, with the notice.
async fn sanctioned<X: Backend>(world: &World<X>, by: Actor, kind: Kind) -> (Sanction, Notice) {
    let subject = SessionId::fresh();
    reported_by_stranger(world, subject, Reason::Sexual).await;
    let about = world.safety().cases_about(subject).await.unwrap();
    let follows = [on(subject, kind, None)];
    let decided = world
        .safety()
        .decide(violation(&about[0], by, &follows))
        .await;
    let sanction = done(decided)[0];
    (sanction, notice(world, subject).await)
}

/// The newest notice.
async fn notice<X: Backend>(world: &World<X>, to: SessionId) -> Notice {
    world.safety().notices(to).await.unwrap().remove(0)
}

async fn appealed<X: Backend>(world: &World<X>, notice: &Notice) -> CaseId {
    let text = "it was a joke".to_owned();
    match world
        .safety()
        .appeal(notice.to, notice.id, text)
        .await
        .unwrap()
    {
        Appealed::Done(case) => case,
        other => panic!("not taken: {other:?}"),
    }
}

fn ruling(case: CaseId, by: Actor, outcome: AppealOutcome) -> AppealDecision {
    AppealDecision {
        case,
        by,
        outcome,
        note: "looked again".into(),
        text: "we looked again".into(),
    }
}

async fn a_sanction_is_appealed_once<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let (sanction, told) = sanctioned(&world, Actor::Local, Kind::Ban).await;
    let case = appealed(&world, &told).await;
    let waiting = only_case(&world).await;
    assert_eq!(
        (waiting.id, waiting.kind),
        (case, CaseKind::Appeal(sanction.id))
    );
    assert_eq!((waiting.subject, waiting.reason), (told.to, Reason::Sexual));
    assert_eq!(waiting.text, "it was a joke");
    assert_eq!(notice(&world, told.to).await.appeal, AppealState::Pending);
    let again = safety
        .appeal(told.to, told.id, "again".into())
        .await
        .unwrap();
    assert_eq!(again, Appealed::Already);
    let upheld = ruling(case, Actor::Local, AppealOutcome::Uphold);
    done(safety.decide_appeal(upheld).await);
    let again = safety
        .appeal(told.to, told.id, "again".into())
        .await
        .unwrap();
    assert_eq!(again, Appealed::Already);
    let strangers = safety
        .appeal(SessionId::fresh(), told.id, "mine".into())
        .await;
    assert_eq!(strangers.unwrap(), Appealed::Unknown);
    let unknown = safety
        .appeal(told.to, NoticeId::fresh(), "what".into())
        .await;
    assert_eq!(unknown.unwrap(), Appealed::Unknown);
}

async fn only_what_is_told_can_be_appealed<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let report = reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
    let case = only_case(&world).await;
    done(safety.decide(no_violation(&case, Actor::Local)).await);
    let outcome = notice(&world, report.reporter).await;
    let appeal = safety
        .appeal(outcome.to, outcome.id, "no".into())
        .await
        .unwrap();
    assert_eq!(appeal, Appealed::NotPossible);
    // Lifted, there is nothing left to appeal.
    let (sanction, told) = sanctioned(&world, Actor::Local, Kind::Warning).await;
    done(
        safety
            .lift_sanction(sanction.id, "sorry".into(), Actor::Local)
            .await,
    );
    let appeal = safety.appeal(told.to, told.id, "no".into()).await.unwrap();
    assert_eq!(appeal, Appealed::NotPossible);
}

async fn an_appeal_that_is_upheld_changes_nothing<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let (sanction, told) = sanctioned(&world, Actor::Local, Kind::Mute).await;
    let case = appealed(&world, &told).await;
    let upheld = ruling(case, Actor::Local, AppealOutcome::Uphold);
    assert_eq!(done(safety.decide_appeal(upheld.clone()).await), []);
    let force = safety.sanctions_in_force(Default::default()).await.unwrap();
    assert_eq!(force.sanctions, [sanction]);
    let outcome = notice(&world, told.to).await;
    assert_eq!(
        (outcome.kind, outcome.acted),
        (NoticeKind::Outcome, Some(false))
    );
    assert_eq!(outcome.text, "we looked again");
    let notices = safety.notices(told.to).await.unwrap();
    assert_eq!(notices[1].appeal, AppealState::Decided);
    assert_eq!(
        refused(safety.decide_appeal(upheld).await),
        ActRefusal::Unfit
    );
}

async fn an_appeal_that_is_overturned_lifts_the_sanction<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let (sanction, told) = sanctioned(&world, Actor::Local, Kind::Ban).await;
    let reporter = file(&world, sanction.case.unwrap()).await.reports[0].reporter;
    assert_eq!(safety.accuracy(reporter, None).await.unwrap().upheld, 1);
    let case = appealed(&world, &told).await;
    let overturned = ruling(case, Actor::Local, AppealOutcome::Overturn);
    let rows = done(safety.decide_appeal(overturned).await);
    assert_eq!((rows.len(), rows[0].lifts), (1, Some(sanction.id)));
    let force = safety.sanctions_in_force(Default::default()).await.unwrap();
    assert_eq!(force.sanctions, []);
    let outcome = notice(&world, told.to).await;
    assert_eq!(
        (outcome.kind, outcome.acted),
        (NoticeKind::Outcome, Some(true))
    );
    // The reporter was not proven right, and not proven wrong.
    assert_eq!(
        safety.accuracy(reporter, None).await.unwrap(),
        Default::default()
    );
    let log = safety.newest_audit().await.unwrap();
    let acts: Vec<_> = log.iter().take(2).map(|row| row.what.act).collect();
    assert_eq!(acts, [AuditAct::Lifted, AuditAct::AppealOverturned]);
    assert_eq!(log[1].what.sanction, Some(sanction.id));
}

async fn an_appeal_can_change_the_sanction<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let (sanction, told) = sanctioned(&world, Actor::Local, Kind::Ban).await;
    let case = appealed(&world, &told).await;
    let elsewhere = on(SessionId::fresh(), Kind::Mute, Some(DAY));
    let wrong = ruling(case, Actor::Local, AppealOutcome::Change(elsewhere));
    assert_eq!(
        refused(safety.decide_appeal(wrong).await),
        ActRefusal::NotAllowed
    );
    let instead = on(told.to, Kind::Mute, Some(DAY));
    let changed = ruling(case, Actor::Local, AppealOutcome::Change(instead));
    let rows = done(safety.decide_appeal(changed).await);
    assert_eq!(rows[0].lifts, Some(sanction.id));
    assert_eq!((rows[1].kind, rows[1].rule), (Kind::Mute, sanction.rule));
    let force = safety.sanctions_in_force(Default::default()).await.unwrap();
    assert_eq!(force.sanctions, rows[1..]);
    let notices = safety.notices(told.to).await.unwrap();
    let kinds: Vec<_> = notices.iter().map(|it| (it.kind, it.appeal)).collect();
    let expected = [
        (NoticeKind::Mute, AppealState::Possible),
        (NoticeKind::Outcome, AppealState::None),
        (NoticeKind::Ban, AppealState::Decided),
    ];
    assert_eq!(kinds, expected);
}

async fn another_operator_decides_if_there_is_one<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mei = operator(&world, "Mei", Role::Moderator).await;
    let (_, told) = sanctioned(&world, Actor::Operator(mei), Kind::Ban).await;
    let case = appealed(&world, &told).await;
    let ken = operator(&world, "Ken", Role::Moderator).await;
    let own = ruling(case, Actor::Operator(mei), AppealOutcome::Uphold);
    assert_eq!(
        refused(safety.decide_appeal(own.clone()).await),
        ActRefusal::OwnDecision
    );
    let gone = miyu::store::safety::OperatorChange::Disabled(true);
    safety
        .change_operator(ken, vec![gone], Actor::Local)
        .await
        .unwrap();
    done(safety.decide_appeal(own).await);
}

async fn an_appeal_is_no_case_of_reports<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let (_, told) = sanctioned(&world, Actor::Local, Kind::Ban).await;
    let case = appealed(&world, &told).await;
    let waiting = only_case(&world).await;
    for refusal in [
        refused(safety.decide(no_violation(&waiting, Actor::Local)).await),
        refused(safety.skip(case, Actor::Local, String::new(), None).await),
    ] {
        assert_eq!(refusal, ActRefusal::Unfit);
    }
    // A report of the person opens a case of its own; and a case of reports is no appeal.
    reported_by_stranger(&world, told.to, Reason::Minor).await;
    let queue = queue(&world).await;
    assert_eq!((queue.len(), queue[0].kind), (2, CaseKind::Reports));
    let no = ruling(queue[0].id, Actor::Local, AppealOutcome::Uphold);
    assert_eq!(refused(safety.decide_appeal(no).await), ActRefusal::Unfit);
}
