//! The way into a room: what a client asks for, whether it may, and taking its side. The same for the
//! address of a handshake and for the first frame.

use std::sync::Arc;

use super::KnownEntry;
use super::effects::{ChatServices, DepartRetry};
use crate::domain::id::{Address, RoomId, SessionId, Side};
use crate::identity::Signer;
use crate::identity::seat::{Claim, Credentials, Denied, seat};
use crate::protocol::ErrorCode;
use crate::protocol::client::Enter;
use crate::store::{Arrival, ReadState, SideClaim, StoreError};

/// What a client says of where it wants to go: by its address or by its first frame.
#[derive(Debug)]
pub struct EnterRequest {
    /// Which room.
    pub room: RoomId,
    /// The token of `match_found`, unchecked.
    pub token: Option<String>,
    /// The last entry that the client has.
    pub after: Option<KnownEntry>,
    /// It takes many entries of the log in one frame.
    pub together: bool,
    /// Which side, where both are of one session.
    pub user_id: Option<String>,
}

impl From<Enter> for EnterRequest {
    fn from(enter: Enter) -> Self {
        let Enter {
            room,
            token,
            after,
            after_sent_at: sent_at,
            together,
            user_id,
        } = enter;
        Self {
            room,
            token,
            after: after.map(|seq| KnownEntry { seq, sent_at }),
            together,
            user_id,
        }
    }
}

/// Where a chat connection goes.
#[derive(Debug)]
pub struct Access {
    /// The room.
    pub room: RoomId,
    /// `None`: the room is unknown or erased; the client is told and let go.
    pub claim: Option<Claim>,
    /// The room is open: its people are let in while others are not.
    pub open: bool,
    /// The last entry that the client has.
    pub after: Option<KnownEntry>,
    /// It takes many entries of the log in one frame.
    pub together: bool,
}

/// Why a client does not get into the room that it names.
#[derive(Debug)]
pub enum AccessError {
    /// The room's name is no UUID.
    NotAUuid,
    /// `after` is no number.
    InvalidAfter,
    /// It has no side there.
    Denied(Denied),
    /// The store does not say.
    Store(StoreError),
}

impl AccessError {
    /// The code that a socket tells, the same as that of the problem.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotAUuid => ErrorCode::NotAUuid,
            Self::InvalidAfter => ErrorCode::InvalidAfter,
            Self::Denied(Denied::NoIdentity) => ErrorCode::NoIdentity,
            Self::Denied(Denied::NotAMember) => ErrorCode::NotAMember,
            Self::Store(_) => ErrorCode::Unavailable,
        }
    }
}

/// Finds the room that a client names, and its claim to a side.
///
/// # Errors
/// See [`AccessError`].
pub async fn access(
    reach: &ChatServices,
    signer: &Signer,
    session: Option<SessionId>,
    request: EnterRequest,
) -> Result<Access, AccessError> {
    let EnterRequest {
        room,
        after,
        together,
        ..
    } = request;
    let found = reach.store.room(room).await.map_err(AccessError::Store)?;
    let Some(found) = found else {
        return Ok(Access {
            room,
            claim: None,
            open: false,
            after,
            together,
        });
    };
    let (token, user_id) = (request.token.as_deref(), request.user_id.as_deref());
    let credentials = Credentials::new(signer, session, token, user_id);
    let claim = seat(&found, &credentials).map_err(AccessError::Denied)?;
    Ok(Access {
        room,
        claim: Some(claim),
        open: found.active(),
        after,
        together,
    })
}

/// Takes the side for this connection. `None`: the room is gone by now.
///
/// # Errors
/// The store does not answer. The side is given back by and by, should it have been taken all the same.
pub async fn claim_side(
    reach: &ChatServices,
    room: RoomId,
    claim: Claim,
    connection: Address,
) -> Result<Option<Arrival>, StoreError> {
    // Two tabs that open at the same moment would both see both sides free: the store decides.
    let arrived = reach.store.arrive(room, claim.place, connection).await;
    if arrived.is_err() {
        let may_have = |side: &Side| match claim.place {
            SideClaim::Side(it) | SideClaim::IfFree(it) => *side == it,
            SideClaim::FreeSideOf(_) => true,
        };
        for side in Side::BOTH.into_iter().filter(may_have) {
            let leaving = DepartRetry {
                store: Arc::clone(&reach.store),
                channel: Arc::clone(&reach.channel),
                room,
                side,
                connection,
                read_state: ReadState::default(),
            };
            leaving.later(&reach.drain);
        }
    }
    arrived
}
