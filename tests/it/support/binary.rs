//! The real executable as a child process: started on a free port with a data folder, asked whether
//! it is ready, ended by its own id. Knows nothing of rooms or messages.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long anything may take before a test gives up. Never a measurement: a loaded machine is slow.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Rates off, so that a load of one address is not held back; everything else as delivered.
pub const UNLIMITED: &str = "[limits]\nmessages_per_second = 0\nmatches_per_minute = 0\n\
    requests_per_minute = 0\nconnections_per_address = 0\nsessions_per_minute = 0\n\
    signals_per_second = 0\nmessage_bytes_per_second = \"0B\"\nsockets_per_session = 0\n";

/// How to start the executable.
#[derive(Clone)]
pub struct Setup {
    /// Which executable.
    pub program: PathBuf,
    /// The folder of the configuration file.
    pub home: PathBuf,
    /// The folder of the database; unless the configuration names another store.
    pub data: PathBuf,
    /// The configuration names another store.
    pub store_elsewhere: bool,
    /// The configuration file's text.
    pub config: String,
    /// What the executable is started through, such as `nsenter …`; it must `exec`.
    pub through: Vec<String>,
    /// More words of the command line.
    pub arguments: Vec<String>,
}

impl Setup {
    /// This executable in `home`, its data in `home/data`, without rates.
    pub fn new(program: impl Into<PathBuf>, home: &Path) -> Self {
        Self {
            program: program.into(),
            home: home.to_owned(),
            data: home.join("data"),
            store_elsewhere: false,
            config: UNLIMITED.to_owned(),
            through: Vec::new(),
            arguments: Vec::new(),
        }
    }

    /// With these lines of configuration before everything else.
    pub fn with(mut self, config: &str) -> Self {
        self.config = format!("{config}{}", self.config);
        self
    }

    /// Starts it and waits for nothing.
    pub fn spawn(&self) -> Server {
        let file = self.home.join("miyu.toml");
        std::fs::write(&file, &self.config).expect("the test's folder can be written");
        let mut words = self.through.iter().map(PathBuf::from).collect::<Vec<_>>();
        words.push(self.program.clone());
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args(["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(file)
            .args(&self.arguments)
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if !self.store_elsewhere {
            command.arg("--data-dir").arg(&self.data);
        }
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", words[0].display()));
        Server::watch(child)
    }

    /// Starts it and waits until it is ready.
    pub async fn start(&self) -> Server {
        let mut server = self.spawn();
        server.ready().await;
        server
    }

    /// Starts it and waits for it to refuse: its exit code, and everything it said.
    pub async fn refused(&self) -> (Option<i32>, String) {
        let mut server = self.spawn();
        let code = server.ended().await.code();
        (code, server.said())
    }
}

/// A running executable. Dropping it kills it.
pub struct Server {
    child: Child,
    said: Arc<Mutex<String>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    fn watch(mut child: Child) -> Self {
        let stderr = child.stderr.take().expect("stderr is piped");
        let said = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&said);
        let reader = std::thread::spawn(move || {
            let mut lines = BufReader::new(stderr);
            let mut line = Vec::new();
            while lines.by_ref().read_until(b'\n', &mut line).unwrap_or(0) > 0 {
                let text = String::from_utf8_lossy(&line);
                lock(&heard).push_str(&text);
                line.clear();
            }
        });
        Self {
            child,
            said,
            reader: Some(reader),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything it wrote to stderr so far; all of it once it has ended.
    pub fn said(&self) -> String {
        lock(&self.said).clone()
    }

    /// Waits until it has said this.
    pub async fn says(&mut self, what: &str) {
        let started = Instant::now();
        while !self.said().contains(what) {
            let ended = self.child.try_wait().expect("our own child");
            assert!(
                ended.is_none() && started.elapsed() < PATIENCE,
                "waiting for {what:?}, {ended:?}: {}",
                self.said()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Where it listens, once it has said so.
    pub fn address(&self) -> Option<SocketAddr> {
        self.serving("address")
    }

    /// Where operators ask, once it has said so; what is no Miyu is asked where it listens.
    pub fn operators(&self) -> Option<SocketAddr> {
        self.serving("operators").or_else(|| self.address())
    }

    fn serving(&self, what: &str) -> Option<SocketAddr> {
        let said = self.said();
        let line = said.lines().find(|it| it.contains("\"serving\""))?;
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        line[what].as_str()?.parse().ok()
    }

    /// Waits until `/readyz` says yes, and answers the site's address.
    pub async fn ready(&mut self) -> SocketAddr {
        let started = Instant::now();
        loop {
            if let (Some(address), Some(operators)) = (self.address(), self.operators())
                && let Ok((200, _)) = get(operators, "/readyz").await
            {
                return address;
            }
            let ended = self.child.try_wait().expect("our own child");
            assert!(
                ended.is_none() && started.elapsed() < PATIENCE,
                "not ready, {ended:?}: {}",
                self.said()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        // It may have ended by itself; the test that waits for it will see how.
        let _ = kill_process(pid.expect("a process id"), signal);
    }

    /// kill -9, and gone.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
        self.hear_out();
    }

    /// SIGTERM, and how it ended.
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                self.hear_out();
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "still runs: {}", self.said());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn hear_out(&mut self) {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn lock(said: &Mutex<String>) -> std::sync::MutexGuard<'_, String> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One GET over its own connection: status and body.
pub async fn get(address: SocketAddr, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).await?;
    // 1.0: the body ends with the connection, and comes in one piece.
    let request = format!("GET {path} HTTP/1.0\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
    let status = status.ok_or_else(|| std::io::Error::other("no HTTP answer"))?;
    Ok((status, body.to_owned()))
}

/// One GET that must be answered with JSON.
pub async fn get_json(address: SocketAddr, path: &str) -> (u16, serde_json::Value) {
    let (status, body) = get(address, path).await.expect("the server answers");
    let json = serde_json::from_str(&body);
    (
        status,
        json.unwrap_or_else(|_| panic!("{path} is no JSON: {body}")),
    )
}
