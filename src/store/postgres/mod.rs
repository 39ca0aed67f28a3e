//! The store of many nodes: PostgreSQL.
//!
//! What changes a room goes through a batcher ([`lane`]): a room always through the same one of this
//! node, one batch at a time, each batch one call of the SQL function `run_batch`, which locks its
//! rooms first. What was committed is published by the batcher, so one node never publishes a room
//! out of order. Reads go through a pool. A connection that is lost is made again; whether a batch
//! whose answer was lost did happen is found out, not guessed ([`fate`]).
//!
//! Reading order: `migrations/postgres/*.sql` · `mod`, `calls` (the store as its callers see it) ·
//! `target`, `tls`, `link`, `open` (getting there) · `deed` (what travels) · `lane`, `fate` · `reads`, `upkeep` ·
//! `rows` (columns) · `shared`, `server_clock`, `error`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::deed::{Deed, Job, Line};
use self::error::Fault;
use self::lane::Lane;
use self::link::Pool;
use self::shared::{Life, Shared};
use crate::domain::id::NodeId;
use crate::store::underway::Underway;
use crate::store::{Clock, CommitSink, Durability, Pending, StoreError, StoreRules};

mod calls;
mod deed;
mod error;
mod fate;
mod lane;
mod link;
mod open;
mod reads;
mod rows;
mod server_clock;
mod shared;
mod target;
mod tls;
mod upkeep;

pub use self::error::OpenError;
pub use self::target::Target;

/// Sizes and times that are nobody's business but this backend's. Tests make them tiny.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// Batchers: as many batches may be on their way at once.
    pub lanes: usize,
    /// Deeds in one batch.
    pub batch: usize,
    /// Deeds that may wait for one batcher.
    pub queue: usize,
    /// What all deeds that wait may hold in memory, in bytes.
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
            lanes: 2,
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
    pub clock: Option<Clock>,
    /// Sizes and times.
    pub tuning: Tuning,
}

/// The store of many nodes. Dropping it without [`crate::store::Upkeep::close`] is a crash: what was answered is
/// kept, what was not may be lost.
pub struct PostgresStore {
    shared: Arc<Shared>,
    entry: Entrance,
    underway: Underway,
    _abandon: DropGuard,
}

/// Where deeds go in.
#[derive(Clone)]
struct Entrance {
    lanes: Arc<[mpsc::Sender<Job>]>,
    /// One permit a byte.
    room: Arc<Semaphore>,
    closing: CancellationToken,
}

impl Entrance {
    /// Queues a deed, or says at once why not.
    fn push(&self, mut job: Job) -> Result<(), StoreError> {
        if self.closing.is_cancelled() {
            return Err(closed());
        }
        let bytes = u32::try_from(job.deed.bytes()).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(bytes);
        job.held = Some(room.map_err(|_| full())?);
        // The last byte of a room's id is random.
        let lane = usize::from(job.deed.room.0.as_bytes()[15]) % self.lanes.len();
        self.lanes[lane].try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => full(),
            TrySendError::Closed(_) => closed(),
        })
    }

    /// Queues a deed now and waits for what became of it, at most until `deadline`.
    fn ask<T: Send + 'static>(
        &self,
        deed: Deed,
        deadline: Instant,
        read: impl FnOnce(Line) -> Result<T, Fault> + Send + Sync + 'static,
    ) -> Pending<T> {
        let (job, answer) = Job::new(deed, deadline, read);
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
        let begun: Result<(), Fault> = begun.await;
        begun.map_err(|fault| OpenError::of(&shared.target, &fault))?;

        let room = Semaphore::new(shared.tuning.queue_bytes);
        let (closing, abandoned) = (CancellationToken::new(), CancellationToken::new());
        let mut lanes = Vec::new();
        let working = TaskTracker::new();
        for number in 0..shared.tuning.lanes {
            let (sender, jobs) = mpsc::channel(shared.tuning.queue);
            let number = i16::try_from(number).unwrap_or(i16::MAX);
            let lane = Lane::new(Arc::clone(&shared), number, jobs).run(closing.clone());
            working.spawn(abandoned.clone().run_until_cancelled_owned(lane));
            lanes.push(sender);
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
                lanes: lanes.into(),
                room: Arc::new(room),
                closing,
            },
            underway: Underway::default(),
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
        self.shared.renew().await.map_err(|fault| fault.told())
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.shared.rules.timeout
    }

    /// Queues a deed now; the answer is bounded in time.
    fn ask<T: Send + 'static>(
        &self,
        deed: Deed,
        read: impl FnOnce(Line) -> Result<T, Fault> + Send + Sync + 'static,
    ) -> Pending<T> {
        self.entry.ask(deed, self.deadline(), read)
    }

    /// Reads; the answer is bounded in time.
    fn look<T, F>(&self, work: impl FnOnce(Arc<Shared>) -> F) -> Pending<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        if self.entry.closing.is_cancelled() {
            return Pending::known(Err(closed()));
        }
        let work = work(Arc::clone(&self.shared));
        Pending::bounded(self.deadline(), async move {
            work.await.map_err(|fault| {
                fault.count();
                fault.told()
            })
        })
    }
}

/// After the batchers have ended: nothing is left that this node would have to do.
async fn end(shared: Arc<Shared>, working: TaskTracker, closing: CancellationToken) {
    closing.cancelled().await;
    working.close();
    working.wait().await;
    // Whoever is connected to this node is not any more.
    if let Err(fault) = shared.retire().await {
        tracing::warn!(error = fault.why(), "this node's lease ends by itself");
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
