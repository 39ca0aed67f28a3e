//! Who is due to be forgotten next. Renewing costs nothing here: the deadline that counts is kept
//! with the ticket or the outcome, and an entry that comes up too early is put back.

use std::collections::BTreeSet;

use super::line::Serial;
use crate::domain::id::{RoomId, Timestamp};

/// What a lease is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Held {
    /// A waiting ticket.
    Ticket(Serial),
    /// A kept outcome, by its room.
    Outcome(RoomId),
}

/// A lease: the deadline that counts, and where it stands in [`Leases`].
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
pub(super) struct Leases {
    due: BTreeSet<(Timestamp, Held)>,
}

impl Leases {
    /// Begins a lease.
    pub(super) fn begin(&mut self, held: Held, until: Timestamp) -> Lease {
        self.due.insert((until, held));
        Lease {
            until,
            noted: until,
        }
    }

    /// Forgets a lease.
    pub(super) fn end(&mut self, held: Held, lease: &Lease) {
        self.due.remove(&(lease.noted, held));
    }

    /// Whoever comes up at `now`; their lease may have been extended since.
    pub(super) fn first_due(&self, now: Timestamp) -> Option<Held> {
        let (noted, held) = self.due.first()?;
        (*noted <= now).then_some(*held)
    }

    /// Notes an extended lease anew.
    pub(super) fn put_back(&mut self, held: Held, lease: &mut Lease) {
        self.due.remove(&(lease.noted, held));
        self.due.insert((lease.until, held));
        lease.noted = lease.until;
    }
}
