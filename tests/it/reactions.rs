//! Reactions over real sockets: told to both in their place of the log, replayed, answered when they are so
//! already, refused, and never told to clients that do not know them.

use serde_json::{Value, json};

use crate::support::client::{Browser, Socket, keys};
use crate::support::cluster::Plan;
use crate::support::original::Original;
use crate::support::people::{Person, meet, meet_at};
use crate::support::server::TestServer;

async fn server() -> TestServer {
    TestServer::start(|config| config.limits.messages_per_second = 0).await
}

fn react(message_id: impl Into<Value>, reaction: impl Into<Value>) -> Value {
    let (message_id, reaction) = (message_id.into(), reaction.into());
    json!({"action": "react", "message_id": message_id, "reaction": reaction})
}

fn told(who: &Person, message_id: &str, reaction: impl Into<Value>, seq: u64) -> Value {
    let reaction = reaction.into();
    json!({"action": "reaction", "message_id": message_id, "user_id": who.user_id(),
        "reaction": reaction, "seq": seq})
}

/// Both in their room, each by a client that says where it is in the log.
async fn both(ming: &Person, mei: &Person) -> (Socket, Socket) {
    let mut a = ming.enter("&after=0").await;
    a.expect("room_state").await;
    let mut b = mei.enter("&after=0").await;
    b.expect("room_state").await;
    a.expect("partner_status").await;
    (a, b)
}

/// Ming says it; both have heard it.
async fn says(a: &mut Socket, b: &mut Socket, client_id: &str) {
    a.say("hello", client_id).await;
    a.expect("new_message").await;
    b.expect("new_message").await;
}

async fn both_hear(a: &mut Socket, b: &mut Socket, frame: &Value) {
    assert_eq!(a.next().await, *frame);
    assert_eq!(b.next().await, *frame);
}

#[tokio::test]
async fn a_reaction_is_told_to_both_and_replayed() {
    let server = server().await;
    let (ming, mei) = meet(&server).await;
    let (mut a, mut b) = both(&ming, &mei).await;
    says(&mut a, &mut b, "c-1").await;
    b.send(react("1", "heart")).await;
    let heart = told(&mei, "1", "heart", 2);
    both_hear(&mut a, &mut b, &heart).await;
    assert_eq!(ming.log().await[1], heart);
    // Its sender may name the message before its id is known.
    a.send(react("c-1", "laugh")).await;
    both_hear(&mut a, &mut b, &told(&ming, "1", "laugh", 3)).await;
    b.send(react(1, "wow")).await;
    both_hear(&mut a, &mut b, &told(&mei, "1", "wow", 4)).await;
    a.send(react("1", Value::Null)).await;
    both_hear(&mut a, &mut b, &told(&ming, "1", Value::Null, 5)).await;
    // Replayed with what holds: what was changed or taken back is not there any more.
    let now = [
        told(&mei, "1", Value::Null, 2),
        told(&ming, "1", Value::Null, 3),
        told(&mei, "1", "wow", 4),
        told(&ming, "1", Value::Null, 5),
    ];
    assert_eq!(ming.log().await[1..], now);
    let mut late = mei.enter("&after=3").await;
    late.expect("room_state").await;
    assert_eq!([late.next().await, late.next().await], now[2..]);
    late.nothing_more().await;

    let server = server.restart().await;
    assert_eq!(mei.moved(&server).log().await[1..], now);
}

#[tokio::test]
async fn a_reaction_that_holds_already_is_answered_outside_the_stream() {
    let server = server().await;
    let (ming, mei) = meet(&server).await;
    let (mut a, mut b) = both(&ming, &mei).await;
    says(&mut a, &mut b, "c-1").await;
    b.send(react("1", "ok")).await;
    both_hear(&mut a, &mut b, &told(&mei, "1", "ok", 2)).await;
    let same = |reaction: Value| {
        json!({"action": "reaction", "message_id": "1", "user_id": mei.user_id(),
            "reaction": reaction, "repeat": true})
    };
    b.send(react("1", "ok")).await;
    assert_eq!(b.next().await, same(json!("ok")));
    // Sent again over a new connection, as after an answer that was lost, in a closed room as well.
    a.send(json!({"action": "find_next"})).await;
    a.expect("user_left").await;
    b.expect("user_left").await;
    let mut again = mei.enter("&after=3").await;
    again.expect("room_state").await;
    again.expect("user_left").await;
    again.send(react("1", "ok")).await;
    assert_eq!(again.next().await, same(json!("ok")));
    a.nothing_more().await;
    assert_eq!(ming.log().await.len(), 3);
}

#[tokio::test]
async fn a_recall_takes_the_reactions_with_it() {
    let server = server().await;
    let (ming, mei) = meet(&server).await;
    let (mut a, mut b) = both(&ming, &mei).await;
    says(&mut a, &mut b, "c-1").await;
    b.send(react("1", "sad")).await;
    both_hear(&mut a, &mut b, &told(&mei, "1", "sad", 2)).await;
    a.send(json!({"action": "recall_message", "message_id": "1"}))
        .await;
    a.expect("message_recalled").await;
    b.expect("message_recalled").await;
    for person in [&ming, &mei] {
        assert_eq!(person.log().await[1], told(&mei, "1", Value::Null, 2));
    }
    b.send(react("1", "heart")).await;
    let error = b.expect_error("already_recalled").await;
    assert_eq!(error["message_id"], "1");
    a.nothing_more().await;
}

#[tokio::test]
async fn who_deleted_a_message_is_not_sent_its_reactions_again() {
    let server = server().await;
    let (ming, mei) = meet(&server).await;
    let (mut a, mut b) = both(&ming, &mei).await;
    says(&mut a, &mut b, "c-1").await;
    says(&mut a, &mut b, "c-2").await;
    b.send(react("1", "heart")).await;
    both_hear(&mut a, &mut b, &told(&mei, "1", "heart", 3)).await;
    a.send(json!({"action": "delete_message", "message_id": "1"}))
        .await;
    a.expect("message_deleted").await;
    let seqs = |log: Vec<Value>| -> Vec<Value> {
        let seq = |it: &Value| it.get("seq").or(it["message"].get("seq")).cloned();
        log.iter().filter_map(seq).collect()
    };
    assert_eq!(seqs(ming.log().await), [2]);
    assert_eq!(seqs(mei.log().await), [1, 2, 3]);
    b.nothing_more().await;
}

#[tokio::test]
async fn reactions_that_may_not_be() {
    let server = server().await;
    let (ming, mei) = meet(&server).await;
    let (mut a, mut b) = both(&ming, &mei).await;
    says(&mut a, &mut b, "c-1").await;
    let refused = [
        (
            react("9", "heart"),
            "no_such_message",
            Some(("message_id", "9")),
        ),
        (
            react("c-1", "heart"),
            "no_such_message",
            Some(("message_id", "c-1")),
        ),
        (
            react("1", "love"),
            "invalid_field",
            Some(("field", "reaction")),
        ),
        (react("1", 1), "invalid_field", Some(("field", "reaction"))),
        (
            react("", "ok"),
            "invalid_field",
            Some(("field", "message_id")),
        ),
        (
            json!({"action": "react", "message_id": "1"}),
            "invalid_field",
            Some(("field", "reaction")),
        ),
        (
            json!({"action": "react", "message_id": "1", "reaction": "ok", "user_id": ming.user_id()}),
            "not_a_member",
            Some(("message_id", "1")),
        ),
    ];
    for (frame, code, named) in refused {
        b.send(frame).await;
        let error = b.expect_error(code).await;
        let (field, value) = named.unwrap();
        assert_eq!(error[field], value, "{error}");
    }
    // As often as a side may change its mind, and then only back.
    let all = ["heart", "laugh", "wow", "sad", "ok", "heart", "laugh"];
    for reaction in all {
        b.send(react("1", reaction)).await;
        b.expect("reaction").await;
        a.expect("reaction").await;
    }
    b.send(react("1", "wow")).await;
    let error = b.expect_error("too_many_reactions").await;
    assert_eq!(keys(&error), ["action", "code", "message", "message_id"]);
    b.send(react("1", Value::Null)).await;
    both_hear(&mut a, &mut b, &told(&mei, "1", Value::Null, 9)).await;
    // A room that closed by a block takes none.
    a.send(json!({"action": "block"})).await;
    b.expect("user_left").await;
    b.send(react("1", Value::Null)).await;
    b.expect("reaction").await;
    says_nothing_new(&mut b).await;
}

/// In a closed room nothing is reacted to.
async fn says_nothing_new(b: &mut Socket) {
    b.send(react("1", "heart")).await;
    let error = b.expect_error("room_closed").await;
    assert_eq!(error["message_id"], "1");
}

#[tokio::test]
async fn reacting_does_not_end_typing_and_counts_as_a_message() {
    let server = TestServer::start(|config| {
        config.limits.messages_per_second = 1;
        config.limits.message_burst = 3;
    })
    .await;
    let (ming, mei) = meet(&server).await;
    let (mut a, mut b) = both(&ming, &mei).await;
    says(&mut a, &mut b, "c-1").await;
    b.send(json!({"action": "typing", "is_typing": true})).await;
    a.expect("partner_typing").await;
    let begun = std::time::Instant::now();
    for n in 0..5 {
        b.send(react("1", ["heart", "ok"][n % 2])).await;
    }
    for _ in 0..5 {
        a.expect("reaction").await;
    }
    // Three at once, then one a second.
    assert!(begun.elapsed() > std::time::Duration::from_millis(1500));
}

/// They know neither the frame nor its place in the log.
#[tokio::test]
async fn clients_of_the_original_never_see_a_reaction() {
    let server = server().await;
    let (ming, mei) = meet(&server).await;
    let mut a = ming.enter("&after=0").await;
    a.expect("room_state").await;
    let mut b = mei.enter("").await;
    b.expect("room_state").await;
    a.expect("partner_status").await;
    says(&mut a, &mut b, "c-1").await;
    a.send(react("1", "heart")).await;
    a.expect("reaction").await;
    says(&mut a, &mut b, "c-2").await;
    a.send(react("1", Value::Null)).await;
    a.expect("reaction").await;
    b.nothing_more().await;
    // Away meanwhile, it goes on where it was, and is not told of them either.
    b.lose();
    a.send(react("3", "wow")).await;
    a.until("reaction").await;
    a.said("back?", "c-3").await;
    let mut b = mei.enter("").await;
    b.expect("room_state").await;
    assert_eq!(b.expect("new_message").await["message"]["seq"], 6);
    b.nothing_more().await;
    // It may react itself, which none of them does; the answer is nothing that it would not know.
    b.send(react("3", "ok")).await;
    b.nothing_more().await;
}

#[tokio::test]
async fn a_client_of_the_original_talks_on_with_one_that_reacts() {
    let server = server().await;
    let browser = Browser::new(&server);
    let mut ann = Original::new(&browser, "user_ann", crate::original_client::RETRY);
    let ben = Browser::new(&server);
    let searching = async {
        let mut search = ben.open("/ws/matching/").await;
        search.send(crate::support::people::start(json!({}))).await;
        search.until("match_found").await
    };
    let (_, found) = tokio::join!(ann.meet(), searching);
    let path = format!(
        "/ws/chat/?room={}&after=0",
        found["room_id"].as_str().unwrap()
    );
    let mut ben = ben.open(&path).await;
    for n in 0..4 {
        let text = format!("said {n}");
        ann.say(&text, None).await;
        let heard = ben.until("new_message").await["message"].clone();
        ben.send(react(heard["id"].clone(), "heart")).await;
        ben.until("reaction").await;
        if n == 1 {
            ann.until("its own", Original::all_sent).await;
            ann.lose_network();
        }
        ben.said(&format!("answered {n}"), &format!("b-{n}")).await;
        ann.until("the answer", |it| it.shows(&format!("answered {n}")))
            .await;
    }
    ann.until("its own", Original::all_sent).await;
    assert_eq!(ann.shown.len(), 8, "{:?}", ann.shown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reaction_reaches_the_other_node() {
    let site = Plan::of(2).unhurried().start().await;
    let (ming, mei) = meet_at([site.address(0), site.address(1)]).await;
    let (mut a, mut b) = both(&ming, &mei).await;
    says(&mut a, &mut b, "c-1").await;
    b.send(react("1", "heart")).await;
    both_hear(&mut a, &mut b, &told(&mei, "1", "heart", 2)).await;
    a.send(react("1", "wow")).await;
    both_hear(&mut a, &mut b, &told(&ming, "1", "wow", 3)).await;
    assert_eq!(ming.log().await, mei.log().await);
    site.end().await;
}
