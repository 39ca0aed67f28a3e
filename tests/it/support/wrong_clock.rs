//! The clock of a machine that is set wrong, or is set while a process runs: libfaketime before the real
//! executable. Only what tells the time of day is wrong; clocks that count are left alone.

use std::path::{Path, PathBuf};

/// The variable that puts libfaketime before an executable.
pub fn faketime() -> String {
    let folders = std::fs::read_dir("/usr/lib").expect("/usr/lib");
    let files = folders.filter_map(|it| Some(it.ok()?.path().join("faketime/libfaketimeMT.so.1")));
    let mut there = files.filter(|it| it.exists());
    let file = there.next().expect("faketime is installed");
    format!("LD_PRELOAD={}", file.display())
}

/// A clock that can be set while a process runs.
pub struct WrongClock(PathBuf);

impl WrongClock {
    /// Ahead of the right time by so many seconds.
    pub fn new(folder: &Path, ahead: i64) -> Self {
        let clock = Self(folder.join("clock"));
        clock.set(ahead);
        clock
    }

    /// Sets it: from now on it is ahead by so many seconds.
    pub fn set(&self, ahead: i64) {
        let new = self.0.with_extension("new");
        std::fs::write(&new, format!("{ahead:+}\n")).expect("the test's folder can be written");
        std::fs::rename(new, &self.0).expect("the test's folder can be written");
    }

    /// What an executable is started through to go by it.
    pub fn through(&self) -> Vec<String> {
        let file = format!("FAKETIME_TIMESTAMP_FILE={}", self.0.display());
        let words = [
            "env",
            &faketime(),
            &file,
            "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
        ];
        words.map(str::to_owned).into()
    }
}
