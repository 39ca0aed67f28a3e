//! How sides are called while they are away: whose turn it is, how long they are waited for, what is kept.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use miyu::domain::id::{RoomId, Side};
use miyu::domain::{Call, LeaveReason, Subscription};
use miyu::store::{CallTurn, ReadState, SideClaim, Store};

use super::Sqlite;
use crate::support::store::{Backend, World, address};

const A: Side = Side::A;
const B: Side = Side::B;
const ENDPOINT: &str = "https://push.example/only-this-browser";

super::for_each_backend! {
    a_side_is_called_once_however_many_ask
    of_messages_a_side_is_called_once_in_an_absence
    calls_to_one_side_are_a_minute_apart
    the_last_call_says_that_the_partner_left_and_erases_all
    a_side_that_was_there_at_the_end_is_not_called
    a_side_that_can_be_called_is_waited_for_longer
    one_that_never_came_and_can_be_called_is_waited_for_longer
    taking_it_back_ends_the_longer_wait
    the_longer_wait_outlives_a_restart
    a_closed_room_keeps_none
    a_room_that_is_erased_leaves_none_behind
    entries_say_whether_a_side_may_be_called
    there_is_one_push_key
}

fn subscription() -> Subscription {
    Subscription {
        endpoint: ENDPOINT.to_owned(),
        p256dh: "a-point".to_owned(),
        auth: "a-secret".to_owned(),
    }
}

async fn subscribe(store: &Arc<dyn Store>, room: RoomId, side: Side) -> bool {
    store
        .subscribe(room, side, Some(subscription()))
        .await
        .unwrap()
}

async fn depart(store: &Arc<dyn Store>, room: RoomId, side: Side) {
    let departed = store.depart(room, side, address(side), ReadState::default());
    assert!(departed.await.unwrap().is_some());
}

async fn arrive(store: &Arc<dyn Store>, room: RoomId, side: Side) {
    let arrived = store.arrive(room, SideClaim::Side(side), address(side));
    assert!(arrived.await.unwrap().is_some());
}

async fn take(store: &Arc<dyn Store>, room: RoomId, side: Side, call: Call) -> CallTurn {
    store.take_call(room, side, call).await.unwrap()
}

fn now() -> CallTurn {
    CallTurn::Now(subscription())
}

async fn a_side_is_called_once_however_many_ask<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room_unvisited().await.room;
    let store = world.store();
    assert_eq!(take(store, room, B, Call::SomeoneCame).await, CallTurn::No);
    assert!(subscribe(store, room, B).await);
    let asked = (0..8).map(|_| take(store, room, B, Call::SomeoneCame));
    let asked = stream::iter(asked).buffer_unordered(8);
    let turns: Vec<CallTurn> = asked.collect().await;
    assert_eq!(turns.iter().filter(|turn| **turn == now()).count(), 1);
    assert_eq!(take(store, room, A, Call::SomeoneCame).await, CallTurn::No);
    // Having come they are not called for having been found.
    arrive(store, room, B).await;
    world.advance(Duration::from_secs(61));
    assert_eq!(take(store, room, B, Call::SomeoneCame).await, CallTurn::No);
}

async fn of_messages_a_side_is_called_once_in_an_absence<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    assert!(subscribe(store, room, A).await);
    assert_eq!(take(store, room, A, Call::NewMessage).await, CallTurn::No);
    for _ in 0..2 {
        depart(store, room, A).await;
        world.advance(Duration::from_secs(1));
        assert_eq!(take(store, room, A, Call::NewMessage).await, now());
        world.advance(Duration::from_secs(90));
        assert_eq!(take(store, room, A, Call::NewMessage).await, CallTurn::No);
        arrive(store, room, A).await;
        assert_eq!(take(store, room, A, Call::NewMessage).await, CallTurn::No);
        world.advance(Duration::from_secs(1));
    }
}

async fn calls_to_one_side_are_a_minute_apart<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    assert!(subscribe(store, room, A).await);
    depart(store, room, A).await;
    assert_eq!(take(store, room, A, Call::NewMessage).await, now());
    world.advance(Duration::from_secs(20));
    store.close_room(room, B, LeaveReason::Left).await.unwrap();
    let wait = CallTurn::Wait(Duration::from_secs(40));
    assert_eq!(take(store, room, A, Call::PartnerLeft).await, wait);
    world.advance(Duration::from_secs(40));
    assert_eq!(take(store, room, A, Call::PartnerLeft).await, now());
}

async fn the_last_call_says_that_the_partner_left_and_erases_all<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store().clone();
    for side in Side::BOTH {
        assert!(subscribe(&store, room, side).await);
    }
    depart(&store, room, A).await;
    assert_eq!(take(&store, room, A, Call::PartnerLeft).await, CallTurn::No);
    store.close_room(room, B, LeaveReason::Left).await.unwrap();
    world.advance(Duration::from_secs(1));
    let asked = (0..8).map(|_| take(&store, room, A, Call::PartnerLeft));
    let asked = stream::iter(asked).buffer_unordered(8);
    let turns: Vec<CallTurn> = asked.collect().await;
    assert_eq!(turns.iter().filter(|turn| **turn == now()).count(), 1);
    drop(store);
    world.close().await;
    // What was erased in PostgreSQL is there until its pages are vacuumed.
    if std::any::type_name::<X>().contains("Sqlite") {
        assert!(!world.backend.holds(ENDPOINT).await);
    }
}

async fn a_side_that_was_there_at_the_end_is_not_called<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    assert!(subscribe(store, room, A).await);
    world.advance(Duration::from_secs(1));
    store.close_room(room, B, LeaveReason::Left).await.unwrap();
    world.advance(Duration::from_secs(1));
    depart(store, room, A).await;
    assert_eq!(take(store, room, A, Call::PartnerLeft).await, CallTurn::No);
}

async fn a_side_that_can_be_called_is_waited_for_longer<X: Backend>() {
    let world = World::<X>::new().await;
    let (room, plain) = (world.room().await.room, world.room().await.room);
    let store = world.store();
    assert!(subscribe(store, room, A).await);
    let state = store.room(room).await.unwrap().unwrap();
    let call_for = world.setting.rules.call_for;
    assert_eq!(state.side(A).call_for, Some(call_for));
    assert_eq!(state.side(B).call_for, None);
    for room in [room, plain] {
        depart(store, room, A).await;
    }
    world.advance(world.setting.rules.reconnect_grace + Duration::from_secs(1));
    assert_eq!(store.sweep().await.unwrap().closed, 1);
    assert!(store.room(room).await.unwrap().unwrap().active());
    world.advance(call_for);
    assert_eq!(store.sweep().await.unwrap().closed, 1);
    let state = store.room(room).await.unwrap().unwrap();
    assert_eq!(state.departure.unwrap().reason, LeaveReason::Timeout);
}

async fn one_that_never_came_and_can_be_called_is_waited_for_longer<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room_unvisited().await.room;
    let store = world.store();
    arrive(store, room, A).await;
    assert!(subscribe(store, room, B).await);
    world.advance(world.setting.rules.call_for - Duration::from_secs(1));
    assert_eq!(store.sweep().await.unwrap().closed, 0);
    world.advance(Duration::from_secs(2));
    assert_eq!(store.sweep().await.unwrap().closed, 1);
    let departure = store.room(room).await.unwrap().unwrap().departure.unwrap();
    assert_eq!((departure.side, departure.reason), (B, LeaveReason::NoShow));
}

async fn taking_it_back_ends_the_longer_wait<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room_unvisited().await.room;
    let store = world.store();
    arrive(store, room, A).await;
    assert!(subscribe(store, room, B).await);
    assert!(!store.subscribe(room, B, None).await.unwrap());
    assert_eq!(take(store, room, B, Call::SomeoneCame).await, CallTurn::No);
    world.advance(world.setting.rules.arrival + Duration::from_secs(1));
    assert_eq!(store.sweep().await.unwrap().closed, 1);
}

async fn the_longer_wait_outlives_a_restart<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await.room;
    assert!(subscribe(world.store(), room, A).await);
    depart(world.store(), room, A).await;
    world.reopen().await;
    arrive(world.store(), room, B).await;
    world.advance(world.setting.rules.reconnect_grace + Duration::from_secs(1));
    assert_eq!(world.store().sweep().await.unwrap().closed, 0);
    let store = world.store();
    assert_eq!(take(store, room, A, Call::NewMessage).await, now());
    world.advance(world.setting.rules.call_for);
    assert_eq!(world.store().sweep().await.unwrap().closed, 1);
}

async fn a_closed_room_keeps_none<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    store.close_room(room, B, LeaveReason::Left).await.unwrap();
    assert!(!subscribe(store, room, A).await);
    assert!(!subscribe(store, RoomId::fresh(), A).await);
    assert_eq!(take(store, room, A, Call::PartnerLeft).await, CallTurn::No);
}

async fn a_room_that_is_erased_leaves_none_behind<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await.room;
    assert!(subscribe(world.store(), room, A).await);
    // No call is taken: as if the process had ended just then.
    let closing = world.store().close_room(room, B, LeaveReason::Left);
    closing.await.unwrap();
    world.advance(world.setting.rules.retention + Duration::from_secs(1));
    while world.store().sweep().await.unwrap().more {}
    assert_eq!(world.store().room(room).await.unwrap(), None);
    world.close().await;
    if std::any::type_name::<X>().contains("Sqlite") {
        assert!(!world.backend.holds(ENDPOINT).await);
    }
}

async fn entries_say_whether_a_side_may_be_called<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    let calls = |at: usize| world.sink().all_of(room)[at].calls;
    world.say(room, B, "b1", "here").await;
    assert!(subscribe(store, room, A).await);
    world.say(room, B, "b2", "here, and can be called").await;
    depart(store, room, A).await;
    world.say(room, B, "b3", "away").await;
    world.say(room, A, "a1", "from the one who is away").await;
    let marked = [0, 1, 2, 3].map(calls);
    assert_eq!(marked, [false, false, true, false]);
    store.close_room(room, B, LeaveReason::Left).await.unwrap();
    assert!(calls(4));
}

async fn there_is_one_push_key<X: Backend>() {
    let mut world = World::<X>::new().await;
    let first = world.store().push_key(b"first".to_vec()).await.unwrap();
    world.reopen().await;
    let second = world.store().push_key(b"second".to_vec()).await.unwrap();
    assert_eq!((&*first, &*second), (&b"first"[..], &b"first"[..]));
}
