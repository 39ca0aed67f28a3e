//! The clock of the machine is set while the real executable serves, or was wrong when it started: no client
//! loses a conversation to that, and what has really lasted too long ends all the same.

use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::support::binary::{Setup, get};
use crate::support::driver::{Frame, meet, send};
use crate::support::scene::{MIYU, until};
use crate::support::wrong_clock::{WrongClock, is_open, notice, one_is_away};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// Longer than the sweeper takes to look at every room.
const SWEPT: Duration = Duration::from_secs(3);

fn setup(home: &TempDir, clock: &WrongClock, config: &str) -> Setup {
    let mut setup = Setup::new(MIYU, home.path()).with(config);
    setup.through = clock.through();
    setup
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_closes_no_room_and_is_told() {
    let home = TempDir::new().unwrap();
    let clock = WrongClock::new(home.path(), 0);
    let mut server = setup(&home, &clock, "").spawn();
    let address = server.ready().await;
    let seats = meet(address, "set").await.unwrap();
    let mut stays = one_is_away(address, &seats).await;
    assert_eq!(notice(&server).await, None);
    for ahead in [2 * HOUR, -2 * HOUR, 400 * DAY] {
        clock.set(ahead);
        tokio::time::sleep(SWEPT).await;
        assert!(is_open(address, &seats[1]).await, "{ahead} s");
    }
    let told = async || {
        notice(&server)
            .await
            .is_some_and(|it| it.contains("was set by +"))
    };
    until("/readyz tells", told, || server.said()).await;
    let steps = server
        .said()
        .matches("the clock of this machine was set")
        .count();
    assert_eq!(steps, 3, "{}", server.said());
    let (_, metrics) = get(server.operators().unwrap(), "/metrics").await.unwrap();
    assert!(metrics.contains("miyu_clock_steps_total 3"), "{metrics}");

    // What is said has the time that the clock shows.
    let shown = jiff::Timestamp::now().as_millisecond() + 400 * DAY * 1000;
    stays.tell(&send("now", "c1", None)).await.unwrap();
    let said = loop {
        let text = stays.hear_text().await.unwrap();
        if text.contains("\"new_message\"") {
            break serde_json::from_str::<serde_json::Value>(&text).unwrap();
        }
    };
    let at = said["message"]["sent_at_ms"].as_i64().unwrap();
    assert!((at - shown).abs() < 60_000, "{at} and {shown}");
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_behind_the_right_time_closes_no_room_when_it_is_mended() {
    let home = TempDir::new().unwrap();
    let clock = WrongClock::new(home.path(), 0);
    let setup = setup(&home, &clock, "");
    let mut server = setup.spawn();
    let address = server.ready().await;
    let seats = meet(address, "behind").await.unwrap();
    drop(one_is_away(address, &seats).await);
    tokio::time::sleep(SWEPT).await;
    assert_eq!(server.stop().await.code(), Some(0));
    // A machine without a battery, which learns the time later.
    clock.set(-400 * DAY);
    let mut server = setup.spawn();
    let address = server.ready().await;
    let stays = one_is_away(address, &seats).await;
    clock.set(0);
    tokio::time::sleep(SWEPT).await;
    assert!(is_open(address, &seats[1]).await);
    drop(stays);
    server.kill();
    let mut server = setup.spawn();
    let address = server.ready().await;
    tokio::time::sleep(SWEPT).await;
    assert!(is_open(address, &seats[0]).await);
    assert_eq!(server.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn absence_and_retention_end_by_what_lasted() {
    let home = TempDir::new().unwrap();
    let clock = WrongClock::new(home.path(), 0);
    let config = "[chat]\nreconnect_grace = \"4s\"\npresence_settle = \"0s\"\n\
                  [store]\nretention = \"30s\"\n";
    let setup = setup(&home, &clock, config);
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
    let mut server = setup.spawn();
    let address = server.ready().await;
    assert_eq!(get(address, &log).await.unwrap().0, 200);
    // And not kept because it goes back.
    clock.set(-2 * DAY);
    let erased = async || get(address, &log).await.unwrap().0 == 404;
    until("it is erased", erased, || server.said()).await;
    assert_eq!(server.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_of_the_future_is_honoured() {
    let home = TempDir::new().unwrap();
    let clock = WrongClock::new(home.path(), 30 * DAY);
    let setup = setup(&home, &clock, "");
    let mut server = setup.spawn();
    let address = server.ready().await;
    let made = crate::support::http::get(address, "/api/site").await;
    let cookie = made
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(server.stop().await.code(), Some(0));
    // The database is another one, so that nothing tells which time it was.
    std::fs::copy(
        setup.data.join("session.key"),
        home.path().join("session.key"),
    )
    .unwrap();
    std::fs::remove_dir_all(&setup.data).unwrap();
    clock.set(0);
    let setup = setup.with(&format!(
        "[session]\nkey_file = {}\n",
        json!(home.path().join("session.key"))
    ));
    let mut server = setup.spawn();
    let address = server.ready().await;
    let sent = [("cookie", &*cookie)];
    let seen = crate::support::http::get_with(address, "/api/site", &sent).await;
    let again = seen.header("set-cookie").expect("it is signed anew");
    let body = |cookie: &str| cookie.split_once('=').unwrap().1[..20].to_owned();
    assert_eq!(body(again), body(&cookie), "another browser");
    assert_eq!(server.stop().await.code(), Some(0));
}
