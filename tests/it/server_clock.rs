//! The clock of the database server is set while nodes serve, or between two of their runs: that closes no
//! room and erases nothing early, and what has really lasted too long ends all the same.

use std::time::Duration;

use tempfile::TempDir;

use crate::support::binary::{Setup, get};
use crate::support::driver::{Frame, meet};
use crate::support::own_postgres::{OwnPostgres, USER};
use crate::support::scene::{MIYU, until};
use crate::support::wrong_clock::{is_open, notice, one_is_away};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// Longer than the sweeper takes to look at every room.
const SWEPT: Duration = Duration::from_secs(3);
/// A grace that passes within a test, and a time to keep rooms that does not pass unnoticed.
const BRIEF: &str = "[chat]\nreconnect_grace = \"4s\"\npresence_settle = \"0s\"\n";

fn setup(home: &TempDir, postgres: &OwnPostgres, store: &str, config: &str) -> Setup {
    let url = format!("postgres://{USER}@{}/postgres", postgres.address());
    let store = format!("{config}[store]\nurl = \"{url}\"\n{store}");
    let mut setup = Setup::new(MIYU, home.path()).with(&store);
    setup.store_elsewhere = true;
    setup
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_servers_clock_that_is_set_closes_no_room_and_is_told() {
    let home = TempDir::new().unwrap();
    let (postgres, clock) = OwnPostgres::with_clock();
    let setup = setup(&home, &postgres, "", "");
    let mut server = setup.spawn();
    let address = server.ready().await;
    let seats = meet(address, "set").await.unwrap();
    let stays = one_is_away(address, &seats).await;
    assert_eq!(notice(&server).await, None);
    for ahead in [2 * HOUR, -2 * HOUR, 400 * DAY] {
        clock.set(ahead);
        tokio::time::sleep(SWEPT).await;
        assert!(is_open(address, &seats[1]).await, "{ahead} s");
    }
    let told = async || {
        let notice = notice(&server).await;
        notice.is_some_and(|it| it.contains("the database server was set by +"))
    };
    until("/readyz tells", told, || server.said()).await;
    let steps = server
        .said()
        .matches("the clock of the database server was set")
        .count();
    assert_eq!(steps, 3, "{}", server.said());
    drop(stays);
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());

    // No server ran while it was set once more: this machine knows how long it was.
    clock.set(0);
    let mut server = setup.spawn();
    let address = server.ready().await;
    tokio::time::sleep(SWEPT).await;
    assert!(is_open(address, &seats[0]).await);
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn absence_and_retention_end_by_what_lasted_whatever_the_servers_clock_says() {
    let home = TempDir::new().unwrap();
    let (postgres, clock) = OwnPostgres::with_clock();
    let setup = setup(&home, &postgres, "retention = \"30s\"\n", BRIEF);
    let mut server = setup.spawn();
    let address = server.ready().await;
    let seats = meet(address, "lasting").await.unwrap();
    let mut stays = one_is_away(address, &seats).await;
    clock.set(-DAY);
    // The grace of 4 s passes, whatever the clock shows.
    loop {
        if let Frame::UserLeft { .. } = stays.hear().await.unwrap() {
            break;
        }
    }
    // Closed just now: not erased because the clock goes forward, and not after a restart either.
    clock.set(2 * DAY);
    tokio::time::sleep(SWEPT).await;
    let log = seats[0].api("messages");
    assert_eq!(get(address, &log).await.unwrap().0, 200);
    server.kill();
    clock.set(3 * DAY);
    let mut server = setup.spawn();
    let address = server.ready().await;
    tokio::time::sleep(SWEPT).await;
    assert_eq!(get(address, &log).await.unwrap().0, 200);
    // And not kept because it goes back.
    clock.set(-2 * DAY);
    let erased = async || get(address, &log).await.unwrap().0 == 404;
    until("it is erased", erased, || server.said()).await;
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
}
