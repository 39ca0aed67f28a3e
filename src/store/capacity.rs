//! Whether there is room for new people: how large the data is, beside `store.max_size`.
//!
//! From [`MARK`] of it on no new pairs are made, so that the rest is left to people who talk already;
//! what they can still add is bounded by `limits.room_bytes` and `limits.room_entries` each, and each byte
//! counts several times for the shares of their networks. At the whole
//! of it the store itself refuses messages ([`super::Upkeep::size`]). When erasure has brought the data
//! below [`LEAVE`], searches go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytesize::ByteSize;
use tokio_util::sync::CancellationToken;

use super::Store;
use crate::telemetry;

/// How often the data is measured.
const PERIOD: Duration = Duration::from_secs(2);
/// The low-water mark, in hundredths of `store.max_size`.
const MARK: u64 = 90;
/// In the same, what the data must come below for searches to go on: far enough from the mark for this
/// not to change every few seconds.
const LEAVE: u64 = 85;

/// What was measured last. Shared by all who ask.
pub struct Capacity {
    /// `store.max_size`; 0: none.
    max: u64,
    used: AtomicU64,
    full: AtomicBool,
}

impl Capacity {
    /// With nothing measured yet: people may search. `max` 0: they always may.
    pub fn new(max: u64) -> Self {
        Self {
            max,
            used: AtomicU64::new(0),
            full: AtomicBool::new(false),
        }
    }

    /// There is no room for new people for now.
    pub fn full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// New rooms are refused for now. The search is counted.
    pub fn refuses_rooms(&self) -> bool {
        let full = self.full();
        if full {
            metrics::counter!(telemetry::SITE_FULL).increment(1);
        }
        full
    }

    /// For operators, while new rooms are refused: what is so and what to do.
    pub fn hint(&self) -> Option<String> {
        self.full().then(|| {
            let used = self.used.load(Ordering::Relaxed);
            let refused = match used >= self.max {
                true => "no message is taken and nobody new is paired",
                false => "nobody new is paired",
            };
            format!(
                "the data takes {} of store.max_size = {}: {refused} until closed rooms were erased \
                 (store.retention after they close). Raise store.max_size if the disk has room, or \
                 shorten store.retention",
                ByteSize(used),
                ByteSize(self.max)
            )
        })
    }

    /// Takes a measurement; logs once when new rooms begin to be refused, once when messages are, and once when
    /// all of that ends.
    pub fn measured(&self, used: u64) {
        let before = self.used.swap(used, Ordering::Relaxed);
        metrics::gauge!(telemetry::STORE_BYTES).set(used as f64);
        metrics::gauge!(telemetry::STORE_MAX).set(self.max as f64);
        if self.max == 0 {
            return;
        }
        let share = |hundredths| self.max / 100 * hundredths;
        let was = self.full();
        let full = used >= share(if was { LEAVE } else { MARK });
        self.full.store(full, Ordering::Relaxed);
        let worse = full && (!was || (used >= self.max && before < self.max));
        if let Some(why) = self.hint().filter(|_| worse) {
            tracing::warn!("{why}");
        } else if was && !full {
            tracing::info!(used, "the data is small enough again: people are paired");
        }
    }
}

/// Measures until told to stop.
pub async fn run(store: Arc<dyn Store>, capacity: Arc<Capacity>, stop: CancellationToken) {
    loop {
        match store.size().await {
            Ok(used) => capacity.measured(used),
            // A store that does not answer says so elsewhere; what was measured last still holds.
            Err(error) => tracing::debug!(%error, "the data was not measured"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_refused_from_the_mark_until_well_below_it() {
        let capacity = Capacity::new(1000);
        let steps = [(899, false), (900, true), (899, true), (850, true)];
        for (used, full) in steps.into_iter().chain([(849, false), (899, false)]) {
            capacity.measured(used);
            assert_eq!(capacity.refuses_rooms(), full, "{used}");
            assert_eq!(capacity.hint().is_some(), full);
        }
    }

    #[test]
    fn at_the_whole_of_it_the_operator_reads_that_messages_are_refused() {
        let capacity = Capacity::new(1000);
        let says = |used| {
            capacity.measured(used);
            capacity.hint().unwrap().contains("no message is taken")
        };
        assert_eq!([950, 1000, 2000, 999].map(says), [false, true, true, false]);
    }

    #[test]
    fn without_a_bound_nothing_is_refused() {
        let capacity = Capacity::new(0);
        capacity.measured(u64::MAX);
        assert!(!capacity.refuses_rooms());
    }
}
