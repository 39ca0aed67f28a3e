//! What only the embedded store can suffer: other processes, foreign and damaged files, full disks.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use miyu::id::{Seq, Side};
use miyu::model::{LeaveReason, MessageRef};
use miyu::store::sqlite::{OpenError, SqliteStore, Tuning};
use miyu::store::{
    Appended, CommitSink, Committed, Durability, Entries, Rooms, StoreError, Upkeep,
};

use crate::support::store::{
    Backend, Now, Recorder, Setting, Sqlite, World, draft, pairing, rules, tiny,
};

const A: Side = Side::A;

fn open(path: &Path) -> Result<Arc<SqliteStore>, OpenError> {
    let clock = Now::default().clock();
    SqliteStore::open(
        path,
        Durability::Power,
        rules(),
        Arc::new(Recorder::default()),
        clock,
    )
}

fn refusal(path: &Path) -> OpenError {
    match open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

/// A folder that is there and a database path in it.
fn place() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("miyu.db");
    (folder, path)
}

fn setting() -> Setting {
    Setting {
        rules: rules(),
        sink: Arc::default(),
        now: Now::default(),
    }
}

#[test]
fn a_second_opening_names_the_lock() {
    let (_folder, path) = place();
    let first = open(&path).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("miyu.db.lock"), "{error}");
    drop(first);
    open(&path).unwrap();
}

/// A process that is forked has every open file until it executes something.
#[test]
fn a_process_forked_meanwhile_does_not_keep_the_lock() {
    let (_folder, path) = place();
    let stop = std::sync::atomic::AtomicBool::new(false);
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
    assert!(matches!(error, OpenError::Unwritable { .. }), "{error}");
    assert!(error.to_string().contains("file/data"), "{error}");
}

#[test]
fn a_database_that_is_a_folder_is_named() {
    let (folder, path) = place();
    std::fs::create_dir(folder.path().join("miyu.db")).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, OpenError::Unwritable { .. }), "{error}");
}

#[test]
fn foreign_files_are_left_as_they_are() {
    let (_folder, path) = place();
    for text in ["hello", "a text file that is longer than sixteen bytes"] {
        std::fs::write(&path, text).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
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
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
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
    assert!(matches!(error, OpenError::Newer { .. }), "{error}");
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
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
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

/// Somebody else is writing at this moment; opening it must not even tidy up their WAL.
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
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    let after = (std::fs::read(&path).unwrap(), std::fs::read(&wal).unwrap());
    assert!(before == after);
}

#[tokio::test]
async fn the_sweeper_closes_erases_and_stops() {
    let world = World::<Sqlite>::new().await;
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.push(world.room_unvisited().await.room);
    }
    let stop = tokio_util::sync::CancellationToken::new();
    let sweeper = miyu::store::sweeper::run(world.store().clone(), stop.clone());
    let watcher = async {
        world.advance(rules().arrival);
        while world.sink().count() < 5 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        world.advance(rules().retention);
        for room in rooms {
            while world.store().room(room).await.unwrap().is_some() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        stop.cancel();
    };
    let both = async { tokio::join!(sweeper, watcher) };
    tokio::time::timeout(Duration::from_secs(20), both)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_nothing_is_lost() {
    let pages = Arc::new(AtomicU32::new(0));
    let tuning = Tuning {
        page_limit: Some(pages.clone()),
        ..tiny()
    };
    let (setting, backend) = (setting(), Sqlite::fresh().await);
    let store = backend.open_with(&setting, tuning);
    let room = pairing();
    store.create_room(&room).await.unwrap();
    let room = room.room;
    let text = "x".repeat(2000);
    let say = |n: u32| store.append(draft(room, A, &format!("a{n}"), &text));
    let done = say(0).await.unwrap();
    assert!(matches!(done, Appended::Done(_)));

    pages.store(1, Ordering::Relaxed);
    let mut stored: u32 = 1;
    let mut refused = 0;
    // What still fits into half-empty pages is stored; then nothing is.
    while refused < 5 {
        match say(stored).await {
            Ok(Appended::Done(entry)) => {
                assert_eq!((entry.seq, refused), (Seq(u64::from(stored) + 1), 0));
                stored += 1;
            }
            Err(StoreError::Unavailable(why)) => {
                assert_eq!(&*why, "the disk is full");
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(store.ready().await.is_err());
    // Reading goes on.
    let page = store.page(room, A, Seq::ZERO, 50).await.unwrap().unwrap();
    assert_eq!(page.last_seq, Seq(u64::from(stored)));
    assert_eq!(page.entries.len(), stored as usize);
    assert!(store.room(room).await.unwrap().unwrap().active());
    // A batch that fails fails whole, and memory with it.
    let batch: Vec<_> = (100..110).map(say).collect();
    let closing = store.close_room(room, A, LeaveReason::Left);
    for pending in batch {
        assert!(matches!(pending.await, Err(StoreError::Unavailable(_))));
    }
    drop(closing.await);
    let published = setting.sink.of(room).len();

    pages.store(0, Ordering::Relaxed);
    store.ready().await.unwrap();
    let state = store.room(room).await.unwrap().unwrap();
    assert_eq!(state.last_seq, Seq(published as u64));
    if state.active() {
        let done = say(stored).await.unwrap();
        assert!(matches!(done, Appended::Done(entry) if entry.seq == state.last_seq.next()));
    }
    let log = setting.sink.of(room);
    drop(store);
    let store = backend.open(&setting).await;
    let page = store.page(room, A, Seq::ZERO, 50).await.unwrap().unwrap();
    assert_eq!(page.entries, log);
    let repeat = store.append(draft(room, A, "a0", &text)).await.unwrap();
    assert!(matches!(repeat, Appended::Repeat(entry) if entry.seq == Seq(1)));
}

/// The first of a batch fits, a later one does not: nothing of the batch may stay, in memory either.
#[tokio::test]
async fn a_batch_that_fails_fails_whole() {
    let pages = Arc::new(AtomicU32::new(0));
    let tuning = Tuning {
        batch: 16,
        page_limit: Some(pages.clone()),
        ..tiny()
    };
    let (setting, backend) = (setting(), Sqlite::fresh().await);
    let store = backend.open_with(&setting, tuning);
    let (old, new) = (pairing(), pairing());
    store.create_room(&old).await.unwrap();
    let room = old.room;
    // The writer is held while it publishes this, so that what follows is one batch.
    setting.sink.hold();
    let first = store.append(draft(room, A, "a0", "fits"));
    while setting.sink.count() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    pages.store(1, Ordering::Relaxed);
    let small = store.append(draft(room, A, "a1", "fits"));
    let recall = store.recall(room, A, MessageRef::Seq(Seq(1)), None);
    let making = store.create_room(&new);
    let arrival = store.arrive(room, A, crate::support::store::address(A));
    let closing = store.close_room(room, A, LeaveReason::Left);
    let huge = "x".repeat(100_000);
    let large = store.append(draft(new.room, A, "b0", &huge));
    let reading = store.room(room);
    setting.sink.release();
    assert!(matches!(first.await, Ok(Appended::Done(_))));
    assert!(small.await.is_err());
    assert!(recall.await.is_err());
    assert!(making.await.is_err());
    assert!(arrival.await.is_err());
    assert!(closing.await.is_err());
    assert!(large.await.is_err());
    // The read of the same batch sees the room as it was before.
    let seen = reading.await.unwrap().unwrap();
    assert!(seen.active() && !seen.side(A).online());
    assert_eq!((seen.last_seq, setting.sink.count()), (Seq(1), 1));
    assert_eq!(store.room(new.room).await.unwrap(), None);
    assert_eq!(store.count_open_rooms(), 1);

    pages.store(0, Ordering::Relaxed);
    let repeat = store.append(draft(room, A, "a0", "fits")).await.unwrap();
    assert!(matches!(repeat, Appended::Repeat(entry) if entry.seq == Seq(1)));
    let again = store.append(draft(room, A, "a1", "fits")).await.unwrap();
    assert!(matches!(again, Appended::Done(entry) if entry.seq == Seq(2)));
    store.create_room(&new).await.unwrap();
    assert_eq!(store.count_open_rooms(), 2);
    let log = setting.sink.of(room);
    drop(store);
    let store = backend.open(&setting).await;
    let page = store.page(room, A, Seq::ZERO, 50).await.unwrap().unwrap();
    assert_eq!(page.entries, log);
}

/// Panics as soon as anything is published.
struct Broken;

impl CommitSink for Broken {
    fn committed(&self, _: &[Committed]) {
        panic!("as told");
    }
}

#[tokio::test]
async fn a_dead_writer_is_told() {
    let (_folder, path) = place();
    let clock = Now::default().clock();
    let store =
        SqliteStore::open(&path, Durability::Power, rules(), Arc::new(Broken), clock).unwrap();
    let died = store.writer_died();
    let room = pairing();
    store.create_room(&room).await.unwrap();
    let lost = store.append(draft(room.room, A, "a1", "x")).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    tokio::time::timeout(Duration::from_secs(10), died)
        .await
        .unwrap();
    let late = store.room(room.room).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    assert!(store.close().await.is_err());
    drop(store);
    // What was committed is there.
    let store = open(&path).unwrap();
    let page = store.page(room.room, A, Seq::ZERO, 5).await.unwrap();
    assert_eq!(page.unwrap().last_seq, Seq(1));
}

#[tokio::test]
async fn a_full_queue_is_unavailable_at_once() {
    let tuning = Tuning { queue: 8, ..tiny() };
    let (setting, backend) = (setting(), Sqlite::fresh().await);
    let store = backend.open_with(&setting, tuning);
    let room = pairing();
    store.create_room(&room).await.unwrap();
    setting.sink.hold();
    let mut waiting = Vec::new();
    for n in 0..100 {
        waiting.push(store.append(draft(room.room, A, &format!("a{n}"), "x")));
    }
    setting.sink.release();
    let (mut done, mut refused) = (0, 0);
    for pending in waiting {
        match pending.await {
            // Order of the calls is order of the commits, even around those that failed.
            Ok(Appended::Done(entry)) => {
                done += 1;
                assert_eq!(entry.seq, Seq(done));
            }
            Err(StoreError::Unavailable(_)) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(done >= 8, "{done}");
    assert!(refused >= 50, "{refused}");
}

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
    let page = store.page(bad, A, Seq::ZERO, 5).await;
    assert!(matches!(page, Err(StoreError::Corrupt(_))), "{page:?}");
    // Time closes it and erases what is left, instead of stumbling over it every second.
    for wait in [rules().reconnect_grace, rules().retention] {
        world.advance(wait);
        while store.sweep().await.unwrap().more {}
    }
    assert_eq!(store.room(bad).await.unwrap(), None);
    assert_eq!(store.room(good).await.unwrap(), None);
    drop(store);
    world.close().await;
    let conn = rusqlite::Connection::open(world.backend.path()).unwrap();
    for table in ["entries", "rooms", "members"] {
        let count = format!("SELECT count(*) FROM {table}");
        let left: i64 = conn.query_row(&count, [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn erased_text_leaves_the_wal_when_idle() {
    let world = World::<Sqlite>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "a-word-that-goes").await;
    let target = MessageRef::Seq(Seq(1));
    world.store().recall(room, A, target, None).await.unwrap();
    let wal = world.backend.path().with_extension("db-wal");
    // The writer tidies up by itself; its own clock runs.
    for _ in 0..100 {
        if std::fs::metadata(&wal).unwrap().len() == 0 {
            assert!(!world.backend.holds("a-word-that-goes").await);
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the WAL was never emptied");
}

/// Whoever is asked every moment whether anything is due must still find the time to tidy up.
#[tokio::test]
async fn sweeps_that_find_nothing_do_not_keep_the_store_from_being_idle() {
    let world = World::<Sqlite>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    let wal = world.backend.path().with_extension("db-wal");
    assert!(std::fs::metadata(&wal).unwrap().len() > 0);
    let began = Instant::now();
    while std::fs::metadata(&wal).unwrap().len() > 0 {
        let waited = began.elapsed();
        assert!(
            waited < Duration::from_secs(20),
            "the WAL was never emptied"
        );
        let swept = world.store().sweep().await.unwrap();
        assert_eq!((swept.closed, swept.erased), (0, 0));
        tokio::time::sleep(tiny().idle / 10).await;
    }
}

#[tokio::test]
async fn erased_pages_go_back_to_the_disk() {
    let mut world = World::<Sqlite>::with({
        let mut rules = rules();
        rules.room_entries = 2000;
        rules
    })
    .await;
    let room = world.room().await.room;
    let text = "x".repeat(2000);
    let all: Vec<_> = (0..1000)
        .map(|n| {
            world
                .store()
                .append(draft(room, A, &format!("a{n}"), &text))
        })
        .collect();
    for pending in all {
        pending.await.unwrap();
    }
    world.reopen().await;
    let before = std::fs::metadata(world.backend.path()).unwrap().len();
    let store = world.store().clone();
    assert!(store.close_room(room, A, LeaveReason::Left).await.unwrap());
    world.advance(rules().retention);
    while store.sweep().await.unwrap().more {}
    for _ in 0..10 {
        store.sweep().await.unwrap();
    }
    drop(store);
    world.close().await;
    let after = std::fs::metadata(world.backend.path()).unwrap().len();
    assert!(after < before / 2 + 300 * 4096, "{before} -> {after}");
}
