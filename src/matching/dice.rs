//! The pools' random choice: who waits twice as long is met twice as likely. No secret depends on it.

use crate::domain::id::Timestamp;

/// Where the numbers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Randomness {
    /// The system.
    System,
    /// This seed, the same run after run: for tests.
    Seed(u64),
}

impl Randomness {
    /// Numbers of their own.
    pub(super) fn dice(self) -> Dice {
        Dice(match self {
            Self::System => rand::random(),
            Self::Seed(seed) => seed,
        })
    }
}

/// A sequence of numbers (SplitMix64).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Takes one of these out, each as likely as its weight. `None` when there is none.
    pub(super) fn draw<T>(&mut self, from: &mut Vec<(u64, T)>) -> Option<T> {
        if from.len() < 2 {
            return from.pop().map(|(_, it)| it);
        }
        let total = from.iter().map(|(weight, _)| *weight).sum::<u64>().max(1);
        let mut left = self.next() % total;
        let chosen = from.iter().position(|(weight, _)| {
            let here = left < *weight;
            left = left.saturating_sub(*weight);
            here
        });
        Some(from.swap_remove(chosen.unwrap_or(0)).1)
    }
}

/// The weight in a draw of a ticket that waits since then: the milliseconds that it has waited.
pub(super) fn weight(since: Timestamp, now: Timestamp) -> u64 {
    let waited = u64::try_from(now.0.saturating_sub(since.0)).unwrap_or(0);
    // A year is longer than any ticket waits; sums of a few must not overflow.
    waited.min(1 << 35) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_follow_weights_and_take_each_once() {
        let mut dice = Randomness::Seed(7).dice();
        let mut first = [0_usize; 3];
        for _ in 0..6_000 {
            let mut from = vec![(1, 0), (2, 1), (3, 2)];
            let drawn: Vec<usize> = std::iter::from_fn(|| dice.draw(&mut from)).collect();
            first[drawn[0]] += 1;
            let mut sorted = drawn.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2]);
        }
        for (index, count) in first.into_iter().enumerate() {
            let expected = 1_000 * (index + 1);
            assert!(count.abs_diff(expected) < 150, "{first:?}");
        }
    }
}
