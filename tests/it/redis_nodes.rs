//! Two nodes on one Redis: frames cross, people are counted, and nodes that do not fit refuse.

use std::time::Duration;

use miyu::channel::redis::RedisLayer;
use miyu::channel::wire::Packet;
use miyu::channel::{ChannelLayer, Frame, GroupId, Mailbox, Received, SendError, Status};
use miyu::domain::id::{NodeId, RoomId, Seq, Side, StoreId};

use crate::support::redis::{OwnRedis, Site, shared_cli, shared_url};

fn fresh_group() -> GroupId {
    GroupId::Room(RoomId::fresh())
}

fn numbered(n: u64) -> Frame {
    Frame::Read {
        side: Side::A,
        seq: Seq(n),
    }
}

async fn next_number(mailbox: &mut Mailbox) -> u64 {
    let received = tokio::time::timeout(Duration::from_secs(10), mailbox.recv());
    match received.await.expect("a frame in time") {
        Received::Frame(frame) => match &*frame {
            Frame::Read { seq, .. } => seq.0,
            other => panic!("not one of ours: {other:?}"),
        },
        Received::Lagged => panic!("lagged instead of a frame"),
    }
}

/// Waits until it holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not in time: {what}");
}

#[tokio::test]
async fn frames_cross_from_node_to_node_and_come_once() {
    let site = Site::fresh();
    let (here, there) = (site.node().await, site.node().await);
    let group = fresh_group();
    let (mine, mut here_box) = here.open();
    let (yours, mut there_box) = there.open();
    let _a = here.join(group, &mine).await;
    let _b = there.join(group, &yours).await;
    for n in 0..200 {
        let from = if n % 2 == 0 { &here } else { &there };
        from.publish(group, numbered(n));
        assert_eq!(
            next_number(&mut here_box).await,
            n,
            "once each, its own too"
        );
        assert_eq!(next_number(&mut there_box).await, n);
    }
}

#[tokio::test]
async fn each_publisher_keeps_its_order_on_every_node() {
    let site = Site::fresh().mailbox(20_000);
    let (here, there) = (site.node().await, site.node().await);
    let group = fresh_group();
    let (yours, mut there_box) = there.open();
    let _b = there.join(group, &yours).await;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let here = &here;
            scope.spawn(move || {
                for n in 0..2000 {
                    here.publish(group, numbered(thread * 10_000 + n));
                }
            });
        }
    });
    let mut next = [0; 4];
    for _ in 0..8000 {
        let n = next_number(&mut there_box).await;
        let thread = usize::try_from(n / 10_000).unwrap();
        assert_eq!(n % 10_000, next[thread]);
        next[thread] += 1;
    }
}

#[tokio::test]
async fn what_is_published_after_join_resolves_arrives_from_elsewhere() {
    let site = Site::fresh();
    let (here, there) = (site.node().await, site.node().await);
    for n in 0..100 {
        let group = fresh_group();
        let (mine, mut mailbox) = here.open();
        let membership = here.join(group, &mine).await;
        there.publish(group, numbered(n));
        assert_eq!(next_number(&mut mailbox).await, n);
        // DepartRetry and coming back at once is joining as well.
        drop(membership);
        let _again = here.join(group, &mine).await;
        there.publish(group, numbered(n + 1000));
        assert_eq!(next_number(&mut mailbox).await, n + 1000);
    }
}

#[tokio::test]
async fn who_left_is_unsubscribed() {
    let site = Site::fresh();
    let here = site.node().await;
    let group = fresh_group();
    let (first, _first_box) = here.open();
    let (second, _second_box) = here.open();
    let channel = format!("{}room:{}", site.prefix(), group.room().unwrap().0.simple());
    let listeners = || shared_cli(&["pubsub", "numsub", &channel]);
    let a = here.join(group, &first).await;
    let b = here.join(group, &second).await;
    drop(a);
    assert!(listeners().contains("\n1"), "one is still there");
    drop(b);
    until("nobody listens", || listeners().contains("\n0")).await;
}

#[tokio::test]
async fn a_direct_frame_reaches_a_mailbox_of_another_node() {
    let site = Site::fresh();
    let (here, there) = (site.announced(1).await, site.announced(1).await);
    let (_, mut mailbox) = there.open();
    let address = mailbox.address();
    // The second node knows the first from its announcement, the first is told.
    until("known", || here.send(&address, numbered(0)).is_ok()).await;
    for n in 1..50 {
        here.send(&address, numbered(n)).unwrap();
    }
    for n in 0..50 {
        assert_eq!(next_number(&mut mailbox).await, n);
    }
    there.close().await;
    let gone = || here.send(&address, numbered(1)) == Err(SendError::Gone);
    until("said goodbye", gone).await;
}

#[tokio::test]
async fn people_are_counted_over_all_nodes_that_live() {
    let site = Site::fresh();
    let (first, second) = (site.announced(1).await, site.announced(1).await);
    assert_eq!(
        site.node().await.online(3),
        3,
        "who is not announced sees itself"
    );
    // Each says how many it has when it is asked.
    let counts = || (first.online(5), second.online(7));
    until("summed", || counts() == (12, 12)).await;
    second.close().await;
    until("taken back", || first.online(5) == 5).await;
}

/// A node on a runtime of its own, which ends as a crash would: nothing is taken back.
fn crashing_node(site: &Site, online: u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let node = site.announced(1).await;
        let key = format!("{}nodes", site.prefix());
        let counted = format!("|{online}|");
        until("announced with its people", || {
            node.online(online);
            shared_cli(&["hvals", &key]).contains(&counted)
        })
        .await;
        #[expect(
            clippy::mem_forget,
            reason = "it dies without a word: no drop says goodbye"
        )]
        std::mem::forget(node);
    });
    runtime.shutdown_background();
}

#[tokio::test]
async fn a_dead_nodes_people_expire() {
    let site = Site::fresh();
    let here = site.announced(1).await;
    let there = site.clone();
    tokio::task::spawn_blocking(move || crashing_node(&there, 70))
        .await
        .unwrap();
    until("counted", || here.online(5) == 75).await;
    until("expired", || here.online(5) == 5).await;
}

#[tokio::test]
async fn a_node_with_another_store_refuses_to_start_and_says_what_to_change() {
    let site = Site::fresh();
    let first = site.announced(0xaaaa).await;
    let second = site.node().await;
    let why = second
        .announce(StoreId(0xbbbb))
        .await
        .unwrap_err()
        .to_string();
    for part in [
        "000000000000aaaa",
        "000000000000bbbb",
        "store.url",
        "prefix",
    ] {
        assert!(why.contains(part), "{part} in: {why}");
    }
    assert_eq!(
        first.status(),
        Status::Live,
        "the refused one left no trace"
    );
    drop(second);
    first.close().await;
    site.announced(0xbbbb).await;
}

#[tokio::test]
async fn nodes_that_spread_rooms_over_other_servers_refuse() {
    let other = OwnRedis::start();
    let site = Site::fresh();
    let _first = site.announced(1).await;
    let urls = format!("{},{}", shared_url(), other.url());
    let second = site.clone().on(&urls).node().await;
    let why = second.announce(StoreId(1)).await.unwrap_err().to_string();
    assert!(why.contains("channel.url names 1 servers"), "{why}");
}

/// What one site publishes to a room is not heard in the same room of the other.
async fn assert_apart(site: &Site, other: &Site) {
    let group = fresh_group();
    let (first, second) = (site.announced(1).await, site.announced(1).await);
    let (third, fourth) = (other.announced(2).await, other.announced(2).await);
    let (mine, mut mailbox) = second.open();
    let _a = second.join(group, &mine).await;
    let (yours, mut other_box) = fourth.open();
    let _b = fourth.join(group, &yours).await;
    third.publish(group, numbered(1));
    // Once the right one has heard it, the wrong one would have.
    assert_eq!(next_number(&mut other_box).await, 1);
    first.publish(group, numbered(2));
    assert_eq!(next_number(&mut mailbox).await, 2);
}

#[tokio::test]
async fn two_prefixes_are_two_sites() {
    assert_apart(&Site::fresh(), &Site::fresh()).await;
}

#[tokio::test]
async fn two_databases_of_one_server_are_two_sites() {
    let site = Site::fresh();
    let other = site.clone().on(&format!("{}/5", shared_url()));
    assert_apart(&site, &other).await;
}

#[tokio::test]
async fn rooms_are_spread_over_the_servers_of_the_url() {
    let servers = [OwnRedis::start(), OwnRedis::start()];
    let urls = format!("{},{}", servers[0].url(), servers[1].url());
    let site = Site::at(&urls);
    let (here, there) = (site.announced(1).await, site.announced(1).await);
    let live = |layer: &RedisLayer| layer.status() == Status::Live;
    until("both links", || live(&here) && live(&there)).await;
    let mut rooms = Vec::new();
    for n in 0..40 {
        let group = fresh_group();
        let (mine, mut mailbox) = here.open();
        let membership = here.join(group, &mine).await;
        there.publish(group, numbered(n));
        assert_eq!(next_number(&mut mailbox).await, n);
        rooms.push((membership, mailbox));
    }
    let pattern = format!("{}room:*", site.prefix());
    let listening = servers.each_ref().map(|server| {
        let channels = server.cli(&["pubsub", "channels", &pattern]);
        channels.lines().filter(|line| !line.is_empty()).count()
    });
    assert_eq!(listening.iter().sum::<usize>(), 40);
    assert!(listening.iter().all(|count| *count > 5), "{listening:?}");
}

#[tokio::test]
async fn a_stranger_on_the_channels_harms_no_node() {
    let site = Site::fresh();
    let here = site.node().await;
    let group = fresh_group();
    let (mine, mut mailbox) = here.open();
    let _a = here.join(group, &mine).await;
    let room = format!("{}room:{}", site.prefix(), group.room().unwrap().0.simple());
    let nodes = format!("{}nodes", site.prefix());
    let long = "x".repeat(100_000);
    for channel in [&room, &nodes] {
        for text in ["", "hello", "\u{1}g01234567", &long] {
            assert!(shared_cli(&["publish", channel, text]).starts_with('1'));
        }
    }
    here.publish(group, numbered(1));
    assert_eq!(next_number(&mut mailbox).await, 1);
    assert_eq!(here.status(), Status::Live);
}

/// A packet as a program would say it that knows the form but not this site's key.
fn forged(site: &Site, key: u8, channel: &str, packet: &Packet) -> Vec<u8> {
    let mut bytes = packet.encode(NodeId::fresh()).unwrap();
    site.clone().keyed(key).key().seal(channel, &mut bytes);
    bytes
}

#[tokio::test]
async fn what_is_not_sealed_by_this_site_for_this_channel_is_not_heard() {
    let site = Site::fresh();
    let here = site.node().await;
    let (group, other) = (fresh_group(), fresh_group());
    let (mine, mut mailbox) = here.open();
    let _a = here.join(group, &mine).await;
    let _b = here.join(other, &mine).await;
    let channel =
        |group: GroupId| format!("{}room:{}", site.prefix(), group.room().unwrap().0.simple());
    let packet = |n| Packet::Group(group, numbered(n));
    let unsealed = packet(1).encode(NodeId::fresh()).unwrap();
    let foreign = forged(&site, 8, &channel(group), &packet(2));
    // Truly sealed, for another room: said again here it names this one all the same.
    let moved = forged(&site, 7, &channel(other), &packet(3));
    let true_one = forged(&site, 7, &channel(group), &packet(4));
    let client = redis::Client::open(shared_url()).unwrap();
    let mut stranger = client.get_multiplexed_async_connection().await.unwrap();
    for bytes in [unsealed, foreign, moved, true_one] {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(channel(group)).arg(bytes);
        let heard: u64 = publish.query_async(&mut stranger).await.unwrap();
        assert_eq!(heard, 1);
    }
    assert_eq!(next_number(&mut mailbox).await, 4);
}

#[tokio::test]
async fn a_node_with_another_session_key_refuses_to_start_and_says_what_to_change() {
    let site = Site::fresh();
    let first = site.announced(1).await;
    let second = site.clone().keyed(8).node().await;
    let why = second.announce(StoreId(1)).await.unwrap_err().to_string();
    for part in ["another session key", "session.key_file"] {
        assert!(why.contains(part), "{part} in: {why}");
    }
    assert_eq!(
        first.status(),
        Status::Live,
        "the refused one left no trace"
    );
    drop(second);
    first.close().await;
    site.keyed(8).announced(1).await;
}
