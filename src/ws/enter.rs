//! A chat socket whose address names no room: its first frame does. Nothing is looked up before that
//! frame is whole, and the connection counts from its handshake on.

use std::time::Duration;

use tokio::time::timeout;

use super::socket::{Incoming, Socket};
use crate::admission::client::Client;
use crate::admission::memory_budget::{Class, MemoryAccount};
use crate::chat::access::{Access, access};
use crate::domain::id::SessionId;
use crate::protocol::client;
use crate::protocol::{CloseReason, DecodeError, ErrorCode, Text};
use crate::state::AppState;
use crate::telemetry;

/// An `enter` with the longest token and `user_id` has a fifth of it.
const ENTER_BYTES: usize = 2048;
/// Pings and pongs before it.
const CONTROLS: usize = 20;

/// The room that the first frame names, if it comes in time. `None`: the client was told why not, and the
/// socket is closed.
pub(super) async fn entered(
    app: &AppState,
    client: Client,
    cookie: Option<SessionId>,
    limit: Duration,
    socket: &mut Socket,
) -> Option<Access> {
    // It is in no room yet.
    let class = Class::Arriving;
    let account = Client { class, ..client }.account(&app.memory);
    let first = tokio::select! {
        () = app.shutdown.token().cancelled() => Err(CloseReason::GoingAway),
        first = timeout(limit, first_frame(socket, account)) => {
            // As silent as a connection that does not answer pings.
            first.unwrap_or(Err(CloseReason::HeartbeatMissed))
        }
    };
    match first {
        Ok(text) => match find(app, cookie, &text).await {
            Ok(access) => return Some(access),
            Err(error) => refuse(app, socket, account, &error).await,
        },
        Err(reason) => socket.close(reason).await,
    }
    None
}

/// There is no place for it: all are taken, or all of its browser's. It is told to come back later.
pub(super) async fn no_place(app: &AppState, client: Client, socket: &mut Socket) {
    let error = DecodeError {
        code: ErrorCode::Unavailable,
        field: None,
        client_id: None,
    };
    refuse(app, socket, client.account(&app.memory), &error).await;
}

/// Says why not, and closes.
async fn refuse(
    app: &AppState,
    socket: &mut Socket,
    account: MemoryAccount<'_>,
    error: &DecodeError,
) {
    metrics::counter!(telemetry::ERRORS, "code" => error.code.as_str()).increment(1);
    // A client that cannot be told is closed all the same.
    let told = app.encoder.decode_error(error).into();
    let _ = socket.write(told, account).await;
    let reason = match error.code {
        ErrorCode::Unavailable => CloseReason::GoingAway,
        _ => CloseReason::Refused,
    };
    socket.close(reason).await;
}

async fn find(
    app: &AppState,
    cookie: Option<SessionId>,
    text: &str,
) -> Result<Access, DecodeError> {
    let asked = client::enter(text)?;
    let found = access(&app.reach, &app.signer, cookie, asked.into()).await;
    found.map_err(|refused| DecodeError {
        code: refused.code(),
        field: None,
        client_id: None,
    })
}

/// The first frame that says something.
///
/// # Errors
/// How to close instead.
async fn first_frame(socket: &mut Socket, account: MemoryAccount<'_>) -> Result<Text, CloseReason> {
    for _ in 0..CONTROLS {
        return match socket.recv(account).await {
            Incoming::Text(text) if text.len() > ENTER_BYTES => Err(CloseReason::TooLarge),
            Incoming::Text(text) => Ok(text),
            Incoming::Binary => Err(CloseReason::Policy),
            Incoming::Unacceptable(reason) => Err(reason),
            Incoming::Gone => Err(CloseReason::Normal),
            Incoming::Control => continue,
        };
    }
    Err(CloseReason::Policy)
}
