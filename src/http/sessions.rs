//! The session of a request, and its cookie on the answer.

use hyper::header::SET_COOKIE;
use hyper::{HeaderMap, Response};

use super::ResponseBody;
use super::request::Peer;
use crate::admission::door::{Act, AdmissionRefusal};
use crate::identity::principal::Principal;
use crate::state::AppState;

/// The browser that asks.
pub fn principal(app: &AppState, peer: &Peer, headers: &HeaderMap) -> Principal {
    Principal::of(&app.signer, &app.revoked, headers, peer.jar())
}

/// Whether this browser may have its session: a fresh one counts for its network.
///
/// # Errors
/// Too many were made for this network.
pub async fn admit(
    app: &AppState,
    peer: &Peer,
    principal: &Principal,
) -> Result<(), AdmissionRefusal> {
    match principal.known() {
        Some(_) => Ok(()),
        None => app.door.ask(None, peer.address, Act::NewSession).await,
    }
}

/// Sets the cookie of an admitted browser, when that is due.
pub fn set_cookie(
    app: &AppState,
    peer: &Peer,
    principal: &Principal,
    answer: &mut Response<ResponseBody>,
) {
    let Some(cookie) = principal.cookie(&app.signer, peer.jar()) else {
        return;
    };
    if principal.known().is_none() {
        app.store.note_fresh_session(principal.subject());
    }
    answer.headers_mut().insert(SET_COOKIE, cookie);
}
