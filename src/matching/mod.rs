//! Matching: which tickets are paired. The rules are pure ([`rule`]); a [`WaitingPool`] keeps those who wait.
//!
//! A backend is finished when the contract suite in `tests/it/contract/pool.rs` passes.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::id::{Address, RoomId, SessionId, TicketId, Timestamp};
use crate::domain::wish::{Phase, TAGS};
use crate::domain::{Gender, Mark, Marks, Pairing, Persona, PreferredGender, PrefixHashes, Wish};

pub mod budget;
mod dice;
pub mod memory;
pub mod redis;
pub mod rule;

pub use budget::Budget;
pub use dice::Randomness;

/// What a pool method answers with: boxed, because the pool is chosen at run time.
pub type PoolFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, PoolError>> + Send + 'a>>;

/// Why the pool could not do what it was asked. The cause is told in words: one error may answer many callers, and
/// a driver's types stay in its backend.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PoolError {
    /// It does not answer, or is closed. Repeating the same call is safe.
    #[error("the waiting pool does not answer: {0}")]
    Unavailable(Arc<str>),
    /// It holds as many tickets as it may.
    #[error("too many people are waiting already")]
    Full,
    /// This session has `limits.tickets_per_session` tickets waiting.
    #[error("this browser is waiting in too many windows already")]
    TooManyTickets,
}

/// One search of one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Names the search; the same over all phases.
    pub id: TicketId,
    /// The room to be, should this ticket be the one that finds the other. A fresh one after
    /// a pairing was given back: its room may exist after all, with other people in it.
    pub room: RoomId,
    /// The session that searches.
    pub session: SessionId,
    /// Who they will be. One (session, `user_id`) is in the pool once. When two sessions that claim the
    /// same `user_id` are paired, the one that arrived gets another ([`Pairing`] says which).
    pub persona: Persona,
    /// The gender, the interests and the languages that are looked for.
    pub wish: Wish,
    /// How far they relaxed. Without tags and languages `SharedTags` means `Anyone`.
    pub phase: Phase,
    /// Since when they wait: kept through phases and through a pairing that failed.
    pub since: Timestamp,
    /// Sessions never to meet, in either direction. At most `limits.blocks_per_session` each way.
    pub blocked: Vec<SessionId>,
    /// Sessions met lately, at most ten.
    pub recent: Vec<SessionId>,
    /// By what this caller would be known without the session.
    pub marks: Marks,
    /// Marks of callers never to meet, in either direction. At most 255.
    pub held: Vec<Mark>,
    /// From which networks, as keyed hashes: shares are counted by them. All zero: not known, and
    /// not counted.
    pub prefixes: PrefixHashes,
    /// Where to tell them.
    pub address: Address,
    /// Where the last search ended, should this one go on from there: as [`Entered::Waiting`] said. Only for the
    /// same phase and wish.
    pub resume: Option<Box<Resume>>,
}

/// Where a search through the waiting tickets ended because enough had been looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// With so many shared tags.
    tags: u8,
    /// Behind a ticket that waits since then, by the pool's clock.
    since: u64,
    /// And has this number.
    serial: u64,
}

impl Resume {
    /// The next search begins anew, for what was not looked at stands in no one line.
    fn from_the_first() -> Box<Self> {
        Box::new(Self {
            tags: u8::try_from(TAGS).expect("a few"),
            since: 0,
            serial: 0,
        })
    }
}

/// What became of [`WaitingPool::enter`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    /// Matched, by this call or by an earlier one of the partner: exactly this pairing. The caller that it
    /// names as side A must create the room, then tell side B; the pool tells no other caller.
    Paired {
        /// The two sides, and their room.
        pairing: Arc<Pairing>,
        /// As in [`Entered::Waiting`]; nothing when the pairing was made before.
        replaced: Option<(TicketId, Address)>,
    },
    /// Queued for a lease.
    Waiting {
        /// The other ticket that waited under the same (session, `user_id`) until this one replaced it,
        /// and the connection that is to be told.
        replaced: Option<(TicketId, Address)>,
        /// Not every ticket that might fit was looked at: to be handed in with the next `enter`, soon.
        resume: Option<Box<Resume>>,
    },
}

/// What became of [`WaitingPool::renew`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// Still queued, for another lease.
    Waiting,
    /// Matched in the meantime.
    Paired(Arc<Pairing>),
    /// Not known: expired, withdrawn or replaced. Enter again to go on.
    Gone,
}

/// How many tickets wait, by the gender of the person and the gender wished for: enough to say why no ticket fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// `[gender][preferred gender]`, by their `index()`.
    pub waiting: [[u32; 4]; 3],
}

impl Entered {
    /// The ticket this one took the name from, to be told.
    pub fn replaced(&self) -> Option<(TicketId, Address)> {
        match self {
            Self::Paired { replaced, .. } | Self::Waiting { replaced, .. } => *replaced,
        }
    }
}

impl PoolStats {
    /// All tickets that wait.
    pub fn total(&self) -> u64 {
        self.waiting.iter().flatten().copied().map(u64::from).sum()
    }

    /// The tickets that a person of this gender and wish could meet, as far as genders go.
    pub fn fitting(&self, gender: Gender, wish: PreferredGender) -> u64 {
        let waiting =
            |(g, w): (Gender, PreferredGender)| u64::from(self.waiting[g.index()][w.index()]);
        rule::classes(gender, wish).map(waiting).sum()
    }
}

/// Those who wait, over all nodes. Pairing happens on arrival, never by a scan.
///
/// Exactly once: a ticket is paired at most once; every call about it gets the same answer until
/// the outcome's lease ends. All methods are atomic towards each other. `now` is the caller's clock;
/// a pool of several nodes takes from it only how long a ticket waits already, and goes by one clock
/// of its own.
pub trait WaitingPool: Send + Sync {
    /// Looks for a partner by the rules of [`rule`]; queues the ticket when there is none.
    /// Entering again with a known `id` replaces the queued ticket (a later phase, a new wish) and
    /// keeps its place (the earlier `since` counts); an id whose outcome is still kept answers that
    /// outcome and keeps it for another lease. An error changes nothing.
    ///
    /// Sessions that this ticket itself rules out are left out before anything is counted. Of the
    /// others so many are looked at in one call; when there are more, [`Entered::Waiting`] says where
    /// to go on, so that in the end every ticket that waited before was looked at.
    ///
    /// A network meets other networks within its [`Budget`]. Of its tickets five at most are looked
    /// at by others, in turn; those beyond, and all while the budget is spent, only by its own people
    /// and by people who are [patient](rule::patient). With these it owes up to as much again. Two
    /// networks meet a fifth as often, and beyond that when both people are patient.
    fn enter(&self, ticket: Ticket, now: Timestamp) -> PoolFuture<'_, Entered>;

    /// Takes a ticket out. True: it was still waiting and is the caller's; no ticket will be
    /// paired with it. False: it was paired, or is not known. (Past its lease it may be either.)
    fn withdraw(&self, id: TicketId) -> PoolFuture<'_, bool>;

    /// Keeps a ticket (or the outcome it became) for another lease. Too late is `Gone`.
    fn renew(&self, id: TicketId, now: Timestamp) -> PoolFuture<'_, Renewed>;

    /// The room of this pairing could not be made, or `gone` could not be told of it: forgets the
    /// outcome and puts the tickets, except `gone`, back with their waiting time and with what the
    /// pairing cost their networks. They are not paired by this call, only by a later `enter`. A ticket whose (session, `user_id`) waits anew
    /// by now is dropped instead. Idempotent; nothing happens once the outcome's lease is over.
    fn give_back(&self, room: RoomId, gone: Option<TicketId>, now: Timestamp)
    -> PoolFuture<'_, ()>;

    /// Who waits now. Cheap, may lag by a second over nodes.
    fn stats(&self) -> PoolStats;

    /// Forgets a few of the tickets and outcomes whose lease is over; true: there may be more. Each other call does, too;
    /// this is for a pool that no call comes to, and asked now and then. Where they expire by themselves there is
    /// nothing to do.
    fn tidy(&self, _now: Timestamp) -> bool {
        false
    }

    /// Takes nothing more: `enter` fails from now on. All waiting tickets are forgotten, so to the
    /// other methods no ticket is known. Over nodes this ends this node's part alone: others keep
    /// theirs, and what this one did not withdraw expires.
    fn close(&self) -> PoolFuture<'_, ()>;
}

/// What the composition root takes from the configuration.
#[derive(Clone, Debug)]
pub struct PoolRules {
    /// Two tabs of one browser may meet when no other ticket fits (`matching.same_session`).
    pub same_session: bool,
    /// How long a ticket or an outcome is kept without being renewed (`matching.lease`).
    pub lease: Duration,
    /// Most tickets of one session (`limits.tickets_per_session`); 0: no limit.
    pub tickets_per_session: usize,
    /// Most tickets at all (`limits.connections` bounds them first).
    pub tickets: usize,
    /// How often one network meets others (`matching.prefix_pairings_per_minute`).
    pub budget: Budget,
    /// How long a search is open to anyone before it also meets tickets of networks that have spent their
    /// budget, or of which many wait; and how long a ticket stands in the front before it yields to others
    /// of the same network (`matching.tag_patience`).
    pub tag_patience: Duration,
    /// By what a partner is chosen among several.
    pub randomness: Randomness,
}
