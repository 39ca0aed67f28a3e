//! What happens in a room durably: messages, recalls and departures, each with its `seq`.

use serde::{Deserialize, Serialize};

use crate::id::{Seq, Side, Timestamp};

/// Longest message, in Unicode scalar values after trimming (wire contract, section 3).
pub const CONTENT_CHARS: usize = 2000;
/// Longest `client_id`, in characters.
pub const CLIENT_ID_CHARS: usize = 100;

/// One line of a room's log, as it stands now: a recalled message has no content any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place; also the message's id.
    pub seq: Seq,
    /// When the store took it.
    pub at: Timestamp,
    /// What happened.
    pub kind: EntryKind,
}

/// What an entry records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Somebody said something.
    Message {
        /// Who.
        side: Side,
        /// The sender's own name for it; the key of idempotency.
        client_id: String,
        /// The text; `None` once recalled.
        content: Option<String>,
        /// What it answers, resolved at reading.
        reply: Option<Quote>,
    },
    /// Somebody took a message of theirs back.
    Recall {
        /// Who.
        side: Side,
        /// Which message.
        target: Seq,
        /// The recalling client's name for this act, else the target's `client_id`.
        client_id: String,
    },
    /// Somebody left and the room closed; only recalls may follow.
    Departure {
        /// Who left, or never came, or did not come back.
        side: Side,
        /// Why.
        reason: LeaveReason,
    },
}

/// A reference to an earlier message with what it says now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The quoted message.
    pub seq: Seq,
    /// Who wrote it.
    pub side: Side,
    /// Its text; `None` when it was recalled.
    pub content: Option<String>,
}

/// Why a room closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// Asked to: next, leave or block (the partner cannot tell which).
    Left,
    /// Never came to the room.
    NoShow,
    /// Was away for longer than the grace.
    Timeout,
}

impl LeaveReason {
    /// The wire word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::NoShow => "no_show",
            Self::Timeout => "timeout",
        }
    }
}

/// How a client names a message: by its id, or by its own `client_id` before it knows the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageRef {
    /// The message with this seq.
    Seq(Seq),
    /// The asking side's own message with this `client_id`.
    ClientId(String),
}

impl MessageRef {
    /// A decimal number names a seq, everything else a `client_id`.
    pub fn parse(text: &str) -> Self {
        match text.parse::<u64>() {
            // The store counts in signed 64 bits; a larger number names nothing either way.
            Ok(n) if i64::try_from(n).is_ok() => Self::Seq(Seq(n)),
            _ => Self::ClientId(text.to_owned()),
        }
    }
}
