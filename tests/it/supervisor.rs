//! What a supervisor hears over its datagram socket: the real executable says when it serves, leaves
//! and works; it falls silent when the store's writer or the runtime is stuck.

use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use miyu::boot::supervisor::Supervisor;
use miyu::store::sqlite::SqliteStore;
use miyu::store::{Durability, Entries as _, Rooms as _};
use miyu::tasks::Drain;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::support::binary::{PATIENCE, Setup, get};
use crate::support::driver::{Socket, meet};
use crate::support::scene::MIYU;
use crate::support::store::{Now, Recorder, draft, pairing, rules};
use crate::support::unavailable::UnavailableStore;

/// The supervisor's end of the line.
struct Ear(UnixDatagram);

impl Ear {
    /// A socket with a file.
    fn at(path: &Path) -> Self {
        Self(UnixDatagram::bind(path).unwrap())
    }

    /// A socket that has a name only.
    fn named(name: &str) -> Self {
        let address = SocketAddr::from_abstract_name(name).unwrap();
        Self(UnixDatagram::bind_addr(&address).unwrap())
    }

    /// The next message, if one comes within this time.
    fn within(&self, wait: Duration) -> Option<String> {
        self.0.set_read_timeout(Some(wait)).unwrap();
        let mut bytes = [0; 4096];
        let length = self.0.recv(&mut bytes).ok()?;
        Some(String::from_utf8(bytes[..length].to_vec()).unwrap())
    }

    /// Listens until a message has this line; answers that message and those before it.
    fn until(&self, line: &str) -> (String, Vec<String>) {
        let mut before = Vec::new();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match self.within(PATIENCE) {
                Some(message) if message.lines().any(|it| it == line) => return (message, before),
                heard => before.extend(heard),
            }
        }
        panic!("never heard {line}, only {before:?}");
    }
}

/// Starts the executable with these variables.
fn supervised(home: &Path, variables: &[&str]) -> Setup {
    let mut setup =
        Setup::new(MIYU, home).with("[server]\ndrain_jitter = \"1s\"\ndrain_timeout = \"20s\"\n");
    setup.through = [&["env"], variables]
        .concat()
        .into_iter()
        .map(String::from)
        .collect();
    setup
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_ready_when_it_serves_and_stopping_when_it_drains() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("notify");
    let ear = Ear::at(&path);
    let variable = format!("NOTIFY_SOCKET={}", path.display());
    let mut server = supervised(home.path(), &[&variable]).spawn();
    let (ready, before) = ear.until("READY=1");
    assert_eq!(before, ["STATUS=opening the store"]);
    server.says("\"serving\"").await;
    let address = server.address().unwrap();
    assert!(
        ready.contains(&format!("STATUS=serving on {address}")),
        "{ready}"
    );
    let operators = server.operators().unwrap();
    assert_eq!(get(operators, "/readyz").await.unwrap().0, 200);

    let seats = meet(address, "talking").await.unwrap();
    let mut socket = Socket::open(address, &seats[0].path(0)).await.unwrap();
    server.signal(Signal::TERM);
    let (stopping, before) = ear.until("STOPPING=1");
    assert!(stopping.contains("STATUS=draining"), "{stopping}");
    assert!(before.is_empty(), "nobody asked for a watchdog: {before:?}");
    while socket.hear().await.is_ok() {}
    assert_eq!(server.ended().await.code(), Some(0), "{}", server.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watchdog_is_fed_over_a_socket_without_a_file_until_the_end() {
    let home = TempDir::new().unwrap();
    let name = format!("miyu-test-{}", std::process::id());
    let ear = Ear::named(&name);
    let variables = [
        format!("NOTIFY_SOCKET=@{name}"),
        "WATCHDOG_USEC=400000".into(),
    ];
    let mut server = supervised(home.path(), &[&variables[0], &variables[1]]).spawn();
    ear.until("READY=1");
    for _ in 0..3 {
        ear.until("WATCHDOG=1");
    }
    server.says("\"serving\"").await;
    let address = server.address().unwrap();
    let seats = meet(address, "talking").await.unwrap();
    let _silent = Socket::open(address, &seats[0].path(0)).await.unwrap();
    server.signal(Signal::TERM);
    ear.until("STOPPING=1");
    // A client that does not answer the goodbye keeps it for two seconds.
    ear.until("WATCHDOG=1");
    assert_eq!(server.ended().await.code(), Some(0), "{}", server.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_watchdog_of_another_process_is_not_fed() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("notify");
    let ear = Ear::at(&path);
    let socket = format!("NOTIFY_SOCKET={}", path.display());
    let variables = [&socket, "WATCHDOG_USEC=20000", "WATCHDOG_PID=1"];
    let mut server = supervised(home.path(), &variables).spawn();
    ear.until("READY=1");
    server.ready().await;
    server.signal(Signal::TERM);
    let (_, before) = ear.until("STOPPING=1");
    assert!(before.is_empty(), "{before:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_that_is_not_there_is_no_trouble() {
    let home = TempDir::new().unwrap();
    for socket in [
        "NOTIFY_SOCKET=/nowhere/notify",
        "NOTIFY_SOCKET=vsock:2:1234",
    ] {
        let mut server = supervised(home.path(), &[socket, "WATCHDOG_USEC=20000"]).spawn();
        server.ready().await;
        assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
    }
}

/// A supervisor in this process that feeds a watchdog ten times a second.
fn fed(home: &Path) -> (Ear, Supervisor) {
    let path = home.join("notify");
    let ear = Ear::at(&path);
    let supervisor = Supervisor::from_variables(|name| match name {
        "NOTIFY_SOCKET" => Some(path.clone().into()),
        "WATCHDOG_USEC" => Some(OsString::from("200000")),
        _ => None,
    });
    (ear, supervisor)
}

/// Long enough for many beats, had there been any.
const SILENCE: Duration = Duration::from_millis(600);

/// Holds a store up; let go also when the test fails, or the store could not be closed.
struct Held(Arc<Recorder>);

impl Held {
    fn by(sink: &Arc<Recorder>) -> Self {
        sink.hold();
        Self(Arc::clone(sink))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.release();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stuck_writer_silences_the_watchdog_until_it_answers_again() {
    let home = TempDir::new().unwrap();
    let sink = Arc::new(Recorder::default());
    let database = home.path().join("miyu.db");
    let clock = Now::default().clock();
    let store = SqliteStore::open(&database, Durability::Power, rules(), sink.clone(), clock);
    let store = store.unwrap();
    let room = pairing();
    store.create_room(&room).await.unwrap();

    let (ear, supervisor) = fed(home.path());
    let mut watching = JoinSet::new();
    let watched = Arc::clone(&store);
    watching.spawn(async move {
        supervisor.watch(&*watched, &Drain::new()).await;
    });
    ear.until("WATCHDOG=1");
    let held = Held::by(&sink);
    let saying = store.append(draft(room.room, miyu::domain::id::Side::A, "a1", "hello"));
    let (_, before) = ear.until("STATUS=the store's writer does not answer");
    assert!(before.iter().all(|it| it == "WATCHDOG=1"), "{before:?}");
    assert_eq!(ear.within(SILENCE), None);
    drop(held);
    saying.await.unwrap();
    ear.until("WATCHDOG=1");
}

#[tokio::test]
async fn a_store_that_refuses_everything_is_alive_all_the_same() {
    let home = TempDir::new().unwrap();
    let (ear, supervisor) = fed(home.path());
    let listening = tokio::task::spawn_blocking(move || {
        ear.until("WATCHDOG=1");
        ear.until("WATCHDOG=1")
    });
    let drain = Drain::new();
    tokio::select! {
        heard = listening => assert!(heard.unwrap().1.is_empty()),
        never = supervisor.watch(&UnavailableStore, &drain) => never,
    }
}

#[test]
fn a_runtime_whose_workers_are_stuck_silences_the_watchdog() {
    let home = TempDir::new().unwrap();
    let (ear, supervisor) = fed(home.path());
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
    let (release, stuck) = std::sync::mpsc::sync_channel::<()>(1);
    let worker = runtime.handle().clone();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    // As the executable does: the watch is no task of a worker.
    let watching = std::thread::spawn(move || {
        runtime.block_on(async {
            let drain = Drain::new();
            tokio::select! {
                _ = ended => {}
                never = supervisor.watch(&UnavailableStore, &drain) => never,
            }
        });
    });
    ear.until("WATCHDOG=1");
    worker.spawn(async move { stuck.recv().unwrap() });
    // One may have been on its way when the worker stopped.
    let silent = (0..20).any(|_| ear.within(SILENCE).is_none());
    assert!(silent, "it goes on");
    release.send(()).unwrap();
    ear.until("WATCHDOG=1");
    end.send(()).unwrap();
    watching.join().unwrap();
}

#[test]
fn a_supervisor_that_does_not_read_holds_nothing_up() {
    let home = TempDir::new().unwrap();
    let (ear, supervisor) = fed(home.path());
    let telling = std::thread::spawn(move || {
        // Far more than the kernel keeps for a socket that nothing reads.
        for n in 0..2000 {
            supervisor.status(&format!("line {n}"));
        }
    });
    let begun = Instant::now();
    while !telling.is_finished() && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(telling.is_finished(), "it waits for its supervisor");
    assert_eq!(ear.within(SILENCE).as_deref(), Some("STATUS=line 0"));
}
