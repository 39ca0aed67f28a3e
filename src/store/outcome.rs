//! What becomes of what is asked of a room's log: done, or refused by a rule. That the store does not answer is an
//! error ([`super::StoreError`]).

use std::sync::Arc;

use crate::domain::id::Seq;
use crate::domain::{Entry, Reaction};

/// What became of a [`super::Draft`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// Committed, and already handed to the [`super::CommitSink`].
    Done(Arc<Entry>),
    /// The same side stored the same content under this `client_id` before: the entry as it stands
    /// now. Nothing was stored or published. A recalled one counts as the same content. A repeat is
    /// recognised before any other rule, also in a closed or full room: it asks what became of the
    /// first attempt.
    Repeat(Arc<Entry>),
    /// Nothing was stored.
    Refused(Refusal),
}

/// What became of a recall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recalled {
    /// Text erased and recall entry committed in one transaction, and handed to the sink.
    Done(Arc<Entry>),
    /// Nothing changed.
    Refused(Refusal),
}

/// What became of a delete-for-me.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// This side will not be sent this message again. Doing it twice answers the same.
    Done(Seq),
    /// Nothing changed.
    Refused(Refusal),
}

/// What became of a reaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reacted {
    /// Committed, and handed to the sink.
    Done(Arc<Entry>),
    /// This side's reaction to this message is so already, also in a closed or full room; nothing changed.
    Same(Seq, Option<Reaction>),
    /// Nothing changed.
    Refused(Refusal),
}

/// The rule that an action broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The room is closed, or was never there.
    RoomClosed,
    /// Its log has `limits.room_entries` entries already, or with this message its texts would be more
    /// than `limits.room_bytes`.
    RoomFull,
    /// The reference names no message of this room.
    NoSuchMessage,
    /// Only its sender may recall a message.
    NotYours,
    /// It was recalled before.
    AlreadyRecalled,
    /// This `client_id` already names a message with other content.
    ClientIdReused,
    /// This side's reactions to this message have taken [`crate::domain::REACTION_ENTRIES`] entries but for one,
    /// which is left to take the last of them back.
    TooManyReactions,
}
