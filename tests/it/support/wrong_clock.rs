//! The clock of a machine that is set wrong, or is set while a process runs: libfaketime before the real
//! executable. Only what tells the time of day is wrong; clocks that count are left alone.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::binary::{Server, get_json};
use super::driver::{Frame, Seat, Socket};

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

/// Whether the room goes on, as the first frame of a chat socket says.
pub async fn is_open(address: SocketAddr, seat: &Seat) -> bool {
    let mut socket = Socket::open(address, &seat.path(0)).await.unwrap();
    loop {
        if let Frame::RoomState { active, .. } = socket.hear().await.unwrap() {
            return active;
        }
    }
}

/// One comes and goes, the other comes and stays.
pub async fn one_is_away(address: SocketAddr, seats: &[Seat; 2]) -> Socket {
    let stays = Socket::open(address, &seats[0].path(0)).await.unwrap();
    assert!(is_open(address, &seats[1]).await);
    stays
}

/// What `/readyz` says of the clock.
pub async fn notice(server: &Server) -> Option<String> {
    let (_, ready) = get_json(server.operators().unwrap(), "/readyz").await;
    let mut notices = ready["notices"].as_array().unwrap().iter();
    let clock = notices.find(|it| it["part"] == "clock")?;
    Some(clock["why"].as_str().unwrap().to_owned())
}
