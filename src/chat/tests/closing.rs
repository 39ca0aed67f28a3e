//! The end that comes by itself: told once, told again when it moves, told at the latest by the
//! connection's own timer.

use super::*;

const NOTICE: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn closing(at: Duration) -> Room {
    Room {
        closes_at: Some(Timestamp(0).plus(at)),
        ..room([1, 2])
    }
}

fn frame(at: Duration) -> Frame {
    let at = Timestamp(0).plus(at);
    Frame::Closing { at }
}

#[test]
fn it_is_told_once_however_often_it_is_heard() {
    let mut bench = Bench::live(closing(DAY), false);
    for _ in 0..2 {
        bench.frame(&frame(DAY), DAY - NOTICE);
    }
    assert_eq!(bench.written(), ["room_closing"]);
    bench.timer(DAY - NOTICE / 2);
    assert!(bench.written().is_empty());
    // The clock has jumped, and the store gave more time.
    bench.frame(&frame(DAY + NOTICE), DAY);
    assert_eq!(bench.written(), ["room_closing"]);
}

#[test]
fn a_frame_that_was_lost_is_made_up_for_by_the_connections_own_timer() {
    let mut bench = Bench::live(closing(DAY), false);
    let due = bench.start + DAY - NOTICE / 2;
    assert_eq!(bench.chat.deadline(), Some(due));
    bench.timer(DAY - NOTICE / 2 - Duration::from_millis(1));
    assert!(bench.written().is_empty());
    bench.timer(DAY - NOTICE / 2);
    assert_eq!(bench.written(), ["room_closing"]);
    assert_eq!(bench.chat.deadline(), None);
}

#[test]
fn who_comes_when_it_is_near_is_told_at_once() {
    let mut bench = Bench::open(closing(NOTICE / 2), false);
    assert_eq!(bench.written(), ["room_state", "room_closing"]);
    let mut bench = Bench::open(closing(NOTICE * 2), false);
    assert_eq!(bench.written(), ["room_state"]);
}

#[test]
fn who_missed_frames_learns_it_with_the_room() {
    let mut bench = Bench::live(closing(DAY), false);
    let now = bench.now(Duration::ZERO);
    bench.chat.on_lagged(now, &mut bench.out);
    bench.out.clear();
    bench.paged_with(arrived(closing(NOTICE / 4)), &[]);
    assert_eq!(bench.written(), ["room_closing"]);
}

#[test]
fn a_room_that_has_closed_says_nothing_of_it() {
    let mut bench = Bench::live(closing(DAY), false);
    let (_, departure) = closed_at(1);
    let closed = Frame::Entry {
        seq: Seq(1),
        by: Side::B,
        role: EntryRole::End,
        texts: texts(&departure),
    };
    bench.frame(&closed, Duration::ZERO);
    bench.out.clear();
    bench.frame(&frame(DAY), DAY - NOTICE);
    bench.timer(DAY);
    assert!(bench.written().is_empty());
}
