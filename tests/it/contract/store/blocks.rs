//! Blocks: who meets no more, for how long, and how they are lifted.

use std::time::Duration;

use miyu::domain::id::{RoomId, Seq, SessionId, Side};
use miyu::domain::{Mark, MessageRef};
use miyu::store::Store;

use super::Sqlite;
use crate::support::store::{Backend, World, draft, pairing_of};

super::for_each_backend! {
    a_block_counts_for_both
    blocking_twice_or_oneself_changes_nothing
    a_session_keeps_its_newest_blocks
    blocks_expire_unless_used
    a_block_of_a_silent_side_holds_for_a_day
    a_block_after_a_word_is_never_shortened
    a_crowd_of_blocks_is_told_in_part_and_counts_whole
    marks_are_held_for_a_day_by_the_one_who_blocked
    a_forgotten_session_keeps_no_blocks
    own_blocks_are_told_by_their_rooms
    a_block_that_is_lifted_holds_no_more
    two_rooms_of_one_person_are_two_blocks
}

pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

async fn a_block_counts_for_both<X: Backend>() {
    let mut world = World::<X>::new().await;
    let (me, you, them) = (SessionId::fresh(), SessionId::fresh(), SessionId::fresh());
    world.store().block(me, you, RoomId::fresh()).await.unwrap();
    world
        .store()
        .block(them, me, RoomId::fresh())
        .await
        .unwrap();
    for _ in 0..2 {
        let store = world.store();
        let mut mine = store.relations(me).await.unwrap().blocked;
        let mut expected = vec![you, them];
        mine.sort_unstable();
        expected.sort_unstable();
        assert_eq!(mine, expected);
        assert_eq!(store.relations(you).await.unwrap().blocked, [me]);
        assert_eq!(store.relations(them).await.unwrap().blocked, [me]);
        let stranger = store.relations(SessionId::fresh()).await.unwrap();
        assert_eq!(stranger, Default::default());
        world.crash().await;
    }
}

async fn blocking_twice_or_oneself_changes_nothing<X: Backend>() {
    let world = World::<X>::new().await;
    let (me, you) = (SessionId::fresh(), SessionId::fresh());
    let store = world.store();
    store.block(me, me, RoomId::fresh()).await.unwrap();
    assert!(store.relations(me).await.unwrap().blocked.is_empty());
    for (by, whom) in [(me, you), (me, you), (you, me)] {
        store.block(by, whom, RoomId::fresh()).await.unwrap();
    }
    assert_eq!(store.relations(me).await.unwrap().blocked, [you]);
}

async fn a_session_keeps_its_newest_blocks<X: Backend>() {
    let world = World::<X>::new().await;
    let (me, store) = (SessionId::fresh(), world.store());
    let whom: Vec<SessionId> = (0..5).map(|_| SessionId::fresh()).collect();
    for you in &whom {
        store.block(me, *you, RoomId::fresh()).await.unwrap();
    }
    let mut kept = store.relations(me).await.unwrap().blocked;
    let mut expected = whom[2..].to_vec();
    kept.sort_unstable();
    expected.sort_unstable();
    assert_eq!(kept, expected);
    assert!(store.relations(whom[0]).await.unwrap().blocked.is_empty());
}

async fn a_forgotten_session_keeps_no_blocks<X: Backend>() {
    let mut world = World::<X>::new().await;
    let (me, you, them) = (SessionId::fresh(), SessionId::fresh(), SessionId::fresh());
    for (by, whom, marks) in [(me, you, 1), (them, me, 2), (them, you, 3)] {
        let mut pairing = pairing_of(by, whom);
        pairing.parties[1].marks = vec![Mark(marks)];
        world.store().create_room(&pairing).await.unwrap();
        world.store().block(by, whom, pairing.room).await.unwrap();
    }
    assert_eq!(world.store().relations(me).await.unwrap().held, [Mark(1)]);
    for _ in 0..2 {
        let store = world.store();
        store.forget(me).await.unwrap();
        assert_eq!(store.relations(you).await.unwrap().blocked, [them]);
        // What others asked for is theirs: a copy of the cookie must not undo it.
        let mine = store.relations(me).await.unwrap();
        assert_eq!(mine.blocked, [them]);
        assert!(mine.held.is_empty());
        let mut theirs = store.relations(them).await.unwrap().held;
        theirs.sort_unstable();
        assert_eq!(theirs, [Mark(2), Mark(3)]);
        world.crash().await;
    }
}

async fn blocks_expire_unless_used<X: Backend>() {
    let world = World::<X>::new().await;
    let (used, unused, you) = (SessionId::fresh(), SessionId::fresh(), SessionId::fresh());
    let store = world.store();
    for by in [used, unused] {
        let room = spoken(&**store, by, you).await;
        store.block(by, you, room).await.unwrap();
    }
    for _ in 0..4 {
        world.advance(10 * DAY);
        assert_eq!(store.relations(used).await.unwrap().blocked, [you]);
        while store.sweep().await.unwrap().more {}
    }
    assert_eq!(store.relations(you).await.unwrap().blocked, [used]);
    assert!(store.relations(unused).await.unwrap().blocked.is_empty());
}

/// A room of these two in which the second one has said something.
async fn spoken(store: &dyn Store, by: SessionId, whom: SessionId) -> RoomId {
    let pairing = pairing_of(by, whom);
    store.create_room(&pairing).await.unwrap();
    let said = draft(pairing.room, Side::B, "b-1", "hello");
    store.append(said).await.unwrap();
    pairing.room
}

const HOUR: Duration = Duration::from_secs(3600);

async fn a_block_of_a_silent_side_holds_for_a_day<X: Backend>() {
    let world = World::<X>::new().await;
    let (me, you, store) = (SessionId::fresh(), SessionId::fresh(), world.store());
    let pairing = pairing_of(me, you);
    store.create_room(&pairing).await.unwrap();
    let mine = draft(pairing.room, Side::A, "a-1", "hello");
    store.append(mine).await.unwrap();
    store.block(me, you, pairing.room).await.unwrap();
    world.advance(23 * HOUR);
    while store.sweep().await.unwrap().more {}
    assert_eq!(store.relations(me).await.unwrap().blocked, [you]);
    assert_eq!(store.relations(you).await.unwrap().blocked, [me]);
    world.advance(2 * HOUR);
    for _ in 0..2 {
        assert!(store.relations(me).await.unwrap().blocked.is_empty());
        assert!(store.relations(you).await.unwrap().blocked.is_empty());
        while store.sweep().await.unwrap().more {}
    }
}

async fn a_block_after_a_word_is_never_shortened<X: Backend>() {
    let mut world = World::<X>::new().await;
    let (me, you) = (SessionId::fresh(), SessionId::fresh());
    let store = world.store();
    let room = spoken(&**store, me, you).await;
    // What was said counts, also when it was taken back.
    let taken_back = store.recall(room, Side::B, MessageRef::Seq(Seq(1)), None);
    taken_back.await.unwrap();
    store.block(me, you, room).await.unwrap();
    store.block(me, you, RoomId::fresh()).await.unwrap();
    world.advance(2 * DAY);
    while store.sweep().await.unwrap().more {}
    assert_eq!(store.relations(me).await.unwrap().blocked, [you]);
    world.crash().await;
    let store = world.store();
    assert_eq!(store.relations(you).await.unwrap().blocked, [me]);
}

async fn a_crowd_of_blocks_is_told_in_part_and_counts_whole<X: Backend>() {
    let world = World::<X>::new().await;
    let (me, store) = (SessionId::fresh(), world.store());
    let crowd: Vec<SessionId> = (0..7).map(|_| SessionId::fresh()).collect();
    for by in &crowd {
        store.block(*by, me, RoomId::fresh()).await.unwrap();
    }
    let mut told = store.relations(me).await.unwrap().blocked;
    let mut newest = crowd[4..].to_vec();
    told.sort_unstable();
    newest.sort_unstable();
    assert_eq!(told, newest);
    for by in crowd {
        assert_eq!(store.relations(by).await.unwrap().blocked, [me]);
    }
}

async fn marks_are_held_for_a_day_by_the_one_who_blocked<X: Backend>() {
    let mut world = World::<X>::new().await;
    let (me, you) = (SessionId::fresh(), SessionId::fresh());
    let mut pairing = pairing_of(me, you);
    pairing.parties[0].marks = vec![Mark(1)];
    pairing.parties[1].marks = vec![Mark(2), Mark(u64::MAX)];
    world.store().create_room(&pairing).await.unwrap();
    assert!(world.store().relations(me).await.unwrap().held.is_empty());
    world.store().block(me, you, pairing.room).await.unwrap();
    for _ in 0..2 {
        let mut held = world.store().relations(me).await.unwrap().held;
        held.sort_unstable();
        assert_eq!(held, [Mark(2), Mark(u64::MAX)]);
        assert!(world.store().relations(you).await.unwrap().held.is_empty());
        world.advance(11 * HOUR);
        world.crash().await;
    }
    world.advance(3 * HOUR);
    for _ in 0..2 {
        let store = world.store();
        assert!(store.relations(me).await.unwrap().held.is_empty());
        while store.sweep().await.unwrap().more {}
    }
}

/// The rooms of what this session blocked.
async fn blocked_in(store: &dyn Store, by: SessionId) -> Vec<RoomId> {
    let blocks = store.blocks(by).await.unwrap();
    blocks.into_iter().map(|block| block.room).collect()
}

async fn own_blocks_are_told_by_their_rooms<X: Backend>() {
    let mut world = World::<X>::new().await;
    let (me, you, them) = (SessionId::fresh(), SessionId::fresh(), SessionId::fresh());
    let first = spoken(&**world.store(), me, you).await;
    let began = world.store().room(first).await.unwrap().unwrap().opened_at;
    world.advance(HOUR);
    world.store().block(me, you, first).await.unwrap();
    world.advance(HOUR);
    let silent = pairing_of(me, them);
    world.store().create_room(&silent).await.unwrap();
    world.store().block(me, them, silent.room).await.unwrap();
    for _ in 0..2 {
        let told = world.store().blocks(me).await.unwrap();
        let rooms: Vec<_> = told.iter().map(|it| it.room).collect();
        assert_eq!(rooms, [silent.room, first]);
        let hour = i64::try_from(HOUR.as_millis()).unwrap();
        assert_eq!(told[1].since.0 - began.0, hour);
        assert_eq!(told[0].since.0 - told[1].since.0, hour);
        // The other side is told nothing.
        assert!(blocked_in(&**world.store(), you).await.is_empty());
        world.crash().await;
    }
    // Asked for again, as by a page that was not answered: still one, and of that time.
    let before = world.store().blocks(me).await.unwrap();
    world.store().block(me, you, first).await.unwrap();
    assert_eq!(world.store().blocks(me).await.unwrap(), before);
    // What ends by itself is told no longer.
    world.advance(25 * HOUR);
    assert_eq!(blocked_in(&**world.store(), me).await, [first]);
}

async fn a_block_that_is_lifted_holds_no_more<X: Backend>() {
    let mut world = World::<X>::new().await;
    let (me, you, them) = (SessionId::fresh(), SessionId::fresh(), SessionId::fresh());
    let mut rooms = Vec::new();
    for (by, whom, mark) in [(me, you, 1), (me, them, 2), (you, me, 3)] {
        let mut pairing = pairing_of(by, whom);
        pairing.parties[1].marks = vec![Mark(mark)];
        world.store().create_room(&pairing).await.unwrap();
        world.store().block(by, whom, pairing.room).await.unwrap();
        rooms.push(pairing.room);
    }
    // Of another session, and of a room where nothing was blocked.
    world.store().lift(them, rooms[0]).await.unwrap();
    world.store().lift(me, rooms[2]).await.unwrap();
    assert_eq!(blocked_in(&**world.store(), me).await, [rooms[1], rooms[0]]);
    world.store().lift(me, rooms[1]).await.unwrap();
    for _ in 0..2 {
        let store = world.store();
        assert_eq!(blocked_in(&**store, me).await, [rooms[0]]);
        let mine = store.relations(me).await.unwrap();
        assert_eq!((mine.blocked, mine.held), (vec![you], vec![Mark(1)]));
        assert!(store.relations(them).await.unwrap().blocked.is_empty());
        store.lift(me, rooms[1]).await.unwrap();
        world.crash().await;
    }
    // What the other side blocked is the other side's.
    let store = world.store();
    store.lift(me, rooms[0]).await.unwrap();
    assert_eq!(store.relations(me).await.unwrap().blocked, [you]);
    assert!(store.relations(me).await.unwrap().held.is_empty());
    store.lift(you, rooms[2]).await.unwrap();
    assert!(store.relations(me).await.unwrap().blocked.is_empty());
}

async fn two_rooms_of_one_person_are_two_blocks<X: Backend>() {
    let world = World::<X>::new().await;
    let (me, you, store) = (SessionId::fresh(), SessionId::fresh(), world.store());
    let mut rooms = Vec::new();
    for _ in 0..2 {
        let mut pairing = pairing_of(me, you);
        pairing.parties[1].marks = vec![Mark(7)];
        store.create_room(&pairing).await.unwrap();
        store.block(me, you, pairing.room).await.unwrap();
        rooms.push(pairing.room);
    }
    assert_eq!(blocked_in(&**store, me).await, [rooms[1], rooms[0]]);
    for room in &rooms {
        let mine = store.relations(me).await.unwrap();
        assert_eq!((mine.blocked, mine.held), (vec![you], vec![Mark(7)]));
        store.lift(me, *room).await.unwrap();
    }
    let mine = store.relations(me).await.unwrap();
    assert!(mine.blocked.is_empty() && mine.held.is_empty());
}
