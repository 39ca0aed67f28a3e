//! Whether the other end is still there: a ping after silence, a close after twice the silence. And for
//! clients that want to know the same of us: a sign of life when we have said nothing for as long.
//!
//! Where others are about to be led to a client, its silence matters sooner: it is asked after a fifth of
//! the time, and without an answer for an eighth, a second at least, it counts as silent until it is heard
//! again.

use std::time::{Duration, Instant};

/// The least time that a client that is watched has to answer: networks take that long.
const LEAST_ANSWER: Duration = Duration::from_secs(1);

/// What to do when the timer rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Not yet.
    Wait,
    /// The client did not answer in time.
    Missed,
    /// It is time for one of these, or for several.
    Due(Due),
}

/// What is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Ask the other end whether it is there.
    pub ask: bool,
    /// Say that we are.
    pub vouch: bool,
    /// The other end was asked and has not answered soon.
    pub silent: bool,
}

/// A heartbeat. Any sign of life counts, not only pongs, and anything that we say.
#[derive(Debug)]
pub struct Heartbeat {
    /// In milliseconds: of a quiet connection's memory a duration would be a part that counts.
    interval_ms: u32,
    heard: Instant,
    pinged: Option<Instant>,
    /// It was asked and has not answered soon.
    silent: bool,
    /// When something was last said to a client that listens for our life; `None`: it does not.
    said: Option<Instant>,
}

impl Heartbeat {
    /// Asks after `interval` of silence.
    pub fn new(interval: Duration, now: Instant) -> Self {
        Self {
            interval_ms: u32::try_from(interval.as_millis()).unwrap_or(u32::MAX),
            heard: now,
            pinged: None,
            silent: false,
            said: None,
        }
    }

    /// The longest silence of either end.
    pub fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms.into())
    }

    /// Something arrived, or could not have arrived because we did not read. Whether it had been silent.
    pub fn heard(&mut self, now: Instant) -> bool {
        self.heard = now;
        self.pinged = None;
        std::mem::take(&mut self.silent)
    }

    /// The client wants to be told from now on that we are there. It is told now.
    pub fn listens(&mut self, now: Instant) {
        self.said = Some(now);
    }

    /// Something was written to the client.
    pub fn said(&mut self, now: Instant) {
        self.said = self.said.map(|_| now);
    }

    /// When to look again; `watched`: its silence matters soon.
    pub fn deadline(&self, watched: bool) -> Instant {
        let answer = self.answer_due(watched).unwrap_or_else(|| self.end());
        let silence = match self.pinged {
            None => self.heard + self.ask_after(watched),
            Some(_) => answer.min(self.end()),
        };
        let said = self.said.map(|said| said + self.interval());
        said.map_or(silence, |said| said.min(silence))
    }

    /// The deadline may have passed.
    pub fn beat(&mut self, now: Instant, watched: bool) -> Beat {
        if now < self.deadline(watched) {
            return Beat::Wait;
        }
        if self.pinged.is_some() && now >= self.end() {
            return Beat::Missed;
        }
        // What would be due in a moment is done with it: a quiet connection is woken once an interval.
        let soon = now + self.interval() / 8;
        let due = Due {
            ask: self.pinged.is_none() && soon >= self.heard + self.ask_after(watched),
            vouch: self.said.is_some_and(|said| soon >= said + self.interval()),
            silent: self.answer_due(watched).is_some_and(|at| now >= at),
        };
        self.silent |= due.silent;
        if due.ask {
            self.pinged = Some(now);
        }
        if due.vouch {
            self.said = Some(now);
        }
        Beat::Due(due)
    }

    /// After how much silence it is asked.
    fn ask_after(&self, watched: bool) -> Duration {
        match watched {
            true => self.interval() / 5,
            false => self.interval(),
        }
    }

    /// When a client that is watched should have answered, and has not been called silent yet.
    fn answer_due(&self, watched: bool) -> Option<Instant> {
        let asked = self.pinged.filter(|_| watched && !self.silent)?;
        Some(asked + LEAST_ANSWER.max(self.interval() / 8))
    }

    /// When it is given up, having been asked.
    fn end(&self) -> Instant {
        let asked = self.pinged.unwrap_or(self.heard);
        // Should we have stood still ourselves, it has had no time to answer yet.
        (self.heard + 2 * self.interval()).max(asked + self.interval())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(25);
    const ASK: Beat = due(true, false, false);
    const VOUCH: Beat = due(false, true, false);
    const SILENT: Beat = due(false, false, true);

    const fn due(ask: bool, vouch: bool, silent: bool) -> Beat {
        Beat::Due(Due { ask, vouch, silent })
    }

    #[test]
    fn silence_is_asked_about_then_given_up_on() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, start);
        assert_eq!(heart.beat(start + INTERVAL / 2, false), Beat::Wait);
        assert_eq!(heart.beat(start + INTERVAL, false), ASK);
        assert_eq!(heart.beat(start + INTERVAL, false), Beat::Wait);
        assert_eq!(heart.beat(start + 2 * INTERVAL, false), Beat::Missed);
    }

    #[test]
    fn any_sign_of_life_counts() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, start);
        assert_eq!(heart.beat(start + INTERVAL, false), ASK);
        heart.heard(start + INTERVAL + INTERVAL / 2);
        assert_eq!(heart.beat(start + 2 * INTERVAL, false), Beat::Wait);
        assert_eq!(heart.deadline(false), start + 2 * INTERVAL + INTERVAL / 2);
    }

    #[test]
    fn who_does_not_listen_is_told_nothing_of_our_life() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, start);
        heart.said(start + INTERVAL / 2);
        for n in 1..4 {
            let now = start + n * INTERVAL;
            assert_eq!(heart.beat(now, false), ASK);
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
            if heart.beat(now, false) == VOUCH {
                last = now;
            }
            assert!(now - last < INTERVAL + step, "silent for {:?}", now - last);
        }
        // What is said anyway is a sign of life as well.
        heart.said(now);
        heart.heard(now);
        assert_eq!(heart.beat(now + INTERVAL - step, false), Beat::Wait);
    }

    #[test]
    fn a_quiet_connection_is_woken_once_an_interval_for_both() {
        let start = Instant::now();
        let away = Duration::from_millis(80);
        let mut heart = Heartbeat::new(INTERVAL, start);
        heart.listens(start);
        for n in 1..10 {
            let now = start + n * INTERVAL;
            assert_eq!(heart.deadline(false), now);
            assert_eq!(heart.beat(now, false), due(true, true, false));
            heart.heard(now + away);
        }
    }

    #[test]
    fn our_signs_of_life_do_not_stand_for_those_of_the_other_end() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, start);
        heart.listens(start);
        assert_eq!(heart.beat(start + INTERVAL, false), due(true, true, false));
        heart.said(start + INTERVAL + INTERVAL / 2);
        assert_eq!(heart.beat(start + 2 * INTERVAL, false), Beat::Missed);
    }

    #[test]
    fn a_client_that_others_may_be_led_to_is_asked_soon() {
        let start = Instant::now();
        let (asked, late) = (start + INTERVAL / 5, start + INTERVAL / 5 + INTERVAL / 8);
        let mut heart = Heartbeat::new(INTERVAL, start);
        assert_eq!(heart.deadline(true), asked);
        assert_eq!(heart.beat(asked, true), ASK);
        assert_eq!(heart.deadline(true), late);
        assert_eq!(heart.beat(late, true), SILENT);
        assert_eq!(heart.deadline(true), start + 2 * INTERVAL, "said once");
        assert!(heart.heard(late + INTERVAL / 2), "it had been silent");
        assert!(!heart.heard(late + INTERVAL / 2));
        let again = heart.deadline(true);
        assert_eq!(heart.beat(again, true), ASK);
    }

    #[test]
    fn however_short_the_heartbeat_an_answer_has_a_second() {
        let start = Instant::now();
        let interval = Duration::from_secs(2);
        let mut heart = Heartbeat::new(interval, start);
        let asked = start + interval / 5;
        assert_eq!(heart.beat(asked, true), ASK);
        assert_eq!(heart.deadline(true), asked + LEAST_ANSWER);
        // And where it would be given up before, it is.
        let mut heart = Heartbeat::new(interval / 8, start);
        assert_eq!(heart.beat(start + interval / 40, true), ASK);
        assert_eq!(heart.beat(start + interval / 4, true), Beat::Missed);
    }

    #[test]
    fn an_answer_in_time_is_no_silence() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, start);
        let mut now = start;
        for _ in 0..10 {
            now = heart.deadline(true);
            assert_eq!(heart.beat(now, true), ASK);
            now += INTERVAL / 10;
            assert!(!heart.heard(now));
        }
        assert_eq!(heart.deadline(true), now + INTERVAL / 5);
    }

    #[test]
    fn a_process_that_stood_still_asks_before_it_gives_up() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, start);
        let late = start + 10 * INTERVAL;
        assert_eq!(heart.beat(late, true), ASK);
        assert_eq!(heart.deadline(false), late + INTERVAL);
        assert_eq!(heart.beat(late + INTERVAL, false), Beat::Missed);
    }
}
