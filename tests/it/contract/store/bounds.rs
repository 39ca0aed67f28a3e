//! What a room may hold in bytes, how long it may be open, and how large the data may become.

use std::time::Duration;

use miyu::domain::id::{RoomId, Seq, SessionId, Side, Timestamp};
use miyu::domain::{EntryKind, LeaveReason, MessageRef};
use miyu::store::{Appended, ReadState, Refusal, SideClaim, StoreError, Swept};

use super::Sqlite;
use super::message_ops::recall;
use crate::support::store::{Backend, World, address, draft, pairing, rules};

const A: Side = Side::A;
const B: Side = Side::B;
const SECOND: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(1000);
const NOTICE: Duration = Duration::from_secs(100);

super::for_each_backend! {
    a_room_is_full_by_the_bytes_of_its_texts
    what_a_room_holds_is_known_after_a_restart
    a_room_is_told_ahead_and_closed_when_its_time_is_up
    whatever_the_clock_does_a_room_is_told_ahead
    what_was_told_is_known_after_a_restart
    an_absence_ends_a_room_before_its_time_is_up
    many_rooms_grow_old_together
    data_at_its_greatest_size_takes_no_message_but_everything_else
    the_oldest_of_too_many_blocks_are_forgotten
}

async fn limited<X: Backend>(most: u64) -> World<X> {
    let mut rules = rules();
    rules.room_bytes = most;
    World::with(rules).await
}

async fn assert_full<X: Backend>(world: &World<X>, room: RoomId, text: &str) {
    let refused = world.append(room, B, "bx", text).await;
    assert_eq!(refused, Appended::Refused(Refusal::RoomFull), "{text}");
}

async fn a_room_is_full_by_the_bytes_of_its_texts<X: Backend>() {
    let world = limited::<X>(100).await;
    let (room, other) = (world.room().await.room, world.room().await.room);
    // Three bytes a character, and two of the client's name for it.
    let first = world.say(room, A, "a1", &"音".repeat(10)).await;
    world.say(room, B, "b1", &"x".repeat(30)).await;
    assert_full(&world, room, &"x".repeat(35)).await;
    world.say(room, B, "b2", &"x".repeat(34)).await;
    assert_full(&world, room, "x").await;
    // What is there is still answered, and the other room is not touched by it.
    let again = world.append(room, A, "a1", &"音".repeat(10)).await;
    assert_eq!(again, Appended::Repeat(first.into()));
    world.say(other, A, "a1", &"x".repeat(90)).await;
    // A recall gives back the text, takes what it is named, and is never refused itself.
    recall(&world, room, A, MessageRef::Seq(Seq(1))).await;
    assert_full(&world, room, &"x".repeat(27)).await;
    world.say(room, A, "a2", &"x".repeat(26)).await;
    let store = world.store();
    assert!(store.close_room(room, B, LeaveReason::Left).await.unwrap());
}

async fn what_a_room_holds_is_known_after_a_restart<X: Backend>() {
    let mut world = limited::<X>(100).await;
    let room = world.room().await.room;
    world.say(room, A, "a1", &"音".repeat(10)).await;
    world.say(room, A, "a2", &"x".repeat(46)).await;
    recall(&world, room, A, MessageRef::Seq(Seq(1))).await;
    // 2 + 48 + 2: 48 are left, two of them for the name.
    for round in 0..4 {
        match round {
            0 => world.crash().await,
            1 => world.reopen().await,
            // So that the store forgets what it knew of this one.
            _ => drop((world.room().await, world.room().await, world.room().await)),
        }
        assert_full(&world, room, &"x".repeat(47)).await;
    }
    world.say(room, A, "a3", &"x".repeat(46)).await;
    world.crash().await;
    assert_full(&world, room, "x").await;
}

async fn aging<X: Backend>() -> World<X> {
    let mut rules = rules();
    rules.longest = LONGEST;
    World::with(rules).await
}

async fn swept<X: Backend>(world: &World<X>) -> usize {
    let mut closed = 0;
    loop {
        let swept = world.store().sweep().await.unwrap();
        closed += swept.closed;
        if !swept.more {
            return closed;
        }
    }
}

async fn come_back<X: Backend>(world: &World<X>, room: RoomId) {
    for side in Side::BOTH {
        let arriving = world
            .store()
            .arrive(room, SideClaim::Side(side), address(side));
        arriving.await.unwrap().unwrap();
    }
}

/// When the room closes by itself, as its people are told on opening it.
async fn closes_at<X: Backend>(world: &World<X>, room: RoomId) -> Option<Timestamp> {
    let room = world.store().room(room).await.unwrap();
    room.unwrap().closes_at
}

async fn assert_time_up<X: Backend>(world: &World<X>, room: RoomId) {
    let log = world.replay(room, B).await;
    let last = log.last().map(|entry| &entry.kind);
    let Some(EntryKind::Departure { reason, .. }) = last else {
        panic!("still open: {last:?}");
    };
    assert_eq!(*reason, LeaveReason::TimeUp);
    assert_eq!(world.sink().of(room), log);
    assert_eq!(closes_at(world, room).await, None);
}

async fn a_room_is_told_ahead_and_closed_when_its_time_is_up<X: Backend>() {
    let world = aging::<X>().await;
    let room = world.room().await.room;
    let end = world.setting.now.get().plus(LONGEST);
    assert_eq!(closes_at(&world, room).await, Some(end));
    world.advance(LONGEST - NOTICE - SECOND);
    assert_eq!(world.store().sweep().await.unwrap(), Swept::default());
    assert!(world.sink().closing(room).is_empty());
    world.advance(SECOND);
    for _ in 0..3 {
        assert_eq!(world.store().sweep().await.unwrap(), Swept::default());
        assert_eq!(world.sink().closing(room), [end], "told once");
    }
    assert_eq!(closes_at(&world, room).await, Some(end));
    world.advance(NOTICE - SECOND);
    world.say(room, A, "a1", "so long").await;
    assert_eq!(swept(&world).await, 0);
    world.advance(SECOND);
    assert_eq!(swept(&world).await, 1);
    assert_time_up(&world, room).await;
    assert_eq!(world.store().count_open_rooms(), 0);
    assert_eq!(world.store().sweep().await.unwrap(), Swept::default());
}

async fn whatever_the_clock_does_a_room_is_told_ahead<X: Backend>() {
    let world = aging::<X>().await;
    let room = world.room().await.room;
    // The machine slept, or its clock was set.
    world.advance(10 * LONGEST);
    let end = world.setting.now.get().plus(NOTICE);
    assert_eq!(swept(&world).await, 0);
    assert_eq!(world.sink().closing(room), [end]);
    assert_eq!(closes_at(&world, room).await, Some(end));
    world.advance(NOTICE - SECOND);
    assert_eq!(swept(&world).await, 0);
    world.advance(SECOND);
    assert_eq!(swept(&world).await, 1);
    assert_time_up(&world, room).await;
}

async fn what_was_told_is_known_after_a_restart<X: Backend>() {
    let mut world = aging::<X>().await;
    let (told, untold) = (world.room().await.room, world.room().await.room);
    world.advance(LONGEST - NOTICE);
    assert_eq!(swept(&world).await, 0);
    let end = world.setting.now.get().plus(NOTICE);
    world.crash().await;
    come_back(&world, told).await;
    come_back(&world, untold).await;
    assert_eq!(swept(&world).await, 0);
    assert_eq!(closes_at(&world, told).await, Some(end));
    assert_eq!(world.sink().closing(told), [end], "told once");
    world.advance(NOTICE);
    assert_eq!(swept(&world).await, 2);
    assert_time_up(&world, told).await;

    // One that grew too old while nothing was running is told first.
    let late = world.room().await.room;
    world.reopen().await;
    world.advance(2 * LONGEST);
    world.reopen().await;
    come_back(&world, late).await;
    assert_eq!(swept(&world).await, 0);
    let end = world.setting.now.get().plus(NOTICE);
    assert_eq!(world.sink().closing(late), [end]);
    world.advance(NOTICE);
    assert_eq!(swept(&world).await, 1);
    assert_time_up(&world, late).await;
}

async fn an_absence_ends_a_room_before_its_time_is_up<X: Backend>() {
    let world = aging::<X>().await;
    let (room, unvisited) = (world.room().await.room, world.room_unvisited().await.room);
    world.advance(20 * SECOND);
    assert_eq!(swept(&world).await, 1);
    assert_eq!(closes_at(&world, unvisited).await, None);
    world.advance(LONGEST - NOTICE - 220 * SECOND);
    let store = world.store();
    let gone = store.depart(room, B, address(B), ReadState::default());
    assert!(gone.await.unwrap().is_some());
    world.advance(200 * SECOND);
    assert_eq!(swept(&world).await, 0);
    assert_eq!(world.sink().closing(room).len(), 1);
    world.advance(100 * SECOND);
    assert_eq!(swept(&world).await, 1);
    let log = world.replay(room, A).await;
    let timeout = LeaveReason::Timeout;
    let expected = EntryKind::Departure {
        side: B,
        reason: timeout,
    };
    assert_eq!(log.last().map(|entry| &entry.kind), Some(&expected));
}

async fn many_rooms_grow_old_together<X: Backend>() {
    let world = aging::<X>().await;
    let mut rooms = Vec::new();
    for _ in 0..7 {
        rooms.push(world.room().await.room);
    }
    world.advance(LONGEST - NOTICE);
    assert_eq!(swept(&world).await, 0);
    for room in &rooms {
        assert_eq!(world.sink().closing(*room).len(), 1);
    }
    world.advance(NOTICE);
    assert_eq!(swept(&world).await, 7);
    for room in &rooms {
        assert_time_up(&world, *room).await;
    }
}

async fn the_oldest_of_too_many_blocks_are_forgotten<X: Backend>() {
    let world = World::<X>::new().await;
    let store = world.store();
    let pairs: Vec<_> = (0..30)
        .map(|_| [SessionId::fresh(), SessionId::fresh()])
        .collect();
    for [by, whom] in &pairs {
        store.block(*by, *whom, RoomId::fresh()).await.unwrap();
    }
    assert_eq!(swept(&world).await, 0);
    for (n, [by, whom]) in pairs.iter().enumerate() {
        let blocked = store.relations(*whom).await.unwrap().blocked;
        // The stores of these tests keep twenty.
        let expected = if n < 10 { vec![] } else { vec![*by] };
        assert_eq!(blocked, expected, "block {n}");
    }
}

async fn data_at_its_greatest_size_takes_no_message_but_everything_else<X: Backend>() {
    let mut rules = rules();
    rules.max_size = 1;
    let world = World::<X>::with(rules).await;
    let room = world.room().await.room;
    let store = world.store();
    let first = world.say(room, A, "a1", "x").await;
    world.say(room, B, "b1", "y").await;
    assert!(store.size().await.unwrap() > 1);
    let refused = store.append(draft(room, A, "a2", "z")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    let again = world.append(room, A, "a1", "x").await;
    assert_eq!(again, Appended::Repeat(first.into()));
    recall(&world, room, B, MessageRef::Seq(Seq(2))).await;
    store.hide(room, B, MessageRef::Seq(Seq(1))).await.unwrap();
    // Whether new pairs are made is not the store's to say.
    store.create_room(&pairing()).await.unwrap();
    assert!(store.close_room(room, B, LeaveReason::Left).await.unwrap());
    store.ready().await.unwrap();
    let seqs: Vec<u64> = world.sink().of(room).iter().map(|it| it.seq.0).collect();
    assert_eq!(seqs, [1, 2, 3, 4]);
}
