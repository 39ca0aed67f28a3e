//! A job under way, as the connection awaits it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::chat::ChatOutcome;
use crate::store::{Appended, Pending};

type Long = Pin<Box<dyn Future<Output = ChatOutcome> + Send>>;

/// A job under way. What most jobs are needs no box of its own.
pub enum ChatInFlight {
    /// A message on its way into the log, and its `client_id`.
    Append(String, Pending<Appended>),
    /// There was nothing to wait for.
    Done,
    /// Everything else.
    Other(Long),
}

impl Future for ChatInFlight {
    type Output = ChatOutcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ChatOutcome> {
        match &mut *self {
            Self::Append(client_id, appending) => {
                let appended = ready!(Pin::new(appending).poll(cx));
                Poll::Ready(ChatOutcome::Appended(std::mem::take(client_id), appended))
            }
            Self::Done => Poll::Ready(ChatOutcome::Done),
            Self::Other(job) => job.as_mut().poll(cx),
        }
    }
}

/// Of the jobs that have a box of their own.
pub(super) fn other(job: impl Future<Output = ChatOutcome> + Send + 'static) -> ChatInFlight {
    ChatInFlight::Other(Box::pin(job))
}
