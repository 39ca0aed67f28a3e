//! ChromeDriver and geckodriver as child processes. Not what their browsers are started with, and
//! not what is done in a page: that is `person.rs`.

use std::fs::File;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::ports::free_port;

/// Chromium without windows, started as ChromeDriver needs it.
pub const HEADLESS_SHELL: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/lib/headless-chromium");
/// What that starts, and the others: where Debian's packages put them.
const SHELL: &str = "/usr/lib/chromium/chromium-headless-shell";
pub const CHROMIUM: &str = "/usr/bin/chromium";
pub const FIREFOX: &str = "/usr/bin/firefox-esr";
const CHROMEDRIVER: &str = "/usr/bin/chromedriver";

/// No package of Debian has it: `scripts/test` builds it where cargo puts its tools.
const GECKODRIVER: &str = "geckodriver";

/// How long anything outside a page may take to come up.
pub const START_DEADLINE: Duration = Duration::from_secs(30);

/// A running driver; ended by its id with its owner.
pub struct Driver {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Driver {
    /// Starts a ChromeDriver, which drives as many browsers as are wanted.
    pub fn chrome() -> Self {
        require(CHROMEDRIVER, "chromium-driver");
        require(SHELL, "chromium-headless-shell");
        require(CHROMIUM, "chromium");
        let port = free_port();
        let mut command = Command::new(CHROMEDRIVER);
        command.arg(format!("--port={port}"));
        Self::start(command, port)
    }

    /// Starts a geckodriver, which drives one.
    pub fn gecko() -> Self {
        require(FIREFOX, "firefox-esr");
        let port = free_port();
        let mut command = Command::new(GECKODRIVER);
        command.args(["--port", &port.to_string()]);
        // Its usual port is the same for all.
        command.args(["--websocket-port", &free_port().to_string()]);
        Self::start(command, port)
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn start(mut command: Command, port: u16) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = File::create(folder.path().join("driver.log")).expect("a log file");
        // Profiles that it makes itself go with the folder.
        let child = command
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn();
        let name = command.get_program().display();
        let mut child = match child {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("{name} is missing. scripts/test puts it there")
            }
            Err(error) => panic!("{name} does not start: {error}"),
        };
        until_listening(port, &mut child, &name.to_string());
        Self {
            child,
            port,
            _folder: folder,
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Fails, never skips: a suite that quietly did nothing would prove nothing.
fn require(path: &str, package: &str) {
    assert!(
        Path::new(path).exists(),
        "{path} is missing. The browser tests need Debian's packages `chromium`, `chromium-headless-shell`, `chromium-driver` \
         and `firefox-esr`: apt-get install {package}"
    );
}

/// Waits until `child` accepts connections; panics when it ends before.
pub fn until_listening(port: u16, child: &mut Child, name: &str) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let begun = Instant::now();
    while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
        if let Some(status) = child.try_wait().expect("a child can be asked") {
            panic!("{name} ended at once with {status}");
        }
        assert!(
            begun.elapsed() < START_DEADLINE,
            "{name} does not listen on {address}"
        );
        std::thread::sleep(Duration::from_millis(15));
    }
}
