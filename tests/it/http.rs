//! The HTTP edge: addresses, refusals, headers, and what a bad client can hold. Under which names it answers is
//! in `http_hosts`.

use std::time::{Duration, Instant};

use miyu::boot::Ended;
use miyu::config::origin::Origin;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::http::{PATIENCE, exchange, get, get_with, parse, request};
use crate::support::server::TestServer;
use crate::support::wire::{self, HANDSHAKE};

#[tokio::test]
async fn the_site_says_what_it_is() {
    let server = TestServer::start_dead(|config| {
        config.site.name = "小屋".into();
        config.site.minimum_age = 20;
        config.site.starters = [
            "今天上了什麼課？",
            "en: What did you learn today?",
            "zh-TW:冷嗎？",
        ]
        .map(str::to_owned)
        .into();
    })
    .await;
    let answer = get(server.address, "/api/site").await;
    assert_eq!(answer.status, 200);
    let site = answer.json();
    assert_eq!(site["name"], "小屋");
    assert_eq!(site["minimum_age"], 20);
    assert_eq!(
        site["starters"],
        serde_json::json!([
            {"language": null, "text": "今天上了什麼課？"},
            {"language": "en", "text": "What did you learn today?"},
            {"language": "zh-TW", "text": "冷嗎？"},
        ])
    );
    assert_eq!(site["languages"], serde_json::json!(["zh-TW", "en", "ja"]));
    assert_eq!(site["max_message_chars"], 2000);
    assert_eq!(site["retention_ms"], 86_400_000);
    assert_eq!(site["options"]["accounts"], false);
    let stats = get(server.address, "/api/stats").await.json();
    assert_eq!(
        stats,
        serde_json::json!({"online": 0, "waiting": 0, "rooms": 0})
    );
    assert_eq!(server.stop().await, Ended::Drained);
}

/// What each answer of these tests says is compared with it (`support::schema`).
#[tokio::test]
async fn the_protocol_is_described_by_a_schema() {
    let server = TestServer::start_dead(|_| {}).await;
    let answer = get(server.address, "/api/schema/").await;
    assert_eq!(answer.status, 200);
    let schema = answer.json();
    assert!(jsonschema::meta::is_valid(&schema));
    let site = get(server.address, "/api/site/").await.json();
    assert_eq!(site["protocol"], schema["protocol"]);
    assert!(schema["$defs"]["server.new_message"].is_object());
    assert!(schema["http"]["GET /api/rooms/{room}/messages/"].is_object());
    assert_eq!(server.stop().await, Ended::Drained);
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let server = TestServer::start_dead(|_| {}).await;
    for path in ["/", "/api/site", "/nothing", "/static/nothing", "/healthz"] {
        let answer = get_with(server.address, path, &[("host", "pi.local:8000")]).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(
            policy.ends_with("connect-src 'self' ws://pi.local:8000"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"));
        assert!(policy.contains("; trusted-types worker;"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        // A browser ignores it here and would complain on every page.
        assert_eq!(answer.header("cross-origin-opener-policy"), None);
        assert_eq!(answer.header("strict-transport-security"), None);
    }
    for own in [
        "localhost:8000",
        "127.0.0.1:8000",
        "[::1]:8000",
        "localhost",
    ] {
        let answer = get_with(server.address, "/", &[("host", own)]).await;
        let policy = answer.header("cross-origin-opener-policy");
        assert_eq!(policy, Some("same-origin"), "{own}");
    }
    for (odd, status) in [("a;script-src *", 400), ("evil.example", 421)] {
        let odd = get_with(server.address, "/", &[("host", odd)]).await;
        assert_eq!(odd.status, status);
        let policy = odd.header("content-security-policy").unwrap();
        assert!(policy.ends_with("connect-src 'self'"), "{policy}");
        assert!(!odd.text().contains("evil"), "{}", odd.text());
    }
    // An accepted handshake is shown nowhere; a refusal may be looked at.
    for (handshake, status, policed) in [(&HANDSHAKE[..], 101, false), (&[], 426, true)] {
        let mut stream = wire::dial(server.address).await;
        let head = wire::request("GET", "/ws/matching/", server.address, handshake);
        stream.write_all(head.as_bytes()).await.unwrap();
        let (answer, _) = wire::answer(&mut stream).await.unwrap();
        assert_eq!(answer.status, status);
        let policy = answer.header("content-security-policy");
        assert_eq!(policy.is_some(), policed);
    }
    server.stop().await;
}

#[tokio::test]
async fn https_is_known_from_the_public_url() {
    let server = TestServer::start_dead(|config| {
        config.server.public_url = Origin::parse("https://chat.example").ok();
    })
    .await;
    let answer = get(server.address, "/api/site").await;
    assert!(answer.header("strict-transport-security").is_some());
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-miyu_session="), "{cookie}");
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    server.stop().await;
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_told_apart() {
    let server = TestServer::start_dead(|_| {}).await;
    let program = get(server.address, "/nothing").await;
    assert_eq!(program.status, 404);
    assert_eq!(
        program.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(program.json()["code"], "not_found");
    let person = get_with(server.address, "/nothing", &[("accept", "text/html,*/*")]).await;
    assert_eq!(person.status, 404);
    assert_eq!(
        person.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let deleted = request(server.address, "DELETE", "/api/stats", &[]).await;
    assert_eq!(deleted.status, 405);
    assert_eq!(deleted.header("allow"), Some("GET, HEAD"));
    assert_eq!(deleted.json()["code"], "method_not_allowed");
    let moved = get(server.address, "/chat?room=x").await;
    assert_eq!(
        (moved.status, moved.header("location")),
        (308, Some("/chat/?room=x"))
    );
    server.stop().await;
}

#[tokio::test]
async fn changes_from_other_origins_are_refused() {
    let server = TestServer::start_dead(|config| {
        config.server.allowed_origins = vec![Origin::parse("https://friend.example").unwrap()];
    })
    .await;
    let own = server.url();
    for (origin, status) in [
        (own.as_str(), 405),
        ("https://friend.example", 405),
        ("https://evil.example", 403),
        ("null", 403),
    ] {
        let answer = request(server.address, "POST", "/api/site", &[("origin", origin)]).await;
        assert_eq!(answer.status, status, "{origin}");
    }
    assert_eq!(
        request(server.address, "POST", "/api/site", &[])
            .await
            .status,
        405
    );
    server.stop().await;
}

#[tokio::test]
async fn rooms_are_answered_like_the_handshake() {
    let server = TestServer::start_dead(|_| {}).await;
    let bad = get(server.address, "/api/rooms/not-a-uuid/").await;
    assert_eq!(
        (bad.status, bad.json()["code"].as_str()),
        (400, Some("not_a_uuid"))
    );
    let room = "/api/rooms/01900000-0000-7000-8000-000000000000/";
    let nobody = get(server.address, room).await;
    assert_eq!(
        (nobody.status, nobody.json()["code"].as_str()),
        (401, Some("no_identity"))
    );
    let cookie = nobody.cookie().expect("API answers give a session");
    let dead = get_with(server.address, room, &[("cookie", &cookie)]).await;
    assert_eq!(
        (dead.status, dead.json()["code"].as_str()),
        (503, Some("unavailable"))
    );
    assert!(dead.header("retry-after").is_some());
    let forged = get_with(server.address, &format!("{room}?token=AAAA"), &[]).await;
    assert_eq!(forged.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn readiness_says_why_not() {
    let server = TestServer::start_dead(|_| {}).await;
    let headers = [("x-forwarded-for", "192.0.2.1")];
    let _ = get_with(server.address, "/api/site", &headers).await;
    let ready = get(server.operator, "/readyz").await;
    assert_eq!(ready.status, 503);
    let body = ready.json();
    assert_eq!(body["ready"], false);
    assert_eq!(body["problems"][0]["part"], "store");
    let why = body["problems"][0]["why"].as_str().unwrap();
    assert!(why.contains("the disk is full"), "{why}");
    assert_eq!(body["notices"][0]["part"], "server.trusted_proxies");
    server.stop().await;
}

#[tokio::test]
async fn requests_are_limited_by_session() {
    let server = TestServer::start_dead(|config| config.limits.requests_per_minute = 3).await;
    let first = get(server.address, "/api/stats").await;
    let cookie = first.cookie().unwrap();
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let answer = get_with(server.address, "/api/stats", &[("cookie", &cookie)]).await;
        statuses.push(answer.status);
        if answer.status == 429 {
            assert_eq!(answer.json()["code"], "rate_limited");
            assert!(answer.json()["retry_after_ms"].as_u64().unwrap() > 0);
        }
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    server.stop().await;
}

#[tokio::test]
async fn refusals_are_counted_by_code() {
    let server = TestServer::start_dead(|_| {}).await;
    // Other tests of this process may be refused meanwhile: a code that only this one can have.
    let page = [("accept", "text/html")];
    get_with(server.address, "/nothing", &page).await;
    get_with(server.address, "/", &[("host", "evil.example")]).await;
    get(server.address, "/api/rooms/x/messages/?after=never").await;
    get(server.address, "/ws/matching/").await;
    let metrics = get(server.operator, "/metrics").await;
    for code in ["not_found", "misdirected", "not_a_handshake", "bad_query"] {
        let counted = format!("miyu_http_refused_total{{code=\"{code}\"}} ");
        assert!(
            metrics.text().contains(&counted),
            "{code}: {}",
            metrics.text()
        );
    }
    assert!(!metrics.text().contains("evil"));
    server.stop().await;
}

#[tokio::test]
async fn bodies_are_refused() {
    let server = TestServer::start_dead(|_| {}).await;
    let large = b"POST /api/site HTTP/1.1\r\nhost: x\r\ncontent-length: 5000000\r\n\r\nabc";
    assert_eq!(parse(&exchange(server.address, large).await).status, 413);
    let chunked = b"POST /api/site HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    assert_eq!(parse(&exchange(server.address, chunked).await).status, 413);
    server.stop().await;
}

#[tokio::test]
async fn endless_and_slow_heads_end() {
    let server = TestServer::start_dead(|config| {
        config.limits.header_timeout = Duration::from_millis(200);
        config.server.keep_alive = Duration::from_millis(1200);
    })
    .await;
    let mut many = b"GET / HTTP/1.1\r\n".to_vec();
    for n in 0..500 {
        many.extend_from_slice(format!("x-{n}: y\r\n").as_bytes());
    }
    many.extend_from_slice(b"\r\n");
    assert_eq!(parse(&exchange(server.address, &many).await).status, 431);
    let huge = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    let raw = exchange(server.address, huge.as_bytes()).await;
    assert!(raw.is_empty() || parse(&raw).status == 431);

    // Silence, half a head, silence after an answer: each is closed by the server, the last one later.
    let whole = "GET /api/site HTTP/1.1\r\nhost: x\r\n\r\n";
    for (opening, kept) in [
        ("", false),
        ("GET / HTTP/1.1\r\nhost: x\r\n", false),
        (whole, true),
    ] {
        let begun = Instant::now();
        exchange(server.address, opening.as_bytes()).await;
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(4), "{opening:?}");
        assert_eq!(
            took > Duration::from_millis(1100),
            kept,
            "{opening:?}: {took:?}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn nonsense_is_answered_not_crashed_on() {
    let server = TestServer::start_dead(|_| {}).await;
    for bytes in [
        &b"\x00\x01\x02\x03\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\n\r\n",
        b"GET /static/../../etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET /static/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    ] {
        let raw = exchange(server.address, bytes).await;
        assert!(raw.is_empty() || (400..500).contains(&parse(&raw).status));
    }
    assert_eq!(get(server.operator, "/healthz").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn connections_are_capped() {
    let server = TestServer::start_dead(|config| {
        config.limits.connections_per_address = 3;
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream
            .write_all(b"GET /api/site HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .unwrap();
        let mut some = [0; 12];
        stream.read_exact(&mut some).await.unwrap();
        assert_eq!(&some, b"HTTP/1.1 200");
        held.push(stream);
    }
    let refused = exchange(server.address, b"").await;
    assert!(refused.starts_with(b"HTTP/1.1 503"));
    drop(held);
    let free = async { while get(server.address, "/api/site").await.status != 200 {} };
    timeout(PATIENCE, free)
        .await
        .expect("closed connections are counted out");
    server.stop().await;
}

#[tokio::test]
async fn a_drain_ends_idle_connections_and_frees_the_port() {
    let server = TestServer::start_dead(|_| {}).await;
    let address = server.address;
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /api/site HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut some = [0; 12];
    idle.read_exact(&mut some).await.unwrap();
    let begun = Instant::now();
    assert_eq!(server.stop().await, Ended::Drained);
    assert!(begun.elapsed() < Duration::from_secs(5));
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
