//! Searches whose client is gone without a word: the next who comes is not led to them, and should it have
//! happened already, goes on to the one after. On the pool in memory and on the one in Redis.

use std::time::Duration;

use miyu::boot::backends::Backends;
use miyu::matching::redis::RedisPoolConfig;
use serde_json::json;
use tokio::time::sleep;

use crate::support::client::{Browser, Socket};
use crate::support::people::start;
use crate::support::pool::{redis_pool_at, rules};
use crate::support::redis::{fresh_prefix, shared_url};
use crate::support::server::TestServer;

/// A search is asked after 0.8 s of silence, and has a second to answer.
const HEARTBEAT: Duration = Duration::from_secs(4);
/// Until a client that does not answer is out of the pool, on a busy machine.
const ASIDE: Duration = Duration::from_secs(3);

/// A server on each pool.
async fn servers() -> [TestServer; 2] {
    let change = |config: &mut miyu::config::Config| config.limits.heartbeat = HEARTBEAT;
    let pool = redis_pool_at(&shared_url(), RedisPoolConfig::new(rules(), fresh_prefix()));
    let on_redis = TestServer::start_on(change, |backends| Backends { pool, ..backends });
    [TestServer::start(change).await, on_redis.await]
}

/// A search of a browser of its own. While its socket is not read it answers no ping: to the server that
/// is a client which is gone without a word.
async fn search(server: &TestServer, name: &str) -> Socket {
    let mut socket = Browser::new(server).open("/ws/matching/").await;
    socket.send(start(json!({"nickname": name}))).await;
    socket
}

#[tokio::test]
async fn a_client_that_does_not_answer_is_not_met_until_it_is_heard_again() {
    for server in servers().await {
        let mut gone = search(&server, "gone").await;
        gone.until("waiting_for_match").await;
        sleep(ASIDE).await;
        let mut first = search(&server, "first").await;
        first.until("waiting_for_match").await;
        let mut second = search(&server, "second").await;
        let found = second.until("match_found").await;
        assert_eq!(found["matched_user"]["nickname"], "first");
        first.until("match_found").await;
        // It was only out of reach: what it answers now is late, and good enough.
        let mut third = search(&server, "third").await;
        let (late, met) = tokio::join!(gone.until("match_found"), third.until("match_found"));
        assert_eq!(late["room_id"], met["room_id"]);
        assert_eq!(met["matched_user"]["nickname"], "gone");
    }
}

#[tokio::test]
async fn a_search_that_answers_pings_waits_in_the_pool_all_the_time() {
    for server in servers().await {
        let mut waits = search(&server, "waits").await;
        waits.until("waiting_for_match").await;
        let later = async {
            sleep(2 * ASIDE).await;
            search(&server, "later").await.until("match_found").await
        };
        let (here, there) = tokio::join!(waits.until("match_found"), later);
        assert_eq!(here["room_id"], there["room_id"]);
    }
}
