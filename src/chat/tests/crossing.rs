//! What crosses on its way: frames that are late, reads that are old by the time they are answered.

use super::*;
use crate::domain::{Position, Presence};

fn opened(side: Side, number: u64, version: u64) -> Frame {
    Frame::Opened {
        side,
        connection: address(number),
        version,
    }
}

fn closed(side: Side, number: u64, version: u64) -> Frame {
    Frame::Closed {
        side,
        connection: address(number),
        away: Some(version),
    }
}

const Z: Duration = Duration::ZERO;

fn asks_for_the_room(bench: &mut Bench) {
    let jobs = bench.jobs();
    let asked = |job: &ChatJob| {
        matches!(
            job,
            ChatJob::Page {
                with_room: true,
                ..
            }
        )
    };
    assert!(jobs.len() == 1 && jobs.iter().all(asked), "{jobs:?}");
}

#[test]
fn the_oldest_of_three_lets_the_middle_one_go_first() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.frame(&opened(Side::A, 2, 2), Z);
    bench.frame(&opened(Side::A, 3, 3), Z);
    bench.out.clear();
    bench.frame(&closed(Side::A, 3, 4), Z);
    assert!(bench.jobs().is_empty(), "the middle one is there");
}

#[test]
fn who_comes_back_while_a_page_is_on_its_way_is_told_the_room_as_well() {
    let mut bench = Bench::open(room([1, 2]), false);
    bench.out.clear();
    bench.frame(&opened(Side::A, 2, 2), Z);
    bench.frame(&closed(Side::A, 2, 3), Z);
    bench.out.clear();
    bench.paged(&[], 0);
    asks_for_the_room(&mut bench);
}

#[test]
fn signals_lost_while_a_page_is_on_its_way_are_looked_for_after_it() {
    let mut bench = Bench::open(room([1, 2]), false);
    bench.out.clear();
    let now = bench.now(Z);
    bench.chat.on_lagged(now, &mut bench.out);
    bench.paged(&[], 0);
    asks_for_the_room(&mut bench);
}

#[test]
fn a_room_read_before_the_partner_left_does_not_bring_them_back() {
    let mut both = room([1, 2]);
    both.sides[1].connection = Some(address(9));
    both.sides[1].version = 1;
    let mut bench = Bench::live(both.clone(), false);
    bench.frame(&opened(Side::A, 2, 2), Z);
    bench.frame(&closed(Side::A, 2, 3), Z);
    // The room as read now.
    let mut read = both;
    read.sides[0].connection = Some(address(1));
    read.sides[0].version = 4;
    bench.frame(&closed(Side::B, 9, 2), Z);
    bench.out.clear();
    bench.paged_with(read, &[]);
    assert_eq!(bench.written(), ["room_state"]);
    bench.timer(SETTLE);
    assert_eq!(bench.written(), ["partner_status"]);
}

#[test]
fn only_who_sits_where_the_other_goes_swaps() {
    // This one rightly sits on A, replaced there by 3, which goes to B.
    let mut bench = Bench::live(room([1, 1]), true);
    bench.frame(&opened(Side::A, 3, 2), Z);
    bench.out.clear();
    let session = SessionId([1; 16]);
    bench.frame(
        &Frame::Swapped {
            session,
            by: address(3),
            to: Side::B,
        },
        Z,
    );
    bench.out.clear();
    bench.input(
        r#"{"action":"send_message","user_id":"ann","message":{"content":"x","client_id":"c"}}"#,
    );
    let jobs = bench.jobs();
    assert!(
        matches!(&jobs[..], [ChatJob::Append(d)] if d.side == Side::A),
        "{jobs:?}"
    );
}

#[test]
fn a_room_read_before_its_end_does_not_open_it_again() {
    let mut bench = Bench::live(room([1, 2]), false);
    let now = bench.now(Z);
    bench.chat.on_lagged(now, &mut bench.out);
    let mut read = arrived(room([1, 2]));
    read.sides[1].connection = Some(address(9));
    read.sides[1].version = 1;
    bench.frame(
        &Frame::Entry {
            seq: Seq(1),
            by: Side::B,
            role: EntryRole::End,
            texts: texts(&message(1)),
        },
        Z,
    );
    bench.paged_with(read, &[]);
    bench.out.clear();
    bench.frame(&closed(Side::B, 9, 2), Z);
    bench.timer(SETTLE);
    assert!(bench.written().is_empty());
}

#[test]
fn who_was_replaced_in_a_room_that_ended_unheard_is_told_the_end() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.frame(&opened(Side::A, 2, 2), Z);
    let now = bench.now(Z);
    bench.chat.on_lagged(now, &mut bench.out);
    bench.out.clear();
    let (closed, departure) = closed_at(1);
    let mut closed = closed;
    closed.sides[0].version = 3;
    bench.paged_with(closed, &[departure]);
    assert!(!bench.out.is_empty());
}

#[test]
fn reading_on_a_guessed_side_is_not_reading_on_the_other() {
    let mut both = room([1, 1]);
    both.last_seq = Seq(5);
    both.sides[0].read = Seq(5);
    let mut bench = Bench::open_as(both, true, Some(Seq(5)));
    bench.input(r#"{"action":"typing","is_typing":true,"user_id":"bob"}"#);
    let Some(ChatJob::Depart {
        side: Side::B,
        read_state,
        ..
    }) = bench.chat.farewell()
    else {
        panic!()
    };
    assert_eq!(read_state.read, Seq::ZERO);
}

#[test]
fn a_guessed_side_misses_nothing_of_the_other() {
    let mut both = room([1, 1]);
    both.last_seq = Seq(10);
    both.sides[0].cursor = Seq(10);
    both.sides[1].cursor = Seq(3);
    let mut bench = Bench::open_as(both, true, None);
    let jobs = bench.jobs();
    assert!(
        matches!(jobs[..], [ChatJob::Page { after: Seq(3), .. }]),
        "{jobs:?}"
    );
}

#[test]
fn who_was_replaced_still_writes_down_that_it_is_there() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.outcome(ChatOutcome::NotArrived(Some(Side::B)));
    bench.frame(&opened(Side::A, 2, 2), Z);
    bench.out.clear();
    bench.timer(stream::RETRY);
    assert!(matches!(bench.jobs()[..], [ChatJob::Arrive { .. }]));
}

#[test]
fn ones_own_arrival_heard_late_still_says_who_came_before() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.frame(&opened(Side::A, 3, 6), Z);
    let speaker = Some(address(1));
    bench.outcome(ChatOutcome::Arrived(
        Side::A,
        Presence {
            speaker,
            version: 5,
        },
    ));
    bench.frame(&opened(Side::A, 2, 3), Z);
    assert_eq!(bench.chat.ownership.newer().len(), 1);
}

#[test]
fn a_replaced_connection_looks_once_more_after_the_page() {
    let mut bench = Bench::open(room([1, 2]), false);
    bench.frame(&opened(Side::A, 2, 2), Z);
    let now = bench.now(Z);
    bench.chat.on_lagged(now, &mut bench.out);
    bench.out.clear();
    bench.paged(&[], 0);
    asks_for_the_room(&mut bench);
    bench.paged(&[], 0);
    assert!(bench.out.is_empty());
}

#[test]
fn a_guessed_side_whose_swap_was_not_heard_finds_the_other_free() {
    let mut bench = Bench::live(room([1, 1]), true);
    bench.frame(&opened(Side::A, 3, 2), Z);
    bench.out.clear();
    let presence =
        [(Some(address(3)), 2), (None, 1)].map(|(speaker, version)| Presence { speaker, version });
    let position = Position {
        room: RoomId::fresh(),
        last_seq: Seq::ZERO,
        presence,
    };
    bench.frame(&Frame::Position(position), Z);
    let jobs = bench.jobs();
    assert!(
        matches!(
            jobs[..],
            [ChatJob::Arrive {
                side: Side::B,
                instead_of: Some(Side::A)
            }]
        ),
        "{jobs:?}"
    );
}
