//! The real executable on a disk that is full, or that fails to write: what cannot be stored is
//! answered `unavailable`, nothing acknowledged is lost, and it recovers by itself.

use std::net::SocketAddr;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tempfile::TempDir;

use crate::support::binary::{Server, Setup, get, get_json};
use crate::support::driver::meet;
use crate::support::fixture::Fixture;
use crate::support::scene::{MIYU, assert_kept, progress, talkers, until};
use crate::support::tmpfs::Tmpfs;

/// Actions answered `unavailable` before space returns.
const REFUSED: u64 = 20;
/// Acknowledgements that show that all is well again.
const PROGRESS: u64 = 100;

fn on_disk(home: &TempDir, disk: &Tmpfs) -> Setup {
    let mut setup = Setup::new(MIYU, home.path());
    setup.data = disk.path().join("data");
    setup.through = disk.through();
    setup
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_costs_no_acknowledged_message() {
    let home = TempDir::new().unwrap();
    let disk = Tmpfs::mount(home.path(), "16m");
    let setup = on_disk(&home, &disk);
    let mut server = setup.spawn();
    let address = server.ready().await;
    let fixture = Fixture::default();
    fixture.server_at(Some(address));
    let talk = talkers(address, 4, &fixture).await;
    for _ in 0..3 {
        progress(&fixture, PROGRESS, &server).await;
        disk.fill();
        refused(&fixture, &server).await;
        let operators = server.operators().unwrap();
        assert_not_ready(operators, "disk").await;
        // The rest of the site goes on.
        assert_eq!(get(address, "/").await.unwrap().0, 200);
        assert_eq!(get(operators, "/healthz").await.unwrap().0, 200);
        disk.free();
        server.ready().await;
    }
    progress(&fixture, PROGRESS, &server).await;

    // And killed while it is full: the next one waits for space, saying so once.
    disk.fill();
    refused(&fixture, &server).await;
    fixture.server_at(None);
    server.kill();
    let mut server = setup.spawn();
    let address = waits_until_there_is_space(&mut server, &disk).await;
    fixture.server_at(Some(address));
    progress(&fixture, PROGRESS, &server).await;

    fixture.stop();
    let journals = talk.join_all().await;
    assert_kept(address, &journals).await;
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_on_a_full_disk_waits_for_space() {
    let home = TempDir::new().unwrap();
    let disk = Tmpfs::mount(home.path(), "4m");
    disk.fill();
    let mut server = on_disk(&home, &disk).spawn();
    let address = waits_until_there_is_space(&mut server, &disk).await;
    meet(address, "after all").await.unwrap();
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_waits_for_space_can_be_ended() {
    let home = TempDir::new().unwrap();
    let disk = Tmpfs::mount(home.path(), "4m");
    disk.fill();
    let mut server = on_disk(&home, &disk).spawn();
    server.says("waiting for space").await;
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
}

/// Not "full" but an error of every write (EFBIG), as of a disk that is failing; needs no rights.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_to_write_costs_no_acknowledged_message() {
    let home = TempDir::new().unwrap();
    let setup = Setup::new(MIYU, home.path());
    let mut server = setup.spawn();
    let address = server.ready().await;
    let fixture = Fixture::default();
    fixture.server_at(Some(address));
    let talk = talkers(address, 4, &fixture).await;
    for _ in 0..3 {
        progress(&fixture, PROGRESS, &server).await;
        let before = largest_file(&server, Some(1));
        refused(&fixture, &server).await;
        assert_not_ready(server.operators().unwrap(), "store").await;
        largest_file(&server, before);
        server.ready().await;
    }
    progress(&fixture, PROGRESS, &server).await;
    fixture.stop();
    let journals = talk.join_all().await;
    assert_kept(address, &journals).await;
    server.kill();
    let mut server = setup.start().await;
    let address = server.ready().await;
    assert_kept(address, &journals).await;
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
}

/// Waits until a few actions more were refused.
async fn refused(fixture: &Fixture, server: &Server) {
    let before = fixture.unavailable();
    let enough = async || fixture.unavailable() >= before + REFUSED;
    until("actions are refused", enough, || server.said()).await;
}

/// `/readyz` says no, and why. Not for good: emptying the WAL can give some space back.
async fn assert_not_ready(address: SocketAddr, why: &str) {
    let says_why = async || {
        let (status, answer) = get_json(address, "/readyz").await;
        let problem = answer["problems"][0].to_string();
        status == 503 && problem.contains("store") && problem.contains(why)
    };
    until("/readyz says why it is not ready", says_why, String::new).await;
}

/// It does not serve while the disk is full, says so once, and serves afterwards.
async fn waits_until_there_is_space(server: &mut Server, disk: &Tmpfs) -> SocketAddr {
    server.says("waiting for space").await;
    // The try that failed has closed the database, which may have given the WAL's space back.
    disk.fill();
    two_more_tries().await;
    assert_waits_quietly(server);
    disk.free();
    server.ready().await
}

/// Longer than it takes to look at a full disk twice.
async fn two_more_tries() {
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
}

/// One line, which names what to do, and no other trouble.
fn assert_waits_quietly(server: &Server) {
    let said = server.said();
    let loud = |line: &&str| line.contains("WARN") || line.contains("ERROR");
    let lines: Vec<&str> = said.lines().filter(loud).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(lines[0].contains("no space left on the disk"), "{said}");
    assert_eq!(server.address(), None, "it serves: {said}");
}

/// Sets the size at which its writes fail from now on; answers the one before.
fn largest_file(server: &Server, most: Option<u64>) -> Option<u64> {
    let pid = i32::try_from(server.pid()).ok().and_then(Pid::from_raw);
    let old = rustix::process::getrlimit(Resource::Fsize);
    let new = Rlimit {
        current: most,
        maximum: old.maximum,
    };
    let before = prlimit(pid, Resource::Fsize, new).expect("a process of ours");
    before.current
}
