//! The writer thread: takes what is queued, runs it in one transaction, commits, publishes, answers.
//! Everything that changes the data goes through here, in the order of the calls. What the jobs do
//! is in the files beside this one.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::SqliteTuning;
use super::checkpoint::Checkpoints;
use super::error::SqliteError;
use super::files::Files;
use super::jobs::{Mode, WriterJob};
use super::open::Paths;
use super::queue::JobQueue;
use super::room_cache::{CachedRoom, RoomCache, RoomRowState};
use super::room_rows::{self, RoomRow};
use super::rows::EntryPlace;
use crate::domain::id::{RoomId, Timestamp};
use crate::release_memory;
use crate::store::{CommitSink, Committed, SharedClock, StoreError, StoreRules};

/// How long the writer sleeps when nothing is asked of it; then it tidies up.
const NAP: Duration = Duration::from_millis(500);

/// Everything the writer owns. Jobs get it whole.
pub(super) struct Writer {
    pub(super) conn: Connection,
    pub(super) checkpoints: Checkpoints,
    pub(super) room_cache: RoomCache,
    pub(super) rules: Arc<StoreRules>,
    pub(super) tuning: SqliteTuning,
    pub(super) paths: Paths,
    pub(super) files: Files,
    pub(super) sink: Arc<dyn CommitSink>,
    pub(super) clock: SharedClock,
    /// The clock's value, read once a batch.
    pub(super) now: Timestamp,
    /// What a clock on the wall showed then: entries have it, for people to read.
    pub(super) label: Timestamp,
    /// When the clock was last kept for the next process, and how often it had been set.
    pub(super) clock_kept: Option<(Instant, u64)>,
    /// When this process took the store over: no connection could come before.
    pub(super) started: Timestamp,
    /// The next entry's row id. Never goes back, so that a failed transaction leaves a gap at most.
    pub(super) next_id: i64,
    /// Committed with this transaction, to be published after it.
    pub(super) outbox: Vec<Committed>,
    /// Where the last entries of `outbox` go that are not written yet.
    pub(super) unwritten: Vec<EntryPlace>,
    /// Rooms whose people are to be told after this transaction when they close by themselves.
    pub(super) closing: Vec<(RoomId, Timestamp)>,
    /// Something of people's safety was decided in this transaction.
    pub(super) decided: Cell<bool>,
    /// The data had `store.max_size` when it was last measured.
    pub(super) at_max_size: bool,
    /// Rooms erased in this transaction.
    pub(super) erased: Vec<RoomId>,
    /// Rooms of two people opened minus closed in this transaction.
    pub(super) opened: i64,
    /// Open rooms of two people.
    pub(super) open_rooms: Arc<AtomicU64>,
    /// A transaction was begun and not yet ended by us.
    pub(super) begun: bool,
    /// What the connection had changed when it began.
    pub(super) changes: u64,
    /// The last transaction failed.
    pub(super) failing: bool,
    /// Text was erased that the WAL may still hold.
    pub(super) purged: bool,
    /// The WAL has grown since it was last emptied.
    pub(super) wal_grown: bool,
    pub(super) last_write: Instant,
    pub(super) last_truncation: Instant,
}

/// A database that was opened, as the writer takes it over.
pub(super) struct Opened {
    pub(super) conn: Connection,
    pub(super) checkpoints: Checkpoints,
    pub(super) paths: Paths,
    /// What the clock said when the data was recovered.
    pub(super) now: Timestamp,
    pub(super) next_id: i64,
    pub(super) open_rooms: Arc<AtomicU64>,
}

impl Writer {
    /// Before its first batch.
    pub(super) fn new(
        opened: Opened,
        rules: StoreRules,
        sink: Arc<dyn CommitSink>,
        clock: SharedClock,
        tuning: SqliteTuning,
    ) -> Self {
        Self {
            conn: opened.conn,
            checkpoints: opened.checkpoints,
            room_cache: RoomCache::new(tuning.room_cache, tuning.cached_entries),
            rules: Arc::new(rules),
            tuning,
            files: Files::of(&opened.paths),
            paths: opened.paths,
            sink,
            now: opened.now,
            label: clock.label(),
            clock,
            clock_kept: None,
            started: opened.now,
            next_id: opened.next_id,
            outbox: Vec::new(),
            unwritten: Vec::new(),
            closing: Vec::new(),
            decided: Cell::new(false),
            at_max_size: false,
            erased: Vec::new(),
            opened: 0,
            open_rooms: opened.open_rooms,
            begun: false,
            changes: 0,
            failing: false,
            purged: false,
            wal_grown: true,
            last_write: Instant::now(),
            last_truncation: Instant::now(),
        }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(&mut self, queue: &JobQueue<WriterJob>) {
        let mut jobs = Vec::new();
        let gather_timeout = self.tuning.gather_timeout;
        while queue.take(&mut jobs, NAP, self.last_write + gather_timeout) {
            let crowd = jobs.len();
            if !jobs.is_empty() {
                self.batch(&mut jobs);
            }
            self.checkpoints.after_batch(&self.conn);
            self.housekeep();
            release_memory::if_due();
            if crowd > 1 && queue.len() < self.tuning.batch {
                // What a commit costs is shared by all that wait for it. A caller that is alone
                // finds the writer awake: only where several came at once others are waited for.
                std::thread::sleep(self.tuning.pause_after(crowd));
            }
        }
    }

    fn batch(&mut self, jobs: &mut Vec<WriterJob>) {
        self.now = self.clock.now();
        self.label = self.clock.label();
        let (reads, mut writes): (Vec<WriterJob>, Vec<WriterJob>) =
            jobs.drain(..).partition(|job| job.mode == Mode::Read);
        let aborted = self.transaction(&mut writes).err();
        for job in writes {
            job.work.answer(aborted.as_ref());
        }
        for mut job in reads {
            // A read has no transaction to abort: its own failure is its answer.
            let failed = job.work.run(self).err();
            let failed = failed.map(|fault| {
                fault.count();
                fault.to_store_error()
            });
            job.work.answer(failed.as_ref());
        }
        self.room_cache.evict();
    }

    /// Runs the jobs and publishes what they made, or undoes everything and says why.
    fn transaction(&mut self, jobs: &mut [WriterJob]) -> Result<(), StoreError> {
        if jobs.is_empty() {
            return Ok(());
        }
        let begun = jobs.iter().any(|job| job.mode != Mode::Note);
        match self.attempt(jobs, begun) {
            Ok(written) => {
                self.room_cache.commit(written);
                self.committed();
                if begun {
                    self.report_recovery();
                }
                Ok(())
            }
            Err(fault) => {
                fault.count();
                self.undo();
                self.report_failure(&fault);
                Err(match fault.to_store_error() {
                    // Whatever it was, it is not these callers' rooms that are damaged.
                    StoreError::Corrupt(why) => StoreError::Unavailable(why),
                    other => other,
                })
            }
        }
    }

    /// Answers how many rows of rooms were brought up to date besides.
    fn attempt(&mut self, jobs: &mut [WriterJob], begin: bool) -> Result<usize, SqliteError> {
        if begin {
            self.limit_pages()?;
            self.begin()?;
        }
        for job in jobs.iter_mut() {
            if job.mode != Mode::Append {
                self.write_down()?;
            }
            job.work.run(self)?;
        }
        self.write_down()?;
        if !begin {
            return Ok(0);
        }
        let written = self.flush(self.flush_due())?;
        if self.commit()? {
            metrics::histogram!("miyu_store_batch_entries").record(self.outbox.len() as f64);
        }
        Ok(written)
    }

    pub(super) fn begin(&mut self) -> Result<(), SqliteError> {
        self.files.check(&self.paths)?;
        self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        self.begun = true;
        self.changes = self.conn.total_changes();
        Ok(())
    }

    /// Whether anything was written: a sweep that found nothing due must not pass for work, or
    /// the writer would never be idle.
    pub(super) fn commit(&mut self) -> Result<bool, SqliteError> {
        let started = Instant::now();
        self.conn.prepare_cached("COMMIT")?.execute([])?;
        self.begun = false;
        if self.conn.total_changes() == self.changes {
            return Ok(false);
        }
        self.last_write = Instant::now();
        self.wal_grown = true;
        let took = self.last_write.duration_since(started);
        metrics::histogram!("miyu_store_commit_seconds").record(took.as_secs_f64());
        Ok(true)
    }

    /// After COMMIT: memory follows the data, then what was committed is published.
    fn committed(&mut self) {
        for room in self.erased.drain(..) {
            self.room_cache.forget(room);
        }
        if self.opened != 0 {
            let open = self.open_rooms.load(Ordering::Relaxed);
            let open = open.saturating_add_signed(self.opened);
            self.open_rooms.store(open, Ordering::Relaxed);
            self.opened = 0;
        }
        if !self.outbox.is_empty() {
            self.sink.committed(&self.outbox);
            self.outbox.clear();
        }
        for (room, closes_at) in self.closing.drain(..) {
            self.sink.closing(room, closes_at);
        }
        if self.decided.take() {
            self.sink.decided();
        }
    }

    pub(super) fn undo(&mut self) {
        self.begun = false;
        // SQLite has rolled back by itself after some errors.
        if !self.conn.is_autocommit()
            && let Err(error) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "could not roll back");
        }
        self.room_cache.rollback();
        self.outbox.clear();
        self.unwritten.clear();
        self.closing.clear();
        self.decided.set(false);
        self.erased.clear();
        self.opened = 0;
    }

    /// Whether the transaction can go on after a job met this.
    pub(super) fn survives(&self, fault: &SqliteError) -> bool {
        // After some errors SQLite ends the transaction itself; then nothing of it is left.
        fault.is_private() && !(self.begun && self.conn.is_autocommit())
    }

    /// Several statements that take effect together or not at all, within the transaction.
    pub(super) fn together<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, SqliteError>,
    ) -> Result<T, SqliteError> {
        self.conn.prepare_cached("SAVEPOINT job")?.execute([])?;
        let result = work(self);
        if result.is_err() && !self.conn.is_autocommit() {
            self.conn.prepare_cached("ROLLBACK TO job")?.execute([])?;
        }
        if !self.conn.is_autocommit() {
            self.conn.prepare_cached("RELEASE job")?.execute([])?;
        }
        result
    }

    /// The room, remembered from now on; `None` when unknown or being erased.
    pub(super) fn cached(&mut self, room: RoomId) -> Result<Option<&CachedRoom>, SqliteError> {
        if self.room_cache.peek(room).is_none() {
            match room_rows::read_room(&self.conn, &self.room_cache, room)? {
                Some(cached) => self.room_cache.learn(cached),
                None => return Ok(None),
            }
        }
        Ok(self
            .room_cache
            .get(room)
            .filter(|cached| !cached.state.erasing))
    }

    /// Gives a room a new state: in its row, then in memory. Unknown rooms are left alone.
    pub(super) fn change(&mut self, room: RoomId, state: RoomRowState) -> Result<(), SqliteError> {
        let Some(cached) = self.room_cache.peek(room) else {
            return Ok(());
        };
        self.save(cached, &state)?;
        if let Some(cached) = self.room_cache.stage(room) {
            cached.state = state;
            cached.saved();
        }
        Ok(())
    }

    /// Writes a room's row: its newest entry as remembered, and this state.
    pub(super) fn save(
        &self,
        cached: &CachedRoom,
        state: &RoomRowState,
    ) -> Result<(), SqliteError> {
        let row = RoomRow {
            no: cached.facts.no,
            last_row: cached.last_row(),
            last_seq: cached.last_seq(),
            due: self.due(cached, state),
            state,
        };
        room_rows::update_room(&self.conn, &row)
    }

    /// When the sweeper must look at an open room.
    fn due(&self, cached: &CachedRoom, state: &RoomRowState) -> Option<Timestamp> {
        if state.departure.is_some() {
            return None;
        }
        let since = self.since(cached);
        let sides = state.sides.iter();
        let absences = sides.filter_map(|side| CachedRoom::absence(side, since, &self.rules));
        let absences = absences.map(|absence| absence.until);
        let age = self.rules.age_due(cached.facts.opened_at, state.closes_at);
        absences.chain(age).min()
    }

    /// From when on a side could have come: not before a process served the room.
    pub(super) fn since(&self, cached: &CachedRoom) -> Timestamp {
        cached.facts.opened_at.max(self.started)
    }

    /// Writes something that needs space, and takes it away again.
    pub(super) fn probe(&mut self) -> Result<(), SqliteError> {
        self.conn
            .execute_batch("INSERT INTO probe VALUES (zeroblob(65536)); DELETE FROM probe;")?;
        Ok(())
    }

    /// Tests fill the disk by it.
    fn limit_pages(&mut self) -> Result<(), SqliteError> {
        let Some(limit) = &self.tuning.page_limit else {
            return Ok(());
        };
        let limit = match limit.load(Ordering::Relaxed) {
            0 => u32::MAX - 1,
            limit => limit,
        };
        let set = format!("PRAGMA max_page_count = {limit}");
        self.conn.query_row(&set, [], |_| Ok(()))?;
        Ok(())
    }

    pub(super) fn report_failure(&mut self, fault: &SqliteError) {
        if !self.failing {
            self.failing = true;
            tracing::error!(error = %fault.to_store_error(), "the store cannot write; asking again");
        }
    }

    fn report_recovery(&mut self) {
        if self.failing {
            self.failing = false;
            tracing::info!("the store writes again");
        }
    }
}
