//! What each network has spent, in this process. Bounded: what is full again is forgotten.

use crate::id::{IdMap, Timestamp};
use crate::matching::budget::{Budget, apart};
use crate::model::PrefixHashes;

/// What was not touched for so long is full again, in milliseconds.
const FULL_AFTER: i64 = 60_000;
/// Most networks of one generation; beyond, the older generation goes early. As many as a table with 2^19
/// places takes: 8.5 MiB.
const MOST: usize = 450_000;

/// When each network's budget will be full again. Two generations, so that forgetting costs nothing:
/// whoever pays stands in the newer one, and the older one is dropped whole.
pub(super) struct Budgets {
    rule: Budget,
    newer: IdMap<u64, Timestamp>,
    older: IdMap<u64, Timestamp>,
    turned: Timestamp,
}

impl Budgets {
    pub(super) fn new(rule: Budget) -> Self {
        Self {
            rule,
            newer: IdMap::default(),
            older: IdMap::default(),
            turned: Timestamp(i64::MIN),
        }
    }

    /// A network of `own` has no pairing left with one that it does not hold.
    pub(super) fn spent(&self, own: PrefixHashes, other: PrefixHashes, now: Timestamp) -> bool {
        !self.rule.off()
            && apart(own, other).any(|(level, network)| {
                let full_at = self.full_at(network);
                full_at.is_some() && self.rule.spend(level, full_at, now).is_none()
            })
    }

    /// These two meet: each network that does not hold the other pays, if it can.
    pub(super) fn pay(&mut self, one: PrefixHashes, other: PrefixHashes, now: Timestamp) {
        if self.rule.off() {
            return;
        }
        self.turn(now);
        for (level, network) in apart(one, other).chain(apart(other, one)) {
            if let Some(full_at) = self.rule.spend(level, self.full_at(network), now) {
                self.newer.insert(network, full_at);
            }
        }
    }

    fn full_at(&self, network: u64) -> Option<Timestamp> {
        let newer = self.newer.get(&network);
        newer.or_else(|| self.older.get(&network)).copied()
    }

    fn turn(&mut self, now: Timestamp) {
        if now.0.saturating_sub(self.turned.0) >= FULL_AFTER || self.newer.len() >= MOST {
            self.older = std::mem::take(&mut self.newer);
            self.turned = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(number: u64) -> PrefixHashes {
        PrefixHashes([number, 1_000_000 + number, 0])
    }

    #[test]
    fn a_budget_outlives_a_turn_and_what_is_full_is_forgotten() {
        let mut budgets = Budgets::new(Budget::per_minute(10));
        let at = |ms: i64| Timestamp(1_700_000_000_000 + ms);
        for n in 0..10 {
            budgets.pay(home(1), home(100 + n), at(50_000));
        }
        assert!(budgets.spent(home(1), home(2), at(50_000)));
        assert!(!budgets.spent(home(1), home(1), at(50_000)), "its own");
        // The generations turn in between.
        budgets.pay(home(7), home(8), at(111_000));
        assert!(!budgets.spent(home(1), home(2), at(111_000)));
        assert!(budgets.newer.len() <= 4);
        budgets.pay(home(7), home(8), at(200_000));
        budgets.pay(home(7), home(8), at(300_000));
        assert!(budgets.newer.len() + budgets.older.len() <= 8);
    }
}
