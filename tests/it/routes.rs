//! The table of routes: what a row asks for is kept for its handler, whatever a request looks like.

use hyper::StatusCode;
use miyu::admission::Purpose;
use miyu::http::response;
use miyu::http::routes::{Call, Guard, HandlerResult, Rate, Route, Slash};
use miyu::identity::principal::Principal;
use serde_json::json;

use crate::support::client::Browser;
use crate::support::server::TestServer;
use crate::support::wire;

const MOST: usize = 64 * 1024;

/// Says how long the body was, and whether the session was known.
async fn measure(mut call: Call) -> HandlerResult {
    let known = call.principal.as_ref().and_then(Principal::known).is_some();
    let bytes = call.body().await?.len();
    let said = json!({"bytes": bytes, "known": known});
    Ok(response::json(StatusCode::OK, &said))
}

/// One row: POST, a body of 64 KiB, a session.
const ROW: Route = Route {
    methods: "POST",
    body: MOST as u64,
    ..Route::api("/api/measure/", |call| Box::pin(measure(call)))
};

/// One row for operators.
const LOCAL: Route = Route {
    path: "/api/inside",
    slash: Slash::Exact,
    guard: Guard::Local,
    rate: Rate::Free,
    purpose: Purpose::Kept,
    ..ROW
};

async fn ask(server: &TestServer, head: &[(&str, &str)], body: &[u8]) -> wire::Answer {
    let length = body.len().to_string();
    let headers = [&[("Content-Length", length.as_str())], head].concat();
    let request = wire::request("POST", "/api/measure", server.address, &headers);
    wire::exchange(server.address, &[request.as_bytes(), body].concat()).await
}

#[tokio::test]
async fn a_row_adds_a_route_with_its_method_body_and_guard() {
    let server = TestServer::start_with_routes(vec![ROW, LOCAL]).await;
    let fresh = ask(&server, &[], &vec![b'x'; MOST]).await;
    assert_eq!(fresh.json(), json!({"bytes": MOST, "known": false}));
    assert!(fresh.header("set-cookie").is_some(), "its session begins");
    let browser = Browser::new(&server);
    browser.get("/").await;
    let cookie = browser.cookie().unwrap();
    let known = ask(&server, &[("Cookie", &cookie)], b"abc").await;
    assert_eq!(known.json(), json!({"bytes": 3, "known": true}));

    let long = ask(&server, &[], &vec![b'x'; MOST + 1]).await;
    assert_eq!((long.status, long.code().as_str()), (413, "body_too_large"));
    let foreign = ask(&server, &[("Origin", "https://evil.example")], b"abc").await;
    assert_eq!(
        (foreign.status, foreign.code().as_str()),
        (403, "foreign_origin")
    );
    let get = wire::get(server.address, "/api/measure/", &[]).await;
    assert_eq!((get.status, get.header("allow")), (405, Some("POST")));

    // The guard of operators: this address is not there for anybody else.
    let post = |to| wire::request("POST", "/api/inside", to, &[("Content-Length", "0")]);
    let outside = wire::exchange(server.address, post(server.address).as_bytes()).await;
    assert_eq!(outside.status, 404);
    let inside = wire::exchange(server.operator, post(server.operator).as_bytes()).await;
    assert_eq!(
        (inside.status, inside.json()["bytes"].as_u64()),
        (200, Some(0))
    );
}

#[tokio::test]
async fn a_body_in_pieces_is_bounded_by_what_comes() {
    let server = TestServer::start_with_routes(vec![ROW]).await;
    let chunked = |bytes: usize| {
        let headers = [("Transfer-Encoding", "chunked")];
        let head = wire::request("POST", "/api/measure", server.address, &headers);
        format!("{head}{bytes:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(bytes))
    };
    let fits = wire::exchange(server.address, chunked(MOST).as_bytes()).await;
    assert_eq!(fits.json()["bytes"], MOST);
    let long = wire::exchange(server.address, chunked(MOST + 1).as_bytes()).await;
    assert_eq!((long.status, long.code().as_str()), (413, "body_too_large"));
    // A row that takes none refuses it before a byte is read.
    let head = wire::request(
        "POST",
        "/api/session/forget",
        server.address,
        &[("Transfer-Encoding", "chunked")],
    );
    let none = wire::exchange(server.address, head.as_bytes()).await;
    assert_eq!((none.status, none.code().as_str()), (413, "body_too_large"));
}
