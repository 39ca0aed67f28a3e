//! Fairness within a network: with half of its budget gone, what is left goes to those of its people who
//! have waited longest, whether they arrive, are met, or only stand there.

use super::{VisitOutcome, Walk};
use crate::domain::{Gender, PreferredGender};
use crate::matching::memory::queue::Lane;
use crate::matching::memory::ticket_index::QueuedTicket;
use crate::matching::memory::ticket_queue::{Serial, TicketAge};
use crate::matching::rule;

impl Walk<'_> {
    /// One of my network has waited longer than I and could meet this one. Found once for a search, and a
    /// few only: those in the front, and of each class the first of the crowd.
    pub(super) fn an_elder_fits(&mut self, other: &QueuedTicket) -> bool {
        let index = self.search.index;
        let Some(own) = self.search.me.ticket.prefixes.narrowest() else {
            return false;
        };
        if !self.half_gone || other.ticket.prefixes.narrowest() == Some(own) {
            return false;
        }
        if self.elders.is_none() {
            let me = self.search.me;
            let all: Vec<u8> = (0..Gender::ALL.len() * PreferredGender::ALL.len())
                .filter_map(|class| u8::try_from(class).ok())
                .collect();
            let elders = self.elders_of(own, &all, me.age());
            self.elders = Some(elders.into_iter().map(|(_, serial)| serial).collect());
        }
        let elders = self.elders.as_deref().unwrap_or_default();
        let now = self.search.now;
        let waiting = elders.iter().filter_map(|it| index.get(*it));
        let mut waiting = waiting.filter(|elder| !elder.lease.over(now));
        waiting.any(|elder| {
            let elder = &*elder.queued;
            let shared = elder.keys.shared(elder.keys.topics(), &other.keys);
            elder.ticket.session != self.search.me.ticket.session
                && rule::fits(&elder.ticket, &other.ticket, shared, false).is_some()
        })
    }

    /// The ticket to pair instead of the found one: of the same network, waiting longer and sharing as much, when half of what that network has is gone.
    pub(super) fn elder_instead(&mut self, found: Serial) -> Serial {
        let index = self.search.index;
        let Some(leased) = index.get(found) else {
            return found;
        };
        let other = &*leased.queued;
        let prefixes = other.ticket.prefixes;
        let Some(network) = prefixes.narrowest() else {
            return found;
        };
        let own = self.search.me.ticket.prefixes.narrowest() == Some(network);
        if own || !self.search.budgets.half_gone(prefixes, self.search.now) {
            return found;
        }
        let shared = self.shared(other);
        let classes = self.classes.clone();
        let elders = self.elders_of(network, &classes, other.age());
        let fits = |serial: &Serial| {
            let lane = Lane::Network(network);
            matches!(self.visit(*serial, shared, lane), VisitOutcome::Take)
        };
        let mut elders = elders.into_iter().map(|(_, serial)| serial);
        elders.find(fits).unwrap_or(found)
    }

    /// A few of a network who have waited longer, the oldest first.
    fn elders_of(&self, network: u64, classes: &[u8], than: TicketAge) -> Vec<(TicketAge, Serial)> {
        let index = self.search.index;
        let front = index.front(network);
        let crowd = classes.iter().filter_map(|class| {
            let mut queue = index.queues.open(Lane::Network(network), &[*class], None);
            Some(queue.next()?.serial())
        });
        let age = |serial| Some((index.get(serial)?.queued.age(), serial));
        let all = front.chain(crowd).filter_map(age);
        let mut elders: Vec<_> = all.filter(|(age, _)| *age < than).collect();
        elders.sort_unstable();
        elders
    }
}
