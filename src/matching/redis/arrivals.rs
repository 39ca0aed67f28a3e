//! Puts the tickets that arrive at this node together, so that one script lets many enter: a call of a
//! script costs Redis more than what it does for one ticket.
//!
//! No ticket waits for others to come. One that finds no call under way is sent at once; those that come
//! while one is under way go together with the next, in their order. Each has its own answer.

use std::time::Duration;

use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;

use super::codec::{PackedTicket, ReplyParts};
use super::link::{Failed, TIMEOUT};
use crate::matching::PoolError;

/// Most tickets of one call: beyond, it gets hardly cheaper for each, and holds Redis for longer.
pub(super) const TOGETHER: usize = 32;
/// Tickets that may wait for their call before others wait for a place.
const QUEUE: usize = 1024;
/// One call may fail before a ticket's own begins.
const LONGEST: Duration = TIMEOUT.saturating_mul(2);

/// What is waited for, in order.
enum QueueItem {
    Enter(PackedTicket, ReplySender),
    /// Everything before it is over.
    Behind(oneshot::Sender<()>),
}

/// Where the answer of one ticket goes.
type ReplySender = oneshot::Sender<Result<ReplyParts, PoolError>>;

/// Tickets on their way into the pool.
pub(super) struct Arrivals {
    queue: mpsc::Sender<QueueItem>,
    /// The queue's other end. It outlives a panic of the sending task.
    coming: Mutex<mpsc::Receiver<QueueItem>>,
}

impl Arrivals {
    pub(super) fn new() -> Self {
        let (queue, coming) = mpsc::channel(QUEUE);
        Self {
            queue,
            coming: Mutex::new(coming),
        }
    }

    /// Lets this ticket enter; it fails within about two seconds. When this future is dropped before
    /// the ticket was sent, it is not sent.
    pub(super) async fn enter(&self, ticket: PackedTicket) -> Result<ReplyParts, PoolError> {
        let (reply, answer) = oneshot::channel();
        let entered = async {
            let sent = self.queue.send(QueueItem::Enter(ticket, reply)).await;
            sent.map_err(|_| closed())?;
            answer.await.map_err(|_| closed())?
        };
        let late = |_| PoolError::Unavailable("Redis does not answer in time".into());
        timeout(LONGEST, entered).await.map_err(late)?
    }

    /// Resolves when no ticket that came before this moment will still be sent.
    pub(super) async fn settled(&self) {
        let (reply, answer) = oneshot::channel();
        if self.queue.send(QueueItem::Behind(reply)).await.is_ok() {
            // Closed meanwhile: then nothing is sent any more either.
            let _ = answer.await;
        }
    }

    /// Sends what comes, one call after the other; for ever. `call` lets these tickets enter and
    /// answers for each.
    pub(super) async fn send<Call, Calling>(&self, call: Call)
    where
        Call: Fn(Vec<PackedTicket>) -> Calling,
        Calling: Future<Output = Result<Vec<ReplyParts>, Failed>>,
    {
        let mut coming = self.coming.lock().await;
        let mut next = Vec::with_capacity(TOGETHER);
        while coming.recv_many(&mut next, TOGETHER).await > 0 {
            let mut tickets = Vec::with_capacity(next.len());
            let mut replies = Vec::with_capacity(next.len());
            let mut behind = Vec::new();
            for item in next.drain(..) {
                match item {
                    // The caller has gone: its ticket must not enter any more.
                    QueueItem::Enter(_, reply) if reply.is_closed() => {}
                    QueueItem::Enter(ticket, reply) => {
                        tickets.push(ticket);
                        replies.push(reply);
                    }
                    QueueItem::Behind(reply) => behind.push(reply),
                }
            }
            answer(&call, tickets, replies).await;
            for reply in behind {
                let _ = reply.send(());
            }
        }
    }

    /// Nothing is sent any more, and the callers that wait get an error.
    pub(super) async fn close(&self) {
        let mut coming = self.coming.lock().await;
        coming.close();
        while coming.try_recv().is_ok() {}
    }
}

/// Lets these enter and tells each. When Redis refuses the call, which then has changed nothing, each
/// is tried alone: what is wrong with one is not the others' business.
async fn answer<Call, Calling>(call: &Call, tickets: Vec<PackedTicket>, replies: Vec<ReplySender>)
where
    Call: Fn(Vec<PackedTicket>) -> Calling,
    Calling: Future<Output = Result<Vec<ReplyParts>, Failed>>,
{
    if tickets.is_empty() {
        return;
    }
    let several = tickets.len() > 1;
    match call(tickets.clone()).await {
        Ok(answers) => {
            for (reply, answer) in replies.into_iter().zip(answers) {
                // A caller that has gone meanwhile finds the answer when asking again.
                let _ = reply.send(Ok(answer));
            }
        }
        Err(failed) if several && failed.refused => {
            for (ticket, reply) in tickets.into_iter().zip(replies) {
                if !reply.is_closed() {
                    Box::pin(answer(call, vec![ticket], vec![reply])).await;
                }
            }
        }
        Err(failed) => {
            for reply in replies {
                let _ = reply.send(Err(failed.error.clone()));
            }
        }
    }
}

fn closed() -> PoolError {
    PoolError::Unavailable("the pool is closed".into())
}
