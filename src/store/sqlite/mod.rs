//! The store of one process: SQLite.
//!
//! One thread owns the write connection. It takes what is queued, runs it in one transaction,
//! commits, publishes, answers: see [`writer`]. Two threads read pages. Nothing here is shared
//! between them but queues, so there is no lock to hold while the disk works.
//!
//! Reading order: `mod` (the store as its callers see it) · `open` · `queue`, `jobs` (how work
//! travels) · `threads` · `writer` · `checkpoint`, `tidy` (what can wait) · `head`, `names` (what it remembers) · `append`,
//! `rooms`, `relations`, `sweep` (the jobs) · `page` (the readers) · `rows`, `room_rows` (columns) · `key`, `error`.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

use self::error::BackendError;
use self::files::Files;
use self::head::Heads;
use self::jobs::{Job, Mode};
use self::open::Paths;
use self::page::ReadJob;
use self::queue::Queue;
use self::threads::{Alarm, Life};
use self::writer::Writer;
use crate::domain::id::{Address, RoomId, Seq, SessionId, Side, StoreId};
use crate::domain::{LeaveReason, MessageRef, Pairing, Position, Room};
use crate::store::newcomers::Newcomers;
use crate::store::underway::Underway;
use crate::store::{
    Appended, Arrival, Clock, CommitSink, Draft, Durability, Entries, Hidden, Marks, Page,
    PageLimit, Pending, Place, Recalled, Rooms, StoreError, StoreRules, Swept, Upkeep,
};

mod append;
mod checkpoint;
mod error;
mod files;
mod head;
mod jobs;
mod kept_clock;
mod key;
mod names;
mod open;
mod page;
mod queue;
mod relations;
mod room_rows;
mod rooms;
mod rows;
mod sweep;
mod threads;
mod tidy;
mod tuning;
mod writer;

pub use self::error::OpenError;
pub use self::tuning::Tuning;

/// Most jobs that a reader does in one look at the data.
const LOOKS: usize = 32;
/// Sessions made lately that are remembered to have met nobody: about 40 bytes each.
const NEWCOMERS: usize = 32_768;
/// What the names and wishes of two people take.
const PEOPLE: usize = 2048;
/// Before a full queue is tried again by whoever only asks for a sign of life.
const FULL_QUEUE_PAUSE: Duration = Duration::from_millis(100);

/// The embedded store. Dropping it without [`Upkeep::close`] is a crash: what was answered is kept,
/// what was not may be lost. The drop waits for the threads to end.
pub struct SqliteStore {
    jobs: Arc<Queue<Job>>,
    reads: Arc<Queue<ReadJob>>,
    life: watch::Receiver<Life>,
    open_rooms: Arc<AtomicU64>,
    timeout: Duration,
    renewal: Duration,
    blocks_per_session: usize,
    clock: Clock,
    underway: Underway,
    newcomers: Newcomers,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl SqliteStore {
    /// Opens or makes the database at `path`; blocks. From now on every side of an open room is
    /// away, until it arrives again.
    pub fn open(
        path: &Path,
        durability: Durability,
        rules: StoreRules,
        sink: Arc<dyn CommitSink>,
        clock: Clock,
    ) -> Result<Arc<Self>, OpenError> {
        Self::open_tuned(path, durability, rules, sink, clock, Tuning::default())
    }

    /// The same with other sizes.
    pub fn open_tuned(
        path: &Path,
        durability: Durability,
        rules: StoreRules,
        sink: Arc<dyn CommitSink>,
        clock: Clock,
        tuning: Tuning,
    ) -> Result<Arc<Self>, OpenError> {
        let paths = Paths::of(path);
        open::prepare_folder(&paths)?;
        let lock = open::lock(&paths)?;
        let mut conn = open::writer(&paths, durability)?;
        if let Some(from) =
            kept_clock::read(&conn).map_err(|error| OpenError::from_sql(path, &error))?
        {
            clock.go_on(from);
        }
        let (now, label) = (clock.now(), clock.label());
        let start = open::recover(&mut conn, now, &rules)
            .map_err(|fault| OpenError::from_fault(path, &fault))?;

        let open_rooms = Arc::new(AtomicU64::new(start.open_rooms));
        let (timeout, renewal) = (rules.timeout, rules.block_lifetime / 30);
        let blocks_per_session = rules.blocks_per_session;
        let room = queue::Room {
            items: tuning.queue,
            bytes: tuning.queue_bytes,
        };
        let jobs = Queue::new(room, tuning.batch, 1);
        let reads = Queue::new(room, LOOKS, tuning.readers);
        let (alarm, life) = Alarm::new(jobs, reads);
        let (jobs, reads) = (alarm.jobs.clone(), alarm.reads.clone());
        let (checkpoints, helper) = checkpoint::watch(&mut conn, tuning.checkpoint, tuning.wal)
            .map_err(|error| OpenError::from_sql(path, &error))?;
        let writer = Writer {
            conn,
            checkpoints,
            heads: Heads::new(tuning.heads, tuning.head_entries),
            rules: Arc::new(rules),
            tuning,
            files: Files::of(&paths),
            paths,
            sink,
            clock: clock.clone(),
            now,
            label,
            clock_kept: None,
            started: now,
            next_id: start.next_id,
            outbox: Vec::new(),
            unwritten: Vec::new(),
            closing: Vec::new(),
            at_max_size: false,
            erased: Vec::new(),
            opened: 0,
            open_rooms: open_rooms.clone(),
            begun: false,
            changes: 0,
            failing: false,
            purged: false,
            wal_grown: true,
            last_write: Instant::now(),
            last_truncation: Instant::now(),
        };
        let thread = threads::start(writer, helper, lock, alarm)?;
        Ok(Arc::new(Self {
            jobs,
            reads,
            life,
            open_rooms,
            timeout,
            renewal,
            blocks_per_session,
            clock,
            underway: Underway::default(),
            newcomers: Newcomers::new(NEWCOMERS),
            writer: Mutex::new(Some(thread)),
        }))
    }

    /// Resolves when one of the store's threads panicked: nothing can be stored any more, and the
    /// process should end. Never resolves otherwise.
    pub fn writer_died(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut life = self.life.clone();
        async move {
            if life.wait_for(|life| *life == Life::Died).await.is_err() {
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
        work: impl FnOnce(&mut Writer) -> Result<T, BackendError> + Send + 'static,
    ) -> Pending<T> {
        self.ask_about(None, mode, 0, work)
    }

    /// The same; whoever asks about these sessions meanwhile waits for it. It holds texts of so many
    /// bytes.
    fn ask_about<T: Send + 'static>(
        &self,
        sessions: Option<[SessionId; 2]>,
        mode: Mode,
        texts: usize,
        work: impl FnOnce(&mut Writer) -> Result<T, BackendError> + Send + 'static,
    ) -> Pending<T> {
        let about = sessions.map(|sessions| {
            self.newcomers.remove(sessions);
            self.underway.begin(sessions)
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
        if *self.life.borrow() == Life::Working {
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

    fn arrive(&self, room: RoomId, place: Place, connection: Address) -> Pending<Option<Arrival>> {
        self.ask(Mode::Patient, move |writer| {
            writer.arrive(room, place, connection)
        })
    }

    fn depart(
        &self,
        room: RoomId,
        side: Side,
        connection: Address,
        marks: Marks,
    ) -> Pending<Option<u64>> {
        self.ask(Mode::Patient, move |writer| {
            writer.depart(room, side, connection, marks)
        })
    }

    fn positions(&self, rooms: Vec<RoomId>) -> Pending<Vec<Position>> {
        self.ask(Mode::Read, move |writer| writer.positions(&rooms))
    }

    fn mark(&self, room: RoomId, side: Side, marks: Marks) {
        // Nobody waits for it, and losing it costs a little repetition: the answer is dropped.
        drop(self.ask(Mode::Note, move |writer| writer.mark(room, side, marks)));
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

impl Upkeep for SqliteStore {
    fn sweep(&self) -> Pending<Swept> {
        self.ask(Mode::Write, Writer::sweep)
    }

    fn ready(&self) -> Pending<()> {
        let failing = self.ask(Mode::Read, |writer| Ok(writer.failing));
        let jobs = self.jobs.clone();
        Pending::bounded(self.deadline(), async move {
            if !failing.await? {
                return Ok(());
            }
            // Nobody may be writing now, so the answer of the last one is tried again.
            let (job, answer) = jobs::job(Mode::Write, None, Writer::probe);
            jobs.push(job)?;
            jobs::wait(answer).await
        })
    }

    fn size(&self) -> Pending<u64> {
        self.ask(Mode::Read, Writer::size)
    }

    fn alive(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let jobs = self.jobs.clone();
        Box::pin(async move {
            loop {
                let (job, answer) = jobs::job(Mode::Read, None, |_| Ok(()));
                if jobs.push(job).is_ok() && jobs::wait(answer).await.is_ok() {
                    return;
                }
                // A full queue may belong to a writer that works as fast as it can.
                tokio::time::sleep(FULL_QUEUE_PAUSE).await;
            }
        })
    }

    fn identity(&self) -> Pending<StoreId> {
        self.ask(Mode::Read, Writer::identity)
    }

    fn session_key(&self) -> Pending<[u8; 32]> {
        let key = self.ask(Mode::Read, |writer| {
            Ok(key::read_or_make(&writer.paths.key))
        });
        Pending::work(async move { key.await? })
    }

    fn close(&self) -> Pending<()> {
        self.jobs.close();
        let mut life = self.life.clone();
        Pending::bounded(self.deadline(), async move {
            let ended = life.wait_for(|life| *life != Life::Working).await;
            match ended.as_deref() {
                Ok(Life::Closed) => Ok(()),
                _ => Err(StoreError::Unavailable("the store's thread died".into())),
            }
        })
    }
}
