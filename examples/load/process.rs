//! What processes used so far, from Linux's /proc; nothing elsewhere.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What /proc counts processor time in; Linux shows it so on every architecture.
const TICKS_PER_SECOND: u64 = 100;

/// Processor time and memory.
#[derive(Clone, Copy)]
pub struct Usage {
    /// Of all its threads, in user and system.
    pub cpu: Duration,
    /// Resident.
    pub rss_kib: u64,
}

impl Usage {
    /// Of this process, while it lives.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything; fields 14 and 15 come after it.
        let (_, fields) = stat.rsplit_once(") ")?;
        let ticks = fields.split(' ').skip(11).take(2);
        let ticks: u64 = ticks.map_while(|it| it.parse::<u64>().ok()).sum();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let rss = status.lines().find_map(|it| it.strip_prefix("VmRSS:"))?;
        Some(Self {
            cpu: Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND),
            rss_kib: rss.split_whitespace().next()?.parse().ok()?,
        })
    }
}

impl std::iter::Sum for Usage {
    fn sum<I: Iterator<Item = Self>>(usages: I) -> Self {
        let none = Self {
            cpu: Duration::ZERO,
            rss_kib: 0,
        };
        usages.fold(none, |all, one| Self {
            cpu: all.cpu + one.cpu,
            rss_kib: all.rss_kib + one.rss_kib,
        })
    }
}

/// Thousands of connections need thousands of descriptors, here as in the server.
pub fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where this is refused, connecting will say so.
    let _ = setrlimit(Resource::Nofile, raised);
}
