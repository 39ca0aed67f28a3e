//! SQLite on real files: messages stored in batches as the writer takes them, and read back. Everything
//! answered survives a power cut (`store.durability = "power"`).

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use miyu::domain::id::{Seq, Side};
use miyu::store::sqlite::SqliteStore;
use miyu::store::{Durability, PageLimit};
use tokio::runtime::Runtime;

use super::rooms::{Rooms, Sink, rules};

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
                    data.append(data.rooms.rooms.len());
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

struct Data {
    runtime: Runtime,
    rooms: Rooms,
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
        let rooms = runtime.block_on(async {
            let store = open(&folder.path().join("miyu.db"), Arc::clone(&sink));
            Rooms::open(store, sink, rooms).await
        });
        Self {
            runtime,
            rooms,
            read: 0,
            _folder: folder,
        }
    }

    /// How long a batch takes.
    fn append(&mut self, batch: usize) -> Duration {
        self.runtime.block_on(self.rooms.append(batch))
    }

    /// Reads a room's log after this entry, another room each time.
    fn page(&mut self, after: usize) {
        self.read += 1;
        let rooms = &self.rooms.rooms;
        let (room, last) = rooms[self.read % rooms.len()];
        let after = Seq(after as u64);
        let limit = PageLimit::entries(LOG);
        let reading = async { self.rooms.store.page(room, Side::A, after, limit).await };
        let page = self.runtime.block_on(reading).expect("read");
        let page = page.expect("the room is there");
        let expected = (after.0 + 1..=last.0).map(Seq);
        let found = page.entries.iter().map(|it| it.seq);
        assert!(found.eq(expected), "all of them in order");
        assert_eq!(page.last_seq, last);
    }

    fn close(self) {
        self.runtime.block_on(self.rooms.close());
    }
}

fn open(path: &Path, sink: Arc<Sink>) -> Arc<SqliteStore> {
    let clock = Arc::new(miyu::clock::now);
    SqliteStore::open(path, Durability::Power, rules(), sink, clock).expect("a new database")
}
