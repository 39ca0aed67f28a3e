//! Damaged rows: they harm their own room only, and time takes it away like any other, without stumbling over it.

use miyu::domain::id::{Seq, SessionId, Side};
use miyu::domain::safety::{Actor, Reason, SanctionId, SanctionKind, SettingName};
use miyu::store::safety::{About, HandDraft};
use miyu::store::{Appended, PageLimit, StoreError};

use crate::support::safety::{impose, make_operator, on_session};
use crate::support::store::{Sqlite, World, draft, pairing_of, rules};

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

#[tokio::test]
async fn a_damaged_row_keeps_a_session_from_nothing_else() {
    let mut world = World::<Sqlite>::new().await;
    let [me, other, third] = [(); 3].map(|()| SessionId::fresh());
    let rooms = [pairing_of(me, other), pairing_of(me, third)];
    for pairing in &rooms {
        world.store().create_room(pairing).await.unwrap();
        let blocked = pairing.parties[1].session;
        let blocking = world.store().block(me, blocked, pairing.room);
        blocking.await.unwrap();
    }
    world.close().await;
    let conn = rusqlite::Connection::open(world.backend.path()).unwrap();
    for damage in [
        "UPDATE rooms SET id = x'00' WHERE no = (SELECT min(no) FROM rooms)",
        "UPDATE blocks SET whom = x'00' WHERE no = (SELECT min(no) FROM blocks)",
    ] {
        assert_eq!(conn.execute(damage, []).unwrap(), 1, "{damage}");
    }
    conn.close().unwrap();
    world.open().await;
    let open = world.store().open_rooms(me).await.unwrap();
    let open: Vec<_> = open.iter().map(|room| room.id).collect();
    assert_eq!(open, [rooms[1].room]);
    let relations = world.store().relations(me).await.unwrap();
    assert_eq!(relations.blocked, [third]);
    world.close().await;
}

#[tokio::test]
async fn a_damaged_row_keeps_no_decision_from_being_seen_or_followed() {
    let mut world = World::<Sqlite>::new().await;
    let them = SessionId::fresh();
    make_operator(&**world.safety()).await;
    for _ in 0..2 {
        impose(
            &**world.safety(),
            on_session(them, SanctionKind::Mute, None),
        )
        .await;
        let draft = HandDraft {
            by: Actor::Local,
            about: About::Session(SessionId::fresh()),
            reason: Reason::Spam,
            note: String::new(),
        };
        world.safety().open_by_hand(draft).await.unwrap();
    }
    for name in [SettingName::Broadcast, SettingName::Templates] {
        let put = world
            .safety()
            .put_setting(name, Some("[]".into()), None, Actor::Local);
        put.await.unwrap();
    }
    world.close().await;
    let conn = rusqlite::Connection::open(world.backend.path()).unwrap();
    for damage in [
        "UPDATE sanctions SET kind = 99 WHERE no = (SELECT min(no) FROM sanctions)",
        "UPDATE notices SET kind = 99 WHERE no = (SELECT max(no) FROM notices)",
        "UPDATE cases SET state = 99 WHERE no = (SELECT min(no) FROM cases)",
        "UPDATE settings SET name = 'of another time' WHERE name = 'broadcast'",
    ] {
        assert_eq!(conn.execute(damage, []).unwrap(), 1, "{damage}");
    }
    conn.close().unwrap();
    world.open().await;
    let safety = world.safety();
    let force = safety.sanctions_in_force(SanctionId(0)).await.unwrap();
    assert_eq!((force.sanctions.len(), force.more), (1, false));
    let since = safety.sanctions_since(SanctionId(0)).await.unwrap();
    assert_eq!(since, force.sanctions);
    assert_eq!(safety.notices(them).await.unwrap().len(), 1);
    assert_eq!(safety.queue().await.unwrap().len(), 1);
    let set = safety.settings().await.unwrap();
    let names: Vec<_> = set.iter().map(|it| it.name).collect();
    assert_eq!(names, [SettingName::Templates]);
    world.close().await;
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
