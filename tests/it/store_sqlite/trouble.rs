//! Trouble while it runs: a full disk, a dead writer, a full queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use miyu::domain::id::{RoomId, Seq, Side, Timestamp};
use miyu::domain::{EntryKind, LeaveReason, MessageRef};
use miyu::store::sqlite::{SqliteStore, SqliteTuning};
use miyu::store::{
    Appended, CommitSink, Committed, Draft, Durability, Entries as _, Hidden, PageLimit, Recalled,
    Refusal, Relations as _, Rooms as _, SideClaim, StoreError, Upkeep as _,
};

use super::{hold, one_batch, open, place, setting};
use crate::support::store::{Backend as _, Now, Sqlite, draft, pairing, rules, tiny};

const A: Side = Side::A;

#[tokio::test]
async fn a_full_disk_is_unavailable_and_nothing_is_lost() {
    let pages = Arc::new(AtomicU32::new(0));
    let tuning = SqliteTuning {
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
    let page = store
        .page(room, A, Seq::ZERO, PageLimit::entries(50))
        .await
        .unwrap()
        .unwrap();
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
    let page = store
        .page(room, A, Seq::ZERO, PageLimit::entries(50))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(page.entries, log);
    let repeat = store.append(draft(room, A, "a0", &text)).await.unwrap();
    assert!(matches!(repeat, Appended::Repeat(entry) if entry.seq == Seq(1)));
}

/// The first of a batch fits, a later one does not: nothing of the batch may stay, in memory either.
#[tokio::test]
async fn a_batch_that_fails_fails_whole() {
    let pages = Arc::new(AtomicU32::new(0));
    let tuning = SqliteTuning {
        batch: 16,
        page_limit: Some(pages.clone()),
        ..tiny()
    };
    let (setting, backend) = (setting(), Sqlite::fresh().await);
    let store = backend.open_with(&setting, tuning);
    let (old, new) = (pairing(), pairing());
    store.create_room(&old).await.unwrap();
    let room = old.room;
    let first = hold(&setting, &store, room).await;
    pages.store(1, Ordering::Relaxed);
    let small = store.append(draft(room, A, "a1", "fits"));
    let recall = store.recall(room, A, MessageRef::Seq(Seq(1)), None);
    let making = store.create_room(&new);
    let arrival = store.arrive(room, SideClaim::Side(A), crate::support::store::address(A));
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
    let repeat = store.append(draft(room, A, "a0", "x")).await.unwrap();
    assert!(matches!(repeat, Appended::Repeat(entry) if entry.seq == Seq(1)));
    let again = store.append(draft(room, A, "a1", "fits")).await.unwrap();
    assert!(matches!(again, Appended::Done(entry) if entry.seq == Seq(2)));
    store.create_room(&new).await.unwrap();
    assert_eq!(store.count_open_rooms(), 2);
    let log = setting.sink.of(room);
    drop(store);
    let store = backend.open(&setting).await;
    let page = store
        .page(room, A, Seq::ZERO, PageLimit::entries(50))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(page.entries, log);
}

/// What several people say at once is written together: a row that is refused fails all of it, once.
#[tokio::test]
async fn a_row_in_the_way_costs_one_attempt() {
    let (setting, backend) = (setting(), Sqlite::fresh().await);
    let store = backend.open_with(&setting, one_batch());
    let (one, two) = (pairing(), pairing());
    for room in [&one, &two] {
        store.create_room(room).await.unwrap();
    }
    let first = hold(&setting, &store, one.room).await;
    let conn = rusqlite::Connection::open(backend.path()).unwrap();
    let obstacle = "INSERT INTO entries (id, room, seq, prev, kind, side, at) \
         SELECT max(id) + 2, 0, 1, 0, 0, 0, 0 FROM entries";
    assert_eq!(conn.execute(obstacle, []).unwrap(), 1);
    let said = [(one.room, "a1"), (two.room, "b0"), (two.room, "b1")];
    let say = |(room, name)| store.append(draft(room, A, name, "x"));
    let batch = said.map(say);
    setting.sink.release();
    assert!(matches!(first.await, Ok(Appended::Done(_))));
    for pending in batch {
        let refused = pending.await;
        assert!(
            matches!(refused, Err(StoreError::Unavailable(_))),
            "{refused:?}"
        );
    }
    for (said, expected) in said.into_iter().zip([2, 1, 2]) {
        let done = say(said).await.unwrap();
        assert!(matches!(done, Appended::Done(entry) if entry.seq == Seq(expected)));
    }
    for room in [one.room, two.room] {
        let page = store
            .page(room, A, Seq::ZERO, PageLimit::entries(5))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(page.entries, setting.sink.of(room));
    }
}

/// Whatever comes after a message in one transaction finds it written.
#[tokio::test]
async fn a_batch_sees_what_it_has_said() {
    let (setting, backend) = (setting(), Sqlite::fresh().await);
    let store = backend.open_with(&setting, one_batch());
    let room = pairing();
    store.create_room(&room).await.unwrap();
    let room = room.room;
    let first = hold(&setting, &store, room).await;
    let name = |name: &str| MessageRef::ClientId(name.into());
    let said = store.append(draft(room, A, "a1", "y"));
    let again = store.append(draft(room, A, "a1", "y"));
    let quoting = store.append(Draft {
        unheard: false,
        reply_to: Some(name("a1")),
        ..draft(room, A, "a2", "z")
    });
    let hidden = store.hide(room, A, name("a2"));
    let taken = store.recall(room, A, name("a1"), None);
    let last = store.append(draft(room, A, "a3", "z"));
    let left = store.close_room(room, A, LeaveReason::Left);
    let late = store.append(draft(room, A, "a4", "z"));
    setting.sink.release();
    for (pending, seq) in [(first, 1), (said, 2), (quoting, 3), (last, 5)] {
        let done = pending.await.unwrap();
        assert!(matches!(done, Appended::Done(entry) if entry.seq == Seq(seq)));
    }
    assert!(matches!(again.await, Ok(Appended::Repeat(entry)) if entry.seq == Seq(2)));
    assert_eq!(hidden.await.unwrap(), Hidden::Done(Seq(3)));
    assert!(matches!(taken.await, Ok(Recalled::Done(entry)) if entry.seq == Seq(4)));
    assert!(left.await.unwrap());
    let closed = Appended::Refused(Refusal::RoomClosed);
    assert_eq!(late.await.unwrap(), closed);
    drop(store);
    let store = backend.open(&setting).await;
    let page = store
        .page(room, A, Seq::ZERO, PageLimit::entries(50))
        .await
        .unwrap()
        .unwrap();
    let told: Vec<Seq> = page.entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(told, [1, 2, 4, 5, 6].map(Seq));
    let quoted = store
        .page(room, Side::B, Seq(2), PageLimit::entries(1))
        .await
        .unwrap()
        .unwrap();
    let quote = match &quoted.entries[0].kind {
        EntryKind::Message { reply, .. } => reply.clone().unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!((quote.seq, quote.content), (Seq(2), None));
}

/// A search that comes right after a block waits for it, however slow the disk is.
#[tokio::test]
async fn a_block_that_is_queued_is_in_the_next_search() {
    let (setting, backend) = (setting(), Sqlite::fresh().await);
    let store = backend.open_with(&setting, tiny());
    let room = pairing();
    store.create_room(&room).await.unwrap();
    let [me, you] = room.parties.each_ref().map(|party| party.session);
    setting.sink.hold();
    let said = store.append(draft(room.room, A, "a0", "x"));
    let block = store.block(me, you, RoomId::fresh());
    let mut searches = [store.relations(me), store.relations(you)];
    for search in &mut searches {
        let early = tokio::time::timeout(Duration::from_millis(50), search).await;
        assert!(early.is_err(), "{early:?}");
    }
    setting.sink.release();
    let [mine, yours] = searches.map(|search| async { search.await.unwrap().blocked });
    assert_eq!((mine.await, yours.await), (vec![you], vec![me]));
    block.await.unwrap();
    assert!(matches!(said.await, Ok(Appended::Done(_))));
}

/// Panics as soon as anything is published.
struct Broken;

impl CommitSink for Broken {
    fn committed(&self, _: &[Committed]) {
        panic!("as told");
    }

    fn closing(&self, _: RoomId, _: Timestamp) {}
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
    let page = store
        .page(room.room, A, Seq::ZERO, PageLimit::entries(5))
        .await
        .unwrap();
    assert_eq!(page.unwrap().last_seq, Seq(1));
}

#[tokio::test]
async fn a_full_queue_is_unavailable_at_once() {
    let tuning = SqliteTuning { queue: 8, ..tiny() };
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
