//! The real executable whose log cannot be written: no reader, a full disk, a reader that stalls. It
//! serves, says what it lost, and leaves in order.

use std::io::{PipeReader, PipeWriter, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::binary::{PATIENCE, get, get_json};
use crate::support::driver::{Frame, Lost, Socket, meet, send};
use crate::support::ports::free_address;
use crate::support::scene::{MIYU, until};

/// A server that cannot be asked by its log where it listens. Dropping it kills it.
struct Mute {
    child: Child,
    site: SocketAddr,
    operators: SocketAddr,
    _home: TempDir,
}

impl Mute {
    async fn start(stderr: impl Into<Stdio>) -> Self {
        let home = TempDir::new().unwrap();
        let [site, operators] = [(); 2].map(|()| free_address());
        let child = Command::new(MIYU)
            .args(["--listen", &site.to_string()])
            .env("MIYU_SERVER__OPERATOR_LISTEN", operators.to_string())
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let server = Self {
            child,
            site,
            operators,
            _home: home,
        };
        let ready = async || matches!(get(operators, "/readyz").await, Ok((200, _)));
        until("it is ready", ready, String::new).await;
        server
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.unwrap(), signal).unwrap();
    }

    async fn stop(&mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The notice about the log.
    async fn notice(&self) -> Option<String> {
        let (_, ready) = get_json(self.operators, "/readyz").await;
        let notices = ready["notices"].as_array().unwrap().iter();
        let mut log = notices.filter(|it| it["part"] == "log");
        log.next().map(|it| it["why"].as_str().unwrap().to_owned())
    }

    async fn lost_lines(&self) -> u64 {
        let (_, metrics) = get(self.operators, "/metrics").await.unwrap();
        let mut lines = metrics.lines();
        let line = lines.find_map(|it| it.strip_prefix("miyu_log_lines_lost_total "));
        line.unwrap().parse().unwrap()
    }
}

impl Drop for Mute {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two people talk: a message of one is heard by the other. Answers the other's socket.
async fn talk(server: &Mute) -> Socket {
    let seats = meet(server.site, "mute").await.unwrap();
    let mut one = Socket::open(server.site, &seats[0].path(0)).await.unwrap();
    let mut two = Socket::open(server.site, &seats[1].path(0)).await.unwrap();
    one.tell(&send("still here", "c1", None)).await.unwrap();
    loop {
        if let Frame::NewMessage { message } = two.hear().await.unwrap() {
            assert_eq!(message.content.as_deref(), Some("still here"));
            return two;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_is_gone_ends_nothing() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut server = Mute::start(writer).await;
    drop(reader);
    // Each of these is a line.
    server.signal(Signal::HUP);
    server.signal(Signal::PIPE);
    let mut socket = talk(&server).await;
    let told = async || server.notice().await.is_some_and(|it| it.contains("pipe"));
    until("/readyz says so", told, String::new).await;
    assert!(server.lost_lines().await > 0);
    assert_eq!(server.stop().await, Some(0));
    let lost = loop {
        if let Err(lost) = socket.hear().await {
            break lost;
        }
    };
    assert!(matches!(lost, Lost::Closed(1001)), "{lost:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_on_a_full_disk_ends_nothing() {
    let full = std::fs::File::options().write(true).open("/dev/full");
    let mut server = Mute::start(full.unwrap()).await;
    let notice = server.notice().await.unwrap();
    assert!(notice.contains("No space left"), "{notice}");
    talk(&server).await;
    assert_eq!(server.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lost_is_told_when_there_is_a_reader_again() {
    let folder = TempDir::new().unwrap();
    let fifo = folder.path().join("log");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let (reader, writer) = ends(&fifo);
    let mut server = Mute::start(writer).await;
    drop(reader);
    server.signal(Signal::HUP);
    let told = async || server.notice().await.is_some();
    until("/readyz says so", told, String::new).await;
    let lost = server.lost_lines().await;

    let reader = std::fs::File::open(&fifo).unwrap();
    let well = async || server.notice().await.is_none();
    until("the notice ends", well, String::new).await;
    assert_eq!(server.stop().await, Some(0));
    let said = std::io::read_to_string(reader).unwrap();
    let told = said.lines().find(|line| line.contains("lines were lost"));
    let told: Value = serde_json::from_str(told.expect(&said)).unwrap();
    assert_eq!(told["level"], "WARN", "{said}");
    assert!(told["lost"].as_u64().unwrap() >= lost, "{said}");
    assert!(said.contains("draining"), "{said}");
}

/// Both ends of a named pipe; each waits for the other.
fn ends(fifo: &Path) -> (std::fs::File, std::fs::File) {
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| std::fs::File::open(fifo).unwrap());
        let writer = std::fs::File::options().write(true).open(fifo).unwrap();
        (reader.join().unwrap(), writer)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_stalls_holds_nothing_up_and_gets_every_line_later() {
    let (mut reader, writer) = full_pipe();
    let mut server = Mute::start(writer).await;
    talk(&server).await;
    assert_eq!(server.notice().await, None, "what waits is not lost");
    let reading = std::thread::spawn(move || {
        let mut said = String::new();
        reader.read_to_string(&mut said).unwrap();
        said
    });
    assert_eq!(server.stop().await, Some(0));
    let said = reading.join().unwrap();
    assert!(
        said.contains("\"serving\"") && said.contains("draining"),
        "{said}"
    );

    // And one that never reads on cannot keep it from leaving.
    let (_reader, writer) = full_pipe();
    let mut server = Mute::start(writer).await;
    assert_eq!(server.stop().await, Some(0));
}

/// A pipe that has no room.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    ioctl_fionbio(&writer, true).unwrap();
    while writer.write(&[b'x'; 512]).is_ok() {}
    ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}
