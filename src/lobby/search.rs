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
    /// Since when they wait already: whoever only changes a wish keeps their time.
    pub(super) since: Option<Timestamp>,
}

/// One search.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) ticket: Ticket,
    /// When the client asked for it.
    pub(super) began: Instant,
    /// A job of this search is in flight.
    pub(super) busy: bool,
    /// It is in the pool, as far as we know.
    pub(super) entered: bool,
    /// How many times the pool was entered since it last answered: it may be in there since.
    pub(super) doubts: u32,
    pub(super) cancel: bool,
    /// Its client does not answer: nobody is to be paired with it until it is heard again.
    pub(super) silent: bool,
    /// Another search is to follow this one.
    pub(super) successor: Option<Request>,
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
    /// Its ticket may be in the pool.
    pub(super) fn may_wait(&self) -> bool {
        self.entered || self.doubts > 0
    }

    /// Its ticket is in the pool no more, and enters again when it is time.
    pub(super) fn out_of_the_pool(&mut self) {
        self.entered = false;
        self.doubts = 0;
        self.overdue = false;
        self.ticket.resume = None;
    }
}

/// How far somebody who waited this long has relaxed, and how long until the next step.
pub(super) fn phase(
    rules: &LobbyRules,
    ticket: &Ticket,
    waited: Duration,
) -> (Phase, Option<Duration>) {
    let tags = rules.tag_patience.saturating_sub(waited);
    let repeats = rules.repeat_patience.saturating_sub(waited);
    if !ticket.wish.tags.is_empty() && !tags.is_zero() {
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
