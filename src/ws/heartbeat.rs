//! Whether the other end is still there: a ping after silence, a close after twice the silence. And for
//! clients that want to know the same of us: a sign of life when we have said nothing for as long.

use std::time::{Duration, Instant};

/// What to do when the timer rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Not yet.
    Wait,
    /// Nobody answered.
    Missed,
    /// It is time for one of these, or for both.
    Due {
        /// Ask the other end whether it is there.
        ask: bool,
        /// Say that we are.
        vouch: bool,
    },
}

/// A heartbeat. Any sign of life counts, not only pongs, and anything that we say.
#[derive(Debug)]
pub struct Heartbeat {
    interval: Duration,
    heard: Instant,
    pinged: Option<Instant>,
    /// When something was last said to a client that listens for our life; `None`: it does not.
    said: Option<Instant>,
}

impl Heartbeat {
    /// Asks after `interval` of silence.
    pub fn new(interval: Duration, now: Instant) -> Self {
        Self {
            interval,
            heard: now,
            pinged: None,
            said: None,
        }
    }

    /// The longest silence of either end.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Something arrived, or could not have arrived because we did not read.
    pub fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = None;
    }

    /// The client wants to be told from now on that we are there. It is told now.
    pub fn listens(&mut self, now: Instant) {
        self.said = Some(now);
    }

    /// Something was written to the client.
    pub fn said(&mut self, now: Instant) {
        self.said = self.said.map(|_| now);
    }

    /// When to look again.
    pub fn deadline(&self) -> Instant {
        let silence = self.pinged.unwrap_or(self.heard);
        self.said.map_or(silence, |said| said.min(silence)) + self.interval
    }

    /// The deadline may have passed.
    pub fn beat(&mut self, now: Instant) -> Beat {
        if now < self.deadline() {
            return Beat::Wait;
        }
        // What would be due in a moment is done with it: a quiet connection is woken once an interval.
        let is_due = |since: Instant| now + self.interval / 8 >= since + self.interval;
        let vouch = self.said.is_some_and(is_due);
        let ask = self.pinged.is_none() && is_due(self.heard);
        if self.pinged.is_some_and(|at| now >= at + self.interval) {
            return Beat::Missed;
        }
        if ask {
            self.pinged = Some(now);
        }
        if vouch {
            self.said = Some(now);
        }
        Beat::Due { ask, vouch }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(25);
    const ASK: Beat = Beat::Due {
        ask: true,
        vouch: false,
    };

    #[test]
    fn silence_is_asked_about_then_given_up_on() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, start);
        assert_eq!(heart.beat(start + INTERVAL / 2), Beat::Wait);
        assert_eq!(heart.beat(start + INTERVAL), ASK);
        assert_eq!(heart.beat(start + INTERVAL), Beat::Wait);
        assert_eq!(heart.beat(start + 2 * INTERVAL), Beat::Missed);
    }

    #[test]
    fn any_sign_of_life_counts() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, start);
        assert_eq!(heart.beat(start + INTERVAL), ASK);
        heart.heard(start + INTERVAL + INTERVAL / 2);
        assert_eq!(heart.beat(start + 2 * INTERVAL), Beat::Wait);
        assert_eq!(heart.deadline(), start + 2 * INTERVAL + INTERVAL / 2);
    }

    #[test]
    fn who_does_not_listen_is_told_nothing_of_our_life() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, start);
        heart.said(start + INTERVAL / 2);
        for n in 1..4 {
            let now = start + n * INTERVAL;
            assert_eq!(heart.beat(now), ASK);
            heart.heard(now);
        }
    }

    #[test]
    fn who_listens_hears_of_us_once_an_interval_at_least() {
        let start = Instant::now();
        let step = Duration::from_secs(1);
        let mut heart = Heartbeat::new(INTERVAL, start);
        heart.listens(start);
        let (mut now, mut last) = (start, start);
        // A client that talks and is told nothing: a ping is never due.
        while now < start + 10 * INTERVAL {
            now += step;
            heart.heard(now);
            if heart.beat(now)
                == (Beat::Due {
                    ask: false,
                    vouch: true,
                })
            {
                last = now;
            }
            assert!(now - last < INTERVAL + step, "silent for {:?}", now - last);
        }
        // What is said anyway is a sign of life as well.
        heart.said(now);
        heart.heard(now);
        assert_eq!(heart.beat(now + INTERVAL - step), Beat::Wait);
    }

    #[test]
    fn a_quiet_connection_is_woken_once_an_interval_for_both() {
        let start = Instant::now();
        let away = Duration::from_millis(80);
        let mut heart = Heartbeat::new(INTERVAL, start);
        heart.listens(start);
        for n in 1..10 {
            let now = start + n * INTERVAL;
            assert_eq!(heart.deadline(), now);
            let both = Beat::Due {
                ask: true,
                vouch: true,
            };
            assert_eq!(heart.beat(now), both);
            heart.heard(now + away);
        }
    }

    #[test]
    fn our_signs_of_life_do_not_stand_for_those_of_the_other_end() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, start);
        heart.listens(start);
        assert!(matches!(
            heart.beat(start + INTERVAL),
            Beat::Due { ask: true, .. }
        ));
        heart.said(start + INTERVAL + INTERVAL / 2);
        assert_eq!(heart.beat(start + 2 * INTERVAL), Beat::Missed);
    }
}
