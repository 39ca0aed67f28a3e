//! A room: two sides, who is on each, and whether it is open. And the pairing it is born from.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::block_mark::Mark;
use crate::domain::entry::{Entry, EntryKind, LeaveReason};
use crate::domain::id::{Address, RoomId, Seq, SessionId, Side, TicketId, Timestamp};
use crate::domain::profile::Persona;

/// One of the two people of a pairing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The ticket that was matched.
    pub ticket: TicketId,
    /// Whose it was.
    pub session: SessionId,
    /// Who they are in this room.
    pub persona: Persona,
    /// Their waiting connection, to be told.
    pub address: Address,
    /// Their marks of the tags that both named: what a block in this room is held against for a day.
    pub marks: Vec<Mark>,
}

/// Two tickets that were matched, and the room they will have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairing {
    /// Chosen before, so that creating the room is idempotent.
    pub room: RoomId,
    /// By [`Side::index`]: the one who arrived, the one who waited.
    pub parties: [Party; 2],
    /// Interests both named.
    pub common_tags: Vec<String>,
    /// One side is a program.
    pub is_bot: bool,
}

impl Pairing {
    /// Two tabs of one browser.
    pub fn same_session(&self) -> bool {
        self.parties[0].session == self.parties[1].session
    }

    /// Whether this is the room of this pairing: the same people on the same sides.
    pub fn is_of(&self, room: &Room) -> bool {
        let same = |side: &Side| room.side(*side).session == self.parties[side.index()].session;
        self.room == room.id && Side::BOTH.iter().all(same)
    }

    /// The side that this ticket became.
    pub fn side_of(&self, ticket: TicketId) -> Option<Side> {
        Side::BOTH
            .into_iter()
            .find(|side| self.parties[side.index()].ticket == ticket)
    }
}

/// One person of a room, as remembered by the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSide {
    /// Whose side it is.
    pub session: SessionId,
    /// Who they are here.
    pub persona: Persona,
    /// First connection, if there ever was one.
    pub joined_at: Option<Timestamp>,
    /// The connection that speaks for this side now; `None` when none is open.
    pub connection: Option<Address>,
    /// Since when no connection is open; `None` while one is, and before the first.
    pub away_since: Option<Timestamp>,
    /// Counts this side's arrivals and departures: of two things heard about its presence, the one
    /// with the higher version is the newer, whichever came first.
    pub version: u64,
    /// The last entry this side was sent, written lazily.
    pub cursor: Seq,
    /// The last entry this side says it has read.
    pub read: Seq,
    /// It can be called, and is waited for so long at least.
    pub call_for: Option<Duration>,
}

impl RoomSide {
    /// A connection is open.
    pub fn online(&self) -> bool {
        self.connection.is_some()
    }

    /// Who speaks for it.
    pub fn presence(&self) -> Presence {
        Presence {
            speaker: self.connection,
            version: self.version,
        }
    }

    /// How much of the reconnection grace is left; `None` while online or not yet arrived.
    pub fn grace_left(&self, grace: Duration, now: Timestamp) -> Option<Duration> {
        let since = self.away_since?;
        let grace = self.call_for.map_or(grace, |call_for| call_for.max(grace));
        Some(grace.saturating_sub(now.since(since)))
    }
}

/// A room as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Its name.
    pub id: RoomId,
    /// By [`Side::index`].
    pub sides: [RoomSide; 2],
    /// Interests both named.
    pub common_tags: Vec<String>,
    /// One side is a program.
    pub is_bot: bool,
    /// When it was made.
    pub opened_at: Timestamp,
    /// When it closes by itself, as far as it is known now; `None` in a closed room and without
    /// `chat.longest`. It may move to later, never to earlier than its people were told.
    pub closes_at: Option<Timestamp>,
    /// When a closed room is erased, at the earliest.
    pub erases_at: Option<Timestamp>,
    /// How it closed; nothing but recalls can be added from then on.
    pub departure: Option<Departure>,
    /// The newest entry.
    pub last_seq: Seq,
}

/// Where a room stands, for connections that may have missed a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The room.
    pub room: RoomId,
    /// Its newest entry.
    pub last_seq: Seq,
    /// By [`Side::index`].
    pub presence: [Presence; 2],
}

/// Who speaks for a side, as of a version. That a node counts as dead, and again as alive, changes the
/// speaker and not the version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// The connection; `None` when none is open, or its node is dead.
    pub speaker: Option<Address>,
    /// See [`RoomSide::version`].
    pub version: u64,
}

/// The entry that closed a room. Recalls may follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    /// Its place in the log.
    pub seq: Seq,
    /// When the room closed.
    pub at: Timestamp,
    /// Who left, or never came, or did not come back.
    pub side: Side,
    /// Why the room closed.
    pub reason: LeaveReason,
}

impl Departure {
    /// As an entry of the log.
    pub fn entry(&self) -> Entry {
        Entry {
            seq: self.seq,
            at: self.at,
            kind: EntryKind::Departure {
                side: self.side,
                reason: self.reason,
            },
        }
    }
}

impl Room {
    /// Messages may still be added.
    pub fn active(&self) -> bool {
        self.departure.is_none()
    }

    /// Two tabs of one browser.
    pub fn same_session(&self) -> bool {
        self.sides[0].session == self.sides[1].session
    }

    /// The person on that side.
    pub fn side(&self, side: Side) -> &RoomSide {
        &self.sides[side.index()]
    }

    /// The sides that belong to this session: none, one, or both for two tabs of one browser.
    pub fn sides_of(&self, session: SessionId) -> impl Iterator<Item = Side> + '_ {
        Side::BOTH
            .into_iter()
            .filter(move |side| self.side(*side).session == session)
    }
}
