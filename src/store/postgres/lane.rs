//! A batcher: takes what is queued, does it in one call of `run_batch`, publishes, answers. A room
//! always goes through the same lane of a node, one batch at a time, so its order is that of the
//! calls. What happens when an answer is lost is in `fate`.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::ClientWrapper;
use lru::LruCache;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_postgres::{Row, Statement};
use tokio_util::sync::CancellationToken;

use super::deed::{Columns, Deed, Job, Kind, Line};
use super::error::{Cause, Fault};
use super::rows::{self, millis};
use super::shared::{Life, Shared};
use crate::domain::id::{RoomId, Side};
use crate::store::{Committed, Marks, RoomPeople, StoreError};

/// How often a batch that clashed with another node's is tried again.
const CLASHES: u32 = 5;
/// How long marks may wait for company.
const MARKS_WAIT: Duration = Duration::from_secs(1);
/// Sides whose marks may wait.
const MARKS: usize = 4096;
/// Rooms whose people are remembered.
const PEOPLE: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");

const RUN_BATCH: &str = "SELECT * FROM run_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
     $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)";

/// A connection of the lane's own.
pub(super) struct Link {
    pub(super) client: ClientWrapper,
    statement: Statement,
    /// Batches of an older one are refused.
    pub(super) epoch: i64,
}

/// Everything one batcher owns.
pub(super) struct Lane {
    pub(super) shared: Arc<Shared>,
    pub(super) number: i16,
    jobs: mpsc::Receiver<Job>,
    pub(super) link: Option<Link>,
    /// Counts batches; the database remembers the last one that happened.
    pub(super) batch: i64,
    pub(super) people: LruCache<RoomId, Arc<RoomPeople>>,
    marks: HashMap<(RoomId, Side), Marks>,
    marks_due: Option<Instant>,
}

/// Says so when the lane panics: nothing can be stored any more.
struct Alarm(Arc<Shared>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.life.send_replace(Life::Died);
        }
    }
}

impl Lane {
    /// A batcher that takes from this queue.
    pub(super) fn new(shared: Arc<Shared>, number: i16, jobs: mpsc::Receiver<Job>) -> Self {
        Self {
            shared,
            number,
            jobs,
            link: None,
            batch: 0,
            people: LruCache::new(PEOPLE),
            marks: HashMap::new(),
            marks_due: None,
        }
    }

    /// Works until closed, and then until the queue is empty.
    pub(super) async fn run(mut self, closing: CancellationToken) {
        let _alarm = Alarm(Arc::clone(&self.shared));
        let most = self.shared.tuning.batch;
        let mut jobs = Vec::new();
        let mut closed = false;
        loop {
            let due = self.marks_due;
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
        self.marks_due = Some(Instant::now());
        let batch = self.compose(&mut Vec::new());
        self.commit(batch).await;
    }

    /// What goes into the next batch. Marks wait until something else is done to their room, or for a
    /// while: one row written for many.
    fn compose(&mut self, jobs: &mut Vec<Job>) -> Vec<Job> {
        let mut batch = Vec::with_capacity(jobs.len());
        for job in jobs.drain(..) {
            let room = job.deed.room;
            if job.deed.kind == Kind::Mark {
                self.remember(&job.deed);
                continue;
            }
            for side in Side::BOTH {
                let marks = self.marks.remove(&(room, side));
                batch.extend(marks.map(|marks| self.mark(room, side, marks)));
            }
            batch.push(job);
        }
        let due = self.marks_due.is_some_and(|due| due <= Instant::now());
        if due || self.marks.len() >= MARKS {
            self.marks_due = None;
            let marks = std::mem::take(&mut self.marks);
            let marks = marks.into_iter();
            batch.extend(marks.map(|((room, side), marks)| self.mark(room, side, marks)));
        }
        batch
    }

    fn remember(&mut self, deed: &Deed) {
        let Some(side) = deed.side else { return };
        let known = self.marks.entry((deed.room, side)).or_default();
        known.cursor = known.cursor.max(deed.marks.cursor);
        known.read = known.read.max(deed.marks.read);
        self.marks_due
            .get_or_insert_with(|| Instant::now() + MARKS_WAIT);
    }

    fn mark(&self, room: RoomId, side: Side, marks: Marks) -> Job {
        let mut deed = Deed::new(Kind::Mark, room, Some(side));
        deed.marks = marks;
        Job::quiet(deed, Instant::now() + self.shared.rules.timeout)
    }

    /// Does all of it, or says of each why not.
    async fn commit(&mut self, batch: Vec<Job>) {
        let (barriers, jobs) = batch
            .into_iter()
            .partition(|job: &Job| job.deed.kind == Kind::Barrier);
        // What spoils a batch is looked for by halves, in order, so that only it fails.
        let mut parts: Vec<Vec<Job>> = vec![jobs];
        while let Some(part) = parts.pop() {
            let mut spoilt = self.attempt(part).await;
            if !spoilt.is_empty() {
                parts.push(spoilt.split_off(spoilt.len() / 2));
                parts.push(spoilt);
            }
        }
        for barrier in barriers {
            barrier.answer(Ok(Line::nothing()));
        }
    }

    /// Tries until it is known what became of these. Answers them again when one of them spoils the
    /// others.
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
            let changes = jobs.iter().any(|job| changes_count(job.deed.kind));
            if changes {
                self.shared.open_rooms.begin();
            }
            let result = self.send(&jobs).await;
            let fault = match result {
                Ok(rows) => {
                    self.shared.succeeded();
                    let opened = self.committed(jobs, &rows);
                    if changes {
                        self.shared.open_rooms.end(opened);
                    }
                    return Vec::new();
                }
                Err(fault) => fault,
            };
            if fault.cause() == Cause::Lost {
                self.shared.failed(&fault);
                let left = self.settle(jobs).await;
                if changes {
                    self.shared.open_rooms.end(0);
                }
                jobs = left;
                continue;
            }
            if changes {
                self.shared.open_rooms.end(0);
            }
            match fault.cause() {
                Cause::Late | Cause::Clash if clashes < CLASHES => {
                    fault.count();
                    clashes += 1;
                    if fault.cause() == Cause::Late {
                        self.link = None;
                    }
                }
                Cause::Damaged if jobs.len() > 1 => return jobs,
                _ => {
                    self.refuse(jobs, &fault);
                    return Vec::new();
                }
            }
        }
    }

    fn refuse(&self, jobs: Vec<Job>, fault: &Fault) {
        if fault.cause() == Cause::Damaged {
            fault.count();
            tracing::error!(error = fault.why(), "a row cannot be stored");
        } else {
            self.shared.failed(fault);
        }
        for job in jobs {
            job.answer(Err(fault.told()));
        }
    }

    /// Sends one batch and waits for its result.
    async fn send(&mut self, jobs: &[Job]) -> Result<Vec<Row>, Fault> {
        let Some(link) = &self.link else {
            return Err(Fault::Silent);
        };
        let mut columns = Columns::default();
        for job in jobs {
            let deed = &job.deed;
            let flag = match deed.kind {
                Kind::Open | Kind::Arrive => deed.flag,
                _ => !self.people.contains(&deed.room),
            };
            columns.push(deed, flag);
        }
        let shared = &self.shared;
        let (arrival, grace) = shared.patience();
        let lease = millis(shared.tuning.lease);
        let number = |most| i64::try_from(most).unwrap_or(i64::MAX);
        let most = number(shared.rules.room_entries);
        let most_bytes = number(shared.rules.room_bytes);
        let at_max = shared.at_max_size();
        let (longest, notice) = shared.longest();
        let (now, node) = (shared.now(), shared.node());
        let params: super::link::Params<'_> = &[
            &now,
            &node,
            &self.number,
            &link.epoch,
            &self.batch,
            &lease,
            &arrival,
            &grace,
            &most,
            &most_bytes,
            &at_max,
            &longest,
            &notice,
            &columns.kinds,
            &columns.rooms,
            &columns.sides,
            &columns.names,
            &columns.bodies,
            &columns.seqs,
            &columns.references,
            &columns.sessions,
            &columns.others,
            &columns.nodes,
            &columns.numbers,
            &columns.cursors,
            &columns.reads,
            &columns.flags,
        ];
        let query = link.client.query(&link.statement, params);
        // The server has its own, shorter limit: this one is for a server that is not heard of.
        let limit = shared.rules.timeout.max(Duration::from_secs(1)) * 2;
        let rows = timeout(limit, query).await.map_err(|_| Fault::Silent)?;
        metrics::histogram!("miyu_store_batch_entries").record(jobs.len() as f64);
        Ok(rows?)
    }

    /// A connection of our own, and the last batch that happened before it. Waits a moment when there
    /// is none to be had.
    pub(super) async fn connect(&mut self) -> Option<super::fate::Last> {
        match self.try_connect().await {
            Ok((link, last)) => {
                self.link = Some(link);
                Some(last)
            }
            Err(fault) => {
                self.shared.failed(&fault);
                tokio::time::sleep(super::link::PAUSE).await;
                None
            }
        }
    }

    async fn try_connect(&self) -> Result<(Link, super::fate::Last), Fault> {
        let client = self.shared.pool.own().await?;
        let statement = client.prepare(RUN_BATCH).await?;
        let last = super::fate::take(&client, self.shared.node(), self.number).await?;
        let epoch = last.epoch;
        let link = Link {
            client,
            statement,
            epoch,
        };
        Ok((link, last))
    }

    /// It happened: everybody learns, then the askers. Answers by how much it changed the number of
    /// open rooms.
    fn committed(&mut self, jobs: Vec<Job>, rows: &[Row]) -> i64 {
        let mut opened = 0;
        let mut told = Vec::with_capacity(jobs.len());
        for (n, job) in jobs.iter().enumerate() {
            let row = rows.get(n).ok_or(Fault::Damaged("a deed without a result"));
            let line = row.and_then(|row| Line::read(&job.deed, row));
            opened += line.as_ref().map_or(0, |line| line.opened);
            told.push(line);
        }
        self.publish(&jobs, &mut told);
        for (job, line) in jobs.into_iter().zip(told) {
            job.answer(line.map_err(|fault| {
                fault.count();
                fault.told()
            }));
        }
        opened
    }

    /// Hands the new entries to the sink, each room in its order.
    pub(super) fn publish(&mut self, jobs: &[Job], lines: &mut [Result<Line, Fault>]) {
        let mut batch = Vec::new();
        for (job, told) in jobs.iter().zip(lines) {
            let Ok(line) = told else { continue };
            if let Some(closes_at) = line.closes_at {
                self.shared.sink.closing(job.deed.room, closes_at);
            }
            let (true, Some(entry)) = (line.outcome.is_done(), &line.entry) else {
                continue;
            };
            let room = job.deed.room;
            let entry = entry.clone();
            match self.people_of(room, line.people.as_deref()) {
                Ok(people) => batch.push(Committed { people, entry }),
                Err(fault) => *told = Err(fault),
            }
        }
        if !batch.is_empty() {
            self.shared.sink.committed(&batch);
        }
    }

    fn people_of(&mut self, room: RoomId, column: Option<&[u8]>) -> Result<Arc<RoomPeople>, Fault> {
        if let Some(people) = self.people.get(&room) {
            return Ok(Arc::clone(people));
        }
        let column = column.ok_or(Fault::Damaged("an entry without people"))?;
        let people = rows::people(room, column)?;
        self.people.put(room, Arc::clone(&people));
        Ok(people)
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

fn changes_count(kind: Kind) -> bool {
    matches!(kind, Kind::Open | Kind::Close | Kind::Expire)
}
