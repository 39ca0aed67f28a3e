//! What the next process needs to know of time: the clock of this one is kept beside the rooms, for their
//! moments are by it. In order to measure what lasts from one process to the next.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _};

use super::error::SqliteError;
use super::writer::Writer;
use crate::clock::Reading;

/// How often it is kept while the machine's clock is not set. Rarely: a reading that is old is as good.
const EVERY: Duration = Duration::from_secs(600);

const NAMES: [&str; 4] = ["clock_time", "clock_wall", "clock_up", "clock_boot"];

/// What an earlier process kept.
pub(super) fn read(conn: &Connection) -> rusqlite::Result<Option<Reading>> {
    let mut statement = conn.prepare("SELECT value FROM meta WHERE name = ?1")?;
    let mut value = |name: &str| statement.query_row([name], |row| row.get(0)).optional();
    let [time, wall, up, boot] = NAMES;
    Ok(
        match (value(time)?, value(wall)?, value(up)?, value(boot)?) {
            (Some(time), Some(wall), Some(up), Some(boot)) => Some(Reading {
                time,
                wall,
                up,
                boot,
            }),
            _ => None,
        },
    )
}

impl Writer {
    /// Keeps the clock for the next process, when that is due or the machine's was set.
    pub(super) fn keep_clock(&mut self) -> Result<(), SqliteError> {
        let steps = self.clock.steps();
        let due = self
            .clock_kept
            .is_none_or(|(at, before)| before != steps || at.elapsed() >= EVERY);
        let Some(reading) = due.then(|| self.clock.reading()).flatten() else {
            return Ok(());
        };
        let mut keep = self.conn.prepare_cached(
            "INSERT INTO meta (name, value) VALUES (?1, ?2) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )?;
        let values = [reading.time, reading.wall, reading.up, reading.boot];
        for (name, value) in NAMES.into_iter().zip(values) {
            keep.execute((name, value))?;
        }
        drop(keep);
        self.clock_kept = Some((Instant::now(), steps));
        Ok(())
    }
}
