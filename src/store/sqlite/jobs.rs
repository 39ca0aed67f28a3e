//! What travels through the queues: a piece of work with the caller who waits for its result.

use tokio::sync::oneshot;

use super::error::SqliteError;
use super::queue::Weigh;
use super::writer::Writer;
use crate::store::StoreError;
use crate::store::pending_writes::PendingWrite;

/// What most jobs hold beside themselves, and the place of the answer.
const TEXTS: usize = 256;

/// When a job runs within its batch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// In order, inside the batch's transaction; answered after COMMIT.
    Write,
    /// The same, and leaves the entry that it makes to be written with those of its neighbours.
    Append,
    /// The same as `Write`, and may wait a moment for others to share the transaction.
    Patient,
    /// In order with the writes, but touches memory only: needs no transaction of its own.
    Note,
    /// After the batch's transaction ended, so that it sees committed state only and does not fail
    /// with it.
    Read,
}

/// One piece of work for the writer thread.
pub(super) struct WriterJob {
    pub(super) mode: Mode,
    pub(super) work: Box<dyn Work>,
    /// What the work holds beside itself, in bytes: texts.
    pub(super) texts: usize,
}

impl Weigh for WriterJob {
    fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.work) + self.texts
    }
}

/// Runs once, then answers once.
pub(super) trait Work: Send {
    /// Does it and keeps the result. An error aborts the whole transaction.
    fn run(&mut self, writer: &mut Writer) -> Result<(), SqliteError>;

    /// Tells the caller: the result, or why the transaction around it failed.
    fn answer(self: Box<Self>, aborted: Option<&StoreError>);
}

struct Task<T, F> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    /// The sessions that it is about, until it is answered.
    about: Option<PendingWrite>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Work for Task<T, F>
where
    T: Send,
    F: FnOnce(&mut Writer) -> Result<T, SqliteError> + Send,
{
    fn run(&mut self, writer: &mut Writer) -> Result<(), SqliteError> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        match work(writer) {
            Ok(value) => self.result = Some(Ok(value)),
            Err(fault) if writer.survives(&fault) => {
                fault.count();
                self.result = Some(Err(fault.to_store_error()));
            }
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    fn answer(self: Box<Self>, aborted: Option<&StoreError>) {
        let result = match (aborted, self.result) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(result)) => result,
            (None, None) => Err(StoreError::Unavailable("the store did not run this".into())),
        };
        drop(self.about);
        // The caller may have given up: what was committed stays committed.
        drop(self.reply.send(result));
    }
}

/// Packs work for the writer together with the place where its answer will arrive.
pub(super) fn job<T, F>(
    mode: Mode,
    about: Option<PendingWrite>,
    work: F,
) -> (WriterJob, JobAnswer<T>)
where
    T: Send + 'static,
    F: FnOnce(&mut Writer) -> Result<T, SqliteError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let task = Task {
        work: Some(work),
        result: None,
        about,
        reply,
    };
    let work = Box::new(task);
    let job = WriterJob {
        mode,
        work,
        texts: TEXTS,
    };
    (job, answer)
}

/// Where a job's answer arrives.
pub(super) type JobAnswer<T> = oneshot::Receiver<Result<T, StoreError>>;

/// Waits for an answer.
pub(super) async fn wait<T>(answer: JobAnswer<T>) -> Result<T, StoreError> {
    let gone = |_| Err(StoreError::Unavailable("the store was closed".into()));
    answer.await.unwrap_or_else(gone)
}
