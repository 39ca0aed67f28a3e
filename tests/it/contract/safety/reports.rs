//! Reports: who may report what, what they weigh, and how they are taken back.

use miyu::domain::LeaveReason;
use miyu::domain::id::SessionId;
use miyu::domain::safety::{
    Accuracy, Actor, CaseState, OwnReportState, Priority, Reason, ReportDraft, ReportId, Weight,
};
use miyu::store::StoreError;
use miyu::store::safety::{ReportRefusal, Reported, Withdrawn};

use super::*;
use crate::support::store::pairing_of;

super::for_each_backend! {
    a_report_opens_a_case_with_what_was_said
    reports_on_one_session_are_one_case
    only_the_people_of_a_room_report_in_it
    a_report_that_is_sent_again_is_one
    a_second_report_of_a_side_is_the_first_one
    a_session_has_only_so_many_undecided_reports
    a_withdrawn_report_counts_for_a_day
    a_closed_room_can_be_reported_until_it_is_erased
    own_reports_can_be_seen_and_taken_back
    the_weight_follows_from_how_earlier_reports_were_decided
    a_retort_within_a_minute_is_light
    reporting_before_a_word_was_said_is_light_and_no_shield
    a_muted_reporter_counts_again_when_that_has_ended
    words_that_were_not_heard_were_not_said_to_the_reporter
    one_network_counts_once_and_loses_nothing
    one_network_has_only_so_many_undecided_reports
}

async fn a_report_opens_a_case_with_what_was_said<X: Backend>() {
    let world = World::<X>::new().await;
    let pairing = world.room().await;
    world.say(pairing.room, B, "b", "said").await;
    let draft = ReportDraft {
        note: "rude".into(),
        networks: Some(networks("192.0.2.7")),
        ..draft(&pairing, Reason::Harassment)
    };
    assert_eq!(report(&world, &draft).await, None);
    let case = only_case(&world).await;
    assert_eq!(case.subject, pairing.parties[1].session);
    assert_eq!(
        (case.state, case.reason),
        (CaseState::Open, Reason::Harassment)
    );
    assert_eq!((case.reports, case.priority), (1, Priority(3000)));
    assert_eq!(
        (case.claim, case.closed_at, case.reopened),
        (None, None, false)
    );
    assert_eq!(case.opened_at, world.setting.now.get());
    let file = file(&world, case.id).await;
    assert_eq!(file.case, case);
    assert_eq!(file.rooms, [pairing.room]);
    assert_eq!((file.decisions.len(), file.sanctions.len()), (0, 0));
    let [report] = file.reports.as_slice() else {
        panic!("one report");
    };
    assert_eq!((report.id, report.case), (draft.id, case.id));
    assert_eq!(
        (report.reporter, report.reported),
        (draft.reporter, case.subject)
    );
    assert_eq!((report.room, report.side), (pairing.room, B));
    assert_eq!((report.note.as_str(), report.weight), ("rude", Weight::ONE));
    assert!(report.met && report.stands());
    assert_eq!((report.withdrawn, report.verdict), (None, None));
}

async fn reports_on_one_session_are_one_case<X: Backend>() {
    let world = World::<X>::new().await;
    let (subject, other) = (SessionId::fresh(), SessionId::fresh());
    reported_by_stranger(&world, subject, Reason::Spam).await;
    reported_by_stranger(&world, other, Reason::Sexual).await;
    reported_by_stranger(&world, subject, Reason::Minor).await;
    let queue = queue(&world).await;
    let seen: Vec<_> = queue
        .iter()
        .map(|it| (it.subject, it.reports, it.reason))
        .collect();
    // 2 + 8 halves go before 4.
    let expected = [(subject, 2, Reason::Minor), (other, 1, Reason::Sexual)];
    assert_eq!(seen, expected);
    assert_eq!(queue[0].priority, Priority(10_000));
    let about = world.safety().cases_about(subject).await.unwrap();
    assert_eq!(about, queue[..1]);
}

async fn only_the_people_of_a_room_report_in_it<X: Backend>() {
    let world = World::<X>::new().await;
    let pairing = world.room().await;
    let good = draft(&pairing, Reason::Spam);
    let alone = SessionId::fresh();
    let own = pairing_of(alone, alone);
    world.store().create_room(&own).await.unwrap();
    for (wrong, why) in [
        (
            ReportDraft {
                reporter: SessionId::fresh(),
                ..good.clone()
            },
            ReportRefusal::NotYours,
        ),
        (
            ReportDraft {
                side: B,
                ..good.clone()
            },
            ReportRefusal::NotYours,
        ),
        (
            ReportDraft {
                room: RoomId::fresh(),
                ..good.clone()
            },
            ReportRefusal::NoSuchRoom,
        ),
        (draft(&own, Reason::Spam), ReportRefusal::Own),
    ] {
        let reported = world.safety().report(wrong).await.unwrap();
        assert_eq!(reported, Reported::Refused(why));
    }
    assert_eq!(queue(&world).await, []);
}

async fn a_report_that_is_sent_again_is_one<X: Backend>() {
    let mut world = World::<X>::new().await;
    let draft = draft(&world.room().await, Reason::Spam);
    let first = world.safety().report(draft.clone()).await.unwrap();
    assert_eq!(world.safety().report(draft.clone()).await.unwrap(), first);
    world.crash().await;
    assert_eq!(world.safety().report(draft.clone()).await.unwrap(), first);
    assert_eq!(only_case(&world).await.reports, 1);
    // The same after it was decided; and an id names one report.
    let case = only_case(&world).await;
    done(
        world
            .safety()
            .decide(no_violation(&case, Actor::Local))
            .await,
    );
    assert_eq!(world.safety().report(draft.clone()).await.unwrap(), first);
    assert_eq!(queue(&world).await, []);
    let mut other = super::draft(&world.room().await, Reason::Spam);
    other.id = draft.id;
    let refused = world.safety().report(other).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
}

async fn a_second_report_of_a_side_is_the_first_one<X: Backend>() {
    let world = World::<X>::new().await;
    let pairing = world.room().await;
    let first = draft(&pairing, Reason::Spam);
    report(&world, &first).await;
    let again = draft(&pairing, Reason::Minor);
    let reported = world.safety().report(again.clone()).await.unwrap();
    assert_eq!(reported, Reported::Already(first.id));
    let case = only_case(&world).await;
    assert_eq!((case.reports, case.reason), (1, Reason::Spam));
    // The other way round is another report, and so is one after a decision.
    let back = ReportDraft {
        reporter: pairing.parties[1].session,
        side: B,
        ..draft(&pairing, Reason::Other)
    };
    report(&world, &back).await;
    assert_eq!(queue(&world).await.len(), 2);
    done(
        world
            .safety()
            .decide(no_violation(&case, Actor::Local))
            .await,
    );
    report(&world, &again).await;
    assert_eq!(queue(&world).await.len(), 2);
}

async fn a_session_has_only_so_many_undecided_reports<X: Backend>() {
    let world = World::<X>::new().await;
    let reporter = SessionId::fresh();
    let meet = async || {
        let pairing = pairing_of(reporter, SessionId::fresh());
        world.store().create_room(&pairing).await.unwrap();
        draft(&pairing, Reason::Spam)
    };
    for _ in 0..miyu::domain::safety::report::STANDING {
        report(&world, &meet().await).await;
    }
    let more = meet().await;
    let refused = world.safety().report(more.clone()).await.unwrap();
    assert_eq!(refused, Reported::Refused(ReportRefusal::TooMany));
    let case = queue(&world).await.remove(3);
    done(
        world
            .safety()
            .skip(case.id, Actor::Local, String::new(), None)
            .await,
    );
    report(&world, &more).await;
}

/// Each copies a part of a room, which stays: to report and withdraw in turns would fill the store.
async fn a_withdrawn_report_counts_for_a_day<X: Backend>() {
    let world = World::<X>::new().await;
    let pairing = world.room().await;
    let again = || draft(&pairing, Reason::Spam);
    for _ in 0..miyu::domain::safety::report::STANDING {
        let mine = again();
        report(&world, &mine).await;
        let taken_back = world.safety().withdraw(mine.reporter, mine.id);
        assert_eq!(taken_back.await.unwrap(), Withdrawn::Done);
    }
    let refused = world.safety().report(again()).await.unwrap();
    assert_eq!(refused, Reported::Refused(ReportRefusal::TooMany));
    world.advance(DAY);
    let pairing = pairing_of(again().reporter, SessionId::fresh());
    world.store().create_room(&pairing).await.unwrap();
    report(&world, &draft(&pairing, Reason::Spam)).await;
}

async fn a_closed_room_can_be_reported_until_it_is_erased<X: Backend>() {
    let world = World::<X>::new().await;
    let pairing = world.room().await;
    let left = LeaveReason::Left;
    world
        .store()
        .close_room(pairing.room, B, left)
        .await
        .unwrap();
    report(&world, &draft(&pairing, Reason::Other)).await;
    let pairing = world.room().await;
    erase_room(&world, pairing.room).await;
    let late = world.safety().report(draft(&pairing, Reason::Other)).await;
    assert_eq!(late.unwrap(), Reported::Refused(ReportRefusal::NoSuchRoom));
}

async fn own_reports_can_be_seen_and_taken_back<X: Backend>() {
    let world = World::<X>::new().await;
    let reporter = SessionId::fresh();
    let mut drafts = Vec::new();
    for reason in [Reason::Spam, Reason::Sexual, Reason::Minor] {
        let pairing = pairing_of(reporter, SessionId::fresh());
        world.store().create_room(&pairing).await.unwrap();
        let draft = draft(&pairing, reason);
        report(&world, &draft).await;
        drafts.push(draft);
    }
    let safety = world.safety();
    let states = async || {
        let own = safety.reports_by(reporter).await.unwrap();
        let ids: Vec<_> = own.iter().rev().map(|it| (it.id, it.reason)).collect();
        let made: Vec<_> = drafts.iter().map(|it| (it.id, it.reason)).collect();
        assert_eq!(ids, made);
        own.iter().rev().map(|it| it.state).collect::<Vec<_>>()
    };
    assert_eq!(states().await, [OwnReportState::Open; 3]);
    // Another's report is not theirs to take back.
    let stranger = safety.withdraw(SessionId::fresh(), drafts[0].id).await;
    assert_eq!(stranger.unwrap(), Withdrawn::Unknown);
    let unknown = safety.withdraw(reporter, ReportId::fresh()).await;
    assert_eq!(unknown.unwrap(), Withdrawn::Unknown);
    for _ in 0..2 {
        let withdrawn = safety.withdraw(reporter, drafts[0].id).await.unwrap();
        assert_eq!(withdrawn, Withdrawn::Done);
    }
    // Its case had no other, and is closed; those of the others wait.
    let queue = queue(&world).await;
    assert_eq!(
        queue.iter().map(|it| it.reason).collect::<Vec<_>>(),
        [Reason::Minor, Reason::Sexual]
    );
    assert_eq!(
        safety.closed_cases().await.unwrap()[0].state,
        CaseState::Skipped
    );
    done(safety.decide(violation(&queue[0], Actor::Local, &[])).await);
    done(safety.decide(no_violation(&queue[1], Actor::Local)).await);
    let expected = [
        OwnReportState::Withdrawn,
        OwnReportState::Decided { acted: false },
        OwnReportState::Decided { acted: true },
    ];
    assert_eq!(states().await, expected);
    let late = safety.withdraw(reporter, drafts[1].id).await.unwrap();
    assert_eq!(late, Withdrawn::Decided);
}

async fn the_weight_follows_from_how_earlier_reports_were_decided<X: Backend>() {
    let world = World::<X>::new().await;
    let reporter = SessionId::fresh();
    let next = async || {
        world.advance(MINUTE);
        let pairing = pairing_of(reporter, SessionId::fresh());
        world.store().create_room(&pairing).await.unwrap();
        world.say(pairing.room, B, "b", "said").await;
        report(&world, &draft(&pairing, Reason::Spam)).await;
        let case = only_case(&world).await;
        (case.clone(), file(&world, case.id).await.reports[0].weight)
    };
    let safety = world.safety();
    for _ in 0..4 {
        let (case, weight) = next().await;
        assert_eq!(weight, Weight::ONE);
        done(safety.decide(violation(&case, Actor::Local, &[])).await);
    }
    let known = Accuracy {
        upheld: 4,
        decided: 4,
    };
    assert_eq!(safety.accuracy(reporter, None).await.unwrap(), known);
    let (case, weight) = next().await;
    assert_eq!(weight, Weight(1500));
    assert_eq!(case.priority, Priority(3000));
    // What is skipped says nothing; what is decided now does.
    done(
        safety
            .skip(case.id, Actor::Local, String::new(), None)
            .await,
    );
    assert_eq!(safety.accuracy(reporter, None).await.unwrap(), known);
    for _ in 0..20 {
        let (case, _) = next().await;
        done(safety.decide(no_violation(&case, Actor::Local)).await);
    }
    let last = Accuracy {
        upheld: 0,
        decided: 20,
    };
    assert_eq!(
        safety.accuracy(reporter, None).await.unwrap(),
        last,
        "the last twenty"
    );
    assert_eq!(next().await.1, Weight(250));
}

async fn a_retort_within_a_minute_is_light<X: Backend>() {
    let world = World::<X>::new().await;
    for (after, weight) in [(59 * SECOND, Weight(250)), (61 * SECOND, Weight::ONE)] {
        let pairing = world.room().await;
        for side in Side::BOTH {
            world.say(pairing.room, side, "1", "said").await;
        }
        report(&world, &draft(&pairing, Reason::Spam)).await;
        world.advance(after);
        assert_eq!(answered(&world, &pairing).await, weight);
    }
}

/// The reported side reports the one who did; what that weighs.
async fn answered<X: Backend>(world: &World<X>, pairing: &Pairing) -> Weight {
    let back = ReportDraft {
        reporter: pairing.parties[1].session,
        side: B,
        ..draft(pairing, Reason::Spam)
    };
    report(world, &back).await;
    let about = world.safety().cases_about(pairing.parties[0].session).await;
    let case = about.unwrap()[0].id;
    file(world, case).await.reports[0].weight
}

async fn reporting_before_a_word_was_said_is_light_and_no_shield<X: Backend>() {
    let world = World::<X>::new().await;
    let pairing = world.room().await;
    // The harasser first: the victim has said nothing.
    let first = draft(&pairing, Reason::Spam);
    report(&world, &first).await;
    let case = only_case(&world).await;
    assert_eq!(file(&world, case.id).await.reports[0].weight, Weight::LEAST);
    world.say(pairing.room, A, "a", "something rude").await;
    assert_eq!(answered(&world, &pairing).await, Weight::ONE);
    // Nor is a reporter's who counts for nothing.
    let pairing = world.room().await;
    for side in Side::BOTH {
        world.say(pairing.room, side, "1", "said").await;
    }
    let muted = pairing.parties[0].session;
    let invalid = world
        .safety()
        .invalidate(muted, Some(DAY), None, Actor::Local)
        .await;
    done(invalid);
    report(&world, &draft(&pairing, Reason::Spam)).await;
    assert_eq!(answered(&world, &pairing).await, Weight::ONE);
    // Nor is one that was found to be of bad faith.
    let pairing = world.room().await;
    for side in Side::BOTH {
        world.say(pairing.room, side, "1", "said").await;
    }
    report(&world, &draft(&pairing, Reason::Spam)).await;
    let liar = pairing.parties[0].session;
    let invalid = world.safety().invalidate(liar, None, None, Actor::Local);
    done(invalid.await);
    assert_eq!(answered(&world, &pairing).await, Weight::ONE);
}

async fn a_muted_reporter_counts_again_when_that_has_ended<X: Backend>() {
    let world = World::<X>::new().await;
    for (after, weight) in [(DAY - SECOND, Weight(0)), (DAY, Weight::ONE)] {
        let pairing = world.room().await;
        world.say(pairing.room, B, "b", "said").await;
        let muted = pairing.parties[0].session;
        let safety = world.safety();
        let invalid = safety.invalidate(muted, Some(DAY), None, Actor::Local);
        done(invalid.await);
        world.advance(after);
        report(&world, &draft(&pairing, Reason::Spam)).await;
        assert_eq!(
            weight_about(&world, pairing.parties[1].session).await,
            weight
        );
    }
}

async fn words_that_were_not_heard_were_not_said_to_the_reporter<X: Backend>() {
    let world = World::<X>::new().await;
    for (unheard, weight) in [(true, Weight::LEAST), (false, Weight::ONE)] {
        let pairing = world.room().await;
        let said = miyu::store::Draft {
            unheard,
            ..crate::support::store::draft(pairing.room, B, "b", "said")
        };
        world.store().append(said).await.unwrap();
        report(&world, &draft(&pairing, Reason::Spam)).await;
        assert_eq!(
            weight_about(&world, pairing.parties[1].session).await,
            weight
        );
    }
}

/// What the newest report about this session weighs.
async fn weight_about<X: Backend>(world: &World<X>, subject: SessionId) -> Weight {
    let about = world.safety().cases_about(subject).await.unwrap();
    file(world, about[0].id).await.reports[0].weight
}

async fn one_network_has_only_so_many_undecided_reports<X: Backend>() {
    let world = World::<X>::new().await;
    let subject = SessionId::fresh();
    let of = async |address: &str| {
        let pairing = pairing_of(SessionId::fresh(), subject);
        world.store().create_room(&pairing).await.unwrap();
        let draft = ReportDraft {
            networks: Some(networks(address)),
            ..draft(&pairing, Reason::Spam)
        };
        world.safety().report(draft).await.unwrap()
    };
    for number in 0..miyu::domain::safety::report::NETWORK_STANDING {
        let reported = of(&format!("192.0.2.{number}")).await;
        assert!(matches!(reported, Reported::Done { .. }), "{reported:?}");
    }
    let refused = Reported::Refused(ReportRefusal::TooMany);
    assert_eq!(of("192.0.2.200").await, refused);
    let elsewhere = of("198.51.100.1").await;
    assert!(matches!(elsewhere, Reported::Done { .. }), "{elsewhere:?}");
    let case = only_case(&world).await;
    done(
        world
            .safety()
            .decide(no_violation(&case, Actor::Local))
            .await,
    );
    let after = of("192.0.2.200").await;
    assert!(matches!(after, Reported::Done { .. }), "{after:?}");
}

async fn one_network_counts_once_and_loses_nothing<X: Backend>() {
    let world = World::<X>::new().await;
    let subject = SessionId::fresh();
    let mut drafts = Vec::new();
    for (address, reason) in [
        ("192.0.2.1", Reason::Spam),
        ("192.0.2.200", Reason::Minor),
        ("198.51.100.1", Reason::Spam),
    ] {
        let draft = ReportDraft {
            networks: Some(networks(address)),
            ..draft(&room_with(&world, subject).await, reason)
        };
        report(&world, &draft).await;
        drafts.push(draft);
    }
    let case = only_case(&world).await;
    assert_eq!((case.priority, case.reports), (Priority(8000 + 2000), 3));
    let withdrawn = world
        .safety()
        .withdraw(drafts[1].reporter, drafts[1].id)
        .await;
    assert_eq!(withdrawn.unwrap(), Withdrawn::Done);
    let case = only_case(&world).await;
    assert_eq!((case.priority, case.reason), (Priority(4000), Reason::Spam));
}
