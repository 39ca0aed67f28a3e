//! The store of one process: SQLite.
//!
//! One thread owns the write connection. It takes what is queued, runs it in one transaction,
//! commits, publishes, answers: see [`writer`]. Two threads read pages. Nothing here is shared
//! between them but queues, so there is no lock to hold while the disk works.
//!
//! Reading order: `mod` (the store as its callers see it) · `open` · `queue`, `jobs` (how work
//! travels) · `threads` · `writer` · `checkpoint`, `tidy` (what can wait) · `room_cache`, `client_id_index` (what it remembers) · `append`,
//! `react`, `rooms`, `relations`, `calls`, `sweep` (the jobs) · `upkeep` (readiness and the end) · `safety` (reports and what follows) · `page` (the readers) · `rows`, `room_rows` (columns) · `key`, `error`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

use self::error::SqliteError;
use self::jobs::{Mode, WriterJob};
use self::open::Paths;
use self::page::ReadJob;
use self::queue::JobQueue;
use self::threads::{PanicAlarm, ThreadLife};
use self::writer::{Opened, Writer};
use crate::domain::id::{Address, RoomId, Seq, SessionId, Side};
use crate::domain::{LeaveReason, MessageRef, Pairing, Position, Room};
use crate::store::fresh_sessions::FreshSessions;
use crate::store::pending_writes::PendingWrites;
use crate::store::{
    Appended, Arrival, CommitSink, Draft, Durability, Entries, Hidden, Page, PageLimit, Pending,
    Reacted, ReactionDraft, ReadState, Recalled, Rooms, SharedClock, SideClaim, StoreRules,
};

mod append;
mod calls;
mod checkpoint;
mod client_id_index;
mod error;
mod files;
mod jobs;
mod kept_clock;
mod key;
mod open;
mod page;
mod queue;
mod react;
mod relations;
mod room_cache;
mod room_rows;
mod rooms;
mod rows;
mod safety;
mod sweep;
mod threads;
mod tidy;
mod tuning;
mod upkeep;
mod writer;

pub use self::error::SqliteOpenError;
pub use self::tuning::SqliteTuning;

/// Most jobs that a reader does in one batch.
const READS_AT_ONCE: usize = 32;
/// Sessions made lately that are remembered to have met no partner: about 40 bytes each.
const FRESH_SESSIONS: usize = 32_768;
/// What the names and wishes of two people take.
const PEOPLE: usize = 2048;

/// The embedded store. Dropping it without [`Upkeep::close`](crate::store::Upkeep::close) is a crash: what was answered is kept,
/// what was not may be lost. The drop waits for the threads to end.
pub struct SqliteStore {
    jobs: Arc<JobQueue<WriterJob>>,
    reads: Arc<JobQueue<ReadJob>>,
    life: watch::Receiver<ThreadLife>,
    open_rooms: Arc<AtomicU64>,
    timeout: Duration,
    renewal: Duration,
    blocks_per_session: usize,
    clock: SharedClock,
    pending_writes: PendingWrites,
    fresh_sessions: FreshSessions,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// The queues of the writer and of the readers, and what ends them when a thread panics.
fn queues(tuning: &SqliteTuning) -> (PanicAlarm, watch::Receiver<ThreadLife>) {
    let room = queue::QueueBound {
        items: tuning.queue,
        bytes: tuning.queue_bytes,
    };
    let jobs = JobQueue::new(room, tuning.batch, 1);
    let reads = JobQueue::new(room, READS_AT_ONCE, tuning.readers);
    PanicAlarm::new(jobs, reads)
}

impl SqliteStore {
    /// Opens or makes the database at `path`; blocks. From now on every side of an open room is
    /// away, until it arrives again.
    pub fn open(
        path: &Path,
        durability: Durability,
        rules: StoreRules,
        sink: Arc<dyn CommitSink>,
        clock: SharedClock,
    ) -> Result<Arc<Self>, SqliteOpenError> {
        Self::open_tuned(
            path,
            durability,
            rules,
            sink,
            clock,
            SqliteTuning::default(),
        )
    }

    /// The same with other sizes.
    pub fn open_tuned(
        path: &Path,
        durability: Durability,
        rules: StoreRules,
        sink: Arc<dyn CommitSink>,
        clock: SharedClock,
        tuning: SqliteTuning,
    ) -> Result<Arc<Self>, SqliteOpenError> {
        let paths = Paths::of(path);
        open::prepare_folder(&paths)?;
        let lock = open::lock(&paths)?;
        let mut conn = open::writer(&paths, durability)?;
        if let Some(from) =
            kept_clock::read(&conn).map_err(|error| SqliteOpenError::from_sql(path, &error))?
        {
            clock.go_on(from);
        }
        let now = clock.now();
        let start = open::recover(&mut conn, now, &rules)
            .map_err(|fault| SqliteOpenError::from_fault(path, &fault))?;
        let (checkpoints, helper) = checkpoint::watch(&mut conn, tuning.checkpoint, tuning.wal)
            .map_err(|error| SqliteOpenError::from_sql(path, &error))?;
        let open_rooms = Arc::new(AtomicU64::new(start.open_rooms));
        let (timeout, renewal) = (rules.timeout, rules.block_lifetime / 30);
        let blocks_per_session = rules.blocks_per_session;
        let (panic_alarm, life) = queues(&tuning);
        let (jobs, reads) = (panic_alarm.jobs.clone(), panic_alarm.reads.clone());
        let opened = Opened {
            conn,
            checkpoints,
            paths,
            now,
            next_id: start.next_id,
            open_rooms: Arc::clone(&open_rooms),
        };
        let writer = Writer::new(opened, rules, sink, clock.clone(), tuning);
        let thread = threads::start(writer, helper, lock, panic_alarm)?;
        Ok(Arc::new(Self {
            jobs,
            reads,
            life,
            open_rooms,
            timeout,
            renewal,
            blocks_per_session,
            clock,
            pending_writes: PendingWrites::default(),
            fresh_sessions: FreshSessions::new(FRESH_SESSIONS),
            writer: Mutex::new(Some(thread)),
        }))
    }

    /// Resolves when one of the store's threads panicked: nothing can be stored any more, and the
    /// process should end. Never resolves otherwise.
    pub fn writer_died(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut life = self.life.clone();
        async move {
            if life
                .wait_for(|life| *life == ThreadLife::Died)
                .await
                .is_err()
            {
                std::future::pending::<()>().await;
            }
        }
    }

    /// From the call on, not from the first poll: callers keep queues of answers and poll the front.
    fn deadline(&self) -> tokio::time::Instant {
        tokio::time::Instant::now() + self.timeout
    }

    /// Queues work for the writer now; the answer is bounded in time.
    fn ask<T: Send + 'static>(
        &self,
        mode: Mode,
        work: impl FnOnce(&mut Writer) -> Result<T, SqliteError> + Send + 'static,
    ) -> Pending<T> {
        self.ask_about(None, mode, 0, work)
    }

    /// The same; readers of these sessions wait for it meanwhile. `texts`: how
    /// many bytes its texts take.
    fn ask_about<T: Send + 'static>(
        &self,
        sessions: Option<[SessionId; 2]>,
        mode: Mode,
        texts: usize,
        work: impl FnOnce(&mut Writer) -> Result<T, SqliteError> + Send + 'static,
    ) -> Pending<T> {
        let about = sessions.map(|sessions| {
            self.fresh_sessions.remove(sessions);
            self.pending_writes.begin(sessions)
        });
        let (mut job, answer) = jobs::job(mode, about, work);
        job.texts += texts;
        let queued = match mode {
            Mode::Write | Mode::Append | Mode::Read => self.jobs.push(job),
            Mode::Patient | Mode::Note => self.jobs.push_patient(job),
        };
        match queued {
            Ok(()) => Pending::answer(answer, self.deadline()),
            Err(error) => Pending::known(Err(error)),
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // After `close` both do nothing: the thread has ended, or is about to in good order.
        if *self.life.borrow() == ThreadLife::Working {
            self.jobs.abandon();
        }
        if let Some(thread) = self.writer.get_mut().take() {
            drop(thread.join());
        }
    }
}

impl Rooms for SqliteStore {
    fn create_room(&self, pairing: &Pairing) -> Pending<()> {
        let pairing = pairing.clone();
        let sessions = pairing.parties.each_ref().map(|party| party.session);
        self.ask_about(Some(sessions), Mode::Patient, PEOPLE, move |writer| {
            writer.create_room(pairing)
        })
    }

    fn room(&self, room: RoomId) -> Pending<Option<Room>> {
        self.ask(Mode::Read, move |writer| writer.room(room))
    }

    fn open_rooms(&self, session: SessionId) -> Pending<Vec<Room>> {
        self.ask(Mode::Read, move |writer| writer.open_rooms(session))
    }

    fn arrive(
        &self,
        room: RoomId,
        place: SideClaim,
        connection: Address,
    ) -> Pending<Option<Arrival>> {
        self.ask(Mode::Patient, move |writer| {
            writer.arrive(room, place, connection)
        })
    }

    fn depart(
        &self,
        room: RoomId,
        side: Side,
        connection: Address,
        read_state: ReadState,
    ) -> Pending<Option<u64>> {
        self.ask(Mode::Patient, move |writer| {
            writer.depart(room, side, connection, read_state)
        })
    }

    fn positions(&self, rooms: Vec<RoomId>) -> Pending<Vec<Position>> {
        self.ask(Mode::Read, move |writer| writer.positions(&rooms))
    }

    fn save_read_state(&self, room: RoomId, side: Side, read_state: ReadState) {
        // No caller waits for it, and losing it costs a little repetition: the answer is dropped.
        drop(self.ask(Mode::Note, move |writer| {
            writer.save_read_state(room, side, read_state)
        }));
    }

    fn close_room(&self, room: RoomId, side: Side, reason: LeaveReason) -> Pending<bool> {
        self.ask(Mode::Write, move |writer| {
            writer.close_room(room, side, reason)
        })
    }

    fn count_open_rooms(&self) -> u64 {
        self.open_rooms.load(Ordering::Relaxed)
    }
}

impl Entries for SqliteStore {
    fn append(&self, draft: Draft) -> Pending<Appended> {
        let texts = draft.content.len() + draft.client_id.len();
        self.ask_about(None, Mode::Append, texts, move |writer| {
            writer.append(draft)
        })
    }

    fn recall(
        &self,
        room: RoomId,
        side: Side,
        target: MessageRef,
        client_id: Option<String>,
    ) -> Pending<Recalled> {
        self.ask(Mode::Write, move |writer| {
            writer.recall(room, side, &target, client_id)
        })
    }

    fn hide(&self, room: RoomId, side: Side, target: MessageRef) -> Pending<Hidden> {
        self.ask(Mode::Write, move |writer| writer.hide(room, side, &target))
    }

    fn react(&self, draft: ReactionDraft) -> Pending<Reacted> {
        self.ask(Mode::Write, move |writer| writer.react(draft))
    }

    fn page(
        &self,
        room: RoomId,
        side: Side,
        after: Seq,
        limit: PageLimit,
    ) -> Pending<Option<Page>> {
        let reads = self.reads.clone();
        let plan = self.ask(Mode::Read, move |writer| {
            writer.plan_page(room, after, limit)
        });
        Pending::bounded(self.deadline(), async move {
            let Some(plan) = plan.await? else {
                return Ok(None);
            };
            let (job, answer) = page::read_job(move |conn| page::read(conn, &plan, side));
            reads.push(job)?;
            jobs::wait(answer).await
        })
    }
}
