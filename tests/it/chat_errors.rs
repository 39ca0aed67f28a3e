//! What the chat socket refuses, and with which error (contract, sections 3 and 5). Each refusal
//! leaves the connection open and the partner undisturbed.

use serde_json::{Value, json};

use crate::support::client::Socket;
use crate::support::people::{both_enter, chat, meet};
use crate::support::server::TestServer;

fn recall(message_id: &Value) -> Value {
    json!({"action": "recall_message", "message_id": message_id})
}

#[tokio::test]
async fn content_is_bounded_in_characters_after_trimming() {
    let server = TestServer::start(|config| config.limits.messages_per_second = 0).await;
    let mut talking = chat(&server).await;
    // The longest that fits: four bytes each, and white space around that does not count.
    let longest = "😀".repeat(2000);
    let said = talking.a_says(&format!(" {longest} \n"), "long").await;
    assert_eq!(said["content"], longest);
    for (content, code) in [
        ("a".repeat(2001), "too_long"),
        ("字".repeat(2001), "too_long"),
        (String::new(), "empty"),
        (" \t\n\u{3000}\u{00A0}".to_owned(), "empty"),
        // What can be sent and shows nothing.
        ("\u{200B}".to_owned(), "empty"),
        ("\u{3164}\u{FEFF}\u{2800}".to_owned(), "empty"),
        (" \u{AD}\u{E0001}\u{E0041}\u{200D} ".to_owned(), "empty"),
    ] {
        talking.a.say(&content, "refused").await;
        let error = talking.a.expect_error(code).await;
        assert_eq!(error["client_id"], "refused");
    }
    talking.b.nothing_more().await;
    assert_eq!(talking.ming.log().await.len(), 1);
}

#[tokio::test]
async fn half_a_character_arrives_as_a_replacement() {
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    let cut = r#"{"action":"send_message","message":{"content":"cut \ud83d","client_id":"m-1"}}"#;
    talking.a.text(cut).await;
    for socket in [&mut talking.a, &mut talking.b] {
        let said = socket.expect("new_message").await;
        assert_eq!(said["message"]["content"], "cut \u{fffd}");
        assert_eq!(said["message"]["client_id"], "m-1");
    }
    // Said again it is the same message, whichever way it is written.
    talking.a.say("cut \u{fffd}", "m-1").await;
    let again = talking.a.expect("new_message").await;
    assert_eq!(again["message"]["repeat"], true);
}

#[tokio::test]
async fn an_unreadable_frame_is_named_and_holds_up_nothing() {
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    let broken =
        r#"{"action":"send_message","message":{"content":"a","client_id":"m-1"},"seq":1e999}"#;
    talking.a.text(broken).await;
    let error = talking.a.expect_error("bad_json").await;
    assert_eq!(error["client_id"], "m-1");
    talking.a_says("the next", "m-2").await;
    talking.a.text("[").await;
    let error = talking.a.expect_error("bad_json").await;
    assert_eq!(error.get("client_id"), None);
}

#[tokio::test]
async fn recalls_that_may_not_be() {
    let server = TestServer::start(|config| config.limits.messages_per_second = 0).await;
    let mut talking = chat(&server).await;
    talking.a_says("mine", "m-1").await;
    talking.b.send(recall(&json!("1"))).await;
    talking.b.expect_error("not_yours").await;
    for unknown in [
        json!("2"),
        json!("0"),
        json!("m-2"),
        json!(99),
        json!("18446744073709551615"),
    ] {
        talking.a.send(recall(&unknown)).await;
        talking.a.expect_error("no_such_message").await;
    }
    // A client_id names a message of its sender only: the partner's names none.
    talking.b.send(recall(&json!("m-1"))).await;
    talking.b.expect_error("no_such_message").await;
    let named = json!({"action": "recall_message", "message_id": "1", "client_id": "undo-1"});
    talking.a.send(named.clone()).await;
    assert_eq!(
        talking.a.expect("message_recalled").await["client_id"],
        "undo-1"
    );
    talking.b.expect("message_recalled").await;
    talking.a.send(named).await;
    let error = talking.a.expect_error("already_recalled").await;
    assert_eq!(error["client_id"], "undo-1");
    // A recall is no message that could be recalled.
    talking.a.send(recall(&json!("2"))).await;
    talking.a.expect_error("no_such_message").await;
    talking.b.nothing_more().await;
}

#[tokio::test]
async fn fields_of_the_wrong_kind_are_named() {
    let server = TestServer::start(|config| config.limits.bad_frames = 1000).await;
    let mut talking = chat(&server).await;
    let long = "x".repeat(101);
    let bad = [
        (json!({"action": "send_message"}), "message"),
        (
            json!({"action": "send_message", "message": "hello"}),
            "message",
        ),
        (json!({"action": "send_message", "message": {}}), "content"),
        (
            json!({"action": "send_message", "message": {"content": 7}}),
            "content",
        ),
        (
            json!({"action": "send_message", "message": {"content": "x", "client_id": long}}),
            "client_id",
        ),
        (
            json!({"action": "send_message", "message": {"content": "x", "client_id": [1]}}),
            "client_id",
        ),
        (json!({"action": "recall_message"}), "message_id"),
        (
            json!({"action": "recall_message", "message_id": ""}),
            "message_id",
        ),
        (
            json!({"action": "recall_message", "message_id": long}),
            "message_id",
        ),
        (
            json!({"action": "recall_message", "message_id": "1", "client_id": true}),
            "client_id",
        ),
        (
            json!({"action": "delete_message", "message_id": null}),
            "message_id",
        ),
        (
            json!({"action": "delete_message", "message_id": {}}),
            "message_id",
        ),
        (json!({"action": "typing"}), "is_typing"),
        (json!({"action": "typing", "is_typing": "yes"}), "is_typing"),
        (json!({"action": "read"}), "seq"),
        (json!({"action": "read", "seq": -1}), "seq"),
        (json!({"action": "read", "seq": "1"}), "seq"),
        (json!({"action": "find_next", "user_id": 7}), "user_id"),
    ];
    for (frame, field) in bad {
        talking.a.send(frame).await;
        let error = talking.a.expect_error("invalid_field").await;
        assert_eq!(error["field"], field);
    }
    for frame in ["", "nonsense", "[1]", "{\"action\":\"typing\"", "\"x\""] {
        talking.a.text(frame).await;
        talking.a.expect_error("bad_json").await;
    }
    for frame in [
        json!({}),
        json!({"action": "start_matching"}),
        json!({"action": null}),
    ] {
        talking.a.send(frame).await;
        talking.a.expect_error("unknown_action").await;
    }
    talking.b.nothing_more().await;
    assert_eq!(talking.a_says("and it goes on", "c-1").await["seq"], 1);
}

#[tokio::test]
async fn a_full_room_takes_recalls_and_departures_but_no_messages() {
    let server = TestServer::start(|config| config.limits.room_entries = 3).await;
    let mut talking = chat(&server).await;
    for n in 1..=3 {
        talking.a_says("x", &format!("c-{n}")).await;
    }
    talking.b.say("one too many", "c-4").await;
    let error = talking.b.expect_error("room_full").await;
    assert_eq!(error["client_id"], "c-4");
    talking.a.send(recall(&json!("1"))).await;
    talking.a.expect("message_recalled").await;
    talking.b.expect("message_recalled").await;
    talking.b.send(json!({"action": "find_next"})).await;
    assert_eq!(talking.a.expect("user_left").await["seq"], 5);
}

#[tokio::test]
async fn a_user_id_may_be_absent_ones_own_or_unknown_but_not_the_other_sides() {
    let server = TestServer::start(|_| {}).await;
    let (ming, mei) = meet(&server).await;
    let (mut a, mut b) = both_enter(&ming, &mei).await;
    let say = |user_id: &str, n: u32| {
        json!({"action": "send_message", "user_id": user_id,
            "message": {"content": "x", "client_id": format!("c-{n}")}})
    };
    a.send(say(ming.user_id(), 1)).await;
    a.expect("new_message").await;
    b.expect("new_message").await;
    a.send(say("from-another-room", 2)).await;
    let sent = a.expect("new_message").await;
    assert_eq!(sent["message"]["sender_id"], ming.user_id());
    b.expect("new_message").await;
    a.send(say(mei.user_id(), 3)).await;
    assert_eq!(a.expect_error("not_a_member").await["client_id"], "c-3");
    for action in ["find_next", "block"] {
        a.send(json!({"action": action, "user_id": mei.user_id()}))
            .await;
        a.expect_error("not_a_member").await;
    }
    still_open(&mut a, &mut b).await;
}

async fn still_open(a: &mut Socket, b: &mut Socket) {
    a.say("still here", "last").await;
    a.expect("new_message").await;
    b.expect("new_message").await;
}
