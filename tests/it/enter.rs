//! A chat socket whose address names no room: `enter` is its first frame. And the API without a room or
//! a token in the address.

use std::time::Duration;

use hyper_tungstenite::tungstenite::protocol::Message;
use serde_json::{Value, json};

use crate::support::client::{Browser, Socket};
use crate::support::people::{Person, meet};
use crate::support::server::TestServer;
use crate::support::wire;

const CHAT: &str = "/ws/chat/";

fn enter(person: &Person) -> Value {
    json!({"action": "enter", "room": person.room(), "after": 0})
}

/// Says this first, on a connection of its own.
async fn first(browser: &Browser, frame: Value) -> Socket {
    let mut socket = browser.open(CHAT).await;
    socket.send(frame).await;
    socket
}

/// Refused with this code, and told not to come back.
async fn refused(browser: &Browser, frame: Value, code: &str) {
    let mut socket = first(browser, frame).await;
    socket.expect_error(code).await;
    assert_eq!(socket.close_code().await, Some(4101), "{code}");
}

#[tokio::test]
async fn who_takes_many_entries_in_a_frame_is_sent_the_log_so() {
    let server = TestServer::start(|_| {}).await;
    let (ming, mei) = meet(&server).await;
    let mut a = first(&ming.browser, enter(&ming)).await;
    a.expect("room_state").await;
    for n in 1..=3 {
        a.said(&format!("word {n}"), &format!("c-{n}")).await;
    }
    let mut together = enter(&mei);
    together["together"] = json!(true);
    let mut b = first(&mei.browser, together).await;
    b.expect("room_state").await;
    let log = b.until("entries").await;
    let said = log["entries"].as_array().unwrap().iter();
    let said: Vec<_> = said.map(|it| it["message"]["content"].clone()).collect();
    assert_eq!(said, ["word 1", "word 2", "word 3"]);
    a.said("word 4", "c-4").await;
    assert_eq!(b.until("new_message").await["message"]["content"], "word 4");
    server.stop().await;
}

#[tokio::test]
async fn two_people_enter_and_talk() {
    let server = TestServer::start(|_| {}).await;
    let (ming, mei) = meet(&server).await;
    // One by the cookie, the other with nothing but the token.
    let mut a = first(&ming.browser, enter(&ming)).await;
    assert_eq!(a.expect("room_state").await["user_id"], ming.user_id());
    let token = json!({"action": "enter", "room": mei.room(), "token": mei.token(), "after": null});
    let mut b = first(&Browser::forgetful(&server), token).await;
    assert_eq!(b.expect("room_state").await["user_id"], mei.user_id());
    a.expect("partner_status").await;
    let said = a.said("你好", "c-1").await;
    assert_eq!(b.expect("new_message").await["message"], said);
    b.said("hello", "c-2").await;
    // Back with what was missed, and only that.
    a.lose();
    let again =
        json!({"action": "enter", "room": ming.room(), "after": 1, "user_id": ming.user_id()});
    let mut a = first(&ming.browser, again).await;
    assert_eq!(a.expect("room_state").await["last_seq"], 2);
    assert_eq!(a.expect("new_message").await["message"]["seq"], 2);
}

#[tokio::test]
async fn the_browser_of_a_token_counts_once() {
    let server = TestServer::start(|_| {}).await;
    let (ming, _) = meet(&server).await;
    let mut cookie = first(&ming.browser, enter(&ming)).await;
    cookie.expect("room_state").await;
    let with_token = json!({"action": "enter", "room": ming.room(), "token": ming.token()});
    let mut token = first(&Browser::forgetful(&server), with_token).await;
    token.expect("room_state").await;
    assert_eq!(server.app.online.count(), 1, "one browser, two connections");
}

#[tokio::test]
async fn what_the_address_refuses_the_frame_refuses_alike() {
    let server = TestServer::start(|_| {}).await;
    let (ming, _) = meet(&server).await;
    let (other, _) = meet(&server).await;
    let room = ming.room();
    let named = |room: &str| json!({"action": "enter", "room": room});
    for name in ["", "x", "../../etc/passwd", &room[1..]] {
        refused(&ming.browser, named(name), "not_a_uuid").await;
    }
    refused(&ming.browser, json!({"action": "enter"}), "not_a_uuid").await;
    for after in [json!(-1), json!("1"), json!(1.5), json!([])] {
        let frame = json!({"action": "enter", "room": room, "after": after});
        refused(&ming.browser, frame, "invalid_after").await;
    }
    for field in ["token", "user_id"] {
        let frame = json!({"action": "enter", "room": room, field: 1});
        refused(&ming.browser, frame, "invalid_field").await;
    }
    refused(&Browser::forgetful(&server), named(room), "no_identity").await;
    refused(&other.browser, named(room), "not_a_member").await;
    // A token of another room is an identity, though not one of this room.
    let foreign = json!({"action": "enter", "room": room, "token": other.token()});
    refused(&Browser::forgetful(&server), foreign, "not_a_member").await;
    let claimed = json!({"action": "enter", "room": room, "user_id": ming.user_id()});
    refused(&other.browser, claimed, "not_a_member").await;
}

#[tokio::test]
async fn anything_but_enter_first_and_a_second_enter_end_the_connection() {
    let server = TestServer::start(|_| {}).await;
    let (ming, _) = meet(&server).await;
    let say = json!({"action": "send_message", "message": {"content": "x"}});
    refused(&ming.browser, say, "enter_first").await;
    refused(&ming.browser, json!({}), "enter_first").await;
    refused(&ming.browser, json!([]), "bad_json").await;
    let mut twice = first(&ming.browser, enter(&ming)).await;
    twice.expect("room_state").await;
    twice.send(enter(&ming)).await;
    twice.until("error").await;
    assert_eq!(twice.close_code().await, Some(4101));
    // As much on a connection whose address named the room.
    let mut by_address = ming.enter("&after=0").await;
    by_address.expect("room_state").await;
    by_address.send(enter(&ming)).await;
    by_address.expect_error("already_entered").await;
    assert_eq!(by_address.close_code().await, Some(4101));
}

#[tokio::test]
async fn a_room_that_is_gone_says_so() {
    let server = TestServer::start(|_| {}).await;
    let (ming, _) = meet(&server).await;
    let room = "01890a5d-ac96-774b-bcce-b302099a8057";
    let mut socket = first(&ming.browser, json!({"action": "enter", "room": room})).await;
    assert_eq!(socket.expect("user_left").await["user_id"], "");
    assert_eq!(socket.close_code().await, Some(4004));
}

#[tokio::test]
async fn what_is_no_small_text_or_does_not_come_ends_the_connection() {
    let server = TestServer::start(|config| {
        config.limits.header_timeout = Duration::from_millis(200);
    })
    .await;
    let (ming, _) = meet(&server).await;
    let long = format!("{}{}", enter(&ming), " ".repeat(2048));
    let pings = (0..20).map(|_| Message::Ping(Default::default()));
    for (messages, code) in [
        (vec![Message::text(long)], 1009),
        (vec![Message::binary(vec![1])], 1008),
        (pings.collect(), 1008),
        (Vec::new(), 4002),
    ] {
        let mut socket = ming.browser.open(CHAT).await;
        for message in messages {
            socket.raw(message).await;
        }
        assert_eq!(socket.close_code().await, Some(code));
    }
}

#[tokio::test]
async fn who_has_not_entered_counts_and_was_let_in_by_the_same_rules() {
    let server = TestServer::start(|config| config.limits.connections_per_address = 2).await;
    let browser = Browser::new(&server);
    let foreign = [("Origin", "https://elsewhere.example")];
    let answer = browser.try_open(CHAT, &foreign).await.err().unwrap();
    assert_eq!(answer.code(), "foreign_origin");
    let waiting = [browser.open(CHAT).await, browser.open(CHAT).await];
    let answer = browser.try_open(CHAT, &[]).await.err().unwrap();
    assert_eq!(answer.status, 503);
    drop(waiting);
    server.begin_drain();
}

#[tokio::test]
async fn a_restart_sends_who_has_not_entered_away_for_a_moment() {
    let server = TestServer::start(|_| {}).await;
    let mut socket = Browser::new(&server).open(CHAT).await;
    server.begin_drain();
    assert_eq!(socket.close_code().await, Some(1001));
}

#[tokio::test]
async fn the_api_takes_the_token_as_a_header_and_needs_no_room_in_the_address() {
    let server = TestServer::start(|_| {}).await;
    let (ming, mei) = meet(&server).await;
    let mut a = ming.enter("&after=0").await;
    a.said("hello", "c-1").await;
    let ask = async |path: &str, authorization: &str| {
        let headers = [("Connection", "close"), ("Authorization", authorization)];
        wire::get(server.address, path, &headers).await
    };
    let [bearer, of_mei] = [&ming, &mei].map(|it| format!("Bearer {}", it.token()));
    let state = ask("/api/rooms/current/", &bearer).await.json();
    assert_eq!(state["room_id"], ming.room());
    assert_eq!(state["user_id"], ming.user_id());
    let log = ask("/api/rooms/current/messages/?after=0", &of_mei)
        .await
        .json();
    assert_eq!(log["entries"][0]["message"]["content"], "hello");
    let by_id = format!("/api/rooms/{}/", ming.room());
    let state = ask(&by_id, &format!("bearer {}", mei.token())).await.json();
    assert_eq!(state["user_id"], mei.user_id());
    // The header counts before the query; another scheme is none of ours.
    let both = format!("{by_id}?token={}", ming.token());
    assert_eq!(ask(&both, &of_mei).await.json()["user_id"], mei.user_id());
    let basic = ask(&both, "Basic bWluZzpwdw==").await.json();
    assert_eq!(basic["user_id"], ming.user_id());
    for authorization in ["Basic bWluZzpwdw==", "Bearer", "Bearer x", "Bearer  "] {
        let answer = ask("/api/rooms/current/", authorization).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "no_identity")
        );
    }
}
