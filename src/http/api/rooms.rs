//! `GET /api/rooms/…`: a session's rooms and their logs, answered like the chat handshake, since
//! browsers cannot read why a handshake was refused.

use hyper::{Response, StatusCode};
use serde::Serialize;
use tracing::warn;

use crate::domain::id::{RoomId, Seq, SessionId, Side};
use crate::domain::{Persona, Room, UserId};
use crate::http::problem::Problem;
use crate::http::query::parameter;
use crate::http::{Body, response};
use crate::identity::token;
use crate::protocol::Replay;
use crate::protocol::server::RoomState;
use crate::state::AppState;
use crate::store::{Page, PageLimit, StoreError};

/// Who asks, and what for.
pub struct Asker<'a> {
    /// From the cookie.
    pub session: Option<SessionId>,
    /// The token of the `Authorization` header.
    pub bearer: Option<&'a str>,
    /// The query string.
    pub query: &'a str,
}

/// Instead of a room's id: the room that the token names, so that the address names none.
const BY_TOKEN: &str = "current";

#[derive(Serialize)]
struct RoomsJson<'a> {
    rooms: Vec<RoomState<'a>>,
}

/// `GET /api/rooms/`: the open rooms of this session; for two tabs of one browser, both sides.
pub async fn list(app: &AppState, session: Option<SessionId>) -> Result<Response<Body>, Problem> {
    let Some(session) = session else {
        return Ok(response::json(
            StatusCode::OK,
            &RoomsJson { rooms: Vec::new() },
        ));
    };
    let rooms = app.store.open_rooms(session).await.map_err(told)?;
    let now = crate::clock::now();
    let grace = app.config.chat.reconnect_grace;
    let states = rooms.iter().flat_map(|room| {
        let sides = room.sides_of(session);
        sides.map(move |side| RoomState::of(room, side, grace, now))
    });
    let body = RoomsJson {
        rooms: states.collect(),
    };
    Ok(response::json(StatusCode::OK, &body))
}

/// `GET /api/rooms/ROOM/`.
pub async fn one(app: &AppState, room: &str, asker: &Asker<'_>) -> Result<Response<Body>, Problem> {
    let (room, side) = find(app, room, asker).await?;
    let grace = app.config.chat.reconnect_grace;
    let state = RoomState::of(&room, side, grace, crate::clock::now());
    Ok(response::json(StatusCode::OK, &state))
}

/// `GET /api/rooms/ROOM/messages/?after=&limit=`: the frames that the socket would send.
pub async fn messages(
    app: &AppState,
    room: &str,
    asker: &Asker<'_>,
) -> Result<Response<Body>, Problem> {
    let number = |name| match parameter(asker.query, name) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| {
            Problem::new(
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
    let (room, side) = find(app, room, asker).await?;
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
    let entries = Replay::new(app.encoder.clone(), personas, side, page.entries);
    Ok(response::json_page(entries, &rest))
}

async fn read(
    app: &AppState,
    room: &Room,
    side: Side,
    after: Seq,
    limit: PageLimit,
) -> Result<Page, Problem> {
    let page = app.store.page(room.id, side, after, limit).await;
    page.map_err(told)?.ok_or_else(Problem::no_such_room)
}

/// The room and the side of whoever asks: by token, else by cookie; where both sides are theirs,
/// `user_id` names one.
async fn find(app: &AppState, room: &str, asker: &Asker<'_>) -> Result<(Room, Side), Problem> {
    let token = asker.bearer.or_else(|| parameter(asker.query, "token"));
    let named = token.and_then(|it| token::verify(&app.signer, it));
    let id = match (room, named) {
        (BY_TOKEN, Some((id, _))) => id,
        (BY_TOKEN, None) => return Err(Problem::no_identity()),
        _ => RoomId::parse(room).ok_or_else(Problem::not_a_room_id)?,
    };
    if named.is_none() && asker.session.is_none() {
        return Err(Problem::no_identity());
    }
    let room = app.store.room(id).await.map_err(told)?;
    let room = room.ok_or_else(Problem::no_such_room)?;
    let by_token = named.filter(|(of, _)| *of == id).map(|(_, side)| side);
    let side = by_token.or_else(|| {
        let sides: Vec<Side> = room.sides_of(asker.session?).collect();
        let wanted = parameter(asker.query, "user_id").and_then(UserId::parse);
        let named = sides
            .iter()
            .find(|side| Some(&room.side(**side).persona.user_id) == wanted.as_ref());
        named.or(sides.first()).copied()
    });
    side.map(|side| (room, side))
        .ok_or_else(Problem::not_a_side)
}

/// Logs why the store failed, once, here where it is handled.
fn told(error: StoreError) -> Problem {
    warn!(%error, "an API request could not be answered");
    error.into()
}
