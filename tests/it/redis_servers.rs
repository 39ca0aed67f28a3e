//! Two whole servers on one store and one Redis: strangers on different nodes meet and talk, also
//! when Redis goes away in between.

use std::sync::Arc;
use std::time::Duration;

use miyu::config::Config;
use serde_json::json;

use crate::support::client::Browser;
use crate::support::people::{both_enter, pair};
use crate::support::redis::{OwnRedis, Site};
use crate::support::server::TestServer;

/// Two servers that share everything but the channel layer, each with its own link to this Redis.
async fn two_servers(redis: &OwnRedis) -> (TestServer, TestServer) {
    let site = Site::at(&redis.url());
    let (url, prefix) = (redis.url(), site.prefix().to_owned());
    let same = |config: &mut Config| {
        config.chat.presence_settle = Duration::from_millis(50);
        config.channel.prefix = prefix.clone();
    };
    let first = TestServer::start(|config| {
        same(config);
        config.channel.url = url;
    })
    .await;
    let store = first.app.store.identity().await.unwrap();
    let key = first.app.store.session_key().await.unwrap();
    let layer = site.of_servers(&key).announced(store.0).await;
    let (store, pool) = (Arc::clone(&first.app.store), Arc::clone(&first.app.pool));
    let second = TestServer::start_on(same, |mut backends| {
        backends.store = store;
        backends.pool = pool;
        backends.channel = layer;
        backends
    })
    .await;
    (first, second)
}

#[tokio::test]
async fn strangers_on_two_nodes_meet_and_talk() {
    let redis = OwnRedis::start();
    let (first, second) = two_servers(&redis).await;
    let (ming, mei) = (Browser::new(&first), Browser::new(&second));
    let (ming, mei) = pair((&ming, json!({})), (&mei, json!({"nickname": "小美"}))).await;
    let (mut a, mut b) = both_enter(&ming, &mei).await;
    for n in 0..50 {
        let (speaker, text) = match n % 2 {
            0 => (&mut a, format!("a {n}")),
            _ => (&mut b, format!("b {n}")),
        };
        speaker.say(&text, &format!("c-{n}")).await;
        let (here, there) = (a.expect("new_message").await, b.expect("new_message").await);
        assert_eq!(here, there);
        assert_eq!(here["message"]["content"], json!(text));
    }
    b.send(json!({"action": "typing", "is_typing": true})).await;
    assert_eq!(a.expect("partner_typing").await["is_typing"], true);
    b.close().await;
    assert_eq!(a.until("partner_status").await["online"], false);
    let mut b = mei.enter("&last_seq=50").await;
    b.expect("room_state").await;
    assert_eq!(a.until("partner_status").await["online"], true);
    a.send(json!({"action": "find_next"})).await;
    assert_eq!(b.until("user_left").await["reason"], "left");
}

#[tokio::test]
async fn what_was_said_while_redis_was_away_comes_when_it_is_back() {
    let mut redis = OwnRedis::start();
    let (first, second) = two_servers(&redis).await;
    let (ming, mei) = (Browser::new(&first), Browser::new(&second));
    let (ming, mei) = pair((&ming, json!({})), (&mei, json!({}))).await;
    let (mut a, mut b) = both_enter(&ming, &mei).await;
    redis.kill();
    for n in 1..=5 {
        a.said(&format!("away {n}"), &format!("c-{n}")).await;
    }
    redis.restart();
    // Long before the heartbeat of 30 s would compare.
    for n in 1..=5 {
        let heard = b.until("new_message").await;
        assert_eq!(heard["message"]["content"], json!(format!("away {n}")));
    }
    b.said("I am here", "c-6").await;
    assert_eq!(
        a.until("new_message").await["message"]["content"],
        "I am here"
    );
}
