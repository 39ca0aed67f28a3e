//! The tickets that wait, with every index over them kept in step: by number, by session,
//! by class, and in the queues. Which ticket comes or goes, and why, is decided in `state`.

use super::lease::Lease;
use super::line::{Age, Place, Serial};
use super::queue::{Lane, Queues};
use super::tags::TagKeys;
use crate::domain::id::{IdMap, SessionId, Timestamp};
use crate::matching::{Census, Ticket};

/// A ticket with what is computed from it once.
pub(super) struct Entrant {
    pub(super) ticket: Ticket,
    /// Its number; kept for as long as the search lasts.
    pub(super) serial: Serial,
    pub(super) keys: TagKeys,
    /// It stands in its network's crowd.
    pub(super) crowded: bool,
    /// Since when it stands in the front, when it does.
    pub(super) stood: Option<Timestamp>,
}

impl Entrant {
    fn lane(&self) -> Lane {
        match self.ticket.prefixes.narrowest() {
            Some(network) if self.crowded => Lane::Crowd(network),
            _ => Lane::Front,
        }
    }

    /// The order in which those of one network come.
    pub(super) fn age(&self) -> Age {
        self.place().age()
    }

    fn place(&self) -> Place {
        Place::of(&self.ticket, self.ticket.since, self.serial)
    }

    fn count<'a>(&self, census: &'a mut Census) -> &'a mut u32 {
        let ticket = &self.ticket;
        let by_wish = &mut census.waiting[ticket.persona.profile.gender.index()];
        &mut by_wish[ticket.wish.gender.index()]
    }
}

/// An entrant who waits.
pub(super) struct Waiter {
    /// On the heap, so that the table stays small and grows without moving tickets.
    pub(super) entrant: Box<Entrant>,
    pub(super) lease: Lease,
}

/// Everybody who waits.
#[derive(Default)]
pub(super) struct Roster {
    waiters: IdMap<Serial, Waiter>,
    sessions: IdMap<SessionId, Vec<Serial>>,
    /// The tickets of each network that stand in the front; 0 is none.
    fronts: IdMap<u64, [Serial; FRONT]>,
    census: Census,
    pub(super) queues: Queues,
}

/// How many tickets of one network stand in the front.
pub(super) const FRONT: usize = 5;

impl Roster {
    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    pub(super) fn census(&self) -> Census {
        self.census
    }

    pub(super) fn get(&self, serial: Serial) -> Option<&Waiter> {
        self.waiters.get(&serial)
    }

    pub(super) fn get_mut(&mut self, serial: Serial) -> Option<&mut Waiter> {
        self.waiters.get_mut(&serial)
    }

    /// The ticket that waits under the same name as this one. A browser has few
    /// (`limits.tickets_per_session`), so there is no index of names.
    pub(super) fn namesake(&self, ticket: &Ticket) -> Option<Serial> {
        let name = |serial: &Serial| {
            let waiter = self.waiters.get(serial)?;
            Some(&waiter.entrant.ticket.persona.user_id)
        };
        let mut own = self.of_session(ticket.session).iter();
        own.find(|serial| name(serial) == Some(&ticket.persona.user_id))
            .copied()
    }

    /// The tickets of one browser, in no order.
    pub(super) fn of_session(&self, session: SessionId) -> &[Serial] {
        self.sessions.get(&session).map_or(&[], Vec::as_slice)
    }

    /// The tickets of this network that stand in the front.
    pub(super) fn front(&self, network: u64) -> impl Iterator<Item = Serial> {
        let front = self.fronts.get(&network).copied().unwrap_or_default();
        front.into_iter().filter(|serial| *serial != 0)
    }

    /// Takes somebody in. Their number and name must be free.
    pub(super) fn insert(&mut self, entrant: Box<Entrant>, lease: Lease) {
        let Entrant {
            ticket,
            serial,
            keys,
            ..
        } = &*entrant;
        self.queues
            .insert(ticket, *keys, entrant.place(), entrant.lane());
        if let (Lane::Front, Some(network)) = (entrant.lane(), ticket.prefixes.narrowest()) {
            let front = self.fronts.entry(network).or_default();
            if let Some(free) = front.iter_mut().find(|place| **place == 0) {
                *free = *serial;
            }
        }
        self.sessions
            .entry(ticket.session)
            .or_insert_with(|| Vec::with_capacity(1))
            .push(*serial);
        *entrant.count(&mut self.census) += 1;
        self.waiters.insert(*serial, Waiter { entrant, lease });
    }

    /// Lets somebody go.
    pub(super) fn remove(&mut self, serial: Serial) -> Option<Waiter> {
        let waiter = self.waiters.remove(&serial)?;
        let entrant = &*waiter.entrant;
        self.queues
            .remove(entrant.keys, entrant.place(), entrant.lane());
        self.leave_front(entrant);
        if let Some(own) = self.sessions.get_mut(&entrant.ticket.session) {
            own.retain(|other| *other != serial);
            if own.is_empty() {
                self.sessions.remove(&entrant.ticket.session);
            }
        }
        *entrant.count(&mut self.census) -= 1;
        Some(waiter)
    }

    fn leave_front(&mut self, entrant: &Entrant) {
        if let (Lane::Front, Some(network)) = (entrant.lane(), entrant.ticket.prefixes.narrowest())
            && let Some(front) = self.fronts.get_mut(&network)
        {
            for place in front.iter_mut().filter(|place| **place == entrant.serial) {
                *place = 0;
            }
            if *front == [0; FRONT] {
                self.fronts.remove(&network);
            }
        }
    }
}
