//! The unit file that we ship: systemd understands it, finds it hardened, and its times and exit codes
//! fit the defaults of the configuration.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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
    // Tasks, reaper, waiting pool, channel layer and store: each has this long.
    let drain = config.server.drain_timeout * 5;
    let stop: u64 = setting("TimeoutStopSec").parse().unwrap();
    assert!(stop > drain.as_secs(), "{stop} s for {drain:?}");
    // A quarter of it is what the writer has for an answer.
    let watchdog: u64 = setting("WatchdogSec").parse().unwrap();
    assert!(watchdog / 4 > config.store.timeout.as_secs());
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
