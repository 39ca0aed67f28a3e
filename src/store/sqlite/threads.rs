//! The store's threads: one that writes, a few that read; how they start, how they end, and who is
//! told. What they do is in `writer` and `page`.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::checkpoint::Helper;
use super::error::SqliteOpenError;
use super::jobs::WriterJob;
use super::open::{self, Lock, Paths};
use super::page::{self, ReadJob};
use super::queue::JobQueue;
use super::writer::Writer;
use crate::release_memory;

/// How often a reader looks up from waiting: there may be memory to give back.
const NAP: Duration = release_memory::EVERY;

/// Where the threads say how they ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ThreadLife {
    Working,
    /// Closed in good order; everything is at rest.
    Closed,
    /// A thread panicked.
    Died,
}

/// Tells the world when the thread that holds it panics.
#[derive(Clone)]
pub(super) struct PanicAlarm {
    pub(super) life: Arc<watch::Sender<ThreadLife>>,
    pub(super) jobs: Arc<JobQueue<WriterJob>>,
    pub(super) reads: Arc<JobQueue<ReadJob>>,
}

impl PanicAlarm {
    /// For the threads of one store, with where their end is seen.
    pub(super) fn new(
        jobs: JobQueue<WriterJob>,
        reads: JobQueue<ReadJob>,
    ) -> (Self, watch::Receiver<ThreadLife>) {
        let (sender, life) = watch::channel(ThreadLife::Working);
        let panic_alarm = Self {
            life: Arc::new(sender),
            jobs: Arc::new(jobs),
            reads: Arc::new(reads),
        };
        (panic_alarm, life)
    }
}

impl Drop for PanicAlarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.life.send_replace(ThreadLife::Died);
            self.jobs.abandon();
            self.reads.abandon();
        }
    }
}

/// Starts all of them. The lock is let go when the last has ended.
pub(super) fn start(
    mut writer: Writer,
    helper: Helper,
    lock: Lock,
    panic_alarm: PanicAlarm,
) -> Result<JoinHandle<()>, SqliteOpenError> {
    let paths = writer.paths.clone();
    let mut others = vec![checkpointer(&paths, helper, panic_alarm.clone())?];
    for number in 0..writer.tuning.readers {
        others.push(reader(
            &paths,
            number,
            writer.tuning.read_pause,
            panic_alarm.clone(),
        )?);
    }
    spawn(&paths, "miyu-write", move || {
        writer.run(&panic_alarm.jobs);
        end(writer, others, &panic_alarm);
        // After the database was closed: the next holder of the lock finds it at rest.
        drop(lock);
        panic_alarm.life.send_if_modified(|life| {
            let working = *life == ThreadLife::Working;
            if working {
                *life = ThreadLife::Closed;
            }
            working
        });
    })
}

/// The others first: the WAL cannot be emptied while they look at it.
fn end(mut writer: Writer, others: Vec<JoinHandle<()>>, panic_alarm: &PanicAlarm) {
    let abandoned = panic_alarm.jobs.abandoned();
    if abandoned {
        panic_alarm.reads.abandon();
    } else {
        panic_alarm.reads.close();
    }
    writer.checkpoints.end();
    for thread in others {
        // One that panicked has raised the alarm itself.
        drop(thread.join());
    }
    if !abandoned {
        writer.settle();
    }
}

fn reader(
    paths: &Paths,
    number: usize,
    pause: Duration,
    panic_alarm: PanicAlarm,
) -> Result<JoinHandle<()>, SqliteOpenError> {
    let conn = open::reader(paths)?;
    spawn(paths, &format!("miyu-read-{number}"), move || {
        let (mut jobs, mut from) = (Vec::new(), Instant::now());
        while panic_alarm.reads.take(&mut jobs, NAP, from) {
            page::run(&conn, &mut jobs);
            release_memory::if_due();
            from = Instant::now() + pause;
        }
    })
}

fn checkpointer(
    paths: &Paths,
    helper: Helper,
    panic_alarm: PanicAlarm,
) -> Result<JoinHandle<()>, SqliteOpenError> {
    let conn = open::checkpointer(paths)?;
    spawn(paths, "miyu-checkpoint", move || {
        let _alarm = panic_alarm;
        helper.run(&conn);
    })
}

fn spawn(
    paths: &Paths,
    name: &str,
    body: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, SqliteOpenError> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(body).map_err(|error| SqliteOpenError::Failed {
        path: paths.database.clone(),
        why: format!("no thread: {error}"),
    })
}
