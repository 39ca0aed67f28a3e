//! A write shard: takes what is queued, does it in one transaction ([`super::batch`]), publishes, answers. A
//! room always goes through the same shard of a node, one batch at a time, so its order is that of the
//! calls. What happens when an answer is lost is in `in_doubt`.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::ClientWrapper;
use lru::LruCache;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::batch::{Dones, Transaction};
use super::error::{BackendError, Cause};
use super::shared::{Life, Shared};
use super::statements::{SETTINGS, Statements};
use super::write_op::{Job, Outcome, WriteOp};
use crate::domain::id::{RoomId, Side};
use crate::store::Hearing;
use crate::store::{Committed, ReadState, RoomPeople, StoreError};

/// How often a batch that clashed with another node's is tried again.
const CLASHES: u32 = 5;
/// How long read states may wait for company.
const READ_STATES_WAIT: Duration = Duration::from_secs(1);
/// Sides whose read states may wait.
const READ_STATES: usize = 4096;
/// Rooms whose people are remembered.
const PEOPLE: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");

/// The numbers and the people of rooms.
pub(super) type People = LruCache<RoomId, (i64, Arc<RoomPeople>)>;

/// A connection of the shard's own.
pub(super) struct Link {
    pub(super) client: ClientWrapper,
    pub(super) statements: Statements,
    /// Batches of an older one are refused.
    pub(super) epoch: i64,
}

/// Everything one batcher owns.
pub(super) struct WriteShard {
    pub(super) shared: Arc<Shared>,
    pub(super) number: i16,
    jobs: mpsc::Receiver<Job>,
    pub(super) link: Option<Link>,
    /// Counts batches; the database remembers the last one that happened.
    pub(super) batch: i64,
    pub(super) people: People,
    read_states: HashMap<(RoomId, Side), ReadState>,
    read_states_due: Option<Instant>,
}

/// Says so when the shard panics: nothing can be stored any more.
struct Alarm(Arc<Shared>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.life.send_replace(Life::Died);
        }
    }
}

impl WriteShard {
    /// A batcher that takes from this queue.
    pub(super) fn new(shared: Arc<Shared>, number: i16, jobs: mpsc::Receiver<Job>) -> Self {
        Self {
            shared,
            number,
            jobs,
            link: None,
            batch: 0,
            people: LruCache::new(PEOPLE),
            read_states: HashMap::new(),
            read_states_due: None,
        }
    }

    /// Works until closed, and then until the queue is empty.
    pub(super) async fn run(mut self, closing: CancellationToken) {
        let _alarm = Alarm(Arc::clone(&self.shared));
        let most = self.shared.tuning.batch;
        let mut jobs = Vec::new();
        let mut closed = false;
        loop {
            let due = self.read_states_due;
            tokio::select! {
                biased;
                () = closing.cancelled(), if !closed => {
                    closed = true;
                    self.jobs.close();
                }
                taken = self.jobs.recv_many(&mut jobs, most) => if taken == 0 { break },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
            let batch = self.compose(&mut jobs);
            self.commit(batch).await;
        }
        self.read_states_due = Some(Instant::now());
        let batch = self.compose(&mut Vec::new());
        self.commit(batch).await;
    }

    /// What goes into the next batch. Read states wait until something else is done to their room, or for a
    /// while: one row written for many.
    fn compose(&mut self, jobs: &mut Vec<Job>) -> Vec<Job> {
        let mut batch = Vec::with_capacity(jobs.len());
        for job in jobs.drain(..) {
            if let WriteOp::SaveReadState {
                room,
                side,
                read_state,
            } = job.op
            {
                self.remember(room, side, read_state);
                continue;
            }
            let room = job.op.room();
            for side in Side::BOTH {
                let waiting = self.read_states.remove(&(room, side));
                batch.extend(waiting.map(|it| self.saving(room, side, it)));
            }
            batch.push(job);
        }
        let due = self
            .read_states_due
            .is_some_and(|due| due <= Instant::now());
        if due || self.read_states.len() >= READ_STATES {
            self.read_states_due = None;
            let waiting = std::mem::take(&mut self.read_states).into_iter();
            batch.extend(waiting.map(|((room, side), it)| self.saving(room, side, it)));
        }
        batch
    }

    fn remember(&mut self, room: RoomId, side: Side, told: ReadState) {
        let known = self.read_states.entry((room, side)).or_default();
        known.cursor = known.cursor.max(told.cursor);
        known.read = known.read.max(told.read);
        self.read_states_due
            .get_or_insert_with(|| Instant::now() + READ_STATES_WAIT);
    }

    fn saving(&self, room: RoomId, side: Side, read_state: ReadState) -> Job {
        let op = WriteOp::SaveReadState {
            room,
            side,
            read_state,
        };
        Job::quiet(op, Instant::now() + self.shared.rules.timeout)
    }

    /// Does all of it, or says of each why not.
    async fn commit(&mut self, batch: Vec<Job>) {
        let (barriers, jobs) = batch
            .into_iter()
            .partition(|job: &Job| matches!(job.op, WriteOp::Barrier { .. }));
        // What has aborted a batch is looked for by halves, in order, so that only it fails.
        let mut parts: Vec<Vec<Job>> = vec![jobs];
        while let Some(part) = parts.pop() {
            let mut aborted = self.attempt(part).await;
            if !aborted.is_empty() {
                parts.push(aborted.split_off(aborted.len() / 2));
                parts.push(aborted);
            }
        }
        for barrier in barriers {
            barrier.answer(Ok(Outcome::Done));
        }
    }

    /// Tries until it is known what became of these. Answers them again when one of them has aborted the
    /// batch of all.
    async fn attempt(&mut self, mut jobs: Vec<Job>) -> Vec<Job> {
        let mut clashes = 0;
        loop {
            jobs = in_time(jobs);
            if jobs.is_empty() {
                return Vec::new();
            }
            if self.link.is_none() {
                self.connect().await;
                continue;
            }
            self.batch += 1;
            let changes = jobs.iter().any(|job| job.op.changes_count());
            if changes {
                self.shared.open_rooms.begin();
            }
            let error = match self.send(&jobs).await {
                Ok(dones) => {
                    self.shared.succeeded();
                    let opened = self.committed(jobs, dones);
                    if changes {
                        self.shared.open_rooms.end(opened);
                    }
                    return Vec::new();
                }
                Err(error) => error,
            };
            if error.cause() == Cause::Lost {
                self.shared.failed(&error);
                jobs = self.settle(jobs).await;
            }
            if changes {
                self.shared.open_rooms.end(0);
            }
            match error.cause() {
                Cause::Lost => {}
                Cause::Late | Cause::Clash if clashes < CLASHES => {
                    error.count();
                    clashes += 1;
                    self.recover(&error).await;
                }
                Cause::Damaged if jobs.len() > 1 => return jobs,
                _ => {
                    self.refuse(jobs, &error);
                    return Vec::new();
                }
            }
        }
    }

    /// Before the same is tried again.
    async fn recover(&mut self, error: &BackendError) {
        if error.cause() == Cause::Late {
            self.link = None;
        }
        if matches!(error, BackendError::ClockSet) {
            // When it fails, the next batch finds the clock as it is.
            if let Err(error) = self.shared.true_now().await {
                error.count();
            }
        }
    }

    fn refuse(&self, jobs: Vec<Job>, error: &BackendError) {
        if error.cause() == Cause::Damaged {
            error.count();
            tracing::error!(error = error.why(), "a row cannot be stored");
        } else {
            self.shared.failed(error);
        }
        for job in jobs {
            job.answer(Err(error.to_store_error()));
        }
    }

    /// Does one batch and waits for its result.
    async fn send(&mut self, jobs: &[Job]) -> Result<Dones, BackendError> {
        let Some(link) = &self.link else {
            return Err(BackendError::Silent);
        };
        let transaction = Transaction {
            shared: &self.shared,
            link,
            shard: self.number,
            batch: self.batch,
            people: &self.people,
        };
        let ops: Vec<&WriteOp> = jobs.iter().map(|job| &job.op).collect();
        // The server has its own, shorter limit: this one is for a server that is not heard of.
        let limit = self.shared.rules.timeout.max(Duration::from_secs(1)) * 2;
        let done = timeout(limit, transaction.run(&ops)).await;
        metrics::histogram!("miyu_store_batch_entries").record(jobs.len() as f64);
        done.map_err(|_| BackendError::Silent)?
    }

    /// A connection of our own, and the last batch that happened before it. Waits a moment when there
    /// is none to be had.
    pub(super) async fn connect(&mut self) -> Option<super::in_doubt::Last> {
        match self.try_connect().await {
            Ok((link, last)) => {
                self.link = Some(link);
                Some(last)
            }
            Err(error) => {
                self.shared.failed(&error);
                tokio::time::sleep(super::link::PAUSE).await;
                None
            }
        }
    }

    async fn try_connect(&self) -> Result<(Link, super::in_doubt::Last), BackendError> {
        let client = self.shared.pool.own().await?;
        client.batch_execute(SETTINGS).await?;
        let statements = Statements::prepare(&client).await?;
        let last = super::in_doubt::take(&client, self.shared.node(), self.number).await?;
        let epoch = last.epoch;
        let link = Link {
            client,
            statements,
            epoch,
        };
        Ok((link, last))
    }

    /// It happened: the rooms' people learn, then the askers. Answers by how much it changed the number of
    /// open rooms.
    fn committed(&mut self, jobs: Vec<Job>, dones: Dones) -> i64 {
        let opened = dones.iter().flatten().map(|done| done.opened).sum();
        self.publish(&jobs, &dones);
        for (job, done) in jobs.into_iter().zip(dones) {
            let outcome = done.map(|done| done.outcome);
            job.answer(outcome.map_err(|error| {
                error.count();
                error.to_store_error()
            }));
        }
        opened
    }

    /// Hands the new entries to the sink, each room in its order.
    pub(super) fn publish(&mut self, jobs: &[Job], dones: &Dones) {
        let mut batch = Vec::new();
        for (job, done) in jobs.iter().zip(dones) {
            let Ok(done) = done else { continue };
            let room = job.op.room();
            if let Some(closes_at) = done.closes_at {
                self.shared.sink.closing(room, closes_at);
            }
            let (Some(entry), Some(known)) = (&done.made, &done.people) else {
                continue;
            };
            batch.push(Committed {
                people: Arc::clone(&known.1),
                entry: Arc::clone(entry),
                calls: done.calls && done.hearing != Hearing::Nothing,
                hearing: done.hearing,
            });
            // Also when it is known: then it is the one used last.
            self.people.put(room, known.clone());
        }
        if !batch.is_empty() {
            self.shared.sink.committed(&batch);
        }
    }
}

/// Those whose caller still waits; the others are told that it was too late.
fn in_time(jobs: Vec<Job>) -> Vec<Job> {
    let now = Instant::now();
    let (waiting, late): (Vec<Job>, Vec<Job>) =
        jobs.into_iter().partition(|job| now < job.deadline);
    for job in late {
        job.answer(Err(StoreError::Unavailable("no answer in time".into())));
    }
    waiting
}
