//! Whose turn it is on a connection that speaks HTTP: the client's to begin a request or to finish the
//! head of one, or ours to answer. How long the client may take depends on which it is; our own answers
//! are [`crate::transport::paced`]'s affair.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

/// Shared by what reads and writes the connection, and what answers on it.
#[derive(Clone, Debug)]
pub struct Turns(Arc<Mutex<Turn>>);

#[derive(Clone, Copy, Debug)]
enum Turn {
    /// Nothing has come since then, or our last answer is still being taken.
    Idle { since: Instant },
    /// A request's head has begun to come.
    Head { since: Instant },
    /// A request is being answered. `more`: the next has begun to come, or a body.
    Ours { more: bool },
}

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionTimeouts {
    /// Until it begins another request.
    pub idle: Duration,
    /// Until the head of a request is complete; that of the first from the connection on.
    pub head: Duration,
}

/// An answer that is not all written yet. Dropped when hyper has taken the last of it.
#[derive(Debug)]
pub struct Answering(Turns);

impl Turns {
    /// Of a new connection, which is to say at once what it wants.
    pub fn begin() -> Self {
        let since = Instant::now();
        Self(Arc::new(Mutex::new(Turn::Head { since })))
    }

    /// Bytes came from the client.
    pub fn came(&self) {
        let mut turn = self.0.lock();
        match &mut *turn {
            Turn::Idle { .. } => {
                *turn = Turn::Head {
                    since: Instant::now(),
                }
            }
            Turn::Head { .. } => {}
            Turn::Ours { more } => *more = true,
        }
    }

    /// The client took bytes of an answer: it may take its time with the rest.
    pub fn took(&self) {
        if let Turn::Idle { since } = &mut *self.0.lock() {
            *since = Instant::now();
        }
    }

    /// The head of a request is complete.
    pub fn answer(&self) -> Answering {
        *self.0.lock() = Turn::Ours { more: false };
        Answering(self.clone())
    }

    /// Until when the client has time; `None` while it is our turn.
    fn deadline(&self, timeouts: ConnectionTimeouts) -> Option<Instant> {
        match *self.0.lock() {
            Turn::Idle { since } => Some(since + timeouts.idle),
            Turn::Head { since } => Some(since + timeouts.head),
            Turn::Ours { .. } => None,
        }
    }

    /// Resolves when the client has taken longer than it may. To be polled whenever the connection was:
    /// turns change there only.
    pub async fn overdue(&self, timeouts: ConnectionTimeouts) {
        let mut timer = pin!(sleep_until(Instant::now() + timeouts.head));
        poll_fn(|cx| {
            let Some(deadline) = self.deadline(timeouts) else {
                return Poll::Pending;
            };
            if timer.deadline() != deadline {
                timer.as_mut().reset(deadline);
            }
            timer.as_mut().poll(cx)
        })
        .await;
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let mut turn = self.0.0.lock();
        let since = Instant::now();
        *turn = match *turn {
            Turn::Ours { more: true } => Turn::Head { since },
            _ => Turn::Idle { since },
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: ConnectionTimeouts = ConnectionTimeouts {
        idle: Duration::from_secs(75),
        head: Duration::from_secs(10),
    };

    /// Seconds that the client has left.
    fn left(turns: &Turns) -> Option<f64> {
        let deadline = turns.deadline(PATIENCE)?;
        Some((deadline - Instant::now()).as_secs_f64().round())
    }

    #[test]
    fn each_turn_has_its_time() {
        let turns = Turns::begin();
        assert_eq!(left(&turns), Some(10.0));
        let until = turns.deadline(PATIENCE);
        turns.came();
        assert_eq!(turns.deadline(PATIENCE), until, "a byte buys no time");
        let answering = turns.answer();
        assert_eq!(left(&turns), None);
        drop(answering);
        assert_eq!(left(&turns), Some(75.0));
        let until = turns.deadline(PATIENCE);
        turns.took();
        assert!(
            turns.deadline(PATIENCE) > until,
            "it was still taking the answer"
        );
        turns.came();
        assert_eq!(left(&turns), Some(10.0));
        let answering = turns.answer();
        turns.came();
        drop(answering);
        assert_eq!(left(&turns), Some(10.0), "the next head has begun");
    }

    #[tokio::test]
    async fn it_is_overdue_at_the_end_of_the_turn_that_it_is() {
        let timeouts = ConnectionTimeouts {
            idle: Duration::from_millis(300),
            head: Duration::from_millis(100),
        };
        let turns = Turns::begin();
        drop(turns.answer());
        let begun = Instant::now();
        turns.overdue(timeouts).await;
        assert!(begun.elapsed() >= timeouts.idle);
    }
}
