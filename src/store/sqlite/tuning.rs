//! Sizes of the SQLite store.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Sizes inside this backend, which no caller depends on. Tests make them tiny.
#[derive(Clone, Debug)]
pub struct SqliteTuning {
    /// Jobs that may wait for the writer, and for the readers.
    pub queue: usize,
    /// What those for the writer may hold in memory, in bytes, and those for the readers.
    pub queue_bytes: usize,
    /// Jobs in one transaction.
    pub batch: usize,
    /// After a transaction of several jobs, how long more are gathered for the next one when they are
    /// many: see [`SqliteTuning::pause_after`].
    pub gather: Duration,
    /// From one transaction to the next when only work waits that people do not feel: rooms that are
    /// made, connections that come and go.
    pub gather_timeout: Duration,
    /// From one batch of reads to the next, of one reader, when only searches wait.
    pub read_pause: Duration,
    /// Pages that come into the WAL before they are copied into the database, beside the writer: 4 KiB each.
    pub checkpoint: u32,
    /// Pages in the WAL before the writer waits for the rest of them, so that it can begin anew.
    pub wal: u32,
    /// Reader threads.
    pub readers: usize,
    /// Rooms in the cache.
    pub room_cache: usize,
    /// Entries of cached rooms: 12 bytes each, in long rooms 14 to 20.
    pub cached_entries: usize,
    /// Rooms whose row may be behind their log.
    pub behind: usize,
    /// Entries that a start may have to read after a crash: about 1 µs each.
    pub scan: i64,
    /// After so long without a write, what is behind is written and the WAL emptied.
    pub idle: Duration,
    /// How often the WAL is emptied because erased text may be in it, under load.
    pub purge: Duration,
    /// Entries erased in one step.
    pub erase_rows: usize,
    /// Blocks kept altogether.
    pub blocks: i64,
    /// Rooms closed in one step.
    pub close_rooms: usize,
    /// Tests only: a full disk, in pages; 0 for none.
    pub page_limit: Option<Arc<AtomicU32>>,
}

impl SqliteTuning {
    /// How long more jobs are gathered after a transaction of so many. Half of the largest is worth waiting
    /// for: each of them costs less then. A few are to be acknowledged soon.
    pub(super) fn pause_after(&self, jobs: usize) -> Duration {
        let share = 2.0 * jobs as f64 / self.batch as f64;
        self.gather.mul_f64(share.clamp(LEAST_GATHER, 1.0))
    }
}

/// Part of [`SqliteTuning::gather`] that is waited after the smallest of transactions.
const LEAST_GATHER: f64 = 0.3;

impl Default for SqliteTuning {
    fn default() -> Self {
        Self {
            queue: 65_536,
            queue_bytes: 32 * 1024 * 1024,
            batch: 512,
            gather: Duration::from_millis(1),
            gather_timeout: Duration::from_millis(5),
            read_pause: Duration::from_millis(1),
            checkpoint: 500,
            wal: 8000,
            readers: 2,
            room_cache: 65_536,
            cached_entries: 4_000_000,
            behind: 32_768,
            scan: 200_000,
            idle: Duration::from_secs(2),
            purge: Duration::from_secs(60),
            erase_rows: 500,
            blocks: crate::store::BLOCKS,
            close_rooms: 64,
            page_limit: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_jobs_are_followed_soon_and_many_after_the_whole_pause() {
        let tuning = SqliteTuning::default();
        let micros = |jobs| tuning.pause_after(jobs).as_micros();
        assert_eq!([0, 2, 76].map(micros), [300, 300, 300]);
        assert_eq!([128, 192].map(micros), [500, 750]);
        assert_eq!([256, 512, 100_000].map(micros), [1000, 1000, 1000]);
    }
}
