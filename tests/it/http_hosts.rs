//! Under which names, at which ports and for which addresses the site and the operators' routes answer.

use miyu::config::OperatorListen;
use miyu::config::origin::Origin;

use crate::support::http::{exchange, get, get_with, parse, request};
use crate::support::server::TestServer;
use crate::support::wire::{self, HANDSHAKE};

/// The operators' three.
const OPERATORS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

#[tokio::test]
async fn operators_have_a_port_of_their_own_by_names_of_this_machine() {
    let server = TestServer::start_dead(|_| {}).await;
    assert!(server.operator.ip().is_loopback());
    assert_ne!(server.operator, server.address);
    assert_eq!(get(server.operator, "/healthz").await.status, 200);
    let metrics = get(server.operator, "/metrics").await;
    assert_eq!(metrics.status, 200);
    let text = metrics.text();
    assert!(text.contains("miyu_waiting"), "{text}");
    for path in OPERATORS {
        assert_eq!(get(server.address, path).await.status, 404, "{path}");
        for (host, status) in [("rebound.example", 421), ("rebound.lan", 421), ("", 400)] {
            let answer = get_with(server.operator, path, &[("host", host)]).await;
            assert_eq!(answer.status, status, "{path} of {host:?}");
        }
    }
    for path in ["/", "/api/site", "/ws/matching/", "/static/css/base.css"] {
        assert_eq!(get(server.operator, path).await.status, 404, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_wider_operators_port_is_asked_by_addresses_and_local_names() {
    let server = TestServer::start_dead(|config| {
        config.server.public_url = Origin::parse("https://chat.example").ok();
        config.server.operator_listen = OperatorListen::At(([0, 0, 0, 0], 0).into());
    })
    .await;
    let at = std::net::SocketAddr::from(([127, 0, 0, 1], server.operator.port()));
    for (host, status) in [
        ("10.0.0.5:9100", 200),
        ("node1", 200),
        ("node1.lan", 200),
        ("chat.example", 421),
        ("rebound.example", 421),
    ] {
        let answer = get_with(at, "/healthz", &[("host", host)]).await;
        assert_eq!(answer.status, status, "{host}");
    }
    server.stop().await;
}

/// A page of the attacker's whose name now points here reads nothing and opens nothing.
#[tokio::test]
async fn a_rebound_name_gets_nothing() {
    let server = TestServer::start_dead(|_| {}).await;
    let evil = ("host", "evil.example:8000");
    let own = ("origin", "http://evil.example:8000");
    for path in [
        "/",
        "/api/site",
        "/api/rooms/",
        "/static/css/base.css",
        "/nothing",
    ] {
        let answer = get_with(server.address, path, &[evil, own]).await;
        assert_eq!(
            (answer.status, &*answer.code()),
            (421, "misdirected"),
            "{path}"
        );
        assert_eq!(answer.cookie(), None);
        assert!(!answer.text().contains("evil"));
        assert!(answer.text().contains("server.public_url"));
    }
    let posted = request(server.address, "POST", "/api/site", &[evil, own]).await;
    assert_eq!(posted.status, 421);
    for path in ["/ws/matching/", "/ws/chat/"] {
        let mut headers = HANDSHAKE.to_vec();
        headers.extend([("Host", evil.1), ("Origin", own.1)]);
        let refused = wire::get(server.address, path, &headers).await;
        assert_eq!((refused.status, &*refused.code()), (421, "misdirected"));
    }
    let ready = get(server.operator, "/readyz").await.json();
    assert_eq!(ready["notices"][0]["part"], "server.public_url");
    server.stop().await;
}

#[tokio::test]
async fn one_host_is_asked_for() {
    let server = TestServer::start_dead(|config| {
        config.server.public_url = Origin::parse("https://chat.example").ok();
        config.server.allowed_origins = vec![Origin::parse("https://www.chat.example").unwrap()];
    })
    .await;
    for (head, status) in [
        ("GET / HTTP/1.1\r\nhost: chat.example", 200),
        ("GET / HTTP/1.1\r\nhost: CHAT.EXAMPLE.:443", 200),
        ("GET / HTTP/1.1\r\nhost: www.chat.example", 200),
        ("GET / HTTP/1.1\r\nhost: 10.0.0.5:8000", 200),
        (
            "GET http://chat.example/ HTTP/1.1\r\nhost: chat.example",
            200,
        ),
        ("GET / HTTP/1.0\r\nhost: chat.example", 200),
        ("GET / HTTP/1.1\r\nhost: pi.local", 421),
        // The target overrules the header (RFC 9112, 3.2.2).
        (
            "GET http://evil.example/ HTTP/1.1\r\nhost: chat.example",
            421,
        ),
        ("GET / HTTP/1.1\r\nx: y", 400),
        ("GET / HTTP/1.0\r\nx: y", 400),
        ("GET / HTTP/1.1\r\nhost:", 400),
        (
            "GET / HTTP/1.1\r\nhost: chat.example\r\nhost: chat.example",
            400,
        ),
        (
            "GET / HTTP/1.1\r\nhost: chat.example\r\nHOST: evil.example",
            400,
        ),
        ("GET / HTTP/1.1\r\nhost: chat.example, evil.example", 400),
        ("GET / HTTP/1.1\r\nhost: u@chat.example", 400),
        ("GET http://chat.example/ HTTP/1.1\r\nx: y", 400),
    ] {
        let bytes = format!("{head}\r\nconnection: close\r\n\r\n");
        let answer = parse(&exchange(server.address, bytes.as_bytes()).await);
        assert_eq!(answer.status, status, "{head}");
        if status == 400 {
            assert_eq!(answer.code(), "bad_host");
        }
    }
    server.stop().await;
}

/// A forwarder on this machine passes on what a client made up: each of these would be an address with
/// rates of its own.
#[tokio::test]
async fn a_forwarder_on_this_machine_forges_no_address() {
    let server = TestServer::start_dead(|config| {
        config.limits.requests_per_minute = 1;
        config.limits.address_factor = 20;
    })
    .await;
    let mut refused = 0;
    for n in 0..40 {
        let forged = format!("192.0.2.{n}");
        let headers = [("x-forwarded-for", forged.as_str())];
        let answer = get_with(server.address, "/api/site", &headers).await;
        refused += usize::from(answer.status == 429);
    }
    assert!(
        refused >= 19,
        "{refused} of 40 refused: each was an address of its own"
    );
    let ready = get(server.operator, "/readyz").await.json();
    let why = ready["notices"][0]["why"].as_str().unwrap();
    assert!(
        why.ends_with("trusted_proxies = [\"127.0.0.0/8\", \"::1/128\"]"),
        "{why}"
    );
    server.stop().await;
}
