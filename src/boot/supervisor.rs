//! Tells a supervisor how this process is, by the datagrams of `systemd`'s `Type=notify`: it serves,
//! it leaves, it still works. Nothing supervises when `NOTIFY_SOCKET` is not set; then all of this
//! does nothing. What is asked of the store belongs to the store.
//!
//! By hand, since the crate `sd-notify` (0.5) waits for a supervisor that does not read, and knows no
//! sockets without a file (`@name`), which containers are given.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

use crate::store::Store;
use crate::tasks::Drain;

/// The supervisor's address and what it expects, as its variables say.
///
/// The variables stay set: this program starts no other that could take them for its own.
#[derive(Default)]
pub struct Supervisor {
    line: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// As this process was started.
    pub fn from_process() -> Self {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// As these variables say. One that cannot be understood is logged and left out.
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let Some(name) = variable("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Self::default();
        };
        let line = match line_to(name.as_bytes()) {
            Ok(line) => line,
            Err(error) => {
                warn!(socket = ?name, %error, "the supervisor cannot be told anything");
                return Self::default();
            }
        };
        let number = |name| variable(name)?.to_str()?.parse::<u64>().ok();
        // A watchdog of the process that started us is not ours.
        let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|&period| ours && period > 0);
        Self {
            line: Some(line),
            watchdog: watchdog.map(Duration::from_micros),
        }
    }

    /// Connections are taken from now on.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// The process is on its way out, and this is no failure.
    pub fn stopping(&self, status: &str) {
        self.tell(&format!("STOPPING=1\nSTATUS={status}"));
    }

    /// A line for people, shown by `systemctl status`.
    pub fn status(&self, status: &str) {
        self.tell(&format!("STATUS={status}"));
    }

    /// Says "still working" twice in each period that the supervisor set, for as long as it is true:
    /// this task runs, its timer too (which a worker of the runtime turns), and what writes for the
    /// store does what it is asked. A drain has deadlines of its own and is not asked.
    ///
    /// Ends never; without a watchdog it also does nothing.
    pub async fn watch(&self, store: &dyn Store, drain: &Drain) -> ! {
        let Some(period) = self.watchdog else {
            loop {
                std::future::pending::<()>().await;
            }
        };
        let pause = period / 2;
        let mut beat = interval(pause);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stuck = false;
        loop {
            beat.tick().await;
            // Shorter than the pause, so that one slow answer alone does not miss the period.
            let alive = drain.draining() || timeout(pause / 2, store.alive()).await.is_ok();
            if alive {
                self.tell("WATCHDOG=1");
            }
            if alive == stuck && !drain.draining() {
                self.turned(alive);
            }
            stuck = !alive;
        }
    }

    fn turned(&self, alive: bool) {
        if alive {
            info!("the store's writer answers again");
            self.status("serving");
        } else {
            warn!("the store's writer does not answer; the supervisor may end this process");
            self.status("the store's writer does not answer");
        }
    }

    /// A supervisor that does not listen, or is slow to, holds up no task.
    fn tell(&self, state: &str) {
        let Some((socket, address)) = &self.line else {
            return;
        };
        if let Err(error) = socket.send_to_addr(state.as_bytes(), address) {
            tracing::debug!(%error, "the supervisor was not told");
        }
    }
}

/// A socket to send from, and where to: a path, or after an `@` a name that has no file.
fn line_to(name: &[u8]) -> std::io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name {
        [b'@', rest @ ..] => without_file(rest)?,
        [b'/', ..] => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name))?,
        _ => return Err(std::io::Error::other("neither a path nor an @name")),
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

#[cfg(target_os = "linux")]
fn without_file(name: &[u8]) -> std::io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt as _;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn without_file(_: &[u8]) -> std::io::Result<SocketAddr> {
    Err(std::io::Error::other(
        "only Linux has sockets without a file",
    ))
}
