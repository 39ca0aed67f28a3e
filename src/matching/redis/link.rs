//! The pool's connection to Redis: one for all calls, which it keeps in flight together. While Redis
//! is away calls fail at once; connecting goes on behind them, in [`PoolLink::keep`].

use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{FromRedisValue, RedisError, ScriptInvocation};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use crate::backoff::Backoff;
use crate::matching::PoolError;
use crate::redis::{RedisServer, answered, cannot_serve};

/// How long one call may take, and how long calls wait for a connection that was just lost: most
/// restarts of a Redis are over by then.
pub(super) const TIMEOUT: Duration = Duration::from_secs(1);
/// Between attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

#[derive(Clone)]
enum PoolLinkState {
    /// Connected; the number tells this connection from the next.
    Up(MultiplexedConnection, u64),
    /// Not connected, since when and why.
    Down(Instant, Arc<str>),
    /// For good.
    Closed,
}

/// Why a script did not answer.
#[derive(Clone)]
pub(super) struct Failed {
    pub(super) error: PoolError,
    /// Redis was there and refused this very call; it has changed nothing.
    pub(super) refused: bool,
}

impl From<Failed> for PoolError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// One connection that comes back.
pub(super) struct PoolLink {
    server: RedisServer,
    state: watch::Sender<PoolLinkState>,
}

impl PoolLink {
    /// Not connected yet: [`PoolLink::keep`] does that.
    pub(super) fn new(server: RedisServer) -> Self {
        let why = Arc::from("not connected yet");
        Self {
            server,
            state: watch::Sender::new(PoolLinkState::Down(Instant::now(), why)),
        }
    }

    /// Runs a script. It fails within about two seconds: one for a lost connection to come back,
    /// one for the answer.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, Failed> {
        let away = |error| Failed {
            error,
            refused: false,
        };
        let (mut connection, number) = self.connection().await.map_err(away)?;
        match timeout(TIMEOUT, script.invoke_async(&mut connection)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let lost = lost(&error);
                if lost {
                    self.down(number, &error.to_string());
                }
                Err(Failed {
                    error: PoolError::Unavailable(error.to_string().into()),
                    refused: !lost,
                })
            }
            Err(_) => {
                let why = "Redis does not answer in time";
                self.down(number, why);
                Err(away(PoolError::Unavailable(why.into())))
            }
        }
    }

    /// Connects, and again whenever the connection is lost; for ever.
    pub(super) async fn keep(&self) {
        let mut changes = self.state.subscribe();
        let mut number = 0;
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        let mut said = false;
        loop {
            let down = changes.wait_for(|state| matches!(state, PoolLinkState::Down(..)));
            if down.await.is_err() {
                return;
            }
            match self.server.connect(|_| Ok::<_, RedisError>(())).await {
                Ok(connection) => {
                    number += 1;
                    backoff.reset();
                    self.up(connection, number);
                    if std::mem::take(&mut said) {
                        tracing::info!(server = %self.server, "the waiting pool is back");
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut said, true) {
                        tracing::warn!(%error, "the waiting pool is away");
                    }
                    backoff.pause().await;
                }
            }
        }
    }

    /// Ends the connection for good.
    pub(super) fn close(&self) {
        self.state.send_replace(PoolLinkState::Closed);
    }

    /// Resolves when it was closed.
    pub(super) async fn closed(&self) {
        let mut changes = self.state.subscribe();
        // The sender lives as long as this link: waiting does not fail.
        let _ = changes
            .wait_for(|state| matches!(state, PoolLinkState::Closed))
            .await;
    }

    async fn connection(&self) -> Result<(MultiplexedConnection, u64), PoolError> {
        let mut state = self.state.borrow().clone();
        if let PoolLinkState::Down(since, _) = state {
            let mut changes = self.state.subscribe();
            let up = changes.wait_for(|state| !matches!(state, PoolLinkState::Down(..)));
            if let Ok(Ok(changed)) = timeout_at(since + TIMEOUT, up).await {
                state = changed.clone();
            }
        }
        match state {
            PoolLinkState::Up(connection, number) => Ok((connection, number)),
            PoolLinkState::Down(_, why) => Err(PoolError::Unavailable(why)),
            PoolLinkState::Closed => Err(PoolError::Unavailable("the pool is closed".into())),
        }
    }

    fn up(&self, connection: MultiplexedConnection, number: u64) {
        self.state.send_if_modified(|state| {
            let down = matches!(state, PoolLinkState::Down(..));
            if down {
                *state = PoolLinkState::Up(connection, number);
            }
            down
        });
    }

    /// The connection with this number is of no more use; a later one may be.
    fn down(&self, number: u64, why: &str) {
        self.state.send_if_modified(|state| {
            let current = matches!(state, PoolLinkState::Up(_, up) if *up == number);
            if current {
                *state = PoolLinkState::Down(Instant::now(), why.into());
            }
            current
        });
    }
}

/// Whether another connection may do better: this one is broken, or leads to a server that cannot serve.
fn lost(error: &RedisError) -> bool {
    !answered(error) || cannot_serve(error)
}
