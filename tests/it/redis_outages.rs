//! Redis goes away in every way it can, and comes back: nodes go on, notice, and heal by themselves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use miyu::channel::redis::RedisLayer;
use miyu::channel::{ChannelLayer, Frame, GroupId, Mailbox, Membership, Received};
use miyu::channel::{SendError, Status};
use miyu::domain::id::{RoomId, Seq, Side};

use crate::support::cut_proxy::CutProxy;
use crate::support::redis::{OwnRedis, Site};

/// Two nodes and a room with a connection on each.
struct Pair {
    here: Arc<RedisLayer>,
    there: Arc<RedisLayer>,
    group: GroupId,
    here_box: Mailbox,
    there_box: Mailbox,
    _memberships: [Membership; 2],
}

impl Pair {
    async fn on(site: &Site) -> Self {
        let (here, there) = (site.announced(1).await, site.announced(1).await);
        let group = GroupId::Room(RoomId::fresh());
        let (mine, here_box) = here.open();
        let (yours, there_box) = there.open();
        let memberships = [
            here.join(group, &mine).await,
            there.join(group, &yours).await,
        ];
        let mut pair = Self {
            here,
            there,
            group,
            here_box,
            there_box,
            _memberships: memberships,
        };
        pair.crosses(1).await;
        pair
    }

    /// Both ways, from now on.
    async fn crosses(&mut self, n: u64) {
        self.here.publish(self.group, numbered(n));
        self.there.publish(self.group, numbered(n + 1));
        until_number(&mut self.there_box, n).await;
        until_number(&mut self.here_box, n + 1).await;
    }

    fn disturbances(&self) -> [u64; 2] {
        [&self.here, &self.there].map(|node| *node.possible_gaps().borrow())
    }

    /// Waits until both have noticed, and have come back since.
    async fn heals(&self, before: [u64; 2]) {
        until("both have come back", || {
            let now = self.disturbances();
            let live = [&self.here, &self.there].map(|node| node.status() == Status::Live);
            now[0] > before[0] && now[1] > before[1] && live == [true, true]
        })
        .await;
    }
}

fn numbered(n: u64) -> Frame {
    Frame::Read {
        side: Side::A,
        seq: Seq(n),
    }
}

/// Reads until this one comes; what was lost before does not matter.
async fn until_number(mailbox: &mut Mailbox, n: u64) {
    let reading = async {
        loop {
            match mailbox.recv().await {
                Received::Frame(frame) if *frame == numbered(n) => return,
                _ => {}
            }
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(10), reading).await;
    read.unwrap_or_else(|_| panic!("frame {n} in time"));
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not in time: {what}");
}

#[tokio::test]
async fn a_server_that_dies_and_comes_back_heals() {
    let mut redis = OwnRedis::start();
    let mut pair = Pair::on(&Site::at(&redis.url())).await;
    let before = pair.disturbances();
    redis.kill();
    until("noticed", || {
        matches!(pair.here.status(), Status::Degraded(_))
    })
    .await;
    let Status::Degraded(why) = pair.here.status() else {
        panic!("degraded");
    };
    assert!(why.contains(&redis.url()), "{why}");

    // Nothing waits for it meanwhile: people of this node go on.
    let (mine, mut mailbox) = pair.here.open();
    let asked = Instant::now();
    let _late = pair.here.join(pair.group, &mine).await;
    pair.here.publish(pair.group, numbered(50));
    until_number(&mut mailbox, 50).await;
    let there = pair.there_box.address();
    assert_eq!(
        pair.here.send(&there, numbered(1)),
        Err(SendError::Unavailable)
    );
    assert!(asked.elapsed() < Duration::from_millis(900), "at once");

    tokio::time::sleep(Duration::from_secs(3)).await;
    redis.restart();
    pair.heals(before).await;
    pair.crosses(100).await;
    until("counted again", || {
        pair.here.online(1) + pair.there.online(1) == 4
    })
    .await;
}

#[tokio::test]
async fn a_frozen_server_is_noticed_and_heals() {
    let redis = OwnRedis::start();
    let mut pair = Pair::on(&Site::at(&redis.url())).await;
    let before = pair.disturbances();
    redis.freeze();
    let frozen = Instant::now();
    let degraded = || matches!(pair.here.status(), Status::Degraded(_));
    until("noticed", degraded).await;
    assert!(frozen.elapsed() < Duration::from_secs(5), "within seconds");
    let left = Duration::from_secs(5).saturating_sub(frozen.elapsed());
    tokio::time::sleep(left).await;
    redis.thaw();
    pair.heals(before).await;
    pair.crosses(100).await;
}

#[tokio::test]
async fn joining_waits_a_second_at_most_for_a_frozen_server() {
    let redis = OwnRedis::start();
    let pair = Pair::on(&Site::at(&redis.url())).await;
    redis.freeze();
    let (mine, _mailbox) = pair.here.open();
    let asked = Instant::now();
    let _late = pair.here.join(GroupId::Room(RoomId::fresh()), &mine).await;
    assert!(asked.elapsed() < Duration::from_millis(1500));
    let published = Instant::now();
    for n in 0..20_000 {
        pair.here.publish(pair.group, numbered(n));
    }
    assert!(
        published.elapsed() < Duration::from_secs(2),
        "nobody is held up"
    );
    redis.thaw();
}

#[tokio::test]
async fn killed_subscribers_heal() {
    let redis = OwnRedis::start();
    let mut pair = Pair::on(&Site::at(&redis.url())).await;
    for n in 1..4 {
        let before = pair.disturbances();
        redis.cli(&["client", "kill", "type", "pubsub"]);
        pair.heals(before).await;
        pair.crosses(100 * n).await;
    }
}

#[tokio::test]
async fn a_link_that_takes_everything_and_tells_nothing_is_noticed_by_the_probe() {
    let redis = OwnRedis::start();
    let cut_proxy = CutProxy::to(redis.port());
    let mut pair = Pair::on(&Site::at(&cut_proxy.url())).await;
    let before = pair.disturbances();
    cut_proxy.astray(true);
    let degraded = || matches!(pair.here.status(), Status::Degraded(_));
    until("noticed", degraded).await;
    let Status::Degraded(why) = pair.here.status() else {
        panic!("connecting again does not help");
    };
    assert!(why.contains("tells nothing"), "{why}");
    cut_proxy.astray(false);
    pair.heals(before).await;
    pair.crosses(100).await;
}

#[tokio::test]
async fn rights_that_are_taken_and_given_back_heal() {
    let redis = OwnRedis::start();
    let mut pair = Pair::on(&Site::at(&redis.url())).await;
    let before = pair.disturbances();
    redis.cli(&["acl", "setuser", "default", "resetchannels"]);
    let degraded = || matches!(pair.here.status(), Status::Degraded(_));
    until("noticed", degraded).await;
    redis.cli(&["acl", "setuser", "default", "allchannels"]);
    pair.heals(before).await;
    pair.crosses(100).await;
}

/// Also when what was announced before the trouble is over, and is to be dropped: a script that has dropped
/// something may write, however full the server is.
#[tokio::test]
async fn a_full_server_is_told_of_until_it_is_full_no_more() {
    let redis = OwnRedis::start();
    let site = Site::at(&redis.url());
    let (node, _other) = (site.announced(1).await, site.announced(1).await);
    redis.cli(&["config", "set", "maxmemory", "1"]);
    let degraded = || matches!(node.status(), Status::Degraded(_));
    until("noticed", degraded).await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        assert!(degraded(), "after {:?}", begun.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    redis.cli(&["config", "set", "maxmemory", "0"]);
    until("taken again", || node.status() == Status::Live).await;
}

#[tokio::test]
async fn a_node_that_lost_frames_has_the_others_look_too() {
    let redis = OwnRedis::start();
    let cut_proxy = CutProxy::to(redis.port());
    let site = Site::at(&redis.url());
    let behind = site.clone().on(&cut_proxy.url()).announced(1).await;
    let other = site.announced(1).await;
    cut_proxy.cut(true);
    until("noticed", || matches!(behind.status(), Status::Degraded(_))).await;
    behind.publish(GroupId::Room(RoomId::fresh()), numbered(1));
    let before = *other.possible_gaps().borrow();
    cut_proxy.cut(false);
    until("told", || *other.possible_gaps().borrow() > before).await;
    assert_eq!(other.status(), Status::Live, "its own link never broke");
}

#[tokio::test]
async fn a_flushed_server_is_told_again_who_lives() {
    let redis = OwnRedis::start();
    let site = Site::at(&redis.url());
    let mut pair = Pair::on(&site).await;
    let key = format!("{}nodes", site.prefix());
    until("both are there", || {
        redis.cli(&["hlen", &key]).trim() == "2"
    })
    .await;
    redis.cli(&["flushall"]);
    redis.cli(&["script", "flush"]);
    until("both are there again", || {
        redis.cli(&["hlen", &key]).trim() == "2"
    })
    .await;
    pair.crosses(100).await;
}

#[tokio::test]
async fn many_rooms_are_subscribed_again_in_batches() {
    let mut redis = OwnRedis::start();
    let site = Site::at(&redis.url());
    let mut pair = Pair::on(&site).await;
    let (mine, _mailbox) = pair.here.open();
    let mut rooms = Vec::new();
    for _ in 0..3000 {
        // Not waited for one by one: they are confirmed together.
        rooms.push(pair.here.join(GroupId::Room(RoomId::fresh()), &mine));
    }
    let rooms = futures_util::stream::iter(rooms);
    let rooms: Vec<Membership> =
        futures_util::StreamExt::collect(futures_util::StreamExt::buffered(rooms, 3000)).await;
    let before = pair.disturbances();
    redis.kill();
    redis.restart();
    pair.heals(before).await;
    let pattern = format!("{}room:*", site.prefix());
    let channels = redis.cli(&["pubsub", "channels", &pattern]);
    assert_eq!(channels.lines().count(), rooms.len() + 1);
    pair.crosses(100).await;
}

#[tokio::test]
async fn one_of_two_servers_degrades_only_its_rooms() {
    let mut servers = [OwnRedis::start(), OwnRedis::start()];
    let site = Site::at(&format!("{},{}", servers[0].url(), servers[1].url()));
    let pair = Pair::on(&site).await;
    until("both links", || pair.here.status() == Status::Live).await;
    servers[1].kill();
    until("noticed", || {
        matches!(pair.there.status(), Status::Degraded(_))
    })
    .await;
    until("noticed", || {
        matches!(pair.here.status(), Status::Degraded(_))
    })
    .await;
    let mut crossed = 0;
    for n in 0..40 {
        let group = GroupId::Room(RoomId::fresh());
        let (mine, mut mailbox) = pair.here.open();
        let _member = pair.here.join(group, &mine).await;
        pair.there.publish(group, numbered(n));
        let got = tokio::time::timeout(Duration::from_millis(300), mailbox.recv()).await;
        crossed += u32::from(got.is_ok());
    }
    assert!((5..36).contains(&crossed), "{crossed} of 40 rooms crossed");
    let before = pair.disturbances();
    servers[1].restart();
    pair.heals(before).await;
}
