//! `POST /api/session/forget`: sockets, searches, rooms, blocks and the cookie of a browser end.

use std::net::SocketAddr;
use std::sync::Arc;

use miyu::boot::backends::Backends;
use miyu::domain::id::{RoomId, SessionId};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;

use crate::support::binary::Setup;
use crate::support::client::Browser;
use crate::support::http::{Answer, get, request};
use crate::support::people::{chat, session_of, start};
use crate::support::pool::Pool;
use crate::support::redis::Site;
use crate::support::scene::MIYU;
use crate::support::server::TestServer;
use crate::support::wire;

const FORGET: &str = "/api/session/forget";

async fn forget(browser: &Browser) -> Answer {
    let cookie = browser.cookie().unwrap();
    post(browser.address(), &[("cookie", &cookie)]).await
}

async fn post(address: SocketAddr, headers: &[(&str, &str)]) -> Answer {
    request(address, "POST", FORGET, headers).await
}

#[tokio::test]
async fn a_browser_that_is_forgotten_leaves_nothing_open() {
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    let me = session_of(&server, &talking.ming);
    let store = Arc::clone(&server.app.store);
    store
        .block(me, SessionId::fresh(), RoomId::fresh())
        .await
        .unwrap();
    let mut search = talking.ming.browser.open("/ws/matching/").await;
    search.send(start(json!({}))).await;
    search.expect("waiting_for_match").await;

    let answer = forget(&talking.ming.browser).await;
    assert_eq!(answer.status, 204);
    let set = answer.header("set-cookie").unwrap();
    let name = format!("miyu_session_{}", server.address.port());
    assert!(
        set.starts_with(&format!("{name}=;")) && set.contains("Max-Age=0"),
        "{set}"
    );
    assert_eq!(answer.header("clear-site-data"), Some("\"storage\""));

    assert_eq!(search.close_code().await, Some(4102));
    assert_eq!(talking.a.close_code().await, Some(4102));
    assert_eq!(talking.b.until("user_left").await["reason"], "left");
    Pool(Arc::clone(&server.app.pool)).waiting_are(0).await;
    assert!(store.open_rooms(me).await.unwrap().is_empty());
    assert!(store.relations(me).await.unwrap().blocked.is_empty());
}

#[tokio::test]
async fn the_cookie_of_a_forgotten_browser_names_no_session() {
    let server = TestServer::start(|_| {}).await;
    let talking = chat(&server).await;
    let copy = talking.ming.browser.cookie().unwrap();
    assert_eq!(forget(&talking.ming.browser).await.status, 204);
    // Another tab, or a request that was under way: it is a new browser, whatever it asks.
    for path in ["/", "/api/rooms/"] {
        let late = Browser::new(&server);
        late.set_cookie(&copy);
        let answer = late.get(path).await;
        assert!(answer.header("set-cookie").is_some(), "{path}");
        assert_ne!(late.cookie().unwrap(), copy);
    }
    let late = Browser::new(&server);
    late.set_cookie(&copy);
    let refused = late
        .try_open(&talking.ming.path(), &[])
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code(), "no_identity");
    // Asked twice it answers the same, for the first answer may be lost.
    assert_eq!(forget(&talking.ming.browser).await.status, 204);
    let nobody = post(server.address, &[]).await;
    assert_eq!(nobody.status, 204);
}

#[tokio::test]
async fn it_goes_on_when_the_page_that_asked_goes_away() {
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    let cookie = talking.ming.browser.cookie().unwrap();
    let head = format!(
        "POST {FORGET} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n",
        server.address
    );
    let mut page = wire::dial(server.address).await;
    page.write_all(head.as_bytes()).await.unwrap();
    // The end of its socket is what takes the page away.
    assert_eq!(talking.a.close_code().await, Some(4102));
    drop(page);
    assert_eq!(talking.b.until("user_left").await["reason"], "left");
}

#[tokio::test]
async fn only_this_sites_pages_and_only_by_post() {
    let server = TestServer::start(|_| {}).await;
    let talking = chat(&server).await;
    let cookie = talking.ming.browser.cookie().unwrap();
    let foreign = [
        ("cookie", &*cookie),
        ("origin", "https://elsewhere.example"),
    ];
    let answer = post(server.address, &foreign).await;
    assert_eq!(answer.code(), "foreign_origin");
    let answer = talking.ming.browser.get(FORGET).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    assert_eq!(talking.ming.state().await["active"], true);
}

#[tokio::test]
async fn a_store_that_does_not_answer_leaves_the_cookie() {
    let server = TestServer::start_dead(|_| {}).await;
    let browser = Browser::new(&server);
    browser.get("/").await;
    let answer = forget(&browser).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("set-cookie"), None);
}

#[tokio::test]
async fn sockets_on_other_nodes_end_as_well() {
    let site = Site::fresh();
    let [first, second] = [site.announced(1).await, site.announced(1).await];
    let here = TestServer::start_on(
        |_| {},
        |it| Backends {
            channel: first,
            ..it
        },
    )
    .await;
    let store = Arc::clone(&here.app.store);
    let there = TestServer::start_on(
        |_| {},
        |it| Backends {
            channel: second,
            store,
            store_died: Box::pin(std::future::pending()),
            ..it
        },
    )
    .await;
    let mut talking = chat(&here).await;
    let mut search = talking
        .ming
        .browser
        .moved(&there)
        .open("/ws/matching/")
        .await;
    search.send(start(json!({}))).await;
    search.expect("waiting_for_match").await;
    assert_eq!(forget(&talking.ming.browser).await.status, 204);
    assert_eq!(search.close_code().await, Some(4102));
    assert_eq!(talking.a.close_code().await, Some(4102));
}

/// On the real executable, as one network sees it: who forgets in a loop comes as a new browser each time, and
/// both cost; and what costs is never a reason to remember a person.
#[tokio::test]
async fn to_be_forgotten_costs_a_network_what_a_new_browser_costs() {
    let home = TempDir::new().unwrap();
    let mut setup = Setup::new(MIYU, home.path());
    let none = "sessions_per_minute = 0";
    assert!(setup.config.contains(none));
    // Five times as many at once.
    setup.config = setup.config.replace(none, "sessions_per_minute = 2");
    let server = setup.start().await;
    let address = server.address().unwrap();
    let mut came = Vec::new();
    for n in 0..8 {
        let cookie = get(address, "/").await.cookie().expect("a session");
        // The second time is the same forgetting, and costs nothing.
        for _ in 0..if n < 2 { 2 } else { 0 } {
            let forgotten = post(address, &[("cookie", &cookie)]).await;
            assert_eq!(forgotten.status, 204);
        }
        came.push(cookie);
    }
    // Eight came and two were forgotten: there is no place for another now, but each can be forgotten.
    assert_eq!(get(address, "/").await.cookie(), None);
    for cookie in &came[2..] {
        let forgotten = post(address, &[("cookie", cookie)]).await;
        assert_eq!(forgotten.status, 204);
    }
    assert_eq!(get(address, "/").await.cookie(), None);
    let stats = get(address, "/api/stats").await;
    assert_eq!(stats.status, 200, "others are not concerned");
}
