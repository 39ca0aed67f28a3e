//! A store that does not answer: every action is told `unavailable`, repeating it is safe and gives
//! the truth (contract, section 5).

use serde_json::{Value, json};

use crate::support::client::{Browser, Socket};
use crate::support::faulty::{Fault, Switch};
use crate::support::people::{chat, start};
use crate::support::server::TestServer;

async fn server() -> (TestServer, Switch) {
    let switch = Switch::default();
    let shared = switch.clone();
    let server = TestServer::start_on(
        |_| {},
        |mut backends| {
            backends.store = shared.before(backends.store);
            backends
        },
    )
    .await;
    (server, switch)
}

/// `unavailable`, and whatever else came before it.
async fn until_unavailable(socket: &mut Socket) -> (Value, Vec<Value>) {
    let mut others = Vec::new();
    loop {
        let frame = socket.next().await;
        if frame["code"] == "unavailable" {
            return (frame, others);
        }
        others.push(frame);
    }
}

#[tokio::test]
async fn a_message_that_was_not_taken_is_taken_when_it_is_repeated() {
    let (server, switch) = server().await;
    let mut talking = chat(&server).await;
    switch.set(Fault::Refused);
    talking.a.say("hello", "c-1").await;
    let error = talking.a.expect_error("unavailable").await;
    assert_eq!(error["client_id"], "c-1");
    talking.b.nothing_more().await;
    switch.set(Fault::None);
    let said = talking.a_says("hello", "c-1").await;
    assert_eq!(said["seq"], 1);
    assert!(said.get("repeat").is_none());
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_there_once() {
    let (server, switch) = server().await;
    let mut talking = chat(&server).await;
    switch.set(Fault::AnswerLost);
    talking.a.say("hello", "c-1").await;
    let (error, mut before) = until_unavailable(&mut talking.a).await;
    assert_eq!(error["client_id"], "c-1");
    switch.set(Fault::None);
    // It was committed, so it was published: also to its sender, sooner or later.
    if before.is_empty() {
        before.push(talking.a.expect("new_message").await);
    }
    assert_eq!(talking.b.expect("new_message").await, before[0]);
    talking.a.say("hello", "c-1").await;
    let repeat = talking.a.expect("new_message").await;
    assert_eq!(repeat["message"]["repeat"], true);
    assert_eq!(repeat["message"]["seq"], 1);
    talking.b.nothing_more().await;
    assert_eq!(talking.mei.log().await.len(), 1);
}

#[tokio::test]
async fn every_action_says_so_and_the_connection_stays() {
    let (server, switch) = server().await;
    let mut talking = chat(&server).await;
    talking.a_says("hello", "c-1").await;
    switch.set(Fault::Refused);
    for action in [
        json!({"action": "recall_message", "message_id": "1", "client_id": "r-1"}),
        json!({"action": "delete_message", "message_id": "1"}),
        json!({"action": "find_next"}),
        json!({"action": "block"}),
    ] {
        talking.a.send(action.clone()).await;
        let error = talking.a.expect_error("unavailable").await;
        assert_eq!(error["client_id"], action["client_id"], "{action}");
    }
    talking.b.nothing_more().await;
    switch.set(Fault::None);
    talking.a_says("still here", "c-2").await;
    talking
        .a
        .send(json!({"action": "recall_message", "message_id": "1"}))
        .await;
    talking.a.expect("message_recalled").await;
}

#[tokio::test]
async fn a_recall_whose_answer_was_lost_tells_the_truth_when_repeated() {
    let (server, switch) = server().await;
    let mut talking = chat(&server).await;
    talking.a_says("hello", "c-1").await;
    let recall = json!({"action": "recall_message", "message_id": "1"});
    switch.set(Fault::AnswerLost);
    talking.a.send(recall.clone()).await;
    until_unavailable(&mut talking.a).await;
    talking.b.expect("message_recalled").await;
    switch.set(Fault::None);
    talking.a.send(recall).await;
    let error = talking.a.until("error").await;
    assert_eq!(error["code"], "already_recalled");
}

#[tokio::test]
async fn a_socket_that_cannot_be_opened_may_come_back() {
    let (server, switch) = server().await;
    let talking = chat(&server).await;
    switch.set(Fault::Refused);
    let mut socket = talking.ming.enter("").await;
    assert_eq!(socket.read_to_end().await, (vec![], Some(1001)));
    switch.set(Fault::None);
    let mut socket = talking.ming.enter("").await;
    assert_eq!(socket.expect("room_state").await["active"], true);
}

#[tokio::test]
async fn a_search_says_so_and_a_room_that_cannot_be_made_is_tried_again() {
    let (server, switch) = server().await;
    let mut ming = Browser::new(&server).open("/ws/matching/").await;
    switch.set(Fault::Refused);
    ming.send(start(json!({}))).await;
    ming.expect_error("unavailable").await;
    switch.set(Fault::None);
    ming.send(start(json!({"preferredGender": "female"}))).await;
    ming.expect("waiting_for_match").await;
    let mut mei = Browser::new(&server).open("/ws/matching/").await;
    mei.send(start(json!({"preferredGender": "female"}))).await;
    mei.expect("waiting_for_match").await;
    // They fit each other from now on, but only the next room can be made.
    mei.send(start(json!({"gender": "female"}))).await;
    let found = mei.until("match_found").await;
    assert_eq!(ming.until("match_found").await["room_id"], found["room_id"]);
}
