//! What travels to a write shard: one thing to do to a room, with the caller who waits for its result; and
//! what it came to.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use super::error::BackendError;
use crate::domain::id::{Address, RoomId, SessionId, Side, Timestamp};
use crate::domain::{Entry, LeaveReason, MessageRef};
use crate::store::{
    Appended, Arrival, Draft, Hearing, Hidden, Reacted, ReactionDraft, ReadState, Recalled,
    RoomPeople, SideClaim, StoreError,
};

/// What the place of an answer takes.
const ANSWER: usize = 256;

/// One thing to do to a room.
#[derive(Clone, Debug)]
pub(super) enum WriteOp {
    Open(Box<NewRoom>),
    Append(Draft),
    Recall {
        room: RoomId,
        side: Side,
        target: MessageRef,
        client_id: Option<String>,
    },
    Hide {
        room: RoomId,
        side: Side,
        target: MessageRef,
    },
    React(ReactionDraft),
    Arrive {
        room: RoomId,
        place: SideClaim,
        connection: Address,
    },
    Depart {
        room: RoomId,
        side: Side,
        connection: Address,
        read_state: ReadState,
    },
    SaveReadState {
        room: RoomId,
        side: Side,
        read_state: ReadState,
    },
    /// Notes whether a side can be called.
    Subscribe {
        room: RoomId,
        side: Side,
        callable: bool,
    },
    Close {
        room: RoomId,
        side: Side,
        reason: LeaveReason,
    },
    /// Closes the room if an absence in it has lasted too long or its time is up.
    Expire {
        room: RoomId,
    },
    /// Does nothing: answered when everything before it was done.
    Barrier {
        room: RoomId,
    },
}

/// A room that is to be made, as its row has it.
#[derive(Clone, Debug)]
pub(super) struct NewRoom {
    pub(super) room: RoomId,
    /// JSON: both personas.
    pub(super) people: Vec<u8>,
    /// JSON: words.
    pub(super) common_tags: Vec<u8>,
    pub(super) sessions: [SessionId; 2],
    pub(super) is_bot: bool,
}

impl WriteOp {
    /// The room that it is about.
    pub(super) fn room(&self) -> RoomId {
        match self {
            Self::Open(new) => new.room,
            Self::Append(draft) => draft.room,
            Self::React(draft) => draft.room,
            Self::Recall { room, .. }
            | Self::Hide { room, .. }
            | Self::Arrive { room, .. }
            | Self::Depart { room, .. }
            | Self::SaveReadState { room, .. }
            | Self::Subscribe { room, .. }
            | Self::Close { room, .. }
            | Self::Expire { room }
            | Self::Barrier { room } => *room,
        }
    }

    /// Whether it needs to know more of its room than how far its log goes.
    pub(super) fn is_about_presence(&self) -> bool {
        matches!(
            self,
            Self::Open(_)
                | Self::Arrive { .. }
                | Self::Depart { .. }
                | Self::Subscribe { .. }
                | Self::Close { .. }
                | Self::Expire { .. }
        )
    }

    /// Whether it may change how many rooms are open.
    pub(super) fn changes_count(&self) -> bool {
        matches!(
            self,
            Self::Open(_) | Self::Close { .. } | Self::Expire { .. }
        )
    }

    /// What it takes in memory, in bytes, with the place of its answer.
    pub(super) fn bytes(&self) -> usize {
        let reference = |target: &MessageRef| match target {
            MessageRef::Seq(_) => 0,
            MessageRef::ClientId(name) => name.len(),
        };
        let texts = match self {
            Self::Open(new) => size_of::<NewRoom>() + new.people.len() + new.common_tags.len(),
            Self::Append(draft) => {
                let reply = draft.reply_to.as_ref().map_or(0, reference);
                draft.client_id.len() + draft.content.len() + reply
            }
            Self::Recall {
                target, client_id, ..
            } => reference(target) + client_id.as_ref().map_or(0, String::len),
            Self::Hide { target, .. } => reference(target),
            Self::React(draft) => reference(&draft.target),
            _ => 0,
        };
        size_of::<Job>() + ANSWER + texts
    }

    /// What it came to when all that is known is the entry that it made.
    pub(super) fn found(&self, entry: Arc<Entry>) -> Outcome {
        match self {
            Self::Append(_) => Outcome::Appended(Appended::Done(entry)),
            Self::Recall { .. } => Outcome::Recalled(Recalled::Done(entry)),
            Self::React(_) => Outcome::Reacted(Reacted::Done(entry)),
            _ => Outcome::Closed(true),
        }
    }
}

/// What an op came to.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// The room is there as it was asked for.
    Opened,
    /// A room of that id is there that is another one, or closed.
    Conflict,
    Appended(Appended),
    Recalled(Recalled),
    Hidden(Hidden),
    Reacted(Reacted),
    Arrived(Option<Box<Arrival>>),
    Departed(Option<u64>),
    Closed(bool),
    Subscribed(bool),
    /// Marks and barriers: nothing to be told.
    Done,
    /// The data has the size that `store.max_size` allows.
    MaxSize,
}

/// What one op came to, and what follows from it once it is committed.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) outcome: Outcome,
    /// The entry that it made.
    pub(super) made: Option<Arc<Entry>>,
    /// The room's number, and the people that the entry is told.
    pub(super) people: Option<(i64, Arc<RoomPeople>)>,
    /// What the other side is told of the entry.
    pub(super) hearing: Hearing,
    /// A side may be called because of the entry.
    pub(super) calls: bool,
    /// When the room closes by itself, if its people are to be told that now.
    pub(super) closes_at: Option<Timestamp>,
    /// By how much this changed the number of open rooms of two people.
    pub(super) opened: i64,
}

impl From<Outcome> for Done {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            made: None,
            people: None,
            hearing: Hearing::Whole,
            calls: false,
            closes_at: None,
            opened: 0,
        }
    }
}

/// Tells the caller.
type Reply = Box<dyn FnOnce(Result<Outcome, StoreError>) + Send + Sync>;

/// An op with the caller who waits for its result.
pub(super) struct Job {
    pub(super) op: WriteOp,
    /// After this it is not waited for any more, and not begun.
    pub(super) deadline: Instant,
    /// Its part of what may wait, until it is done.
    pub(super) held: Option<OwnedSemaphorePermit>,
    reply: Option<Reply>,
}

impl Job {
    /// Packs an op together with the place where its answer will arrive.
    pub(super) fn new<T: Send + 'static>(
        op: WriteOp,
        deadline: Instant,
        read: impl FnOnce(Outcome) -> Result<T, BackendError> + Send + Sync + 'static,
    ) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (sender, answer) = oneshot::channel();
        let reply: Reply = Box::new(move |outcome| {
            let result =
                outcome.and_then(|outcome| read(outcome).map_err(|error| error.to_store_error()));
            // The caller may have given up: what was committed stays committed.
            drop(sender.send(result));
        });
        let job = Self {
            op,
            deadline,
            held: None,
            reply: Some(reply),
        };
        (job, answer)
    }

    /// An op that is not waited for.
    pub(super) fn quiet(op: WriteOp, deadline: Instant) -> Self {
        Self {
            op,
            deadline,
            held: None,
            reply: None,
        }
    }

    /// Tells the caller, once.
    pub(super) fn answer(self, outcome: Result<Outcome, StoreError>) {
        if let Some(reply) = self.reply {
            reply(outcome);
        }
    }
}
