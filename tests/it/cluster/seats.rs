//! Who speaks for a side, when its connections are at different nodes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::{Browser, Socket};
use crate::support::cluster::Plan;
use crate::support::people::{Person, chat_at, pair, start};

/// What was said, whatever else is told.
async fn hears(socket: &mut Socket, content: &str) -> Value {
    let heard = socket.until("new_message").await;
    assert_eq!(heard["message"]["content"], content, "{heard}");
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_side_that_comes_back_at_another_node_misses_nothing() {
    let site = Plan::of(2).unhurried().start().await;
    let (here, there) = (site.address(0), site.address(1));
    let mut talking = chat_at([here, there]).await;
    talking.a_says("one", "c-1").await;
    let mut seq = 1;
    for (round, to) in [there, here, there].into_iter().enumerate() {
        talking.a.lose();
        for n in 0..3 {
            let content = format!("{round}.{n}");
            talking.b.say(&content, &content).await;
            hears(&mut talking.b, &content).await;
        }
        let ming = talking.ming.moved_to(to);
        talking.a = ming.enter(&format!("&after={seq}")).await;
        talking.a.expect("room_state").await;
        for n in 0..3 {
            hears(&mut talking.a, &format!("{round}.{n}")).await;
        }
        let content = format!("back {round}");
        talking.a.say(&content, &content).await;
        hears(&mut talking.a, &content).await;
        hears(&mut talking.b, &content).await;
        seq += 4;
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_connections_at_two_nodes_exactly_one_speaks() {
    let site = Plan::of(3).unhurried().start().await;
    let mut talking = chat_at([site.address(0), site.address(1)]).await;
    talking.a_says("one", "c-1").await;
    let elsewhere = talking.ming.moved_to(site.address(2));
    let mut newer = elsewhere.enter("&after=1").await;
    newer.expect("room_state").await;
    assert_eq!(talking.a.next().await, json!({"action": "replaced"}));
    talking.b.say("two", "c-2").await;
    hears(&mut newer, "two").await;
    hears(&mut talking.b, "two").await;
    // It is told nothing more; what it does counts all the same.
    talking.a.say("three", "c-3").await;
    hears(&mut newer, "three").await;
    hears(&mut talking.b, "three").await;
    newer.close().await;
    // The older one speaks again, from where it was.
    let state = talking.a.expect("room_state").await;
    assert_eq!(state["partner"]["online"], true, "{state}");
    hears(&mut talking.a, "two").await;
    hears(&mut talking.a, "three").await;
    talking.b.say("four", "c-4").await;
    hears(&mut talking.a, "four").await;
    hears(&mut talking.b, "four").await;
    // No side was told that its partner was away.
    talking.b.nothing_more().await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_that_open_at_once_at_two_nodes_take_a_side_each() {
    let site = Plan::of(2).unhurried().start().await;
    let (here, there) = (site.address(0), site.address(1));
    for round in 0..8 {
        let one = Browser::at(here);
        one.get("/").await;
        let two = one.moved_to(there);
        let data = |who: &str| json!({"user_id": format!("{who}-{round}")});
        let (first, second): (Person, Person) = pair((&one, data("x")), (&two, data("y"))).await;
        assert_eq!(first.found["same_session"], true);
        // Without saying which of the two they are.
        let (mut a, mut b) = tokio::join!(first.enter(""), second.enter(""));
        let (at_a, at_b) = (a.expect("room_state").await, b.expect("room_state").await);
        assert_ne!(at_a["user_id"], at_b["user_id"], "round {round}");
        a.say("hello", "c-1").await;
        let heard = b.until("new_message").await;
        assert_eq!(heard["message"]["sender_id"], at_a["user_id"]);
        a.until("new_message").await;
        a.send(json!({"action": "find_next"})).await;
        b.until("user_left").await;
        a.until("user_left").await;
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_is_taken_over_at_another_node() {
    let site = Plan::of(2).unhurried().start().await;
    let browser = Browser::at(site.address(0));
    browser.get("/").await;
    let data = json!({"user_id": "somebody"});
    let mut older = browser.open("/ws/matching/").await;
    older.send(start(data.clone())).await;
    older.expect("waiting_for_match").await;
    let mut newer = browser
        .moved_to(site.address(1))
        .open("/ws/matching/")
        .await;
    newer.send(start(data)).await;
    newer.expect("waiting_for_match").await;
    // At once, or when its ticket is renewed next.
    let told = tokio::time::timeout(Duration::from_secs(30), older.until("replaced")).await;
    assert!(told.is_ok(), "{}", site.evidence());
    let mut other = Browser::at(site.address(0)).open("/ws/matching/").await;
    other.send(start(json!({"user_id": "stranger"}))).await;
    let (one, two) = (
        newer.until("match_found").await,
        other.until("match_found").await,
    );
    assert_eq!(one["room_id"], two["room_id"]);
    older.nothing_more().await;
    site.end().await;
}
