//! The store's threads: one that writes, a few that read; how they start, how they end, and who is
//! told. What they do is in `writer` and `page`.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::checkpoint::Helper;
use super::error::OpenError;
use super::jobs::Job;
use super::open::{self, Lock, Paths};
use super::page::{self, ReadJob};
use super::queue::Queue;
use super::writer::Writer;
use crate::release_memory;

/// How often a reader looks up from waiting: there may be memory to give back.
const NAP: Duration = release_memory::EVERY;

/// Where the threads say how they ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Working,
    /// Closed in good order; everything is at rest.
    Closed,
    /// A thread panicked.
    Died,
}

/// Tells the world when the thread that holds it panics.
#[derive(Clone)]
pub(super) struct Alarm {
    pub(super) life: Arc<watch::Sender<Life>>,
    pub(super) jobs: Arc<Queue<Job>>,
    pub(super) reads: Arc<Queue<ReadJob>>,
}

impl Alarm {
    /// For the threads of one store, with where their end is seen.
    pub(super) fn new(jobs: Queue<Job>, reads: Queue<ReadJob>) -> (Self, watch::Receiver<Life>) {
        let (sender, life) = watch::channel(Life::Working);
        let alarm = Self {
            life: Arc::new(sender),
            jobs: Arc::new(jobs),
            reads: Arc::new(reads),
        };
        (alarm, life)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.life.send_replace(Life::Died);
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
    alarm: Alarm,
) -> Result<JoinHandle<()>, OpenError> {
    let paths = writer.paths.clone();
    let mut others = vec![checkpointer(&paths, helper, alarm.clone())?];
    for number in 0..writer.tuning.readers {
        others.push(reader(&paths, number, writer.tuning.look, alarm.clone())?);
    }
    spawn(&paths, "miyu-write", move || {
        writer.run(&alarm.jobs);
        end(writer, others, &alarm);
        // After the database was closed: whoever gets the lock finds it at rest.
        drop(lock);
        alarm.life.send_if_modified(|life| {
            let working = *life == Life::Working;
            if working {
                *life = Life::Closed;
            }
            working
        });
    })
}

/// The others first: the WAL cannot be emptied while they look at it.
fn end(mut writer: Writer, others: Vec<JoinHandle<()>>, alarm: &Alarm) {
    let abandoned = alarm.jobs.abandoned();
    if abandoned {
        alarm.reads.abandon();
    } else {
        alarm.reads.close();
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
    alarm: Alarm,
) -> Result<JoinHandle<()>, OpenError> {
    let conn = open::reader(paths)?;
    spawn(paths, &format!("miyu-read-{number}"), move || {
        let (mut jobs, mut from) = (Vec::new(), Instant::now());
        while alarm.reads.take(&mut jobs, NAP, from) {
            page::run(&conn, &mut jobs);
            release_memory::if_due();
            from = Instant::now() + pause;
        }
    })
}

fn checkpointer(paths: &Paths, helper: Helper, alarm: Alarm) -> Result<JoinHandle<()>, OpenError> {
    let conn = open::checkpointer(paths)?;
    spawn(paths, "miyu-checkpoint", move || {
        let _alarm = alarm;
        helper.run(&conn);
    })
}

fn spawn(
    paths: &Paths,
    name: &str,
    body: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, OpenError> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(body).map_err(|error| OpenError::Failed {
        path: paths.database.clone(),
        why: format!("no thread: {error}"),
    })
}
