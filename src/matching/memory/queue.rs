//! The queues: who waits under which tags, oldest first. They hold names of tickets only; whether
//! two tickets fit is the rules' part.
//!
//! A ticket stands under each non-empty subset of its tags (at most seven) and, once it is open to
//! anyone, in the queue of those. So the best partner of an arrival is found from the large subsets
//! to the small ones at the heads of queues, and never behind people who still insist on tags.
//!
//! A few tickets of each network stand in the front, before all other lanes; the others in a lane of
//! their own network (its crowd), where they hide no ticket of another network.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};

use super::tags::{TagKeys, TagMask};
use super::ticket_queue::{Bucket, Merge, QueuePlace, TicketAge, TicketQueue};
use crate::domain::id::IdMap;
use crate::matching::{Ticket, rule};

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// The first lane, which every search walks.
    Front,
    /// The lane of this network's other tickets.
    Network(u64),
}

impl Lane {
    /// The key of a queue in this lane. A collision costs a visit: who may meet is judged by tickets.
    fn key(self, subset: u64) -> u64 {
        match self {
            Lane::Front => subset,
            Lane::Network(network) => {
                (subset.rotate_left(29) ^ network).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            }
        }
    }
}

/// The key of the queue of those that are open to anyone.
const ANYONE: u64 = 0;

/// All waiting tickets, by tags and by readiness to meet anyone.
#[derive(Default)]
pub(super) struct Queues {
    hasher: RandomState,
    /// The keys are keyed hashes already.
    by_tags: IdMap<u64, TicketQueue>,
    anyone: Bucket,
    /// How many stand in each network's crowd.
    crowds: BTreeMap<u64, u32>,
}

impl Queues {
    /// The keys of a ticket's tags, computed once.
    pub(super) fn keys(&self, ticket: &Ticket) -> TagKeys {
        TagKeys::of(ticket, &self.hasher)
    }

    /// The hash by which a folded tag stands in [`TagKeys`].
    pub(super) fn hash(&self, folded: &str) -> u64 {
        self.hasher.hash_one(folded)
    }

    /// Puts a ticket into each of its queues.
    pub(super) fn insert(&mut self, ticket: &Ticket, keys: TagKeys, place: QueuePlace, lane: Lane) {
        for subset in keys.all_subsets() {
            self.enqueue(lane.key(subset), place);
        }
        if rule::open_to_anyone(ticket) {
            match lane {
                Lane::Front => self.anyone.insert(place),
                Lane::Network(_) => self.enqueue(lane.key(ANYONE), place),
            }
        }
        if let Lane::Network(network) = lane {
            *self.crowds.entry(network).or_default() += 1;
        }
    }

    /// Takes a ticket out of each of its queues.
    pub(super) fn remove(&mut self, keys: TagKeys, place: QueuePlace, lane: Lane) {
        for subset in keys.all_subsets() {
            self.dequeue(lane.key(subset), place);
        }
        match lane {
            Lane::Front => self.anyone.remove(place),
            Lane::Network(network) => {
                self.dequeue(lane.key(ANYONE), place);
                let left = self.crowds.get_mut(&network);
                let left = left.expect("the crowd of a ticket that stands in it is counted");
                *left -= 1;
                if *left == 0 {
                    self.crowds.remove(&network);
                }
            }
        }
    }

    /// Those under each set of this many of these tags, longest waiting first, from behind this age.
    pub(super) fn sharing(
        &self,
        lane: Lane,
        classes: &[u8],
        (keys, of, size): (TagKeys, TagMask, usize),
        after: Option<TicketAge>,
    ) -> Merge<'_> {
        let subsets = keys.subsets(of, size).map(|subset| lane.key(subset));
        let lines = subsets.filter_map(|key| self.by_tags.get(&key));
        Merge::new(lines.flat_map(|queue| {
            let classes = classes.iter();
            classes.filter_map(move |class| queue.of_class(*class, after))
        }))
    }

    /// Those who are open to anyone, longest waiting first, from behind this age.
    pub(super) fn open(&self, lane: Lane, classes: &[u8], after: Option<TicketAge>) -> Merge<'_> {
        match lane {
            Lane::Front => {
                let classes = classes.iter();
                Merge::new(classes.filter_map(|class| self.anyone.of_class(*class, after)))
            }
            Lane::Network(_) => {
                let queue = self.by_tags.get(&lane.key(ANYONE)).into_iter();
                Merge::new(queue.flat_map(|queue| {
                    let classes = classes.iter();
                    classes.filter_map(move |class| queue.of_class(*class, after))
                }))
            }
        }
    }

    /// Those with this one tag, in no order that matters.
    pub(super) fn with_tag(
        &self,
        lane: Lane,
        keys: TagKeys,
        tag: TagMask,
    ) -> impl Iterator<Item = QueuePlace> {
        let queue = self.by_tags.get(&lane.key(keys.subset(tag)));
        queue.into_iter().flat_map(TicketQueue::all)
    }

    /// Networks that have a crowd, each once, from the first at or behind this number on.
    pub(super) fn crowds_from(&self, number: u64) -> impl Iterator<Item = u64> {
        let behind = self.crowds.range(number..);
        behind
            .chain(self.crowds.range(..number))
            .map(|(network, _)| *network)
    }

    /// No ticket stands in this network's lane.
    pub(super) fn no_crowd(&self, network: u64) -> bool {
        self.crowds.is_empty() || !self.crowds.contains_key(&network)
    }

    fn enqueue(&mut self, key: u64, place: QueuePlace) {
        match self.by_tags.entry(key) {
            Entry::Occupied(mut queue) => queue.get_mut().insert(place),
            Entry::Vacant(free) => {
                free.insert(TicketQueue::One(place));
            }
        }
    }

    fn dequeue(&mut self, key: u64, place: QueuePlace) {
        if let Entry::Occupied(mut queue) = self.by_tags.entry(key)
            && queue.get_mut().remove(place)
        {
            queue.remove();
        }
    }
}
