//! Waiting for jobs under way. No `async fn`: their futures would hold what they are given twice, for as long as a
//! connection waits.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// The outcome of the first queued job; never, when there is none.
pub(super) fn front<F: Future + Unpin>(queue: &mut VecDeque<F>) -> impl Future<Output = F::Output> {
    poll_fn(|cx| match queue.front_mut() {
        Some(job) => Pin::new(job).poll(cx),
        None => Poll::Pending,
    })
}

/// The outcome of this job; never, when there is none.
pub(super) fn optional<F: Future + Unpin>(job: &mut Option<F>) -> impl Future<Output = F::Output> {
    poll_fn(|cx| match job {
        Some(job) => Pin::new(job).poll(cx),
        None => Poll::Pending,
    })
}
