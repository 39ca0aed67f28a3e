//! Recent partners, and whether a session is in a room.

use miyu::domain::LeaveReason;
use miyu::domain::id::{RoomId, SessionId, Side};

use super::Sqlite;
use super::blocks::DAY;
use crate::support::store::{Backend, World, pairing_of};

super::for_each_backend! {
    recent_partners_are_the_last_ten
    what_was_called_for_before_is_known
    a_fresh_session_is_known_from_the_first_write_that_names_it
    a_session_is_not_its_own_recent_partner
    rooms_with_oneself_hide_no_partner
    a_session_with_a_side_in_an_open_room_is_in_a_room
    erased_rooms_are_no_memory
}

async fn recent_partners_are_the_last_ten<X: Backend>() {
    let mut world = World::<X>::new().await;
    let me = SessionId::fresh();
    let mut partners = Vec::new();
    for n in 0..13 {
        let you = SessionId::fresh();
        let pairing = if n % 2 == 0 {
            pairing_of(me, you)
        } else {
            pairing_of(you, me)
        };
        world.store().create_room(&pairing).await.unwrap();
        if n % 3 != 0 {
            let closed = world
                .store()
                .close_room(pairing.room, Side::A, LeaveReason::Left);
            assert!(closed.await.unwrap());
        }
        partners.push(you);
    }
    // Meeting a partner again counts as new.
    let again = pairing_of(me, partners[5]);
    world.store().create_room(&again).await.unwrap();
    let old = partners.remove(5);
    partners.push(old);
    let expected: Vec<SessionId> = partners.iter().rev().take(10).copied().collect();
    for _ in 0..2 {
        let recent = world.store().relations(me).await.unwrap().recent;
        assert_eq!(recent, expected);
        world.crash().await;
    }
}

async fn a_session_is_not_its_own_recent_partner<X: Backend>() {
    let world = World::<X>::new().await;
    let me = SessionId::fresh();
    let store = world.store();
    store.create_room(&pairing_of(me, me)).await.unwrap();
    assert!(store.relations(me).await.unwrap().recent.is_empty());
}

async fn what_was_called_for_before_is_known<X: Backend>() {
    let world = World::<X>::new().await;
    let store = world.store();
    for _ in 0..20 {
        let (me, you) = (SessionId::fresh(), SessionId::fresh());
        let pairing = pairing_of(me, you);
        let (made, mine, yours) = tokio::join!(
            store.create_room(&pairing),
            store.relations(me),
            store.relations(you)
        );
        made.unwrap();
        assert!(mine.unwrap().in_room && yours.unwrap().in_room);
        let (blocked, mine, yours) = tokio::join!(
            store.block(me, you, RoomId::fresh()),
            store.relations(me),
            store.relations(you)
        );
        blocked.unwrap();
        assert_eq!(mine.unwrap().blocked, [you]);
        assert_eq!(yours.unwrap().blocked, [me]);
    }
}

async fn a_fresh_session_is_known_from_the_first_write_that_names_it<X: Backend>() {
    let mut world = World::<X>::new().await;
    let [me, you, alone] = [(); 3].map(|()| SessionId::fresh());
    let store = world.store();
    for session in [me, you, alone] {
        store.note_fresh_session(session);
        assert_eq!(store.relations(session).await.unwrap(), Default::default());
    }
    let (made, mine, yours) = tokio::join!(
        store.create_room(&pairing_of(me, you)),
        store.relations(me),
        store.relations(you)
    );
    made.unwrap();
    assert!(mine.unwrap().in_room && yours.unwrap().in_room);
    let [by, whom] = [(); 2].map(|()| SessionId::fresh());
    store.note_fresh_session(by);
    store.note_fresh_session(whom);
    let (blocked, mine, yours) = tokio::join!(
        store.block(by, whom, RoomId::fresh()),
        store.relations(by),
        store.relations(whom)
    );
    blocked.unwrap();
    assert_eq!(mine.unwrap().blocked, [whom]);
    assert_eq!(yours.unwrap().blocked, [by]);
    world.crash().await;
    let store = world.store();
    assert_eq!(store.relations(alone).await.unwrap(), Default::default());
    assert_eq!(store.relations(me).await.unwrap().recent, [you]);
}

async fn rooms_with_oneself_hide_no_partner<X: Backend>() {
    let world = World::<X>::new().await;
    let (me, you) = (SessionId::fresh(), SessionId::fresh());
    let store = world.store();
    store.create_room(&pairing_of(me, you)).await.unwrap();
    for _ in 0..70 {
        let own = pairing_of(me, me);
        store.create_room(&own).await.unwrap();
        let closed = store.close_room(own.room, Side::A, LeaveReason::Left);
        assert!(closed.await.unwrap());
    }
    assert_eq!(store.relations(me).await.unwrap().recent, [you]);
}

async fn a_session_with_a_side_in_an_open_room_is_in_a_room<X: Backend>() {
    let mut world = World::<X>::new().await;
    let (me, you, both) = (SessionId::fresh(), SessionId::fresh(), SessionId::fresh());
    let own = pairing_of(both, both);
    let old = pairing_of(me, you);
    for pairing in [&own, &old] {
        world.store().create_room(pairing).await.unwrap();
    }
    // More rooms came and went since than anybody looks through.
    for _ in 0..70 {
        let short = pairing_of(you, SessionId::fresh());
        world.store().create_room(&short).await.unwrap();
        let closed = world
            .store()
            .close_room(short.room, Side::A, LeaveReason::Left);
        assert!(closed.await.unwrap());
    }
    for _ in 0..2 {
        for session in [me, you, both] {
            assert!(world.store().relations(session).await.unwrap().in_room);
        }
        world.crash().await;
    }
    for pairing in [own, old] {
        let closed = world
            .store()
            .close_room(pairing.room, Side::B, LeaveReason::Left);
        assert!(closed.await.unwrap());
    }
    for session in [me, you, both, SessionId::fresh()] {
        assert!(!world.store().relations(session).await.unwrap().in_room);
    }
}

async fn erased_rooms_are_no_memory<X: Backend>() {
    let world = World::<X>::new().await;
    let (me, you) = (SessionId::fresh(), SessionId::fresh());
    let pairing = pairing_of(me, you);
    let store = world.store();
    store.create_room(&pairing).await.unwrap();
    let closed = store.close_room(pairing.room, Side::A, LeaveReason::Left);
    assert!(closed.await.unwrap());
    assert_eq!(store.relations(you).await.unwrap().recent, [me]);
    world.advance(DAY);
    while store.sweep().await.unwrap().more {}
    assert!(store.relations(you).await.unwrap().recent.is_empty());
}
