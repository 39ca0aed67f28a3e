//! How many connections this process can hold open: its descriptor limit, less what it needs itself; and
//! room for them in the kernel's table.

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::{info, warn};

/// Database, log, listeners, the runtime's own, and some air.
const RESERVE: u64 = 128;
/// What is used when the system sets no limit.
const PLENTY: u64 = 1_000_000;

/// For how many descriptors the table is made at the start: half a MiB of the kernel's memory.
const ROOM: u64 = 65_536;

/// Has the kernel make the table of descriptors for the first 65,536 of them. It would double it whenever
/// it is full, and where threads share it each doubling waits until no core can still read the former one
/// (`synchronize_rcu` in `expand_fdtable`, Linux's fs/file.c): `accept`, and the thread that called it,
/// then stand still (8 to 19 ms on a virtual machine, at 256, 512, 1,024 and 2,048 descriptors). To be
/// called while there is one thread: nothing is waited for then.
pub fn make_room() {
    let last = raised_limit().min(ROOM).saturating_sub(1);
    // The table grows to hold the copy, and stays so. Where this is refused, it grows as it would have.
    if let Ok(last) = i32::try_from(last) {
        drop(fcntl_dupfd_cloexec(std::io::stderr(), last));
    }
}

/// The descriptor limit, after raising the soft one to the hard one where the system allows.
fn raised_limit() -> u64 {
    let now = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: now.maximum,
        maximum: now.maximum,
    };
    let limit = match now.current == now.maximum || setrlimit(Resource::Nofile, wanted).is_err() {
        true => now.current,
        false => now.maximum,
    };
    limit.unwrap_or(PLENTY)
}

/// Raises the soft limit to the hard one where the system allows, and says what is left for
/// connections.
pub fn for_connections() -> usize {
    let limit = raised_limit();
    let left = limit.saturating_sub(RESERVE).max(limit / 2);
    match left {
        0..1000 => warn!(
            limit,
            "the descriptor limit allows few connections; raise `ulimit -n`"
        ),
        _ => info!(limit, "descriptors"),
    }
    usize::try_from(left).unwrap_or(usize::MAX)
}
