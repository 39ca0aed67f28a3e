//! What a store's methods answer with: the wait for an outcome, bounded in time.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use super::StoreError;

type StoreResult<T> = Result<T, StoreError>;

/// The outcome of a call, under way since the call. Dropping it gives up the answer, not the work.
pub struct Pending<T>(PendingState<T>);

enum PendingState<T> {
    /// It is there already.
    Known(Option<StoreResult<T>>),
    /// A thread or task of the store sends it. Nearly all of them: it has no box of its own, and a timer
    /// only once it is polled.
    Answer {
        answer: oneshot::Receiver<StoreResult<T>>,
        deadline: Instant,
        timer: Option<Pin<Box<Sleep>>>,
    },
    /// The caller that waits does the work.
    Work(Pin<Box<dyn Future<Output = StoreResult<T>> + Send>>),
}

impl<T> Pending<T> {
    /// Known without asking.
    pub fn known(outcome: StoreResult<T>) -> Self {
        Self(PendingState::Known(Some(outcome)))
    }

    /// What is sent here; `Unavailable` at the deadline, whatever becomes of the work, and when the
    /// sending end is dropped.
    pub fn answer(answer: oneshot::Receiver<StoreResult<T>>, deadline: Instant) -> Self {
        Self(PendingState::Answer {
            answer,
            deadline,
            timer: None,
        })
    }

    /// What this comes to; it bounds its own waits.
    pub fn work(work: impl Future<Output = StoreResult<T>> + Send + 'static) -> Self {
        Self(PendingState::Work(Box::pin(work)))
    }

    /// What this comes to; `Unavailable` at the deadline.
    pub fn bounded(
        deadline: Instant,
        work: impl Future<Output = StoreResult<T>> + Send + 'static,
    ) -> Self {
        Self::work(async move {
            let answer = timeout_at(deadline, work).await;
            answer.unwrap_or_else(|_| Err(late()))
        })
    }
}

// Nothing in it is pinned but what has a box of its own.
impl<T> Unpin for Pending<T> {}

impl<T> Future for Pending<T> {
    type Output = StoreResult<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<StoreResult<T>> {
        match &mut self.0 {
            PendingState::Known(outcome) => {
                Poll::Ready(outcome.take().expect("polled after it was ready"))
            }
            PendingState::Work(work) => work.as_mut().poll(cx),
            PendingState::Answer {
                answer,
                deadline,
                timer,
            } => {
                if let Poll::Ready(sent) = Pin::new(answer).poll(cx) {
                    let closed = |_| Err(StoreError::Unavailable("the store was closed".into()));
                    return Poll::Ready(sent.unwrap_or_else(closed));
                }
                let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(*deadline)));
                ready!(timer.as_mut().poll(cx));
                Poll::Ready(Err(late()))
            }
        }
    }
}

fn late() -> StoreError {
    StoreError::Unavailable("no answer in time".into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn the_wait_for_an_answer_begins_with_the_call() {
        let limit = Duration::from_millis(300);
        let (_sender, never) = oneshot::channel::<StoreResult<()>>();
        let deadline = Instant::now() + limit;
        let first = Pending::answer(never, deadline);
        let second = Pending::bounded(deadline, std::future::pending::<StoreResult<()>>());
        assert!(matches!(first.await, Err(StoreError::Unavailable(_))));
        // Asked at the same time and looked at only now, it owes no further wait.
        let late = tokio::time::timeout(limit / 2, second).await;
        assert!(matches!(late, Ok(Err(StoreError::Unavailable(_)))));
    }

    #[tokio::test]
    async fn an_answer_that_never_comes_is_unavailable_at_once() {
        let (sender, answer) = oneshot::channel::<StoreResult<()>>();
        drop(sender);
        let far = Instant::now() + Duration::from_secs(3600);
        let answer = Pending::answer(answer, far).await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))));
    }
}
