//! The store: the truth about rooms, their entries and the blocks between sessions.
//!
//! [`Store`] is the sum of five small traits. A backend is finished when the contract suite in
//! `tests/it/contract/store.rs` passes. Driver types never leave a backend.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::id::{Address, RoomId, Seq, SessionId, Side, StoreId, Timestamp};
use crate::domain::{Entry, LeaveReason, Mark, MessageRef, Pairing, Position, Room};

mod calls;
pub mod capacity;
mod fresh_sessions;
mod hearing;
mod leave_rooms;
mod outcome;
mod page;
mod pending;
mod pending_writes;
pub mod postgres;
mod rules;
pub mod safety;
pub mod sqlite;
pub mod sweeper;

pub use calls::{CallTurn, Calls};
pub use hearing::{Hearing, ReactionDraft};
pub use leave_rooms::leave_rooms;
pub use outcome::{Appended, Hidden, Reacted, Recalled, Refusal};
pub use page::{Page, PageLimit};
pub use pending::Pending;
pub use rules::StoreRules;

/// Why the store could not do what it was asked. Absence is `Option`, a broken rule an outcome enum. The cause is
/// told in words: one error may answer many callers, and a driver's types stay in its backend.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The same id already names something else.
    #[error("the store already holds something else under this id")]
    Conflict,
    /// No answer in time, a full disk, a full queue, or shutting down. The request may or may not
    /// have taken effect; repeating it is safe.
    #[error("the store does not answer: {0}")]
    Unavailable(Arc<str>),
    /// The data is not what this program wrote; repeating it will not help.
    #[error("the store's data is damaged: {0}")]
    Corrupt(Arc<str>),
}

/// What an acknowledged message survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A power cut.
    #[default]
    Power,
    /// A crash of the process, not of the machine.
    Process,
}

/// A message that wants a place in a room's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The room whose log it is for.
    pub room: RoomId,
    /// The side that says it.
    pub side: Side,
    /// The sender's own name for it; (room, side, client_id) is stored at most once.
    pub client_id: String,
    /// 1 to 2,000 characters, trimmed.
    pub content: String,
    /// What it answers. Naming nothing counts as no reply.
    pub reply_to: Option<MessageRef>,
    /// The other side is never told of it, nor of its recall, and cannot name it: to them there is no such message.
    pub unheard: bool,
}

/// An entry on its way to the people of its room.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Who is in the room: names and avatars for the frame. Immutable parts only.
    pub people: Arc<RoomPeople>,
    /// What happened.
    pub entry: Arc<Entry>,
    /// A side that can be called and seems to be away is to be called because of it, should
    /// [`Calls::take_call`] say so.
    pub calls: bool,
    /// What the other side than its author's is told of it.
    pub hearing: Hearing,
}

/// The part of a room that never changes, shared by everything about it.
#[derive(Debug, PartialEq, Eq)]
pub struct RoomPeople {
    /// The room.
    pub room: RoomId,
    /// By [`Side::index`].
    pub personas: [crate::domain::Persona; 2],
}

impl RoomPeople {
    /// Those of this room.
    pub fn of(room: &Room) -> Arc<Self> {
        Arc::new(Self {
            room: room.id,
            personas: Side::BOTH.map(|side| room.side(side).persona.clone()),
        })
    }
}

/// Takes what was committed, on the store's own completion path: after COMMIT, before the asker is
/// answered, each room in `seq` order. Must be quick and must not block: the writer waits for it.
pub trait CommitSink: Send + Sync + 'static {
    /// Publishes one batch.
    fn committed(&self, batch: &[Committed]);

    /// Something of people's safety was decided or set, and is committed: a sanction, a notice, a setting. It may be
    /// said where nothing was. Nothing depends on its being heard.
    fn decided(&self) {}

    /// Tells a room's people that it closes by itself at `closes_at`: committed, and told once. Nothing
    /// depends on its being heard.
    fn closing(&self, room: RoomId, closes_at: Timestamp);
}

/// Which side a connection claims when it comes to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SideClaim {
    /// This one.
    Side(Side),
    /// This one, unless another connection speaks for it: then nothing changes. For connections that
    /// were there before: coming back they replace no other connection.
    IfFree(Side),
    /// Of the sides of this session (both, for two tabs of one browser) the first that no connection
    /// speaks for, else the first.
    FreeSideOf(SessionId),
}

/// A connection that came to a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The room after the change.
    pub room: Room,
    /// The side that the connection has.
    pub side: Side,
    /// Who is in the room, shared with all that hold it in memory.
    pub people: Arc<RoomPeople>,
}

/// Rooms: who is in them and who is there now.
///
/// Calls about one room take effect in the order of the calls, also when an earlier one was not
/// answered in time: a departure undoes every arrival of its connection that was called before it.
pub trait Rooms: Send + Sync {
    /// Makes the room of a pairing. Idempotent: making it again answers `Ok` and changes nothing;
    /// [`StoreError::Conflict`] when the id names a room of other people, or one that has closed:
    /// no client may be told of it as if it were new.
    fn create_room(&self, pairing: &Pairing) -> Pending<()>;

    /// One room, open or closed, as of every earlier call of this process; `None` when unknown or erased.
    fn room(&self, room: RoomId) -> Pending<Option<Room>>;

    /// The open rooms that this session has a side in, newest first, at most 32.
    fn open_rooms(&self, session: SessionId) -> Pending<Vec<Room>>;

    /// A connection speaks for this side from now on: unless `place` says otherwise it takes over from
    /// an earlier one, the side counts as joined, is away no more, and has a new version. Choosing the side and taking it is
    /// one step. `None` when the room is unknown, or the session has no side in it. A closed room is
    /// answered unchanged.
    fn arrive(
        &self,
        room: RoomId,
        place: SideClaim,
        connection: Address,
    ) -> Pending<Option<Arrival>>;

    /// That connection is no more. When it was the one that spoke for the side, the side is away from
    /// now on; answers its new version. `None` when another took over before (then only the read state
    /// is kept).
    fn depart(
        &self,
        room: RoomId,
        side: Side,
        connection: Address,
        read_state: ReadState,
    ) -> Pending<Option<u64>>;

    /// Where each of these rooms stands; unknown ones are left out.
    fn positions(&self, rooms: Vec<RoomId>) -> Pending<Vec<Position>>;

    /// Keeps the read state of a side, lazily: lost by a crash, never going backwards. Returns at once.
    fn save_read_state(&self, room: RoomId, side: Side, read_state: ReadState);

    /// Closes the room for good because of `side`. True for exactly one caller; its departure entry
    /// was committed and handed to the sink. False when it was closed or unknown.
    fn close_room(&self, room: RoomId, side: Side, reason: LeaveReason) -> Pending<bool>;

    /// Open rooms of two people, over all nodes, now.
    fn count_open_rooms(&self) -> u64;
}

/// How far one side got: what it was sent and what it has read. Zero leaves what is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadState {
    /// The last entry sent to it.
    pub cursor: Seq,
    /// The last entry it says it has read.
    pub read: Seq,
}

/// Entries: the append-only log of each room.
pub trait Entries: Send + Sync {
    /// Puts a message at the end of its room's log.
    ///
    /// The call itself takes the place in the order, not the first poll: two appends called one
    /// after the other are committed in that order, or the earlier one fails. Dropping the future
    /// does not take the message back. The queue is bounded; a full one answers `Unavailable` at once.
    fn append(&self, draft: Draft) -> Pending<Appended>;

    /// Takes back a message of this side: erases its text and every quote of it, and appends a
    /// recall entry. Ordered like [`Entries::append`]. Allowed in a closed room.
    /// `client_id` is what the recall entry carries; `None`: the target's own.
    fn recall(
        &self,
        room: RoomId,
        side: Side,
        target: MessageRef,
        client_id: Option<String>,
    ) -> Pending<Recalled>;

    /// Hides a message (either side's) from this side's replays; the partner learns nothing.
    /// Ordered like [`Entries::append`]. Allowed in a closed room.
    fn hide(&self, room: RoomId, side: Side, target: MessageRef) -> Pending<Hidden>;

    /// Reacts to a message (either side's), or takes that back with `None`. A side has one reaction to a message:
    /// the transaction that appends the entry also erases what the side's entry before says, and a recall of the
    /// message erases all of them, so that replays tell of what holds alone. Ordered like [`Entries::append`]. In a
    /// full room, and at [`StoreRules::max_size`], only taking back works; in a closed one neither does. Replays
    /// leave out reactions to messages that the side has hidden. Of one that is not heard the other side is told
    /// no more than that the one before is gone, if it was heard; what was never heard is taken back unheard.
    fn react(&self, draft: ReactionDraft) -> Pending<Reacted>;

    /// The entries after `after`, until one more would exceed `limit` in number or in bytes; `None` when the room is
    /// unknown or erased. Where there is an entry, at least one is passed, so going on from [`Page::upto`] comes to
    /// the end. A backend holds no more of the log than about one page.
    fn page(&self, room: RoomId, side: Side, after: Seq, limit: PageLimit)
    -> Pending<Option<Page>>;
}

/// Which sessions must not, and which rather should not, meet each other.
pub trait Relations: Send + Sync {
    /// These two sessions do not meet again, because of what happened in this room. When the blocked one
    /// has said something there (recalled or not), that lasts for as long as the one who blocked comes
    /// back; else, and when the room is not known, for [`BRIEF_BLOCK`]: a client that blocks people who
    /// have done nothing must not be able to make them unfindable. For so long the marks that the blocked
    /// one has in the room ([`Party::marks`](crate::domain::Party)) are held against others as well. A
    /// session keeps its newest `limits.blocks_per_session` of both, and all of them together the newest
    /// four million blocks. A block that lasts is never
    /// shortened. Blocking oneself changes nothing. Each room is a block of its own, also where two had the
    /// same other person in them: a list of blocks must not tell that.
    fn block(&self, by: SessionId, whom: SessionId, room: RoomId) -> Pending<()>;

    /// The blocks that this session made and that still hold, newest first, as of every earlier
    /// [`Relations::block`] and [`Relations::lift`] of this process that names it.
    fn blocks(&self, by: SessionId) -> Pending<Vec<Block>>;

    /// Takes back what this session blocked in this room, with the marks that it holds because of it: the
    /// next [`Relations::relations`] of either session, on any node, leaves it out unless another block
    /// stands between the two. Doing it twice is the same, and so is lifting what never was.
    fn lift(&self, by: SessionId, room: RoomId) -> Pending<()>;

    /// Erases the blocks that this session made and the marks that it holds, so that nothing of it stays
    /// but rooms, which have an end of their own. What others hold against it is theirs, and stays. Doing
    /// it twice is the same.
    fn forget(&self, session: SessionId) -> Pending<()>;

    /// This process made the session just now: nothing that is stored names it. A store that sees whatever
    /// will name it may answer its relations without looking until then, even if it could not look.
    fn note_fresh_session(&self, _session: SessionId) {}

    /// What matching must know about a session, as of every earlier [`Relations::block`] and
    /// [`Rooms::create_room`] of this process that names it. Renews the life of its blocks.
    fn relations(&self, session: SessionId) -> Pending<RelationsOf>;
}

/// A block, as the session that made it may know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where it was made; the room itself may be erased.
    pub room: RoomId,
    /// When it was made.
    pub since: Timestamp,
}

/// How long a block lasts when the blocked side has said nothing, and how long marks are held.
pub const BRIEF_BLOCK: Duration = Duration::from_secs(24 * 3600);
/// Most marks that a search holds against others.
pub const HELD: usize = 64;

/// A session's blocks and recent partners, and whether it is in a room now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RelationsOf {
    /// Sessions that it blocked or that blocked it; of the latter the newest
    /// `limits.blocks_per_session`, for who blocked brings the block along as well.
    pub blocked: Vec<SessionId>,
    /// What it holds against others for now: the newest [`HELD`] marks, in no order.
    pub held: Vec<Mark>,
    /// The last ten partners of rooms not yet erased, newest first, without itself.
    pub recent: Vec<SessionId>,
    /// It has a side in an open room: which ones, [`Rooms::open_rooms`] tells.
    pub in_room: bool,
}

/// What the sweeper did in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rooms closed because a side did not come or did not come back, or because their time was up.
    pub closed: usize,
    /// Closed rooms erased.
    pub erased: usize,
    /// More is due already: call again soon.
    pub more: bool,
}

/// Time's work on the data, and the store's own life.
pub trait Upkeep: Send + Sync {
    /// One small step, by the store's clock: closes open rooms whose `chat.arrival` or
    /// `chat.reconnect_grace` passed (publishing their departures), tells the people of rooms that are
    /// near the end of `chat.longest` ([`CommitSink::closing`]) and closes those that were told
    /// [`StoreRules::notice`] ago or longer, erases rooms closed longer than
    /// `store.retention` ago, blocks unused for `session.lifetime`, and what is held no longer. When both
    /// sides are late,
    /// the departure names the one gone for longest; who never came has been gone since they could
    /// have come: since the room was made, or since the present incarnation.
    fn sweep(&self) -> Pending<Swept>;

    /// Whether a write would be taken now; the reason when not.
    fn ready(&self) -> Pending<()>;

    /// Bytes on the disk that this data needs now, including what is written but not yet in its place.
    /// Space that was given free inside its files and will be used again does not count. While the
    /// last answer was [`StoreRules::max_size`] or more, new messages are answered `Unavailable`;
    /// repeats, recalls, departures and everything else are done.
    fn size(&self) -> Pending<u64>;

    /// Resolves when the threads that this process runs for the store have taken a request and
    /// answered it, whatever the answer: a full disk or a server that is away is no matter, since a
    /// restart would not mend it. Not before that, so the caller bounds the wait. Backends without a
    /// thread of their own answer at once: a runtime that asks runs their tasks as well.
    fn alive(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }

    /// Names this data: random, made once, kept with it.
    fn identity(&self) -> Pending<StoreId>;

    /// The key that signs cookies and tokens, generated once and kept with the data.
    fn session_key(&self) -> Pending<[u8; 32]>;

    /// The key by which push services know this site: `fresh` when there is none yet, which is kept with the data.
    fn push_key(&self, fresh: Vec<u8>) -> Pending<Vec<u8>>;

    /// Takes nothing more, finishes what was taken, leaves the data at rest. Idempotent.
    fn close(&self) -> Pending<()>;
}

/// Everything above: what the composition root holds as `Arc<dyn Store>`.
pub trait Store: Rooms + Entries + Relations + Calls + Upkeep {}

impl<T: Rooms + Entries + Relations + Calls + Upkeep> Store for T {}

/// What a message is told that the size of the data leaves no room for.
fn at_max_size() -> StoreError {
    StoreError::Unavailable("the data has the size that store.max_size allows".into())
}

/// Blocks that are kept altogether, by all sessions: about 600 MB. Each needs a room of its own, so so
/// many in a month is a storm; then the oldest are forgotten first.
const BLOCKS: i64 = 4_000_000;

/// A moment by the store's clock; backends read it through this so that tests can move it.
pub type SharedClock = Arc<dyn crate::clock::Clock>;
