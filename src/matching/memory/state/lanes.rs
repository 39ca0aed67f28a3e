//! Which tickets of a network stand in the front, and what its networks are given back. Who is met is
//! `search`'s to say.

use super::PoolState;
use crate::domain::PrefixHashes;
use crate::domain::id::{TicketId, Timestamp};
use crate::matching::memory::ticket_index::{FRONT, QueuedTicket};
use crate::matching::memory::ticket_queue::Serial;

impl PoolState {
    /// A ticket that goes back has met no partner, so its networks have paid for nothing. What the pair paid stays with
    /// it while one side is gone: else the same outsider could come and go without end.
    pub(super) fn refund(
        &mut self,
        tickets: &[Box<QueuedTicket>; 2],
        gone: Option<TicketId>,
        now: Timestamp,
    ) {
        let [one, other] = tickets.each_ref().map(|queued| &queued.ticket);
        if one.session == other.session {
            return;
        }
        for (own, other) in [(one, other), (other, one)] {
            if Some(own.id) != gone {
                self.budgets.refund(own.prefixes, other.prefixes, now);
            }
        }
        if gone.is_none() {
            self.budgets.refund_pair(one.prefixes, other.prefixes, now);
        }
    }

    /// No more tickets of this network may stand in the front now. Those whose lease is over leave it, and
    /// one that has stood there for long yields its place to the one that asks.
    pub(super) fn crowded(&mut self, prefixes: PrefixHashes, now: Timestamp) -> bool {
        let Some(network) = prefixes.narrowest() else {
            return false;
        };
        if self.budgets.spent(prefixes, PrefixHashes::default(), now) {
            return true;
        }
        let front: Vec<Serial> = self.index.front(network).collect();
        if front.len() < FRONT {
            return false;
        }
        for serial in front {
            if self.expired(serial, now) {
                self.remove(serial);
            }
        }
        if self.index.front(network).count() < FRONT {
            return false;
        }
        let yields = self.longest_in_front(network, now);
        if let Some(serial) = yields {
            self.move_to(serial, true, now);
        }
        yields.is_none()
    }

    /// The ticket that has stood in the front longest, and for `tag_patience` at least: five searches without
    /// a fit must not hold a network's places for ever. After a clock was set back, at once.
    fn longest_in_front(&self, network: u64, now: Timestamp) -> Option<Serial> {
        let stood = |serial: Serial| Some((self.index.get(serial)?.queued.stood?, serial));
        let (since, serial) = self.index.front(network).filter_map(stood).min()?;
        let long = since > now || since.plus(self.rules.tag_patience) <= now;
        long.then_some(serial)
    }

    /// A ticket of a crowd moves to the front when there is room for its network, or one yields.
    pub(super) fn bring_forward(&mut self, serial: Serial, now: Timestamp) {
        let queued = self.index.get(serial).map(|leased| &leased.queued);
        let crowded = queued.filter(|it| it.crowded).map(|it| it.ticket.prefixes);
        if crowded.is_some_and(|prefixes| !self.crowded(prefixes, now)) {
            self.move_to(serial, false, now);
        }
    }

    pub(super) fn move_to(&mut self, serial: Serial, crowded: bool, now: Timestamp) {
        if let Some(mut leased) = self.index.remove(serial) {
            leased.queued.crowded = crowded;
            leased.queued.stood = (!crowded).then_some(now);
            self.index.insert(leased.queued, leased.lease);
        }
    }
}
