//! Who is there: arriving, departing, taking over, coming back.

use miyu::domain::LeaveReason;
use miyu::domain::id::{Address, NodeId, Seq, SessionId, Side};
use miyu::store::{Arrival, ReadState, SideClaim};

use super::Sqlite;
use crate::support::store::{Backend, World, address, pairing_of};

const A: Side = Side::A;
const B: Side = Side::B;

super::for_each_backend! {
    arriving_joins_and_ends_the_absence
    departing_begins_an_absence
    a_takeover_outlives_the_departure_of_the_old
    each_coming_and_going_has_a_higher_version
    coming_back_replaces_no_other_connection
    a_session_with_both_sides_takes_them_one_after_the_other
    a_closed_room_is_arrived_at_unchanged
}

async fn arriving_joins_and_ends_the_absence<X: Backend>() {
    let mut world = World::<X>::new().await;
    let pairing = world.room_unvisited().await;
    let joined = world.setting.now.get();
    let store = world.store().clone();
    let arrival = store
        .arrive(pairing.room, SideClaim::Side(A), address(A))
        .await;
    let Arrival { room, side, .. } = arrival.unwrap().unwrap();
    assert_eq!(side, A);
    assert_eq!(room.side(A).joined_at, Some(joined));
    assert_eq!(room.side(A).connection, Some(address(A)));
    assert_eq!(room.side(B).joined_at, None);
    assert_eq!(store.room(pairing.room).await.unwrap(), Some(room));
    drop(store);
    world.advance(std::time::Duration::from_secs(5));
    world.reopen().await;
    let room = world.store().room(pairing.room).await.unwrap().unwrap();
    assert_eq!(room.side(A).joined_at, Some(joined));
    assert_eq!(room.side(A).connection, None);
    assert_eq!(room.side(A).away_since, Some(world.setting.now.get()));
    assert_eq!(room.side(B).away_since, None);
    world.advance(std::time::Duration::from_secs(5));
    let arrival = world
        .store()
        .arrive(pairing.room, SideClaim::Side(A), address(A));
    let Arrival { room, .. } = arrival.await.unwrap().unwrap();
    assert_eq!(room.side(A).joined_at, Some(joined));
    assert_eq!(room.side(A).away_since, None);
}

async fn departing_begins_an_absence<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, B, "b1", "x").await;
    let store = world.store();
    let read_state = ReadState {
        cursor: Seq(1),
        read: Seq::ZERO,
    };
    let departed = store.depart(room, A, address(A), read_state).await.unwrap();
    let state = store.room(room).await.unwrap().unwrap();
    assert_eq!(state.side(A).away_since, Some(world.setting.now.get()));
    assert_eq!(departed, Some(state.side(A).version));
    assert_eq!(state.side(A).connection, None);
    assert_eq!(state.side(A).cursor, Seq(1));
    assert!(state.side(B).online());
    let departed = store.depart(room, A, address(A), read_state).await;
    assert_eq!(departed.unwrap(), None);
}

async fn a_takeover_outlives_the_departure_of_the_old<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, B, "b1", "x").await;
    let store = world.store();
    let newer = Address {
        node: NodeId(9),
        number: u64::MAX,
    };
    store
        .arrive(room, SideClaim::Side(A), newer)
        .await
        .unwrap()
        .unwrap();
    let read_state = ReadState {
        cursor: Seq(1),
        read: Seq(1),
    };
    let departed = store.depart(room, A, address(A), read_state).await;
    assert_eq!(departed.unwrap(), None);
    let state = store.room(room).await.unwrap().unwrap();
    assert_eq!(state.side(A).connection, Some(newer));
    assert_eq!(state.side(A).away_since, None);
    assert_eq!((state.side(A).cursor, state.side(A).read), (Seq(1), Seq(1)));
    let departed = store.depart(room, A, newer, read_state).await.unwrap();
    assert!(departed.is_some());
}

async fn each_coming_and_going_has_a_higher_version<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room_unvisited().await.room;
    let mut versions = Vec::new();
    for number in 1..4 {
        let connection = Address {
            node: NodeId(7),
            number,
        };
        let arrival = world
            .store()
            .arrive(room, SideClaim::Side(A), connection)
            .await;
        versions.push(arrival.unwrap().unwrap().room.side(A).version);
        if number == 2 {
            let gone = world
                .store()
                .depart(room, A, connection, ReadState::default());
            versions.push(gone.await.unwrap().expect("it spoke"));
        }
    }
    world.reopen().await;
    let arrival = world
        .store()
        .arrive(room, SideClaim::Side(A), address(A))
        .await;
    let state = arrival.unwrap().unwrap().room;
    versions.push(state.side(A).version);
    assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
    assert_eq!(state.side(B).version, 0);
}

async fn coming_back_replaces_no_other_connection<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let newer = Address {
        node: NodeId(7),
        number: 9,
    };
    let store = world.store();
    store.arrive(room, SideClaim::Side(A), newer).await.unwrap();
    let before = store.room(room).await.unwrap();
    let passed = store.arrive(room, SideClaim::IfFree(A), address(A)).await;
    assert_eq!(passed.unwrap().map(|it| it.room), before);
    assert_eq!(store.room(room).await.unwrap(), before);
    let gone = store.depart(room, A, newer, ReadState::default()).await;
    let back = store.arrive(room, SideClaim::IfFree(A), address(A)).await;
    let presence = back.unwrap().unwrap().room.side(A).presence();
    assert_eq!(presence.speaker, Some(address(A)));
    assert!(Some(presence.version) > gone.unwrap());
}

async fn a_session_with_both_sides_takes_them_one_after_the_other<X: Backend>() {
    let world = World::<X>::new().await;
    let (session, stranger) = (SessionId::fresh(), SessionId::fresh());
    let pairing = pairing_of(session, session);
    let store = world.store();
    store.create_room(&pairing).await.unwrap();
    let (first, second, third) = tokio::join!(
        store.arrive(pairing.room, SideClaim::FreeSideOf(session), address(A)),
        store.arrive(pairing.room, SideClaim::FreeSideOf(session), address(B)),
        store.arrive(pairing.room, SideClaim::FreeSideOf(stranger), address(B)),
    );
    let sides = [first, second].map(|arrival| arrival.unwrap().unwrap().side);
    assert!(sides.contains(&A) && sides.contains(&B), "{sides:?}");
    assert_eq!(third.unwrap(), None);
    let newer = Address {
        node: NodeId(7),
        number: 9,
    };
    let place = SideClaim::FreeSideOf(session);
    let arrival = store.arrive(pairing.room, place, newer).await;
    assert_eq!(arrival.unwrap().unwrap().side, A);
}

async fn a_closed_room_is_arrived_at_unchanged<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room_unvisited().await.room;
    let store = world.store();
    assert!(store.close_room(room, B, LeaveReason::Left).await.unwrap());
    let before = store.room(room).await.unwrap();
    let arrival = store.arrive(room, SideClaim::Side(A), address(A)).await;
    assert_eq!(arrival.unwrap().map(|it| it.room), before);
    assert_eq!(store.room(room).await.unwrap(), before);
}
