//! PostgreSQL, when `MIYU_TEST_POSTGRES` names a server whose user may make databases: messages through the
//! store, and in turns with them the least that a server can be asked for the same rows: rooms locked in
//! order, entries and rooms written from arrays, in one transaction sent at once. What the store takes is told
//! as a multiple of that. Every batch is one of the store's, each message in another room.

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use miyu::domain::id::{NodeId, RoomId, Side};
use miyu::store::postgres::{PostgresStore, Setup, Target, Tuning};
use miyu::store::{Draft, Durability};
use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

use super::rooms::{Rooms, Sink, draft, make, places, rules};

const SIZES: [usize; 3] = [8, 64, 256];

/// All of them.
pub fn all(criterion: &mut Criterion) {
    let Ok(server) = std::env::var("MIYU_TEST_POSTGRES") else {
        eprintln!("postgres: MIYU_TEST_POSTGRES names no server, nothing is measured");
        return;
    };
    let mut group = criterion.benchmark_group("postgres");
    let mut data = None;
    for batch in SIZES {
        let mut turns = Vec::new();
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(BenchmarkId::from_parameter(batch), |b| {
            let data = data.get_or_insert_with(|| Data::new(&server));
            b.iter_custom(|times| {
                let new = (0..times).map(|_| data.turn(batch));
                let first = turns.len();
                turns.extend(new);
                turns[first..].iter().map(|turn| turn.store.time).sum()
            });
        });
        tell(batch, &turns);
    }
    if let Some(data) = data {
        data.close();
    }
    group.finish();
}

/// What a batch took.
#[derive(Clone, Copy)]
struct Spent {
    time: Duration,
    /// Processor time of the server's processes that did it, where they run on this machine.
    cpu: Option<Duration>,
}

/// One batch of each.
struct Turn {
    store: Spent,
    least: Spent,
}

/// Says how the store relates to the least.
fn tell(batch: usize, turns: &[Turn]) {
    if turns.is_empty() {
        return;
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / batch as f64;
    let median = |of: &dyn Fn(&Turn) -> f64| {
        let mut all: Vec<f64> = turns.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let store = median(&|turn| each(turn.store.time));
    let least = median(&|turn| each(turn.least.time));
    println!(
        "postgres/{batch}: {store:.1} µs a message, and {least:.1} at the least: {:.2} times (medians of {} in turns)",
        store / least,
        turns.len()
    );
    let all = |of: &dyn Fn(&Turn) -> Option<Duration>| turns.iter().map(of).sum();
    let cpu: (Option<Duration>, Option<Duration>) =
        (all(&|turn| turn.store.cpu), all(&|turn| turn.least.cpu));
    if let (Some(store), Some(least)) = cpu {
        let mean = |all: Duration| each(all) / turns.len() as f64;
        println!(
            "postgres/{batch}: processor time of PostgreSQL {:.1} µs a message, and {:.1} at the least: {:.2} times",
            mean(store),
            mean(least),
            store.as_secs_f64() / least.as_secs_f64()
        );
    }
}

struct Data {
    runtime: Runtime,
    server: String,
    database: String,
    store: Rooms,
    /// The server's processes that the store talks to.
    processes: Vec<i32>,
    least: Least,
    least_first: bool,
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
        let count = super::sized(4096, 256);
        let (store, processes, least) = runtime.block_on(async {
            let admin = connect(&format!("{server}/postgres")).await;
            let create = format!("CREATE DATABASE {database}");
            admin.batch_execute(&create).await.expect("a database");
            let url = format!("{server}/{database}");
            let sink = Arc::new(Sink::default());
            let store = open(&url, Arc::clone(&sink)).await;
            // In the same table; the store is not asked about them.
            let others = make(&*store, count).await;
            let store = Rooms::open(store, sink, count).await;
            let least = Least::new(&url, others).await;
            let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
                 AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
            let found = least.client.query(sql, &[]).await.expect("processes");
            let processes = found.iter().map(|row| row.get(0)).collect();
            (store, processes, least)
        });
        Self {
            runtime,
            server,
            database,
            store,
            processes,
            least,
            least_first: false,
        }
    }

    /// A batch of each; another one begins each time.
    fn turn(&mut self, batch: usize) -> Turn {
        self.least_first = !self.least_first;
        if self.least_first {
            let least = self.append_least(batch);
            let store = self.append_stored(batch);
            return Turn { store, least };
        }
        let store = self.append_stored(batch);
        let least = self.append_least(batch);
        Turn { store, least }
    }

    fn append_stored(&mut self, batch: usize) -> Spent {
        let Self {
            runtime,
            store,
            processes,
            ..
        } = self;
        spend(processes, || runtime.block_on(store.append(batch)))
    }

    fn append_least(&mut self, batch: usize) -> Spent {
        let Self { runtime, least, .. } = self;
        let process = [least.process];
        spend(&process, || runtime.block_on(least.append(batch)))
    }

    fn close(self) {
        self.runtime.block_on(async {
            self.store.close().await;
            let admin = connect(&format!("{}/postgres", self.server)).await;
            let drop = format!("DROP DATABASE {} WITH (FORCE)", self.database);
            admin.batch_execute(&drop).await.expect("dropped");
        });
    }
}

fn spend(processes: &[i32], work: impl FnOnce() -> Duration) -> Spent {
    let before = processor_time(processes);
    let time = work();
    let after = processor_time(processes);
    let cpu = after.zip(before);
    let cpu = cpu.map(|(after, before)| after.saturating_sub(before));
    Spent { time, cpu }
}

/// What these processes have used, if they are PostgreSQL's and can be seen from here.
fn processor_time(processes: &[i32]) -> Option<Duration> {
    let used = processes.iter().map(|pid| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        let used = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
        let nanos = used.split(' ').next()?.parse().ok()?;
        (name.trim() == "postgres").then_some(Duration::from_nanos(nanos))
    });
    used.sum()
}

/// The least statements, and rooms of their own.
struct Least {
    client: Client,
    process: i32,
    lock: Statement,
    insert: Statement,
    update: Statement,
    rooms: Vec<LeastRoom>,
    appended: u64,
}

/// A room that the store is not asked about.
struct LeastRoom {
    id: RoomId,
    number: i64,
    last_seq: i64,
}

impl Least {
    async fn new(url: &str, rooms: Vec<RoomId>) -> Self {
        let client = connect(url).await;
        let set = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
             SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;";
        client.batch_execute(set).await.expect("set");
        let lock = "SELECT no, last_seq FROM rooms WHERE id = ANY ($1) ORDER BY id FOR UPDATE";
        let insert = "INSERT INTO entries (room, seq, kind, side, client_id, body, at) \
             SELECT room, seq, 0, side, name, body, $6::bigint FROM unnest($1::bigint[], $2::bigint[], \
                 $3::smallint[], $4::bytea[], $5::bytea[]) AS u (room, seq, side, name, body)";
        let update = "UPDATE rooms r SET last_seq = u.seq \
             FROM unnest($1::bigint[], $2::bigint[]) AS u (no, seq) WHERE r.no = u.no";
        let ids: Vec<Uuid> = rooms.iter().map(|room| room.0).collect();
        let sql = "SELECT r.no, pg_backend_pid() FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, place) \
             JOIN rooms r ON r.id = u.id ORDER BY u.place";
        let found = client.query(sql, &[&ids]).await.expect("numbers");
        assert_eq!(found.len(), rooms.len());
        let numbered = rooms.into_iter().zip(&found).map(|(id, row)| LeastRoom {
            id,
            number: row.get(0),
            last_seq: 0,
        });
        Self {
            process: found[0].get(1),
            rooms: numbered.collect(),
            lock: client.prepare(lock).await.expect("prepared"),
            insert: client.prepare(insert).await.expect("prepared"),
            update: client.prepare(update).await.expect("prepared"),
            client,
            appended: 0,
        }
    }

    /// How long a batch takes; what it says is what the store is given.
    async fn append(&mut self, batch: usize) -> Duration {
        let first = self.appended;
        self.appended += batch as u64;
        let places = places(first, batch, self.rooms.len());
        let drafts = places.iter().zip(first..);
        let drafts: Vec<Draft> = drafts.map(|(at, n)| draft(self.rooms[*at].id, n)).collect();
        for place in &places {
            self.rooms[*place].last_seq += 1;
        }
        let of = |field: &dyn Fn(&LeastRoom) -> i64| -> Vec<i64> {
            places.iter().map(|at| field(&self.rooms[*at])).collect()
        };
        let begun = Instant::now();
        let (numbers, seqs) = (of(&|room| room.number), of(&|room| room.last_seq));
        let ids: Vec<Uuid> = drafts.iter().map(|it| it.room.0).collect();
        let sides = drafts.iter().map(|it| i16::from(it.side == Side::B));
        let sides: Vec<i16> = sides.collect();
        let names: Vec<&[u8]> = drafts.iter().map(|it| it.client_id.as_bytes()).collect();
        let bodies: Vec<&[u8]> = drafts.iter().map(|it| it.content.as_bytes()).collect();
        let lock: [&(dyn ToSql + Sync); 1] = [&ids];
        let insert: [&(dyn ToSql + Sync); 6] = [&numbers, &seqs, &sides, &names, &bodies, &0_i64];
        let update: [&(dyn ToSql + Sync); 2] = [&numbers, &seqs];
        let (begin, locked, inserted, updated, committed) = tokio::join!(
            self.client.batch_execute("BEGIN"),
            self.client.query(&self.lock, &lock),
            self.client.execute(&self.insert, &insert),
            self.client.execute(&self.update, &update),
            self.client.batch_execute("COMMIT"),
        );
        let took = begun.elapsed();
        begin.expect("begun");
        assert_eq!(locked.expect("locked").len(), batch);
        assert_eq!(inserted.expect("inserted"), batch as u64);
        assert_eq!(updated.expect("updated"), batch as u64);
        committed.expect("committed");
        took
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
