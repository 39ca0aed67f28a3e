//! The automatic step: what it takes, that it happens once until a person has looked, and that it ends with its ground.

use miyu::domain::MessageRef;
use miyu::domain::id::SessionId;
use miyu::domain::safety::{
    Actor, NoticeKind, Reason, ReportDraft, Role, Sanction, SanctionId, SanctionKind, Verdict,
    Weight,
};
use miyu::store::Recalled;
use miyu::store::safety::Withdrawn;

use super::*;
use crate::support::store::pairing_of;

super::for_each_backend! {
    three_strangers_mute_for_an_hour_and_once
    strangers_of_one_network_mute_no_one
    a_report_about_a_person_who_never_came_mutes_no_one
    a_report_about_a_person_who_said_nothing_mutes_no_one
    after_a_violation_it_may_happen_again
    after_nothing_was_found_it_does_not_for_a_week
    a_mute_that_an_operator_lifted_does_not_come_back_for_a_week
    the_mute_ends_with_a_decision_that_nothing_was_broken
    the_mute_ends_when_its_case_is_skipped
    the_mute_ends_when_a_report_that_carries_it_is_taken_back
    the_mute_ends_when_a_report_that_carries_it_is_in_bad_faith
}

const THREE: [&str; 3] = ["192.0.2.1", "198.51.100.1", "203.0.113.1"];

/// A stranger of this network meets the subject and reports them.
async fn from<X: Backend>(world: &World<X>, subject: SessionId, address: &str) -> Option<Sanction> {
    let draft = ReportDraft {
        networks: Some(networks(address)),
        ..draft(&room_with(world, subject).await, Reason::Harassment)
    };
    let first = report(world, &draft).await;
    // It is told again to a caller who did not hear the answer.
    assert_eq!(report(world, &draft).await, first);
    first
}

async fn three_strangers_mute_for_an_hour_and_once<X: Backend>() {
    let world = World::<X>::new().await;
    let subject = SessionId::fresh();
    assert_eq!(from(&world, subject, "192.0.2.1").await, None);
    assert_eq!(from(&world, subject, "198.51.100.1").await, None);
    let mute = from(&world, subject, "203.0.113.1").await.expect("a mute");
    assert_eq!(mute.kind, SanctionKind::Mute);
    assert_eq!(mute.until, Some(world.setting.now.get().plus(60 * MINUTE)));
    assert!(mute.automatic && mute.by.is_none());
    let safety = world.safety();
    let notices = safety.notices(subject).await.unwrap();
    assert_eq!(notices.len(), 1);
    assert!(notices[0].automatic && notices[0].sanction == Some(mute.id));
    // It does so once: whatever else is reported waits for a person.
    for address in ["192.0.3.1", "192.0.4.1", "192.0.5.1"] {
        assert_eq!(from(&world, subject, address).await, None);
    }
    // The case still waits for a person.
    assert_eq!(only_case(&world).await.reports, 6);
}

async fn strangers_of_one_network_mute_no_one<X: Backend>() {
    let world = World::<X>::new().await;
    let subject = SessionId::fresh();
    for last in 1..8 {
        let address = format!("192.0.2.{last}");
        assert_eq!(from(&world, subject, &address).await, None);
    }
    assert_eq!(from(&world, subject, "198.51.100.1").await, None);
}

async fn a_report_about_a_person_who_never_came_mutes_no_one<X: Backend>() {
    let world = World::<X>::new().await;
    let subject = SessionId::fresh();
    for address in ["192.0.2.1", "192.0.3.1", "192.0.4.1", "192.0.5.1"] {
        let pairing = pairing_of(SessionId::fresh(), subject);
        world.store().create_room(&pairing).await.unwrap();
        let draft = ReportDraft {
            networks: Some(networks(address)),
            ..draft(&pairing, Reason::Harassment)
        };
        assert_eq!(report(&world, &draft).await, None);
    }
    let case = only_case(&world).await;
    assert!(file(&world, case.id).await.reports.iter().all(|it| !it.met));
    // Those of a muted reporter count nothing, and are taken all the same.
    let draft = draft(&room_with(&world, subject).await, Reason::Minor);
    let by = Actor::Operator(operator(&world, "Mei", Role::Moderator).await);
    let invalid = world
        .safety()
        .invalidate(draft.reporter, Some(DAY), None, by)
        .await;
    assert!(done(invalid).mute.is_some());
    report(&world, &draft).await;
    let after = only_case(&world).await;
    assert_eq!((after.priority, after.reports), (case.priority, 5));
    let newest = &file(&world, case.id).await.reports[0];
    assert_eq!((newest.weight, newest.verdict), (Weight(0), None));
    assert_ne!(newest.verdict, Some(Verdict::Invalid));
}

/// Three strangers report them; what the last one's report brought.
async fn by_three<X: Backend>(world: &World<X>, subject: SessionId) -> Option<Sanction> {
    let mut last = None;
    for address in THREE {
        assert_eq!(last, None);
        last = from(world, subject, address).await;
    }
    last
}

async fn a_report_about_a_person_who_said_nothing_mutes_no_one<X: Backend>() {
    let world = World::<X>::new().await;
    let subject = SessionId::fresh();
    for address in THREE {
        let pairing = room_in_silence(&world, subject).await;
        world.say(pairing.room, A, "a", "the reporter speaks").await;
        let draft = ReportDraft {
            networks: Some(networks(address)),
            ..draft(&pairing, Reason::Harassment)
        };
        assert_eq!(report(&world, &draft).await, None);
    }
    let case = only_case(&world).await;
    let light = file(&world, case.id).await.reports;
    assert!(light.iter().all(|it| it.weight == Weight::LEAST));
    // What was recalled was said.
    let pairing = room_in_silence(&world, subject).await;
    let said = world.say(pairing.room, B, "b", "something rude").await;
    let target = MessageRef::Seq(said.seq);
    let recalling = world.store().recall(pairing.room, B, target, None);
    let recalled = recalling.await.unwrap();
    assert!(matches!(recalled, Recalled::Done(_)), "{recalled:?}");
    report(&world, &draft(&pairing, Reason::Harassment)).await;
    let newest = &file(&world, case.id).await.reports[0];
    assert_eq!(newest.weight, Weight::ONE);
}

async fn after_a_violation_it_may_happen_again<X: Backend>() {
    let world = World::<X>::new().await;
    let subject = SessionId::fresh();
    let mute = by_three(&world, subject).await.expect("a mute");
    world.advance(SECOND);
    let case = only_case(&world).await;
    let decision = violation(&case, Actor::Local, &[]);
    done(world.safety().decide(decision).await);
    assert_eq!(lifted(&world, subject).await, (true, 0), "it stays");
    let again = by_three(&world, subject).await.expect("another");
    assert!(again.id > mute.id);
}

async fn after_nothing_was_found_it_does_not_for_a_week<X: Backend>() {
    let world = World::<X>::new().await;
    let subject = SessionId::fresh();
    by_three(&world, subject).await.expect("a mute");
    for day in 0..7 {
        world.advance(SECOND);
        let case = only_case(&world).await;
        if day == 0 {
            done(
                world
                    .safety()
                    .decide(no_violation(&case, Actor::Local))
                    .await,
            );
        } else {
            let skipped = world
                .safety()
                .skip(case.id, Actor::Local, String::new(), None)
                .await;
            done(skipped);
        }
        assert_eq!(by_three(&world, subject).await, None, "day {day}");
        world.advance(DAY);
    }
    assert!(by_three(&world, subject).await.is_some());
}

async fn a_mute_that_an_operator_lifted_does_not_come_back_for_a_week<X: Backend>() {
    let world = World::<X>::new().await;
    let subject = SessionId::fresh();
    let mute = by_three(&world, subject).await.expect("a mute");
    let lifting = world
        .safety()
        .lift_sanction(mute.id, "sorry".into(), Actor::Local);
    done(lifting.await);
    assert_eq!(by_three(&world, subject).await, None);
    world.advance(7 * DAY);
    assert!(by_three(&world, subject).await.is_some());
}

/// Whether a mute holds against them, and how many notices say that one was lifted.
async fn lifted<X: Backend>(world: &World<X>, subject: SessionId) -> (bool, usize) {
    let safety = world.safety();
    let force = safety.sanctions_in_force(SanctionId(0)).await.unwrap();
    let told = safety.notices(subject).await.unwrap();
    let told = told.iter().filter(|it| it.kind == NoticeKind::Lifted);
    (!force.sanctions.is_empty(), told.count())
}

async fn the_mute_ends_with_a_decision_that_nothing_was_broken<X: Backend>() {
    let mut world = World::<X>::new().await;
    let subject = SessionId::fresh();
    let mute = by_three(&world, subject).await.expect("a mute");
    let by = Actor::Operator(operator(&world, "Mei", Role::Moderator).await);
    let case = only_case(&world).await;
    done(world.safety().decide(no_violation(&case, by)).await);
    world.crash().await;
    assert_eq!(lifted(&world, subject).await, (false, 1));
    let rows = world.safety().sanctions_since(mute.id).await.unwrap();
    let [row] = rows.as_slice() else {
        panic!("one row: {rows:?}");
    };
    assert_eq!((row.lifts, row.automatic), (Some(mute.id), false));
    assert!(row.by.is_some());
    let told = world.safety().notices(subject).await.unwrap();
    assert_eq!(
        (told[0].text.as_str(), told[0].automatic),
        ("because", false)
    );
}

async fn the_mute_ends_when_its_case_is_skipped<X: Backend>() {
    let world = World::<X>::new().await;
    let subject = SessionId::fresh();
    by_three(&world, subject).await.expect("a mute");
    let case = only_case(&world).await;
    done(
        world
            .safety()
            .skip(case.id, Actor::Local, String::new(), None)
            .await,
    );
    assert_eq!(lifted(&world, subject).await, (false, 1));
}

async fn the_mute_ends_when_a_report_that_carries_it_is_taken_back<X: Backend>() {
    let world = World::<X>::new().await;
    let subject = SessionId::fresh();
    let mute = by_three(&world, subject).await.expect("a mute");
    // A fourth: then one of them is not needed.
    assert_eq!(from(&world, subject, "192.0.7.1").await, None);
    let case = only_case(&world).await;
    let reports = file(&world, case.id).await.reports;
    let take_back = async |at: usize| {
        let report = &reports[at];
        let withdrawn = world.safety().withdraw(report.reporter, report.id).await;
        assert_eq!(withdrawn.unwrap(), Withdrawn::Done);
    };
    take_back(3).await;
    assert_eq!(lifted(&world, subject).await, (true, 0));
    for _ in 0..2 {
        take_back(2).await;
        assert_eq!(lifted(&world, subject).await, (false, 1));
    }
    let rows = world.safety().sanctions_since(mute.id).await.unwrap();
    assert_eq!((rows.len(), rows[0].automatic, rows[0].by), (1, true, None));
    // Nor does it come back with others: a person has not looked.
    world.advance(30 * DAY);
    assert_eq!(by_three(&world, subject).await, None);
}

async fn the_mute_ends_when_a_report_that_carries_it_is_in_bad_faith<X: Backend>() {
    let world = World::<X>::new().await;
    let subject = SessionId::fresh();
    by_three(&world, subject).await.expect("a mute");
    let case = only_case(&world).await;
    let reporter = file(&world, case.id).await.reports[0].reporter;
    let invalid = world
        .safety()
        .invalidate(reporter, None, None, Actor::Local)
        .await;
    assert_eq!(done(invalid).reports, 1);
    assert_eq!(lifted(&world, subject).await, (false, 1));
}
