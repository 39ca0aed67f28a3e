//! Connections that are never finished, and very many of them. Counts must come back to what they
//! were, and the server must serve on.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, sleep};

use crate::support::client::Browser;
use crate::support::http::get;
use crate::support::people::{chat, start};
use crate::support::server::{TestServer, proxy_here};
use crate::support::wire::{self, HANDSHAKE, eventually};

#[tokio::test]
async fn twenty_thousand_connection_attempts_leave_nothing_behind() {
    const WAVES: usize = 40;
    const WAVE: usize = 500;
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    let limits = &server.app.limits;
    eventually("only the two", || limits.open_connections() == 2).await;
    let half = wire::request("GET", "/ws/matching/", server.address, &HANDSHAKE);
    for wave in 0..WAVES {
        let mut open = Vec::with_capacity(WAVE);
        for n in 0..WAVE {
            let source = [
                127,
                1,
                u8::try_from(wave).unwrap(),
                u8::try_from(n % 4).unwrap() + 1,
            ];
            let mut stream = wire::dial_from(source, server.address)
                .await
                .expect("a connection");
            match n % 5 {
                0 => stream.write_all(&half.as_bytes()[..60]).await.unwrap(),
                1 => stream.write_all(half.as_bytes()).await.unwrap(),
                2 => stream.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap(),
                3 => stream.set_zero_linger().unwrap(),
                _ => {}
            }
            open.push(stream);
        }
        // A pair that came before still talks.
        if wave % 10 == 0 {
            talking.a_says("still here", &format!("c-{wave}")).await;
        }
    }
    eventually("the two alone again", || limits.open_connections() == 2).await;
    assert_eq!(get(server.operator, "/healthz").await.status, 200);
    let mut search = Browser::new(&server).open("/ws/matching/").await;
    search.send(start(serde_json::json!({}))).await;
    search.expect("waiting_for_match").await;
    eventually("no ticket but that", || {
        server.app.pool.stats().total() == 1
    })
    .await;
    assert_eq!(server.app.online.count(), 3);
}

#[tokio::test]
async fn a_request_that_is_never_finished_is_given_up() {
    let server = TestServer::start(|config| {
        config.limits.header_timeout = Duration::from_millis(400);
    })
    .await;
    let half = &wire::request("GET", "/", server.address, &[])[..30];
    for bytes in [b"".as_slice(), b"G", half.as_bytes()] {
        let mut stream = wire::dial(server.address).await;
        stream.write_all(bytes).await.unwrap();
        let said = wire::read_to_end(&mut stream).await;
        assert!(!said.starts_with(b"HTTP/1.1 2"));
    }
    // Byte by byte does not buy more time than all at once.
    let mut stream = wire::dial(server.address).await;
    let began = Instant::now();
    let drip = b"GET / HTTP/1.1\r\nx-slow: "
        .iter()
        .chain(std::iter::repeat(&b'x'));
    for byte in drip {
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(8),
            "it goes on for ever"
        );
        sleep(Duration::from_millis(20)).await;
    }
    eventually("all are gone", || server.app.limits.open_connections() == 0).await;
}

#[tokio::test]
async fn half_open_sockets_are_noticed() {
    let server = TestServer::start(|config| {
        config.limits.heartbeat = Duration::from_millis(300);
        config.chat.presence_settle = Duration::from_millis(50);
    })
    .await;
    let mut talking = chat(&server).await;
    // Mei's machine sleeps: the connection is there and is not answered. Ming keeps answering pings.
    let status = talking.a.expect("partner_status").await;
    assert_eq!(status["online"], false);
    let (_, code) = talking.b.read_to_end().await;
    assert_eq!(code, Some(4002));
    // One that only closes its sending half is gone at once.
    let mut stream = wire::dial(server.address).await;
    let head = wire::request("GET", "/ws/matching/", server.address, &HANDSHAKE);
    stream.write_all(head.as_bytes()).await.unwrap();
    wire::answer(&mut stream).await.unwrap();
    stream.shutdown().await.unwrap();
    wire::read_to_end(&mut stream).await;
}

#[tokio::test]
async fn one_address_may_hold_so_many_connections() {
    let server = TestServer::start(|config| {
        config.limits.connections_per_address = 3;
    })
    .await;
    let browser = Browser::new(&server);
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(browser.open("/ws/matching/").await);
    }
    // Another name in a header makes no other address.
    let forwarded = [("X-Forwarded-For", "192.0.2.1")];
    let mut stream = wire::dial(server.address).await;
    let head = wire::request("GET", "/", server.address, &forwarded);
    let _ = stream.write_all(head.as_bytes()).await;
    let (answer, _) = wire::answer(&mut stream).await.unwrap();
    assert_eq!(answer.status, 503);
    // Another address has its own, and this one again once one is free.
    let other = wire::dial_from([127, 0, 0, 9], server.address)
        .await
        .unwrap();
    let stranger = Browser::new(&server);
    let opened = stranger.try_open_on(other, "/ws/matching/", &[]).await;
    assert!(opened.is_ok());
    drop(held.pop());
    eventually("a free place", || server.app.limits.open_connections() == 3).await;
    browser.open("/ws/matching/").await.nothing_more().await;
}

#[tokio::test]
async fn behind_a_trusted_proxy_people_are_counted_not_the_proxy() {
    let server = TestServer::start(|config| {
        proxy_here(config);
        config.limits.connections_per_address = 2;
    })
    .await;
    let browser = Browser::new(&server);
    let mut held = Vec::new();
    for n in 0..6 {
        let address = format!("192.0.2.{}", n % 3);
        let forwarded = [("X-Forwarded-For", address.as_str())];
        let opened = browser.try_open("/ws/matching/", &forwarded).await;
        let Ok(socket) = opened else {
            panic!("two for each address");
        };
        held.push(socket);
    }
    for spoofed in ["192.0.2.0", "10.9.9.9, 192.0.2.0", "192.0.2.0:4711"] {
        let forwarded = [("X-Forwarded-For", spoofed)];
        let refused = browser.try_open("/ws/matching/", &forwarded).await.err();
        assert_eq!(
            refused.expect("one too many").code(),
            "unavailable",
            "{spoofed}"
        );
    }
}

/// A handshake without its key: it asks for an upgrade, and gets none.
fn failing_handshake(server: &TestServer, more: &[(&'static str, &'static str)]) -> String {
    let mut headers = HANDSHAKE.to_vec();
    headers.retain(|(name, _)| *name != "Sec-WebSocket-Key");
    headers.extend(more);
    wire::request("GET", "/ws/matching/", server.address, &headers)
}

#[tokio::test]
async fn a_connection_whose_handshake_fails_is_still_counted() {
    let server = TestServer::start(|config| {
        config.limits.connections_per_address = 1;
    })
    .await;
    let limits = &server.app.limits;
    let mut stream = wire::dial(server.address).await;
    for _ in 0..3 {
        let head = failing_handshake(&server, &[]);
        stream.write_all(head.as_bytes()).await.unwrap();
        let (answer, _) = wire::answer(&mut stream).await.unwrap();
        assert_eq!(answer.status, 426);
        // It goes on as HTTP, in the only place that its address has.
        assert_eq!(limits.open_connections(), 1);
        assert!(no_place(&server).await);
    }
    // The next one holds: the socket takes the place over.
    let browser = Browser::new(&server);
    let opened = browser.try_open_on(stream, "/ws/matching/", &[]).await;
    let Ok(mut socket) = opened else {
        panic!("the place was its own");
    };
    socket.nothing_more().await;
    assert_eq!(limits.open_connections(), 1);
    assert!(no_place(&server).await);
    socket.lose();
    eventually("the place is free", || limits.open_connections() == 0).await;
    browser.open("/ws/matching/").await.nothing_more().await;
}

/// Whether a fresh connection is sent away before it has asked for anything.
async fn no_place(server: &TestServer) -> bool {
    let mut stream = wire::dial(server.address).await;
    let told = wire::read_to_end(&mut stream).await;
    told.starts_with(b"HTTP/1.1 503 ")
}

#[tokio::test]
async fn behind_a_proxy_a_connection_counts_for_its_latest_client() {
    let server = TestServer::start(|config| {
        proxy_here(config);
        config.limits.connections_per_address = 1;
    })
    .await;
    let limits = &server.app.limits;
    let forwarded = [("X-Forwarded-For", "192.0.2.1")];
    let mut proxy = wire::dial(server.address).await;
    let head = failing_handshake(&server, &forwarded);
    proxy.write_all(head.as_bytes()).await.unwrap();
    let (answer, _) = wire::answer(&mut proxy).await.unwrap();
    assert_eq!(answer.status, 426);
    assert_eq!(limits.open_connections(), 1);
    let browser = Browser::new(&server);
    let refused = browser.try_open("/ws/matching/", &forwarded).await.err();
    assert_eq!(refused.expect("the only place").code(), "unavailable");
    // The proxy uses that connection for another client: this one's place is free.
    let head = failing_handshake(&server, &[("X-Forwarded-For", "192.0.2.2")]);
    proxy.write_all(head.as_bytes()).await.unwrap();
    let (answer, _) = wire::answer(&mut proxy).await.unwrap();
    assert_eq!(answer.status, 426);
    let opened = browser.try_open("/ws/matching/", &forwarded).await;
    let Ok(mut socket) = opened else {
        panic!("a failed handshake of another took the only place");
    };
    socket.nothing_more().await;
    let second = browser.try_open("/ws/matching/", &forwarded).await.err();
    assert_eq!(second.expect("one too many").code(), "unavailable");
}
