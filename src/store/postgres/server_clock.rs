//! The server's clock, and whether it was set. This node knows how long it has run, so it notices a step of
//! the server's clock, and has `moment` leave it out (`migrations/postgres/V7__clock.sql`). Whichever node
//! sees a step first puts it right; the others then go by what the database says.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::error::BackendError;
use super::rows::{get, millis};
use super::shared::Shared;
use crate::clock::{DRIFT, DRIFT_SHARE, LONGEST_DOWN, Steady, boot, up};
use crate::domain::id::Timestamp;

/// How often what was read is kept for later processes. Rarely: a reading that is old is as good.
const KEPT: Duration = Duration::from_secs(600);
/// An answer that took longer says little about when it was made, in milliseconds.
const LONGEST_LOOK: i64 = DRIFT / 2;
/// How often it is looked again after such an answer, or when another node was first.
const LOOKS: usize = 5;

const LOOK: &str = "SELECT moment(NULL) AS time, clock_steps AS steps FROM service";
const LEAVE_OUT: &str = "SELECT leave_out($1, $2, $3, $4) AS done";

/// What this node last read.
#[derive(Default)]
pub(super) struct ServerClock(Mutex<Known>);

#[derive(Default)]
struct Known {
    look: Option<Look>,
    kept: Option<Instant>,
}

/// The server's time at some moment between two of this machine's, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    time: i64,
    /// How many steps are left out of it.
    steps: i64,
    /// How long this machine had run when it was asked, and when it had answered.
    asked: i64,
    answered: i64,
}

impl Look {
    /// By how much the clock was set since `self`, as far as that is certain; `None` when it was not, or
    /// other nodes have put it right.
    fn step(&self, later: &Self) -> Option<i64> {
        if self.steps != later.steps {
            return None;
        }
        let least = (later.asked - self.answered).max(0);
        let most = (later.answered - self.asked).max(0);
        let drift = DRIFT + most / DRIFT_SHARE;
        let moved = later.time - self.time;
        if moved > most + drift {
            Some(moved - most)
        } else if moved < least - drift {
            Some(moved - least)
        } else {
            None
        }
    }
}

impl Shared {
    /// The present moment, after a step of the server's clock was left out of it. `None` when a test's clock
    /// counts.
    pub(super) async fn true_now(&self) -> Result<Option<i64>, BackendError> {
        if let Some(now) = self.now() {
            return Ok(Some(now));
        }
        let mut time = 0;
        for left in (0..LOOKS).rev() {
            let look = self.look_at_clock().await?;
            time = look.time;
            if left > 0 && look.answered - look.asked > LONGEST_LOOK {
                continue;
            }
            let before = self.server_clock.0.lock().look;
            let step = before.and_then(|before| Some((before, before.step(&look)?)));
            let Some((before, by)) = step else {
                self.server_clock.0.lock().look = Some(look);
                self.keep_clock(look).await?;
                return Ok(Some(time));
            };
            // What this node knew stays known until the step was left out, by us or another.
            self.leave_out(look, by, look.answered - before.asked)
                .await?;
        }
        Ok(Some(time))
    }

    /// Whether the server's clock was set since this node looked: the batch that began when this machine had
    /// run so long is told this moment.
    pub(super) fn is_off(&self, now: Timestamp, begun: i64) -> bool {
        if self.clock.is_some() {
            return false;
        }
        let known = self.server_clock.0.lock().look;
        known.is_some_and(|known| {
            let look = Look {
                time: now.0,
                steps: known.steps,
                asked: begun,
                answered: up(),
            };
            known.step(&look).is_some()
        })
    }

    /// What processes before this one have read is gone on from.
    pub(super) async fn resume_clock(&self) -> Result<(), BackendError> {
        if self.clock.is_some() {
            return Ok(());
        }
        let sql = "SELECT boot = $1 AS ours, steps, time, up FROM machines ORDER BY ours DESC, time DESC LIMIT 1";
        let boot = boot();
        let found = self.pool.query(sql, &[&boot]).await?;
        let now = self.look_at_clock().await?;
        let Some(row) = found.first() else {
            return self.keep_clock(now).await;
        };
        let (time, steps): (i64, i64) = (get(row, "time")?, get(row, "steps")?);
        let ran: i64 = get(row, "up")?;
        let ours = boot != 0 && get::<bool>(row, "ours")?;
        let known = if ours {
            // The same run of this machine: it knows how long it was.
            Some((ran, ran))
        } else if (time - DRIFT..=time + LONGEST_DOWN).contains(&now.time) {
            // It is not known; the clock is believed.
            None
        } else {
            // Set back, or out of its mind: no time has passed.
            Some((now.asked, now.answered))
        };
        let known = known.map(|(asked, answered)| Look {
            time,
            steps,
            asked,
            answered,
        });
        self.server_clock.0.lock().look = known;
        self.true_now().await?;
        Ok(())
    }

    async fn look_at_clock(&self) -> Result<Look, BackendError> {
        let asked = up();
        let rows = self.pool.once(LOOK, &[]).await?;
        let answered = up();
        let row = rows.first().ok_or(BackendError::Damaged("no clock"))?;
        Ok(Look {
            time: get(row, "time")?,
            steps: get(row, "steps")?,
            asked,
            answered,
        })
    }

    async fn leave_out(&self, look: Look, by: i64, within: i64) -> Result<(), BackendError> {
        let lease = millis(self.tuning.lease);
        let params: super::link::Params<'_> = &[&look.steps, &by, &within, &lease];
        let rows = self.pool.once(LEAVE_OUT, params).await?;
        let row = rows.first().ok_or(BackendError::Damaged("no clock"))?;
        // Each node tells its operators once, whichever was first.
        let _first: bool = get(row, "done")?;
        let mut known = self.server_clock.0.lock();
        let told = known.look.is_none_or(|known| known.steps != look.steps);
        if !told {
            (known.look, known.kept) = (None, None);
            drop(known);
            Steady.server_was_set(by);
        }
        Ok(())
    }

    /// Keeps what was read for processes that start later, now and then.
    async fn keep_clock(&self, look: Look) -> Result<(), BackendError> {
        let due = |kept: Option<Instant>| kept.is_none_or(|kept| kept.elapsed() >= KEPT);
        if !due(self.server_clock.0.lock().kept) {
            return Ok(());
        }
        let sql = "WITH old AS (DELETE FROM machines WHERE time < $3::bigint - $5::bigint AND boot <> $1) \
             INSERT INTO machines (boot, steps, time, up) VALUES ($1, $2, $3, $4) ON CONFLICT (boot) \
             DO UPDATE SET steps = excluded.steps, time = excluded.time, up = excluded.up";
        let params: super::link::Params<'_> = &[
            &boot(),
            &look.steps,
            &look.time,
            &look.answered,
            &LONGEST_DOWN,
        ];
        self.pool.once(sql, params).await?;
        self.server_clock.0.lock().kept = Some(Instant::now());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn look(time: i64, steps: i64, asked: i64, answered: i64) -> Look {
        Look {
            time,
            steps,
            asked,
            answered,
        }
    }

    #[test]
    fn a_step_is_told_from_drift_and_from_slow_answers() {
        let known = look(1_000_000, 3, 500, 510);
        for (later, step) in [
            (look(1_005_000, 3, 5_500, 5_505), None),
            // Drift, either way.
            (look(1_005_900, 3, 5_500, 5_505), None),
            (look(1_004_100, 3, 5_500, 5_505), None),
            (
                look(1_000_000 + 25 * HOUR, 3, 24 * HOUR + HOUR, 25 * HOUR),
                None,
            ),
            // It may have been read at any moment of a long time.
            (look(1_005_000, 3, 5_500, 400_000), None),
            (look(1_399_000, 3, 5_500, 400_000), None),
            (look(1_005_005 + HOUR, 3, 5_500, 5_505), Some(HOUR)),
            (look(1_004_990 - HOUR, 3, 5_500, 5_505), Some(-HOUR)),
            // Other nodes have left it out.
            (look(1_005_005 + HOUR, 4, 5_500, 5_505), None),
        ] {
            assert_eq!(known.step(&later), step, "{later:?}");
        }
    }
}
