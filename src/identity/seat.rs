//! Which side of a room is whose: a token or a cookie decides, never a claimed id. The API and both ways
//! into the chat socket ask here.

use super::Signer;
use super::token;
use crate::domain::id::{RoomId, SessionId, Side};
use crate::domain::{Room, UserId};
use crate::store::SideClaim;

/// What a request shows of itself, verified as far as it can be without the room.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The session of its cookie.
    session: Option<SessionId>,
    /// The side that its token names, if we signed it.
    token: Option<(RoomId, Side)>,
    /// Which of two sides of its session it means.
    user_id: Option<UserId>,
}

impl Credentials {
    /// Of a request with this session, token and `user_id`.
    pub fn new(
        signer: &Signer,
        session: Option<SessionId>,
        token: Option<&str>,
        user_id: Option<&str>,
    ) -> Self {
        Self {
            session,
            token: token.and_then(|token| token::verify(signer, token)),
            user_id: user_id.and_then(UserId::parse),
        }
    }

    /// The room that its token is of.
    pub fn token_room(&self) -> Option<RoomId> {
        self.token.map(|(room, _)| room)
    }

    /// Whether there is neither a cookie nor a token of ours.
    pub fn are_none(&self) -> bool {
        self.session.is_none() && self.token.is_none()
    }
}

/// A side of a room, and the session that has a right to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The session whose side it is.
    pub session: SessionId,
    /// The side; where both are the session's and it names none, the free one.
    pub place: SideClaim,
}

impl Claim {
    /// The side is a guess among two of this session.
    pub fn provisional(&self) -> bool {
        matches!(self.place, SideClaim::FreeSideOf(_))
    }

    /// The side whose view is shown; of two, the first.
    pub fn side(&self) -> Side {
        match self.place {
            SideClaim::Side(side) | SideClaim::IfFree(side) => side,
            SideClaim::FreeSideOf(_) => Side::A,
        }
    }
}

/// Why a request gets no side of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It shows neither a cookie nor a token of ours.
    NoIdentity,
    /// The room is of other people.
    NotAMember,
}

/// The side of this room that a request may take. A token of the room decides; else the session has the
/// sides that are its own, and of two the one that `user_id` names.
///
/// # Errors
/// See [`Denied`].
pub fn seat(room: &Room, credentials: &Credentials) -> Result<Claim, Denied> {
    if let Some((_, side)) = credentials.token.filter(|(of, _)| *of == room.id) {
        return Ok(Claim {
            session: room.side(side).session,
            place: SideClaim::Side(side),
        });
    }
    // Another room's token is an identity, though not one of this room.
    let session = credentials.session.ok_or(match credentials.token {
        Some(_) => Denied::NotAMember,
        None => Denied::NoIdentity,
    })?;
    let own: Vec<Side> = room.sides_of(session).collect();
    let named =
        |side: &&Side| Some(&room.side(**side).persona.user_id) == credentials.user_id.as_ref();
    let place = match (&own[..], own.iter().find(named)) {
        ([], _) => return Err(Denied::NotAMember),
        ([side], _) | (_, Some(side)) => SideClaim::Side(*side),
        _ => SideClaim::FreeSideOf(session),
    };
    Ok(Claim { session, place })
}
