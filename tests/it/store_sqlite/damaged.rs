//! Damaged rows: they harm their own room only, and time takes it away like any other, without stumbling over it.

use miyu::domain::id::{Seq, Side};
use miyu::store::{Appended, PageLimit, StoreError};

use crate::support::store::{Sqlite, World, draft, rules};

const A: Side = Side::A;

#[tokio::test]
async fn a_damaged_log_harms_its_own_room_only() {
    let mut world = World::<Sqlite>::new().await;
    let (bad, good) = (world.room().await.room, world.room().await.room);
    for room in [bad, good] {
        for n in 0..3 {
            world.say(room, A, &format!("a{n}"), "x").await;
        }
    }
    world.close().await;
    let conn = rusqlite::Connection::open(world.backend.path()).unwrap();
    let cut = "DELETE FROM entries WHERE seq = 2 AND room = (SELECT min(no) FROM rooms)";
    assert_eq!(conn.execute(cut, []).unwrap(), 1);
    conn.close().unwrap();
    world.open().await;
    let store = world.store().clone();
    let hurt = store.append(draft(bad, A, "a9", "x"));
    let well = store.append(draft(good, A, "a9", "x"));
    assert!(matches!(hurt.await, Err(StoreError::Corrupt(_))));
    assert!(matches!(well.await, Ok(Appended::Done(_))));
    let page = store.page(bad, A, Seq::ZERO, PageLimit::entries(5)).await;
    assert!(matches!(page, Err(StoreError::Corrupt(_))), "{page:?}");
    drop(store);
    time_takes_all_away(&mut world).await;
}

#[tokio::test]
async fn a_damaged_row_keeps_no_other_room_from_its_end() {
    for damage in [
        "session_a = x'00'",
        "session_b = x''",
        "people = '{'",
        "common_tags = '5'",
        "id = x'0102'",
    ] {
        let mut world = World::<Sqlite>::new().await;
        for _ in 0..2 {
            let room = world.room().await.room;
            world.say(room, A, "a1", "x").await;
        }
        world.close().await;
        let conn = rusqlite::Connection::open(world.backend.path()).unwrap();
        let first = format!("UPDATE rooms SET {damage} WHERE no = (SELECT min(no) FROM rooms)");
        assert_eq!(conn.execute(&first, []).unwrap(), 1, "{damage}");
        conn.close().unwrap();
        world.open().await;
        time_takes_all_away(&mut world).await;
    }
}

/// Rooms are closed after the grace and erased after the retention, with all that is of them.
async fn time_takes_all_away(world: &mut World<Sqlite>) {
    for wait in [rules().reconnect_grace, rules().retention] {
        world.advance(wait);
        while world.store().sweep().await.unwrap().more {}
    }
    world.close().await;
    let conn = rusqlite::Connection::open(world.backend.path()).unwrap();
    for table in ["entries", "rooms", "members"] {
        let count = format!("SELECT count(*) FROM {table}");
        let left: i64 = conn.query_row(&count, [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "{table}");
    }
}
