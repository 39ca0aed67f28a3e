//! A proxy that does not pass the upgrade: the operator is told once, of pages of this site only.

use serde_json::Value;

use crate::support::server::TestServer;
use crate::support::wire::{self, HANDSHAKE};

/// A browser's handshake from this origin after a hop that takes these headers away.
async fn knock(server: &TestServer, origin: Option<&str>, taken: &[&str]) -> u16 {
    let mut headers: Vec<_> = HANDSHAKE.into_iter().collect();
    headers.retain(|(name, _)| !taken.contains(name));
    headers.push(("Connection", "close"));
    headers.extend(origin.map(|origin| ("Origin", origin)));
    let answer = wire::get(server.address, "/ws/matching/", &headers).await;
    assert_eq!(answer.code(), "not_a_handshake");
    answer.status
}

async fn notices(server: &TestServer) -> Vec<Value> {
    let headers = [("Connection", "close")];
    let ready = wire::get(server.operator, "/readyz", &headers).await.json();
    ready["notices"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_operator_is_told_of_a_proxy_that_passes_no_upgrade() {
    let server = TestServer::start(|_| {}).await;
    let own = server.url();
    let taken = ["Upgrade", "Connection"];
    // Neither another site's page, nor a program that only looks, nor one that asks for no socket.
    knock(&server, Some("https://elsewhere.example"), &taken).await;
    knock(&server, None, &taken).await;
    let all = ["Upgrade", "Connection", "Sec-WebSocket-Key"];
    knock(&server, Some(&own), &all).await;
    assert_eq!(notices(&server).await, Vec::<Value>::new());
    for _ in 0..2 {
        assert_eq!(knock(&server, Some(&own), &taken).await, 426);
    }
    let told = notices(&server).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["part"], "websocket");
    let why = told[0]["why"].as_str().unwrap();
    assert!(why.contains("Upgrade and Connection"), "{why}");
}
