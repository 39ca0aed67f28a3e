//! People of two nodes, which share a store, a Redis pool and a Redis channel layer: they search as if
//! there were one.

use std::collections::HashMap;
use std::sync::Arc;

use miyu::boot::backends::Backends;
use miyu::matching::WaitingPool;
use miyu::matching::redis::RedisPoolConfig;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::client::{Browser, Socket};
use crate::support::people::start;
use crate::support::pool::{Pool, STATS_EVERY, redis_pool_at, rules};
use crate::support::redis::{Site, fresh_prefix, shared_url};
use crate::support::server::TestServer;

/// Two nodes on one store.
async fn two_nodes() -> [TestServer; 2] {
    let site = Site::fresh();
    let config = RedisPoolConfig {
        stats_every: STATS_EVERY,
        ..RedisPoolConfig::new(rules(), fresh_prefix())
    };
    let pool = || redis_pool_at(&shared_url(), config.clone());
    let layers = [site.announced(1).await, site.announced(1).await];
    let [here, there] = layers;
    let (first, second) = (pool(), pool());
    let first = TestServer::start_on(
        |_| {},
        |backends| Backends {
            pool: first,
            channel: here,
            ..backends
        },
    )
    .await;
    let store = Arc::clone(&first.app.store);
    let second = TestServer::start_on(
        |_| {},
        |backends| Backends {
            pool: second,
            channel: there,
            store,
            store_died: Box::pin(std::future::pending()),
            ..backends
        },
    )
    .await;
    [first, second]
}

async fn search(browser: &Browser, changes: Value) -> Socket {
    let mut socket = browser.open("/ws/matching/").await;
    socket.send(start(changes)).await;
    socket
}

#[tokio::test]
async fn people_of_two_nodes_pair_up_and_none_twice() {
    let nodes = two_nodes().await;
    let mut people = JoinSet::new();
    for n in 0..40 {
        let browser = Browser::new(&nodes[n % 2]);
        people.spawn(async move {
            let mut socket = search(&browser, json!({"user_id": format!("person-{n}")})).await;
            let found = socket.until("match_found").await;
            socket.nothing_more().await;
            found["room_id"].as_str().unwrap().to_owned()
        });
    }
    let mut rooms: HashMap<String, usize> = HashMap::new();
    for room in people.join_all().await {
        *rooms.entry(room).or_default() += 1;
    }
    assert_eq!(rooms.len(), 20);
    assert!(rooms.values().all(|people| *people == 2));
    let pool = Pool(Arc::clone(&nodes[0].app.pool));
    pool.waiting_are(0).await;
}

#[tokio::test]
async fn a_search_that_waits_is_told_of_one_that_comes_to_another_node() {
    let [here, there] = two_nodes().await;
    for (one, other) in [(&here, &there), (&there, &here)] {
        let mut ming = search(&Browser::new(one), json!({})).await;
        ming.expect("waiting_for_match").await;
        let mut mei = search(&Browser::new(other), json!({})).await;
        let found = mei.until("match_found").await;
        assert_eq!(ming.until("match_found").await["room_id"], found["room_id"]);
    }
}

#[tokio::test]
async fn a_name_taken_over_on_another_node_is_told() {
    let [here, there] = two_nodes().await;
    let browser = Browser::new(&here);
    let mut old = search(&browser, json!({"user_id": "ming"})).await;
    old.expect("waiting_for_match").await;
    let moved = browser.moved(&there);
    let mut new = search(&moved, json!({"user_id": "ming"})).await;
    new.expect("waiting_for_match").await;
    old.until("replaced").await;
    let pool = Pool(Arc::clone(&here.app.pool) as Arc<dyn WaitingPool>);
    pool.waiting_are(1).await;
}

#[tokio::test]
async fn a_search_given_up_on_one_node_is_not_met_on_the_other() {
    let [here, there] = two_nodes().await;
    let pool = Pool(Arc::clone(&there.app.pool));
    let mut ming = search(&Browser::new(&here), json!({})).await;
    ming.expect("waiting_for_match").await;
    pool.waiting_are(1).await;
    ming.close().await;
    pool.waiting_are(0).await;
    let mut mei = search(&Browser::new(&there), json!({})).await;
    mei.expect("waiting_for_match").await;
    pool.waiting_are(1).await;
}
