//! The log of a room: appending, repeating, order. Reading it is in `pages`, what is done to messages that are
//! there in `message_ops`.

use miyu::domain::id::{RoomId, Seq, Side};
use miyu::domain::{LeaveReason, MessageRef};
use miyu::store::{Appended, Refusal, StoreError};

use super::Sqlite;
use super::message_ops::recall;
use crate::support::store::{Backend, World, content, draft, rules, seqs};

const A: Side = Side::A;
const B: Side = Side::B;

super::for_each_backend! {
    seq_counts_without_a_gap_and_the_sink_sees_it
    a_repeat_with_the_same_content_answers_the_stored_entry
    a_repeat_with_other_content_is_refused
    client_ids_belong_to_a_side
    repeats_are_known_after_a_restart
    a_repeat_of_a_recalled_message_answers_it_empty
    a_repeat_is_known_in_a_closed_and_in_a_full_room
    nothing_is_added_to_a_closed_or_unknown_room
    a_full_room_takes_recalls_and_a_departure_only
    rooms_are_published_in_order_under_concurrent_writers
    calls_are_committed_in_the_order_of_the_calls
    dropping_the_future_takes_nothing_back
    a_late_answer_is_unavailable_and_the_repeat_tells_the_truth
    many_rooms_keep_their_logs_apart
}

async fn seq_counts_without_a_gap_and_the_sink_sees_it<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await;
    let first = world.say(room.room, A, "a1", "一").await;
    let second = world.say(room.room, B, "b1", "二").await;
    assert_eq!((first.seq, second.seq), (Seq(1), Seq(2)));
    assert_eq!(first.at, world.setting.now.get());
    assert_eq!(content(&first), Some("一"));
    assert_eq!(world.sink().of(room.room), [first.clone(), second.clone()]);
    assert_eq!(world.replay(room.room, A).await, [first, second]);
}

async fn a_repeat_with_the_same_content_answers_the_stored_entry<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let first = world.say(room, A, "a1", "x").await;
    world.say(room, B, "b1", "y").await;
    let again = world.append(room, A, "a1", "x").await;
    assert_eq!(again, Appended::Repeat(first.into()));
    assert_eq!(world.sink().of(room).len(), 2);
    assert_eq!(seqs(&world.replay(room, B).await), [1, 2]);
}

async fn a_repeat_with_other_content_is_refused<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    let again = world.append(room, A, "a1", "z").await;
    assert_eq!(again, Appended::Refused(Refusal::ClientIdReused));
    assert_eq!(world.say(room, A, "a2", "z").await.seq, Seq(2));
}

async fn client_ids_belong_to_a_side<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let other = world.room().await.room;
    world.say(room, A, "same", "x").await;
    assert_eq!(world.say(room, B, "same", "x").await.seq, Seq(2));
    assert_eq!(world.say(other, A, "same", "x").await.seq, Seq(1));
}

async fn repeats_are_known_after_a_restart<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await.room;
    let first = world.say(room, A, "a1", "x").await;
    world.reopen().await;
    let again = world.append(room, A, "a1", "x").await;
    assert_eq!(again, Appended::Repeat(first.into()));
    let second = world.say(room, A, "a2", "y").await;
    world.crash().await;
    let again = world.append(room, A, "a2", "y").await;
    assert_eq!(again, Appended::Repeat(second.into()));
    assert_eq!(world.say(room, B, "b1", "z").await.seq, Seq(3));
    assert_eq!(seqs(&world.replay(room, B).await), [1, 2, 3]);
}

async fn a_repeat_of_a_recalled_message_answers_it_empty<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    recall(&world, room, A, MessageRef::Seq(Seq(1))).await;
    for text in ["x", "anything"] {
        let Appended::Repeat(entry) = world.append(room, A, "a1", text).await else {
            panic!("no repeat");
        };
        assert_eq!((entry.seq, content(&entry)), (Seq(1), None));
    }
}

async fn a_repeat_is_known_in_a_closed_and_in_a_full_room<X: Backend>() {
    let mut rules = rules();
    rules.room_entries = 2;
    let world = World::<X>::with(rules).await;
    let room = world.room().await.room;
    let first = world.say(room, A, "a1", "x").await;
    world.say(room, A, "a2", "y").await;
    let again = world.append(room, A, "a1", "x").await;
    assert_eq!(again, Appended::Repeat(first.clone().into()));
    let store = world.store();
    assert!(store.close_room(room, B, LeaveReason::Left).await.unwrap());
    let again = world.append(room, A, "a1", "x").await;
    assert_eq!(again, Appended::Repeat(first.into()));
}

async fn nothing_is_added_to_a_closed_or_unknown_room<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    assert!(store.close_room(room, B, LeaveReason::Left).await.unwrap());
    for room in [room, RoomId::fresh()] {
        let refused = world.append(room, A, "a1", "x").await;
        assert_eq!(refused, Appended::Refused(Refusal::RoomClosed));
    }
    assert_eq!(seqs(&world.replay(room, A).await), [1]);
}

async fn a_full_room_takes_recalls_and_a_departure_only<X: Backend>() {
    let mut rules = rules();
    rules.room_entries = 3;
    let world = World::<X>::with(rules).await;
    let room = world.room().await.room;
    for n in 1..=3 {
        world.say(room, A, &format!("a{n}"), "x").await;
    }
    let refused = world.append(room, B, "b1", "x").await;
    assert_eq!(refused, Appended::Refused(Refusal::RoomFull));
    recall(&world, room, A, MessageRef::Seq(Seq(2))).await;
    let store = world.store();
    assert!(store.close_room(room, B, LeaveReason::Left).await.unwrap());
    assert_eq!(seqs(&world.replay(room, A).await), [1, 2, 3, 4, 5]);
}

async fn rooms_are_published_in_order_under_concurrent_writers<X: Backend>() {
    const EACH: usize = 40;
    let mut rules = rules();
    rules.room_entries = 10_000;
    let world = World::<X>::with(rules).await;
    let rooms = [world.room().await.room, world.room().await.room];
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let store = world.store().clone();
        let (room, side) = (rooms[writer % 2], Side::BOTH[writer / 2 % 2]);
        tasks.spawn(async move {
            for n in 0..EACH {
                let draft = draft(room, side, &format!("w{writer}-{n}"), "x");
                let done = store.append(draft).await.unwrap();
                assert!(matches!(done, Appended::Done(_)));
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    for room in rooms {
        let published = seqs(&world.sink().of(room));
        let expected: Vec<u64> = (1..=4 * EACH as u64).collect();
        assert_eq!(published, expected);
        assert_eq!(seqs(&world.replay(room, A).await), expected);
    }
}

async fn calls_are_committed_in_the_order_of_the_calls<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    let first = store.append(draft(room, A, "a1", "x"));
    let second = store.append(draft(room, A, "a2", "y"));
    let closing = store.close_room(room, A, LeaveReason::Left);
    let late = store.append(draft(room, A, "a3", "z"));
    // Polled the other way round.
    let refused = Appended::Refused(Refusal::RoomClosed);
    assert_eq!(late.await.unwrap(), refused);
    assert!(closing.await.unwrap());
    for (pending, seq) in [(second, 2), (first, 1)] {
        let Appended::Done(entry) = pending.await.unwrap() else {
            panic!("not appended");
        };
        assert_eq!(entry.seq, Seq(seq));
    }
}

async fn dropping_the_future_takes_nothing_back<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    drop(world.store().append(draft(room, A, "a1", "x")));
    let next = world.say(room, A, "a2", "y").await;
    assert_eq!(next.seq, Seq(2));
    assert_eq!(seqs(&world.sink().of(room)), [1, 2]);
}

async fn a_late_answer_is_unavailable_and_the_repeat_tells_the_truth<X: Backend>() {
    let mut rules = rules();
    rules.timeout = std::time::Duration::from_millis(300);
    let world = World::<X>::with(rules).await;
    let room = world.room().await.room;
    world.sink().hold();
    let late = world.store().append(draft(room, A, "a1", "x")).await;
    world.sink().release();
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    let again = world.append(room, A, "a1", "x").await;
    assert!(matches!(again, Appended::Repeat(entry) if entry.seq == Seq(1)));
}

async fn many_rooms_keep_their_logs_apart<X: Backend>() {
    let mut world = World::<X>::new().await;
    let mut rooms = Vec::new();
    for _ in 0..6 {
        rooms.push(world.room().await.room);
    }
    for turn in 0..5 {
        for (n, room) in rooms.iter().enumerate() {
            let side = Side::BOTH[(turn + n) % 2];
            let (name, text) = (format!("t{turn}"), format!("{n}/{turn}"));
            let said = world.say(*room, side, &name, &text).await;
            assert_eq!(said.seq, Seq(turn as u64 + 1));
        }
        match turn {
            1 => world.crash().await,
            3 => world.reopen().await,
            _ => {}
        }
    }
    for (n, room) in rooms.iter().enumerate() {
        let log = world.replay(*room, A).await;
        let texts: Vec<_> = log.iter().map(|entry| content(entry).unwrap()).collect();
        let expected: Vec<String> = (0..5).map(|turn| format!("{n}/{turn}")).collect();
        assert_eq!(texts, expected);
    }
}
