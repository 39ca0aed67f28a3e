//! Whose connection it is: claimed ids, guessed sides, newer connections, arrivals.

use super::*;

#[test]
fn somebody_elses_user_id_is_refused() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.input(r#"{"action":"find_next","user_id":"bob"}"#);
    assert_eq!(bench.written(), ["error"]);
    bench.input(r#"{"action":"find_next","user_id":"ann"}"#);
    assert!(matches!(
        bench.jobs()[..],
        [Job::Leave {
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
            Job::Publish(Frame::Swapped { .. }),
            Job::Arrive {
                side: Side::B,
                instead_of: Some(Side::A)
            },
            Job::Leave { side: Side::B, .. }
        ]
    ));
}

#[test]
fn the_other_guessed_side_swaps_as_well() {
    let session = SessionId([1; 16]);
    let by = address(2);
    let mut bench = Bench::live(room([1, 1]), true);
    bench.frame(&Frame::Swapped { session, by }, Duration::ZERO);
    assert!(matches!(
        bench.jobs()[..],
        [Job::Arrive {
            side: Side::B,
            instead_of: Some(Side::A)
        }]
    ));
    let mut sure = Bench::live(room([1, 1]), false);
    sure.frame(&Frame::Swapped { session, by }, Duration::ZERO);
    assert!(sure.out.is_empty());
}

#[test]
fn a_replaced_connection_is_silent_until_it_is_the_newest_again() {
    let mut bench = Bench::live(room([1, 2]), false);
    let opened = Frame::Opened {
        side: Side::A,
        connection: address(2),
    };
    bench.frame(&opened, Duration::ZERO);
    assert_eq!(bench.written(), ["replaced"]);
    bench.frame(&live(1), Duration::ZERO);
    assert!(bench.out.is_empty());
    bench.input(r#"{"action":"send_message","message":{"content":"x","client_id":"c"}}"#);
    assert!(matches!(bench.jobs()[..], [Job::Append(_)]));
    let closed = Frame::Closed {
        side: Side::A,
        connection: address(2),
        away: true,
    };
    bench.frame(&closed, Duration::ZERO);
    assert!(matches!(
        bench.jobs()[..],
        [
            Job::Arrive {
                side: Side::A,
                instead_of: None
            },
            Job::Page { after: Seq(0), .. }
        ]
    ));
}

#[test]
fn an_older_connection_that_comes_back_replaces_nobody() {
    let mut bench = Bench::live(room([1, 2]), false);
    let back = Frame::Opened {
        side: Side::A,
        connection: address(0),
    };
    bench.frame(&back, Duration::ZERO);
    assert!(bench.out.is_empty());
    // The store believed that one last: without it the side would be away.
    let closed = |away| Frame::Closed {
        side: Side::A,
        connection: address(0),
        away,
    };
    bench.frame(&closed(false), Duration::ZERO);
    assert!(bench.out.is_empty());
    bench.frame(&closed(true), Duration::ZERO);
    let arrives = Job::Arrive {
        side: Side::A,
        instead_of: None,
    };
    assert_eq!(format!("{:?}", bench.jobs()), format!("{:?}", [arrives]));
}

#[test]
fn one_replaced_connection_too_many_is_closed() {
    let mut bench = Bench::live(room([1, 2]), false);
    for number in 2..=4 {
        let opened = Frame::Opened {
            side: Side::A,
            connection: address(number),
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
    bench.outcome(Outcome::NotArrived);
    bench.timer(stream::RETRY);
    assert!(matches!(bench.jobs()[..], [Job::Arrive { .. }]));
}
