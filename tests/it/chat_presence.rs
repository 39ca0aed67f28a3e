//! Who is there: status, typing, read marks, newer connections, two tabs of one browser (contract,
//! sections 1 and 3).

use std::time::Duration;

use serde_json::json;

use crate::support::client::Browser;
use crate::support::people::{Person, chat, pair};
use crate::support::server::TestServer;

#[tokio::test]
async fn typing_is_passed_on_and_ends_with_a_message() {
    let server = TestServer::start(|config| {
        config.limits.messages_per_second = 0;
        config.chat.presence_settle = Duration::from_millis(50);
    })
    .await;
    let mut talking = chat(&server).await;
    let typing = |is: bool| json!({"action": "typing", "is_typing": is});
    let told = |is: bool| json!({"action": "partner_typing", "is_typing": is});
    talking.a.send(typing(true)).await;
    assert_eq!(talking.b.next().await, told(true));
    talking.a.send(typing(true)).await;
    talking.a.send(typing(false)).await;
    assert_eq!(talking.b.next().await, told(false), "said once");
    // So soon after the last time it is not passed on; a message begins it anew.
    talking.a.send(typing(true)).await;
    talking.a.say("begun", "c-0").await;
    talking.b.expect("new_message").await;
    talking.a.send(typing(true)).await;
    assert_eq!(talking.b.next().await, told(true));
    talking.a.say("done", "c-1").await;
    let mut both = [talking.b.next().await, talking.b.next().await];
    both.sort_by_key(|frame| frame["action"] == "new_message");
    assert_eq!(both[0], told(false));
    assert_eq!(both[1]["message"]["content"], "done");
    talking.a.expect("new_message").await;
    talking.a.expect("new_message").await;
    talking.a.nothing_more().await;
    talking.b.nothing_more().await;
    // Typing again right after a message does not overtake it, or the message would end it.
    for n in 2..30 {
        talking.a.say("quick", &format!("c-{n}")).await;
        talking.a.send(typing(true)).await;
        talking.b.expect("new_message").await;
        assert_eq!(talking.b.next().await, told(true));
        talking.a.send(typing(false)).await;
        assert_eq!(talking.b.next().await, told(false));
    }
}

#[tokio::test]
async fn read_marks_go_forward_and_no_further_than_what_was_sent() {
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    talking.a_says("one", "c-1").await;
    talking.a_says("two", "c-2").await;
    let read = |seq: u64| json!({"action": "read", "seq": seq});
    let told = |seq: u64| json!({"action": "partner_read", "seq": seq});
    talking.b.send(read(1)).await;
    assert_eq!(talking.a.next().await, told(1));
    talking.b.send(read(0)).await;
    talking.b.send(read(1)).await;
    talking.b.send(read(u64::MAX)).await;
    assert_eq!(
        talking.a.next().await,
        told(2),
        "nobody has read the future"
    );
    talking.a.nothing_more().await;
    talking.b.nothing_more().await;
    assert_eq!(talking.ming.state().await["partner_read"], 2);
    assert_eq!(talking.mei.state().await["partner_read"], 0);
}
#[tokio::test]
async fn a_short_absence_is_not_told() {
    let settle = Duration::from_millis(400);
    let server = TestServer::start(|config| config.chat.presence_settle = settle).await;
    let mut talking = chat(&server).await;
    talking.b.close().await;
    let mut b = talking.mei.enter("").await;
    b.expect("room_state").await;
    tokio::time::sleep(settle + Duration::from_millis(200)).await;
    talking.a.nothing_more().await;
    assert_eq!(talking.ming.state().await["partner"]["online"], true);
    b.close().await;
    let told = talking.a.expect("partner_status").await;
    assert_eq!(told["online"], false);
    assert_eq!(talking.ming.state().await["partner"]["online"], false);
}

#[tokio::test]
async fn a_newer_connection_takes_over_and_gives_back() {
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    talking.a_says("one", "c-1").await;
    let mut newer = talking.ming.enter("&after=1").await;
    newer.expect("room_state").await;
    assert_eq!(talking.a.next().await, json!({"action": "replaced"}));
    // What the older one does counts, and it is told nothing of it, nor of anything else.
    talking.a.say("two", "c-2").await;
    assert_eq!(talking.b.expect("new_message").await["message"]["seq"], 2);
    assert_eq!(newer.expect("new_message").await["message"]["seq"], 2);
    talking.b.say("three", "c-3").await;
    talking
        .b
        .send(json!({"action": "typing", "is_typing": true}))
        .await;
    newer.expect("new_message").await;
    newer.expect("partner_typing").await;
    talking.b.expect("new_message").await;
    talking
        .a
        .send(json!({"action": "delete_message", "message_id": "1"}))
        .await;
    newer.close().await;
    // Back in its place: how things stand, then everything that it missed, once.
    assert_eq!(
        talking.a.expect("room_state").await["partner"]["online"],
        true
    );
    assert_eq!(talking.a.expect("new_message").await["message"]["seq"], 2);
    assert_eq!(talking.a.expect("new_message").await["message"]["seq"], 3);
    talking.b.say("four", "c-4").await;
    assert_eq!(talking.a.until("new_message").await["message"]["seq"], 4);
    assert_eq!(talking.ming.state().await["partner"]["online"], true);
    assert_eq!(talking.mei.state().await["partner"]["online"], true);
    talking.b.until("new_message").await;
    talking.b.nothing_more().await;
}

#[tokio::test]
async fn a_third_newer_connection_ends_the_oldest() {
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    let mut newer = Vec::new();
    for _ in 0..3 {
        let mut socket = talking.ming.enter("").await;
        socket.expect("room_state").await;
        newer.push(socket);
    }
    let (frames, code) = talking.a.read_to_end().await;
    assert_eq!(frames, [json!({"action": "replaced"})], "told once");
    assert_eq!(code, Some(4000));
    for replaced in &mut newer[..2] {
        replaced.expect("replaced").await;
        replaced
            .say("still counts", &uuid::Uuid::new_v4().to_string())
            .await;
        newer_hears(&mut talking.b).await;
    }
    newer_hears(&mut newer[2]).await;
    newer_hears(&mut newer[2]).await;
    talking.b.nothing_more().await;
}

#[tokio::test]
async fn of_connections_that_open_and_close_at_once_one_is_told_everything() {
    let server = TestServer::start(|config| config.limits.messages_per_second = 0).await;
    let mut talking = chat(&server).await;
    // One stays open in the background; another is reloaded again and again, now and then twice.
    let mut newer = talking.ming.enter("").await;
    newer.expect("room_state").await;
    for round in 0..40_u64 {
        newer.lose();
        let query = format!("&after={round}");
        newer = match round % 2 {
            0 => talking.ming.enter(&query).await,
            _ => {
                let both = tokio::join!(talking.ming.enter(&query), talking.ming.enter(&query));
                both.0.lose();
                both.1
            }
        };
        talking
            .b
            .say("who hears this?", &format!("c-{round}"))
            .await;
        let heard = newer.until("new_message").await;
        assert_eq!(heard["message"]["seq"], round + 1);
        talking.b.expect("new_message").await;
    }
    // The one in the background comes back once it is alone.
    newer.close().await;
    talking.b.say("and this?", "last").await;
    while talking.a.until("new_message").await["message"]["client_id"] != "last" {}
    assert_eq!(talking.mei.state().await["partner"]["online"], true);
}

#[tokio::test]
async fn two_tabs_that_open_at_the_same_moment_take_one_side_each() {
    let server = TestServer::start(|_| {}).await;
    for _ in 0..10 {
        let (one, two) = tabs(&server).await;
        let (mut first, mut second) = tokio::join!(one.enter(""), two.enter(""));
        let (left, right) = tokio::join!(first.expect("room_state"), second.expect("room_state"));
        assert_ne!(left["user_id"], right["user_id"]);
        first.send(json!({"action": "find_next"})).await;
        first.until("user_left").await;
    }
}

async fn newer_hears(socket: &mut crate::support::client::Socket) {
    socket.expect("new_message").await;
}

/// Two tabs of one browser in one room.
async fn tabs(server: &TestServer) -> (Person, Person) {
    let browser = Browser::new(server);
    let ids = [json!({"user_id": "tab-1"}), json!({"user_id": "tab-2"})];
    let [one, two] = ids;
    pair((&browser, one), (&browser, two)).await
}

#[tokio::test]
async fn of_two_tabs_the_user_id_names_the_side() {
    let server = TestServer::start(|_| {}).await;
    let (one, two) = tabs(&server).await;
    let mut b = two.enter("&user_id=tab-2").await;
    assert_eq!(b.expect("room_state").await["user_id"], "tab-2");
    let mut a = one.enter("&user_id=tab-1").await;
    let state = a.expect("room_state").await;
    assert_eq!(
        (&state["user_id"], &state["same_session"]),
        (&json!("tab-1"), &json!(true))
    );
    b.expect("partner_status").await;
    a.say("hello me", "c-1").await;
    let heard = b.expect("new_message").await;
    assert_eq!(heard["message"]["sender_id"], "tab-1");
    a.expect("new_message").await;
    // A token names it as well, and more surely.
    let mut again = one
        .browser
        .open(&format!("{}&token={}", two.path(), two.token()))
        .await;
    assert_eq!(again.expect("room_state").await["user_id"], "tab-2");
    b.expect("replaced").await;
    a.nothing_more().await;
}

#[tokio::test]
async fn two_tabs_that_say_nothing_take_one_side_each_and_both_have_come() {
    let arrival = Duration::from_secs(2);
    let server = TestServer::start(|config| config.chat.arrival = arrival).await;
    let (one, two) = tabs(&server).await;
    let mut first = one.enter("").await;
    let mut second = two.enter("").await;
    let sides = [
        first.expect("room_state").await["user_id"].clone(),
        second.expect("room_state").await["user_id"].clone(),
    ];
    assert_ne!(sides[0], sides[1]);
    first.expect("partner_status").await;
    // Each speaks as the other: they swap, and everything goes on from there.
    for (socket, side, n) in [(&mut first, &sides[1], 1), (&mut second, &sides[0], 2)] {
        let message = json!({"content": "me", "client_id": format!("c-{n}")});
        socket
            .send(json!({"action": "send_message", "user_id": side, "message": message}))
            .await;
    }
    for socket in [&mut first, &mut second] {
        for n in 1..=2 {
            let heard = socket.until("new_message").await["message"].clone();
            let by = usize::from(heard["client_id"] == "c-1");
            assert_eq!(heard["sender_id"], sides[by]);
            assert_eq!(heard["seq"], n);
        }
    }
    tokio::time::sleep(arrival + Duration::from_millis(1200)).await;
    let rooms = one.browser.get("/api/rooms/").await.json();
    let rooms = rooms["rooms"].as_array().unwrap();
    assert_eq!(rooms.len(), 2, "one for each side");
    for side in rooms {
        assert_eq!(side["active"], true);
        assert_eq!(side["partner"]["online"], true);
    }
    first.nothing_more().await;
    second.nothing_more().await;
}
