//! Rooms that are made with others in one transaction, and people who have just come.

use miyu::domain::Pairing;
use miyu::domain::id::{RoomId, SessionId, Side};
use miyu::store::{
    Appended, Entries as _, Pending, Relations as _, RelationsOf, Rooms as _, StoreError,
    Upkeep as _,
};

use super::{hold, one_batch, setting};
use crate::support::store::{Backend as _, Sqlite, draft, pairing, pairing_of, tiny};

/// The relations of a fresh session are known without a read: also when no read is possible.
#[tokio::test]
async fn a_fresh_session_is_not_looked_up() {
    // Its folder stays as long as it is used.
    let backend = Sqlite::fresh().await;
    let store = backend.open_with(&setting(), tiny());
    let [fresh, named, other] = [(); 3].map(|()| SessionId::fresh());
    store.note_fresh_session(fresh);
    store.note_fresh_session(named);
    store.block(named, other, RoomId::fresh()).await.unwrap();
    store.close().await.unwrap();
    let known = store.relations(fresh).await;
    assert_eq!(known.unwrap(), RelationsOf::default());
    for session in [named, other] {
        let unknown = store.relations(session).await;
        assert!(
            matches!(unknown, Err(StoreError::Unavailable(_))),
            "{unknown:?}"
        );
    }
}

/// A member that is in the way: nothing of its room may stay, nor of those made together with it.
#[tokio::test]
async fn half_a_room_is_none() {
    let (setting, backend) = (setting(), Sqlite::fresh().await);
    let store = backend.open_with(&setting, one_batch());
    let [there, good, bad] = [(); 3].map(|()| pairing());
    store.create_room(&there).await.unwrap();
    let first = hold(&setting, &store, there.room).await;
    let conn = rusqlite::Connection::open(backend.path()).unwrap();
    let obstacle = "INSERT INTO members (session, open, room, side, partner) \
         SELECT ?1, 1, max(no) + 2, 1, x'00' FROM rooms";
    let session = bad.parties[1].session;
    assert_eq!(conn.execute(obstacle, [session.0]).unwrap(), 1);
    let batch = [&good, &bad].map(|pairing| store.create_room(pairing));
    setting.sink.release();
    assert!(matches!(first.await, Ok(Appended::Done(_))));
    for pending in batch {
        let refused = pending.await;
        assert!(
            matches!(refused, Err(StoreError::Unavailable(_))),
            "{refused:?}"
        );
    }
    assert_eq!(store.count_open_rooms(), 1);
    for pairing in [&good, &bad] {
        assert_eq!(store.room(pairing.room).await.unwrap(), None);
    }
    assert_eq!(
        conn.execute("DELETE FROM members WHERE partner = x'00'", [])
            .unwrap(),
        1
    );
    for pairing in [&bad, &good] {
        store.create_room(pairing).await.unwrap();
    }
    assert_eq!(store.count_open_rooms(), 3);
    let members: i64 = conn
        .query_row("SELECT count(*) FROM members", [], |row| row.get(0))
        .unwrap();
    assert_eq!(members, 6);
}

/// A room that was made before and is remembered no more is asked for again amid others.
#[tokio::test]
async fn a_room_asked_for_twice_harms_none_of_its_batch() {
    let (setting, backend) = (setting(), Sqlite::fresh().await);
    let store = backend.open_with(&setting, one_batch());
    // Two are remembered.
    let before = [(); 4].map(|()| pairing());
    for pairing in &before {
        store.create_room(pairing).await.unwrap();
    }
    let first = hold(&setting, &store, before[3].room).await;
    let [one, two] = [(); 2].map(|()| pairing());
    let others = Pairing {
        room: before[0].room,
        ..pairing_of(SessionId::fresh(), SessionId::fresh())
    };
    let make = |pairing: &Pairing| store.create_room(pairing);
    let (one_made, again) = (make(&one), make(&before[0]));
    let (taken, two_made) = (make(&others), make(&two));
    let say = |room: RoomId| -> Pending<Appended> { store.append(draft(room, Side::A, "a1", "x")) };
    let said = [say(one.room), say(before[0].room), say(two.room)];
    setting.sink.release();
    assert!(matches!(first.await, Ok(Appended::Done(_))));
    for made in [one_made, again, two_made] {
        made.await.unwrap();
    }
    let taken = taken.await;
    assert!(matches!(taken, Err(StoreError::Conflict)), "{taken:?}");
    for said in said {
        assert!(matches!(said.await, Ok(Appended::Done(_))));
    }
    assert_eq!(store.count_open_rooms(), 6);
}
