//! When a connection ends by itself: the process drains, its session is closed or forgotten, or the cookie
//! that brought it has run out.

use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::admission::client::Client;
use crate::delivery::online::End;
use crate::protocol::CloseReason;
use crate::state::AppState;
use crate::state_machine::Now;

/// How often it is looked whether the session of a socket is still honoured: sockets live for days.
const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// What it means that the token was cancelled.
pub(super) enum Woken {
    /// The connection is to close now.
    Ends(CloseReason),
    /// There may be something to be told.
    News,
    /// It was another session of the same group, or it ends a little later.
    ForAnother,
}

/// Watches for the end of one connection.
pub(super) struct EndWatch {
    /// Cancelled when the process ends, or sockets of a browser's session that may be this one.
    token: Pin<Box<WaitForCancellationFutureOwned>>,
    /// What ended before does not concern this connection.
    since: u64,
    /// When to look whether the session is still honoured; once it is decided that it ends, when.
    deadline: Instant,
    decided: bool,
}

impl EndWatch {
    /// Of this client's connection.
    pub(super) fn new(app: &AppState, client: &Client, now: Now) -> Self {
        let End { token, since } = app.online.end_of(client.session);
        Self {
            token: Box::pin(token.cancelled_owned()),
            since,
            deadline: next_look(client, now),
            decided: false,
        }
    }

    /// Whether the end is not decided yet: only then is the token to be awaited.
    pub(super) fn is_open(&self) -> bool {
        !self.decided
    }

    /// Resolves when it is to be looked whether this connection ends: see [`EndWatch::woken`].
    pub(super) fn token(&mut self) -> Pin<&mut WaitForCancellationFutureOwned> {
        self.token.as_mut()
    }

    /// The token was cancelled: what that means for this connection. A drain closes it a little
    /// later, since not all connections are to come to other nodes in the same moment.
    pub(super) fn woken(&mut self, app: &AppState, client: &Client, now: Instant) -> Woken {
        if app.shutdown.draining() {
            let jitter = app.config.server.drain_jitter;
            self.decide(now + jitter.mul_f64(rand::random()));
            return Woken::ForAnother;
        }
        if let Some(reason) = app.online.ended(client.session, self.since) {
            self.decide(now);
            return Woken::Ends(reason);
        }
        let before = self.since;
        let End { token, since } = app.online.end_of(client.session);
        self.since = since;
        self.token.set(token.cancelled_owned());
        match app.online.nudged(client.session, before) {
            true => Woken::News,
            false => Woken::ForAnother,
        }
    }

    /// When [`EndWatch::is_due`] is to be called.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether the connection is to go away now. Looks once an hour whether the session may still be here: the
    /// page that finds its socket closed comes back at once, and is a browser that we know again, or a new one.
    pub(super) fn is_due(&mut self, client: &Client, now: Now) -> bool {
        if self.deadline > now.instant || self.decided {
            return self.deadline <= now.instant;
        }
        self.deadline = next_look(client, now);
        client.until.is_some_and(|until| until <= now.wall)
    }

    fn decide(&mut self, at: Instant) {
        (self.deadline, self.decided) = (at, true);
    }
}

/// When to look at a session the next time: in an hour, or when its cookie ends if that is sooner.
fn next_look(client: &Client, now: Now) -> Instant {
    let left = client.until.map(|until| until.since(now.wall));
    let left = left.filter(|left| !left.is_zero());
    now.instant + left.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)
}
