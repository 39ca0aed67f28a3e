//! Who may enter a room, and on which side: a token or a cookie decides, never a claimed id.

use std::sync::Arc;

use hyper::StatusCode;

use crate::chat::Held;
use crate::chat::effects::Leaving;
use crate::domain::Room;
use crate::domain::id::{Address, RoomId, Seq, SessionId, Side};
use crate::http::problem::Problem;
use crate::http::query::{names_parameter, parameter};
use crate::identity::token;
use crate::protocol::ErrorCode;
use crate::protocol::client::Enter;
use crate::state::AppState;
use crate::store::{Arrival, Marks, Place, StoreError};

/// Where a chat connection goes.
pub(super) struct Entrance {
    pub(super) room: RoomId,
    /// `None`: the room is unknown or erased; the client is told and let go.
    pub(super) seat: Option<Seat>,
    /// The room is open: its people are let in while others are not.
    pub(super) open: bool,
    pub(super) after: Option<Held>,
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

/// What a client says of where it wants to go: by its address or by its first frame.
pub(super) struct Asked {
    pub(super) room: RoomId,
    pub(super) token: Option<String>,
    pub(super) after: Option<Held>,
    pub(super) user_id: Option<String>,
}

impl From<Enter> for Asked {
    fn from(enter: Enter) -> Self {
        let Enter {
            room,
            token,
            after,
            after_sent_at: sent_at,
            user_id,
        } = enter;
        Self {
            room,
            token,
            after: after.map(|seq| Held { seq, sent_at }),
            user_id,
        }
    }
}

impl Asked {
    /// What the address of a handshake says; `None` when it names no room at all, so that the first
    /// frame does.
    pub(super) fn of_address(path: Option<&str>, query: &str) -> Option<Result<Self, Refused>> {
        let room = path.or_else(|| parameter(query, "room"));
        if room.is_none() && !names_parameter(query, "room") {
            return None;
        }
        let asked = |room| {
            let after = match parameter(query, "after") {
                None => None,
                Some(text) => {
                    let seq = text.parse().map_err(|_| Refused::InvalidAfter)?;
                    Some(Seq(seq).into())
                }
            };
            let named = |name| parameter(query, name).map(str::to_owned);
            Ok(Self {
                room,
                token: named("token"),
                after,
                user_id: named("user_id"),
            })
        };
        let room = room.and_then(RoomId::parse).ok_or(Refused::NotAUuid);
        Some(room.and_then(asked))
    }
}

/// Why a client does not get into the room that it names.
#[derive(Debug)]
pub(super) enum Refused {
    /// The room's name is no UUID.
    NotAUuid,
    /// `after` is no number.
    InvalidAfter,
    /// Neither a cookie nor a token of ours.
    NoIdentity,
    /// A room of other people.
    NotAMember,
    /// The store does not say.
    Store(StoreError),
}

impl Refused {
    /// The code that a socket tells, the same as that of the problem.
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::NotAUuid => ErrorCode::NotAUuid,
            Self::InvalidAfter => ErrorCode::InvalidAfter,
            Self::NoIdentity => ErrorCode::NoIdentity,
            Self::NotAMember => ErrorCode::NotAMember,
            Self::Store(_) => ErrorCode::Unavailable,
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotAUuid => Self::not_a_room_id(),
            Refused::InvalidAfter => Self::new(
                StatusCode::BAD_REQUEST,
                ErrorCode::InvalidAfter.as_str(),
                ErrorCode::InvalidAfter.message(),
            ),
            Refused::NoIdentity => Self::no_identity(),
            Refused::NotAMember => Self::not_a_side(),
            Refused::Store(error) => error.into(),
        }
    }
}

/// Finds the room that a client names, and the side of its connection. The one way in, by the address
/// and by the first frame alike.
pub(super) async fn entrance(
    app: &AppState,
    cookie: Option<SessionId>,
    asked: Asked,
) -> Result<Entrance, Refused> {
    let Asked { room, after, .. } = asked;
    let found = app.store.room(room).await.map_err(Refused::Store)?;
    let Some(found) = found else {
        return Ok(Entrance {
            room,
            seat: None,
            open: false,
            after,
        });
    };
    let token = asked.token.as_deref();
    let claimed = token.and_then(|token| token::verify(&app.signer, token));
    let seat = match claimed.filter(|(of, _)| *of == room) {
        Some((_, side)) => Seat {
            session: found.side(side).session,
            place: Place::Side(side),
        },
        None => {
            // Another room's token is an identity, though not one of this room.
            let session = cookie.ok_or(match claimed {
                Some(_) => Refused::NotAMember,
                None => Refused::NoIdentity,
            })?;
            let user_id = asked.user_id.as_deref();
            seat(&found, session, user_id).ok_or(Refused::NotAMember)?
        }
    };
    Ok(Entrance {
        room,
        seat: Some(seat),
        open: found.active(),
        after,
    })
}

/// Takes the seat for this connection. `None`: the room is gone by now.
pub(super) async fn sit_down(
    app: &AppState,
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
