//! How many connections this process can hold open: its descriptor limit, less what it needs itself.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::{info, warn};

/// Database, log, listeners, the runtime's own, and some air.
const RESERVE: u64 = 128;
/// What is used when the system sets no limit.
const PLENTY: u64 = 1_000_000;

/// Raises the soft limit to the hard one where the system allows, and says what is left for
/// connections.
pub fn for_connections() -> usize {
    let now = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: now.maximum,
        maximum: now.maximum,
    };
    let limit = match now.current == now.maximum || setrlimit(Resource::Nofile, wanted).is_err() {
        true => now.current,
        false => now.maximum,
    };
    let limit = limit.unwrap_or(PLENTY);
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
