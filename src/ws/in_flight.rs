//! Waiting for jobs under way.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// The outcome of the first queued job; never, when there is none.
pub(super) async fn front<F: Future + Unpin>(queue: &mut VecDeque<F>) -> F::Output {
    poll_fn(|cx| match queue.front_mut() {
        Some(job) => Pin::new(job).poll(cx),
        None => Poll::Pending,
    })
    .await
}

/// The outcome of this job; never, when there is none.
pub(super) async fn optional<F: Future + Unpin>(job: &mut Option<F>) -> F::Output {
    poll_fn(|cx| match job {
        Some(job) => Pin::new(job).poll(cx),
        None => Poll::Pending,
    })
    .await
}
