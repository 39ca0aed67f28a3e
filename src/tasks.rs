//! Going away in order: signals, the drain token, the tracker of every task, and the queue of clean-ups
//! that `Drop` cannot await. And what a panic ends: [`supervised`], [`restarted`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

/// Exit code when a second signal asks to leave at once (128 + SIGINT, what a shell expects).
pub const IMPATIENT_EXIT: i32 = 130;

/// How many clean-ups may wait; what comes on top is dropped and left to leases.
const MOST_CLEANUPS: usize = 10_000;
/// Clean-ups in progress at once.
const CLEANUP_WORKERS: usize = 4;

/// What every long-lived task is given: the token that says "close now" and the tracker that a
/// shutdown waits for. Cheap to clone.
#[derive(Clone)]
pub struct Drain(Arc<DrainState>);

struct DrainState {
    token: CancellationToken,
    tracker: TaskTracker,
    ready: AtomicBool,
    cleanups: CleanupQueue,
}

impl Drain {
    /// A running server's drain. Must be called within the runtime: the workers that clean up start here.
    pub fn new() -> Self {
        Self(Arc::new(DrainState {
            token: CancellationToken::new(),
            tracker: TaskTracker::new(),
            ready: AtomicBool::new(true),
            cleanups: CleanupQueue::start(MOST_CLEANUPS, CLEANUP_WORKERS),
        }))
    }

    /// Cancelled when connections are to close themselves.
    pub fn token(&self) -> &CancellationToken {
        &self.0.token
    }

    /// Whether connections are to close themselves.
    pub fn draining(&self) -> bool {
        self.0.token.is_cancelled()
    }

    /// False from the first moment of a shutdown: `/readyz` says so before anything closes.
    pub fn ready(&self) -> bool {
        self.0.ready.load(Ordering::Relaxed)
    }

    /// Turns readiness off.
    pub fn unready(&self) {
        self.0.ready.store(false, Ordering::Relaxed);
    }

    /// Runs a task that a shutdown waits for. A panic in it ends that task alone and is counted.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.tracker.spawn(supervised(task).map(|_| ()));
    }

    /// Hands over what a `Drop` cannot await: see [`CleanupQueue::submit`].
    pub fn clean_up(&self, future: impl Future<Output = ()> + Send + 'static) -> bool {
        self.0.cleanups.submit(future)
    }

    /// The queue of clean-ups.
    pub fn cleanups(&self) -> &CleanupQueue {
        &self.0.cleanups
    }

    /// Tasks now running.
    pub fn tasks(&self) -> usize {
        self.0.tracker.len()
    }

    /// Tells all tasks to close and waits for them, at most for this timeout, then as long again for what is to
    /// be cleaned up. Answers how many tasks were left behind.
    pub async fn finish(&self, timeout: Duration) -> usize {
        self.unready();
        self.0.token.cancel();
        self.0.tracker.close();
        let left = match tokio::time::timeout(timeout, self.0.tracker.wait()).await {
            Ok(()) => 0,
            Err(_) => self.0.tracker.len(),
        };
        self.0.cleanups.finish(timeout).await;
        left
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

/// Between a panic of a task and its next beginning.
const RESTART: Duration = Duration::from_secs(1);

/// Runs this to its end; `None` when it panicked, which ends it alone. The panic hook has logged where, here it
/// is only counted.
// No async block: that would hold the task twice, as what it captured and as what it awaits.
pub fn supervised<F: Future>(task: F) -> impl Future<Output = Option<F::Output>> {
    let caught = std::panic::AssertUnwindSafe(task).catch_unwind();
    caught.map(|ended| {
        if ended.is_err() {
            metrics::counter!(crate::telemetry::PANICS).increment(1);
        }
        ended.ok()
    })
}

/// Runs what a process cannot do without to its end, from the beginning again whenever it panicked.
pub async fn restarted<F: Future<Output = ()>>(mut begin: impl FnMut() -> F) {
    while supervised(begin()).await.is_none() {
        tokio::time::sleep(RESTART).await;
    }
}

type Cleanup = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A bounded queue of clean-ups and a few workers. Everything they do is also covered by a lease, so
/// dropping one when the queue is full delays an effect, it never loses one.
#[derive(Clone)]
pub struct CleanupQueue {
    queue: mpsc::Sender<Cleanup>,
    workers: TaskTracker,
    closing: CancellationToken,
    dropped: Arc<AtomicU64>,
}

impl CleanupQueue {
    fn start(capacity: usize, workers: usize) -> Self {
        let (queue, waiting) = mpsc::channel(capacity);
        let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
        let cleanups = Self {
            queue,
            workers: TaskTracker::new(),
            closing: CancellationToken::new(),
            dropped: Arc::default(),
        };
        for _ in 0..workers {
            let work = work(Arc::clone(&waiting), cleanups.closing.clone());
            cleanups.workers.spawn(work);
        }
        cleanups
    }

    /// Queues a clean-up without waiting. False: the queue is full or the server is gone, and it was
    /// dropped; a lease covers it.
    pub fn submit(&self, cleanup: impl Future<Output = ()> + Send + 'static) -> bool {
        let queued = self.queue.try_send(Box::pin(cleanup)).is_ok();
        // Logged at powers of two: an overflow must not flood the log as well.
        if !queued
            && self
                .dropped
                .fetch_add(1, Ordering::Relaxed)
                .is_power_of_two()
        {
            warn!("the queue of clean-ups is full: leaving them to leases");
        }
        queued
    }

    /// Finishes what is queued, at most this long.
    async fn finish(&self, timeout: Duration) {
        self.closing.cancel();
        self.workers.close();
        if tokio::time::timeout(timeout, self.workers.wait())
            .await
            .is_err()
        {
            warn!("clean-ups did not finish in time: leases cover the rest");
        }
    }
}

/// Does clean-ups until the queue closes and is empty.
async fn work(
    waiting: Arc<tokio::sync::Mutex<mpsc::Receiver<Cleanup>>>,
    closing: CancellationToken,
) {
    loop {
        let cleanup = {
            let mut waiting = waiting.lock().await;
            tokio::select! {
                biased;
                cleanup = waiting.recv() => cleanup,
                () = closing.cancelled() => waiting.try_recv().ok(),
            }
        };
        let Some(cleanup) = cleanup else { return };
        supervised(cleanup).await;
    }
}

/// Resolves at the first SIGTERM or SIGINT. From then on, a second one ends the process at once.
pub async fn signalled() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let name = tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    };
    info!(signal = name, "draining; a second signal leaves at once");
    #[expect(
        clippy::disallowed_methods,
        reason = "must outlive every tracked task: it ends the process when they hang"
    )]
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        crate::telemetry::log::finish();
        #[expect(
            clippy::exit,
            reason = "asked to end a second time: what is still open is not waited for"
        )]
        std::process::exit(IMPATIENT_EXIT);
    });
    Ok(())
}

/// From now on the end of the terminal, or a manager's wish to have the configuration read again, ends
/// nothing; and a file that has grown to the limit of this process is an error of its writer, as a full
/// disk is. (A pipe without a reader is one already: Rust's start-up code sees to it.) Answers with what
/// tells of each hangup.
pub fn outlive() -> std::io::Result<Signal> {
    // A signal that has a handler once has it for good, also when nothing listens any more.
    drop(signal(SignalKind::from_raw(Number::XFSZ.as_raw()))?);
    signal(SignalKind::hangup())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test]
    async fn draining_waits_for_tasks_and_cleanups() {
        let drain = Drain::new();
        let done = Arc::new(AtomicUsize::new(0));
        let (token, count, other_drain) = (drain.token().clone(), done.clone(), drain.clone());
        drain.spawn(async move {
            token.cancelled().await;
            let cleaned = count.clone();
            assert!(other_drain.clean_up(async move {
                cleaned.fetch_add(1, Ordering::SeqCst);
            }));
            count.fetch_add(1, Ordering::SeqCst);
        });
        drain.spawn(async { panic!("one task's panic is its own") });
        assert_eq!(drain.finish(Duration::from_secs(5)).await, 0);
        assert_eq!(done.load(Ordering::SeqCst), 2);
        assert!(!drain.ready());
    }

    #[tokio::test]
    async fn a_task_that_hangs_is_left_behind_and_counted() {
        let drain = Drain::new();
        drain.spawn(std::future::pending());
        assert_eq!(drain.finish(Duration::from_millis(20)).await, 1);
    }

    #[tokio::test]
    async fn what_panics_is_begun_again_until_it_ends() {
        let mut begun = 0;
        restarted(|| {
            begun += 1;
            let panics = begun < 2;
            async move { assert!(!panics, "a panic for this test") }
        })
        .await;
        assert_eq!(begun, 2);
        assert_eq!(supervised(async { 7 }).await, Some(7));
    }

    #[tokio::test]
    async fn a_full_cleanup_queue_refuses() {
        let cleanups = CleanupQueue::start(1, 1);
        let refused = (0..10)
            .filter(|_| !cleanups.submit(std::future::pending()))
            .count();
        assert!(refused >= 8);
    }
}
