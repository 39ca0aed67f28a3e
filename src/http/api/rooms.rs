//! `GET /api/rooms/…`: a session's rooms and their logs, answered like the chat handshake, since
//! browsers cannot read why a handshake was refused.

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderMap};
use schemars::JsonSchema;
use serde::Serialize;
use tracing::warn;

use crate::admission::memory_budget::Class;
use crate::domain::id::{RoomId, Seq, SessionId, Side};
use crate::domain::{Persona, Room};
use crate::http::problem::HttpProblem;
use crate::http::query::parameter;
use crate::http::response;
use crate::http::routes::{Call, HandlerResult};
use crate::identity::principal::Principal;
use crate::identity::seat::{Credentials, seat};
use crate::protocol::Replay;
use crate::protocol::server::RoomView;
use crate::state::AppState;
use crate::store::{Page, PageLimit, StoreError};

/// Instead of a room's id: the room that the token names, so that the address names none.
const BY_TOKEN: &str = "current";

#[derive(JsonSchema, Serialize)]
pub(super) struct RoomsJson<'a> {
    rooms: Vec<RoomView<'a>>,
}

/// `GET /api/rooms/`: the open rooms of this session; for two tabs of one browser, both sides.
pub async fn list(call: Call) -> HandlerResult {
    let app = &*call.app;
    let Some(session) = known(&call) else {
        return Ok(response::json(
            StatusCode::OK,
            &RoomsJson { rooms: Vec::new() },
        ));
    };
    let rooms = app.store.open_rooms(session).await.map_err(store_problem)?;
    let now = crate::clock::now();
    let grace = app.config.chat.reconnect_grace;
    let states = rooms.iter().flat_map(|room| {
        let sides = room.sides_of(session);
        sides.map(move |side| RoomView::of(room, side, grace, now))
    });
    let body = RoomsJson {
        rooms: states.collect(),
    };
    Ok(response::json(StatusCode::OK, &body))
}

/// `GET /api/rooms/ROOM/`.
pub async fn one(call: Call) -> HandlerResult {
    let app = &*call.app;
    let (room, side) = find(&call).await?;
    let grace = app.config.chat.reconnect_grace;
    let state = RoomView::of(&room, side, grace, crate::clock::now());
    Ok(response::json(StatusCode::OK, &state))
}

/// `GET /api/rooms/ROOM/messages/?after=&limit=`: the frames that the socket would send.
pub async fn messages(call: Call) -> HandlerResult {
    let app = &*call.app;
    // Before it is read: a page is large, and many may be asked for at once.
    let bytes = app.reach.page_memory();
    let class = Class::Arriving;
    let held = app.memory.reserve(call.peer.address, class, bytes);
    let held = held.map_err(response::exhausted)?;
    let number = |name| match parameter(call.query(), name) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| {
            HttpProblem::new(
                StatusCode::BAD_REQUEST,
                "bad_query",
                format!("{name} must be a number from 0 up"),
            )
        }),
    };
    let most = app.config.limits.page_entries;
    // The store counts in signed 64 bits; anything later is simply after everything.
    let after = Seq(number("after")?.unwrap_or(0).min(i64::MAX as u64));
    let limit = number("limit")?.map_or(most, |limit| {
        usize::try_from(limit).unwrap_or(most).clamp(1, most)
    });
    let (room, side) = find(&call).await?;
    let personas: [Persona; 2] = [&room.sides[0], &room.sides[1]].map(|it| it.persona.clone());
    let limit = PageLimit::new(limit, app.reach.page_bytes, &personas);
    let mut page = read(app, &room, side, after, limit).await?;
    let mut anew = "";
    if after > page.last_seq {
        // What the asker has is not in this log any more: it begins again.
        (page, anew) = (
            read(app, &room, side, Seq::ZERO, limit).await?,
            ",\"anew\":true",
        );
    }
    let (last_seq, upto) = (page.last_seq, page.upto);
    let rest = format!("\"last_seq\":{last_seq},\"upto\":{upto}{anew}");
    let entries = Replay::new(app.encoder.clone(), room.id, personas, side, page.entries);
    let mut answer = response::json_page(entries, &rest);
    answer.body_mut().hold(held);
    Ok(answer)
}

async fn read(
    app: &AppState,
    room: &Room,
    side: Side,
    after: Seq,
    limit: PageLimit,
) -> Result<Page, HttpProblem> {
    let page = app.store.page(room.id, side, after, limit).await;
    page.map_err(store_problem)?
        .ok_or_else(HttpProblem::no_such_room)
}

fn known(call: &Call) -> Option<SessionId> {
    call.principal.as_ref().and_then(Principal::known)
}

/// The room of the address, and the side whose view is shown.
async fn find(call: &Call) -> Result<(Room, Side), HttpProblem> {
    let room = call.parameter.as_deref().unwrap_or_default();
    find_named(call, room, parameter(call.query(), "user_id")).await
}

/// The room that is asked for, and the caller's side of it: by token, else by cookie; where both
/// sides are of one session, `user_id` names one.
pub(super) async fn find_named(
    call: &Call,
    room: &str,
    user_id: Option<&str>,
) -> Result<(Room, Side), HttpProblem> {
    let app = &*call.app;
    let token = bearer(call.request.headers()).or_else(|| parameter(call.query(), "token"));
    let credentials = Credentials::new(&app.signer, known(call), token, user_id);
    let id = match (room, credentials.token_room()) {
        (BY_TOKEN, Some(id)) => id,
        (BY_TOKEN, None) => return Err(HttpProblem::no_identity()),
        _ => RoomId::parse(room).ok_or_else(HttpProblem::not_a_room_id)?,
    };
    if credentials.are_none() {
        return Err(HttpProblem::no_identity());
    }
    let room = app.store.room(id).await.map_err(store_problem)?;
    let room = room.ok_or_else(HttpProblem::no_such_room)?;
    let side = seat(&room, &credentials)?.side();
    Ok((room, side))
}

/// The token of `Authorization: Bearer TOKEN`; other schemes are a proxy's business.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Logs why the store failed, once, here where it is handled.
fn store_problem(error: StoreError) -> HttpProblem {
    warn!(%error, "an API request could not be answered");
    error.into()
}
