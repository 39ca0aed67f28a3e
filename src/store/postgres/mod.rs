//! The store of many nodes: PostgreSQL.
//!
//! What changes a room goes through a write shard ([`write_shard`]): a room always through the same one of
//! this node, one batch at a time, each batch one transaction, which locks its rooms first ([`batch`]). What
//! was committed is published by the shard, so one node never publishes a room out of order. Reads go
//! through a pool. A connection that is lost is made again; whether a batch whose answer was lost did happen
//! is found out, not guessed ([`in_doubt`]).
//!
//! Reading order: `migrations/postgres/*.sql` · `mod`, `calls` (the store as its callers see it) ·
//! `target`, `tls`, `link`, `open` (getting there) · `write_op` (what travels) · `write_shard`, `in_doubt` ·
//! `batch`, `decide` (what a batch does), `room_state`, `messages`, `reactions`, `columns`, `statements` · `reads`, `subscriptions`, `upkeep` ·
//! `rows` (columns) · `shared`, `server_clock`, `error`; `safety/` beside them: reports and what follows from them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::error::BackendError;
use self::link::Pool;
use self::shared::{Life, Shared};
use self::write_op::{Job, Outcome, WriteOp};
use self::write_shard::WriteShard;
use crate::domain::id::NodeId;
use crate::store::pending_writes::PendingWrites;
use crate::store::{CommitSink, Durability, Pending, SharedClock, StoreError, StoreRules};

mod batch;
mod calls;
mod columns;
mod decide;
mod error;
mod in_doubt;
mod link;
mod messages;
mod open;
mod reactions;
mod reads;
mod room_state;
mod rows;
mod safety;
mod server_clock;
mod shared;
mod statements;
mod subscriptions;
mod target;
mod tls;
mod upkeep;
mod write_op;
mod write_shard;

pub use self::error::OpenError;
pub use self::target::{Target, TargetError};

/// Sizes and times that concern this backend alone. Tests make them tiny.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// Batchers: as many batches may be on their way at once.
    pub shards: usize,
    /// Writes in one batch.
    pub batch: usize,
    /// Writes that may wait for one batcher.
    pub queue: usize,
    /// What all writes that wait may hold in memory, in bytes.
    pub queue_bytes: usize,
    /// Connections for what is only read, besides one a batcher.
    pub connections: usize,
    /// How long a node that is not heard of counts as alive.
    pub lease: Duration,
    /// How often the lease is renewed.
    pub renewal: Duration,
    /// How long rooms found by one node's sweeper are left alone by the others'.
    pub claim: Duration,
    /// How often open rooms are counted.
    pub count: Duration,
    /// How long a start waits for a server that is not there yet.
    pub patience: Duration,
    /// Entries erased in one step.
    pub erase_rows: usize,
    /// Rooms erased in one step, if they are short.
    pub erase_rooms: usize,
    /// Blocks kept altogether.
    pub blocks: i64,
    /// Rooms closed in one step.
    pub close_rooms: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            shards: 2,
            batch: 256,
            queue: 65_536,
            queue_bytes: 32 * 1024 * 1024,
            connections: 8,
            lease: Duration::from_secs(15),
            renewal: Duration::from_secs(5),
            claim: Duration::from_secs(10),
            count: Duration::from_secs(2),
            patience: Duration::from_secs(30),
            erase_rows: 500,
            erase_rooms: 32,
            blocks: crate::store::BLOCKS,
            close_rooms: 64,
        }
    }
}

/// What a store is opened with besides its address.
pub struct Setup {
    /// This run of this process.
    pub node: NodeId,
    /// What an acknowledged message survives: a crash of the server, or only ours.
    pub durability: Durability,
    /// Rules of time and number.
    pub rules: StoreRules,
    /// Who is told of what was committed.
    pub sink: Arc<dyn CommitSink>,
    /// Instead of the server's clock, for tests.
    pub clock: Option<SharedClock>,
    /// Sizes and times.
    pub tuning: Tuning,
}

/// The store of many nodes. Dropping it without [`crate::store::Upkeep::close`] is a crash: what was answered is
/// kept, what was not may be lost.
pub struct PostgresStore {
    shared: Arc<Shared>,
    entry: Entrance,
    pending_writes: PendingWrites,
    _abandon: DropGuard,
}

/// Where writes go in.
#[derive(Clone)]
struct Entrance {
    shards: Arc<[mpsc::Sender<Job>]>,
    /// One permit a byte.
    room: Arc<Semaphore>,
    closing: CancellationToken,
}

impl Entrance {
    /// Queues a write, or says at once why not.
    fn push(&self, mut job: Job) -> Result<(), StoreError> {
        if self.closing.is_cancelled() {
            return Err(closed());
        }
        let bytes = u32::try_from(job.op.bytes()).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(bytes);
        job.held = Some(room.map_err(|_| full())?);
        // The last byte of a room's id is random.
        let shard = usize::from(job.op.room().0.as_bytes()[15]) % self.shards.len();
        self.shards[shard]
            .try_send(job)
            .map_err(|error| match error {
                TrySendError::Full(_) => full(),
                TrySendError::Closed(_) => closed(),
            })
    }

    /// Queues a write now and waits for what became of it, at most until `deadline`.
    fn ask<T: Send + 'static>(
        &self,
        op: WriteOp,
        deadline: Instant,
        read: impl FnOnce(Outcome) -> Result<T, BackendError> + Send + Sync + 'static,
    ) -> Pending<T> {
        let (job, answer) = Job::new(op, deadline, read);
        match self.push(job) {
            Ok(()) => Pending::answer(answer, deadline),
            Err(error) => Pending::known(Err(error)),
        }
    }
}

impl PostgresStore {
    /// Reaches the database, waiting a while if it is not there yet; brings its schema up to date;
    /// begins this node's lease.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(target: Target, setup: Setup) -> Result<Arc<Self>, OpenError> {
        let Setup {
            node,
            durability,
            rules,
            sink,
            clock,
            tuning,
        } = setup;
        let pool = Pool::new(&target, tuning.connections, rules.timeout, durability);
        let pool = pool.map_err(OpenError::Address)?;
        open::prepare(&pool, &target, tuning.patience).await?;
        let shared = Arc::new(Shared::new(pool, target, rules, tuning, node, sink, clock));
        let begun = async {
            shared.resume_clock().await?;
            shared.register().await?;
            shared.count().await
        };
        let begun: Result<(), BackendError> = begun.await;
        begun.map_err(|error| OpenError::of(&shared.target, error))?;

        let room = Semaphore::new(shared.tuning.queue_bytes);
        let (closing, abandoned) = (CancellationToken::new(), CancellationToken::new());
        let mut shards = Vec::new();
        let working = TaskTracker::new();
        for number in 0..shared.tuning.shards {
            let (sender, jobs) = mpsc::channel(shared.tuning.queue);
            let number = i16::try_from(number).unwrap_or(i16::MAX);
            let shard = WriteShard::new(Arc::clone(&shared), number, jobs).run(closing.clone());
            working.spawn(abandoned.clone().run_until_cancelled_owned(shard));
            shards.push(sender);
        }
        let tasks = TaskTracker::new();
        let lease = upkeep::keep_lease(Arc::clone(&shared), closing.clone());
        tasks.spawn(abandoned.clone().run_until_cancelled_owned(lease));
        let counting = upkeep::keep_count(Arc::clone(&shared), closing.clone());
        tasks.spawn(abandoned.clone().run_until_cancelled_owned(counting));
        let ending = end(Arc::clone(&shared), working, closing.clone());
        tasks.spawn(abandoned.clone().run_until_cancelled_owned(ending));
        Ok(Arc::new(Self {
            shared,
            entry: Entrance {
                shards: shards.into(),
                room: Arc::new(room),
                closing,
            },
            pending_writes: PendingWrites::default(),
            _abandon: abandoned.drop_guard(),
        }))
    }

    /// Resolves when a batcher panicked: nothing can be stored any more, and the process should end.
    /// Never resolves otherwise.
    pub fn batcher_died(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut life = self.shared.life.subscribe();
        async move {
            if life.wait_for(|life| *life == Life::Died).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Renews this node's lease now. A task does by itself every [`Tuning::renewal`].
    ///
    /// # Errors
    /// `Unavailable` when the server does not answer.
    pub async fn renew(&self) -> Result<(), StoreError> {
        self.shared
            .renew()
            .await
            .map_err(|error| error.to_store_error())
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.shared.rules.timeout
    }

    /// Queues a write now; the answer is bounded in time.
    fn ask<T: Send + 'static>(
        &self,
        op: WriteOp,
        read: impl FnOnce(Outcome) -> Result<T, BackendError> + Send + Sync + 'static,
    ) -> Pending<T> {
        self.entry.ask(op, self.deadline(), read)
    }

    /// Reads; the answer is bounded in time.
    fn look<T, F>(&self, work: impl FnOnce(Arc<Shared>) -> F) -> Pending<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, BackendError>> + Send + 'static,
    {
        if self.entry.closing.is_cancelled() {
            return Pending::known(Err(closed()));
        }
        let work = work(Arc::clone(&self.shared));
        Pending::bounded(self.deadline(), async move {
            work.await.map_err(|error| {
                error.count();
                error.to_store_error()
            })
        })
    }
}

/// After the batchers have ended: nothing is left that this node would have to do.
async fn end(shared: Arc<Shared>, working: TaskTracker, closing: CancellationToken) {
    closing.cancelled().await;
    working.close();
    working.wait().await;
    // What was connected to this node is not any more.
    if let Err(error) = shared.retire().await {
        tracing::warn!(error = error.why(), "this node's lease ends by itself");
    }
    shared.pool.close();
    shared.life.send_if_modified(|life| {
        let working = *life == Life::Working;
        if working {
            *life = Life::Closed;
        }
        working
    });
}

fn full() -> StoreError {
    StoreError::Unavailable("the store's queue is full".into())
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}
