//! The session cookie over HTTP: given once, kept, renewed, never forged.

use crate::support::http::{get, get_with};
use crate::support::server::TestServer;

#[tokio::test]
async fn a_session_is_given_once_and_kept() {
    let server = TestServer::start_dead(|_| {}).await;
    let first = get(server.address, "/").await;
    let set = first.header("set-cookie").unwrap();
    let name = format!("miyu_session_{}=", server.address.port());
    for part in [
        name.as_str(),
        "Path=/",
        "HttpOnly",
        "SameSite=Lax",
        "Max-Age=2592000",
    ] {
        assert!(set.contains(part), "no {part} in {set}");
    }
    assert!(
        !set.contains("Secure"),
        "plain http cannot keep a Secure cookie"
    );
    assert!(first.header("cache-control").unwrap().contains("private"));
    let cookie = first.cookie().unwrap();
    for path in ["/", "/chat/", "/api/site", "/api/rooms/"] {
        let again = get_with(server.address, path, &[("cookie", &cookie)]).await;
        assert_eq!(again.header("set-cookie"), None, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn forged_cookies_are_replaced() {
    let server = TestServer::start_dead(|_| {}).await;
    let cookie = get(server.address, "/").await.cookie().unwrap();
    let cut = &cookie[..cookie.len() - 1];
    for forged in [
        cut,
        "miyu_session=",
        "miyu_session=AAAA",
        "miyu_session=\"x\"",
    ] {
        let answer = get_with(server.address, "/", &[("cookie", forged)]).await;
        assert!(answer.header("set-cookie").is_some(), "{forged}");
    }
    let elsewhere = TestServer::start_dead(|config| {
        config.session.key = Some(miyu::config::Secret::new(
            "8e2f0c4b7d19a3658e2f0c4b7d19a3658e2f0c4b7d19a36500aa11bb22cc33dd".into(),
        ));
    })
    .await;
    let answer = get_with(elsewhere.address, "/", &[("cookie", &cookie)]).await;
    assert!(
        answer.header("set-cookie").is_some(),
        "signed with another key"
    );
    server.stop().await;
    elsewhere.stop().await;
}

#[tokio::test]
async fn files_never_carry_a_session() {
    let server = TestServer::start_dead(|_| {}).await;
    for path in [
        "/static/css/tokens.css",
        "/static/nothing",
        "/manifest.webmanifest",
    ] {
        assert_eq!(
            get(server.address, path).await.header("set-cookie"),
            None,
            "{path}"
        );
    }
    server.stop().await;
}
