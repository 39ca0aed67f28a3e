//! Requests that no browser sends: bombs, smuggling, traversal. Each is refused or harmless.

use serde_json::json;

use crate::support::client::Browser;
use crate::support::http::get_with;
use crate::support::people::meet;
use crate::support::server::TestServer;
use crate::support::wire::{self, HANDSHAKE};
use tokio::io::AsyncWriteExt as _;

/// Sends these bytes on one connection, then reads everything until it ends.
async fn everything(server: &TestServer, bytes: &[u8]) -> String {
    let mut stream = wire::dial(server.address).await;
    // The server may have answered and closed before it has all of it.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    String::from_utf8_lossy(&wire::read_to_end(&mut stream).await).into_owned()
}

fn answers(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count()
}

#[tokio::test]
async fn bombs_of_headers_are_refused() {
    let server = TestServer::start(|_| {}).await;
    let many: String = (0..500).map(|n| format!("x-{n}: y\r\n")).collect();
    let long = format!("x-long: {}\r\n", "y".repeat(100_000));
    let url = "a".repeat(100_000);
    for (path, headers) in [
        ("/", many.as_str()),
        ("/", long.as_str()),
        (url.as_str(), ""),
    ] {
        let head = format!("GET /{path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let said = everything(&server, head.as_bytes()).await;
        assert!(!said.starts_with("HTTP/1.1 2"));
        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 4"),
            "{}",
            &said[..40.min(said.len())]
        );
    }
    assert_eq!(get_with(server.address, "/api/site", &[]).await.status, 200);
}

#[tokio::test]
async fn many_cookies_neither_hide_nor_make_a_session() {
    let server = TestServer::start(|_| {}).await;
    let (ming, _) = meet(&server).await;
    let cookie = ming.browser.cookie().unwrap();
    let others: Vec<String> = (0..200).map(|n| format!("c{n}=v{n}")).collect();
    let others = others.join("; ");
    let around = Browser::new(&server);
    around.set_cookie(&format!("{others}; {cookie}; {others}"));
    around.open(&ming.path()).await.expect("room_state").await;
    let forged: Vec<String> = (0..100)
        .map(|n| format!("miyu_session=forged{n}"))
        .collect();
    around.set_cookie(&forged.join("; "));
    let refused = around.try_open(&ming.path(), &[]).await.err().unwrap();
    assert_eq!(refused.status, 401);
}

#[tokio::test]
async fn no_request_hides_in_another() {
    let server = TestServer::start(|_| {}).await;
    let inner = "GET /api/site HTTP/1.1\r\nHost: x\r\n\r\n";
    let both = format!(
        "POST /api/site HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
        inner.len() + 5,
    );
    let two = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: {}\r\n\r\n{inner}",
        inner.len()
    );
    let odd =
        format!("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{inner}");
    let spaced = format!("GET / HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\n{inner}");
    let minus = format!("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{inner}");
    for bytes in [both, two, odd, spaced, minus] {
        let said = everything(&server, bytes.as_bytes()).await;
        assert!(answers(&said) <= 1, "{}", answers(&said));
        assert!(!said.contains("HTTP/1.1 200"), "{bytes}");
    }
    // A body that is ignored is not a request either.
    let body = format!(
        "GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{inner}",
        inner.len()
    );
    assert_eq!(answers(&everything(&server, body.as_bytes()).await), 1);
}

#[tokio::test]
async fn nothing_but_our_files_is_served() {
    let server = TestServer::start(|_| {}).await;
    for path in [
        "/static/../Cargo.toml",
        "/static/%2e%2e/Cargo.toml",
        "/static/..%2fCargo.toml",
        "/static/..%5c..%5cetc%5cpasswd",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/css/../../html/index.html",
        "/static/./css/../css/base.css",
        "/static/",
        "/static/html/index.html",
        "/static/css/base.css%00.png",
        "/static/.git/config",
        "//etc/passwd",
        "/../../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/static/css/",
        "/static/0123456789abcdef/../../Cargo.toml",
    ] {
        let answer = get_with(server.address, path, &[]).await;
        assert!(
            (400..500).contains(&answer.status),
            "{path}: {}",
            answer.status
        );
        let body = String::from_utf8_lossy(&answer.body);
        assert!(
            !body.contains("[package]") && !body.contains("root:"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn rooms_are_named_by_plain_uuids_only() {
    let server = TestServer::start(|_| {}).await;
    let (ming, _) = meet(&server).await;
    let room = ming.room();
    let encoded: String = room.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for name in [
        encoded.as_str(),
        "%2e%2e",
        "%00",
        "..",
        "*",
        "room%0d%0aSet-Cookie:%20x=y",
    ] {
        let opened = ming
            .browser
            .try_open(&format!("/ws/chat/{name}/"), &[])
            .await;
        let refused = opened.err().expect("a refusal");
        assert!((400..500).contains(&refused.status), "{name}");
        assert_eq!(refused.header("x"), None);
    }
    // Upper case and without hyphens it is the same UUID.
    for name in [room.to_uppercase(), room.replace('-', "")] {
        let mut socket = ming.browser.open(&format!("/ws/chat/{name}/")).await;
        assert_eq!(socket.expect("room_state").await["room_id"], room);
    }
}

#[tokio::test]
async fn a_handshake_is_a_plain_get() {
    let server = TestServer::start(|_| {}).await;
    let with = |method: &str, change: &[(&'static str, &'static str)]| {
        let mut headers = HANDSHAKE.to_vec();
        for (name, value) in change {
            headers.retain(|(known, _)| known != name);
            if !value.is_empty() {
                headers.push((name, value));
            }
        }
        wire::request(method, "/ws/matching/", server.address, &headers)
    };
    let cases = [
        ("POST", vec![]),
        ("HEAD", vec![("Upgrade", "")]),
        ("HEAD", vec![]),
        ("OPTIONS", vec![]),
        ("GET", vec![("Content-Length", "2")]),
        ("DELETE", vec![]),
        ("GET", vec![("Sec-WebSocket-Key", "")]),
        ("GET", vec![("Sec-WebSocket-Version", "8")]),
        ("GET", vec![("Upgrade", "h2c")]),
        ("GET", vec![("Connection", "close")]),
    ];
    for (method, change) in cases {
        let said = everything(&server, with(method, &change).as_bytes()).await;
        assert!(
            said.starts_with("HTTP/1.1 4"),
            "{method} {change:?}: {said}"
        );
    }
    let head = everything(&server, with("HEAD", &[]).as_bytes()).await;
    assert!(head.starts_with("HTTP/1.1 405"), "{head}");
    assert!(head.contains("allow: GET\r\n"), "{head}");
    let old = with("GET", &[]).replace("HTTP/1.1", "HTTP/1.0");
    let old = everything(&server, old.as_bytes()).await;
    assert!(
        old.contains(" 426 ") && old.contains("HTTP/1.1 and no body"),
        "{old}"
    );
    assert!(old.contains("upgrade: websocket"), "{old}");
    assert_eq!(server.app.online.count(), 0);
}

#[tokio::test]
async fn odd_request_lines_are_answered_or_dropped() {
    let server = TestServer::start(|_| {}).await;
    for (bytes, allowed) in [
        (
            "GET http://evil.example/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "4",
        ),
        ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "4"),
        (
            "GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "4",
        ),
        (
            "CONNECT evil.example:80 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "4",
        ),
        (
            "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "4",
        ),
        (
            "TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "4",
        ),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "45"),
        ("GET / HTTP/9.9\r\nHost: x\r\n\r\n", "45"),
        ("GET / HTTP/1.1\r\nHost: x\r\nx: a\0b\r\n\r\n", "4"),
        ("\r\n\r\n\r\n\r\n", "4"),
        ("\u{0}\u{1}\u{2}\u{3}", "4"),
    ] {
        let said = everything(&server, bytes.as_bytes()).await;
        let kind = said
            .strip_prefix("HTTP/1.1 ")
            .or(said.strip_prefix("HTTP/1.0 "));
        let fits = kind.is_none_or(|it| it.starts_with(|c| allowed.contains(c)));
        assert!(fits, "{bytes:?}: {}", &said[..60.min(said.len())]);
        assert!(!said.contains("evil.example/"), "{bytes:?}");
    }
    let mut socket = Browser::new(&server).open("/ws/matching/").await;
    socket.send(json!({"action": "cancel_matching"})).await;
    socket.expect("matching_cancelled").await;
}
