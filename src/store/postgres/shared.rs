//! What the parts of one store have in common: the way to the database, the rules, how things are
//! going.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::Tuning;
use super::error::BackendError;
use super::link::Pool;
use super::rows::{get, millis};
use super::server_clock::ServerClock;
use super::target::Target;
use crate::domain::id::NodeId;
use crate::store::{CommitSink, SharedClock, StoreRules};

/// How the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Working,
    /// Closed, in good order or not.
    Closed,
    /// A batcher panicked.
    Died,
}

/// One store's common part.
pub(super) struct Shared {
    pub(super) pool: Pool,
    pub(super) target: Target,
    pub(super) rules: StoreRules,
    pub(super) tuning: Tuning,
    pub(super) node: NodeId,
    pub(super) sink: Arc<dyn CommitSink>,
    /// Tests move it; else the server's clock counts.
    pub(super) clock: Option<SharedClock>,
    pub(super) server_clock: ServerClock,
    pub(super) life: watch::Sender<Life>,
    pub(super) open_rooms: OpenRooms,
    /// Who of this node is next in the line of [`super::safety`]: one at a time, so that those who wait take no
    /// connection from those who read.
    pub(super) next_in_line: Arc<tokio::sync::Mutex<()>>,
    trouble: Mutex<bool>,
    /// The data had `store.max_size` when it was last measured.
    at_max_size: AtomicBool,
}

impl Shared {
    pub(super) fn new(
        pool: Pool,
        target: Target,
        rules: StoreRules,
        tuning: Tuning,
        node: NodeId,
        sink: Arc<dyn CommitSink>,
        clock: Option<SharedClock>,
    ) -> Self {
        Self {
            pool,
            target,
            rules,
            tuning,
            node,
            sink,
            clock,
            server_clock: ServerClock::default(),
            life: watch::Sender::new(Life::Working),
            open_rooms: OpenRooms::default(),
            next_in_line: Arc::default(),
            trouble: Mutex::new(false),
            at_max_size: AtomicBool::new(false),
        }
    }

    /// What `p_now` is to be.
    pub(super) fn now(&self) -> Option<i64> {
        self.clock.as_ref().map(|clock| clock.now().0)
    }

    /// This process as a column.
    pub(super) fn node(&self) -> i64 {
        self.node.0.cast_signed()
    }

    /// How long a side has to come, and to come back.
    pub(super) fn patience(&self) -> (i64, i64) {
        (
            millis(self.rules.arrival),
            millis(self.rules.reconnect_grace),
        )
    }

    /// How long a room may be open and how long before its end that is told; `None`: for ever.
    pub(super) fn longest(&self) -> (Option<i64>, Option<i64>) {
        let rules = &self.rules;
        let limited = !rules.longest.is_zero();
        let millis = |time| limited.then(|| millis(time));
        (millis(rules.longest), millis(rules.notice()))
    }

    /// Messages are refused because of the size of the data.
    pub(super) fn at_max_size(&self) -> bool {
        self.at_max_size.load(Ordering::Relaxed)
    }

    /// See [`crate::store::Upkeep::size`].
    pub(super) async fn size(&self) -> Result<u64, BackendError> {
        let max = self.rules.max_size;
        // Where it matters: near the bound.
        let from = match max {
            0 => i64::MAX,
            max => i64::try_from(max / 4 * 3).unwrap_or(i64::MAX),
        };
        let sql = "SELECT data_size($1) AS size";
        let rows = self.pool.once(sql, &[&from]).await?;
        let row = rows.first().ok_or(BackendError::Damaged("no size"))?;
        let size = u64::try_from(get::<i64>(row, "size")?).unwrap_or(0);
        let at_max = max > 0 && size >= max;
        self.at_max_size.store(at_max, Ordering::Relaxed);
        Ok(size)
    }

    /// Says once that the database is not as it should be.
    pub(super) fn failed(&self, error: &BackendError) {
        error.count();
        let known = std::mem::replace(&mut *self.trouble.lock(), true);
        if !known {
            let error = error.why();
            tracing::error!(database = %self.target, error, "PostgreSQL does not take writes; asking again");
        }
    }

    /// Says once that it is well again.
    pub(super) fn succeeded(&self) {
        let known = std::mem::replace(&mut *self.trouble.lock(), false);
        if known {
            tracing::info!(database = %self.target, "PostgreSQL takes writes again");
        }
    }

    /// Our lease, from now on.
    pub(super) async fn renew(&self) -> Result<(), BackendError> {
        self.true_now().await?;
        let (now, node, lease) = (self.now(), self.node(), millis(self.tuning.lease));
        let sql = "SELECT renew($1, $2, $3)";
        self.pool.once(sql, &[&now, &node, &lease]).await?;
        Ok(())
    }

    /// This node begins: its lease, and the end of those that no node keeps.
    pub(super) async fn register(&self) -> Result<(), BackendError> {
        let (now, node, lease) = (self.now(), self.node(), millis(self.tuning.lease));
        let sql = "SELECT register($1, $2, $3)";
        self.pool.query(sql, &[&now, &node, &lease]).await?;
        Ok(())
    }

    /// This node ends in good order.
    pub(super) async fn retire(&self) -> Result<(), BackendError> {
        let (now, node) = (self.now(), self.node());
        self.pool
            .once("SELECT retire($1, $2)", &[&now, &node])
            .await?;
        Ok(())
    }

    /// Reads how many rooms are open. What this node changes while that is being read must be
    /// neither lost nor counted twice, so it is read when nothing changes, if that can be had.
    pub(super) async fn count(&self) -> Result<(), BackendError> {
        const ATTEMPTS: usize = 10;
        for attempt in 1..=ATTEMPTS {
            let before = self.open_rooms.still();
            let sql = "SELECT count(*) AS count FROM rooms WHERE closed_at IS NULL AND NOT is_bot";
            let rows = self.pool.once(sql, &[]).await?;
            let row = rows.first().ok_or(BackendError::Damaged("no count"))?;
            let found = get(row, "count")?;
            let quiet = before.is_some() && before == self.open_rooms.still();
            if quiet || attempt == ATTEMPTS {
                self.open_rooms.set(found);
                break;
            }
        }
        Ok(())
    }
}

/// How many rooms of two people are open: read now and then, and kept up with what this node does.
#[derive(Default)]
pub(super) struct OpenRooms {
    count: AtomicI64,
    begun: AtomicU64,
    ended: AtomicU64,
}

impl OpenRooms {
    /// The count now.
    pub(super) fn get(&self) -> u64 {
        u64::try_from(self.count.load(Ordering::SeqCst)).unwrap_or(0)
    }

    /// This node is about to change it.
    pub(super) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
    }

    /// It did, by so much.
    pub(super) fn end(&self, by: i64) {
        self.count.fetch_add(by, Ordering::SeqCst);
        self.ended.fetch_add(1, Ordering::SeqCst);
    }

    /// How many changes there were, when none is going on.
    fn still(&self) -> Option<u64> {
        let ended = self.ended.load(Ordering::SeqCst);
        (self.begun.load(Ordering::SeqCst) == ended).then_some(ended)
    }

    fn set(&self, count: i64) {
        self.count.store(count, Ordering::SeqCst);
    }
}
