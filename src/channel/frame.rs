//! What travels between connections. Durable entries carry their encodings; the rest are signals
//! that each connection turns into what its own client is to be told.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::id::{Address, Seq, SessionId, Side, TicketId, Timestamp};
use crate::domain::{EntryKind, Pairing, Position};
use crate::protocol::CloseReason;
use crate::protocol::server::EntryTexts;

/// One frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Frame {
    /// An entry was committed.
    Entry {
        /// Its place in the room's log.
        seq: Seq,
        /// Who caused it.
        by: Side,
        /// What it means to connections besides its text.
        role: EntryRole,
        /// What to write, by side.
        texts: EntryTexts,
    },
    /// A connection speaks for this side from now on.
    Opened {
        /// The side.
        side: Side,
        /// The connection.
        connection: Address,
        /// The side's version since.
        version: u64,
    },
    /// A connection of this side is no more.
    Closed {
        /// The side.
        side: Side,
        /// The connection.
        connection: Address,
        /// No other connection speaks for the side, which is away since this version of it; or, when
        /// the store did not answer, since some later one than this, with which it had arrived.
        away: Option<u64>,
    },
    /// The two provisional connections of one session exchange their sides.
    Swapped {
        /// Whose sides.
        session: SessionId,
        /// Who caused it and has swapped already.
        by: Address,
        /// The side it has now: a connection that only guessed to be on that side is on the other.
        to: Side,
    },
    /// A side started or stopped typing.
    Typing {
        /// The side that types.
        side: Side,
        /// True when it started.
        is_typing: bool,
    },
    /// A side has read up to an entry.
    Read {
        /// The side that has read.
        side: Side,
        /// The last entry that it has read.
        seq: Seq,
    },
    /// Whether a side can be called from now on: it is waited for longer while it is away.
    Callable {
        /// The side.
        side: Side,
        /// It can.
        on: bool,
    },
    /// The room closes by itself then, from the store.
    Closing {
        /// When, by the store's clock.
        at: Timestamp,
    },
    /// To a waiting connection: its ticket was paired, as another node says. The store is asked before that is
    /// taken as true.
    MatchedElsewhere(Arc<Pairing>),
    /// To a waiting connection: another one searches under its name now.
    TicketReplaced(TicketId),
    /// To a waiting connection: its ticket was paired, but the room could not be made; it waits on.
    Released,
    /// A side is about to leave, or stays after all. Clients of the original are not told of it.
    Leaving {
        /// The side.
        side: Side,
        /// True when it is about to.
        is_leaving: bool,
    },
    /// Where the room stands, from the store: a connection that knows less has missed entries. Each node reads
    /// it for itself, so it does not travel between nodes.
    #[serde(skip)]
    Position(Position),
    /// To a waiting connection: its ticket was paired and the room is made. From this process, which
    /// made the room or looked at it.
    #[serde(skip)]
    Matched(Arc<Pairing>),
    /// The connection ends, and its client is told why. Each node says it to its own.
    #[serde(skip)]
    Close(CloseReason),
}

/// What an entry means to connections besides its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryRole {
    /// A message or a recall: the typing of the side that caused it has ended.
    Word,
    /// A reaction. Clients of the original are not told of it.
    Reaction,
    /// The departure that closes the room.
    End,
}

impl EntryRole {
    /// That of this entry.
    pub fn of(kind: &EntryKind) -> Self {
        match kind {
            EntryKind::Message { .. } | EntryKind::Recall { .. } => Self::Word,
            EntryKind::Reaction { .. } => Self::Reaction,
            EntryKind::Departure { .. } => Self::End,
        }
    }
}

impl Frame {
    /// Bytes of text that it holds; frames without one are all small.
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Entry { texts, .. } => texts.bytes(),
            _ => 0,
        }
    }
}
