//! Which tickets of a network stand in the front, and what its networks are given back. Who is met is
//! `search`'s to say.

use super::State;
use crate::domain::PrefixHashes;
use crate::domain::id::{TicketId, Timestamp};
use crate::matching::memory::line::Serial;
use crate::matching::memory::roster::{Entrant, FRONT};

impl State {
    /// Who goes back has met nobody, so its networks have paid for nothing. What the pair paid stays with
    /// it while one side is gone: else the same outsider could come and go without end.
    pub(super) fn refund(
        &mut self,
        entrants: &[Box<Entrant>; 2],
        gone: Option<TicketId>,
        now: Timestamp,
    ) {
        let [one, other] = entrants.each_ref().map(|entrant| &entrant.ticket);
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
        let front: Vec<Serial> = self.roster.front(network).collect();
        if front.len() < FRONT {
            return false;
        }
        for serial in front {
            if self.expired(serial, now) {
                self.remove(serial);
            }
        }
        if self.roster.front(network).count() < FRONT {
            return false;
        }
        let yields = self.longest_in_front(network, now);
        if let Some(serial) = yields {
            self.move_to(serial, true, now);
        }
        yields.is_none()
    }

    /// Who has stood in the front longest, and for as long as patience lasts: five searches that fit
    /// nobody must not hold a network's places for ever. After a clock was set back, at once.
    fn longest_in_front(&self, network: u64, now: Timestamp) -> Option<Serial> {
        let stood = |serial: Serial| Some((self.roster.get(serial)?.entrant.stood?, serial));
        let (since, serial) = self.roster.front(network).filter_map(stood).min()?;
        let long = since > now || since.plus(self.rules.tag_patience) <= now;
        long.then_some(serial)
    }

    /// A ticket of a crowd moves to the front when there is room for its network, or one yields.
    pub(super) fn bring_forward(&mut self, serial: Serial, now: Timestamp) {
        let entrant = self.roster.get(serial).map(|waiter| &waiter.entrant);
        let crowded = entrant.filter(|it| it.crowded).map(|it| it.ticket.prefixes);
        if crowded.is_some_and(|prefixes| !self.crowded(prefixes, now)) {
            self.move_to(serial, false, now);
        }
    }

    pub(super) fn move_to(&mut self, serial: Serial, crowded: bool, now: Timestamp) {
        if let Some(mut waiter) = self.roster.remove(serial) {
            waiter.entrant.crowded = crowded;
            waiter.entrant.stood = (!crowded).then_some(now);
            self.roster.insert(waiter.entrant, waiter.lease);
        }
    }
}
