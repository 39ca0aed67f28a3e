//! Who may enter a room, and on which side: a token or a cookie decides, never a claimed id.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, StatusCode};

use super::chat_io::Leaving;
use crate::app::App;
use crate::error::Problem;
use crate::http::query::parameter;
use crate::id::{Address, RoomId, Seq, SessionId, Side};
use crate::model::Room;
use crate::session::token;
use crate::store::{Arrival, Marks, Place, StoreError};

/// Where a chat connection goes.
pub(super) struct Entrance {
    pub(super) room: RoomId,
    /// `None`: the room is unknown or erased; the client is told and let go.
    pub(super) seat: Option<Seat>,
    pub(super) after: Option<Seq>,
}

/// Whose place in a room, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) session: SessionId,
    place: Place,
}

impl Seat {
    /// The side is a guess among two of this session.
    pub(super) fn provisional(&self) -> bool {
        matches!(self.place, Place::FreeSideOf(_))
    }
}

/// Finds the room that a handshake names, and the side of whoever asks.
pub(super) async fn entrance(
    app: &App,
    cookie: Option<SessionId>,
    request: &Request<Incoming>,
    room: Option<&str>,
) -> Result<Entrance, Problem> {
    let query = request.uri().query().unwrap_or_default();
    let room = room
        .or_else(|| parameter(query, "room"))
        .and_then(RoomId::parse)
        .ok_or_else(Problem::not_a_room_id)?;
    let after = match parameter(query, "after") {
        None => None,
        Some(text) => Some(Seq(text.parse().map_err(|_| not_a_place())?)),
    };
    let Some(found) = app.store.room(room).await? else {
        let seat = None;
        return Ok(Entrance { room, seat, after });
    };
    let claimed = parameter(query, "token").and_then(|token| token::verify(&app.signer, token));
    let seat = match claimed.filter(|(of, _)| *of == room) {
        Some((_, side)) => Seat {
            session: found.side(side).session,
            place: Place::Side(side),
        },
        None => {
            // Another room's token is an identity, though not one of this room.
            let session = cookie.ok_or_else(|| match claimed {
                Some(_) => Problem::not_a_side(),
                None => Problem::no_identity(),
            })?;
            let user_id = parameter(query, "user_id");
            seat(&found, session, user_id).ok_or_else(Problem::not_a_side)?
        }
    };
    Ok(Entrance {
        room,
        seat: Some(seat),
        after,
    })
}

/// Takes the seat for this connection. `None`: the room is gone by now.
pub(super) async fn sit_down(
    app: &App,
    room: RoomId,
    seat: Seat,
    connection: Address,
) -> Result<Option<Arrival>, StoreError> {
    // Two tabs that open at the same moment would both see both sides free: the store decides.
    let arrived = app.store.arrive(room, seat.place, connection).await;
    if arrived.is_err() {
        let may_have = |side: &Side| match seat.place {
            Place::Side(it) | Place::IfFree(it) => *side == it,
            Place::FreeSideOf(_) => true,
        };
        // It may have been written all the same, by and by.
        for side in Side::BOTH.into_iter().filter(may_have) {
            let leaving = Leaving {
                store: Arc::clone(&app.store),
                channel: Arc::clone(&app.channel),
                room,
                side,
                connection,
                marks: Marks::default(),
            };
            leaving.later(&app.shutdown);
        }
    }
    arrived
}

fn not_a_place() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid_after",
        "after is the seq of the last entry you have seen, 0 for the whole log",
    )
}

/// The session's side; of two, the one that `user_id` names, else whichever is free.
fn seat(room: &Room, session: SessionId, user_id: Option<&str>) -> Option<Seat> {
    let own: Vec<Side> = room.sides_of(session).collect();
    let named = |side: &&Side| Some(room.side(**side).persona.user_id.as_str()) == user_id;
    let place = match (&own[..], own.iter().find(named)) {
        ([], _) => return None,
        ([side], _) | (_, Some(side)) => Place::Side(*side),
        _ => Place::FreeSideOf(session),
    };
    Some(Seat { session, place })
}
