//! How often a network meets others: one pairing costs each side one, at each length of prefix at
//! which the two differ, and the pair of networks one. Pairings within a network cost nothing there.
//! Pure; a pool keeps the numbers.

use std::time::Duration;

use crate::domain::PrefixHashes;
use crate::domain::id::Timestamp;
use crate::domain::ip_prefix::LEVELS;

/// What a network may have spent at once is refilled in this time.
const WINDOW: Duration = Duration::from_secs(60);
/// A network that patient people meet goes on owing, up to what is refilled in this time.
const MOST_OWED: Duration = Duration::from_secs(120);
/// The level of a pair of narrowest networks, behind those of single ones.
pub const PAIR: usize = LEVELS;
/// A pair meets this part as often as a network does: so an outsider that meets the same people again and
/// again, only to leave them, spends little of what their network has.
const PAIR_SHARE: u32 = 5;

/// How a network, or a pair of them, stands before one more pairing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BudgetStanding {
    /// It has one left.
    Within,
    /// It has none left; only with patient people it may owe one.
    Spent,
    /// It owes as much as it may.
    Exhausted,
}

/// The rule of `matching.prefix_pairings_per_minute`: so many a minute, and as many at once, for the
/// narrowest prefix; four times as many for each wider one. 0: no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    per_minute: u32,
}

impl Budget {
    /// So many pairings with other networks a minute.
    pub fn per_minute(per_minute: u32) -> Self {
        Self { per_minute }
    }

    /// Nothing is counted.
    pub fn off(self) -> bool {
        self.per_minute == 0
    }

    /// What the pool's scripts are given.
    pub(super) fn number(self) -> u32 {
        self.per_minute
    }

    /// How a network stands before one more pairing at `now`; `full_at` is when its budget will be full.
    pub fn standing(
        self,
        level: usize,
        full_at: Option<Timestamp>,
        now: Timestamp,
    ) -> BudgetStanding {
        let full_at = self.spend(level, full_at, now);
        if full_at <= now.plus(WINDOW) {
            BudgetStanding::Within
        } else if full_at <= now.plus(MOST_OWED) {
            BudgetStanding::Spent
        } else {
            BudgetStanding::Exhausted
        }
    }

    /// Half of the budget or more is gone: what is left goes to those who have waited longest.
    pub fn half_gone(self, full_at: Option<Timestamp>, now: Timestamp) -> bool {
        known(full_at, now) >= now.plus(WINDOW / 2)
    }

    /// When a network's budget will be full again, after one more pairing at `now`.
    pub fn spend(self, level: usize, full_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
        known(full_at, now).plus(self.refill(level))
    }

    /// The same after one pairing that was taken back.
    pub fn refund(self, level: usize, full_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
        known(full_at, now).minus(self.refill(level))
    }

    /// How long one pairing takes to come back, in whole milliseconds as the scripts count.
    fn refill(self, level: usize) -> Duration {
        let rate = match level {
            PAIR => u64::from(self.per_minute / PAIR_SHARE),
            level => u64::from(self.per_minute) << (2 * level),
        };
        Duration::from_millis(60_000 / rate.max(1))
    }
}

/// When a budget is full. Nothing owes more than it may: a later moment was written before the clock was
/// set back, and says nothing.
fn known(full_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let full_at = full_at.filter(|at| (now..=now.plus(MOST_OWED)).contains(at));
    full_at.unwrap_or(now)
}

/// Two different narrowest networks as one number, in whichever order; `None` when one is not known. They
/// are keyed hashes: a collision cannot be aimed for.
pub fn pair(one: PrefixHashes, other: PrefixHashes) -> Option<u64> {
    let (one, other) = (one.narrowest()?, other.narrowest()?);
    let mixed = one.min(other).rotate_left(32) ^ one.max(other);
    (one != other).then_some(mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// The networks of the first that do not hold the second, with their levels: what pays for a pairing.
pub fn apart(own: PrefixHashes, other: PrefixHashes) -> impl Iterator<Item = (usize, u64)> {
    let both = own.0.into_iter().zip(other.0).enumerate();
    both.filter(|(_, (own, other))| *own != 0 && own != other)
        .map(|(level, (own, _))| (level, own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp(1_000_000 + ms)
    }

    /// How many pairings a network gets by asking every `step` milliseconds for so long.
    fn pairings(level: usize, step: i64, until: i64, worst: BudgetStanding) -> usize {
        let budget = Budget::per_minute(10);
        let mut full_at = None;
        let mut made = 0;
        for now in (0..until).step_by(usize::try_from(step).unwrap()) {
            if budget.standing(level, full_at, at(now)) <= worst {
                (full_at, made) = (Some(budget.spend(level, full_at, at(now))), made + 1);
            }
        }
        made
    }

    #[test]
    fn a_burst_and_then_the_rate_four_times_as_high_for_each_wider_prefix() {
        let within = |level, step, until| pairings(level, step, until, BudgetStanding::Within);
        assert_eq!(within(0, 1, 1_000), 10);
        assert_eq!(within(1, 1, 1_000), 40);
        assert_eq!(within(2, 1, 300), 160);
        assert_eq!(within(PAIR, 1, 1_000), 2);
        assert_eq!(within(0, 50, 60_000), 20 - 1);
        assert_eq!(within(0, 6_000, 600_000), 100);
    }

    #[test]
    fn a_network_owes_at_most_one_more_window() {
        let owing = |step, until| pairings(0, step, until, BudgetStanding::Spent);
        assert_eq!(owing(1, 1_000), 20);
        assert_eq!(owing(50, 600_000), 20 + 99);
    }

    #[test]
    fn what_was_taken_back_is_as_before() {
        let budget = Budget::per_minute(10);
        let once = budget.spend(0, None, at(0));
        let twice = budget.spend(0, Some(once), at(0));
        assert_eq!(budget.refund(0, Some(twice), at(0)), once);
        assert!(budget.refund(0, None, at(0)) <= at(0), "nothing is given");
    }

    #[test]
    fn a_moment_from_before_the_clock_was_set_back_says_nothing() {
        let budget = Budget::per_minute(10);
        let an_hour_ahead = Some(at(3_600_000));
        assert_eq!(
            budget.standing(0, an_hour_ahead, at(0)),
            BudgetStanding::Within
        );
        assert_eq!(budget.spend(0, an_hour_ahead, at(0)), at(6_000));
    }

    #[test]
    fn a_pair_has_one_number_in_either_order() {
        let [a, b, none] = [7, 9, 0].map(|narrow| PrefixHashes([narrow, 5, 0]));
        assert_eq!(pair(a, b), pair(b, a));
        assert!(pair(a, b).is_some());
        assert_eq!([pair(a, a), pair(a, none), pair(none, b)], [None; 3]);
    }

    #[test]
    fn only_networks_that_differ_pay() {
        let paying = |own, other| apart(PrefixHashes(own), PrefixHashes(other)).collect::<Vec<_>>();
        assert_eq!(paying([1, 2, 3], [1, 2, 3]), []);
        assert_eq!(paying([1, 2, 0], [4, 2, 0]), [(0, 1)]);
        assert_eq!(paying([1, 2, 0], [0, 0, 0]), [(0, 1), (1, 2)]);
        assert_eq!(paying([0, 0, 0], [1, 2, 3]), []);
    }
}
