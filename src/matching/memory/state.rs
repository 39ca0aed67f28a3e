//! What happens to tickets in the pool of one process: entering, pairing, leaving, expiring.
//! Plain and synchronous: `now` is handed in and the lock around it is the caller's.

use std::sync::Arc;

use super::budgets::Budgets;
use super::lease::{Held, Lease, Leases};
use super::line::Serial;
use super::roster::{Entrant, Roster};
use super::search::{Found, Search};
use super::tags::TagMask;
use crate::domain::Pairing;
use crate::domain::id::{Address, IdMap, RoomId, SessionId, TicketId, Timestamp};
use crate::domain::wish::fold;
use crate::matching::dice::{Dice, weight};
use crate::matching::{Census, Entered, PoolError, PoolRules, Renewed, Ticket, rule};

mod lanes;

/// How many leases that came up each call looks at: more than one call begins, so that the expired
/// never pile up.
const UPKEEP: usize = 4;

/// How many tabs of one browser are looked at.
const TABS: usize = 64;

/// A pairing that was made, with the two tickets as they were, should they have to go back.
struct Outcome {
    pairing: Arc<Pairing>,
    entrants: [Box<Entrant>; 2],
    lease: Lease,
}

/// Where a ticket is.
#[derive(Clone, Copy)]
enum Whereabouts {
    Waiting(Serial),
    Paired(RoomId),
}

/// The pool behind its lock.
pub(super) struct State {
    rules: PoolRules,
    roster: Roster,
    tickets: IdMap<TicketId, Whereabouts>,
    outcomes: IdMap<RoomId, Outcome>,
    leases: Leases,
    budgets: Budgets,
    dice: Dice,
    next_serial: Serial,
    closed: bool,
}

impl State {
    pub(super) fn new(rules: PoolRules) -> Self {
        Self {
            budgets: Budgets::new(rules.budget),
            dice: rules.randomness.dice(),
            rules,
            roster: Roster::default(),
            tickets: IdMap::default(),
            outcomes: IdMap::default(),
            leases: Leases::default(),
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
        let (mut entrant, replaced) = self.take_over(ticket, now);
        let found = self.find(&entrant, now);
        Ok(match found.partner {
            Some((partner, counting)) => Entered::Paired {
                pairing: self.pair(entrant, partner, counting, now),
                replaced,
            },
            None => {
                // The caller has it, should there be more to look at.
                entrant.ticket.resume = None;
                self.queue(entrant, now);
                Entered::Waiting {
                    replaced,
                    resume: found.resume,
                }
            }
        })
    }

    pub(super) fn withdraw(&mut self, id: TicketId) -> bool {
        match self.tickets.get(&id) {
            Some(Whereabouts::Waiting(serial)) => self.remove(*serial).is_some(),
            Some(Whereabouts::Paired(_)) | None => false,
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
            Some(Whereabouts::Waiting(serial)) => {
                let waiter = self.roster.get_mut(serial);
                let waiter = waiter.expect("the whereabouts of a waiting ticket name a waiter");
                if waiter.lease.over(now) {
                    self.remove(serial);
                    return Renewed::Gone;
                }
                waiter.lease.extend(until);
                self.bring_forward(serial, now);
                Renewed::Waiting
            }
            Some(Whereabouts::Paired(room)) => {
                let outcome = self.outcomes.get_mut(&room);
                let outcome = outcome.expect("the whereabouts of a paired ticket name an outcome");
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
        self.refund(&outcome.entrants, gone, now);
        for mut entrant in outcome.entrants {
            entrant.stood = None;
            let ticket = &entrant.ticket;
            // One whose lease is over waits no more, though nothing has come to take it out yet.
            let namesake = self.roster.namesake(ticket);
            let over = namesake.filter(|namesake| self.expired(*namesake, now));
            if let Some(over) = over {
                self.remove(over);
            }
            if Some(ticket.id) != gone && (namesake.is_none() || over.is_some()) {
                self.queue(entrant, now);
            }
        }
    }

    pub(super) fn census(&self) -> Census {
        self.roster.census()
    }

    /// Returns what was forgotten, to be dropped outside the lock.
    pub(super) fn close(&mut self) -> State {
        let closed = State {
            closed: true,
            ..State::new(self.rules.clone())
        };
        std::mem::replace(self, closed)
    }

    /// Refuses a ticket for which there is no room. Whoever takes a place over needs no new one.
    fn admit(&mut self, ticket: &Ticket, now: Timestamp) -> Result<(), PoolError> {
        let known = self.tickets.contains_key(&ticket.id);
        if known || self.roster.namesake(ticket).is_some() {
            return Ok(());
        }
        let limit = self.rules.tickets_per_session;
        if limit > 0 && self.roster.of_session(ticket.session).len() >= limit {
            self.expire_session(ticket.session, now);
            if self.roster.of_session(ticket.session).len() >= limit {
                return Err(PoolError::TooManyTickets);
            }
        }
        if self.roster.len() >= self.rules.tickets {
            return Err(PoolError::Full);
        }
        Ok(())
    }

    /// Takes the ticket's former self and its namesake out of the pool. The former self leaves it
    /// its place, the namesake its address to be told.
    fn take_over(
        &mut self,
        mut ticket: Ticket,
        now: Timestamp,
    ) -> (Box<Entrant>, Option<(TicketId, Address)>) {
        let (mut serial, mut stood) = (None, None);
        if let Some(Whereabouts::Waiting(former)) = self.tickets.get(&ticket.id).copied()
            && let Some(former) = self.remove(former)
        {
            ticket.since = ticket.since.min(former.ticket.since);
            (serial, stood) = (Some(former.serial), former.stood);
        }
        let mut replaced = None;
        if let Some(namesake) = self.roster.namesake(&ticket) {
            let expired = self.expired(namesake, now);
            let namesake = self
                .remove(namesake)
                .map(|n| (n.ticket.id, n.ticket.address));
            replaced = namesake.filter(|_| !expired);
        }
        let serial = serial.unwrap_or_else(|| {
            self.next_serial += 1;
            self.next_serial
        });
        let keys = self.roster.queues.keys(&ticket);
        let entrant = Entrant {
            ticket,
            serial,
            keys,
            crowded: false,
            stood,
        };
        (Box::new(entrant), replaced)
    }

    /// The best partner who waits.
    fn find(&mut self, entrant: &Entrant, now: Timestamp) -> Found {
        // A room that is spoken for cannot be given to two more people.
        if self.outcomes.contains_key(&entrant.ticket.room) {
            return Found::default();
        }
        let search = Search {
            roster: &self.roster,
            budgets: &self.budgets,
            rules: &self.rules,
            dice: &mut self.dice,
            me: entrant,
            now,
        };
        let mut found = search.run();
        if found.partner.is_none() {
            found.partner = self.find_other_tab(entrant, now);
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
    fn find_other_tab(&mut self, entrant: &Entrant, now: Timestamp) -> Option<(Serial, TagMask)> {
        let all = entrant.keys.all();
        let (mut most, mut best) = (0, Vec::new());
        for serial in self
            .roster
            .of_session(entrant.ticket.session)
            .iter()
            .take(TABS)
        {
            let Some(tab) = self.roster.get(*serial).filter(|tab| !tab.lease.over(now)) else {
                continue;
            };
            let (me, tab) = (&entrant.ticket, &*tab.entrant);
            let shared = entrant.keys.shared(all, &tab.keys);
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
        mut arrived: Box<Entrant>,
        partner: Serial,
        counting: TagMask,
        now: Timestamp,
    ) -> Arc<Pairing> {
        arrived.ticket.resume = None;
        let waited = self.remove(partner).expect("the found partner waits");
        let queues = &self.roster.queues;
        let counts = |tag: &str| arrived.keys.holds(counting, queues.hash(&fold(tag)));
        let pairing = Arc::new(rule::pair(&arrived.ticket, &waited.ticket, counts));
        let [one, other] = [&arrived, &waited].map(|entrant| &entrant.ticket);
        if one.session != other.session {
            self.budgets.pay(one.prefixes, other.prefixes, now);
        }
        let room = pairing.room;
        for entrant in [&arrived, &waited] {
            self.tickets
                .insert(entrant.ticket.id, Whereabouts::Paired(room));
        }
        let until = now.plus(self.rules.lease);
        let outcome = Outcome {
            pairing: pairing.clone(),
            entrants: [arrived, waited],
            lease: self.leases.begin(Held::Outcome(room), until),
        };
        self.outcomes.insert(room, outcome);
        pairing
    }

    /// Lets somebody wait for a lease.
    fn queue(&mut self, mut entrant: Box<Entrant>, now: Timestamp) {
        let serial = entrant.serial;
        entrant.crowded = self.crowded(entrant.ticket.prefixes, now);
        entrant.stood = (!entrant.crowded).then(|| entrant.stood.unwrap_or(now));
        let until = now.plus(self.rules.lease);
        let lease = self.leases.begin(Held::Ticket(serial), until);
        self.tickets
            .insert(entrant.ticket.id, Whereabouts::Waiting(serial));
        self.roster.insert(entrant, lease);
    }

    /// Takes a waiting ticket out of everything.
    fn remove(&mut self, serial: Serial) -> Option<Box<Entrant>> {
        let waiter = self.roster.remove(serial)?;
        self.leases.end(Held::Ticket(serial), &waiter.lease);
        self.tickets.remove(&waiter.entrant.ticket.id);
        Some(waiter.entrant)
    }

    /// Takes an outcome out of everything.
    fn forget(&mut self, room: RoomId) -> Option<Outcome> {
        let outcome = self.outcomes.remove(&room)?;
        self.leases.end(Held::Outcome(room), &outcome.lease);
        for entrant in &outcome.entrants {
            self.tickets.remove(&entrant.ticket.id);
        }
        Some(outcome)
    }

    fn expired(&self, serial: Serial, now: Timestamp) -> bool {
        let waiter = self.roster.get(serial);
        waiter.is_some_and(|waiter| waiter.lease.over(now))
    }

    fn expire_session(&mut self, session: SessionId, now: Timestamp) {
        for serial in self.roster.of_session(session).to_vec() {
            if self.expired(serial, now) {
                self.remove(serial);
            }
        }
    }

    /// Drops a few of those whose lease is over.
    fn upkeep(&mut self, now: Timestamp) {
        for _ in 0..UPKEEP {
            let Some(held) = self.leases.first_due(now) else {
                return;
            };
            let lease = match held {
                Held::Ticket(serial) => self.roster.get_mut(serial).map(|w| &mut w.lease),
                Held::Outcome(room) => self.outcomes.get_mut(&room).map(|o| &mut o.lease),
            };
            let lease = lease.expect("a noted lease belongs to a ticket or an outcome");
            if !lease.over(now) {
                self.leases.put_back(held, lease);
                continue;
            }
            match held {
                Held::Ticket(serial) => drop(self.remove(serial)),
                Held::Outcome(room) => drop(self.forget(room)),
            }
        }
    }
}
