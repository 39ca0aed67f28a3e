//! What happens to tickets in the pool of one process: entering, pairing, leaving, expiring.
//! Plain and synchronous: `now` is handed in and the lock around it is the caller's.

use std::sync::Arc;

use super::budgets::Budgets;
use super::lease::{Lease, LeaseHolder, LeaseTable};
use super::search::{PartnerSearch, SearchResult};
use super::tags::TagMask;
use super::ticket_index::{QueuedTicket, TicketIndex};
use super::ticket_queue::Serial;
use crate::domain::Pairing;
use crate::domain::id::{Address, IdMap, RoomId, TicketId, Timestamp};
use crate::domain::wish::fold;
use crate::matching::dice::{Dice, weight};
use crate::matching::{Entered, PoolError, PoolRules, PoolStats, Renewed, Ticket, rule};

mod lanes;
mod upkeep;

/// How many tabs of one browser are looked at.
const TABS: usize = 64;

/// A pairing that was made, with the two tickets as they were, should they have to go back.
struct PairingOutcome {
    pairing: Arc<Pairing>,
    tickets: [Box<QueuedTicket>; 2],
    lease: Lease,
}

/// Where a ticket is.
#[derive(Clone, Copy)]
enum TicketState {
    Waiting(Serial),
    Paired(RoomId),
}

/// The pool behind its lock.
pub(super) struct PoolState {
    rules: PoolRules,
    index: TicketIndex,
    tickets: IdMap<TicketId, TicketState>,
    outcomes: IdMap<RoomId, PairingOutcome>,
    leases: LeaseTable,
    budgets: Budgets,
    dice: Dice,
    next_serial: Serial,
    closed: bool,
}

impl PoolState {
    pub(super) fn new(rules: PoolRules) -> Self {
        Self {
            budgets: Budgets::new(rules.budget),
            dice: rules.randomness.dice(),
            rules,
            index: TicketIndex::default(),
            tickets: IdMap::default(),
            outcomes: IdMap::default(),
            leases: LeaseTable::default(),
            next_serial: 0,
            closed: false,
        }
    }

    pub(super) fn enter(&mut self, ticket: Ticket, now: Timestamp) -> Result<Entered, PoolError> {
        if self.closed {
            return Err(PoolError::Unavailable("the pool is closed".into()));
        }
        self.upkeep(now);
        if let Renewed::Paired(pairing) = self.keep(ticket.id, now) {
            return Ok(Entered::Paired {
                pairing,
                replaced: None,
            });
        }
        self.admit(&ticket, now)?;
        let (mut queued, replaced) = self.take_over(ticket, now);
        let found = self.find(&queued, now);
        Ok(match found.partner {
            Some((partner, counting)) => Entered::Paired {
                pairing: self.pair(queued, partner, counting, now),
                replaced,
            },
            None => {
                // The caller has it, should there be more to look at.
                queued.ticket.resume = None;
                self.queue(queued, now);
                Entered::Waiting {
                    replaced,
                    resume: found.resume,
                }
            }
        })
    }

    pub(super) fn withdraw(&mut self, id: TicketId) -> bool {
        match self.tickets.get(&id) {
            Some(TicketState::Waiting(serial)) => self.remove(*serial).is_some(),
            Some(TicketState::Paired(_)) | None => false,
        }
    }

    pub(super) fn renew(&mut self, id: TicketId, now: Timestamp) -> Renewed {
        self.upkeep(now);
        self.keep(id, now)
    }

    /// Begins another lease for whatever this ticket is now.
    fn keep(&mut self, id: TicketId, now: Timestamp) -> Renewed {
        let until = now.plus(self.rules.lease);
        match self.tickets.get(&id).copied() {
            Some(TicketState::Waiting(serial)) => {
                let leased = self.index.get_mut(serial);
                let leased = leased.expect("the state of a waiting ticket names a queued one");
                if leased.lease.over(now) {
                    self.remove(serial);
                    return Renewed::Gone;
                }
                leased.lease.extend(until);
                self.bring_forward(serial, now);
                Renewed::Waiting
            }
            Some(TicketState::Paired(room)) => {
                let outcome = self.outcomes.get_mut(&room);
                let outcome = outcome.expect("the state of a paired ticket names an outcome");
                if outcome.lease.over(now) {
                    self.forget(room);
                    return Renewed::Gone;
                }
                outcome.lease.extend(until);
                Renewed::Paired(outcome.pairing.clone())
            }
            None => Renewed::Gone,
        }
    }

    pub(super) fn give_back(&mut self, room: RoomId, gone: Option<TicketId>, now: Timestamp) {
        self.upkeep(now);
        let Some(outcome) = self.forget(room) else {
            return;
        };
        if outcome.lease.over(now) {
            return;
        }
        self.refund(&outcome.tickets, gone, now);
        for mut queued in outcome.tickets {
            queued.stood = None;
            let ticket = &queued.ticket;
            // One whose lease is over waits no more, though nothing has come to take it out yet.
            let duplicate = self.index.duplicate(ticket);
            let over = duplicate.filter(|duplicate| self.expired(*duplicate, now));
            if let Some(over) = over {
                self.remove(over);
            }
            if Some(ticket.id) != gone && (duplicate.is_none() || over.is_some()) {
                self.queue(queued, now);
            }
        }
    }

    pub(super) fn stats(&self) -> PoolStats {
        self.index.stats()
    }

    /// Returns what was forgotten, to be dropped outside the lock.
    pub(super) fn close(&mut self) -> PoolState {
        let closed = PoolState {
            closed: true,
            ..PoolState::new(self.rules.clone())
        };
        std::mem::replace(self, closed)
    }

    /// Refuses a ticket for which there is no room. A ticket that takes a place over needs no new one.
    fn admit(&mut self, ticket: &Ticket, now: Timestamp) -> Result<(), PoolError> {
        let known = self.tickets.contains_key(&ticket.id);
        if known || self.index.duplicate(ticket).is_some() {
            return Ok(());
        }
        let limit = self.rules.tickets_per_session;
        if limit > 0 && self.index.of_session(ticket.session).len() >= limit {
            self.expire_session(ticket.session, now);
            if self.index.of_session(ticket.session).len() >= limit {
                return Err(PoolError::TooManyTickets);
            }
        }
        if self.index.len() >= self.rules.tickets {
            return Err(PoolError::Full);
        }
        Ok(())
    }

    /// Takes out of the pool the ticket's former self, whose place it keeps, and its duplicate (another
    /// ticket of the same session and `user_id`), whose connection is to be told.
    fn take_over(
        &mut self,
        mut ticket: Ticket,
        now: Timestamp,
    ) -> (Box<QueuedTicket>, Option<(TicketId, Address)>) {
        let (mut serial, mut stood) = (None, None);
        if let Some(TicketState::Waiting(former)) = self.tickets.get(&ticket.id).copied()
            && let Some(former) = self.remove(former)
        {
            ticket.since = ticket.since.min(former.ticket.since);
            (serial, stood) = (Some(former.serial), former.stood);
        }
        let mut replaced = None;
        if let Some(duplicate) = self.index.duplicate(&ticket) {
            let expired = self.expired(duplicate, now);
            let duplicate = self
                .remove(duplicate)
                .map(|n| (n.ticket.id, n.ticket.address));
            replaced = duplicate.filter(|_| !expired);
        }
        let serial = serial.unwrap_or_else(|| {
            self.next_serial += 1;
            self.next_serial
        });
        let keys = self.index.queues.keys(&ticket);
        let queued = QueuedTicket {
            ticket,
            serial,
            keys,
            crowded: false,
            stood,
        };
        (Box::new(queued), replaced)
    }

    /// The best partner who waits.
    fn find(&mut self, queued: &QueuedTicket, now: Timestamp) -> SearchResult {
        // A room that is spoken for cannot be given to two more people.
        if self.outcomes.contains_key(&queued.ticket.room) {
            return SearchResult::default();
        }
        let search = PartnerSearch {
            index: &self.index,
            budgets: &self.budgets,
            rules: &self.rules,
            dice: &mut self.dice,
            me: queued,
            now,
        };
        let mut found = search.run();
        if found.partner.is_none() {
            found.partner = self.find_other_tab(queued, now);
        }
        for serial in found.expired.drain(..) {
            self.remove(serial);
        }
        for serial in found.crowded.drain(..) {
            self.move_to(serial, true, now);
        }
        found
    }

    /// The last resort. All tags count between two tabs: there is nothing to learn of oneself.
    fn find_other_tab(
        &mut self,
        queued: &QueuedTicket,
        now: Timestamp,
    ) -> Option<(Serial, TagMask)> {
        let all = queued.keys.all();
        let (mut most, mut best) = (0, Vec::new());
        for serial in self
            .index
            .of_session(queued.ticket.session)
            .iter()
            .take(TABS)
        {
            let Some(tab) = self.index.get(*serial).filter(|tab| !tab.lease.over(now)) else {
                continue;
            };
            let (me, tab) = (&queued.ticket, &*tab.queued);
            let shared = queued.keys.shared(all, &tab.keys);
            let fit = rule::fits(me, &tab.ticket, shared, self.rules.same_session);
            if fit.is_none() || shared < most {
                continue;
            }
            if shared > most {
                best.clear();
            }
            most = shared;
            best.push((weight(tab.ticket.since, now), *serial));
        }
        self.dice.draw(&mut best).map(|serial| (serial, all))
    }

    /// Makes the pairing and keeps it for a lease.
    fn pair(
        &mut self,
        mut arrived: Box<QueuedTicket>,
        partner: Serial,
        counting: TagMask,
        now: Timestamp,
    ) -> Arc<Pairing> {
        arrived.ticket.resume = None;
        let waited = self.remove(partner).expect("the found partner waits");
        let queues = &self.index.queues;
        let counts = |tag: &str| arrived.keys.holds(counting, queues.hash(&fold(tag)));
        let pairing = Arc::new(rule::pair(&arrived.ticket, &waited.ticket, counts));
        let [one, other] = [&arrived, &waited].map(|queued| &queued.ticket);
        if one.session != other.session {
            self.budgets.pay(one.prefixes, other.prefixes, now);
        }
        let room = pairing.room;
        for queued in [&arrived, &waited] {
            self.tickets
                .insert(queued.ticket.id, TicketState::Paired(room));
        }
        let until = now.plus(self.rules.lease);
        let outcome = PairingOutcome {
            pairing: pairing.clone(),
            tickets: [arrived, waited],
            lease: self.leases.begin(LeaseHolder::Outcome(room), until),
        };
        self.outcomes.insert(room, outcome);
        pairing
    }

    /// Queues a ticket for one lease.
    fn queue(&mut self, mut queued: Box<QueuedTicket>, now: Timestamp) {
        let serial = queued.serial;
        queued.crowded = self.crowded(queued.ticket.prefixes, now);
        queued.stood = (!queued.crowded).then(|| queued.stood.unwrap_or(now));
        let until = now.plus(self.rules.lease);
        let lease = self.leases.begin(LeaseHolder::Ticket(serial), until);
        self.tickets
            .insert(queued.ticket.id, TicketState::Waiting(serial));
        self.index.insert(queued, lease);
    }

    /// Takes a waiting ticket out of everything.
    fn remove(&mut self, serial: Serial) -> Option<Box<QueuedTicket>> {
        let leased = self.index.remove(serial)?;
        self.leases.end(LeaseHolder::Ticket(serial), &leased.lease);
        self.tickets.remove(&leased.queued.ticket.id);
        Some(leased.queued)
    }

    /// Takes an outcome out of everything.
    fn forget(&mut self, room: RoomId) -> Option<PairingOutcome> {
        let outcome = self.outcomes.remove(&room)?;
        self.leases.end(LeaseHolder::Outcome(room), &outcome.lease);
        for queued in &outcome.tickets {
            self.tickets.remove(&queued.ticket.id);
        }
        Some(outcome)
    }

    fn expired(&self, serial: Serial, now: Timestamp) -> bool {
        let leased = self.index.get(serial);
        leased.is_some_and(|leased| leased.lease.over(now))
    }
}
