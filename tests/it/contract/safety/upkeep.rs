//! What time does: evidence and records have their ends. And the installation key has none.

use miyu::domain::id::Seq;
use miyu::domain::safety::{
    Actor, AppealDecision, AppealOutcome, Hold, Reason, ReportDraft, SanctionId,
    SanctionKind as Kind, TextClaim,
};
use miyu::store::safety::Appealed;

use super::*;

super::for_each_backend! {
    the_installation_key_stays
    evidence_ends_after_the_decision_and_leaves_no_text
    a_hold_keeps_evidence
    an_appeal_that_waits_keeps_evidence
    evidence_of_an_open_case_has_no_end
    records_end_and_what_is_in_force_stays
    sessions_unused_for_a_day_go
}

async fn swept<X: Backend>(world: &World<X>) {
    while world.safety().sweep_safety().await.unwrap() {}
}

async fn has_evidence<X: Backend>(world: &World<X>, case: CaseId) -> bool {
    let rooms = file(world, case).await.rooms;
    for room in &rooms {
        assert!(
            world
                .safety()
                .evidence(case, *room)
                .await
                .unwrap()
                .is_some()
        );
    }
    !rooms.is_empty()
}

/// A case of one report about a room where this was said.
async fn case_of<X: Backend>(world: &World<X>, text: &str) -> Case {
    let pairing = world.room().await;
    for number in 0..8 {
        world.say(pairing.room, B, &number.to_string(), text).await;
    }
    let report_of_it = ReportDraft {
        note: format!("note on {text}"),
        claims: vec![TextClaim {
            seq: Seq(1),
            content: format!("claim of {text}"),
            verified: false,
        }],
        networks: Some(networks("192.0.2.1")),
        ..draft(&pairing, Reason::Sexual)
    };
    report(world, &report_of_it).await;
    let subject = pairing.parties[1].session;
    let case = world.safety().cases_about(subject).await.unwrap().remove(0);
    erase_room(world, pairing.room).await;
    case
}

async fn the_installation_key_stays<X: Backend>() {
    let mut world = World::<X>::new().await;
    let key = world.safety().installation_key().await.unwrap();
    assert_ne!(key, [0; 32]);
    assert_eq!(world.safety().installation_key().await.unwrap(), key);
    assert_ne!(world.store().session_key().await.unwrap(), key);
    world.crash().await;
    assert_eq!(world.safety().installation_key().await.unwrap(), key);
    let other = World::<X>::new().await;
    assert_ne!(other.safety().installation_key().await.unwrap(), key);
}

async fn evidence_ends_after_the_decision_and_leaves_no_text<X: Backend>() {
    let mut world = World::<X>::new().await;
    let case = case_of(&world, "a text that ends").await;
    done(
        world
            .safety()
            .decide(violation(&case, Actor::Local, &[]))
            .await,
    );
    world.advance(30 * DAY - SECOND);
    swept(&world).await;
    assert!(has_evidence(&world, case.id).await);
    world.advance(SECOND);
    swept(&world).await;
    assert!(!has_evidence(&world, case.id).await);
    let file = file(&world, case.id).await;
    let report = &file.reports[0];
    assert_eq!((report.note.as_str(), report.claims.len()), ("", 0));
    assert_eq!((file.decisions.len(), report.reason), (1, Reason::Sexual));
    world.close().await;
    assert!(!world.backend.holds("a text that ends").await);
}

async fn a_hold_keeps_evidence<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let case = case_of(&world, "held").await;
    let hold = async |hold| {
        done(
            safety
                .hold(case.id, hold, Actor::Local, String::new())
                .await,
        );
    };
    hold(Some(Hold::Year)).await;
    let until = world.setting.now.get().plus(365 * DAY);
    assert_eq!(only_case(&world).await.held_until, Some(until));
    hold(Some(Hold::HalfYear)).await;
    assert_eq!(
        only_case(&world).await.held_until,
        Some(until),
        "not shortened"
    );
    done(safety.decide(no_violation(&case, Actor::Local)).await);
    world.advance(365 * DAY - SECOND);
    swept(&world).await;
    assert!(has_evidence(&world, case.id).await);
    // A closed case can be held, and let go.
    hold(Some(Hold::HalfYear)).await;
    world.advance(10 * DAY);
    swept(&world).await;
    assert!(has_evidence(&world, case.id).await);
    hold(None).await;
    assert_eq!(file(&world, case.id).await.case.held_until, None);
    swept(&world).await;
    assert_eq!(
        safety.case(case.id).await.unwrap(),
        None,
        "nor is there a record after a year"
    );
}

async fn an_appeal_that_waits_keeps_evidence<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let case = case_of(&world, "appealed").await;
    let ban = [on(case.subject, Kind::Ban, None)];
    done(safety.decide(violation(&case, Actor::Local, &ban)).await);
    let told = safety.notices(case.subject).await.unwrap().remove(0);
    let appeal = safety
        .appeal(told.to, told.id, "my words".into())
        .await
        .unwrap();
    let Appealed::Done(appeal) = appeal else {
        panic!("not taken: {appeal:?}");
    };
    world.advance(90 * DAY);
    swept(&world).await;
    assert!(has_evidence(&world, case.id).await);
    let upheld = AppealDecision {
        case: appeal,
        by: Actor::Local,
        outcome: AppealOutcome::Uphold,
        note: String::new(),
        text: "no".into(),
    };
    done(safety.decide_appeal(upheld).await);
    swept(&world).await;
    assert!(!has_evidence(&world, case.id).await);
    // The words of the appeal have the same time from its decision.
    assert_eq!(file(&world, appeal).await.case.text, "my words");
    world.advance(30 * DAY);
    swept(&world).await;
    assert_eq!(file(&world, appeal).await.case.text, "");
}

async fn evidence_of_an_open_case_has_no_end<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let case = case_of(&world, "open").await;
    done(safety.decide(no_violation(&case, Actor::Local)).await);
    world.advance(29 * DAY);
    done(safety.reopen(case.id, Actor::Local).await);
    world.advance(500 * DAY);
    swept(&world).await;
    assert!(has_evidence(&world, case.id).await);
    done(
        safety
            .skip(case.id, Actor::Local, String::new(), None)
            .await,
    );
    world.advance(30 * DAY);
    swept(&world).await;
    assert!(!has_evidence(&world, case.id).await);
}

async fn records_end_and_what_is_in_force_stays<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let (banned, warned) = (case_of(&world, "b").await, case_of(&world, "w").await);
    let ban = [on(banned.subject, Kind::Ban, None)];
    let ban = done(safety.decide(violation(&banned, Actor::Local, &ban)).await)[0];
    let warning = [
        on(warned.subject, Kind::Warning, None),
        on(warned.subject, Kind::Mute, Some(DAY)),
    ];
    done(
        safety
            .decide(violation(&warned, Actor::Local, &warning))
            .await,
    );
    world.advance(364 * DAY);
    swept(&world).await;
    assert_eq!(safety.notices(warned.subject).await.unwrap().len(), 2);
    world.advance(2 * DAY);
    swept(&world).await;
    assert_eq!(safety.case(warned.id).await.unwrap(), None);
    assert_eq!(safety.notices(warned.subject).await.unwrap(), []);
    assert!(safety.case(banned.id).await.unwrap().is_some());
    assert_eq!(safety.sanctions_since(SanctionId(0)).await.unwrap(), [ban]);
    assert_eq!(safety.notices(banned.subject).await.unwrap().len(), 1);
    // Lifted, it has its year.
    done(
        safety
            .lift_sanction(ban.id, String::new(), Actor::Local)
            .await,
    );
    world.advance(365 * DAY);
    swept(&world).await;
    assert_eq!(safety.case(banned.id).await.unwrap(), None);
    assert_eq!(safety.sanctions_since(SanctionId(0)).await.unwrap(), []);
    assert_eq!(safety.notices(banned.subject).await.unwrap(), []);
    // Numbers are not used again.
    let later = on(SessionId::fresh(), Kind::Mute, None);
    let later = safety
        .impose(later, Reason::Spam, String::new(), Actor::Local)
        .await;
    assert!(done(later).id > ban.id);
}

async fn sessions_unused_for_a_day_go<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mei = operator(&world, "Mei", miyu::domain::safety::Role::Administrator).await;
    let new = miyu::domain::safety::OperatorSession {
        hash: hash(1),
        operator: mei,
        since: Default::default(),
        used: Default::default(),
        visitor: None,
    };
    assert!(safety.begin_session(new).await.unwrap());
    world.advance(DAY - SECOND);
    swept(&world).await;
    assert_eq!(safety.sessions(mei).await.unwrap().len(), 1);
    world.advance(SECOND);
    swept(&world).await;
    assert_eq!(safety.sessions(mei).await.unwrap(), []);
}
