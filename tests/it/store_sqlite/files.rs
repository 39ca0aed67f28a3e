//! Opening: locks, rights, files that are not ours, newer or damaged ones.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use miyu::domain::MessageRef;
use miyu::domain::id::{RoomId, Seq, Side};
use miyu::store::sqlite::SqliteOpenError;
use miyu::store::{Appended, Recalled, Refusal, SideClaim, StoreError, Upkeep as _};

use super::{open, place};
use crate::support::store::{Sqlite, World, address};

const A: Side = Side::A;
const B: Side = Side::B;

fn refusal(path: &Path) -> SqliteOpenError {
    match open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

#[test]
fn a_second_opening_names_the_lock() {
    let (_folder, path) = place();
    let first = open(&path).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, SqliteOpenError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("miyu.db.lock"), "{error}");
    drop(first);
    open(&path).unwrap();
}

/// A process that is forked has every open file until it executes something.
#[test]
fn a_process_forked_meanwhile_does_not_keep_the_lock() {
    let (_folder, path) = place();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    Command::new("true").status().unwrap();
                }
            });
        }
        let opened = (0..60).all(|_| open(&path).is_ok());
        stop.store(true, Ordering::Relaxed);
        assert!(opened);
    });
}

#[test]
fn a_folder_that_cannot_be_is_named() {
    let (folder, _) = place();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = refusal(&file.join("data").join("miyu.db"));
    assert!(
        matches!(error, SqliteOpenError::Unwritable { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("file/data"), "{error}");
}

#[test]
fn a_database_that_is_a_folder_is_named() {
    let (folder, path) = place();
    std::fs::create_dir(folder.path().join("miyu.db")).unwrap();
    let error = refusal(&path);
    assert!(
        matches!(error, SqliteOpenError::Unwritable { .. }),
        "{error}"
    );
}

#[test]
fn foreign_files_are_left_as_they_are() {
    let (_folder, path) = place();
    for text in ["hello", "a text file that is longer than sixteen bytes"] {
        std::fs::write(&path, text).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, SqliteOpenError::Foreign { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn another_programs_database_is_left_as_it_is() {
    let (_folder, path) = place();
    for sign in [
        "",
        "PRAGMA application_id = 7;",
        "PRAGMA user_version = 3;",
        "PRAGMA journal_mode = WAL;",
    ] {
        let other = rusqlite::Connection::open(&path).unwrap();
        let made = format!("{sign} CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1);");
        other.execute_batch(&made).unwrap();
        other.close().unwrap();
        let before = std::fs::read(&path).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, SqliteOpenError::Foreign { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_newer_schema_is_left_as_it_is() {
    let (_folder, path) = place();
    drop(open(&path).unwrap());
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.execute_batch("PRAGMA user_version = 99").unwrap();
    newer.close().unwrap();
    let error = refusal(&path);
    assert!(matches!(error, SqliteOpenError::Newer { .. }), "{error}");
}

/// A file as the version before wrote it: its rooms count what they hold, and get an age.
#[tokio::test]
async fn an_older_file_is_brought_up_to_date() {
    let mut world = World::<Sqlite>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", &"x".repeat(50)).await;
    world.say(room, A, "a2", &"x".repeat(40)).await;
    recall(&world, room, 2).await;
    let opened = world.setting.now.get();
    world.close().await;
    let older = "ALTER TABLE rooms DROP COLUMN closes_at; ALTER TABLE rooms DROP COLUMN call_for_a; \
        ALTER TABLE rooms DROP COLUMN call_for_b; DROP TABLE marks; DROP TABLE holds; \
        DROP INDEX blocks_until; ALTER TABLE blocks DROP COLUMN until; DROP INDEX entries_reactions; PRAGMA user_version = 2; \
        DELETE FROM refinery_schema_history WHERE version >= 3;";
    let file = rusqlite::Connection::open(world.backend.path()).unwrap();
    file.execute_batch(older).unwrap();
    for migration in [SAFETY, CALLS, SETTINGS, NUMBERED] {
        file.execute_batch(&without_tables(migration)).unwrap();
    }
    file.close().unwrap();

    world.setting.rules.room_bytes = 100;
    world.setting.rules.longest = Duration::from_secs(1000);
    world.open().await;
    assert_eq!(world.replay(room, A).await.len(), 3);
    // 52 + 2 + 2: 44 are left.
    let full = world.append(room, B, "b1", &"x".repeat(43)).await;
    assert_eq!(full, Appended::Refused(Refusal::RoomFull));
    world.say(room, B, "b1", &"x".repeat(42)).await;
    let end = opened.plus(Duration::from_secs(1000));
    let state = world.store().room(room).await.unwrap().unwrap();
    assert_eq!(state.closes_at, Some(end));
    world.advance(Duration::from_secs(900));
    for side in Side::BOTH {
        let back = world
            .store()
            .arrive(room, SideClaim::Side(side), address(side));
        back.await.unwrap().unwrap();
    }
    assert_eq!(world.store().sweep().await.unwrap().closed, 0);
    assert_eq!(world.sink().closing(room), [end]);
    world.advance(Duration::from_secs(100));
    assert_eq!(world.store().sweep().await.unwrap().closed, 1);
    let file = rusqlite::Connection::open(world.backend.path()).unwrap();
    let schema: i64 = file
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert!(schema >= 3, "{schema}");
}

const SAFETY: &str = include_str!("../../../src/store/migrations/sqlite/V8__safety.sql");
const CALLS: &str = include_str!("../../../src/store/migrations/sqlite/V9__calls.sql");
const SETTINGS: &str = include_str!("../../../src/store/migrations/sqlite/V10__settings.sql");
const NUMBERED: &str = include_str!("../../../src/store/migrations/sqlite/V11__numbered_acts.sql");

/// Takes away the tables that a migration makes.
fn without_tables(migration: &str) -> String {
    let made = migration.lines().filter_map(|line| {
        let name = line.strip_prefix("CREATE TABLE ")?;
        Some(format!("DROP TABLE {};", name.trim_end_matches(" (")))
    });
    made.collect()
}

async fn recall(world: &World<Sqlite>, room: RoomId, seq: u64) {
    let target = MessageRef::Seq(Seq(seq));
    let recalled = world.store().recall(room, A, target, None).await;
    assert!(matches!(recalled, Ok(Recalled::Done(_))));
}

#[test]
fn a_damaged_file_says_so() {
    let (_folder, path) = place();
    drop(open(&path).unwrap());
    let sound = std::fs::read(&path).unwrap();
    // Cut short, and scribbled over behind the header.
    let mut scribbled = sound.clone();
    scribbled[100..].fill(0xA5);
    for bytes in [sound[..4096].to_vec(), scribbled] {
        std::fs::write(&path, bytes).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, SqliteOpenError::Damaged { .. }), "{error}");
    }
}

#[test]
fn files_belong_to_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new").join("data");
    let store = open(&data.join("miyu.db")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let key = runtime.block_on(store.session_key()).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for file in ["miyu.db", "miyu.db-wal", "miyu.db.lock", "session.key"] {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
    let text = std::fs::read_to_string(data.join("session.key")).unwrap();
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(text.trim(), hex);
    std::fs::write(data.join("session.key"), "short").unwrap();
    let broken = runtime.block_on(store.session_key());
    assert!(matches!(broken, Err(StoreError::Corrupt(_))), "{broken:?}");
}

#[test]
fn the_first_schema_can_give_pages_back() {
    let (_folder, path) = place();
    drop(open(&path).unwrap());
    let conn = rusqlite::Connection::open(&path).unwrap();
    let number = |pragma: &str| -> i64 { conn.query_row(pragma, [], |row| row.get(0)).unwrap() };
    assert_eq!(number("PRAGMA auto_vacuum"), 2);
    assert_eq!(number("PRAGMA application_id"), 0x4d69_7975);
    let mode: String = conn
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

/// Another program is writing at this moment; opening the file must not even tidy up its WAL.
#[test]
fn another_programs_busy_database_is_left_as_it_is() {
    let (_folder, path) = place();
    let other = rusqlite::Connection::open(&path).unwrap();
    other
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE theirs (x);")
        .unwrap();
    let wal = path.with_extension("db-wal");
    let before = (std::fs::read(&path).unwrap(), std::fs::read(&wal).unwrap());
    let error = refusal(&path);
    assert!(matches!(error, SqliteOpenError::Foreign { .. }), "{error}");
    let after = (std::fs::read(&path).unwrap(), std::fs::read(&wal).unwrap());
    assert!(before == after);
}
