//! What each network has spent, in this process. Bounded: what is full again is forgotten.

use crate::domain::PrefixHashes;
use crate::domain::id::{IdMap, Timestamp};
use crate::matching::budget::{Budget, BudgetStanding, PAIR, apart, pair};

/// What was not touched for so long is full again, in milliseconds.
const FULL_AFTER: i64 = 120_000;
/// Most networks of one generation; beyond, the older generation goes early. As many as a table with 2^19
/// places takes: 8.5 MiB.
const MOST: usize = 450_000;

/// When each network's budget will be full again. Two generations, so that forgetting costs nothing:
/// a network that pays is kept in the newer one, and the older one is dropped whole.
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

    /// How the networks of `own` that do not hold the other stand; the worst of them.
    pub(super) fn standing(
        &self,
        own: PrefixHashes,
        other: PrefixHashes,
        now: Timestamp,
    ) -> BudgetStanding {
        if self.rule.off() {
            return BudgetStanding::Within;
        }
        let standing = |(level, network)| match self.full_at(network) {
            None => BudgetStanding::Within,
            full_at => self.rule.standing(level, full_at, now),
        };
        let all = apart(own, other).map(standing);
        all.max().unwrap_or(BudgetStanding::Within)
    }

    /// A network of `own` has no pairing left with one that it does not hold.
    pub(super) fn spent(&self, own: PrefixHashes, other: PrefixHashes, now: Timestamp) -> bool {
        self.standing(own, other, now) > BudgetStanding::Within
    }

    /// Half of what the narrowest network had is gone.
    pub(super) fn half_gone(&self, own: PrefixHashes, now: Timestamp) -> bool {
        let full_at = own.narrowest().and_then(|network| self.full_at(network));
        !self.rule.off() && self.rule.half_gone(full_at, now)
    }

    /// These two networks have met as often as a pair does.
    pub(super) fn met_often(&self, one: PrefixHashes, other: PrefixHashes, now: Timestamp) -> bool {
        let often = |pair| {
            let full_at = self.full_at(pair);
            full_at.is_some() && self.rule.standing(PAIR, full_at, now) > BudgetStanding::Within
        };
        !self.rule.off() && pair(one, other).is_some_and(often)
    }

    /// These two meet: each network that does not hold the other pays, and so does the pair.
    pub(super) fn pay(&mut self, one: PrefixHashes, other: PrefixHashes, now: Timestamp) {
        if self.rule.off() {
            return;
        }
        self.turn(now);
        let pair = pair(one, other).map(|pair| (PAIR, pair));
        for (level, name) in apart(one, other).chain(apart(other, one)).chain(pair) {
            let full_at = self.full_at(name);
            if self.rule.standing(level, full_at, now) < BudgetStanding::Exhausted {
                let full_at = self.rule.spend(level, full_at, now);
                self.newer.insert(name, full_at);
            }
        }
    }

    /// What `own` paid for a pairing with the other is given back.
    pub(super) fn refund(&mut self, own: PrefixHashes, other: PrefixHashes, now: Timestamp) {
        for (level, network) in apart(own, other) {
            self.refund_one(level, network, now);
        }
    }

    /// What the pair of the two paid is given back.
    pub(super) fn refund_pair(&mut self, one: PrefixHashes, other: PrefixHashes, now: Timestamp) {
        if let Some(pair) = pair(one, other) {
            self.refund_one(PAIR, pair, now);
        }
    }

    fn refund_one(&mut self, level: usize, name: u64, now: Timestamp) {
        if let Some(full_at) = self.full_at(name) {
            let full_at = self.rule.refund(level, Some(full_at), now);
            self.newer.insert(name, full_at);
        }
    }

    fn full_at(&self, network: u64) -> Option<Timestamp> {
        let newer = self.newer.get(&network);
        newer.or_else(|| self.older.get(&network)).copied()
    }

    fn turn(&mut self, now: Timestamp) {
        let ago = now.0.saturating_sub(self.turned.0);
        // Also when the clock was set back behind the last turn.
        if !(0..FULL_AFTER).contains(&ago) || self.newer.len() >= MOST {
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
            budgets.pay(home(1), home(100 + n), at(110_000));
        }
        assert!(budgets.spent(home(1), home(2), at(110_000)));
        assert!(!budgets.spent(home(1), home(1), at(110_000)), "its own");
        // The generations turn in between.
        budgets.pay(home(7), home(8), at(0));
        budgets.pay(home(7), home(8), at(121_000));
        assert!(!budgets.spent(home(1), home(2), at(170_000)));
        budgets.pay(home(7), home(8), at(250_000));
        budgets.pay(home(7), home(8), at(400_000));
        assert!(budgets.newer.len() + budgets.older.len() <= 10);
    }

    #[test]
    fn a_clock_set_back_leaves_no_budget_spent() {
        let mut budgets = Budgets::new(Budget::per_minute(10));
        for n in 0..20 {
            budgets.pay(home(1), home(100 + n), Timestamp(3_600_000));
        }
        let now = Timestamp(3_600_000);
        assert_eq!(
            budgets.standing(home(1), home(2), now),
            BudgetStanding::Exhausted
        );
        assert_eq!(
            budgets.standing(home(1), home(2), Timestamp(0)),
            BudgetStanding::Within
        );
    }
}
