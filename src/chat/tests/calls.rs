//! Sides that can be called: how long the other one is told to wait, and what the client is told.

use super::*;

fn callable(on: bool) -> Frame {
    Frame::Callable { side: Side::B, on }
}

fn told(bench: &mut Bench) -> serde_json::Value {
    let text = bench.frames().pop().expect("something told");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_partner_who_can_be_called_is_waited_for_longer() {
    for (on, grace) in [(true, 3 * GRACE), (false, GRACE)] {
        let mut online = room([1, 2]);
        online.sides[1].connection = Some(address(9));
        let mut bench = Bench::live(online, false);
        bench.frame(&callable(true), Duration::ZERO);
        bench.frame(&callable(on), Duration::ZERO);
        assert!(bench.out.is_empty(), "told while they are here");
        let closed = Frame::Closed {
            side: Side::B,
            connection: address(9),
            away: Some(2),
        };
        bench.frame(&closed, Duration::ZERO);
        bench.timer(SETTLE);
        let left = u64::try_from((grace - SETTLE).as_millis()).unwrap();
        assert_eq!(told(&mut bench)["grace_ends_ms"], left);
    }
}

#[test]
fn a_partner_who_is_being_called_and_has_not_come_is_counted_down() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.frame(&callable(true), Duration::ZERO);
    let status = told(&mut bench);
    let left = u64::try_from((3 * GRACE).as_millis()).unwrap();
    assert_eq!(
        (&status["online"], &status["grace_ends_ms"]),
        (&false.into(), &left.into())
    );
}

#[test]
fn who_asks_to_be_called_is_told_whether_that_is_taken() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.input(r#"{"action":"call_me","subscription":null}"#);
    let jobs = bench.jobs();
    assert!(matches!(
        jobs[..],
        [ChatJob::Subscribe {
            side: Side::A,
            subscription: None
        }]
    ));
    for on in [true, false] {
        bench.outcome(ChatOutcome::Subscribed(on));
        assert_eq!(told(&mut bench)["on"], on);
    }
}
