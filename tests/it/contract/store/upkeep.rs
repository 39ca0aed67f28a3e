//! What time does: absences that end rooms, erasure, restarts, closing.

use std::time::Duration;

use miyu::domain::id::{Seq, Side};
use miyu::domain::{EntryKind, LeaveReason, Pairing};
use miyu::store::{PageLimit, ReadState, SideClaim, StoreError, Swept};

use super::Sqlite;
use crate::support::store::{Backend, World, address, draft, rules};

const A: Side = Side::A;
const B: Side = Side::B;
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);

super::for_each_backend! {
    nothing_is_due_at_first
    who_never_came_is_a_no_show
    who_stays_away_times_out
    the_longest_absence_is_named
    a_short_absence_of_the_other_is_told_too
    a_restart_makes_every_side_away
    a_restart_gives_the_arrival_time_anew
    many_rooms_are_swept_in_small_steps
    a_closed_room_is_erased_in_time
    an_open_room_is_never_erased
    erasure_leaves_no_text_behind
    an_erasure_goes_on_after_a_crash
    the_session_key_stays
    the_identity_stays
    a_closed_store_takes_nothing_more
    a_store_is_ready
}

async fn nothing_is_due_at_first<X: Backend>() {
    let world = World::<X>::new().await;
    world.room().await;
    world.room_unvisited().await;
    world.advance(19 * SECOND);
    let swept = world.store().sweep().await.unwrap();
    assert_eq!(swept, Swept::default());
}

async fn who_never_came_is_a_no_show<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room_unvisited().await;
    let store = world.store();
    store
        .arrive(room.room, SideClaim::Side(A), address(A))
        .await
        .unwrap();
    world.advance(20 * SECOND);
    let swept = store.sweep().await.unwrap();
    assert_eq!((swept.closed, swept.erased), (1, 0));
    assert_departed(&world, &room, B, LeaveReason::NoShow).await;
    assert_eq!(store.sweep().await.unwrap(), Swept::default());
    assert_eq!(store.count_open_rooms(), 0);
}

async fn who_stays_away_times_out<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await;
    let store = world.store();
    depart(&world, &room, B).await;
    world.advance(299 * SECOND);
    assert_eq!(store.sweep().await.unwrap().closed, 0);
    // Coming back in time saves the room, and the next absence counts from its own start.
    store
        .arrive(room.room, SideClaim::Side(B), address(B))
        .await
        .unwrap();
    world.advance(299 * SECOND);
    assert_eq!(store.sweep().await.unwrap().closed, 0);
    depart(&world, &room, B).await;
    world.advance(299 * SECOND);
    assert_eq!(store.sweep().await.unwrap().closed, 0);
    world.advance(SECOND);
    assert_eq!(store.sweep().await.unwrap().closed, 1);
    assert_departed(&world, &room, B, LeaveReason::Timeout).await;
}

async fn the_longest_absence_is_named<X: Backend>() {
    let world = World::<X>::new().await;
    let store = world.store();
    let (both, never, nobody) = (
        world.room().await,
        world.room_unvisited().await,
        world.room_unvisited().await,
    );
    depart(&world, &both, B).await;
    store
        .arrive(never.room, SideClaim::Side(A), address(A))
        .await
        .unwrap();
    world.advance(SECOND);
    depart(&world, &both, A).await;
    depart(&world, &never, A).await;
    world.advance(2 * 300 * SECOND);
    let mut closed = 0;
    loop {
        let swept = store.sweep().await.unwrap();
        closed += swept.closed;
        if !swept.more {
            break;
        }
    }
    assert_eq!(closed, 3);
    assert_departed(&world, &both, B, LeaveReason::TimeoutOfBoth).await;
    assert_departed(&world, &never, B, LeaveReason::NoShowOfBoth).await;
    let log = world.replay(nobody.room, A).await;
    let EntryKind::Departure { reason, .. } = log[0].kind else {
        panic!("no departure");
    };
    assert_eq!(reason, LeaveReason::NoShowOfBoth);
}

async fn a_short_absence_of_the_other_is_told_too<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await;
    depart(&world, &room, B).await;
    world.advance(299 * SECOND);
    depart(&world, &room, A).await;
    world.advance(SECOND);
    assert_eq!(world.store().sweep().await.unwrap().closed, 1);
    assert_departed(&world, &room, B, LeaveReason::TimeoutOfBoth).await;
    // And is told the same when the store is opened again.
    let log = world.replay(room.room, B).await;
    world.reopen().await;
    assert_eq!(world.replay(room.room, B).await, log);
    let departure = world
        .store()
        .room(room.room)
        .await
        .unwrap()
        .unwrap()
        .departure;
    assert_eq!(departure.unwrap().reason, LeaveReason::TimeoutOfBoth);
}

async fn a_restart_makes_every_side_away<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await;
    world.advance(1000 * SECOND);
    world.crash().await;
    let state = world.store().room(room.room).await.unwrap().unwrap();
    for side in Side::BOTH {
        let since = state.side(side).away_since;
        assert_eq!(since, Some(world.setting.now.get()));
    }
    world.advance(299 * SECOND);
    assert_eq!(world.store().sweep().await.unwrap().closed, 0);
    let store = world.store();
    store
        .arrive(room.room, SideClaim::Side(A), address(A))
        .await
        .unwrap();
    world.advance(SECOND);
    assert_eq!(store.sweep().await.unwrap().closed, 1);
    assert_departed(&world, &room, B, LeaveReason::Timeout).await;
}

async fn a_restart_gives_the_arrival_time_anew<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room_unvisited().await;
    world
        .store()
        .arrive(room.room, SideClaim::Side(A), address(A))
        .await
        .unwrap();
    world.advance(1000 * SECOND);
    world.reopen().await;
    world
        .store()
        .arrive(room.room, SideClaim::Side(A), address(A))
        .await
        .unwrap();
    world.advance(19 * SECOND);
    assert_eq!(world.store().sweep().await.unwrap().closed, 0);
    world.advance(SECOND);
    assert_eq!(world.store().sweep().await.unwrap().closed, 1);
    assert_departed(&world, &room, B, LeaveReason::NoShow).await;
}

async fn many_rooms_are_swept_in_small_steps<X: Backend>() {
    let mut world = World::<X>::new().await;
    let mut rooms = Vec::new();
    for _ in 0..9 {
        rooms.push(world.room().await);
    }
    // No side ever comes back after a crash.
    world.crash().await;
    world.advance(300 * SECOND);
    let (mut closed, mut more) = (0, true);
    while more {
        let swept = world.store().sweep().await.unwrap();
        closed += swept.closed;
        more = swept.more;
    }
    assert_eq!(closed, 9);
    for room in &rooms {
        assert_eq!(world.sink().of(room.room).len(), 1);
    }
    assert_eq!(world.store().count_open_rooms(), 0);
}

async fn a_closed_room_is_erased_in_time<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await;
    for n in 0..10 {
        world.say(room.room, A, &format!("a{n}"), "x").await;
    }
    leave(&world, &room).await;
    world.advance(DAY - SECOND);
    assert_eq!(world.store().sweep().await.unwrap().erased, 0);
    assert_eq!(world.replay(room.room, A).await.len(), 11);
    world.advance(SECOND);
    let (mut erased, mut more) = (0, true);
    while more {
        let swept = world.store().sweep().await.unwrap();
        erased += swept.erased;
        more = swept.more;
        assert_gone(&world, &room).await;
    }
    assert_eq!(erased, 1);
    world.reopen().await;
    assert_gone(&world, &room).await;
    // Rows of erased rooms are never taken for others'.
    let next = world.room().await;
    assert_eq!(world.say(next.room, A, "a1", "x").await.seq, Seq(1));
    world.crash().await;
    assert_eq!(world.replay(next.room, A).await.len(), 1);
}

async fn an_open_room_is_never_erased<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await;
    world.say(room.room, A, "a1", "x").await;
    world.advance(100 * DAY);
    let swept = world.store().sweep().await.unwrap();
    assert_eq!(swept, Swept::default());
    assert_eq!(world.replay(room.room, A).await.len(), 1);
}

async fn erasure_leaves_no_text_behind<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await;
    let kept = world.room().await;
    world.say(kept.room, A, "a1", "a-word-that-stays").await;
    for n in 0..5 {
        let text = format!("a-word-that-goes {}", "long ".repeat(200 * n));
        world
            .say(room.room, A, &format!("id-that-goes-{n}"), &text)
            .await;
    }
    leave(&world, &room).await;
    world.advance(DAY);
    while world.store().sweep().await.unwrap().more {}
    world.close().await;
    assert!(world.backend.holds("a-word-that-stays").await);
    assert!(!world.backend.holds("a-word-that-goes").await);
    assert!(!world.backend.holds("id-that-goes").await);
}

async fn an_erasure_goes_on_after_a_crash<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await;
    for n in 0..10 {
        world.say(room.room, A, &format!("a{n}"), "x").await;
    }
    leave(&world, &room).await;
    world.advance(DAY);
    let (mut erased, mut more) = (0, true);
    while more {
        let swept = world.store().sweep().await.unwrap();
        erased += swept.erased;
        more = swept.more;
        world.crash().await;
        assert_gone(&world, &room).await;
    }
    assert_eq!(erased, 1);
}

async fn the_session_key_stays<X: Backend>() {
    let mut world = World::<X>::new().await;
    let key = world.store().session_key().await.unwrap();
    assert_eq!(world.store().session_key().await.unwrap(), key);
    world.reopen().await;
    assert_eq!(world.store().session_key().await.unwrap(), key);
    assert_ne!(key, [0; 32]);
    let other = World::<X>::new().await;
    assert_ne!(other.store().session_key().await.unwrap(), key);
}

async fn the_identity_stays<X: Backend>() {
    let mut world = World::<X>::new().await;
    let identity = world.store().identity().await.unwrap();
    world.reopen().await;
    assert_eq!(world.store().identity().await.unwrap(), identity);
    let other = World::<X>::new().await;
    assert_ne!(other.store().identity().await.unwrap(), identity);
}

async fn a_closed_store_takes_nothing_more<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await;
    let store = world.store();
    let last = store.append(draft(room.room, A, "a1", "x"));
    let (first, second) = (store.close(), store.close());
    assert!(last.await.is_ok());
    first.await.unwrap();
    second.await.unwrap();
    let late = store.append(draft(room.room, A, "a2", "y")).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))));
    let late = store
        .page(room.room, A, Seq::ZERO, PageLimit::entries(1))
        .await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))));
    assert!(store.relations(room.parties[0].session).await.is_err());
    assert!(store.ready().await.is_err());
    store.close().await.unwrap();
}

async fn a_store_is_ready<X: Backend>() {
    let world = World::<X>::with(rules()).await;
    world.store().ready().await.unwrap();
}

async fn depart<X: Backend>(world: &World<X>, room: &Pairing, side: Side) {
    let store = world.store();
    let gone = store.depart(room.room, side, address(side), ReadState::default());
    assert!(gone.await.unwrap().is_some());
}

async fn leave<X: Backend>(world: &World<X>, room: &Pairing) {
    let left = world.store().close_room(room.room, A, LeaveReason::Left);
    assert!(left.await.unwrap());
}

async fn assert_departed<X: Backend>(
    world: &World<X>,
    room: &Pairing,
    side: Side,
    reason: LeaveReason,
) {
    let expected = EntryKind::Departure { side, reason };
    let log = world.replay(room.room, A).await;
    assert_eq!(log.last().map(|entry| &entry.kind), Some(&expected));
    assert_eq!(world.sink().of(room.room), log);
    let state = world.store().room(room.room).await.unwrap().unwrap();
    assert!(!state.active());
}

async fn assert_gone<X: Backend>(world: &World<X>, room: &Pairing) {
    let store = world.store();
    let id = room.room;
    assert_eq!(store.room(id).await.unwrap(), None);
    assert_eq!(
        store
            .page(id, A, Seq::ZERO, PageLimit::entries(5))
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        store
            .arrive(id, SideClaim::Side(A), address(A))
            .await
            .unwrap(),
        None
    );
    assert!(store.positions(vec![id]).await.unwrap().is_empty());
    let session = room.parties[0].session;
    assert!(store.open_rooms(session).await.unwrap().is_empty());
}
