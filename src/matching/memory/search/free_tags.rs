//! Which of a searcher's free tags count: so many others wait with them that a pairing gives none of them away.

use std::collections::HashSet;

use super::{PartnerSearch, Walk};
use crate::matching::memory::queue::Lane;
use crate::matching::memory::tags::TagMask;
use crate::matching::memory::ticket_queue::Serial;
use crate::matching::{Ticket, rule};

/// How many tickets with a free tag are looked at to know whether it counts.
const WITH_TAG: usize = 32;

impl Walk<'_> {
    /// Finds out which of my free tags count.
    pub(super) fn count_free_tags(&mut self) {
        let keys = self.search.me.keys;
        for tag in keys.free() {
            let [networks, sessions] = self.with_tag(tag);
            let counts = [networks, sessions].map(|others| others >= rule::FREE_TAG_CROWD);
            for (mask, counts) in self.counting.iter_mut().zip(counts) {
                *mask |= if counts { tag } else { 0 };
            }
        }
    }

    /// How many other wide networks, and sessions of my own narrow one, wait with this tag, as far as it
    /// matters. A ticket of no known network stands for itself.
    fn with_tag(&self, tag: TagMask) -> [usize; 2] {
        let PartnerSearch { index, me, now, .. } = self.search;
        let own = me.ticket.prefixes.narrowest();
        let (mut networks, mut sessions) = (HashSet::new(), HashSet::new());
        let crowd = own.map(Lane::Network);
        let lanes = [Some(Lane::Front), crowd].into_iter().flatten();
        for lane in lanes {
            let all = index.queues.with_tag(lane, me.keys, tag).take(WITH_TAG);
            for leased in all.filter_map(|place| index.get(place.serial())) {
                let other = &leased.queued.ticket;
                if leased.lease.over(now) || other.session == me.ticket.session {
                    continue;
                }
                if own.is_some() && other.prefixes.narrowest() == own {
                    sessions.insert(other.session);
                }
                let network = other.prefixes.widest();
                if network.is_none() || network != me.ticket.prefixes.widest() {
                    networks.insert((network, network.is_none().then_some(other.session)));
                }
            }
        }
        [networks.len(), sessions.len()]
    }

    /// The tags that may count for a ticket of this lane.
    pub(super) fn counting_in(&self, lane: Lane) -> TagMask {
        let [networks, own] = self.counting;
        let mine = self.search.me.ticket.prefixes.narrowest();
        match lane {
            Lane::Network(network) if mine == Some(network) => own,
            Lane::Network(_) => networks,
            Lane::Front => networks | if mine.is_some() { own } else { 0 },
        }
    }

    pub(super) fn counting_between(&self, other: &Ticket) -> TagMask {
        let mine = self.search.me.ticket.prefixes.narrowest();
        let one_network = mine.is_some() && mine == other.prefixes.narrowest();
        self.counting[usize::from(one_network)]
    }

    pub(super) fn counting_with(&self, serial: Serial) -> TagMask {
        let other = self.search.index.get(serial);
        other.map_or(0, |other| self.counting_between(&other.queued.ticket))
    }
}
