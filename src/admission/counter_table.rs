//! What each caller owes of each rate, in memory that is given out once and never grows.
//!
//! A key has [`WAYS`] places it may stand in. Should all of them be taken by keys that owe something,
//! a new key takes over the place of the key that owes least, *with what that one owed* (the rule of
//! the Space-Saving sketch). So what a place has counted is never too little for the keys that use
//! most, a flood of fresh keys spoils nothing for them, and a stranger is refused for the sake of
//! others only where all its places are used up.

use parking_lot::{Mutex, MutexGuard};

/// Places a key may stand in.
const WAYS: usize = 7;
/// Rates that are counted side by side; see [`crate::admission::rates::RateKind`].
pub(super) const KINDS: usize = 8;

/// When a key owes nothing more, for each rate, in nanoseconds of the ledger's own clock.
pub(super) type Debts = [u64; KINDS];

/// Keys and debts of one level.
pub(super) struct Table {
    /// As many as a power of two.
    sets: Box<[Mutex<Set>]>,
}

struct Set {
    /// 0: free.
    keys: [u64; WAYS],
    debts: [Debts; WAYS],
}

/// A key's place, held. Nothing is changed before [`HeldKey::commit`].
pub(super) struct HeldKey<'a> {
    set: MutexGuard<'a, Set>,
    way: usize,
    key: u64,
    /// What the key owes; what a fresh key would owe.
    pub(super) debts: Debts,
}

impl Table {
    /// With room for `1 << bits` times [`WAYS`] keys.
    pub(super) fn new(bits: u32) -> Self {
        let empty = || {
            Mutex::new(Set {
                keys: [0; WAYS],
                debts: [[0; KINDS]; WAYS],
            })
        };
        Self {
            sets: std::iter::repeat_with(empty).take(1 << bits).collect(),
        }
    }

    /// Bytes it holds, now and for ever.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        std::mem::size_of_val(&*self.sets)
    }

    /// Forgets the keys that owe nothing.
    pub(super) fn forget(&self, now: u64) {
        for set in &self.sets {
            let mut set = set.lock();
            for way in 0..WAYS {
                if set.is_free(way, now) {
                    set.keys[way] = 0;
                }
            }
        }
    }

    /// Keys that are remembered.
    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        let keys = self.sets.iter().map(|set| {
            let keys = set.lock().keys;
            keys.iter().filter(|key| **key != 0).count()
        });
        keys.sum()
    }

    /// The place of this key. `share` tells how much of its quotas a key has used up, 0 to 1; it is
    /// asked only when the place is crowded.
    pub(super) fn hold(&self, key: u64, now: u64, share: impl Fn(&Debts) -> f64) -> HeldKey<'_> {
        // The length is a power of two.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "its low bits are what is wanted"
        )]
        let index = key as usize & (self.sets.len() - 1);
        let set = self.sets[index].lock();
        if let Some(way) = set.keys.iter().position(|it| *it == key) {
            let debts = set.debts[way];
            return HeldKey {
                set,
                way,
                key,
                debts,
            };
        }
        if let Some(way) = (0..WAYS).find(|way| set.is_free(*way, now)) {
            let debts = [0; KINDS];
            return HeldKey {
                set,
                way,
                key,
                debts,
            };
        }
        let mut least = (0, f64::INFINITY);
        for (way, debts) in set.debts.iter().enumerate() {
            let used = share(debts);
            if used < least.1 {
                least = (way, used);
            }
        }
        let way = least.0;
        let debts = set.debts[way];
        HeldKey {
            set,
            way,
            key,
            debts,
        }
    }
}

impl Set {
    fn is_free(&self, way: usize, now: u64) -> bool {
        self.keys[way] == 0 || self.debts[way].iter().all(|until| *until <= now)
    }
}

impl HeldKey<'_> {
    /// The key stands here from now on, with these debts.
    pub(super) fn commit(mut self) {
        self.set.keys[self.way] = self.key;
        self.set.debts[self.way] = self.debts;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn add(table: &Table, key: u64, now: u64, much: u64) -> u64 {
        let mut held = table.hold(key, now, |debts| debts[0] as f64);
        held.debts[0] = held.debts[0].max(now) + much;
        let owes = held.debts[0] - now;
        held.commit();
        owes
    }

    proptest! {
        /// As Space-Saving promises: no key is ever counted short, and each exactly as long as no
        /// more keys come than there are places.
        #[test]
        fn no_key_is_counted_short(
            asks in prop::collection::vec((1_u64..12, 1_u64..50), 1..200),
        ) {
            let table = Table::new(0);
            let mut truth: HashMap<u64, u64> = HashMap::new();
            for (key, much) in asks {
                let owed = truth.entry(key).or_default();
                *owed += much;
                let owed = *owed;
                let said = add(&table, key, 1, much);
                prop_assert!(said >= owed, "{said} of {owed}");
                prop_assert!(said == owed || truth.len() > WAYS, "{said} of {owed}");
            }
        }
    }

    #[test]
    fn what_is_owed_no_more_is_forgotten() {
        let table = Table::new(2);
        for key in 1..=20 {
            add(&table, key, 0, key);
        }
        table.forget(10);
        assert_eq!(table.keys(), 10);
        table.forget(20);
        assert_eq!(table.keys(), 0);
    }
}
