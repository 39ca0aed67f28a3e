//! A PostgreSQL of one test's own, which may stop, kill and freeze it. Everything of it is in a
//! folder that goes with it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::binary::PATIENCE;
use super::ports::free_port;
use super::wrong_clock::WrongClock;

/// The user that the server trusts.
pub const USER: &str = "miyu";

/// A running server.
pub struct OwnPostgres {
    folder: TempDir,
    port: u16,
    child: Child,
    /// What it is started through.
    through: Vec<String>,
}

impl OwnPostgres {
    /// Makes an empty server and starts it.
    pub fn start() -> Self {
        Self::start_in(folder(), Vec::new())
    }

    /// The same with a clock that can be set.
    pub fn with_clock() -> (Self, WrongClock) {
        let folder = folder();
        let clock = WrongClock::new(folder.path(), 0);
        (Self::start_in(folder, clock.through()), clock)
    }

    fn start_in(folder: TempDir, through: Vec<String>) -> Self {
        let made = program(folder.path(), "initdb", &[])
            .args([
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--no-locale",
            ])
            .args(["--username", USER, "--pgdata"])
            .arg(folder.path().join("db"))
            .output();
        let made = made.expect("initdb can be started");
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "initdb: {said}");
        let port = free_port();
        let child = spawn(folder.path(), port, &through);
        let server = Self {
            folder,
            port,
            child,
            through,
        };
        server.wait();
        server
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Ends it as its operator would who does not wait for anybody, and starts it again after so long.
    pub async fn restart(&mut self, after: Duration) {
        self.end(Signal::INT);
        tokio::time::sleep(after).await;
        self.child = spawn(self.folder.path(), self.port, &self.through);
        self.wait();
    }

    /// Stops all its processes: connections stay open and are not answered.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let main = self.child.id();
        let mut all = vec![main];
        all.extend(children(main));
        for pid in all {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            // One that has just ended needs no signal.
            let _ = kill_process(pid.expect("a process id"), signal);
        }
    }

    fn end(&mut self, how: Signal) {
        let _ = kill_process(Pid::from_child(&self.child), how);
        let started = Instant::now();
        while let Ok(None) = self.child.try_wait() {
            if started.elapsed() > PATIENCE {
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn wait(&self) {
        let started = Instant::now();
        while !self.answers() {
            let log = std::fs::read_to_string(self.folder.path().join("log"));
            assert!(started.elapsed() < PATIENCE, "PostgreSQL: {log:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn answers(&self) -> bool {
        let mut asking = program(self.folder.path(), "pg_isready", &[]);
        asking.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        asking.status().is_ok_and(|status| status.success())
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        self.thaw();
        self.end(Signal::QUIT);
    }
}

/// The user and group that have no rights of their own.
const UNPRIVILEGED: u32 = 65_534;

/// A folder that belongs to the server's user.
fn folder() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    if rustix::process::getuid().is_root() {
        // It refuses to run as root.
        let given = std::os::unix::fs::chown(folder.path(), Some(UNPRIVILEGED), Some(UNPRIVILEGED));
        given.expect("root may give folders away");
    }
    folder
}

/// A program of the newest PostgreSQL here, as a user that it accepts, started through this.
fn program(folder: &Path, name: &str, through: &[String]) -> Command {
    let mut words: Vec<PathBuf> = Vec::new();
    if rustix::process::getuid().is_root() {
        let ids = [
            format!("--reuid={UNPRIVILEGED}"),
            format!("--regid={UNPRIVILEGED}"),
        ];
        words.push("setpriv".into());
        words.extend(ids.map(PathBuf::from));
        words.push("--clear-groups".into());
    }
    words.extend(through.iter().map(PathBuf::from));
    words.push(installed().join(name));
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// The folder of the newest server's programs, as Debian has it.
fn installed() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let versions = versions.filter_map(|it| Some(it.ok()?.path().join("bin")));
    let complete = versions.filter(|bin| bin.join("initdb").exists());
    complete.max().expect("a PostgreSQL server is installed")
}

fn spawn(folder: &Path, port: u16, through: &[String]) -> Child {
    let mut log = std::fs::File::options();
    let log = log.create(true).append(true).open(folder.join("log"));
    program(folder, "postgres", through)
        .arg("-D")
        .arg(folder.join("db"))
        .args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k"])
        .arg(folder)
        // A test's data need not survive this machine.
        .args(["-c", "fsync=off", "-c", "max_connections=200"])
        .stdout(Stdio::null())
        .stderr(log.expect("a log"))
        .spawn()
        .expect("postgres can be started")
}

/// The processes whose parent this one is.
fn children(parent: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").expect("/proc");
    let ids = all.filter_map(|it| it.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let of_parent = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Its name stands in brackets, then its state, then its parent.
        let after = stat.rsplit(')').next().unwrap_or_default();
        let found = after.split_whitespace().nth(1);
        found.and_then(|it| it.parse().ok()) == Some(parent)
    };
    ids.filter(of_parent).collect()
}
