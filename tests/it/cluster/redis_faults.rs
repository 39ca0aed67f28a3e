//! Redis dies, freezes, forgets and falls silent under people who talk across nodes. No connection and no
//! message is lost, and nodes hear each other again within seconds.

use std::time::{Duration, Instant};

use crate::support::cluster::{Cluster, HEARTBEAT, Plan};
use crate::support::driver::{Frame, Socket, meet_across, send};
use crate::support::tcp_proxy::Mode;
use crate::support::wire::eventually;

use super::faults::{Load, assert_all_stayed};

const PAIRS: usize = 6;
/// After a fault: links try again every two seconds at the slowest.
const SOON: Duration = Duration::from_secs(10);
/// How long Redis is away in the tests that make many faults, and in the one of a long outage.
const SHORT: Duration = Duration::from_secs(4);
const LONG: Duration = Duration::from_secs(45);
const FREEZE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_be_away_for_a_long_time() {
    let site = outage(Plan::of(2).own_redis().start().await, LONG).await;
    site.end().await;
}

/// Redis is killed, and comes back empty.
async fn outage(mut site: Cluster, away: Duration) -> Cluster {
    let load = Load::begin(&site, PAIRS).await;
    let redis = site.redis.as_mut().expect("its own");
    redis.kill();
    for node in 0..2 {
        site.readyz_says(node, "\"ready\":true").await;
        site.readyz_says(node, "channel").await;
    }
    load.during(away).await;
    load.go_on(&site, 4).await;
    site.redis.as_mut().expect("its own").restart();
    let what = format!("Redis killed for {away:?}");
    load.heals(&what, &site, SOON).await;
    load.go_on(&site, 4).await;
    assert_all_stayed(&load.finish(&site).await);
    site
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_be_frozen_flushed_cut_and_restarted() {
    let site = Plan::of(2).own_redis().start().await;
    let load = Load::begin(&site, PAIRS).await;
    let redis = || site.redis.as_ref().expect("its own");

    redis().freeze();
    load.during(FREEZE).await;
    redis().thaw();
    load.heals("Redis frozen 5 s", &site, SOON).await;

    redis().cli(&["flushall"]);
    redis().cli(&["script", "flush"]);
    load.heals("Redis flushed", &site, SOON).await;

    for _ in 0..3 {
        redis().cli(&["client", "kill", "type", "pubsub"]);
        load.heals("Redis pub/sub clients killed", &site, SOON)
            .await;
    }

    for node in site.nodes() {
        node.redis.set(Mode::Frozen);
    }
    load.during(FREEZE).await;
    for node in site.nodes() {
        node.redis.set(Mode::Pass);
    }
    load.heals("network to Redis frozen 5 s", &site, SOON).await;

    site.at(0).redis.set(Mode::Cut);
    load.during(SHORT).await;
    site.at(0).redis.set(Mode::Pass);
    load.heals("one node cut off from Redis 4 s", &site, SOON)
        .await;

    load.go_on(&site, 4).await;
    assert_all_stayed(&load.finish(&site).await);
    let site = outage(site, SHORT).await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_last_frame_that_redis_loses_is_found_within_a_heartbeat() {
    let site = Plan::of(2).start().await;
    let (here, there) = (site.address(0), site.address(1));
    let seats = meet_across([here, there], "quiet")
        .await
        .expect("they meet");
    let mut a = Socket::open(here, &seats[0].path(0)).await.expect("open");
    let mut b = Socket::open(there, &seats[1].path(0)).await.expect("open");
    say(&mut a, 1, &mut b).await;
    let way = &site.at(1).redis;
    let room = format!("{}room:", site.prefix());
    for n in 2..5 {
        let (room, before) = (room.clone(), way.swallowed());
        // Frames of rooms; the link's own go on, so it looks healthy.
        way.swallow(move |message| {
            contains(message, b"message") && contains(message, room.as_bytes())
        });
        let took = say(&mut a, n, &mut b).await;
        assert!(way.swallowed() > before, "it was told all the same");
        println!("healing | a PUBLISH swallowed | delivered {took:.2?}");
        // A check every heartbeat, give or take a quarter, and the machine may be slow.
        assert!(took < HEARTBEAT * 2, "{took:?}: {}", site.evidence());
        assert!(took > Duration::from_millis(20), "not swallowed: {took:?}");
    }
    way.swallow(|_| false);
    eventually("by Redis again", || way.swallowed() > 2).await;
    let took = say(&mut a, 5, &mut b).await;
    println!("healing | nothing swallowed | delivered {took:.2?}");
    site.end().await;
}

/// One says something; how long after its acknowledgement the other heard it.
async fn say(a: &mut Socket, n: u64, b: &mut Socket) -> Duration {
    let action = send(&format!("number {n}"), &format!("c-{n}"), None);
    a.tell(&action).await.expect("open");
    hear(a, n).await;
    let acked = Instant::now();
    hear(b, n).await;
    acked.elapsed()
}

async fn hear(socket: &mut Socket, n: u64) {
    loop {
        if let Frame::NewMessage { message } = socket.hear().await.expect("open") {
            assert_eq!(message.seq, n);
            return;
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|it| it == part)
}
