//! A ticket's tags as numbers: what lines are found and tags compared by.

use std::hash::{BuildHasher, RandomState};

use crate::domain::wish::{TAGS, fold};
use crate::matching::Ticket;

/// Which of a ticket's tags, one bit each in the order of [`TagKeys`].
pub(super) type TagMask = u8;

/// Keyed hashes of a ticket's folded tags, sorted; two people share a tag when they share a hash.
/// The hash is keyed per process, so that a client cannot aim for a collision of two tags.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TagKeys {
    keys: [u64; TAGS],
    len: u8,
    /// Those that are no topics of the pages.
    free: TagMask,
}

impl TagKeys {
    pub(super) fn of(ticket: &Ticket, hasher: &RandomState) -> Self {
        let mut all = [(0, false); TAGS];
        let mut len = 0;
        for (tag, is_topic) in ticket.wish.tags.with_kinds().take(TAGS) {
            all[len] = (hasher.hash_one(fold(tag)), is_topic);
            len += 1;
        }
        all[..len].sort_unstable();
        let mut keys = Self {
            keys: all.map(|(key, _)| key),
            len: u8::try_from(len).expect("three at most"),
            free: 0,
        };
        for (index, (_, topic)) in all[..len].iter().enumerate() {
            keys.free |= u8::from(!topic) << index;
        }
        keys
    }

    fn as_slice(&self) -> &[u64] {
        &self.keys[..usize::from(self.len)]
    }

    /// All of them.
    pub(super) fn all(&self) -> TagMask {
        (1 << self.len) - 1
    }

    /// Those that are no topics, each with its own mask.
    pub(super) fn free(self) -> impl Iterator<Item = TagMask> {
        (0..TAGS)
            .map(|i| 1 << i)
            .filter(move |bit| self.free & bit != 0)
    }

    /// Those that are topics of the pages.
    pub(super) fn topics(&self) -> TagMask {
        self.all() & !self.free
    }

    /// How many of these tags the other has too.
    pub(super) fn shared(&self, of: TagMask, other: &TagKeys) -> usize {
        let theirs = other.as_slice();
        let own = self.as_slice().iter().enumerate();
        own.filter(|(i, key)| of & (1 << i) != 0 && theirs.contains(key))
            .count()
    }

    /// Whether this tag, by its hash, is one of these.
    pub(super) fn holds(&self, of: TagMask, key: u64) -> bool {
        let mut own = self.as_slice().iter().enumerate();
        own.any(|(i, own)| of & (1 << i) != 0 && *own == key)
    }

    /// The keys of all subsets of these tags with this many of them.
    pub(super) fn subsets(self, of: TagMask, size: usize) -> impl Iterator<Item = u64> {
        let masks = 1..=of;
        masks
            .filter(move |mask| mask & !of == 0 && mask.count_ones() as usize == size)
            .map(move |mask| self.subset(mask))
    }

    /// Each non-empty subset once.
    pub(super) fn all_subsets(self) -> impl Iterator<Item = u64> {
        (1u8..1 << self.len).map(move |mask| self.subset(mask))
    }

    /// One subset as one key. The parts are keyed hashes already: mixing them needs no further
    /// secret, only a rule by which {a, b} differs from {b} and from {a, b, c}.
    pub(super) fn subset(self, mask: TagMask) -> u64 {
        let chosen = (0..TAGS).filter(|i| mask & (1 << i) != 0);
        chosen.fold(0, |mixed: u64, i| {
            (mixed.rotate_left(23) ^ self.keys[i]).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        })
    }
}
