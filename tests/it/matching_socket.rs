//! The matching socket: what a search is told from its first frame to its last (contract,
//! section 2). Which searches suit each other is in `matching_wishes`, what happens at once in `matching_races`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::{Browser, Socket, keys};
use crate::support::people::{chat, start};
use crate::support::server::TestServer;
use crate::support::wire::eventually;

async fn searching(browser: &Browser, changes: Value) -> Socket {
    let mut socket = browser.open("/ws/matching/").await;
    socket.send(start(changes)).await;
    socket.expect("waiting_for_match").await;
    socket
}

#[tokio::test]
async fn a_search_that_waits_is_told_at_once_how_it_stands() {
    let server = TestServer::start(|_| {}).await;
    let mut ming = Browser::new(&server).open("/ws/matching/").await;
    ming.send(start(
        json!({"tags": ["音樂"], "preferredGender": "female"}),
    ))
    .await;
    let told = ming.expect("waiting_for_match").await;
    let fields = ["action", "phase", "phase_ends_ms", "unfit", "waiting"];
    assert_eq!(keys(&told), fields);
    assert_eq!(told["phase"], "shared_tags");
    let ends = told["phase_ends_ms"].as_u64().unwrap();
    assert!((5_000..=10_000).contains(&ends), "{ends}");
    assert_eq!(
        (&told["waiting"], &told["unfit"]),
        (&json!(1), &json!(false))
    );

    let mut mei = Browser::new(&server).open("/ws/matching/").await;
    mei.send(start(json!({"gender": "male"}))).await;
    let told = mei.expect("waiting_for_match").await;
    assert_eq!(
        told["phase"], "anyone",
        "without tags there is no first phase"
    );
    assert!(told["phase_ends_ms"].as_u64().unwrap() > 10_000);
    assert_eq!(
        (&told["waiting"], &told["unfit"]),
        (&json!(1), &json!(false))
    );
}

#[tokio::test]
async fn patience_relaxes_phase_by_phase() {
    let server = TestServer::start(|config| {
        config.matching.tag_patience = Duration::from_millis(150);
        config.matching.repeat_patience = Duration::from_millis(300);
    })
    .await;
    let mut ming = Browser::new(&server).open("/ws/matching/").await;
    ming.send(start(json!({"tags": ["音樂"]}))).await;
    for phase in ["shared_tags", "anyone", "repeats"] {
        let told = ming.expect("waiting_for_match").await;
        assert_eq!(told["phase"], phase);
        assert_eq!(told["phase_ends_ms"].is_null(), phase == "repeats");
    }
    ming.nothing_more().await;
}

#[tokio::test]
async fn both_are_told_of_their_match_with_every_field() {
    let server = TestServer::start(|_| {}).await;
    let mut ming = searching(&Browser::new(&server), json!({"user_id": "user_ming-1"})).await;
    let mut mei = Browser::new(&server).open("/ws/matching/").await;
    let data = json!({"nickname": "小美", "avatar": "20", "mood": "sad", "gender": "female"});
    mei.send(start(data)).await;
    let to_mei = mei.expect("match_found").await;
    let to_ming = ming.expect("match_found").await;
    let fields = [
        "action",
        "common_tags",
        "is_bot",
        "matched_user",
        "met_before",
        "room_id",
        "same_session",
        "token",
        "user_id",
    ];
    for found in [&to_mei, &to_ming] {
        assert_eq!(keys(found), fields);
        assert_eq!(
            keys(&found["matched_user"]),
            ["avatar", "gender", "mood", "nickname"]
        );
        assert_eq!(found["common_tags"], json!([]));
        for field in ["is_bot", "same_session", "met_before"] {
            assert_eq!(found[field], false);
        }
        assert!(uuid::Uuid::parse_str(found["room_id"].as_str().unwrap()).is_ok());
    }
    assert_eq!(to_ming["room_id"], to_mei["room_id"]);
    assert_ne!(to_ming["token"], to_mei["token"]);
    assert_eq!(to_ming["user_id"], "user_ming-1", "their own proposal");
    let invented = to_mei["user_id"].as_str().unwrap();
    assert!(
        invented.len() > 16 && invented.len() <= 50,
        "a fresh random one"
    );
    let of_mei = json!({"nickname": "小美", "avatar": "20", "mood": "sad", "gender": "female"});
    assert_eq!(to_ming["matched_user"], of_mei);
    let of_ming = json!({"nickname": "小明", "avatar": "3", "mood": "happy", "gender": "male"});
    assert_eq!(to_mei["matched_user"], of_ming);
    ming.nothing_more().await;
    mei.nothing_more().await;
}

#[tokio::test]
async fn cancelling_is_answered_once() {
    let server = TestServer::start(|_| {}).await;
    let cancel = json!({"action": "cancel_matching"});
    let mut ming = Browser::new(&server).open("/ws/matching/").await;
    ming.send(cancel.clone()).await;
    ming.expect("matching_cancelled").await;
    ming.send(start(json!({}))).await;
    ming.expect("waiting_for_match").await;
    ming.send(cancel.clone()).await;
    ming.expect("matching_cancelled").await;
    assert_eq!(server.app.pool.stats().total(), 0);
    // In one breath, too.
    ming.send(start(json!({}))).await;
    ming.send(cancel.clone()).await;
    ming.until("matching_cancelled").await;
    ming.nothing_more().await;
    // After a match it is not answered any more: the match was.
    ming.send(start(json!({}))).await;
    ming.expect("waiting_for_match").await;
    let mut mei = Browser::new(&server).open("/ws/matching/").await;
    mei.send(start(json!({}))).await;
    mei.expect("match_found").await;
    ming.expect("match_found").await;
    ming.send(cancel).await;
    ming.nothing_more().await;
}

#[tokio::test]
async fn a_second_start_replaces_the_first() {
    let server = TestServer::start(|_| {}).await;
    let mut ming = searching(&Browser::new(&server), json!({"nickname": "before"})).await;
    ming.send(start(json!({"nickname": "after"}))).await;
    ming.expect("waiting_for_match").await;
    assert_eq!(server.app.pool.stats().total(), 1);
    let mut mei = Browser::new(&server).open("/ws/matching/").await;
    mei.send(start(json!({}))).await;
    let found = mei.expect("match_found").await;
    assert_eq!(found["matched_user"]["nickname"], "after");
    ming.expect("match_found").await;
    ming.nothing_more().await;
}

#[tokio::test]
async fn a_newer_connection_of_the_same_user_replaces_the_search() {
    let server = TestServer::start(|_| {}).await;
    let browser = Browser::new(&server);
    let mut older = searching(&browser, json!({"user_id": "ming"})).await;
    let mut newer = searching(&browser, json!({"user_id": "ming"})).await;
    older.expect("replaced").await;
    assert_eq!(server.app.pool.stats().total(), 1);
    let mut mei = Browser::new(&server).open("/ws/matching/").await;
    mei.send(start(json!({}))).await;
    newer.expect("match_found").await;
    mei.expect("match_found").await;
    older.nothing_more().await;
    older.send(json!({"action": "cancel_matching"})).await;
    older.expect("matching_cancelled").await;
}

#[tokio::test]
async fn another_session_with_that_user_id_replaces_no_search() {
    let server = TestServer::start(|_| {}).await;
    let mut ming = searching(&Browser::new(&server), json!({"user_id": "ming"})).await;
    let thief = json!({"user_id": "ming", "preferredGender": "female"});
    let mut thief = searching(&Browser::new(&server), thief).await;
    ming.nothing_more().await;
    thief.nothing_more().await;
    assert_eq!(server.app.pool.stats().total(), 2);
}

#[tokio::test]
async fn closing_the_socket_withdraws() {
    let server = TestServer::start(|_| {}).await;
    searching(&Browser::new(&server), json!({})).await.lose();
    eventually("the ticket is gone", || {
        server.app.pool.stats().total() == 0
    })
    .await;
    searching(&Browser::new(&server), json!({}))
        .await
        .close()
        .await;
    eventually("the ticket is gone", || {
        server.app.pool.stats().total() == 0
    })
    .await;
}

#[tokio::test]
async fn a_session_that_is_still_in_a_room_is_told_so() {
    let server = TestServer::start(|_| {}).await;
    let talking = chat(&server).await;
    let user_id = talking.ming.user_id().to_owned();
    let mut search = talking.ming.browser.open("/ws/matching/").await;
    search.send(start(json!({"user_id": user_id}))).await;
    let told = search.expect("in_room").await;
    assert_eq!(told["room_id"], talking.ming.room());
    search.nothing_more().await;
}

#[tokio::test]
async fn a_room_that_is_left_in_time_lets_the_search_go_on() {
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    let user_id = talking.ming.user_id().to_owned();
    let mut search = talking.ming.browser.open("/ws/matching/").await;
    search.send(start(json!({"user_id": user_id}))).await;
    talking.a.send(json!({"action": "find_next"})).await;
    talking.b.expect("user_left").await;
    search.expect("waiting_for_match").await;
}

#[tokio::test]
async fn a_room_without_a_live_connection_is_left_by_searching() {
    let server = TestServer::start(|config| {
        config.chat.presence_settle = Duration::from_millis(20);
    })
    .await;
    let mut talking = chat(&server).await;
    let user_id = talking.ming.user_id().to_owned();
    talking.a.lose();
    talking.b.expect("partner_status").await;
    let mut search = talking.ming.browser.open("/ws/matching/").await;
    search.send(start(json!({"user_id": user_id}))).await;
    search.expect("waiting_for_match").await;
    let left = talking.b.expect("user_left").await;
    assert_eq!(
        (&left["reason"], &left["user_id"]),
        (&json!("left"), &json!(user_id))
    );
}

#[tokio::test]
async fn too_many_searches_are_told_when_to_come_back() {
    let server = TestServer::start(|config| {
        config.limits.matches_per_minute = 3;
        config.limits.tickets_per_session = 2;
    })
    .await;
    let browser = Browser::new(&server);
    let mut first = searching(&browser, json!({"preferredGender": "female"})).await;
    let _second = searching(&browser, json!({"preferredGender": "female"})).await;
    let mut third = browser.open("/ws/matching/").await;
    for _ in 0..2 {
        // The third search is one ticket too many, the fourth one start too many.
        third
            .send(start(json!({"preferredGender": "female"})))
            .await;
        let error = third.expect_error("rate_limited").await;
        assert!(error["retry_after_ms"].as_u64().unwrap() > 0, "{error}");
    }
    first.nothing_more().await;
    assert_eq!(server.app.pool.stats().total(), 2);
}

#[tokio::test]
async fn frames_that_are_not_understood_are_answered_and_nothing_more() {
    let server = TestServer::start(|_| {}).await;
    let mut socket = Browser::new(&server).open("/ws/matching/").await;
    for bad in ["", "{", "[]", "null", "\"start_matching\"", "{\"action\"}"] {
        socket.text(bad).await;
        socket.expect_error("bad_json").await;
    }
    for unknown in [
        json!({}),
        json!({"action": 7}),
        json!({"action": "send_message"}),
    ] {
        socket.send(unknown).await;
        socket.expect_error("unknown_action").await;
    }
    for data in [
        json!({}),
        json!({"user_data": "x"}),
        json!({"user_data": [1]}),
    ] {
        let mut frame = json!({"action": "start_matching"});
        frame
            .as_object_mut()
            .unwrap()
            .extend(data.as_object().unwrap().clone());
        socket.send(frame).await;
        let error = socket.expect_error("invalid_field").await;
        assert_eq!(error["field"], "user_data");
    }
    let long = "x".repeat(51);
    for user_id in [
        json!("a b"),
        json!("名"),
        json!(long),
        json!(7),
        json!({}),
        json!("a\0"),
    ] {
        socket.send(start(json!({"user_id": user_id}))).await;
        let error = socket.expect_error("invalid_field").await;
        assert_eq!(error["field"], "user_id");
    }
    socket.send(start(json!({}))).await;
    socket.expect("waiting_for_match").await;
}
