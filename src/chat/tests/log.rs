//! The ordered stream of entries: opening, holes, the end, what was written.

use super::*;
use crate::domain::{Position, Reaction};

#[test]
fn opening_tells_the_state_then_reads_the_log() {
    let mut bench = Bench::open(room([1, 2]), false);
    assert!(matches!(
        &bench.out[..],
        [
            Action::Write(_),
            Action::Background(ChatJob::Page { after: Seq(0), .. })
        ]
    ));
    assert_eq!(bench.written(), ["room_state"]);
    bench.paged(&[message(1), message(2)], 2);
    assert_eq!(bench.written(), ["new_message", "new_message"]);
    bench.frame(&live(2), Duration::ZERO);
    assert_eq!(bench.written(), Vec::<String>::new());
    bench.frame(&live(3), Duration::ZERO);
    assert_eq!(bench.written(), ["new_message"]);
}

#[test]
fn a_history_comes_in_few_frames_to_who_takes_them() {
    let all: Vec<Entry> = (1..=500).map(message).collect();
    let one_by_one: Vec<serde_json::Value> = {
        let mut bench = Bench::open(room([1, 2]), false);
        bench.frames();
        bench.paged(&all, 500);
        let texts = bench.frames();
        texts
            .iter()
            .map(|it| serde_json::from_str(it).unwrap())
            .collect()
    };
    let mut bench = Bench::open_told(room([1, 2]), false, Some(Seq::ZERO), true);
    assert_eq!(bench.written(), ["room_state"]);
    bench.paged(&all, 500);
    let frames = bench.frames();
    assert!((2..20).contains(&frames.len()), "{} frames", frames.len());
    let mut told = vec![];
    for text in &frames {
        assert!(text.len() < 20_000, "{} bytes", text.len());
        let mut frame: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(frame["action"], "entries");
        told.append(frame["entries"].as_array_mut().unwrap());
    }
    assert_eq!(told, one_by_one);
    bench.frame(&live(501), Duration::ZERO);
    assert_eq!(
        bench.written(),
        ["new_message"],
        "what is said now comes by itself"
    );
}

#[test]
fn a_closed_room_always_tells_its_end_once() {
    let (closed, departure) = closed_at(3);
    let mut bench = Bench::open(closed.clone(), false);
    bench.written();
    bench.paged(&[message(1), departure], 3);
    assert_eq!(bench.written(), ["new_message", "user_left"]);

    let mut bench = Bench::open(closed, false);
    bench.written();
    bench.paged(&[], 3);
    assert_eq!(bench.written(), ["user_left"]);
}

#[test]
fn a_hole_is_read_after_a_short_wait() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.frame(&live(2), Duration::ZERO);
    assert!(bench.out.is_empty());
    let wait = bench.chat.deadline().unwrap() - bench.start;
    bench.timer(wait);
    assert!(matches!(
        bench.jobs()[..],
        [ChatJob::Page {
            after: Seq(0),
            cause: "hole",
            ..
        }]
    ));
}

#[test]
fn a_store_that_does_not_answer_is_asked_again() {
    let mut bench = Bench::open(room([1, 2]), false);
    bench.out.clear();
    let error = StoreError::Unavailable("test".into());
    bench.outcome(ChatOutcome::Paged(Err(error), None));
    assert!(bench.out.is_empty());
    bench.timer(stream::RETRY);
    assert!(matches!(bench.jobs()[..], [ChatJob::Page { .. }]));
}

#[test]
fn the_cursor_is_what_reached_the_socket() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.frame(&live(1), Duration::ZERO);
    bench.chat.on_flushed();
    bench.frame(&live(2), Duration::ZERO);
    let Some(ChatJob::Depart { read_state, .. }) = bench.chat.farewell() else {
        panic!("no departure")
    };
    assert_eq!(read_state.cursor, Seq(1));
}

#[test]
fn clients_of_the_original_are_not_shown_recalled_messages() {
    let mut recalled = message(1);
    let EntryKind::Message { content, .. } = &mut recalled.kind else {
        panic!("a message")
    };
    *content = None;
    for (after, told) in [(None, 1), (Some(Seq::ZERO), 2)] {
        let mut bench = Bench::open_after(room([1, 2]), after);
        bench.out.clear();
        bench.paged(&[recalled.clone(), message(2)], 2);
        assert_eq!(bench.written().len(), told);
    }
}

#[test]
fn a_room_that_is_gone_lets_its_client_go() {
    let mut bench = Bench::open(room([1, 2]), false);
    bench.out.clear();
    bench.outcome(ChatOutcome::Paged(Ok(None), None));
    let last = bench.out.pop();
    assert!(matches!(last, Some(Action::Close(CloseReason::RoomGone))));
    assert_eq!(bench.written(), ["user_left"]);
}

/// Where the room stands, as the store says.
fn position(last_seq: u64) -> Frame {
    let room = arrived(room([1, 2]));
    Frame::Position(Position {
        room: room.id,
        last_seq: Seq(last_seq),
        presence: Side::BOTH.map(|side| room.side(side).presence()),
    })
}

/// A connection that has been sent three messages.
fn with_three(after: Option<Seq>) -> Bench {
    let mut bench = Bench::open_after(room([1, 2]), after);
    bench.paged(&[message(1), message(2), message(3)], 3);
    bench.out.clear();
    bench
}

#[test]
fn a_log_that_loses_its_end_under_an_open_connection_is_told_anew() {
    let mut bench = with_three(Some(Seq::ZERO));
    bench.frame(&position(1), Duration::ZERO);
    assert!(matches!(
        bench.jobs()[..],
        [ChatJob::Page { after: Seq(3), .. }]
    ));
    bench.paged(&[], 1);
    let asked = bench.jobs();
    assert!(
        matches!(
            asked[..],
            [ChatJob::Page {
                after: Seq(0),
                with_room: true,
                ..
            }]
        ),
        "{asked:?}"
    );
    let cut = Room {
        last_seq: Seq(1),
        ..arrived(room([1, 2]))
    };
    bench.paged_with(cut, &[message(1)]);
    let told = bench.frames();
    assert!(told[0].contains(r#""anew":true"#), "{told:?}");
    assert!(told[1].contains("new_message"), "{told:?}");
    bench.frame(&live(2), Duration::ZERO);
    assert_eq!(bench.written(), ["new_message"], "another second one");
}

#[test]
fn a_position_from_before_the_last_entry_is_none_of_a_log_that_was_cut() {
    let mut bench = with_three(Some(Seq::ZERO));
    bench.frame(&position(2), Duration::ZERO);
    bench.out.clear();
    bench.paged(&[], 3);
    assert!(bench.out.is_empty());
}

#[test]
fn a_client_of_the_original_goes_on_from_a_log_that_was_cut() {
    let mut bench = with_three(None);
    bench.frame(&position(1), Duration::ZERO);
    bench.out.clear();
    bench.paged(&[], 1);
    assert!(bench.out.is_empty());
    bench.frame(&live(2), Duration::ZERO);
    assert_eq!(bench.written(), ["new_message"]);
}

/// Bob's reaction to the first message.
fn reaction(seq: u64) -> Entry {
    Entry {
        seq: Seq(seq),
        at: Timestamp(0),
        kind: EntryKind::Reaction {
            side: Side::B,
            target: Seq(1),
            reaction: Some(Reaction::Heart),
        },
    }
}

fn live_reaction(seq: u64) -> Frame {
    Frame::Entry {
        seq: Seq(seq),
        by: Side::B,
        role: EntryRole::Reaction,
        texts: texts(&reaction(seq)),
    }
}

#[test]
fn clients_of_the_original_are_told_no_reactions_and_miss_nothing_else() {
    for (after, told) in [(None, 0), (Some(Seq::ZERO), 1)] {
        let mut bench = Bench::open_after(room([1, 2]), after);
        bench.out.clear();
        bench.paged(&[message(1), reaction(2), message(3)], 3);
        assert_eq!(bench.written().len(), 2 + told);
        bench.frame(&live_reaction(4), Duration::ZERO);
        assert_eq!(bench.written().len(), told);
        // Out of order, too: it keeps its place.
        bench.frame(&live(6), Duration::ZERO);
        assert!(bench.written().is_empty());
        bench.frame(&live_reaction(5), Duration::ZERO);
        assert_eq!(bench.written().len(), 1 + told);
        bench.frame(&live_reaction(8), Duration::ZERO);
        bench.frame(&live(7), Duration::ZERO);
        assert_eq!(bench.written().len(), 1 + told);
        bench.frame(&live(9), Duration::ZERO);
        assert_eq!(bench.written(), ["new_message"]);
    }
}

#[test]
fn a_reaction_does_not_end_typing() {
    let mut bench = Bench::live(room([1, 2]), false);
    let typing = Frame::Typing {
        side: Side::B,
        is_typing: true,
    };
    bench.frame(&typing, Duration::ZERO);
    assert_eq!(bench.written(), ["partner_typing"]);
    bench.frame(&live_reaction(1), Duration::ZERO);
    assert_eq!(bench.written(), ["reaction"]);
    bench.frame(&live(2), Duration::ZERO);
    assert_eq!(bench.written(), ["partner_typing", "new_message"]);
}
