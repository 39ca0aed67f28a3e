//! The chat socket, action by action: every field and every answer (contract, section 3). Errors are in
//! `chat_errors`, the log's guarantees in `chat_log`, who is there in `chat_presence`.

use serde_json::{Value, json};

use crate::support::client::keys;
use crate::support::people::{chat, meet};
use crate::support::server::TestServer;

fn reply(content: &str, client_id: &str, to: &Value) -> Value {
    json!({"action": "send_message",
        "message": {"content": content, "replied_to": to, "client_id": client_id}})
}

fn recall(message_id: &Value) -> Value {
    json!({"action": "recall_message", "message_id": message_id})
}

fn delete(message_id: &Value) -> Value {
    json!({"action": "delete_message", "message_id": message_id})
}

#[tokio::test]
async fn a_room_introduces_itself() {
    let server = TestServer::start(|_| {}).await;
    let (ming, mei) = meet(&server).await;
    let mut a = ming.enter("").await;
    let state = a.expect("room_state").await;
    let fields = [
        "action",
        "active",
        "closes_ms",
        "common_tags",
        "is_bot",
        "last_seq",
        "now_ms",
        "partner",
        "partner_read",
        "room_id",
        "same_session",
        "user_id",
    ];
    assert_eq!(keys(&state), fields);
    assert_eq!(state["room_id"], ming.room());
    assert_eq!(state["user_id"], ming.user_id());
    let partner = json!({"nickname": "小美", "avatar": "7", "mood": "sad", "online": false});
    assert_eq!(
        state["partner"], partner,
        "and not their gender, user_id or session"
    );
    assert_eq!(state["active"], true);
    assert_eq!(
        (&state["last_seq"], &state["partner_read"]),
        (&json!(0), &json!(0))
    );
    let mut b = mei.browser.open(&format!("/ws/chat/{}/", mei.room())).await;
    let state = b.expect("room_state").await;
    assert_eq!(state["partner"]["online"], true);
    assert_eq!(
        a.expect("partner_status").await,
        json!({"action": "partner_status", "online": true})
    );
    let mut api = mei.state().await;
    let mut same = state.clone();
    same.as_object_mut().unwrap().remove("action");
    let [[now, left], [later, rest]] = [&mut same, &mut api].map(|it| {
        ["now_ms", "closes_ms"].map(|key| {
            let moment = it.as_object_mut().unwrap().remove(key);
            moment.unwrap().as_u64().unwrap()
        })
    });
    assert!(rest > 0 && rest <= left && later >= now, "time passes");
    assert_eq!(api, same, "the API says the same");
}

#[tokio::test]
async fn a_message_reaches_both_with_every_field() {
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    let message = talking.a_says("  你好，世界\n<b>!</b>\t ", "msg-1").await;
    let fields = [
        "client_id",
        "content",
        "id",
        "proof",
        "recalled",
        "replied_to",
        "replied_to_content",
        "replied_to_sender",
        "sender_avatar",
        "sender_id",
        "sender_nickname",
        "sent_at",
        "sent_at_ms",
        "seq",
    ];
    assert_eq!(keys(&message), fields);
    assert_eq!((&message["id"], &message["seq"]), (&json!("1"), &json!(1)));
    assert_eq!(
        message["content"], "你好，世界\n<b>!</b>",
        "trimmed and verbatim"
    );
    assert_eq!(message["sender_id"], talking.ming.user_id());
    assert_eq!(message["sender_nickname"], "小明");
    assert_eq!(message["sender_avatar"], "3");
    assert_eq!(message["client_id"], "msg-1");
    assert_eq!(message["recalled"], false);
    for field in ["replied_to", "replied_to_content", "replied_to_sender"] {
        assert!(message[field].is_null());
    }
    let ms = message["sent_at_ms"].as_i64().unwrap();
    let minutes = (ms / 60_000 + 8 * 60) % (24 * 60);
    let face = format!("{:02}:{:02}", minutes / 60, minutes % 60);
    assert_eq!(message["sent_at"], face, "Asia/Taipei");
    assert_eq!(
        talking.b_says("hi", "msg-1").await["seq"],
        2,
        "client_ids are each side's own"
    );
}

#[tokio::test]
async fn replies_quote_and_unknown_ones_quote_nothing() {
    let server = TestServer::start(|config| config.limits.messages_per_second = 0).await;
    let mut talking = chat(&server).await;
    talking.a_says("question", "q-1").await;
    talking.b.send(reply("answer", "a-1", &json!("1"))).await;
    let heard = talking.a.expect("new_message").await["message"].clone();
    assert_eq!(heard["replied_to"], "1");
    assert_eq!(heard["replied_to_content"], "question");
    assert_eq!(heard["replied_to_sender"], "小明");
    talking.b.expect("new_message").await;
    // By one's own client_id, to oneself, by a number.
    for (n, to) in [json!("q-1"), json!(1)].iter().enumerate() {
        talking.a.send(reply("again", &format!("r-{n}"), to)).await;
        let heard = talking.a.expect("new_message").await;
        assert_eq!(heard["message"]["replied_to"], "1", "{to}");
        talking.b.expect("new_message").await;
    }
    // The other's client_id, later ones, none, nonsense.
    let nothing = [
        json!("a-1"),
        json!("99"),
        json!("0"),
        json!("-1"),
        json!(null),
        json!(""),
        json!({}),
        json!(["1"]),
        json!("18446744073709551616"),
        json!("x".repeat(5000)),
    ];
    for (n, to) in nothing.iter().enumerate() {
        talking
            .a
            .send(reply("to nobody", &format!("n-{n}"), to))
            .await;
        let heard = talking.a.expect("new_message").await;
        assert!(heard["message"]["replied_to"].is_null(), "{heard}");
        talking.b.expect("new_message").await;
    }
}

#[tokio::test]
async fn recalling_erases_here_there_and_in_quotes() {
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    talking.a_says("my secret", "s-1").await;
    talking.b.send(reply("what?", "w-1", &json!("1"))).await;
    talking.a.expect("new_message").await;
    talking.b.expect("new_message").await;
    talking.a.send(recall(&json!("s-1"))).await;
    let told =
        json!({"action": "message_recalled", "message_id": "1", "client_id": "s-1", "seq": 3});
    assert_eq!(talking.a.next().await, told);
    assert_eq!(talking.b.next().await, told);
    // A quote of it made afterwards is empty, and so are the stored ones.
    talking
        .b
        .send(reply("still there?", "w-2", &json!(1)))
        .await;
    let heard = talking.a.expect("new_message").await["message"].clone();
    assert_eq!(heard["replied_to"], "1");
    assert!(heard["replied_to_content"].is_null());
    for log in [talking.ming.log().await, talking.mei.log().await] {
        let text = serde_json::to_string(&log).unwrap();
        assert!(!text.contains("secret"), "{text}");
        assert_eq!(log[0]["message"]["recalled"], true);
        assert!(log[0]["message"]["content"].is_null());
        assert_eq!(log[1]["message"]["replied_to"], "1");
        assert!(log[1]["message"]["replied_to_content"].is_null());
        assert_eq!(log[2], told);
    }
}

#[tokio::test]
async fn deleting_is_for_oneself_and_the_partner_cannot_tell() {
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    talking.a_says("one", "c-1").await;
    talking.b_says("two", "c-2").await;
    for (id, told) in [(json!("2"), "2"), (json!("c-1"), "1"), (json!(1), "1")] {
        talking.a.send(delete(&id)).await;
        let answer = talking.a.next().await;
        assert_eq!(
            answer,
            json!({"action": "message_deleted", "message_id": told})
        );
    }
    talking.a.send(delete(&json!("9"))).await;
    talking.a.expect_error("no_such_message").await;
    talking.b.nothing_more().await;
    assert_eq!(talking.ming.log().await.len(), 0);
    let log = talking.mei.log().await;
    assert_eq!(log.len(), 2);
    assert_eq!(log[1]["message"]["content"], "two");
    // No seq was used up: the next message is the third.
    assert_eq!(talking.a_says("three", "c-3").await["seq"], 3);
    let mut again = talking.ming.enter("&after=0").await;
    assert_eq!(again.expect("room_state").await["last_seq"], 3);
    assert_eq!(again.expect("new_message").await["message"]["seq"], 3);
    again.nothing_more().await;
}

#[tokio::test]
async fn the_longest_names_are_taken() {
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    let name = "名".repeat(100);
    assert_eq!(talking.a_says("x", &name).await["client_id"], name);
    talking.a.send(recall(&json!(name))).await;
    assert_eq!(
        talking.a.expect("message_recalled").await["client_id"],
        name
    );
}

#[tokio::test]
async fn messages_without_a_client_id_are_told_apart() {
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    for n in 1..=2 {
        let frame = json!({"action": "send_message", "message": {"content": "same"}});
        talking.a.send(frame).await;
        assert_eq!(talking.a.expect("new_message").await["message"]["seq"], n);
        talking.b.expect("new_message").await;
    }
}
