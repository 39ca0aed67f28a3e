//! The log's guarantees over real sockets: acknowledged is stored, in order and once, a reconnect
//! misses nothing, repeats double nothing (contract, section 3, guarantees 1 to 3).

use serde_json::{Value, json};

use crate::support::client::Socket;
use crate::support::people::{Chatting, chat};
use crate::support::server::TestServer;

async fn server() -> TestServer {
    TestServer::start(|config| config.limits.messages_per_second = 0).await
}

fn recall(message_id: &str) -> Value {
    json!({"action": "recall_message", "message_id": message_id})
}

/// The next `count` entries, which must begin after `seq` and have no gap.
async fn entries(socket: &mut Socket, after: u64, count: u64) -> Vec<Value> {
    let mut seen = Vec::new();
    for seq in after + 1..=after + count {
        let frame = socket.next().await;
        assert_eq!(seq_of(&frame), Some(seq), "{frame}");
        seen.push(frame);
    }
    seen
}

/// Ming says three; both have heard them.
async fn three_messages(talking: &mut Chatting) {
    for n in 1..=3 {
        talking
            .a_says(&format!("text {n}"), &format!("c-{n}"))
            .await;
    }
}

/// Everything that both see of a room from its beginning, which must be the same.
async fn one_order(talking: &mut Chatting, count: u64) -> Vec<Value> {
    let (left, right) = tokio::join!(
        entries(&mut talking.a, 0, count),
        entries(&mut talking.b, 0, count)
    );
    assert_eq!(left, right);
    left
}

fn seq_of(frame: &Value) -> Option<u64> {
    frame["seq"].as_u64().or(frame["message"]["seq"].as_u64())
}

#[tokio::test]
async fn acknowledged_is_stored() {
    let server = server().await;
    let mut talking = chat(&server).await;
    for n in 0..20 {
        talking.a.say(&format!("text {n}"), &format!("c-{n}")).await;
    }
    for n in 0..20 {
        let told = talking.a.expect("new_message").await;
        if n % 5 == 0 {
            assert_eq!(talking.mei.log().await[n], told);
        }
    }
}

#[tokio::test]
async fn what_both_say_at_once_is_one_order_for_both() {
    let server = server().await;
    let mut talking = chat(&server).await;
    for n in 0..100 {
        talking.a.say("from a", &format!("a-{n}")).await;
        talking.b.say("from b", &format!("b-{n}")).await;
    }
    let left = one_order(&mut talking, 200).await;
    for side in ["a", "b"] {
        let ids = left
            .iter()
            .filter_map(|it| it["message"]["client_id"].as_str());
        let ids: Vec<&str> = ids.filter(|id| id.starts_with(side)).collect();
        let sent: Vec<String> = (0..100).map(|n| format!("{side}-{n}")).collect();
        assert_eq!(ids, sent, "in the order they were sent");
    }
    assert_eq!(talking.ming.log().await, left);
}

#[tokio::test]
async fn actions_of_one_connection_take_effect_in_the_order_sent() {
    let server = TestServer::start(|config| {
        config.limits.messages_per_second = 0;
        config.limits.in_flight = 2;
    })
    .await;
    let mut talking = chat(&server).await;
    // B has read the log when B hears this: read later, it would leave out what was recalled by then.
    talking.a_says("hello", "first").await;
    for n in 0..50 {
        let id = format!("msg-{n}");
        talking.a.say("oops", &id).await;
        let reply =
            json!({"content": "about that", "replied_to": id, "client_id": format!("re-{n}")});
        talking
            .a
            .send(json!({"action": "send_message", "message": reply}))
            .await;
        talking.a.send(recall(&id)).await;
    }
    talking.a.send(json!({"action": "find_next"})).await;
    talking.a.say("too late", "late").await;
    for n in 0..50 {
        let said = talking.b.expect("new_message").await;
        assert_eq!(said["message"]["content"], "oops");
        let reply = talking.b.expect("new_message").await;
        assert_eq!(reply["message"]["replied_to"], said["message"]["id"]);
        assert_eq!(reply["message"]["replied_to_content"], "oops");
        let recalled = talking.b.expect("message_recalled").await;
        assert_eq!(recalled["message_id"], said["message"]["id"], "{n}");
    }
    talking.b.expect("user_left").await;
    talking.b.nothing_more().await;
    // Errors are outside the ordered stream: this one may come before what it is about.
    let mut told = Vec::new();
    while told.len() < 2 {
        let frame = talking.a.next().await;
        if ["user_left", "error"].contains(&frame["action"].as_str().unwrap()) {
            told.push(frame);
        }
    }
    assert!(told.iter().any(|frame| frame["code"] == "room_closed"));
    assert!(told.iter().any(|frame| frame["action"] == "user_left"));
}

#[tokio::test]
async fn after_says_exactly_where_to_go_on() {
    let server = server().await;
    let mut talking = chat(&server).await;
    three_messages(&mut talking).await;
    talking.a.send(recall("1")).await;
    talking.a.expect("message_recalled").await;
    talking.b.expect("message_recalled").await;
    talking.b_says("text 5", "c-5").await;
    talking.b.close().await;
    let log = talking.ming.log().await;
    assert_eq!(log[0]["message"]["recalled"], true);
    for after in 0..=5 {
        let mut socket = talking.mei.enter(&format!("&after={after}")).await;
        assert_eq!(socket.expect("room_state").await["last_seq"], 5);
        let seen = entries(&mut socket, after, 5 - after).await;
        assert_eq!(seen, log[usize::try_from(after).unwrap()..]);
        socket.nothing_more().await;
        socket.close().await;
    }
    for beyond in ["6", "9999999", "18446744073709551615"] {
        let mut socket = talking.mei.enter(&format!("&after={beyond}")).await;
        assert_eq!(socket.expect("room_state").await["anew"], true);
        assert_eq!(
            entries(&mut socket, 0, 5).await,
            log,
            "it has what is not there"
        );
        socket.nothing_more().await;
        socket.close().await;
    }
}

#[tokio::test]
async fn without_after_it_goes_on_where_this_side_was_and_leaves_recalled_messages_out() {
    let server = server().await;
    let mut talking = chat(&server).await;
    talking.a_says("seen", "c-1").await;
    talking.b.close().await;
    for n in 2..=4 {
        talking
            .a
            .said(&format!("text {n}"), &format!("c-{n}"))
            .await;
    }
    talking.a.send(recall("3")).await;
    talking.a.until("message_recalled").await;
    let mut back = talking.mei.enter("").await;
    back.expect("room_state").await;
    assert_eq!(back.expect("new_message").await["message"]["seq"], 2);
    assert_eq!(back.expect("new_message").await["message"]["seq"], 4);
    assert_eq!(back.expect("message_recalled").await["message_id"], "3");
    back.nothing_more().await;
    back.close().await;
    let mut again = talking.mei.enter("").await;
    again.expect("room_state").await;
    again.nothing_more().await;
    // An empty `after` is none; the whole log has what was recalled, without its text.
    let mut whole = talking.mei.enter("&after=0").await;
    whole.expect("room_state").await;
    let log = entries(&mut whole, 0, 5).await;
    assert!(log[2]["message"]["content"].is_null());
}

#[tokio::test]
async fn a_reconnect_in_the_middle_of_a_storm_misses_and_doubles_nothing() {
    const ALL: u64 = 300;
    let server = TestServer::start(|config| {
        config.limits.messages_per_second = 0;
        config.limits.page_entries = 7;
    })
    .await;
    let talking = chat(&server).await;
    let (mut a, mut b, mei) = (talking.a, talking.b, talking.mei);
    let storm = async {
        for n in 0..ALL {
            a.say("on and on", &format!("c-{n}")).await;
            if n % 10 == 0 {
                a.expect("new_message").await;
            }
        }
    };
    let listening = async {
        let mut last = 0;
        let mut lives = 0;
        while last < ALL {
            let batch = 20.min(ALL - last);
            entries(&mut b, last, batch).await;
            last += batch;
            lives += 1;
            b.lose();
            b = mei.enter(&format!("&after={last}")).await;
            b.expect("room_state").await;
        }
        b.nothing_more().await;
        lives
    };
    // A partner_status may come between: neither was away for that long, so none does.
    let ((), lives) = tokio::join!(storm, listening);
    assert_eq!(lives, 15);
}

#[tokio::test]
async fn a_mailbox_that_overflows_is_made_up_for_from_the_store() {
    let server = TestServer::start(|config| {
        config.limits.messages_per_second = 0;
        config.limits.mailbox = 1;
        config.limits.page_entries = 5;
    })
    .await;
    let mut talking = chat(&server).await;
    for n in 0..200 {
        talking.a.say("a burst", &format!("a-{n}")).await;
        talking.b.say("a burst", &format!("b-{n}")).await;
    }
    one_order(&mut talking, 400).await;
}

#[tokio::test]
async fn a_repeated_client_id_stores_nothing_twice() {
    let server = server().await;
    let mut talking = chat(&server).await;
    let first = talking.a_says("once", "c-1").await;
    talking.b_says("between", "c-2").await;
    talking.a.say("  once ", "c-1").await;
    let mut repeat = talking.a.expect("new_message").await["message"].clone();
    assert_eq!(repeat["repeat"], true);
    repeat.as_object_mut().unwrap().remove("repeat");
    assert_eq!(repeat, first);
    talking.a.say("something else", "c-1").await;
    let error = talking.a.expect_error("client_id_reused").await;
    assert_eq!(error["client_id"], "c-1");
    talking.b.nothing_more().await;
    // The partner's same name is another one.
    assert_eq!(talking.b_says("mine", "c-1").await["seq"], 3);
    // A recalled one is answered as recalled.
    talking.a.send(recall("c-1")).await;
    talking.a.expect("message_recalled").await;
    talking.a.say("once", "c-1").await;
    let repeat = talking.a.expect("new_message").await;
    assert_eq!(repeat["message"]["repeat"], true);
    assert_eq!(repeat["message"]["recalled"], true);
    assert!(repeat["message"]["content"].is_null());
}

#[tokio::test]
async fn a_repeat_is_known_after_a_reconnect_a_restart_and_a_departure() {
    let server = server().await;
    let mut talking = chat(&server).await;
    talking.a_says("once", "c-1").await;
    let mut back = talking.ming.enter("&after=1").await;
    back.expect("room_state").await;
    back.say("once", "c-1").await;
    assert_eq!(back.expect("new_message").await["message"]["repeat"], true);

    let server = server.restart().await;
    let (ming, mei) = (talking.ming.moved(&server), talking.mei.moved(&server));
    let mut a = ming.enter("&after=1").await;
    assert_eq!(a.expect("room_state").await["active"], true);
    a.say("once", "c-1").await;
    let repeat = a.expect("new_message").await["message"].clone();
    assert_eq!(
        (&repeat["seq"], &repeat["repeat"]),
        (&json!(1), &json!(true))
    );
    a.say("other", "c-1").await;
    a.expect_error("client_id_reused").await;
    a.say("twice", "c-2").await;
    assert_eq!(a.expect("new_message").await["message"]["seq"], 2);
    a.send(json!({"action": "find_next"})).await;
    a.expect("user_left").await;
    a.say("once", "c-1").await;
    let repeat = a.expect("new_message").await;
    assert_eq!(
        repeat["message"]["repeat"], true,
        "the truth, also in a closed room"
    );
    assert_eq!(mei.log().await.len(), 3);
}

#[tokio::test]
async fn a_restart_closes_no_room_and_keeps_everything() {
    let server = server().await;
    let mut talking = chat(&server).await;
    three_messages(&mut talking).await;
    talking
        .b
        .send(json!({"action": "delete_message", "message_id": "2"}))
        .await;
    talking.b.expect("message_deleted").await;
    let before = (talking.ming.log().await, talking.mei.log().await);
    let server = server.restart().await;
    let (ming, mei) = (talking.ming.moved(&server), talking.mei.moved(&server));
    assert_eq!((ming.log().await, mei.log().await), before);
    // Clients of the original go on where they were.
    let mut a = ming.enter("").await;
    assert_eq!(a.expect("room_state").await["active"], true);
    a.nothing_more().await;
    let mut b = mei
        .browser
        .open(&format!("{}&token={}", mei.path(), mei.token()))
        .await;
    b.expect("room_state").await;
    b.nothing_more().await;
    a.expect("partner_status").await;
    b.say("still here", "c-4").await;
    assert_eq!(a.expect("new_message").await["message"]["seq"], 4);
}

#[tokio::test]
async fn messages_are_kept_to_the_byte() {
    let server = server().await;
    let mut talking = chat(&server).await;
    let texts = [
        "<script>alert(1)</script><img src=x onerror=alert(2)>",
        "\u{202E}desrever\u{202C} \u{2066}isolated\u{2069}",
        "zero\u{200B}width\u{200D}joined\u{FEFF}end",
        "👩‍👩‍👧‍👦 e\u{301} \u{1F1F9}\u{1F1FC}",
        "line\r\nbreak\u{2028}and\u{0085}more\u{0000}\u{0007}\u{001B}[31m",
        "'; DROP TABLE entry; -- \\ \" %s {{7*7}} ${x}",
        "\u{10FFFF}\u{E000}\u{FFFD}",
    ];
    for (n, text) in texts.iter().enumerate() {
        let said = talking.a_says(text, &format!("c-{n}")).await;
        assert_eq!(said["content"].as_str(), Some(*text));
    }
    let server = server.restart().await;
    let log = talking.mei.moved(&server).log().await;
    for (entry, text) in log.iter().zip(texts) {
        assert_eq!(entry["message"]["content"].as_str(), Some(text));
    }
}
