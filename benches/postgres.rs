//! PostgreSQL, when `MIYU_TEST_POSTGRES` names a server whose user may make databases: messages through the
//! store (`postgres/store`), and the least that a server can be asked for the same rows (`postgres/least`):
//! rooms locked in order, entries and rooms written from arrays, in one transaction sent at once. What the
//! store takes is to be seen as a multiple of the least. Every batch is one of the store's, each message in
//! another room.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use miyu::domain::id::{NodeId, RoomId, Seq, Side, Timestamp};
use miyu::store::postgres::{PostgresStore, Setup, Target, Tuning};
use miyu::store::{
    Appended, CommitSink, Committed, Durability, Entries as _, Rooms as _, Upkeep as _,
};
use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

use super::store::{draft, pairing, rules};

const SIZES: [usize; 3] = [8, 64, 256];

/// Runs both groups of benches.
pub fn all(criterion: &mut Criterion) {
    let Ok(server) = std::env::var("MIYU_TEST_POSTGRES") else {
        eprintln!("postgres: MIYU_TEST_POSTGRES names no server, nothing is measured");
        return;
    };
    let mut group = criterion.benchmark_group("postgres");
    let mut data = None;
    for batch in SIZES {
        group.throughput(Throughput::Elements(batch as u64));
        for least in [true, false] {
            let name = if least { "least" } else { "store" };
            group.bench_function(BenchmarkId::new(name, batch), |b| {
                let data = data.get_or_insert_with(|| Data::new(&server));
                b.iter_custom(|times| (0..times).map(|_| data.append(batch, least)).sum());
            });
        }
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
    server: String,
    database: String,
    store: Arc<PostgresStore>,
    sink: Arc<Sink>,
    least: Least,
    /// Rooms of the store, and rooms of the same table that the store is not asked about.
    rooms: [Vec<(RoomId, Seq)>; 2],
    numbers: Vec<i64>,
    appended: u64,
    published: u64,
}

impl Data {
    fn new(server: &str) -> Self {
        let server = server.trim_end_matches('/').to_owned();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime");
        let database = format!("miyu_bench_{:x}", rand::random::<u64>());
        let sink = Arc::new(Sink::default());
        let count = super::sized(4096, 256);
        let (store, least, rooms, numbers) = runtime.block_on(async {
            let admin = connect(&format!("{server}/postgres")).await;
            let make = format!("CREATE DATABASE {database}");
            admin.batch_execute(&make).await.expect("a database");
            let url = format!("{server}/{database}");
            let store = open(&url, Arc::clone(&sink)).await;
            let mut rooms = [Vec::new(), Vec::new()];
            for rooms in &mut rooms {
                let pairings: Vec<_> = (0..count).map(|_| pairing()).collect();
                let making: Vec<_> = pairings.iter().map(|it| store.create_room(it)).collect();
                for made in making {
                    made.await.expect("made");
                }
                rooms.extend(pairings.iter().map(|it| (it.room, Seq::ZERO)));
            }
            let least = Least::new(&url).await;
            let ids: Vec<Uuid> = rooms[1].iter().map(|(room, _)| room.0).collect();
            let sql = "SELECT r.no FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, place) \
                 JOIN rooms r ON r.id = u.id ORDER BY u.place";
            let found = least.client.query(sql, &[&ids]).await.expect("numbers");
            let numbers: Vec<i64> = found.iter().map(|row| row.get(0)).collect();
            (store, least, rooms, numbers)
        });
        Self {
            runtime,
            server,
            database,
            store,
            sink,
            least,
            rooms,
            numbers,
            appended: 0,
            published: 0,
        }
    }

    /// How long a batch takes.
    fn append(&mut self, batch: usize, least: bool) -> Duration {
        let first = self.appended;
        self.appended += batch as u64;
        let count = self.numbers.len();
        let places = (0..batch).map(|n| (usize::try_from(first).expect("few") + n) % count);
        let places: Vec<usize> = places.collect();
        match least {
            true => self.append_least(first, &places),
            false => self.append_stored(first, &places),
        }
    }

    fn append_stored(&mut self, first: u64, places: &[usize]) -> Duration {
        let rooms = &mut self.rooms[0];
        let drafts = places.iter().zip(first..);
        let drafts: Vec<_> = drafts.map(|(at, n)| draft(rooms[*at].0, n)).collect();
        let begun = Instant::now();
        let outcomes: Vec<_> = self.runtime.block_on(async {
            let appending: Vec<_> = drafts.into_iter().map(|it| self.store.append(it)).collect();
            let mut outcomes = Vec::with_capacity(places.len());
            for outcome in appending {
                outcomes.push(outcome.await);
            }
            outcomes
        });
        let took = begun.elapsed();
        for (place, outcome) in places.iter().zip(outcomes) {
            let Ok(Appended::Done(entry)) = outcome else {
                panic!("not stored: {outcome:?}");
            };
            let (_, last) = &mut rooms[*place];
            assert_eq!(entry.seq, last.next());
            *last = entry.seq;
        }
        self.published += places.len() as u64;
        assert_eq!(self.sink.0.load(Ordering::Relaxed), self.published);
        took
    }

    fn append_least(&mut self, first: u64, places: &[usize]) -> Duration {
        let rooms = &mut self.rooms[1];
        let drafts = places.iter().zip(first..);
        let drafts: Vec<_> = drafts.map(|(at, n)| draft(rooms[*at].0, n)).collect();
        let numbers: Vec<i64> = places.iter().map(|at| self.numbers[*at]).collect();
        let seqs = places.iter().map(|at| {
            let (_, last) = &mut rooms[*at];
            *last = last.next();
            last.0.cast_signed()
        });
        let seqs: Vec<i64> = seqs.collect();
        let begun = Instant::now();
        let ids: Vec<Uuid> = drafts.iter().map(|it| it.room.0).collect();
        let sides = drafts.iter().map(|it| i16::from(it.side == Side::B));
        let sides: Vec<i16> = sides.collect();
        let names: Vec<&[u8]> = drafts.iter().map(|it| it.client_id.as_bytes()).collect();
        let bodies: Vec<&[u8]> = drafts.iter().map(|it| it.content.as_bytes()).collect();
        let least = &self.least;
        let lock: [&(dyn ToSql + Sync); 1] = [&ids];
        let insert: [&(dyn ToSql + Sync); 6] = [&numbers, &seqs, &sides, &names, &bodies, &0_i64];
        let update: [&(dyn ToSql + Sync); 2] = [&numbers, &seqs];
        self.runtime.block_on(async {
            let (begun, locked, inserted, updated, committed) = tokio::join!(
                least.client.batch_execute("BEGIN"),
                least.client.query(&least.lock, &lock),
                least.client.execute(&least.insert, &insert),
                least.client.execute(&least.update, &update),
                least.client.batch_execute("COMMIT"),
            );
            begun.expect("begun");
            assert_eq!(locked.expect("locked").len(), places.len());
            assert_eq!(inserted.expect("inserted"), places.len() as u64);
            assert_eq!(updated.expect("updated"), places.len() as u64);
            committed.expect("committed");
        });
        begun.elapsed()
    }

    fn close(self) {
        self.runtime.block_on(async {
            self.store.close().await.expect("closed");
            let admin = connect(&format!("{}/postgres", self.server)).await;
            let drop = format!("DROP DATABASE {} WITH (FORCE)", self.database);
            admin.batch_execute(&drop).await.expect("dropped");
        });
    }
}

/// The least statements.
struct Least {
    client: Client,
    lock: Statement,
    insert: Statement,
    update: Statement,
}

impl Least {
    async fn new(url: &str) -> Self {
        let client = connect(url).await;
        let set = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
             SET enable_hashjoin = off; SET enable_mergejoin = off;";
        client.batch_execute(set).await.expect("set");
        let lock = "SELECT no, last_seq FROM rooms WHERE id = ANY ($1) ORDER BY id FOR UPDATE";
        let insert = "INSERT INTO entries (room, seq, kind, side, client_id, body, at) \
             SELECT room, seq, 0, side, name, body, $6::bigint FROM unnest($1::bigint[], $2::bigint[], \
                 $3::smallint[], $4::bytea[], $5::bytea[]) AS u (room, seq, side, name, body)";
        let update = "UPDATE rooms r SET last_seq = u.seq \
             FROM unnest($1::bigint[], $2::bigint[]) AS u (no, seq) WHERE r.no = u.no";
        Self {
            lock: client.prepare(lock).await.expect("prepared"),
            insert: client.prepare(insert).await.expect("prepared"),
            update: client.prepare(update).await.expect("prepared"),
            client,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the connection's task ends with its client"
)]
async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("reached");
    tokio::spawn(connection);
    client
}

async fn open(url: &str, sink: Arc<Sink>) -> Arc<PostgresStore> {
    let target = Target::parse(url, None).expect("an address");
    let setup = Setup {
        node: NodeId(1),
        durability: Durability::Power,
        rules: rules(),
        sink,
        clock: None,
        // So that what is given at once is one batch.
        tuning: Tuning {
            shards: 1,
            ..Tuning::default()
        },
    };
    PostgresStore::open(target, setup)
        .await
        .expect("a new database")
}
