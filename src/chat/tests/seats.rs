//! Whose connection it is: claimed ids, guessed sides, newer connections, arrivals.

use super::*;
use crate::domain::Presence;

#[test]
fn somebody_elses_user_id_is_refused() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.input(r#"{"action":"find_next","user_id":"bob"}"#);
    assert_eq!(bench.written(), ["error"]);
    bench.input(r#"{"action":"find_next","user_id":"ann"}"#);
    assert!(matches!(
        bench.jobs()[..],
        [ChatJob::Leave {
            side: Side::A,
            block: None
        }]
    ));
}

#[test]
fn a_guessed_side_is_corrected_by_the_first_user_id() {
    let mut bench = Bench::live(room([1, 1]), true);
    bench.input(r#"{"action":"find_next","user_id":"bob"}"#);
    assert!(matches!(
        bench.jobs()[..],
        [
            ChatJob::Publish(Frame::Swapped { .. }),
            ChatJob::Arrive {
                side: Side::B,
                instead_of: Some(Side::A)
            },
            ChatJob::Leave { side: Side::B, .. }
        ]
    ));
}

#[test]
fn the_other_guessed_side_swaps_as_well() {
    let session = SessionId([1; 16]);
    let by = address(2);
    let mut bench = Bench::live(room([1, 1]), true);
    bench.frame(
        &Frame::Swapped {
            session,
            by,
            to: Side::A,
        },
        Duration::ZERO,
    );
    assert!(matches!(
        bench.jobs()[..],
        [ChatJob::Arrive {
            side: Side::B,
            instead_of: Some(Side::A)
        }]
    ));
    let mut sure = Bench::live(room([1, 1]), false);
    sure.frame(
        &Frame::Swapped {
            session,
            by,
            to: Side::A,
        },
        Duration::ZERO,
    );
    assert!(sure.out.is_empty());
}

#[test]
fn a_replaced_connection_is_silent_until_it_is_the_newest_again() {
    let mut bench = Bench::live(room([1, 2]), false);
    let opened = Frame::Opened {
        side: Side::A,
        connection: address(2),
        version: 2,
    };
    bench.frame(&opened, Duration::ZERO);
    assert_eq!(bench.written(), ["replaced"]);
    bench.frame(&live(1), Duration::ZERO);
    assert!(bench.out.is_empty());
    bench.input(r#"{"action":"send_message","message":{"content":"x","client_id":"c"}}"#);
    assert!(matches!(bench.jobs()[..], [ChatJob::Append(_)]));
    let closed = Frame::Closed {
        side: Side::A,
        connection: address(2),
        away: Some(3),
    };
    bench.frame(&closed, Duration::ZERO);
    assert!(matches!(
        bench.jobs()[..],
        [
            ChatJob::Page { after: Seq(0), .. },
            ChatJob::Arrive {
                side: Side::A,
                instead_of: None
            },
        ]
    ));
}

#[test]
fn an_older_connection_that_is_heard_of_late_replaces_nobody() {
    let mut older = room([1, 2]);
    older.sides[0].version = 5;
    let mut bench = Bench::live(older, false);
    let late = Frame::Opened {
        side: Side::A,
        connection: address(7),
        version: 4,
    };
    bench.frame(&late, Duration::ZERO);
    assert!(bench.out.is_empty());
    // The store believed that one last: without it the side would be away.
    let closed = |away| Frame::Closed {
        side: Side::A,
        connection: address(7),
        away,
    };
    bench.frame(&closed(None), Duration::ZERO);
    assert!(bench.out.is_empty());
    bench.frame(&closed(Some(6)), Duration::ZERO);
    let arrives = ChatJob::Arrive {
        side: Side::A,
        instead_of: None,
    };
    assert_eq!(format!("{:?}", bench.jobs()), format!("{:?}", [arrives]));
}

#[test]
fn of_two_that_think_the_other_newer_the_later_arrival_speaks() {
    let mut bench = Bench::live(room([1, 2]), false);
    let other = Frame::Opened {
        side: Side::A,
        connection: address(2),
        version: 2,
    };
    bench.frame(&other, Duration::ZERO);
    bench.out.clear();
    let speaks = |number, version| {
        let speaker = Some(address(number));
        ChatOutcome::Arrived(Side::A, Presence { speaker, version })
    };
    bench.outcome(speaks(1, 3));
    assert!(matches!(bench.jobs()[..], [ChatJob::Page { .. }]));
    bench.frame(&other, Duration::ZERO);
    assert!(bench.out.is_empty());
    // It asked to come back, but a newer connection was there already.
    bench.outcome(speaks(3, 4));
    bench.frame(&live(1), Duration::ZERO);
    assert!(bench.out.is_empty());
}

#[test]
fn one_replaced_connection_too_many_is_closed() {
    let mut bench = Bench::live(room([1, 2]), false);
    for number in 2..=4 {
        let opened = Frame::Opened {
            side: Side::A,
            connection: address(number),
            version: number,
        };
        bench.frame(&opened, Duration::ZERO);
    }
    let last = bench.out.pop();
    assert!(matches!(last, Some(Action::Close(CloseReason::Replaced))));
    assert_eq!(bench.written(), ["replaced"]);
}

#[test]
fn an_arrival_that_was_not_written_is_written_later() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.outcome(ChatOutcome::NotArrived(None));
    bench.timer(stream::RETRY);
    assert!(matches!(bench.jobs()[..], [ChatJob::Arrive { .. }]));
}
