//! Whether the other end is still there: a ping after silence, a close after twice the silence.

use std::time::{Duration, Instant};

/// What to do when the timer rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Ask.
    Ping,
    /// Nobody answered.
    Missed,
    /// Not yet.
    Wait,
}

/// A heartbeat. Any sign of life counts, not only pongs.
#[derive(Debug)]
pub struct Heartbeat {
    interval: Duration,
    heard: Instant,
    pinged: Option<Instant>,
}

impl Heartbeat {
    /// Asks after `interval` of silence.
    pub fn new(interval: Duration, now: Instant) -> Self {
        Self {
            interval,
            heard: now,
            pinged: None,
        }
    }

    /// Something arrived, or could not have arrived because we did not read.
    pub fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = None;
    }

    /// When to look again.
    pub fn deadline(&self) -> Instant {
        self.pinged.unwrap_or(self.heard) + self.interval
    }

    /// The deadline may have passed.
    pub fn beat(&mut self, now: Instant) -> Beat {
        if now < self.deadline() {
            return Beat::Wait;
        }
        if self.pinged.is_some() {
            return Beat::Missed;
        }
        self.pinged = Some(now);
        Beat::Ping
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(25);

    #[test]
    fn silence_is_asked_about_then_given_up_on() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, start);
        assert_eq!(heart.beat(start + INTERVAL / 2), Beat::Wait);
        assert_eq!(heart.beat(start + INTERVAL), Beat::Ping);
        assert_eq!(heart.beat(start + INTERVAL), Beat::Wait);
        assert_eq!(heart.beat(start + 2 * INTERVAL), Beat::Missed);
    }

    #[test]
    fn any_sign_of_life_counts() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, start);
        assert_eq!(heart.beat(start + INTERVAL), Beat::Ping);
        heart.heard(start + INTERVAL + INTERVAL / 2);
        assert_eq!(heart.beat(start + 2 * INTERVAL), Beat::Wait);
        assert_eq!(heart.deadline(), start + 2 * INTERVAL + INTERVAL / 2);
    }
}
