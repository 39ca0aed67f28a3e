//! Forgetting what has expired: a few with each call, and the rest when no call comes.

use super::PoolState;
use crate::domain::id::{SessionId, Timestamp};
use crate::matching::memory::lease::LeaseHolder;

/// How many leases that came up each call looks at: more than one call begins, so that the expired
/// never pile up.
const UPKEEP: usize = 4;

/// Tables with less in them than this are small.
const FEW: usize = 512;

impl PoolState {
    /// Drops a few of those whose lease is over; with the last of them also the room that many had. False: there are
    /// no more.
    pub(in crate::matching::memory) fn tidy(&mut self, now: Timestamp) -> bool {
        let more = self.upkeep(now);
        // Of many that are left it would take long.
        if !more && self.tickets.len() < FEW {
            self.tickets.shrink_to(FEW);
            self.outcomes.shrink_to(FEW);
        }
        more
    }

    pub(super) fn expire_session(&mut self, session: SessionId, now: Timestamp) {
        for serial in self.index.of_session(session).to_vec() {
            if self.expired(serial, now) {
                self.remove(serial);
            }
        }
    }

    /// Drops a few of those whose lease is over. False: there are no more.
    pub(super) fn upkeep(&mut self, now: Timestamp) -> bool {
        for _ in 0..UPKEEP {
            let Some(holder) = self.leases.first_due(now) else {
                return false;
            };
            let lease = match holder {
                LeaseHolder::Ticket(serial) => self.index.get_mut(serial).map(|w| &mut w.lease),
                LeaseHolder::Outcome(room) => self.outcomes.get_mut(&room).map(|o| &mut o.lease),
            };
            let lease = lease.expect("a noted lease belongs to a ticket or an outcome");
            if !lease.over(now) {
                self.leases.put_back(holder, lease);
                continue;
            }
            match holder {
                LeaseHolder::Ticket(serial) => drop(self.remove(serial)),
                LeaseHolder::Outcome(room) => drop(self.forget(room)),
            }
        }
        true
    }
}
