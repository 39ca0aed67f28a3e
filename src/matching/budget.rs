//! How often a network meets others: one pairing costs each side one, at each length of prefix at
//! which the two differ. Pairings within a network cost nothing there. Pure; a pool keeps the numbers.

use std::time::Duration;

use crate::id::Timestamp;
use crate::model::PrefixHashes;

/// What a network may have spent at once is refilled in this time.
const WINDOW: Duration = Duration::from_secs(60);

/// The rule of `matching.prefix_pairings_per_minute`: so many a minute, and as many at once, for the
/// narrowest prefix; twice as many for each wider one. 0: no bound.
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

    /// When a network's budget will be full again, after one more pairing at `now`; `full_at` is when
    /// it would have been. `None`: it has no pairing left.
    pub fn spend(
        self,
        level: usize,
        full_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let each = self.refill(level);
        let full_at = full_at.map_or(now, |at| at.max(now)).plus(each);
        (full_at <= now.plus(WINDOW)).then_some(full_at)
    }

    /// How long one pairing takes to come back, in whole milliseconds as the scripts count.
    fn refill(self, level: usize) -> Duration {
        let rate = u64::from(self.per_minute) << level;
        Duration::from_millis(60_000 / rate.max(1))
    }
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
    fn pairings(level: usize, step: i64, until: i64) -> usize {
        let budget = Budget::per_minute(10);
        let mut full_at = None;
        let mut made = 0;
        for now in (0..until).step_by(step as usize) {
            if let Some(next) = budget.spend(level, full_at, at(now)) {
                (full_at, made) = (Some(next), made + 1);
            }
        }
        made
    }

    #[test]
    fn a_burst_and_then_the_rate_doubled_for_each_wider_prefix() {
        assert_eq!(pairings(0, 1, 1_000), 10);
        assert_eq!(pairings(1, 1, 1_000), 20);
        assert_eq!(pairings(2, 1, 1_000), 40);
        assert_eq!(pairings(0, 50, 60_000), 20 - 1);
        assert_eq!(pairings(0, 6_000, 600_000), 100);
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
