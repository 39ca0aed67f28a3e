//! The two people as they see each other: absence, typing, reading.

use super::*;

#[test]
fn an_absence_is_told_after_it_settled() {
    let mut online = room([1, 2]);
    online.sides[1].connection = Some(address(9));
    let mut bench = Bench::live(online, false);
    let closed = Frame::Closed {
        side: Side::B,
        connection: address(9),
        away: true,
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
    bench.frame(&Frame::Opened { side, connection }, Duration::ZERO);
    let seq = Seq(1);
    bench.frame(&Frame::Read { side, seq }, Duration::ZERO);
    let away = true;
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
            Job::Mark { .. },
            Job::Publish(Frame::Read { seq: Seq(1), .. })
        ]
    ));
    bench.input(r#"{"action":"read","seq":1}"#);
    assert!(bench.out.is_empty());
}
