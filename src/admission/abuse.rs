//! Counts the abuse of one connection: bad frames in a row, passing signals, and whether it has been over
//! its rate for so long that this is a flood. What sessions and networks may use is counted by
//! `admission`; of signals and bytes a connection takes a few ahead, so that most frames ask nothing
//! that is shared.

use std::time::{Duration, Instant};

use crate::admission::FrameCost;
use crate::state_machine::Weight;

/// Signals (typing, read, pings) that one connection may send at once.
const SIGNAL_BURST: f64 = 40.0;
/// And in each second after.
const SIGNALS_PER_SECOND: f64 = 20.0;
/// Signals taken from the shared count at once.
const SIGNALS_AHEAD: u32 = 4;
/// Bytes taken from the shared count at once: some ten messages.
const BYTES_AHEAD: u64 = 2048;
/// A pause in being throttled shorter than this does not end a flood.
const CALM: Duration = Duration::from_secs(2);

/// What one connection has done lately that may be abuse.
#[derive(Debug)]
pub struct AbuseCounter {
    bad_frames: u32,
    /// Boxed: few are ever over a rate.
    throttled: Option<Box<Throttled>>,
    signals: f64,
    refilled: Instant,
    prepaid: Prepaid,
}

/// Taken from the shared counts and not used yet: less than is taken at once.
#[derive(Debug, Default)]
struct Prepaid {
    signals: u32,
    bytes: u32,
}

/// Being over the rate, without a pause that counts.
#[derive(Clone, Copy, Debug)]
struct Throttled {
    since: Instant,
    until: Instant,
}

impl AbuseCounter {
    /// Of a connection that is new.
    pub fn new(now: Instant) -> Self {
        Self {
            bad_frames: 0,
            throttled: None,
            signals: SIGNAL_BURST,
            refilled: now,
            prepaid: Prepaid::default(),
        }
    }

    /// A frame was understood.
    pub fn good_frame(&mut self) {
        self.bad_frames = 0;
    }

    /// A frame was not; true: one too many, where `most` in a row are.
    pub fn bad_frame(&mut self, most: u32) -> bool {
        self.bad_frames += 1;
        self.bad_frames >= most
    }

    /// What must be taken from the shared counts before a frame of so many bytes is paid for. Mostly
    /// nothing but the message that it is.
    pub fn shortfall(&self, weight: Weight, bytes: u64) -> FrameCost {
        let missing = bytes.saturating_sub(self.prepaid.bytes.into());
        let mut shortfall = FrameCost::default();
        match weight {
            Weight::Message => shortfall.messages = 1,
            Weight::Signal if self.prepaid.signals == 0 => shortfall.signals = SIGNALS_AHEAD,
            Weight::Signal => {}
        }
        if missing > 0 {
            shortfall.bytes = missing.max(BYTES_AHEAD);
        }
        shortfall
    }

    /// This much was taken from the shared counts.
    pub fn prepay(&mut self, taken: FrameCost) {
        self.prepaid.signals += taken.signals;
        let taken = u32::try_from(taken.bytes).unwrap_or(u32::MAX);
        self.prepaid.bytes = self.prepaid.bytes.saturating_add(taken);
    }

    /// A frame was taken.
    pub fn spend(&mut self, weight: Weight, bytes: u64) {
        if weight == Weight::Signal {
            self.prepaid.signals = self.prepaid.signals.saturating_sub(1);
        }
        let spent = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.prepaid.bytes = self.prepaid.bytes.saturating_sub(spent);
    }

    /// Counts a passing signal; `Err` is how long to leave the socket unread.
    ///
    /// # Errors
    /// The wait until the next signal fits.
    pub fn signal(&mut self, now: Instant) -> Result<(), Duration> {
        let passed = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.signals = (self.signals + passed * SIGNALS_PER_SECOND).min(SIGNAL_BURST);
        self.refilled = now;
        if self.signals >= 1.0 {
            self.signals -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64(
            (1.0 - self.signals) / SIGNALS_PER_SECOND,
        ))
    }

    /// The socket is left unread for `wait`; true: this has gone on for `flood`, which is too long.
    pub fn throttled(&mut self, now: Instant, wait: Duration, flood: Duration) -> bool {
        let until = now + wait;
        let before = self.throttled.as_deref().copied();
        let goes_on = before.filter(|it| now.saturating_duration_since(it.until) < CALM);
        let since = goes_on.map_or(now, |it| it.since);
        self.throttled = Some(Box::new(Throttled { since, until }));
        now.saturating_duration_since(since) >= flood
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOD: Duration = Duration::from_secs(30);

    #[test]
    fn bad_frames_count_in_a_row() {
        let mut counter = AbuseCounter::new(Instant::now());
        assert!(!counter.bad_frame(3));
        assert!(!counter.bad_frame(3));
        counter.good_frame();
        assert!(!counter.bad_frame(3));
        assert!(!counter.bad_frame(3));
        assert!(counter.bad_frame(3));
    }

    #[test]
    fn signals_have_a_burst_and_a_rate() {
        let start = Instant::now();
        let mut counter = AbuseCounter::new(start);
        let taken = (0..100).filter(|_| counter.signal(start).is_ok()).count();
        assert_eq!(taken, 40);
        let wait = counter.signal(start).unwrap_err();
        assert!(counter.signal(start + wait).is_ok());
    }

    #[test]
    fn shared_counts_are_asked_for_many_frames_at_once() {
        let mut counter = AbuseCounter::new(Instant::now());
        let (mut signals, mut bytes) = (0, 0);
        for _ in 0..100 {
            let taken = counter.shortfall(Weight::Signal, 100);
            signals += u32::from(taken.signals > 0);
            bytes += u32::from(taken.bytes > 0);
            counter.prepay(taken);
            counter.spend(Weight::Signal, 100);
        }
        assert_eq!((signals, bytes), (25, 5));
        // What is larger than what is taken ahead is taken as it is, and nothing is given away.
        counter.spend(Weight::Message, 100_000);
        let taken = counter.shortfall(Weight::Message, 50_000);
        assert_eq!((taken.messages, taken.signals, taken.bytes), (1, 0, 50_000));
    }

    #[test]
    fn a_flood_is_being_over_the_rate_without_a_pause() {
        let start = Instant::now();
        let step = Duration::from_secs(1);
        let mut counter = AbuseCounter::new(start);
        assert!((0..30).all(|n| !counter.throttled(start + n * step, step, FLOOD)));
        assert!(counter.throttled(start + 30 * step, step, FLOOD));

        let mut counter = AbuseCounter::new(start);
        assert!((0..20).all(|n| !counter.throttled(start + n * step, step, FLOOD)));
        assert!((25..50).all(|n| !counter.throttled(start + n * step, step, FLOOD)));
    }
}
