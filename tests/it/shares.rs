//! What one session and one network may use up, tried by clients that want more: places, sessions,
//! searches, bytes, signals, long names. Networks are simulated through a trusted proxy.

use std::time::{Duration, Instant};

use miyu::config::Config;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::support::client::{Browser, Socket};
use crate::support::http::{get, get_with};
use crate::support::people::{chat, meet, start};
use crate::support::server::{TestServer, proxy_here};
use crate::support::wire::{self, Answer, eventually};

/// A server whose tests come through a proxy on this machine.
async fn behind_a_proxy(change: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::start(|config| {
        proxy_here(config);
        change(config);
    })
    .await
}

/// A matching socket from this address, by a client that keeps no cookie.
async fn knock(server: &TestServer, from: &str) -> Result<Socket, Answer> {
    let stranger = Browser::forgetful(server);
    let forwarded = [("X-Forwarded-For", from)];
    stranger.try_open("/ws/matching/", &forwarded).await
}

#[tokio::test]
async fn the_sockets_of_one_site_are_cut_at_its_share() {
    let server = behind_a_proxy(|config| config.limits.connections_per_address = 10).await;
    let mut held = Vec::new();
    let mut refused = 0;
    // A /48 has sixteen times the places of a /64.
    for n in 0..180 {
        match knock(&server, &format!("2001:db8:7:{n:02x}00::1")).await {
            Ok(socket) => held.push(socket),
            Err(answer) => {
                assert_eq!((answer.status, &*answer.code()), (503, "unavailable"));
                refused += 1;
            }
        }
    }
    assert_eq!((held.len(), refused), (160, 20));
    for elsewhere in ["2001:db8:8::1", "192.0.2.1"] {
        let mut socket = knock(&server, elsewhere).await.expect("a place");
        socket.nothing_more().await;
    }
}

#[tokio::test]
async fn the_last_tenth_of_all_places_is_for_people_in_open_rooms() {
    let server = behind_a_proxy(|config| config.limits.connections = 30).await;
    let (ming, mei) = meet(&server).await;
    let open = || server.app.limits.open_connections();
    eventually("all are gone", || open() == 0).await;
    let mut held = Vec::new();
    for n in 0..27 {
        let socket = knock(&server, &format!("192.0.2.{n}")).await;
        held.push(socket.expect("one of nine tenths"));
    }
    let refused = knock(&server, "198.51.100.1").await.err();
    let refused = refused.expect("no stranger more");
    assert_eq!((refused.status, &*refused.code()), (503, "unavailable"));
    assert_eq!(refused.header("connection"), Some("close"));
    assert!(refused.header("retry-after").is_some());
    let page = wire::get(server.address, "/", &[]).await;
    assert_eq!(page.status, 503);
    // One by its address, the other by its first frame.
    let mut talking = [ming.enter("").await, mei.browser.open("/ws/chat/").await];
    let first = json!({"action": "enter", "room": mei.room()});
    talking[1].send(first).await;
    for socket in &mut talking {
        socket.until("room_state").await;
    }
    assert_eq!(open(), 29);
    // Operators still see how it is.
    assert_eq!(get(server.operator, "/healthz").await.status, 200);
    eventually("the operator is gone", || open() == 29).await;
    // A room that is over has no claim.
    talking[0].send(json!({"action": "find_next"})).await;
    for socket in talking {
        socket.lose();
    }
    eventually("they are gone", || open() == 27).await;
    let closed = ming.browser.try_open(&ming.path(), &[]).await.err();
    assert_eq!(closed.expect("no place").status, 503);
    // Nor has one that says only later where it goes.
    let mut late = ming.browser.open("/ws/chat/").await;
    let first = json!({"action": "enter", "room": ming.room()});
    late.send(first).await;
    late.expect_error("unavailable").await;
    assert_eq!(late.close_code().await, Some(1001));
}

#[tokio::test]
async fn a_token_brings_its_browser_no_more_sockets() {
    let server = TestServer::start(|config| config.limits.sockets_per_session = 1).await;
    let (ming, _) = meet(&server).await;
    eventually("all are gone", || server.app.online.count() == 0).await;
    let mut own = ming.enter("").await;
    own.until("room_state").await;
    let mut second = Browser::forgetful(&server).open("/ws/chat/").await;
    let first = json!({"action": "enter", "room": ming.room(), "token": ming.token()});
    second.send(first).await;
    second.expect_error("unavailable").await;
    assert_eq!(second.close_code().await, Some(1001));
}

#[tokio::test]
async fn a_session_has_so_many_sockets_and_no_more() {
    let server = TestServer::start(|config| config.limits.sockets_per_session = 3).await;
    let browser = Browser::new(&server);
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(browser.open("/ws/matching/").await);
    }
    let refused = browser.try_open("/ws/matching/", &[]).await.err();
    let refused = refused.expect("one too many");
    assert_eq!(
        (refused.status, &*refused.code()),
        (429, "too_many_sockets")
    );
    assert!(knock(&server, "127.0.0.1").await.is_ok(), "another browser");
    drop(held.pop());
    let mut again = browser.try_open("/ws/matching/", &[]).await;
    while again.is_err() {
        again = browser.try_open("/ws/matching/", &[]).await;
    }
}

#[tokio::test]
async fn sessions_are_made_at_a_rate_and_pages_are_served_without() {
    let server = behind_a_proxy(|config| config.limits.sessions_per_minute = 2).await;
    let home = [("X-Forwarded-For", "192.0.2.1")];
    let mut cookies = Vec::new();
    for _ in 0..14 {
        let page = get_with(server.address, "/", &home).await;
        assert_eq!(page.status, 200);
        cookies.extend(page.cookie());
    }
    assert_eq!(cookies.len(), 10);
    let refused = knock(&server, "192.0.2.1").await.err().expect("no session");
    assert_eq!((refused.status, &*refused.code()), (429, "rate_limited"));
    assert!(refused.json()["retry_after_ms"].as_u64().unwrap() <= 30_000);
    let stats = get_with(server.address, "/api/stats", &home).await;
    assert_eq!((stats.status, stats.cookie()), (200, None));
    // Clients that have one are not concerned, nor are those of other networks.
    let known = Browser::new(&server);
    known.set_cookie(&cookies[0]);
    assert!(known.try_open("/ws/matching/", &home).await.is_ok());
    assert!(knock(&server, "198.51.100.1").await.is_ok());
}

#[tokio::test]
async fn requests_through_a_proxy_are_counted_by_who_asks() {
    let server = behind_a_proxy(|config| {
        config.limits.connections_per_address = 3;
        config.limits.requests_per_minute = 1;
        config.limits.address_factor = 1;
    })
    .await;
    let ask = |from: &str| {
        let forwarded = [("X-Forwarded-For", from)];
        wire::request("GET", "/static/none", server.address, &forwarded)
    };
    let mut proxy = Vec::new();
    for n in 0..4 {
        let mut stream = wire::dial(server.address).await;
        stream.write_all(ask("192.0.2.1").as_bytes()).await.unwrap();
        let (answer, _) = wire::answer(&mut stream).await.unwrap();
        assert_eq!(answer.status, if n < 3 { 404 } else { 503 }, "{n}");
        proxy.push(stream);
    }
    // The same connection, used for another client, gives the place back.
    let first = &mut proxy[0];
    first
        .write_all(ask("198.51.100.1").as_bytes())
        .await
        .unwrap();
    assert_eq!(wire::answer(first).await.unwrap().0.status, 404);
    // And all that is no request of the API has a rate: eight times that of requests.
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let answer = wire::exchange(server.address, ask("192.0.2.1").as_bytes()).await;
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [404, 404, 404, 404, 404, 429]);
}

#[tokio::test]
async fn over_the_rate_in_bytes_a_socket_is_read_later() {
    let server = TestServer::start(|config| {
        config.limits.messages_per_second = 0;
        config.limits.message_bytes_per_second = 40_000;
        config.limits.message_bytes_burst = 8192;
    })
    .await;
    let mut talking = chat(&server).await;
    let began = Instant::now();
    let long = "x".repeat(2000);
    for n in 0..30 {
        talking.a.say(&long, &format!("c-{n}")).await;
    }
    for seq in 1..=30 {
        let heard = talking.b.expect("new_message").await;
        assert_eq!(heard["message"]["seq"], seq);
    }
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(1),
        "60 kB of 40 a second: {took:?}"
    );
}

#[tokio::test]
async fn signals_of_a_session_are_counted_together() {
    let server = TestServer::start(|config| {
        config.limits.signals_per_second = 100;
        config.limits.bad_frames = 1000;
    })
    .await;
    let browser = Browser::new(&server);
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(browser.open("/ws/matching/").await);
    }
    // What each connection may send at once.
    let began = Instant::now();
    for socket in &mut sockets {
        for _ in 0..40 {
            socket.send(json!({"action": "what is the time"})).await;
        }
    }
    for socket in &mut sockets {
        for _ in 0..40 {
            socket.expect_error("unknown_action").await;
        }
    }
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(1500),
        "400 at 100 a second: {took:?}"
    );
}

#[tokio::test]
async fn a_search_withdrawn_at_once_costs_double() {
    let server = TestServer::start(|config| config.limits.matches_per_minute = 4).await;
    let mut socket = Browser::new(&server).open("/ws/matching/").await;
    for _ in 0..2 {
        socket.send(start(json!({}))).await;
        socket.expect("waiting_for_match").await;
        socket.send(json!({"action": "cancel_matching"})).await;
        socket.expect("matching_cancelled").await;
    }
    socket.send(start(json!({}))).await;
    socket.expect_error("rate_limited").await;
}

#[tokio::test]
async fn a_name_of_64_kib_becomes_a_name() {
    let server = TestServer::start(|_| {}).await;
    let (ming, mei) = (Browser::new(&server), Browser::new(&server));
    let stacked = format!("a{}", "\u{0316}\u{0301}".repeat(15_000));
    let mut waiting = ming.open("/ws/matching/").await;
    let tags = [stacked.clone()];
    waiting
        .send(start(json!({"nickname": stacked, "tags": tags})))
        .await;
    let closed = waiting.close_code().await;
    assert_eq!(closed, Some(1009), "two of them are more than a frame");
    let mut waiting = ming.open("/ws/matching/").await;
    waiting.send(start(json!({"nickname": stacked}))).await;
    waiting.expect("waiting_for_match").await;
    let mut coming = mei.open("/ws/matching/").await;
    coming.send(start(json!({}))).await;
    let found = coming.until("match_found").await;
    let told = found.to_string();
    assert!(told.chars().count() < 2000, "{}", told.len());
}

#[tokio::test]
async fn a_socket_ends_with_its_session() {
    let server = TestServer::start(|config| {
        config.session.lifetime = Duration::from_secs(1);
    })
    .await;
    let browser = Browser::new(&server);
    let mut socket = browser.open("/ws/matching/").await;
    assert_eq!(socket.close_code().await, Some(1001));
    // The browser comes back as a new one.
    let before = browser.cookie();
    let mut again = browser.open("/ws/matching/").await;
    assert_ne!(browser.cookie(), before);
    again.nothing_more().await;
}
