//! The clock that everything is measured by that lasts: how long a side has been away, a room is open or
//! closed, a cookie is good. A machine's own clock is set now and then: an hour forward by an operator,
//! years at the start of a machine without a battery. How long something lasted must not change with it,
//! so time goes on by a clock that cannot be set, and the machine's is only followed where it drifts.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};

use crate::domain::id::Timestamp;

/// Differences up to this are drift, or the slow correction of it, and are followed, in milliseconds.
pub(crate) const DRIFT: i64 = 1000;
/// One part in so many of the time between two looks may be drift besides.
pub(crate) const DRIFT_SHARE: i64 = 1000;
/// For so long `/readyz` tells that the clock was set, in milliseconds.
const TOLD: i64 = 3_600_000;
/// Nothing was ever down for longer, longer than anything is kept: a clock that says so is wrong.
pub(crate) const LONGEST_DOWN: i64 = 400 * 24 * 3_600_000;

/// Where a backend reads moments, so that tests can move them.
pub trait Clock: Send + Sync {
    /// The moment that durations are measured by.
    fn now(&self) -> Timestamp;

    /// What a clock on the wall shows, for people to read.
    fn label(&self) -> Timestamp {
        self.now()
    }

    /// What a later process goes on from; `None` when there is nothing to keep.
    fn reading(&self) -> Option<Reading> {
        None
    }

    /// How often the machine's clock was set.
    fn steps(&self) -> u64 {
        0
    }

    /// Goes on from what an earlier process read.
    fn go_on(&self, _from: Reading) {}
}

impl<F: Fn() -> Timestamp + Send + Sync> Clock for F {
    fn now(&self) -> Timestamp {
        self()
    }
}

/// All clocks at one moment, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// This process's own clock, which cannot be set.
    pub time: i64,
    /// The machine's clock, which can.
    pub wall: i64,
    /// How long the machine has run, sleep included.
    pub up: i64,
    /// Which run of the machine that was; 0 when it does not say.
    pub boot: i64,
}

/// The clock of this process: it goes on evenly, whatever the machine's is set to.
#[derive(Clone, Copy, Debug)]
pub struct Steady;

/// The present moment by the clock that cannot be set, as everything but labels is measured. For edges and
/// backends only; the pure core is handed it.
pub fn now() -> Timestamp {
    Steady.now()
}

static STATE: Mutex<Option<ClockState>> = Mutex::new(None);

/// How often all clocks are compared, in milliseconds. In between, the time is read from what follows,
/// without the lock: it is asked at each event of each connection.
const COMPARE_EVERY: i64 = 250;
/// When they are compared again, by `up`.
static COMPARE_AT: AtomicI64 = AtomicI64::new(i64::MIN);
/// What our time is ahead of `up`. See [`ClockState::ahead`].
static AHEAD: AtomicI64 = AtomicI64::new(0);
/// See [`ClockState::follows`].
static FOLLOWS: AtomicBool = AtomicBool::new(false);

struct ClockState {
    at: Reading,
    /// What the time that is given out is ahead of `up`. It only grows, so that time never goes back: after a
    /// step back that was too small to be told from drift it is ahead of the machine's clock by that much.
    ahead: i64,
    steps: u64,
    /// The last step, in milliseconds, and when it was seen by `up`.
    last: Option<(i64, i64)>,
    /// The same of the database server's clock.
    server: Option<(i64, i64)>,
    /// An earlier process was gone on from.
    resumed: bool,
    /// The store measures by a clock of its own; ours is to be near it again once it is right.
    follows: bool,
}

impl Steady {
    /// Durations are measured elsewhere from now on: the machine's clock is shown as it is, and it is only
    /// told when it was set.
    pub fn follow(&self) {
        self.look(|state| state.follows = true);
    }

    /// The clock of the database server was set by so much; what lasts is measured without the step.
    pub fn server_was_set(&self, by: i64) {
        self.look(|state| state.server = Some((by, state.at.up)));
        tracing::warn!(
            by = shown(by),
            lasting = "not affected",
            "the clock of the database server was set"
        );
    }

    /// That the machine's clock, or the database server's, was set lately.
    pub fn notice(&self) -> Option<String> {
        self.look(|state| {
            let told = |of: &str, last: Option<(i64, i64)>| {
                let (step, seen) = last.filter(|(_, seen)| state.at.up - seen < TOLD)?;
                let minutes = (state.at.up - seen) / 60_000;
                Some(format!(
                    "the clock of {of} was set by {} {minutes} min ago; check what sets it",
                    shown(step)
                ))
            };
            let machine = told("this machine", state.last);
            let server = told("the database server", state.server);
            let both: Vec<String> = machine.into_iter().chain(server).collect();
            (!both.is_empty()).then(|| both.join("; "))
        })
    }

    /// Reads all clocks and then does this.
    fn look<T>(&self, then: impl FnOnce(&mut ClockState) -> T) -> T {
        let (wall, up) = (wall(), up());
        let (step, done, follows) = {
            let mut state = STATE.lock();
            let state = state.get_or_insert_with(|| ClockState::begin(wall, up));
            let step = state.advance(wall, up);
            let done = then(state);
            AHEAD.store(state.ahead, Ordering::Relaxed);
            FOLLOWS.store(state.follows, Ordering::Relaxed);
            COMPARE_AT.store(up + COMPARE_EVERY, Ordering::Relaxed);
            (step, done, state.follows)
        };
        // Not under the lock: the log is other people's code.
        if let Some(step) = step {
            tracing::warn!(
                by = shown(step),
                lasting = if follows {
                    "measured by the store's clock"
                } else {
                    "not affected"
                },
                "the clock of this machine was set"
            );
        }
        done
    }
}

impl Clock for Steady {
    fn now(&self) -> Timestamp {
        let up = up();
        let (ahead, follows) = match up < COMPARE_AT.load(Ordering::Relaxed) {
            true => (
                AHEAD.load(Ordering::Relaxed),
                FOLLOWS.load(Ordering::Relaxed),
            ),
            false => self.look(|state| (state.ahead, state.follows)),
        };
        Timestamp(if follows { wall() } else { up + ahead })
    }

    fn label(&self) -> Timestamp {
        Timestamp(wall())
    }

    fn reading(&self) -> Option<Reading> {
        let boot = boot();
        Some(self.look(|state| Reading { boot, ..state.at }))
    }

    fn steps(&self) -> u64 {
        self.look(|state| state.steps)
    }

    fn go_on(&self, from: Reading) {
        let boot = boot();
        self.look(|state| {
            if !std::mem::replace(&mut state.resumed, true) {
                let now = Reading { boot, ..state.at };
                state.at.time = from.time + passed(from, now);
                state.ahead = state.at.time - state.at.up;
            }
        });
    }
}

impl ClockState {
    fn begin(wall: i64, up: i64) -> Self {
        let at = Reading {
            time: wall,
            wall,
            up,
            boot: 0,
        };
        Self {
            at,
            ahead: wall - up,
            steps: 0,
            last: None,
            server: None,
            resumed: false,
            follows: false,
        }
    }

    /// Goes on to this reading. Answers by how much the machine's clock was set meanwhile.
    fn advance(&mut self, wall: i64, up: i64) -> Option<i64> {
        let lasted = (up - self.at.up).max(0);
        let moved = wall - self.at.wall;
        let step = moved - lasted;
        (self.at.wall, self.at.up) = (wall, self.at.up.max(up));
        if step.abs() <= DRIFT + lasted / DRIFT_SHARE {
            // Never back.
            self.at.time += moved.max(0);
            self.ahead = self.ahead.max(self.at.time - self.at.up);
            return None;
        }
        self.at.time += lasted;
        self.steps += 1;
        self.last = Some((step, up));
        Some(step)
    }
}

/// How long it was from one reading to another that a later process made. In one run of a machine that is
/// known; else the machine's clock must be believed, of two answers the smaller.
fn passed(from: Reading, now: Reading) -> i64 {
    let (wall, up) = (now.wall - from.wall, now.up - from.up);
    let known = from.boot != 0 && now.boot != 0;
    let believed = match wall {
        0..=LONGEST_DOWN => wall,
        // Set back, or out of its mind.
        _ => 0,
    };
    match up >= 0 {
        true if known && from.boot == now.boot => up,
        true if !known => up.min(believed),
        _ => believed,
    }
}

fn shown(step: i64) -> String {
    let sign = if step < 0 { '-' } else { '+' };
    format!("{sign}{:.1} s", step.unsigned_abs() as f64 / 1000.0)
}

fn wall() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

/// How long the machine has run, by a clock that cannot be set and that goes on while the machine sleeps.
pub(crate) fn up() -> i64 {
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    let now = clock_gettime(clock);
    now.tv_sec.saturating_mul(1000) + now.tv_nsec / 1_000_000
}

/// A number of this run of the machine; 0 when it does not say.
pub(crate) fn boot() -> i64 {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = id
        .chars()
        .filter(char::is_ascii_hexdigit)
        .take(15)
        .collect();
    i64::from_str_radix(&digits, 16).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn time_goes_on_evenly_whatever_the_clock_is_set_to() {
        let mut state = ClockState::begin(1_000_000, 500);
        assert_eq!(state.advance(1_003_000, 3_500), None);
        assert_eq!(state.at.time, 1_003_000);
        let ahead = 1_003_000 + 2 * HOUR;
        assert_eq!(state.advance(ahead, 3_500), Some(2 * HOUR));
        assert_eq!(state.advance(ahead + 1_000, 4_500), None);
        assert_eq!(state.at.time, 1_004_000);
        assert_eq!(state.advance(5_000, 5_500), Some(-(ahead - 3_000)));
        assert_eq!((state.at.time, state.steps), (1_005_000, 2));
        // Sleep is no step.
        assert_eq!(state.advance(5_000 + 9 * HOUR, 5_500 + 9 * HOUR), None);
        assert_eq!(state.at.time, 1_005_000 + 9 * HOUR);
    }

    #[test]
    fn drift_is_followed_and_never_back() {
        let mut state = ClockState::begin(0, 0);
        assert_eq!(state.advance(10_050, 10_000), None);
        assert_eq!(state.at.time, 10_050);
        assert_eq!(state.advance(9_800, 10_010), None);
        assert_eq!(state.at.time, 10_050);
        // What was given out in between is not taken back.
        assert_eq!(state.ahead, 50);
        assert_eq!(state.advance(10_060, 10_270), None);
        assert_eq!(10_270 + state.ahead, 10_320);
        // A day's drift of a bad clock, seen at once.
        let day = 24 * HOUR;
        assert_eq!(state.advance(9_800 + day + 60_000, 10_010 + day), None);
    }

    #[test]
    fn time_that_is_read_without_the_lock_goes_on() {
        let begun = Steady.now();
        let mut last = begun;
        while last.0 < begun.0 + 3 * COMPARE_EVERY {
            let next = Steady.now();
            assert!(next >= last, "{next:?} after {last:?}");
            last = next;
        }
        assert!((last.0 - wall()).abs() < DRIFT, "near the machine's clock");
    }

    #[test]
    fn a_restart_goes_on_by_the_clock_that_knows() {
        let from = Reading {
            time: 1_000,
            wall: 50_000,
            up: 7_000,
            boot: 1,
        };
        let later = |wall: i64, up: i64, boot| Reading {
            time: 0,
            wall: from.wall + wall,
            up: from.up + up,
            boot,
        };
        for (now, lasted) in [
            // The same run of the machine, whatever its clock says.
            (later(2 * HOUR, 9_000, 1), 9_000),
            (later(-HOUR, 9_000, 1), 9_000),
            // Another run: its clock, unless that was set back or is out of its mind.
            (later(2 * HOUR, -5_000, 2), 2 * HOUR),
            (later(2 * HOUR, 9_000, 2), 2 * HOUR),
            (later(-HOUR, -5_000, 2), 0),
            (later(10 * 365 * 24 * HOUR, -5_000, 2), 0),
            // Which run is not known: the smaller.
            (later(2 * HOUR, 9_000, 0), 9_000),
            (later(8_000, 9_000, 0), 8_000),
            (later(HOUR, -1, 0), HOUR),
        ] {
            assert_eq!(passed(from, now), lasted, "{now:?}");
        }
    }
}
