//! What the lobby machine is given, asks for, and is answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::id::{RoomId, Side, TicketId};
use crate::domain::reserved_names::StaffNames;
use crate::domain::safety::NoticeId;
use crate::domain::topics::SiteTopics;
use crate::domain::{Pairing, Subscription, UserId};
use crate::lobby::figures::Company;
use crate::matching::{Entered, PoolError, Renewed, Ticket};
use crate::protocol::{ErrorCode, NoticeView};
use crate::push::recipient::PushHosts;
use crate::store::RelationsOf;

/// What a machine needs to know about how this server is set up.
#[derive(Clone, Debug)]
pub struct LobbyRules {
    /// How long only a shared tag will do: `matching.tag_patience`.
    pub tag_patience: Duration,
    /// After how long a former partner will do: `matching.repeat_patience`.
    pub repeat_patience: Duration,
    /// Which push services may call a person whose page is closed; `None`: people are not called.
    pub push_hosts: Option<Arc<PushHosts>>,
    /// How long a search goes on whose page was closed: `matching.call_for`.
    pub call_for: Duration,
    /// Names that no client may have.
    pub staff: Arc<StaffNames>,
    /// Topics of the site's own.
    pub topics: Arc<SiteTopics>,
}

/// Work for [`crate::lobby::effects`].
#[derive(Debug)]
pub enum LobbyJob {
    /// Count the search, look for a room the user is still in, read relations.
    Prepare {
        /// The `user_id` that the client gives, if it gives one.
        user_id: Option<UserId>,
        /// Not the first look: the search is counted already.
        again: bool,
        /// The warning that this search confirms.
        confirms: Option<NoticeId>,
    },
    /// Look for a partner, or queue.
    Enter(Box<Ticket>),
    /// Keep waiting.
    Renew(Box<Ticket>),
    /// Stop waiting.
    Withdraw(TicketId),
    /// Make the room of a pairing, and tell the other side.
    Create {
        /// Who meets.
        pairing: Arc<Pairing>,
        /// Who makes the room; usually A.
        by: Side,
    },
    /// Look whether the room of a pairing that another node tells of is there and this session's.
    Confirm(Arc<Pairing>),
    /// The connection is over while its ticket waits.
    Abandon(TicketId),
    /// A search that was asked for then ends because its client wants that: hasty ones are counted.
    Regret {
        /// When it was asked for.
        began: Instant,
        /// Its ticket, when it may wait still.
        abandon: Option<TicketId>,
    },
    /// This side was found a partner and has perhaps no page that shows it: call it, unless it came.
    Call {
        /// The room.
        room: RoomId,
        /// Who is called.
        side: Side,
        /// How.
        subscription: Box<Subscription>,
    },
    /// Look what this browser is to be told of decisions and by the site.
    Notices,
    /// This browser's person has read it.
    Acknowledge(NoticeId),
    /// The pairing could not be told to this side.
    Untold {
        /// The room.
        room: RoomId,
        /// Who does not know.
        side: Side,
    },
}

/// Why a search cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPairs {
    /// The site holds as much as it may; when to search again.
    SiteFull(Duration),
    /// The site is being worked on; when to search again.
    Maintenance(Duration),
    /// The browser, or its network, may not come; for how long, if that has an end.
    Banned(Option<Duration>),
}

impl NoPairs {
    /// What the client is told.
    pub fn code(self) -> ErrorCode {
        match self {
            Self::SiteFull(_) => ErrorCode::SiteFull,
            Self::Maintenance(_) => ErrorCode::Maintenance,
            Self::Banned(_) => ErrorCode::Banned,
        }
    }

    /// When to search again, if ever.
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::SiteFull(wait) | Self::Maintenance(wait) => Some(wait),
            Self::Banned(left) => left,
        }
    }
}

/// What [`LobbyJob::Prepare`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// It may search, in view of these relations.
    Ready(RelationsOf),
    /// The user is in this room with a live connection.
    InRoom(RoomId),
    /// Too many searches; how long to wait.
    Limited(Duration),
    /// The store does not answer.
    Unavailable,
    /// No new pairs are made for now, or none with this one.
    NoPairs(NoPairs),
    /// A warning waits to be confirmed.
    NoticePending(NoticeId),
}

/// What [`LobbyJob::Create`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// The room is there and the other side is told.
    Done,
    /// The other side is gone; our ticket is back in the pool.
    PartnerGone,
    /// The room could not be made; both tickets are back in the pool.
    Failed,
    /// No new room is made for now; the other ticket is back in the pool, ours is in it no more.
    NoPairs(NoPairs),
}

/// What became of a [`LobbyJob`].
#[derive(Debug)]
pub enum LobbyOutcome {
    /// Of preparing.
    Prepared(Prepared),
    /// Of entering; and what is told of all who wait, when the ticket is one of them.
    Entered(Result<Entered, PoolError>, Option<Company>),
    /// Of renewing; the same.
    Renewed(Result<Renewed, PoolError>, Option<Company>),
    /// Of withdrawing.
    Withdrawn(Result<bool, PoolError>),
    /// Of entering or renewing while no new pairs are made. The ticket may be in the pool.
    NoPairs(NoPairs),
    /// What is to be told of decisions and by the site.
    Notices(Vec<NoticeView<'static>>),
    /// Of making the room.
    Created(Created),
    /// Of looking for it: the pairing, when the store says the same.
    Confirmed(Option<Arc<Pairing>>),
    /// Of calling: the person came, or is being called.
    Called(bool),
    /// Nothing to tell.
    Done,
}
