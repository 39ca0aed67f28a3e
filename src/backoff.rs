//! How long to wait before something that failed is tried again: twice as long each time, up to a bound.
//! Whether it is tried again, and for how long, is the caller's business.

use std::time::Duration;

/// The pauses between attempts at one thing.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    spread: bool,
    failed: u32,
}

impl Backoff {
    /// Begins with the first pause.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            spread: false,
            failed: 0,
        }
    }

    /// Each pause is shortened by up to a half, at random: a server that comes back is not met by all who wait
    /// for it in one moment.
    pub const fn spread(mut self) -> Self {
        self.spread = true;
        self
    }

    /// The pause after so many failures, without chance.
    pub fn after(&self, failures: u32) -> Duration {
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1));
        let factor = doubled.unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }

    /// One more attempt has failed: how long to wait.
    pub fn next_pause(&mut self) -> Duration {
        self.failed = self.failed.saturating_add(1);
        let pause = self.after(self.failed);
        match self.spread {
            true => pause.mul_f64(rand::random_range(0.5..1.0)),
            false => pause,
        }
    }

    /// Waits for [`Backoff::next_pause`].
    pub async fn pause(&mut self) {
        tokio::time::sleep(self.next_pause()).await;
    }

    /// It went well: the next failure is a first one.
    pub fn reset(&mut self) {
        self.failed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_again() {
        let mut backoff = Backoff::new(SECOND, 5 * SECOND);
        let pauses = [(); 5].map(|()| backoff.next_pause().as_secs());
        assert_eq!(pauses, [1, 2, 4, 5, 5]);
        backoff.reset();
        assert_eq!(backoff.next_pause(), SECOND);
        assert_eq!(backoff.after(0), SECOND);
        assert_eq!(backoff.after(u32::MAX), 5 * SECOND);
    }

    #[test]
    fn chance_shortens_a_pause_by_half_at_most() {
        let mut backoff = Backoff::new(SECOND, SECOND).spread();
        let pauses: Vec<Duration> = (0..100).map(|_| backoff.next_pause()).collect();
        assert!(pauses.iter().all(|it| (SECOND / 2..SECOND).contains(it)));
        assert!(pauses.iter().any(|it| *it != pauses[0]));
    }
}
