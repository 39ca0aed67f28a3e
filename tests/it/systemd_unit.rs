//! The unit file that we ship: systemd understands it, finds it hardened, and its times and exit codes
//! fit the defaults of the configuration.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use miyu::admission::bounds::holdings;
use miyu::admission::host::HostMemory;
use miyu::config::Config;
use tempfile::TempDir;

use crate::support::scene::MIYU;

const UNIT: &str = include_str!("../../config/miyu.service");

/// Worst exposure that is taken, in tenths of systemd's points; a plain service has 96.
const EXPOSURE: &str = "--threshold=15";

/// The unit for an executable that is there.
fn installed(folder: &Path) -> PathBuf {
    let start = "ExecStart=/usr/local/bin/miyu ";
    assert!(UNIT.contains(start));
    let path = folder.join("miyu.service");
    let unit = UNIT.replace(start, &format!("ExecStart={MIYU} "));
    std::fs::write(&path, unit).unwrap();
    path
}

fn analyze(arguments: &[&str], unit: &Path) -> Output {
    let mut command = Command::new("systemd-analyze");
    command.args(["--no-pager"]).args(arguments).arg(unit);
    command.output().expect("systemd-analyze is installed")
}

/// The value of a setting that is there once.
fn setting(name: &str) -> &'static str {
    let mut values = UNIT
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let value = values.next().unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(values.next(), None, "{name} twice");
    value
}

#[test]
fn systemd_understands_every_line() {
    let folder = TempDir::new().unwrap();
    let verified = analyze(&["verify"], &installed(folder.path()));
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success(), "{said}");
    // Unknown settings are warnings, not failures.
    assert!(!said.contains("miyu.service"), "{said}");
}

#[test]
fn systemd_finds_it_hardened() {
    let folder = TempDir::new().unwrap();
    let arguments = ["security", "--offline=true", EXPOSURE];
    let judged = analyze(&arguments, &installed(folder.path()));
    let said = String::from_utf8_lossy(&judged.stdout).into_owned();
    assert!(judged.status.success(), "{said}");
}

#[test]
fn its_times_leave_room_for_a_drain_and_a_busy_writer() {
    let config = Config::default();
    // Tasks, clean-ups, waiting pool, channel layer and store: each has this long.
    let drain = config.server.drain_timeout * 5;
    let stop: u64 = setting("TimeoutStopSec").parse().unwrap();
    assert!(stop > drain.as_secs(), "{stop} s for {drain:?}");
    // A quarter of it is what the writer has for an answer.
    let watchdog: u64 = setting("WatchdogSec").parse().unwrap();
    assert!(watchdog / 4 > config.store.timeout.as_secs());
}

/// `2G`, `1800M`, `1g`.
fn bytes(text: &str) -> u64 {
    let (number, shift) = match text.to_ascii_lowercase().as_str() {
        it if it.ends_with('g') => (it.trim_end_matches('g').to_owned(), 30),
        it => (it.trim_end_matches('m').to_owned(), 20),
    };
    number.parse::<u64>().unwrap() << shift
}

/// What could be held at worst fits into this limit, as this process would find it; a ninth is left for
/// what allocators round up.
fn fits(limit: u64) {
    let host = HostMemory {
        bytes: limit,
        said_by: "test",
    };
    let all = holdings(&Config::default().limits, host).everything;
    assert!(all <= limit / 9 * 8, "{} of {} MiB", all >> 20, limit >> 20);
}

/// Most threads that the runtime has for files, and room for one a processor and the store's.
const THREADS: u64 = 512 + 256;

#[test]
fn its_limits_hold_what_can_be_held() {
    let most = bytes(setting("MemoryMax"));
    fits(most);
    let high = bytes(setting("MemoryHigh"));
    assert!(most / 8 * 7 <= high + (8 << 20) && high < most);
    assert!(setting("TasksMax").parse::<u64>().unwrap() >= THREADS);
}

#[test]
fn compose_limits_hold_what_can_be_held() {
    for file in [
        include_str!("../../docker-compose.yml"),
        include_str!("../../docker-compose.cluster.yml"),
    ] {
        let said = |key: &str| {
            let mut values = file
                .lines()
                .filter_map(|line| line.trim().strip_prefix(key));
            values
                .next()
                .unwrap_or_else(|| panic!("no {key}"))
                .trim()
                .to_owned()
        };
        fits(bytes(&said("mem_limit:")));
        assert!(said("pids_limit:").parse::<u64>().unwrap() >= THREADS);
    }
}

#[test]
fn what_a_restart_cannot_mend_is_not_restarted() {
    let folder = TempDir::new().unwrap();
    let refused = Command::new(MIYU)
        .args(["serve", "--listen", "nowhere"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let code = refused.status.code().unwrap().to_string();
    assert_eq!(setting("RestartPreventExitStatus"), code);
}
