//! The real executable on a port of its own with a data folder of its own.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::driver::until_listening;
use super::ports::free_port;

/// How long a drain may take.
const STOP_DEADLINE: Duration = Duration::from_secs(20);

/// A server that ends with the test.
pub struct Server {
    /// Its port on 127.0.0.1, the same after a restart.
    pub port: u16,
    settings: Vec<(String, String)>,
    folder: TempDir,
    child: Option<Child>,
}

impl Server {
    /// Starts one. `settings` are keys such as `chat.reconnect_grace` with their values.
    pub(super) fn start(settings: &[(&str, &str)]) -> Self {
        let settings = settings
            .iter()
            .map(|(key, value)| (variable(key), (*value).to_owned()))
            .collect();
        let mut server = Self {
            port: free_port(),
            settings,
            folder: tempfile::tempdir().expect("a temporary folder"),
            child: None,
        };
        server.run();
        server
    }

    /// Sets a key from the next start on.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.push((variable(key), value.to_owned()));
    }

    /// Starts the executable again after [`Server::stop`].
    pub fn run(&mut self) {
        assert!(self.child.is_none(), "the server runs already");
        let mut command = Command::new(env!("CARGO_BIN_EXE_miyu"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MIYU_") {
                command.env_remove(name);
            }
        }
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_path());
        let log = log.expect("a log file");
        let mut child = command
            .current_dir(self.folder.path())
            .env(
                variable("server.listen"),
                format!("127.0.0.1:{}", self.port),
            )
            .env(variable("store.url"), "sqlite:data/miyu.db")
            // The port after it may be the next test's.
            .env(variable("server.operator_listen"), "off")
            .env(variable("server.drain_jitter"), "100ms")
            .envs(self.settings.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the server starts");
        until_listening(self.port, &mut child, "miyu");
        self.child = Some(child);
    }

    /// Asks the executable to leave (SIGTERM) and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("the server runs");
        kill_process(Pid::from_child(&child), Signal::TERM).expect("the server can be told");
        let asked = Instant::now();
        loop {
            if let Some(status) = child.try_wait().expect("a child can be asked") {
                return status;
            }
            if asked.elapsed() > STOP_DEADLINE {
                let _ = child.kill();
                let _ = child.wait();
                panic!("the server did not drain in {STOP_DEADLINE:?}");
            }
            std::thread::sleep(Duration::from_millis(15));
        }
    }

    /// Where its database and its key are.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("miyu.log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// `chat.arrival` -> `MIYU_CHAT__ARRIVAL`.
fn variable(key: &str) -> String {
    format!("MIYU_{}", key.replace('.', "__").to_uppercase())
}
