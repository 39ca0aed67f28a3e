//! The real executable told to leave while people talk: sockets get 1001, what was acknowledged is
//! kept, the exit code is 0, and a second signal ends it at once.

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::support::binary::{Setup, get};
use crate::support::driver::{Lost, Socket, meet};
use crate::support::fixture::Fixture;
use crate::support::ports::free_address;
use crate::support::scene::{MIYU, assert_kept, progress, talkers, until};

/// How the shell names a process that a second signal ended.
const IMPATIENT: Option<i32> = Some(130);
/// Long enough to look at a server that drains.
const SLOWLY: &str = "[server]\ndrain_jitter = \"3s\"\ndrain_timeout = \"20s\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_loses_nothing() {
    leaves_in_order(Signal::TERM).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigint_loses_nothing() {
    leaves_in_order(Signal::INT).await;
}

async fn leaves_in_order(signal: Signal) {
    let home = TempDir::new().unwrap();
    let setup = Setup::new(MIYU, home.path()).with(SLOWLY);
    let mut server = setup.spawn();
    let address = server.ready().await;
    let fixture = Fixture::default();
    fixture.server_at(Some(address));
    let talk = talkers(address, 10, &fixture).await;
    progress(&fixture, 200, &server).await;

    server.signal(signal);
    server.says("draining").await;
    let refuses = async || TcpStream::connect(address).await.is_err();
    until("new connections are refused", refuses, || server.said()).await;
    fixture.server_at(None);
    assert_eq!(server.ended().await.code(), Some(0), "{}", server.said());
    assert!(!server.said().contains("in time"), "{}", server.said());

    let mut server = setup.spawn();
    let address = server.ready().await;
    fixture.server_at(Some(address));
    progress(&fixture, 200, &server).await;
    fixture.stop();
    let journals = talk.join_all().await;
    assert_kept(address, &journals).await;
    for journal in &journals {
        assert!(journal.closed.contains(&1001), "{:?}", journal.closed);
    }
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searchers_and_idle_people_are_told_too() {
    let home = TempDir::new().unwrap();
    let setup = Setup::new(MIYU, home.path());
    let mut server = setup.spawn();
    let address = server.ready().await;
    let seats = meet(address, "idle").await.unwrap();
    let mut sockets = Vec::new();
    for path in [&seats[0].path(0), &seats[1].path(0), "/ws/matching/"] {
        sockets.push(Socket::open(address, path).await.unwrap());
    }
    server.signal(Signal::TERM);
    for mut socket in sockets {
        let lost = loop {
            if let Err(lost) = socket.hear().await {
                break lost;
            }
        };
        assert!(matches!(lost, Lost::Closed(1001)), "{lost:?}");
    }
    assert_eq!(server.ended().await.code(), Some(0), "{}", server.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_do_not_answer_hold_no_drain_up() {
    let home = TempDir::new().unwrap();
    let hasty = "[server]\ndrain_jitter = \"0s\"\ndrain_timeout = \"2s\"\n";
    let setup = Setup::new(MIYU, home.path()).with(hasty);
    let mut server = setup.spawn();
    let address = server.ready().await;
    let seats = meet(address, "asleep").await.unwrap();
    // Never read again, so the goodbye is not answered; one that has not even asked for anything.
    let _asleep = Socket::open(address, &seats[0].path(0)).await.unwrap();
    let _silent = TcpStream::connect(address).await.unwrap();
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_leaves_at_once() {
    let home = TempDir::new().unwrap();
    let never = "[server]\ndrain_jitter = \"60s\"\ndrain_timeout = \"60s\"\n";
    let setup = Setup::new(MIYU, home.path()).with(never);
    let mut server = setup.spawn();
    let address = server.ready().await;
    let mut sockets = Vec::new();
    for pair in 0..10 {
        for seat in meet(address, &format!("pair{pair}")).await.unwrap() {
            sockets.push(Socket::open(address, &seat.path(0)).await.unwrap());
        }
    }
    server.signal(Signal::TERM);
    server.says("draining").await;
    server.signal(Signal::INT);
    assert_eq!(server.ended().await.code(), IMPATIENT, "{}", server.said());
    // DepartRetry so is a crash, and a crash loses nothing either.
    let mut server = setup.start().await;
    server.signal(Signal::TERM);
    assert_eq!(server.ended().await.code(), Some(0), "{}", server.said());
}

/// The operators' port can be asked while the site's accepts no connection any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operators_port_says_that_it_drains() {
    let home = TempDir::new().unwrap();
    let operator_at = free_address();
    let config = format!(
        "[server]\ndrain_jitter = \"60s\"\ndrain_timeout = \"60s\"\noperator_listen = \"{operator_at}\"\n"
    );
    let setup = Setup::new(MIYU, home.path()).with(&config);
    let mut server = setup.spawn();
    server.says("\"serving\"").await;
    let address = server.address().unwrap();
    let is_ready = async || matches!(get(operator_at, "/readyz").await, Ok((200, _)));
    until("it is ready", is_ready, || server.said()).await;
    assert_eq!(get(address, "/readyz").await.unwrap().0, 404);
    let mut sockets = Vec::new();
    for pair in 0..5 {
        for seat in meet(address, &format!("pair{pair}")).await.unwrap() {
            sockets.push(Socket::open(address, &seat.path(0)).await.unwrap());
        }
    }
    server.signal(Signal::TERM);
    server.says("draining").await;
    let told = async || {
        let answer = get(operator_at, "/readyz").await;
        matches!(answer, Ok((503, why)) if why.contains("shutting down"))
    };
    until("it says that it drains", told, || server.said()).await;
    assert!(matches!(get(operator_at, "/metrics").await, Ok((200, _))));
    server.signal(Signal::TERM);
    assert_eq!(server.ended().await.code(), IMPATIENT, "{}", server.said());
}
