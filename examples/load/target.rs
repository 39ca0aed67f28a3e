//! The servers under load: started here and ended when dropped, or running already.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Arguments;
use super::binary::{Server, Setup, get};
use super::process::{Cores, Usage};
use super::sanctions;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The server.
    Miyu,
    /// The relay of `examples/relay`.
    Relay,
    /// The same with `--tuned`.
    Tuned,
}

impl Subject {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Miyu => "miyu",
            Self::Relay => "relay",
            Self::Tuned => "tuned",
        }
    }

    /// Its executable.
    pub fn program(self, arguments: &Arguments) -> PathBuf {
        let program = match self {
            Self::Miyu => &arguments.server,
            Self::Relay | Self::Tuned => &arguments.relay,
        };
        std::path::absolute(program).expect("a path")
    }
}

/// One or more nodes of one subject.
pub struct Target {
    /// What they are.
    pub subject: Subject,
    /// Where they are reached.
    pub addresses: Vec<SocketAddr>,
    /// Where their numbers are asked for: known of those that were started here.
    operators: Vec<SocketAddr>,
    pids: Vec<u32>,
    started: Vec<(Server, tempfile::TempDir)>,
}

impl Target {
    /// Those that the arguments name, or fresh ones.
    pub async fn of(arguments: &Arguments, subject: Subject) -> Self {
        let mut target = Self {
            subject,
            addresses: arguments.address.clone(),
            operators: Vec::new(),
            pids: arguments.pid.clone(),
            started: Vec::new(),
        };
        if !target.addresses.is_empty() {
            return target;
        }
        for _ in 0..arguments.nodes {
            let home = home();
            if subject == Subject::Miyu && arguments.sanctions > 0 {
                sanctions::fill(&home.path().join("data"), arguments.sanctions).await;
            }
            let mut server = start(arguments, subject, home.path());
            target.addresses.push(server.ready().await);
            target.operators.extend(server.operators());
            target.pids.push(server.pid());
            target.started.push((server, home));
        }
        target
    }

    /// What all of them used so far; nothing where it cannot be known of each.
    pub fn usage(&self) -> Option<Usage> {
        if self.pids.is_empty() {
            return None;
        }
        self.pids.iter().map(|pid| Usage::of(*pid)).sum()
    }

    /// How many pages of the store were read because frames were missing from a stream: the costly way
    /// of healing, which one node should never need. Nothing of a server that does not say how many
    /// pages it read, of which each side that comes into a room needs one.
    pub async fn pages_by_holes(&self) -> Option<u64> {
        let mut all = 0;
        if self.operators.is_empty() {
            return None;
        }
        for address in &self.operators {
            let (status, text) = get(*address, "/metrics").await.ok()?;
            let pages = text.lines().filter(|it| it.starts_with("miyu_pages_total"));
            if status != 200 || pages.clone().next().is_none() {
                return None;
            }
            for line in pages.filter(|it| it.contains("cause=\"hole\"")) {
                all += line.rsplit(' ').next()?.parse::<u64>().ok()?;
            }
        }
        Some(all)
    }
}

/// How long it takes from starting an executable until its first page has been read.
pub async fn cold_start(arguments: &Arguments) -> Duration {
    let home = home();
    let begun = Instant::now();
    let server = start(arguments, Subject::Miyu, home.path());
    loop {
        if let Some(address) = server.address()
            && let Ok((200, page)) = get(address, "/").await
        {
            assert!(page.contains("</html>"), "a whole page");
            return begun.elapsed();
        }
        let patience = Duration::from_secs(60);
        assert!(begun.elapsed() < patience, "no page: {}", server.said());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A folder on the disk that this program is on: a system's folder for temporary files may be in memory,
/// where surviving a power cut costs nothing.
fn home() -> tempfile::TempDir {
    let program = std::env::current_exe().expect("this program's path");
    let folder = program.parent().expect("it is in a folder");
    tempfile::tempdir_in(folder).expect("a temporary folder")
}

/// A child may use the cores that this thread may use when it starts it.
fn start(arguments: &Arguments, subject: Subject, home: &Path) -> Server {
    let mut setup = Setup::new(subject.program(arguments), home);
    // A data folder named on the command line would win over it.
    setup.store_elsewhere = std::env::var_os("MIYU_STORE__URL").is_some();
    if subject == Subject::Tuned {
        setup.arguments.push("--tuned".to_owned());
    }
    let Some(cores) = &arguments.server_cores else {
        return setup.spawn();
    };
    let own = Cores::own().expect("Linux, for --server-cores");
    cores.take().expect("these cores exist");
    let server = setup.spawn();
    own.take().expect("they were ours before");
    server
}
