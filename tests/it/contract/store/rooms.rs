//! Rooms: making, arriving, departing, read states, closing.

use miyu::domain::id::{RoomId, Seq, SessionId, Side};
use miyu::domain::{EntryKind, LeaveReason, Position};
use miyu::store::{ReadState, SideClaim, StoreError};

use super::Sqlite;
use crate::support::store::{Backend, World, address, draft, pairing, pairing_of, persona};

const A: Side = Side::A;
const B: Side = Side::B;

super::for_each_backend! {
    a_new_room_is_what_was_paired
    making_a_room_again_changes_nothing
    a_room_of_other_people_is_a_conflict
    a_closed_room_is_not_made_again
    an_unknown_room_is_none
    positions_tell_where_rooms_stand
    marks_never_go_back
    open_rooms_are_told_newest_first
    a_room_of_one_session_is_told_once
    a_room_closes_once_under_fifty_closers
    a_departure_is_the_last_entry_and_published
    open_rooms_are_counted
    a_room_sees_every_earlier_call
}

async fn a_new_room_is_what_was_paired<X: Backend>() {
    let mut world = World::<X>::new().await;
    let pairing = world.room_unvisited().await;
    for _ in 0..2 {
        let room = world.store().room(pairing.room).await.unwrap().unwrap();
        assert_eq!(room.id, pairing.room);
        assert_eq!(room.common_tags, pairing.common_tags);
        assert_eq!(room.opened_at, world.setting.now.get());
        assert!(room.active() && !room.is_bot && room.last_seq == Seq::ZERO);
        for side in Side::BOTH {
            let party = &pairing.parties[side.index()];
            let mine = room.side(side);
            assert_eq!(
                (mine.session, &mine.persona),
                (party.session, &party.persona)
            );
            assert_eq!((mine.joined_at, mine.away_since), (None, None));
            assert!(!mine.online());
        }
        world.reopen().await;
    }
}

async fn making_a_room_again_changes_nothing<X: Backend>() {
    let mut world = World::<X>::new().await;
    let pairing = world.room().await;
    world.say(pairing.room, A, "a1", "x").await;
    world.store().create_room(&pairing).await.unwrap();
    let mut again = pairing.clone();
    again.common_tags.clear();
    world.store().create_room(&again).await.unwrap();
    world.reopen().await;
    world.store().create_room(&pairing).await.unwrap();
    let room = world.store().room(pairing.room).await.unwrap().unwrap();
    assert_eq!(room.last_seq, Seq(1));
    assert_eq!(room.common_tags, pairing.common_tags);
    assert_eq!(world.store().count_open_rooms(), 1);
}

async fn a_room_of_other_people_is_a_conflict<X: Backend>() {
    let mut world = World::<X>::new().await;
    let first = world.room_unvisited().await;
    let mut others = [pairing(), first.clone()];
    others[0].room = first.room;
    others[1].parties[1].persona = persona("丙");
    // Also when nothing of it is remembered but what was stored.
    for _ in 0..2 {
        for other in &others {
            let refused = world.store().create_room(other).await;
            assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
        }
        world.store().create_room(&first).await.unwrap();
        assert_eq!(world.store().count_open_rooms(), 1);
        world.crash().await;
    }
}

async fn a_closed_room_is_not_made_again<X: Backend>() {
    let mut world = World::<X>::new().await;
    let pairing = world.room().await;
    world.say(pairing.room, A, "a1", "x").await;
    let closing = world.store().close_room(pairing.room, B, LeaveReason::Left);
    assert!(closing.await.unwrap());
    let log = world.replay(pairing.room, A).await;
    // Also when nothing of it is remembered but what was stored.
    for _ in 0..2 {
        let again = world.store().create_room(&pairing).await;
        assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
        let room = world.store().room(pairing.room).await.unwrap().unwrap();
        assert!(!room.active());
        assert_eq!(world.replay(pairing.room, A).await, log);
        assert_eq!(world.store().count_open_rooms(), 0);
        world.reopen().await;
    }
}

async fn an_unknown_room_is_none<X: Backend>() {
    let world = World::<X>::new().await;
    let (store, room) = (world.store(), RoomId::fresh());
    assert_eq!(store.room(room).await.unwrap(), None);
    assert_eq!(
        store
            .arrive(room, SideClaim::Side(A), address(A))
            .await
            .unwrap(),
        None
    );
    let read_state = ReadState::default();
    let departed = store.depart(room, A, address(A), read_state).await;
    assert_eq!(departed.unwrap(), None);
    assert!(!store.close_room(room, A, LeaveReason::Left).await.unwrap());
    store.save_read_state(room, A, read_state);
}

async fn positions_tell_where_rooms_stand<X: Backend>() {
    let world = World::<X>::new().await;
    let mut expected = Vec::new();
    for n in 0..5 {
        let room = world.room().await.room;
        for m in 0..n {
            world.say(room, A, &format!("a{m}"), "x").await;
        }
        if n == 3 {
            let gone = world
                .store()
                .depart(room, B, address(B), ReadState::default());
            gone.await.unwrap().expect("it spoke");
        }
        let state = world.store().room(room).await.unwrap().unwrap();
        assert_eq!(state.last_seq, Seq(n));
        assert_eq!(state.side(B).online(), n != 3);
        expected.push(Position {
            room,
            last_seq: state.last_seq,
            presence: [A, B].map(|side| state.side(side).presence()),
        });
    }
    let mut asked: Vec<RoomId> = expected.iter().map(|it| it.room).collect();
    asked.push(RoomId::fresh());
    let mut found = world.store().positions(asked).await.unwrap();
    found.sort_unstable_by_key(|it| it.room);
    expected.sort_unstable_by_key(|it| it.room);
    assert_eq!(found, expected);
}

async fn marks_never_go_back<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await.room;
    for n in 0..5 {
        world.say(room, B, &format!("b{n}"), "x").await;
    }
    let told = |cursor, read| ReadState {
        cursor: Seq(cursor),
        read: Seq(read),
    };
    for read_state in [told(4, 2), told(3, 3), told(0, 0), told(0, 1)] {
        world.store().save_read_state(room, A, read_state);
    }
    for _ in 0..2 {
        let state = world.store().room(room).await.unwrap().unwrap();
        assert_eq!((state.side(A).cursor, state.side(A).read), (Seq(4), Seq(3)));
        assert_eq!(state.side(B).cursor, Seq::ZERO);
        // Closed in good order, read states are kept.
        world.reopen().await;
    }
}

async fn open_rooms_are_told_newest_first<X: Backend>() {
    let world = World::<X>::new().await;
    let (me, store) = (SessionId::fresh(), world.store());
    let mut rooms = Vec::new();
    for n in 0..40 {
        let pairing = if n % 2 == 0 {
            pairing_of(me, SessionId::fresh())
        } else {
            pairing_of(SessionId::fresh(), me)
        };
        store.create_room(&pairing).await.unwrap();
        rooms.push(pairing.room);
    }
    let gone = rooms.remove(37);
    assert!(store.close_room(gone, A, LeaveReason::Left).await.unwrap());
    let told = store.open_rooms(me).await.unwrap();
    let told: Vec<RoomId> = told.iter().map(|room| room.id).collect();
    let expected: Vec<RoomId> = rooms.iter().rev().take(32).copied().collect();
    assert_eq!(told, expected);
    assert!(
        store
            .open_rooms(SessionId::fresh())
            .await
            .unwrap()
            .is_empty()
    );
}

async fn a_room_of_one_session_is_told_once<X: Backend>() {
    let world = World::<X>::new().await;
    let me = SessionId::fresh();
    let pairing = pairing_of(me, me);
    let store = world.store();
    store.create_room(&pairing).await.unwrap();
    let told = store.open_rooms(me).await.unwrap();
    assert_eq!(told.len(), 1);
    assert!(told[0].same_session());
    assert!(
        store
            .close_room(pairing.room, A, LeaveReason::Left)
            .await
            .unwrap()
    );
    assert!(store.open_rooms(me).await.unwrap().is_empty());
}

async fn a_room_closes_once_under_fifty_closers<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    let closers: Vec<_> = (0..50)
        .map(|n| store.close_room(room, Side::BOTH[n % 2], LeaveReason::Left))
        .collect();
    let mut won = 0;
    for closer in closers {
        won += usize::from(closer.await.unwrap());
    }
    assert_eq!(won, 1);
    let departures = world.sink().of(room);
    assert_eq!(departures.len(), 1);
    assert_eq!(world.replay(room, B).await, departures);
}

async fn a_departure_is_the_last_entry_and_published<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    let store = world.store().clone();
    assert!(store.close_room(room, B, LeaveReason::Left).await.unwrap());
    drop(store);
    let expected = EntryKind::Departure {
        side: B,
        reason: LeaveReason::Left,
    };
    assert_eq!(world.sink().of(room)[1].kind, expected);
    world.crash().await;
    let mut log = world.replay(room, A).await;
    assert_eq!((log.len(), &log[1].kind), (2, &expected));
    let state = world.store().room(room).await.unwrap().unwrap();
    assert_eq!(
        state.departure.map(|departure| departure.entry()),
        log.pop()
    );
    assert_eq!(state.last_seq, Seq(2));
    let again = world.store().close_room(room, A, LeaveReason::Timeout);
    assert!(!again.await.unwrap());
}

async fn open_rooms_are_counted<X: Backend>() {
    let mut world = World::<X>::new().await;
    let first = world.room().await.room;
    world.room_unvisited().await;
    let mut bot = pairing();
    bot.is_bot = true;
    world.store().create_room(&bot).await.unwrap();
    assert_eq!(world.store().count_open_rooms(), 2);
    let left = LeaveReason::Left;
    assert!(world.store().close_room(first, A, left).await.unwrap());
    assert!(world.store().close_room(bot.room, A, left).await.unwrap());
    assert_eq!(world.store().count_open_rooms(), 1);
    world.reopen().await;
    assert_eq!(world.store().count_open_rooms(), 1);
}

async fn a_room_sees_every_earlier_call<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    drop(store.append(draft(room, B, "b1", "x")));
    let read_state = ReadState {
        cursor: Seq(1),
        read: Seq(1),
    };
    store.save_read_state(room, A, read_state);
    drop(store.depart(room, A, address(A), ReadState::default()));
    let state = store.room(room).await.unwrap().unwrap();
    assert_eq!(state.last_seq, Seq(1));
    assert_eq!(state.side(A).read, Seq(1));
    assert!(!state.side(A).online());
}
