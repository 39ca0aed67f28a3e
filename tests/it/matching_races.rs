//! Searches that cross each other: matched exactly once, and both learn of it or neither does
//! (contract, section 2, rule 5).

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::client::{Browser, Socket};
use crate::support::people::{start, user_data};
use crate::support::server::TestServer;
use crate::support::wire::eventually;

async fn searching(browser: &Browser, changes: Value) -> Socket {
    let mut socket = browser.open("/ws/matching/").await;
    socket.send(start(changes)).await;
    socket.expect("waiting_for_match").await;
    socket
}

#[tokio::test]
async fn a_cancel_that_races_a_match_is_answered_by_one_of_them() {
    let server = TestServer::start(|config| config.limits.matches_per_minute = 0).await;
    let (one, two) = (Browser::new(&server), Browser::new(&server));
    for round in 0..40 {
        let id = |who| format!("{who}-{round}");
        let mut ming = searching(&one, json!({"user_id": id("ming")})).await;
        let mut mei = two.open("/ws/matching/").await;
        mei.send(start(json!({"user_id": id("mei")}))).await;
        if round % 2 == 0 {
            tokio::time::sleep(Duration::from_micros(50 * round)).await;
        }
        ming.send(json!({"action": "cancel_matching"})).await;
        let answer = ming.next().await;
        let other = mei.next().await;
        match answer["action"].as_str().unwrap() {
            "matching_cancelled" => assert_eq!(other["action"], "waiting_for_match"),
            "match_found" => assert_eq!(other["room_id"], answer["room_id"]),
            other => panic!("{other}"),
        }
        ming.nothing_more().await;
        mei.close().await;
        ming.close().await;
        eventually("the pool is empty", || server.app.pool.stats().total() == 0).await;
        for room in server
            .app
            .store
            .open_rooms(session(&server, &one))
            .await
            .unwrap()
        {
            let side = miyu::domain::id::Side::A;
            let left = miyu::domain::LeaveReason::Left;
            server
                .app
                .store
                .close_room(room.id, side, left)
                .await
                .unwrap();
        }
    }
}

/// The session that this browser's cookie names.
fn session(server: &TestServer, browser: &Browser) -> miyu::domain::id::SessionId {
    let mut headers = hyper::HeaderMap::new();
    let cookie = browser.cookie().unwrap().parse().unwrap();
    headers.insert(hyper::header::COOKIE, cookie);
    let seen = miyu::identity::cookie::read(
        &server.app.signer,
        &headers,
        miyu::identity::jar::Jar::of(false, None),
    );
    seen.unwrap().session
}

#[tokio::test]
async fn a_partner_who_vanishes_while_being_matched_leaves_no_side_in_a_dead_room() {
    let server = TestServer::start(|config| {
        config.limits.matches_per_minute = 0;
        config.chat.arrival = Duration::from_millis(300);
    })
    .await;
    let mei = Browser::new(&server);
    for round in 0..10 {
        let ming = searching(&Browser::new(&server), json!({})).await;
        let mut search = mei.open("/ws/matching/").await;
        search
            .send(start(json!({"user_id": format!("mei-{round}")})))
            .await;
        ming.lose();
        let answer = search.next().await;
        if answer["action"] == "match_found" {
            let room = answer["room_id"].as_str().unwrap();
            let mut socket = mei.open(&format!("/ws/chat/?room={room}")).await;
            let left = socket.until("user_left").await;
            assert_eq!(left["reason"], "no_show");
        } else {
            assert_eq!(answer["action"], "waiting_for_match");
        }
        search.close().await;
        eventually("the pool is empty", || server.app.pool.stats().total() == 0).await;
    }
}

#[tokio::test]
async fn two_hundred_people_pair_up_and_none_twice() {
    let server = TestServer::start(|_| {}).await;
    let mut people = JoinSet::new();
    for n in 0..200 {
        let browser = Browser::new(&server);
        people.spawn(async move {
            let mut socket = browser.open("/ws/matching/").await;
            let data = user_data(json!({"user_id": format!("person-{n}")}));
            socket
                .send(json!({"action": "start_matching", "user_data": data}))
                .await;
            let found = socket.until("match_found").await;
            socket.nothing_more().await;
            found["room_id"].as_str().unwrap().to_owned()
        });
    }
    let mut rooms: HashMap<String, usize> = HashMap::new();
    for room in people.join_all().await {
        *rooms.entry(room).or_default() += 1;
    }
    assert_eq!(rooms.len(), 100);
    assert!(rooms.values().all(|people| *people == 2));
    assert_eq!(server.app.pool.stats().total(), 0);
}
