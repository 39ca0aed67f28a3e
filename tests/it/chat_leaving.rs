//! How rooms end: leaving, never coming, not coming back; and what a closed room still does
//! (contract, section 3, guarantee 4).

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::{Browser, Socket};
use crate::support::people::{Person, both_enter, chat, meet, pair};
use crate::support::server::TestServer;

const SHORT: Duration = Duration::from_millis(300);

fn left(user_id: &str, reason: &str, seq: u64) -> Value {
    json!({"action": "user_left", "user_id": user_id, "reason": reason, "seq": seq})
}

/// Neither side left: time closed the room, and `who` was away.
fn gone(user_id: &str, reason: &str, who: &str) -> Value {
    let mut frame = left(user_id, reason, 1);
    frame["gone"] = json!(who);
    frame
}

/// Over HTTP it is told as it was on the socket.
async fn reads_the_same(person: &Person, told: &Value) {
    assert_eq!(person.log().await.last(), Some(told));
}

async fn leaves(socket: &mut Socket) {
    socket.send(json!({"action": "find_next"})).await;
}

#[tokio::test]
async fn leaving_tells_both_who_left() {
    for action in ["find_next", "block"] {
        let server = TestServer::start(|_| {}).await;
        let mut talking = chat(&server).await;
        talking.a_says("bye", "c-1").await;
        talking.a.send(json!({"action": action})).await;
        let told = left(talking.ming.user_id(), "left", 2);
        assert_eq!(talking.a.next().await, told, "their own: they asked for it");
        if action == "block" {
            let blocked = json!({"action": "blocked"});
            assert_eq!(talking.a.next().await, blocked, "to the blocker alone");
        }
        assert_eq!(
            talking.b.next().await,
            told,
            "and a block cannot be told from it"
        );
        assert_eq!(talking.mei.log().await[1], told);
        assert_eq!(talking.mei.state().await["active"], false);
        let rooms = talking.mei.browser.get("/api/rooms/").await.json();
        assert_eq!(rooms["rooms"], json!([]));
    }
}

#[tokio::test]
async fn a_second_departure_touches_no_later_room() {
    let server = TestServer::start(|_| {}).await;
    let browsers: [Browser; 3] = std::array::from_fn(|_| Browser::new(&server));
    let [ming, mei, lan] = &browsers;
    let named = json!({"user_id": "u-ming"});
    let (before, mei) = pair((ming, named.clone()), (mei, json!({}))).await;
    let (mut old, mut left_behind) = both_enter(&before, &mei).await;
    leaves(&mut old).await;
    left_behind.expect("user_left").await;
    // The next conversation has begun when the second press of a double press arrives, over the old
    // connection and under the name that counts in both rooms.
    let (after, lan) = pair((ming, named), (lan, json!({}))).await;
    let (mut new, mut partner) = both_enter(&after, &lan).await;
    for again in [
        json!({"action": "find_next"}),
        json!({"action": "find_next", "user_id": "u-ming"}),
    ] {
        old.send(again).await;
    }
    old.expect("user_left").await;
    new.said("still here", "c-1").await;
    assert_eq!(
        partner.expect("new_message").await["message"]["content"],
        "still here"
    );
    assert_eq!(lan.state().await["active"], true);
}

#[tokio::test]
async fn two_who_leave_at_once_leave_once() {
    let server = TestServer::start(|_| {}).await;
    for _ in 0..5 {
        let mut talking = chat(&server).await;
        tokio::join!(leaves(&mut talking.a), leaves(&mut talking.b));
        let told = talking.a.expect("user_left").await;
        assert_eq!(talking.b.expect("user_left").await, told);
        talking.a.nothing_more().await;
        talking.b.nothing_more().await;
        assert_eq!(talking.mei.log().await.len(), 1);
    }
}

#[tokio::test]
async fn a_closed_room_is_read_recalled_and_deleted_in_but_nothing_is_added() {
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    talking.a_says("one", "c-1").await;
    talking.b_says("two", "c-2").await;
    leaves(&mut talking.b).await;
    talking.a.expect("user_left").await;
    talking.b.expect("user_left").await;
    talking.a.say("too late", "c-3").await;
    let error = talking.a.expect_error("room_closed").await;
    assert_eq!(error["client_id"], "c-3");
    for nothing in [
        json!({"action": "find_next"}),
        json!({"action": "typing", "is_typing": true}),
        json!({"action": "find_next"}),
    ] {
        talking.a.send(nothing).await;
    }
    talking.a.nothing_more().await;
    talking.b.nothing_more().await;
    talking
        .a
        .send(json!({"action": "recall_message", "message_id": "1"}))
        .await;
    assert_eq!(talking.a.expect("message_recalled").await["seq"], 4);
    assert_eq!(talking.b.expect("message_recalled").await["seq"], 4);
    talking
        .a
        .send(json!({"action": "delete_message", "message_id": "2"}))
        .await;
    talking.a.expect("message_deleted").await;
    let log = talking.mei.log().await;
    assert!(log[0]["message"]["content"].is_null());
    assert_eq!(log.len(), 4);
}

#[tokio::test]
async fn every_opening_of_a_closed_room_tells_how_it_ended() {
    let server = TestServer::start(|_| {}).await;
    let mut talking = chat(&server).await;
    talking.a_says("one", "c-1").await;
    leaves(&mut talking.a).await;
    let told = talking.b.expect("user_left").await;
    talking
        .a
        .send(json!({"action": "recall_message", "message_id": "1"}))
        .await;
    talking.b.expect("message_recalled").await;
    talking.a.close().await;
    talking.b.close().await;
    for person in [&talking.ming, &talking.mei] {
        for query in [
            "", "", "&after=0", "&after=1", "&after=2", "&after=3", "&after=9",
        ] {
            let mut socket = person.enter(query).await;
            assert_eq!(socket.expect("room_state").await["active"], false);
            let mut ends = 0;
            socket.send(json!({"action": "what now"})).await;
            loop {
                let frame = socket.next().await;
                match frame["action"].as_str().unwrap() {
                    "error" if ends == 0 => {}
                    "error" => break,
                    "user_left" => {
                        assert_eq!(frame, told);
                        ends += 1;
                        // Everything of the opening came before what is asked for now.
                        socket.send(json!({"action": "what now"})).await;
                    }
                    _ => {}
                }
            }
            assert_eq!(ends, 1, "{query}");
            socket.close().await;
        }
    }
}

#[tokio::test]
async fn a_lost_connection_is_not_a_departure_until_the_grace_ends() {
    let server = TestServer::start(|config| {
        config.chat.presence_settle = Duration::from_millis(50);
        config.chat.reconnect_grace = Duration::from_millis(1500);
    })
    .await;
    let talking = chat(&server).await;
    let (mut a, b) = (talking.a, talking.b);
    b.lose();
    let status = a.expect("partner_status").await;
    assert_eq!(status["online"], false);
    let ends = status["grace_ends_ms"].as_u64().unwrap();
    assert!(ends <= 1500, "{ends}");
    // A page that shows the room from outside knows how long it is still waited for, on either side.
    let [away, here] = [&talking.mei, &talking.ming].map(Person::state);
    let (away, here) = tokio::join!(away, here);
    assert!(away["away_ends_ms"].as_u64().unwrap() <= ends, "{away}");
    assert!(here.get("away_ends_ms").is_none(), "{here}");
    let mut b = talking.mei.enter("").await;
    assert_eq!(b.expect("room_state").await["active"], true);
    let back = json!({"action": "partner_status", "online": true});
    assert_eq!(a.expect("partner_status").await, back);
    // The second time they stay away.
    b.lose();
    assert_eq!(a.expect("partner_status").await["online"], false);
    let told = a.expect("user_left").await;
    assert_eq!(told, gone(talking.mei.user_id(), "timeout", "partner"));
    reads_the_same(&talking.ming, &told).await;
    // The one who was away too long finds the partner named: they did not ask for it. `gone` says who it was.
    let mut b = talking.mei.enter("").await;
    let state = b.expect("room_state").await;
    assert_eq!(state["active"], false);
    assert!(state["partner"].get("grace_ends_ms").is_none());
    let told = b.expect("user_left").await;
    assert_eq!(told, gone(talking.ming.user_id(), "timeout", "you"));
    reads_the_same(&talking.mei, &told).await;
}

#[tokio::test]
async fn who_were_both_away_are_told_so() {
    let server = TestServer::start(|config| {
        config.chat.presence_settle = Duration::from_millis(50);
        config.chat.reconnect_grace = SHORT;
    })
    .await;
    let talking = chat(&server).await;
    talking.a.lose();
    talking.b.lose();
    closes(&talking.ming).await;
    for (person, partner) in [(&talking.ming, &talking.mei), (&talking.mei, &talking.ming)] {
        let mut socket = person.enter("&after=0").await;
        // How long it can still be read: the rest of the 24 hours.
        let left = socket.expect("room_state").await["erases_ms"].as_u64();
        let left = Duration::from_millis(left.expect("a closed room is erased"));
        let day = Duration::from_secs(24 * 3600);
        assert!(
            left <= day && left > day - Duration::from_secs(60),
            "{left:?}"
        );
        let told = socket.expect("user_left").await;
        assert_eq!(told, gone(partner.user_id(), "timeout", "both"));
        reads_the_same(person, &told).await;
    }
}

/// Comes alone, and waits to be told that the partner does not.
async fn waits_in_vain(person: &Person, partner: &Person) {
    let mut socket = person.enter("").await;
    socket.expect("room_state").await;
    let told = socket.expect("user_left").await;
    assert_eq!(told, gone(partner.user_id(), "no_show", "partner"));
}

#[tokio::test]
async fn a_partner_who_never_comes_ends_the_room() {
    let server = TestServer::start(|config| config.chat.arrival = SHORT).await;
    let (ming, mei) = meet(&server).await;
    waits_in_vain(&ming, &mei).await;
    // Too late: the partner is named, for this one did not ask to leave either.
    let mut late = mei.enter("").await;
    assert_eq!(late.expect("room_state").await["active"], false);
    assert_eq!(
        late.expect("user_left").await,
        gone(ming.user_id(), "no_show", "you")
    );
}

/// Waits until time has closed the room.
async fn closes(person: &Person) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while person.state().await["active"] == true {
        assert!(tokio::time::Instant::now() < deadline, "never closed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_room_that_neither_side_comes_to_ends_by_itself() {
    let server = TestServer::start(|config| {
        config.chat.arrival = SHORT;
        config.chat.reconnect_grace = SHORT;
    })
    .await;
    let (ming, mei) = meet(&server).await;
    closes(&ming).await;
    for (person, partner) in [(&ming, &mei), (&mei, &ming)] {
        let mut socket = person.enter("&after=0").await;
        socket.expect("room_state").await;
        let told = socket.expect("user_left").await;
        assert_eq!(told, gone(partner.user_id(), "no_show", "both"));
    }
}

#[tokio::test]
async fn a_restart_leaves_both_sides_their_whole_grace() {
    let server = TestServer::start(|config| {
        config.chat.reconnect_grace = Duration::from_secs(2);
        config.chat.presence_settle = Duration::from_millis(10);
    })
    .await;
    let talking = chat(&server).await;
    let server = server.restart().await;
    let (ming, mei) = (talking.ming.moved(&server), talking.mei.moved(&server));
    let mut a = ming.enter("").await;
    let state = a.expect("room_state").await;
    assert_eq!(state["active"], true);
    assert_eq!(state["partner"]["online"], false);
    assert!(state["partner"]["grace_ends_ms"].as_u64().unwrap() <= 2000);
    // No connection's task survived, and yet the room ends.
    assert_eq!(
        a.expect("user_left").await,
        gone(mei.user_id(), "timeout", "partner")
    );
}

#[tokio::test]
async fn rooms_that_are_no_more_send_simple_clients_away() {
    let server = TestServer::start(|config| config.store.retention = Duration::ZERO).await;
    let mut talking = chat(&server).await;
    let stranger = Browser::new(&server);
    stranger.get("/").await;
    let nowhere = "/ws/chat/?room=0190a0a0-0000-7000-8000-000000000000";
    for browser in [&stranger, &Browser::forgetful(&server)] {
        let mut socket = browser.open(nowhere).await;
        let (frames, code) = socket.read_to_end().await;
        assert_eq!(frames, [left("", "left", 0)]);
        assert_eq!(code, Some(4004));
    }
    leaves(&mut talking.a).await;
    talking.a.expect("user_left").await;
    // Erased soon after it closed.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    let path = format!("/api/rooms/{}/", talking.mei.room());
    while talking.mei.browser.get(&path).await.status != 404 {
        assert!(tokio::time::Instant::now() < deadline, "never erased");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut socket = talking.mei.enter("&after=0").await;
    let (frames, code) = socket.read_to_end().await;
    assert_eq!(frames, [left("", "left", 0)]);
    assert_eq!(code, Some(4004));
}
