//! SQLite on real files: messages stored in batches as the writer takes them, and read back. Everything
//! answered survives a power cut (`store.durability = "power"`).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use miyu::domain::id::{Address, NodeId, RoomId, Seq, SessionId, Side, TicketId, Timestamp};
use miyu::domain::{Pairing, Party, Persona, Profile, UserId};
use miyu::store::sqlite::SqliteStore;
use miyu::store::{
    Appended, CommitSink, Committed, Draft, Durability, Entries as _, PageLimit, Rooms as _,
    StoreRules, Upkeep as _,
};
use tokio::runtime::Runtime;

/// Entries of each room that is read.
const LOG: usize = 200;

/// All of them.
pub fn all(criterion: &mut Criterion) {
    append(criterion);
    page(criterion);
}

fn append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append");
    let mut data = None;
    for batch in [1, 32, 512] {
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(BenchmarkId::from_parameter(batch), |b| {
            let data = data.get_or_insert_with(|| Data::new(super::sized(10_000, 100)));
            b.iter_custom(|times| (0..times).map(|_| data.append(batch)).sum());
        });
    }
    if let Some(data) = data {
        data.close();
    }
    group.finish();
}

fn page(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("page");
    let mut data = None;
    for (name, after) in [("whole", 0), ("last_10", LOG - 10)] {
        group.throughput(Throughput::Elements((LOG - after) as u64));
        group.bench_function(name, |b| {
            let data = data.get_or_insert_with(|| {
                let mut data = Data::new(super::sized(500, 10));
                (0..LOG).for_each(|_| {
                    data.append(data.rooms.len());
                });
                data
            });
            b.iter_custom(|times| {
                let begun = Instant::now();
                (0..times).for_each(|_| data.page(after));
                begun.elapsed()
            });
        });
    }
    if let Some(data) = data {
        data.close();
    }
    group.finish();
}

/// Counts what was published.
#[derive(Default)]
struct Sink(AtomicU64);

impl CommitSink for Sink {
    fn committed(&self, batch: &[Committed]) {
        self.0.fetch_add(batch.len() as u64, Ordering::Relaxed);
    }

    fn closing(&self, _: RoomId, _: Timestamp) {}
}

struct Data {
    runtime: Runtime,
    store: Arc<SqliteStore>,
    sink: Arc<Sink>,
    rooms: Vec<(RoomId, Seq)>,
    appended: u64,
    read: usize,
    _folder: tempfile::TempDir,
}

impl Data {
    fn new(rooms: usize) -> Self {
        // Not where other temporary files are: that may be memory.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().build().expect("a runtime");
        let sink = Arc::new(Sink::default());
        let (store, rooms) = {
            let _inside = runtime.enter();
            let store = open(&folder.path().join("miyu.db"), Arc::clone(&sink));
            let pairings: Vec<_> = (0..rooms).map(|_| pairing()).collect();
            let making: Vec<_> = pairings.iter().map(|it| store.create_room(it)).collect();
            for made in making {
                runtime.block_on(made).expect("made");
            }
            let rooms = pairings.iter().map(|it| (it.room, Seq::ZERO));
            (store, rooms.collect())
        };
        Self {
            runtime,
            store,
            sink,
            rooms,
            appended: 0,
            read: 0,
            _folder: folder,
        }
    }

    /// How long a batch takes, each message in another room; each is stored in its place and published.
    fn append(&mut self, batch: usize) -> Duration {
        let first = self.appended;
        let count = self.rooms.len() as u64;
        let places = (first..first + batch as u64)
            .map(|number| usize::try_from(number % count).expect("below the count"));
        let places: Vec<_> = places.collect();
        let drafts: Vec<_> = (first..)
            .zip(&places)
            .map(|(number, place)| draft(self.rooms[*place].0, number))
            .collect();
        self.appended += batch as u64;
        let begun = Instant::now();
        let outcomes: Vec<_> = self.runtime.block_on(async {
            let appending: Vec<_> = drafts.into_iter().map(|it| self.store.append(it)).collect();
            let mut outcomes = Vec::with_capacity(batch);
            for outcome in appending {
                outcomes.push(outcome.await);
            }
            outcomes
        });
        let took = begun.elapsed();
        for (place, outcome) in places.into_iter().zip(outcomes) {
            let Ok(Appended::Done(entry)) = outcome else {
                panic!("not stored: {outcome:?}");
            };
            let (_, last) = &mut self.rooms[place];
            assert_eq!(entry.seq, last.next());
            *last = entry.seq;
        }
        assert_eq!(self.sink.0.load(Ordering::Relaxed), self.appended);
        took
    }

    /// Reads a room's log after this entry, another room each time.
    fn page(&mut self, after: usize) {
        self.read += 1;
        let (room, last) = self.rooms[self.read % self.rooms.len()];
        let after = Seq(after as u64);
        let reading = async {
            self.store
                .page(room, Side::A, after, PageLimit::entries(LOG))
                .await
        };
        let page = self.runtime.block_on(reading).expect("read");
        let page = page.expect("the room is there");
        let expected = (after.0 + 1..=last.0).map(Seq);
        let found = page.entries.iter().map(|it| it.seq);
        assert!(found.eq(expected), "all of them in order");
        assert_eq!(page.last_seq, last);
    }

    fn close(self) {
        let closing = async { self.store.close().await };
        self.runtime.block_on(closing).expect("closed");
    }
}

fn open(path: &Path, sink: Arc<Sink>) -> Arc<SqliteStore> {
    let clock = Arc::new(miyu::clock::now);
    SqliteStore::open(path, Durability::Power, rules(), sink, clock).expect("a new database")
}

/// Rules that nothing here meets.
pub fn rules() -> StoreRules {
    StoreRules {
        reconnect_grace: Duration::from_secs(300),
        arrival: Duration::from_secs(20),
        retention: Duration::from_secs(24 * 3600),
        block_lifetime: Duration::from_secs(30 * 24 * 3600),
        // More than any room gets here.
        room_entries: 10_000_000,
        room_bytes: u64::MAX,
        longest: Duration::ZERO,
        max_size: 0,
        blocks_per_session: 500,
        timeout: Duration::from_secs(60),
    }
}

/// A short message.
pub fn draft(room: RoomId, number: u64) -> Draft {
    Draft {
        room,
        side: Side::BOTH[usize::try_from(number % 2).expect("0 or 1")],
        client_id: format!("client-{number}"),
        content: format!("I say what I have to say, which is not much: 秘語 {number}"),
        reply_to: None,
    }
}

/// Two people.
pub fn pairing() -> Pairing {
    let party = || Party {
        ticket: TicketId::fresh(),
        session: SessionId::fresh(),
        persona: Persona {
            user_id: UserId::fresh(),
            profile: Profile::parse("小明", "3", "happy", "female"),
        },
        marks: Vec::new(),
        address: Address {
            node: NodeId(1),
            number: 1,
        },
    };
    Pairing {
        room: RoomId::fresh(),
        parties: [party(), party()],
        common_tags: Vec::new(),
        is_bot: false,
    }
}
