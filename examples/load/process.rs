//! What processes used so far, from Linux's /proc (nothing elsewhere), and which cores they may use.

use std::collections::HashMap;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// What /proc/PID/stat counts processor time in; Linux shows it so on every architecture.
const TICKS_PER_SECOND: u64 = 100;

/// Processor time and memory.
#[derive(Clone, Default)]
pub struct Usage {
    /// Nanoseconds of each thread that lives, in user and system.
    threads: HashMap<u32, u64>,
    /// Resident memory.
    pub rss_kib: u64,
}

impl Usage {
    /// Of this process, while it lives.
    pub fn of(pid: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let rss = status.lines().find_map(|it| it.strip_prefix("VmRSS:"))?;
        let threads = threads(pid).or_else(|| Some(HashMap::from([(pid, ticks(pid)?)])))?;
        Some(Self {
            threads,
            rss_kib: rss.split_whitespace().next()?.parse().ok()?,
        })
    }

    /// What was used between another look and this one. What a thread used that has ended meanwhile
    /// is missing: those are idle helpers.
    pub fn cpu_since(&self, before: &Self) -> Duration {
        let used = self.threads.iter().map(|(thread, now)| {
            let then = before.threads.get(thread).copied().unwrap_or(0);
            now.saturating_sub(then)
        });
        Duration::from_nanos(used.sum())
    }
}

impl std::iter::Sum for Usage {
    fn sum<I: Iterator<Item = Self>>(usages: I) -> Self {
        usages.fold(Self::default(), |mut all, one| {
            // Thread ids are unique over all processes.
            all.threads.extend(one.threads);
            all.rss_kib += one.rss_kib;
            all
        })
    }
}

/// The scheduler's own count of nanoseconds: much finer than the ticks of /proc/PID/stat.
fn threads(pid: u32) -> Option<HashMap<u32, u64>> {
    let mut threads = HashMap::new();
    for entry in std::fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let entry = entry.ok()?;
        // One that has ended since is not counted, as later.
        let Ok(text) = std::fs::read_to_string(entry.path().join("schedstat")) else {
            continue;
        };
        let thread = entry.file_name().to_str()?.parse().ok()?;
        threads.insert(thread, text.split(' ').next()?.parse().ok()?);
    }
    (!threads.is_empty()).then_some(threads)
}

fn ticks(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; fields 14 and 15 come after it.
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks: u64 = ticks.map_while(|it| it.parse::<u64>().ok()).sum();
    Some(ticks * (1_000_000_000 / TICKS_PER_SECOND))
}

/// Which cores the calling thread may use; what it starts may use the same.
#[derive(Clone)]
pub struct Cores(CpuSet);

impl Cores {
    /// Those of the calling thread.
    pub fn own() -> std::io::Result<Self> {
        Ok(Self(sched_getaffinity(None)?))
    }

    /// Lets the calling thread use these and no other.
    pub fn take(&self) -> std::io::Result<()> {
        Ok(sched_setaffinity(None, &self.0)?)
    }
}

impl std::str::FromStr for Cores {
    type Err = String;

    /// "0" or "0,2".
    fn from_str(text: &str) -> Result<Self, String> {
        let mut cores = CpuSet::new();
        for number in text.split(',') {
            let number: usize = number.parse().map_err(|_| format!("no core: {number}"))?;
            if number >= CpuSet::MAX_CPU {
                return Err(format!("no core: {number}"));
            }
            cores.set(number);
        }
        Ok(Self(cores))
    }
}
