//! The budget for bytes in flight, over sockets and HTTP: what is refused, who goes on, and that
//! everything is given back.

use std::net::IpAddr;

use miyu::admission::memory_budget::{Class, Reservation};
use miyu::config::Config;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::support::client::Browser;
use crate::support::http;
use crate::support::people::{chat, meet, start};
use crate::support::server::TestServer;
use crate::support::wire::{self, HANDSHAKE, eventually};

const MIB: usize = 1 << 20;

fn small(config: &mut Config) {
    config.limits.memory = 4 * MIB as u64;
}

/// Takes so much for this address.
fn take(server: &TestServer, address: &str, class: Class, bytes: usize) -> Reservation {
    let address: IpAddr = address.parse().unwrap();
    let taken = server.app.memory.reserve(address, class, bytes);
    taken.unwrap_or_else(|why| panic!("{address}: {why}"))
}

/// Everything that arriving clients may have, from elsewhere.
fn fill(server: &TestServer, class: Class, networks: u8) -> Vec<Reservation> {
    let each = MIB / 2;
    (1..=networks)
        .map(|n| take(server, &format!("10.{n}.0.1"), class, each))
        .collect()
}

#[tokio::test]
async fn who_holds_a_share_is_refused_and_their_sockets_go_on() {
    let server = TestServer::start(small).await;
    let mut people = chat(&server).await;
    people.a_says("before", "c-1").await;
    let share = usize::try_from(server.app.memory.share()).unwrap();
    let held = take(&server, "127.0.0.1", Class::Arriving, share);

    let path = format!("/api/rooms/{}/messages/", people.ming.room());
    let refused = people.ming.browser.get(&path).await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.code(), "unavailable");
    assert_eq!(refused.header("retry-after"), Some("5"));
    assert_eq!(refused.json()["retry_after_ms"], 5000);
    for path in ["/ws/matching/", &people.ming.path()] {
        let refused = people.ming.browser.try_open(path, &[]).await.err();
        assert_eq!(refused.expect("a refusal").code(), "unavailable", "{path}");
    }
    people.a_says("I go on", "c-2").await;
    people.b_says("so do I", "c-3").await;

    drop(held);
    assert_eq!(people.ming.browser.get(&path).await.status, 200);
    let mut search = Browser::new(&server).open("/ws/matching/").await;
    search.send(start(json!({}))).await;
    search.expect("waiting_for_match").await;
    eventually("all is given back", || server.app.memory.used() == 0).await;
}

#[tokio::test]
async fn rooms_have_the_last_quarter_and_wait_for_more() {
    let server = TestServer::start(small).await;
    let (ming, mei) = meet(&server).await;
    let arriving = fill(&server, Class::Arriving, 6);
    let refused = Browser::new(&server).try_open("/ws/matching/", &[]).await;
    assert_eq!(refused.err().expect("a refusal").status, 503);
    // A room is opened all the same.
    let mut a = ming.enter("&after=0").await;
    a.expect("room_state").await;
    a.say("hello", "c-1").await;
    a.expect("new_message").await;

    // Now the rooms' part is used up too, but for a handshake: a page waits, and comes.
    let rooms = server.app.memory.limit() - server.app.memory.used();
    let rooms = usize::try_from(rooms).unwrap() - server.app.reach.page_memory() + 1;
    let half = take(&server, "10.50.0.1", Class::InRoom, rooms / 2);
    let other = take(&server, "10.51.0.1", Class::InRoom, rooms - rooms / 2);
    let mut b = mei.enter("&after=0").await;
    b.expect("room_state").await;
    // What is said now reaches those who have no hole to fill.
    a.say("live", "c-2").await;
    a.until("new_message").await;
    drop((half, other, arriving));
    assert_eq!(b.until("new_message").await["message"]["content"], "hello");
    assert_eq!(b.until("new_message").await["message"]["content"], "live");
    eventually("all is given back", || server.app.memory.used() == 0).await;
}

/// The beginning of a text frame of so many bytes, masked with zeros.
fn frame_of(length: u16) -> Vec<u8> {
    let mut bytes = vec![0x81, 0x80 | 126];
    bytes.extend(length.to_be_bytes());
    bytes.extend([0; 4]);
    bytes
}

#[tokio::test]
async fn a_frame_that_does_not_end_is_held_within_the_budget() {
    const LENGTH: u16 = 60_000;
    let server = TestServer::start(small).await;
    let mut stream = wire::dial(server.address).await;
    let head = wire::request("GET", "/ws/matching/", server.address, &HANDSHAKE);
    stream.write_all(head.as_bytes()).await.unwrap();
    wire::answer(&mut stream).await.unwrap();
    let mut bytes = frame_of(LENGTH);
    bytes.extend([b' '; 30_000]);
    stream.write_all(&bytes).await.unwrap();
    eventually("it is counted", || server.app.memory.used() >= 30_000).await;
    stream.write_all(&[b' '; 30_000]).await.unwrap();
    eventually("it was complete", || server.app.memory.used() == 0).await;

    // With the share used up the next one is closed: come back after a moment.
    let share = usize::try_from(server.app.memory.share()).unwrap();
    let _held = take(&server, "127.0.0.1", Class::Arriving, share);
    let _ = stream.write_all(&bytes).await;
    let said = wire::read_to_end(&mut stream).await;
    let close = said
        .windows(4)
        .position(|it| it[0] == 0x88 && it[2..] == [0x03, 0xE9]);
    assert!(close.is_some(), "closed with 1001: {said:?}");
}

#[tokio::test]
async fn operators_see_how_much_is_held() {
    let server = TestServer::start(small).await;
    let notice = "limits.memory";
    let ready = http::get(server.operator, "/readyz").await;
    assert!(!ready.text().contains(notice), "{}", ready.text());
    let _held = fill(&server, Class::InRoom, 8);
    let ready = http::get(server.operator, "/readyz").await;
    assert_eq!(ready.status, 200, "it serves on");
    assert!(ready.text().contains(notice), "{}", ready.text());
    let metrics = http::get(server.operator, "/metrics").await;
    // Other servers of this process write to the same figures.
    for line in ["miyu_memory_in_flight_bytes ", "miyu_memory_limit_bytes "] {
        assert!(metrics.text().contains(line), "{line}: {}", metrics.text());
    }
}
