//! One search, and how its patience relaxes.

use std::time::{Duration, Instant};

use crate::domain::id::Timestamp;
use crate::domain::wish::Phase;
use crate::domain::{Profile, UserId, Wish};
use crate::lobby::LobbyRules;
use crate::lobby::figures::Company;
use crate::matching::Ticket;
use crate::matching::rule::until_patient;
use crate::protocol::server::WaitingFor;

/// How often a patient search looks again, instead of every second renewal: what its network may meet
/// comes back bit by bit, and must not all go to those who arrive.
const PATIENT_LOOKS: Duration = Duration::from_secs(10);

/// What a client asked to search with.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) user_id: Option<UserId>,
    pub(super) profile: Profile,
    pub(super) wish: Wish,
    /// Since when the client waits already: one that only changes its wish keeps its time.
    pub(super) since: Option<Timestamp>,
}

/// What the client wants of a search that it began.
#[derive(Debug)]
pub(super) enum Intent {
    /// To go on.
    Search,
    /// To end it.
    End {
        /// It cancelled, and is told when that is done.
        tell: bool,
        /// The search that is to follow this one.
        next: Option<Box<Request>>,
    },
}

impl Intent {
    /// It is to end.
    pub(super) fn is_end(&self) -> bool {
        matches!(self, Self::End { .. })
    }

    /// The client cancelled, and waits to be told.
    pub(super) fn is_cancelled(&self) -> bool {
        matches!(self, Self::End { tell: true, .. })
    }

    /// The client cancels: also what was to follow.
    pub(super) fn cancel(&mut self) {
        *self = Self::End {
            tell: true,
            next: None,
        };
    }

    /// Another search is to follow.
    pub(super) fn follow(&mut self, next: Request) {
        *self = Self::End {
            tell: self.is_cancelled(),
            next: Some(Box::new(next)),
        };
    }

    /// A match comes first: nothing is to follow any more.
    pub(super) fn forget_next(&mut self) {
        match self.is_cancelled() {
            true => self.cancel(),
            false => *self = Self::Search,
        }
    }
}

/// Whether the ticket of a search is in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InPool {
    /// It is not.
    No,
    /// It entered; whether the pool has it is not known, since it did not answer.
    Perhaps,
    /// It is, as far as is known.
    Yes,
}

/// One search.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) ticket: Ticket,
    /// When the client asked for it.
    pub(super) began: Instant,
    pub(super) intent: Intent,
    /// A job of this search is in flight.
    pub(super) busy: bool,
    pub(super) in_pool: InPool,
    /// How many times the pool was entered since it last answered.
    pub(super) unanswered: u32,
    /// Its client does not answer: it is not to be paired until the client is heard again.
    pub(super) silent: bool,
    /// The pool says it is paired, and the side that should make the room has not said so yet.
    pub(super) overdue: bool,
    pub(super) tick_at: Instant,
    /// When to enter the pool, for the first time or again.
    pub(super) phase_at: Option<Instant>,
    /// What was last heard of the others.
    pub(super) company: Company,
    pub(super) told: Option<WaitingFor>,
}

impl Search {
    /// With a ticket that is to enter the pool at once.
    pub(super) fn new(ticket: Ticket, began: Instant, now: Instant) -> Self {
        Self {
            ticket,
            began,
            intent: Intent::Search,
            busy: false,
            in_pool: InPool::No,
            unanswered: 0,
            silent: false,
            overdue: false,
            tick_at: now,
            phase_at: Some(now),
            company: Company::default(),
            told: None,
        }
    }

    /// Its ticket may be in the pool.
    pub(super) fn may_wait(&self) -> bool {
        self.in_pool != InPool::No
    }

    /// The pool has its ticket.
    pub(super) fn entered(&mut self) {
        (self.in_pool, self.unanswered) = (InPool::Yes, 0);
    }

    /// The pool did not answer whether it has its ticket.
    pub(super) fn doubted(&mut self) {
        self.unanswered += 1;
        if self.in_pool == InPool::No {
            self.in_pool = InPool::Perhaps;
        }
    }

    /// The pool has not its ticket.
    pub(super) fn is_out(&mut self) {
        (self.in_pool, self.unanswered) = (InPool::No, 0);
    }

    /// Its ticket is in the pool no more, and enters again when it is time.
    pub(super) fn out_of_the_pool(&mut self) {
        self.is_out();
        self.overdue = false;
        self.ticket.resume = None;
    }
}

/// How far the wish of a search that waited this long has relaxed, and how long until the next step.
pub(super) fn phase(
    rules: &LobbyRules,
    ticket: &Ticket,
    waited: Duration,
) -> (Phase, Option<Duration>) {
    let tags = rules.tag_patience.saturating_sub(waited);
    let repeats = rules.repeat_patience.saturating_sub(waited);
    let wish = &ticket.wish;
    let chooses = !wish.tags.is_empty() || !wish.languages.is_empty();
    if chooses && !tags.is_zero() {
        (Phase::SharedTags, Some(tags))
    } else if !repeats.is_zero() {
        (Phase::Anyone, Some(repeats))
    } else {
        (Phase::Repeats, None)
    }
}

/// How long until a search that waited this long looks again: at the next phase; when it counts as patient,
/// for from then on the pool has more people for it; and from then on again and again.
pub(super) fn next_look(rules: &LobbyRules, ticket: &Ticket, waited: Duration) -> Duration {
    let (_, ends) = phase(rules, ticket, waited);
    let patience = until_patient(&ticket.wish, rules.tag_patience).saturating_sub(waited);
    let next = if patience.is_zero() {
        PATIENT_LOOKS
    } else {
        patience
    };
    ends.map_or(next, |ends| ends.min(next))
}
