//! Gives memory back to the system after a storm. The allocator (mimalloc) takes back what other threads
//! have freed when the thread that once asked for it asks again for something of that size; a thread that
//! has nothing to do keeps all of it, for hours. So each of ours asks, every few seconds, for a few pieces
//! of each size and gives them back at once: without a store of 900 pages read and freed elsewhere kept
//! 860 of 860 MB, with it 40.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How often a thread trims what it has; what a thread does for it takes some microseconds.
pub const EVERY: Duration = Duration::from_secs(5);

/// Pieces of each size at a time.
const PIECES: usize = 4;
/// Sizes go up to this, four between one power of two and the next, as the allocator's do.
const LARGEST: usize = 512 * 1024;

/// Counts periods.
static PERIOD: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static TRIMMED: Cell<u32> = const { Cell::new(0) };
}

/// Begins a new period: each thread trims once in it.
pub fn begin() {
    PERIOD.fetch_add(1, Ordering::Relaxed);
}

/// Trims, if this thread has not done so in this period. Costs next to nothing otherwise.
pub fn if_due() {
    let period = PERIOD.load(Ordering::Relaxed);
    if TRIMMED.replace(period) != period {
        trim();
    }
}

fn trim() {
    let mut size = 16;
    while size < LARGEST {
        for quarters in 4..8 {
            let size = size / 4 * quarters;
            let pieces: [Vec<u8>; PIECES] = std::array::from_fn(|_| Vec::with_capacity(size));
            // Or the compiler would leave them out.
            drop(black_box(pieces));
        }
        size *= 2;
    }
}
