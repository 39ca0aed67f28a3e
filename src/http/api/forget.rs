//! `POST /api/session/forget`: this browser is an unknown one from now on.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue, SET_COOKIE};
use tokio::sync::oneshot;
use tracing::warn;

use crate::admission::door::Act;
use crate::channel::GroupId;
use crate::domain::id::SessionId;
use crate::http::response;
use crate::http::routes::{Call, HandlerResult};
use crate::identity::cookie;
use crate::protocol::CloseReason;
use crate::state::AppState;
use crate::store::{StoreError, leave_rooms};

static CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
/// Not "cookies" as well: that would take those of every site under the same registered domain. Ours is
/// taken back by name.
static STORAGE: HeaderValue = HeaderValue::from_static("\"storage\"");

/// Ends the session of the request's cookie. 204 when all of it is done, also when there was none; a
/// refusal leaves the cookie, and asking again is safe.
pub async fn answer(call: Call) -> HandlerResult {
    let Call {
        app, peer, request, ..
    } = &call;
    let headers = request.headers();
    // Also one that was forgotten a moment ago: the first answer may have been lost half-way.
    let session = cookie::read(&app.signer, headers, peer.jar()).map(|seen| seen.session);
    app.door.ask(session, peer.address, Act::Request).await?;
    if let Some(session) = session
        && !app.revoked.contains(session)
    {
        // Before anything is done: a page that goes away meanwhile pays as well.
        app.door.charge_new_session(peer.address);
    }
    if let Some(session) = session
        && let Err(error) = to_the_end(app, session).await
    {
        warn!(%error, "a browser could not be forgotten");
        return Err(error.into());
    }
    let mut answer = response::text(StatusCode::NO_CONTENT, "");
    let taken = cookie::expired(&app.signer, headers, peer.jar());
    let headers = answer.headers_mut();
    for cookie in taken {
        headers.append(SET_COOKIE, cookie);
    }
    headers.insert(CLEAR_SITE_DATA.clone(), STORAGE.clone());
    Ok(answer)
}

/// Forgets in a task of its own: a page that goes away meanwhile, perhaps because its socket has ended,
/// must not leave the half of it undone.
async fn to_the_end(app: &Arc<AppState>, session: SessionId) -> Result<(), StoreError> {
    let (done, outcome) = oneshot::channel();
    let forgetting = Arc::clone(app);
    app.shutdown.spawn(async move {
        let forgotten = forget(&forgetting, session).await;
        // The caller may be gone: then it is done all the same.
        let _ = done.send(forgotten);
    });
    let ended = outcome.await;
    ended.unwrap_or_else(|_| {
        Err(StoreError::Unavailable(
            "the task that forgets ended".into(),
        ))
    })
}

/// Its sockets and searches end on every node, its open rooms close as left, its blocks are erased.
/// What it wrote goes with its rooms, after `store.retention`.
async fn forget(app: &AppState, session: SessionId) -> Result<(), StoreError> {
    // First the sockets: a search that ends gives its ticket back, or closes the room it became.
    app.closer
        .close(GroupId::Session(session), CloseReason::Forgotten);
    leave_rooms(&*app.store, session).await?;
    app.store.forget(session).await
}
