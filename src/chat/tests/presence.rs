//! The two people as they see each other: absence, typing, reading.

use super::*;
use crate::domain::{Position, Presence};

#[test]
fn an_absence_is_told_after_it_settled() {
    let mut online = room([1, 2]);
    online.sides[1].connection = Some(address(9));
    let mut bench = Bench::live(online, false);
    let closed = Frame::Closed {
        side: Side::B,
        connection: address(9),
        away: Some(2),
    };
    bench.frame(&closed, Duration::ZERO);
    assert!(bench.out.is_empty());
    bench.timer(SETTLE);
    let Some(Action::Write(text)) = bench.out.pop() else {
        panic!("nothing told")
    };
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["action"], "partner_status");
    assert_eq!(json["grace_ends_ms"], 298_000);
    let opened = Frame::Opened {
        side: Side::B,
        connection: address(10),
        version: 3,
    };
    bench.frame(&opened, SETTLE);
    assert_eq!(bench.written(), ["partner_status"]);
}

#[test]
fn nobody_is_watched_in_a_closed_room() {
    let (closed, departure) = closed_at(1);
    let mut bench = Bench::open(closed, false);
    bench.paged(&[departure], 1);
    bench.out.clear();
    let (side, connection) = (Side::B, address(9));
    let version = 2;
    bench.frame(
        &Frame::Opened {
            side,
            connection,
            version,
        },
        Duration::ZERO,
    );
    let seq = Seq(1);
    bench.frame(&Frame::Read { side, seq }, Duration::ZERO);
    let away = Some(3);
    bench.frame(
        &Frame::Closed {
            side,
            connection,
            away,
        },
        Duration::ZERO,
    );
    bench.timer(SETTLE);
    assert!(bench.out.is_empty());
}

#[test]
fn typing_expires_and_ends_with_a_message() {
    let mut bench = Bench::live(room([1, 2]), false);
    let typing = Frame::Typing {
        side: Side::B,
        is_typing: true,
    };
    bench.frame(&typing, Duration::ZERO);
    assert_eq!(bench.written(), ["partner_typing"]);
    bench.timer(Duration::from_secs(6));
    assert_eq!(bench.written(), ["partner_typing"]);
    bench.frame(&typing, Duration::from_secs(7));
    bench.frame(&live(1), Duration::from_secs(8));
    assert_eq!(
        bench.written(),
        ["partner_typing", "partner_typing", "new_message"]
    );
}

#[test]
fn typing_again_and_again_is_no_way_to_speak() {
    let mut bench = Bench::live(room([1, 2]), false);
    let mut passed = Vec::new();
    for _ in 0..10 {
        for (is_typing, frame) in [
            (true, r#"{"action":"typing","is_typing":true}"#),
            (false, r#"{"action":"typing","is_typing":false}"#),
        ] {
            bench.input(frame);
            passed.extend(vec![is_typing; bench.jobs().len()]);
        }
    }
    assert_eq!(passed.iter().filter(|it| **it).count(), 1, "{passed:?}");
    assert!(!passed.ends_with(&[true]), "its end is passed on");
}

#[test]
fn that_one_is_about_to_leave_is_told_to_the_partner_unless_their_client_is_of_the_original() {
    let leaving = Frame::Leaving {
        side: Side::B,
        is_leaving: true,
    };
    for (after, told) in [(Some(Seq::ZERO), 1), (None, 0)] {
        let mut bench = Bench::open_after(room([1, 2]), after);
        bench.paged(&[], 0);
        bench.out.clear();
        bench.frame(&leaving, Duration::ZERO);
        assert_eq!(bench.written(), vec!["partner_leaving"; told]);
        let own = Frame::Leaving {
            side: Side::A,
            is_leaving: true,
        };
        bench.frame(&own, Duration::ZERO);
        assert!(bench.written().is_empty());
    }
    let mut bench = Bench::live(room([1, 2]), false);
    bench.input(r#"{"action":"leaving","is_leaving":true}"#);
    assert!(matches!(
        bench.jobs()[..],
        [ChatJob::Publish(Frame::Leaving {
            side: Side::A,
            is_leaving: true
        })]
    ));
}

#[test]
fn own_typing_is_passed_on_sparingly() {
    let mut bench = Bench::live(room([1, 2]), false);
    let typing = r#"{"action":"typing","is_typing":true}"#;
    bench.input(typing);
    bench.input(typing);
    assert_eq!(bench.jobs().len(), 1);
    bench.input(r#"{"action":"typing","is_typing":false}"#);
    bench.input(r#"{"action":"typing","is_typing":false}"#);
    assert_eq!(bench.jobs().len(), 1);
}

#[test]
fn reading_ahead_of_the_log_counts_as_reading_all_of_it() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.frame(&live(1), Duration::ZERO);
    bench.out.clear();
    bench.input(r#"{"action":"read","seq":999}"#);
    assert!(matches!(
        bench.jobs()[..],
        [
            ChatJob::SaveReadState { .. },
            ChatJob::Publish(Frame::Read { seq: Seq(1), .. })
        ]
    ));
    bench.input(r#"{"action":"read","seq":1}"#);
    assert!(bench.out.is_empty());
}

fn heard(bench: &mut Bench, frame: &Frame) -> Vec<String> {
    bench.frame(frame, Duration::ZERO);
    bench.timer(SETTLE);
    bench.written()
}

#[test]
fn a_departure_that_is_heard_after_a_later_arrival_counts_for_nothing() {
    let mut online = room([1, 2]);
    online.sides[1].connection = Some(address(9));
    online.sides[1].version = 4;
    let mut bench = Bench::live(online, false);
    let (side, connection) = (Side::B, address(10));
    let opened = Frame::Opened {
        side,
        connection,
        version: 6,
    };
    assert!(heard(&mut bench, &opened).is_empty());
    let closed = |version| Frame::Closed {
        side,
        connection: address(9),
        away: Some(version),
    };
    assert!(heard(&mut bench, &closed(5)).is_empty());
    assert_eq!(heard(&mut bench, &closed(7)), ["partner_status"]);
}

fn position(last: u64, own: (Option<Address>, u64), partner: (Option<Address>, u64)) -> Frame {
    let presence = [own, partner].map(|(speaker, version)| Presence { speaker, version });
    Frame::Position(Position {
        room: RoomId::fresh(),
        last_seq: Seq(last),
        presence,
    })
}

#[test]
fn a_position_tells_of_a_partner_whose_coming_and_going_was_not_heard() {
    let mut online = room([1, 2]);
    online.sides[1].connection = Some(address(9));
    online.sides[1].version = 1;
    let mut bench = Bench::live(online, false);
    let own = (Some(address(1)), 1);
    assert!(heard(&mut bench, &position(0, own, (Some(address(9)), 1))).is_empty());
    assert_eq!(
        heard(&mut bench, &position(0, own, (None, 1))),
        ["partner_status"]
    );
    let back = position(0, own, (Some(address(10)), 2));
    assert_eq!(heard(&mut bench, &back), ["partner_status"]);
    // Read before that, heard after it.
    assert!(heard(&mut bench, &position(0, own, (None, 1))).is_empty());
}

#[test]
fn an_entry_that_only_the_store_knows_of_is_read_after_a_moment() {
    let mut bench = Bench::live(room([1, 2]), false);
    let own = (Some(address(1)), 1);
    bench.frame(&position(1, own, (None, 0)), Duration::ZERO);
    assert!(bench.out.is_empty());
    bench.frame(&live(1), Duration::ZERO);
    bench.out.clear();
    bench.timer(Duration::from_millis(50));
    assert!(bench.out.is_empty());
    bench.frame(&position(2, own, (None, 0)), Duration::ZERO);
    bench.timer(Duration::from_millis(50));
    assert!(matches!(
        bench.jobs()[..],
        [ChatJob::Page { after: Seq(1), .. }]
    ));
}

#[test]
fn a_connection_that_the_store_takes_for_gone_arrives_again() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.frame(&position(0, (None, 1), (None, 0)), Duration::ZERO);
    assert!(matches!(bench.jobs()[..], [ChatJob::Arrive { .. }]));
    // Read before it arrived.
    bench.frame(&position(0, (None, 0), (None, 0)), Duration::ZERO);
    assert!(bench.out.is_empty());
}

#[test]
fn a_newer_connection_that_was_not_heard_of_replaces_this_one_until_it_is_gone() {
    let mut bench = Bench::live(room([1, 2]), false);
    let newer = (Some(address(5)), 2);
    bench.frame(&position(0, newer, (None, 0)), Duration::ZERO);
    assert_eq!(bench.written(), ["replaced"]);
    bench.frame(&position(0, newer, (None, 0)), Duration::ZERO);
    assert!(bench.out.is_empty());
    bench.frame(&position(0, (None, 3), (None, 0)), Duration::ZERO);
    assert!(matches!(
        bench.jobs()[..],
        [ChatJob::Page { .. }, ChatJob::Arrive { .. }]
    ));
}

#[test]
fn a_version_far_ahead_silences_nobody() {
    let mut bench = Bench::live(room([1, 2]), false);
    for version in [u64::MAX, 1 << 40, 5_000] {
        for side in Side::BOTH {
            let connection = address(66);
            let opened = Frame::Opened {
                side,
                connection,
                version,
            };
            let closed = Frame::Closed {
                side,
                connection,
                away: Some(version),
            };
            assert!(heard(&mut bench, &opened).is_empty(), "{version} {side:?}");
            assert!(heard(&mut bench, &closed).is_empty(), "{version} {side:?}");
        }
    }
    let truth = Frame::Opened {
        side: Side::B,
        connection: address(9),
        version: 3,
    };
    assert_eq!(heard(&mut bench, &truth), ["partner_status"]);
}
