//! The tickets that wait, with every index over them kept in step: by number, by session,
//! by class, and in the queues. Which ticket comes or goes, and why, is decided in `state`.

use super::lease::Lease;
use super::queue::{Lane, Queues};
use super::tags::TagKeys;
use super::ticket_queue::{QueuePlace, Serial, TicketAge};
use crate::domain::id::{IdMap, SessionId, Timestamp};
use crate::matching::{PoolStats, Ticket};

/// A ticket with what is computed from it once.
pub(super) struct QueuedTicket {
    pub(super) ticket: Ticket,
    /// Its number; kept for as long as the search lasts.
    pub(super) serial: Serial,
    pub(super) keys: TagKeys,
    /// It stands in its network's crowd.
    pub(super) crowded: bool,
    /// Since when it stands in the front, when it does.
    pub(super) stood: Option<Timestamp>,
}

impl QueuedTicket {
    fn lane(&self) -> Lane {
        match self.ticket.prefixes.narrowest() {
            Some(network) if self.crowded => Lane::Network(network),
            _ => Lane::Front,
        }
    }

    /// The order in which those of one network come.
    pub(super) fn age(&self) -> TicketAge {
        self.place().age()
    }

    fn place(&self) -> QueuePlace {
        QueuePlace::of(&self.ticket, self.ticket.since, self.serial)
    }

    fn count<'a>(&self, stats: &'a mut PoolStats) -> &'a mut u32 {
        let ticket = &self.ticket;
        let by_wish = &mut stats.waiting[ticket.persona.profile.gender.index()];
        &mut by_wish[ticket.wish.gender.index()]
    }
}

/// A queued ticket with the lease for which it waits.
pub(super) struct LeasedTicket {
    /// On the heap, so that the table stays small and grows without moving tickets.
    pub(super) queued: Box<QueuedTicket>,
    pub(super) lease: Lease,
}

/// All waiting tickets.
#[derive(Default)]
pub(super) struct TicketIndex {
    by_serial: IdMap<Serial, LeasedTicket>,
    sessions: IdMap<SessionId, Vec<Serial>>,
    /// The tickets of each network that stand in the front; 0 is none.
    fronts: IdMap<u64, [Serial; FRONT]>,
    stats: PoolStats,
    pub(super) queues: Queues,
}

/// How many tickets of one network stand in the front.
pub(super) const FRONT: usize = 5;

impl TicketIndex {
    pub(super) fn len(&self) -> usize {
        self.by_serial.len()
    }

    pub(super) fn stats(&self) -> PoolStats {
        self.stats
    }

    pub(super) fn get(&self, serial: Serial) -> Option<&LeasedTicket> {
        self.by_serial.get(&serial)
    }

    pub(super) fn get_mut(&mut self, serial: Serial) -> Option<&mut LeasedTicket> {
        self.by_serial.get_mut(&serial)
    }

    /// The ticket that waits under the same name as this one. A browser has few
    /// (`limits.tickets_per_session`), so there is no index of names.
    pub(super) fn duplicate(&self, ticket: &Ticket) -> Option<Serial> {
        let name = |serial: &Serial| {
            let leased = self.by_serial.get(serial)?;
            Some(&leased.queued.ticket.persona.user_id)
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

    /// Adds a ticket. Its number and name must be free.
    pub(super) fn insert(&mut self, queued: Box<QueuedTicket>, lease: Lease) {
        let QueuedTicket {
            ticket,
            serial,
            keys,
            ..
        } = &*queued;
        self.queues
            .insert(ticket, *keys, queued.place(), queued.lane());
        if let (Lane::Front, Some(network)) = (queued.lane(), ticket.prefixes.narrowest()) {
            let front = self.fronts.entry(network).or_default();
            if let Some(free) = front.iter_mut().find(|place| **place == 0) {
                *free = *serial;
            }
        }
        self.sessions
            .entry(ticket.session)
            .or_insert_with(|| Vec::with_capacity(1))
            .push(*serial);
        *queued.count(&mut self.stats) += 1;
        self.by_serial
            .insert(*serial, LeasedTicket { queued, lease });
    }

    /// Takes a ticket out of every index.
    pub(super) fn remove(&mut self, serial: Serial) -> Option<LeasedTicket> {
        let leased = self.by_serial.remove(&serial)?;
        let queued = &*leased.queued;
        self.queues
            .remove(queued.keys, queued.place(), queued.lane());
        self.leave_front(queued);
        if let Some(own) = self.sessions.get_mut(&queued.ticket.session) {
            own.retain(|other| *other != serial);
            if own.is_empty() {
                self.sessions.remove(&queued.ticket.session);
            }
        }
        *queued.count(&mut self.stats) -= 1;
        Some(leased)
    }

    fn leave_front(&mut self, queued: &QueuedTicket) {
        if let (Lane::Front, Some(network)) = (queued.lane(), queued.ticket.prefixes.narrowest())
            && let Some(front) = self.fronts.get_mut(&network)
        {
            for place in front.iter_mut().filter(|place| **place == queued.serial) {
                *place = 0;
            }
            if *front == [0; FRONT] {
                self.fronts.remove(&network);
            }
        }
    }
}
