//! What the writer does while no caller waits for it, or before too much has gathered: it writes the rows of
//! rooms that are behind their entries, and empties the WAL.

use std::time::{Duration, Instant};

use super::error::SqliteError;
use super::open;
use super::writer::Writer;

/// Rows of rooms written in one transaction besides what was asked for.
const FLUSH: usize = 1024;

impl Writer {
    /// What can wait for an idle moment: rows that are behind, the WAL.
    pub(super) fn housekeep(&mut self) {
        let idle = self.last_write.elapsed() >= self.tuning.idle;
        if idle && self.room_cache.behind() > 0 && !self.failing {
            if let Err(fault) = self.flush_alone() {
                self.report_failure(&fault);
            }
            self.room_cache.evict();
        }
        let since = self.last_truncation.elapsed();
        let purge = self.purged && since >= self.tuning.purge;
        if self.wal_grown && (purge || idle && since >= self.tuning.idle) {
            self.truncate_wal();
        }
    }

    /// Leaves the data at rest: nothing lazily unwritten, nothing in the WAL.
    pub(super) fn settle(&mut self) {
        while self.room_cache.behind() > 0 {
            if let Err(fault) = self.flush_alone() {
                // Nothing is lost: the next start reads the tail of the entries instead.
                tracing::warn!(error = %fault.to_store_error(), "could not tidy up at closing");
                break;
            }
        }
        self.truncate_wal();
    }

    /// How many rooms' rows should be written now, so that neither a start nor the memory has too
    /// much to bear.
    pub(super) fn flush_due(&self) -> usize {
        let behind = self.room_cache.behind();
        if self.room_cache.crowded() {
            // Only rooms that are not behind can be forgotten.
            return behind.min(FLUSH);
        }
        let mut count = behind.saturating_sub(self.tuning.behind).min(FLUSH);
        let horizon = self.next_id - self.tuning.scan;
        while count < FLUSH
            && self
                .room_cache
                .first_behind(count)
                .is_some_and(|id| id < horizon)
        {
            count += 1;
        }
        count
    }

    /// Writes the rows of the `count` rooms that are behind for longest, and how far that gets us.
    pub(super) fn flush(&mut self, count: usize) -> Result<usize, SqliteError> {
        if count == 0 {
            return Ok(0);
        }
        for cached in self.room_cache.oldest_behind(count) {
            self.save(cached, &cached.state)?;
        }
        let mark = self.room_cache.first_behind(count).unwrap_or(self.next_id) - 1;
        let mut statement = self
            .conn
            .prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'mark'")?;
        statement.execute([mark])?;
        Ok(count)
    }

    fn flush_alone(&mut self) -> Result<(), SqliteError> {
        let count = self.room_cache.behind().min(FLUSH);
        let attempt = |writer: &mut Self| {
            writer.begin()?;
            let written = writer.flush(count)?;
            writer.commit()?;
            Ok(written)
        };
        match attempt(self) {
            Ok(written) => self.room_cache.commit(written),
            Err(fault) => {
                self.undo();
                return Err(fault);
            }
        }
        Ok(())
    }

    /// Moves the WAL's content into the database and empties it, unless a reader is in the way.
    fn truncate_wal(&mut self) {
        self.last_truncation = Instant::now();
        match self.checkpoint() {
            Ok(0) => {
                self.wal_grown = false;
                self.purged = false;
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "the WAL was not emptied"),
        }
    }

    /// Answers whether another connection was in the way. Never waits for it: an operator's backup may take
    /// long, and the next idle moment will do.
    fn checkpoint(&self) -> Result<i64, rusqlite::Error> {
        self.conn.busy_timeout(Duration::ZERO)?;
        let busy = self
            .conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        self.conn.busy_timeout(open::BUSY)?;
        busy
    }
}
