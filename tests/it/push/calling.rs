//! People who are called: the search of a page that was closed, the room that waits, and the way back.

use std::sync::Arc;
use std::time::Duration;

use miyu::config::Config;
use serde_json::{Value, json};

use super::{browser_keys, opened_by};
use crate::support::client::{Browser, Socket};
use crate::support::http::request;
use crate::support::people::{Person, both_enter, chat, pair, start};
use crate::support::postgres::{self, Postgres};
use crate::support::push_service::PushService;
use crate::support::redis::{fresh_prefix, shared_url};
use crate::support::scene::until;
use crate::support::server::TestServer;
use crate::support::store::Backend as _;

/// A site that calls people by this push service alone, and waits for no other person for long.
fn calls_by(service: &PushService) -> impl FnOnce(&mut Config) + use<> {
    let host = service.address.to_string();
    move |config| {
        config.push.enabled = true;
        config.push.contact = Some("me@chat.example".parse().unwrap());
        config.push.allowed_hosts = vec![host.parse().unwrap()];
        config.chat.arrival = Duration::from_secs(1);
        config.chat.reconnect_grace = Duration::from_secs(1);
        config.chat.presence_settle = Duration::from_millis(100);
    }
}

fn call_me(service: &PushService, keys: &Value) -> Value {
    json!({"action": "call_me", "subscription": {
        "endpoint": service.endpoint(),
        "expirationTime": null,
        "keys": {"p256dh": keys["p256dh"], "auth": keys["auth"]},
    }})
}

/// Asks to be called; whether that is taken.
async fn asks(socket: &mut Socket, frame: Value) -> bool {
    socket.send(frame).await;
    socket.until("calling").await["on"].as_bool().unwrap()
}

async fn search(browser: &Browser, changes: Value) -> Socket {
    let mut socket = browser.open("/ws/matching/").await;
    socket.send(start(changes)).await;
    socket.until("waiting_for_match").await;
    socket
}

/// The rooms that a browser that comes back is told of.
async fn rooms_of(browser: &Browser) -> Vec<Value> {
    let rooms = browser.get("/api/rooms/").await.json();
    rooms["rooms"].as_array().unwrap().clone()
}

async fn waiting_are(server: &TestServer, count: u64) {
    let pool = Arc::clone(&server.app.pool);
    let is_so = async || pool.stats().total() == count;
    until("so many wait", is_so, || format!("{:?}", pool.stats())).await;
}

#[tokio::test]
async fn a_search_outlives_its_page_and_its_person_is_called_and_comes() {
    let (service, keys) = (PushService::start(&[]).await, browser_keys());
    let server = TestServer::start(calls_by(&service)).await;
    let (ming, mei) = (Browser::new(&server), Browser::new(&server));
    let mut socket = search(&ming, json!({"nickname": "小明"})).await;
    assert!(asks(&mut socket, call_me(&service, &keys)).await);
    socket.close().await;
    waiting_are(&server, 1).await;

    let mut socket = mei.open("/ws/matching/").await;
    socket.send(start(json!({"nickname": "小美"}))).await;
    let found = socket.until("match_found").await;
    let mei = Person {
        browser: mei,
        found,
    };
    let mut mei_in = mei.enter("").await;
    mei_in.until("room_state").await;
    let asked = service.until_asked(1).await;
    assert_eq!(opened_by(&keys, &asked[0]), "someone");
    for said in ["小明", "小美", mei.room()] {
        assert!(!String::from_utf8_lossy(&asked[0].body).contains(said));
        assert!(!asked[0].head.contains(said));
    }
    // Long after others would have been given up.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let rooms = rooms_of(&ming).await;
    assert_eq!(rooms[0]["room_id"], mei.room());
    let mut ming_in = ming.open(&format!("/ws/chat/{}/", mei.room())).await;
    ming_in.until("room_state").await;
    mei_in.until("partner_status").await;
    ming_in.said("回來了", "m1").await;
    assert_eq!(
        mei_in.until("new_message").await["message"]["content"],
        "回來了"
    );
    assert_eq!(service.asked().len(), 1, "called once");
}

#[tokio::test]
async fn cancelling_another_search_and_forgetting_the_browser_end_a_search_that_goes_on() {
    let (service, keys) = (PushService::start(&[]).await, browser_keys());
    let server = TestServer::start(calls_by(&service)).await;
    let alone = async |browser: &Browser| {
        let mut socket = search(browser, json!({"user_id": "the-same"})).await;
        assert!(asks(&mut socket, call_me(&service, &keys)).await);
        socket.close().await;
        waiting_are(&server, 1).await;
    };
    let browser = Browser::new(&server);
    let mut socket = search(&browser, json!({})).await;
    assert!(asks(&mut socket, call_me(&service, &keys)).await);
    socket.send(json!({"action": "cancel_matching"})).await;
    socket.until("matching_cancelled").await;
    socket.close().await;
    waiting_are(&server, 0).await;
    // The same person searches again, takes the search over, and goes.
    alone(&browser).await;
    let socket = search(&browser, json!({"user_id": "the-same"})).await;
    socket.close().await;
    waiting_are(&server, 0).await;
    alone(&browser).await;
    let cookie = browser.cookie().unwrap();
    let headers = [("cookie", &*cookie)];
    let forgotten = request(server.address, "POST", "/api/session/forget", &headers).await;
    assert_eq!(forgotten.status, 204);
    waiting_are(&server, 0).await;
    assert!(service.asked().is_empty());
}

#[tokio::test]
async fn a_browser_whose_push_service_knows_it_no_more_is_not_waited_for() {
    for answer in ["410 Gone", "404 Not Found"] {
        let (service, keys) = (PushService::start(&[answer]).await, browser_keys());
        let server = TestServer::start(calls_by(&service)).await;
        let ming = Browser::new(&server);
        let mut socket = search(&ming, json!({})).await;
        assert!(asks(&mut socket, call_me(&service, &keys)).await);
        socket.close().await;
        let mei = Browser::new(&server);
        let mut socket = mei.open("/ws/matching/").await;
        socket.send(start(json!({}))).await;
        let found = socket.until("match_found").await;
        let mei = Person {
            browser: mei,
            found,
        };
        let mut mei_in = mei.enter("").await;
        let left = mei_in.until("user_left").await;
        assert_eq!(
            (&left["reason"], &left["gone"]),
            (&json!("no_show"), &json!("partner"))
        );
        assert_eq!(service.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_side_that_is_away_is_called_once_for_messages_and_waited_for() {
    let (service, keys) = (PushService::start(&[]).await, browser_keys());
    let server = TestServer::start(calls_by(&service)).await;
    let mut scene = chat(&server).await;
    assert!(asks(&mut scene.a, call_me(&service, &keys)).await);
    scene.b_says("here", "b0").await;
    scene.a.close().await;
    let status = scene.b.until("partner_status").await;
    let left = status["grace_ends_ms"].as_u64().unwrap();
    assert!((800_000..=900_000).contains(&left), "{left}");
    for name in ["b1", "b2", "b3"] {
        scene.b.said("where are you? 秘密", name).await;
    }
    let asked = service.until_asked(1).await;
    assert_eq!(opened_by(&keys, &asked[0]), "message");
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(service.asked().len(), 1, "called once");
    let mut a = scene.ming.enter("").await;
    assert_eq!(a.until("room_state").await["active"], true);
}

#[tokio::test]
async fn a_foreign_endpoint_is_refused_and_a_site_without_calls_takes_none() {
    let (service, keys) = (PushService::start(&[]).await, browser_keys());
    let server = TestServer::start(calls_by(&service)).await;
    let mut socket = search(&Browser::new(&server), json!({})).await;
    let mut foreign = call_me(&service, &keys);
    for endpoint in [
        "https://evil.example/x",
        "http://127.0.0.1:1/x",
        "not an address",
    ] {
        foreign["subscription"]["endpoint"] = json!(endpoint);
        assert!(!asks(&mut socket, foreign.clone()).await, "{endpoint}");
    }
    socket
        .send(json!({"action": "call_me", "subscription": {"endpoint": 7}}))
        .await;
    let error = socket.until("error").await;
    assert_eq!(
        (&error["code"], &error["field"]),
        (&json!("invalid_field"), &json!("subscription"))
    );
    socket.close().await;
    waiting_are(&server, 0).await;

    let off = TestServer::start(|_| {}).await;
    let site = Browser::new(&off).get("/api/site").await.json();
    assert_eq!(site["push"], Value::Null);
    let mut scene = chat(&off).await;
    assert!(!asks(&mut scene.a, call_me(&service, &keys)).await);
}

#[tokio::test]
async fn the_key_that_browsers_are_given_outlives_the_process() {
    let service = PushService::start(&[]).await;
    let server = TestServer::start(calls_by(&service)).await;
    let key = async |server: &TestServer| {
        let site = Browser::new(server).get("/api/site").await.json();
        site["push"]["key"].as_str().unwrap().to_owned()
    };
    let before = key(&server).await;
    let server = server.restart().await;
    assert_eq!(before, key(&server).await);
}

/// Two nodes over Redis and PostgreSQL, of which both would call.
async fn two_nodes(service: &PushService, database: &Postgres) -> [TestServer; 2] {
    let prefix = fresh_prefix();
    let node = || {
        let (change, prefix) = (calls_by(service), prefix.clone());
        let store = format!("{}{}", postgres::server(), database.name());
        TestServer::start(move |config| {
            change(config);
            config.store.url = store;
            config.channel.url = shared_url();
            config.channel.prefix = prefix;
        })
    };
    [node().await, node().await]
}

#[tokio::test]
async fn of_two_nodes_one_calls() {
    let (service, keys) = (PushService::start(&[]).await, browser_keys());
    let database = Postgres::fresh().await;
    let [here, there] = two_nodes(&service, &database).await;
    let (ming, mei) = (Browser::new(&here), Browser::new(&there));
    let (ming, mei) = pair((&ming, json!({})), (&mei, json!({}))).await;
    let (mut a, mut b) = both_enter(&ming, &mei).await;
    assert!(asks(&mut a, call_me(&service, &keys)).await);
    a.close().await;
    b.until("partner_status").await;
    b.said("here?", "b1").await;
    let asked = service.until_asked(1).await;
    assert_eq!(opened_by(&keys, &asked[0]), "message");
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(service.asked().len(), 1, "one of them");
}
