//! Which ticket or outcome is due to be forgotten next. Renewing costs nothing here: the deadline that counts is kept
//! with the ticket or the outcome, and an entry that comes up too early is put back.

use std::collections::BTreeSet;

use super::ticket_queue::Serial;
use crate::domain::id::{RoomId, Timestamp};

/// What a lease is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LeaseHolder {
    /// A waiting ticket.
    Ticket(Serial),
    /// A kept outcome, by its room.
    Outcome(RoomId),
}

/// A lease: the deadline that counts, and where it stands in [`LeaseTable`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    until: Timestamp,
    noted: Timestamp,
}

impl Lease {
    /// Over at `now`.
    pub(super) fn over(&self, now: Timestamp) -> bool {
        self.until <= now
    }

    /// Lasts until then instead, unless it lasts longer already (clocks may go backwards).
    pub(super) fn extend(&mut self, until: Timestamp) {
        self.until = self.until.max(until);
    }
}

/// All leases by (what was once) their deadline.
#[derive(Default)]
pub(super) struct LeaseTable {
    due: BTreeSet<(Timestamp, LeaseHolder)>,
}

impl LeaseTable {
    /// Begins a lease.
    pub(super) fn begin(&mut self, holder: LeaseHolder, until: Timestamp) -> Lease {
        self.due.insert((until, holder));
        Lease {
            until,
            noted: until,
        }
    }

    /// Forgets a lease.
    pub(super) fn end(&mut self, holder: LeaseHolder, lease: &Lease) {
        self.due.remove(&(lease.noted, holder));
    }

    /// The first lease noted as due at `now`; it may have been extended since.
    pub(super) fn first_due(&self, now: Timestamp) -> Option<LeaseHolder> {
        let (noted, holder) = self.due.first()?;
        (*noted <= now).then_some(*holder)
    }

    /// Notes an extended lease anew.
    pub(super) fn put_back(&mut self, holder: LeaseHolder, lease: &mut Lease) {
        self.due.remove(&(lease.noted, holder));
        self.due.insert((lease.until, holder));
        lease.noted = lease.until;
    }
}
