//! What the chat machine is given, asks for, and is answered.

use std::sync::Arc;
use std::time::Duration;

use crate::channel::Frame;
use crate::domain::id::{Address, Seq, SessionId, Side, Timestamp};
use crate::domain::safety::{NoticeId, ReportId};
use crate::domain::{MessageRef, Presence, Room, Subscription};
use crate::protocol::NoticeView;
use crate::protocol::client::ReportRequest;
use crate::safety::NotReported;
use crate::store::{
    Appended, Draft, Hidden, Page, Reacted, ReactionDraft, ReadState, Recalled, RoomPeople,
    StoreError,
};

/// What a machine needs to know about how this server is set up.
#[derive(Clone, Debug)]
pub struct ChatRules {
    /// How long a side may be away: `chat.reconnect_grace`.
    pub reconnect_grace: Duration,
    /// How long at least a side may be away that can be called: `matching.call_for`.
    pub call_for: Duration,
    /// After how long an absence is told: `chat.presence_settle`.
    pub presence_settle: Duration,
    /// How long before a room closes by itself its people are told: `StoreRules::notice`.
    pub closing_notice: Duration,
}

/// How a connection came to its room.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The room after this connection arrived.
    pub room: Room,
    /// Who is in it.
    pub people: Arc<RoomPeople>,
    /// Its side.
    pub side: Side,
    /// This connection.
    pub connection: Address,
    /// The side was guessed among two of one session: the first `user_id` may correct it.
    pub provisional: bool,
    /// Where to go on; `None` for clients of the original: from what this side was last sent.
    pub after: Option<KnownEntry>,
    /// The client takes many entries of the log in one frame.
    pub together: bool,
}

/// The newest entry that a client has, by its own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownEntry {
    /// Its place.
    pub seq: Seq,
    /// When it was sent, if the client says so: another entry of this place has another time.
    pub sent_at: Option<Timestamp>,
}

impl From<Seq> for KnownEntry {
    fn from(seq: Seq) -> Self {
        let sent_at = None;
        Self { seq, sent_at }
    }
}

/// Work for [`crate::chat::effects`].
#[derive(Debug)]
pub enum ChatJob {
    /// Append a message.
    Append(Draft),
    /// Recall one.
    Recall {
        /// The message that is meant.
        target: MessageRef,
        /// Carried by the entry and the answer.
        client_id: Option<String>,
        /// The side that asks.
        side: Side,
    },
    /// Hide one.
    Hide {
        /// The message that is meant.
        target: MessageRef,
        /// The side that does not see it any more.
        side: Side,
    },
    /// React to one.
    React(ReactionDraft),
    /// Leave for good; with `block`, never meet that session again.
    Leave {
        /// Who leaves.
        side: Side,
        /// The two sessions of a block: the one that blocks, the one that is blocked.
        block: Option<(SessionId, SessionId)>,
    },
    /// Report the other side.
    Report {
        /// The side that reports.
        side: Side,
        /// Whose it is.
        session: SessionId,
        /// What it says.
        request: Box<ReportRequest>,
    },
    /// Speak for this side from now on.
    Arrive {
        /// The side.
        side: Side,
        /// Not for this one, as by mistake until now. Without it, only if no other connection has it.
        instead_of: Option<Side>,
    },
    /// Tell the room something passing.
    Publish(Frame),
    /// Remember how far this side got.
    SaveReadState {
        /// The side that asks.
        side: Side,
        /// How far.
        read_state: ReadState,
    },
    /// Read the log after this place.
    Page {
        /// Whose view.
        side: Side,
        /// After which entry.
        after: Seq,
        /// What the people's names add to each entry: [`crate::protocol::size::names`].
        names: usize,
        /// Also the room itself: signals may have been lost.
        with_room: bool,
        /// For the metrics.
        cause: &'static str,
    },
    /// Keep how this side is called when it is away; `None`: not at all.
    Subscribe {
        /// The side that asks.
        side: Side,
        /// How.
        subscription: Option<Box<Subscription>>,
    },
    /// Look what this session is to be told of decisions and by the site.
    Notices(SessionId),
    /// This session's person has read it.
    Acknowledge(SessionId, NoticeId),
    /// The connection is over.
    Depart {
        /// The side that asks.
        side: Side,
        /// The side's version when it arrived.
        version: u64,
        /// How far it got.
        read_state: ReadState,
    },
}

/// What became of a [`ChatJob`].
#[derive(Debug)]
pub enum ChatOutcome {
    /// Of an append, with its `client_id`.
    Appended(String, Result<Appended, StoreError>),
    /// Of a recall, with the client's name for it.
    Recalled(Option<String>, Result<Recalled, StoreError>),
    /// Of hiding.
    Hidden(Result<Hidden, StoreError>),
    /// Of a reaction by this side, with the client's name for the message.
    Reacted(Side, MessageRef, Result<Reacted, StoreError>),
    /// These two sessions never meet again, and the room is closed.
    Blocked,
    /// Of a report by this side, and whether it blocks as well.
    Reported(Side, Result<ReportId, NotReported>, bool),
    /// Who speaks for the side after this connection arrived in an open room.
    Arrived(Side, Presence),
    /// This connection could not be written down as the one that speaks for its side; instead of
    /// which, as asked.
    NotArrived(Option<Side>),
    /// Whether this side is called from now on.
    Subscribed(bool),
    /// Of leaving: whether this closed the room.
    Left(Result<bool, StoreError>),
    /// Of a page, and the room when asked for.
    Paged(Result<Option<Page>, StoreError>, Option<Box<Room>>),
    /// What is to be told of decisions and by the site.
    Notices(Vec<NoticeView<'static>>),
    /// Nothing to tell.
    Done,
}
