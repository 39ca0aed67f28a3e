//! What is decided at one node holds at the others: at once where they hear of it, and at the next comparison
//! where they do not.

use std::time::{Duration, Instant};

use miyu::channel::Status;
use miyu::domain::safety::SanctionKind;
use serde_json::json;

use super::guarded_site::Site;
use crate::support::client::{Browser, Socket};
use crate::support::own_postgres::{OwnPostgres, USER};
use crate::support::people::{both_enter, chat_at, pair, session_of, start};
use crate::support::redis::OwnRedis;
use crate::support::reporting::{about, post, refusal};
use crate::support::safety::{Guarded, on_session, session_of_browser, soon};
use crate::support::tcp_proxy::Mode;

const HOUR: Duration = Duration::from_secs(3600);
/// Nothing is compared while a test runs: what arrives was told.
const NEVER: Duration = Duration::from_secs(600);
/// What was told has arrived within this. A second is what it takes where nothing else runs.
const SOON: Duration = Duration::from_secs(10);
/// How often nodes compare what they know with the store, in these tests.
const HEARTBEAT: Duration = Duration::from_secs(2);

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(SOON, what).await;
    done.expect("in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_at_one_node_takes_effect_at_the_other_as_it_is_told() {
    let site = Site::start(NEVER, |_| {}).await;
    let (here, there) = (&site.here, &site.there);
    let addresses = [here.server.address, there.server.address];
    let mut talking = chat_at(addresses).await;
    let subject = session_of(&there.server, &talking.mei);
    let mute = here
        .impose(on_session(subject, SanctionKind::Mute, Some(HOUR)))
        .await;
    let told = in_time(talking.b.expect("notice")).await;
    assert_eq!(told["notice"]["kind"], "mute");
    talking.b.say("hello?", "b-1").await;
    talking.b.expect_error("muted").await;
    here.lift(mute).await;
    let told = in_time(talking.b.expect("notice")).await;
    assert_eq!(told["notice"]["kind"], "lifted");
    talking.b.say("hello", "b-2").await;
    talking.a.expect("new_message").await;
    let mut search = talking.mei.browser.open("/ws/matching/").await;
    search.expect("notice").await;
    search.send(start(json!({"user_id": "another"}))).await;
    search.until("waiting_for_match").await;
    let waiting = || there.server.app.pool.stats().total();
    soon(async || waiting() == 1).await;
    here.impose(on_session(subject, SanctionKind::Ban, Some(HOUR)))
        .await;
    assert_eq!(in_time(talking.b.close_code()).await, Some(4100));
    assert_eq!(in_time(search.close_code()).await, Some(4100));
    let left = in_time(talking.a.until("user_left")).await;
    assert_eq!(left["user_id"], talking.mei.user_id());
    for address in addresses {
        let browser = talking.mei.browser.moved_to(address);
        // The node that was asked hears of it as the others do, and not before them.
        soon(async || browser.try_open("/ws/matching/", &[]).await.is_err()).await;
        let answer = browser.try_open("/ws/matching/", &[]).await.err().unwrap();
        assert_eq!(refusal(&answer), (403, "banned".to_owned()));
    }
    // No search waits in their place.
    soon(async || waiting() == 0).await;
    let mut other = Browser::at(addresses[0]).open("/ws/matching/").await;
    other.send(start(json!({}))).await;
    other.expect("waiting_for_match").await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hears_nothing_refuses_a_ban_at_its_next_comparison() {
    let site = Site::start(HEARTBEAT, |_| {}).await;
    let there = Browser::at(site.there.server.address);
    there.get("/").await;
    let session = session_of_browser(&site.there.server, &there);
    let mut open = there.open("/ws/matching/").await;
    site.redis.set(Mode::Cut);
    site.here
        .impose(on_session(session, SanctionKind::Ban, None))
        .await;
    let began = Instant::now();
    assert_eq!(open.close_code().await, Some(4100));
    // It looks after three to five quarters of a heartbeat.
    assert!(began.elapsed() < HEARTBEAT.mul_f64(1.25) + SOON);
    soon(async || there.try_open("/ws/matching/", &[]).await.is_err()).await;
    site.redis.set(Mode::Pass);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_automatic_mute_is_live_at_every_socket_on_another_node() {
    let site = Site::start(NEVER, |config| {
        crate::support::server::proxy_here(config);
        config.limits.matches_per_minute = 0;
    })
    .await;
    let (here, there) = (&site.here, &site.there);
    let subject = Browser::at(there.server.address);
    let mut rooms = Vec::new();
    for name in ["one", "two", "three"] {
        let reporter = Browser::at(here.server.address);
        let (ming, mei) = pair((&reporter, json!({})), (&subject, json!({"user_id": name}))).await;
        let (a, mut b) = both_enter(&ming, &mei).await;
        b.said("something rude", "b-1").await;
        rooms.push((ming, a, b));
    }
    for (number, (reporter, ..)) in rooms.iter().enumerate() {
        let from = format!("203.0.{number}.7");
        let body = about(reporter).to_string();
        let headers = [("X-Forwarded-For", &*from)];
        let answer = post(&reporter.browser, body.as_bytes(), &headers).await;
        assert_eq!(answer.status, 201);
    }
    in_time(async {
        for (_, _, b) in &mut rooms {
            let told = b.until("notice").await["notice"].clone();
            assert_eq!(
                (&told["kind"], &told["automatic"]),
                (&json!("mute"), &json!(true))
            );
            b.say("hello?", "b-2").await;
            b.until("error").await;
        }
    })
    .await;
    // Nothing of it was said, and those who reported are told nothing yet.
    for (_, a, b) in &mut rooms {
        b.say("hello?", "b-3").await;
        let refused = b.expect_error("muted").await;
        assert!(
            refused["retry_after_ms"]
                .as_u64()
                .is_some_and(|it| it <= 3_600_000)
        );
        assert_eq!(
            a.expect("new_message").await["message"]["content"],
            "something rude"
        );
        a.nothing_more().await;
    }
    site.end().await;
}

/// Waits until both nodes reach what they share.
async fn whole(nodes: [&Guarded; 2]) {
    let well = async || {
        for node in nodes {
            let app = &node.server.app;
            if app.channel.status() != Status::Live || app.store.ready().await.is_err() {
                return false;
            }
        }
        true
    };
    let deadline = Instant::now() + crate::support::binary::PATIENCE;
    while !well().await {
        assert!(Instant::now() < deadline, "the nodes do not recover");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A tab that this browser opens at each of these nodes.
async fn new_tabs(browser: &Browser, nodes: [&Guarded; 2]) -> [Result<Socket, (u16, String)>; 2] {
    let mut tabs = Vec::new();
    for node in nodes {
        let there = browser.moved_to(node.server.address);
        let opened = there.try_open("/ws/matching/", &[]).await;
        tabs.push(opened.map_err(|answer| refusal(&answer)));
    }
    tabs.try_into().ok().expect("one of each")
}

async fn is_refused(browser: &Browser, nodes: [&Guarded; 2], when: &str) {
    for tab in new_tabs(browser, nodes).await {
        assert_eq!(tab.err(), Some((403, "banned".to_owned())), "{when}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_outlives_a_restart_of_the_nodes_of_redis_and_of_postgresql() {
    let (mut redis, mut postgres) = (OwnRedis::start(), OwnPostgres::start());
    let database = format!("postgres://{USER}@{}/postgres", postgres.address());
    let (mut here, mut there) = Site::nodes(&redis.url(), &database, NEVER).await;
    let browser = Browser::at(here.server.address);
    browser.get("/").await;
    let session = session_of_browser(&here.server, &browser);
    let ban = here
        .impose(on_session(session, SanctionKind::Ban, None))
        .await;
    soon(async || {
        let tabs = new_tabs(&browser, [&here, &there]).await;
        tabs.iter().all(Result::is_err)
    })
    .await;
    there = there.restart().await;
    is_refused(&browser, [&here, &there], "a node starts anew").await;
    here = here.restart().await;
    is_refused(&browser, [&here, &there], "and the other").await;
    redis.kill();
    is_refused(&browser, [&here, &there], "Redis is away").await;
    redis.restart();
    whole([&here, &there]).await;
    is_refused(&browser, [&here, &there], "Redis is back, empty").await;
    postgres.freeze();
    is_refused(&browser, [&here, &there], "PostgreSQL does not answer").await;
    postgres.thaw();
    postgres.restart(Duration::ZERO).await;
    whole([&here, &there]).await;
    is_refused(&browser, [&here, &there], "PostgreSQL started anew").await;
    there = there.restart().await;
    is_refused(&browser, [&here, &there], "and a node after it").await;
    // It is the same ban: lifted at one node it is over at both.
    here.lift(ban).await;
    soon(async || {
        let tabs = new_tabs(&browser, [&here, &there]).await;
        tabs.iter().all(Result::is_ok)
    })
    .await;
    here.server.stop().await;
    there.server.stop().await;
}
