//! The channel layer of many nodes: the hub of this process, and a link to each Redis server. Every
//! room is a channel of one server, chosen by the room's id; every node has a channel of its own on
//! the first. Nothing is kept in Redis but the list of live nodes.
//!
//! Pub/sub keeps nothing for a subscriber that is away. So every doubt (a new connection, a full queue, a node that
//! says it lost frames) counts up [`ChannelLayer::possible_gaps`], and the store is asked.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use tokio::sync::{broadcast, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::hub::{GroupWatch, Hub};
use super::seal::FrameKey;
use super::wire::{self, Packet};
use super::{
    ChannelLayer, Counts, Frame, GroupClosing, GroupId, Joining, Mailbox, Outbox, SendError, Status,
};
use crate::domain::id::{Address, NodeId, StoreId};
use crate::redis::{CONNECT, RedisServers, Unreachable};
use crate::tasks;
use crate::telemetry;
use channel_names::ChannelNames;
use keys::Keys;
use link::RedisLink;
use link_status::LinkState;
use outgoing::To;
use registry::Registry;
use subscriber::Subscriber;

mod channel_names;
mod keys;
mod link;
mod link_status;
mod node_mismatch;
mod outgoing;
mod registry;
mod subscriber;
mod subscription_table;

pub use self::node_mismatch::{NodeMismatch, NodeName};

/// How long joining waits for Redis to confirm that it listens.
const JOIN: Duration = Duration::from_secs(1);
/// How long the first answer of the first server may take: connecting, subscribing, a probe.
const START: Duration = CONNECT.saturating_mul(3);
/// Sessions that other nodes say were forgotten and that were not taken yet.
const CLOSINGS: usize = 1024;

/// What the composition root hands to the layer.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Begins every name in Redis.
    pub prefix: String,
    /// Frames of one mailbox.
    pub mailbox: usize,
    /// How often a link is proven and the announcement renewed.
    pub beat: Duration,
    /// How long a node counts as living after its last announcement; some beats.
    pub lease: Duration,
}

/// Why a node could not be made known to the others.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AnnounceError {
    /// [`RedisLayer::seal_with`] comes first.
    #[error("there is no key yet to seal frames with")]
    NoKey,
    /// The first server is away.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// It must not run beside another live node.
    #[error(transparent)]
    Mismatch(#[from] NodeMismatch),
}

/// Frames between the connections of all nodes that name the same servers and prefix.
pub struct RedisLayer {
    node: NodeId,
    hub: Arc<Hub>,
    links: Arc<[Arc<RedisLink>]>,
    registry: Arc<Registry>,
    keys: Arc<Keys>,
    possible_gaps: watch::Sender<u64>,
    closings: broadcast::Sender<GroupClosing>,
    decided: watch::Sender<u64>,
    tasks: TaskTracker,
    stop: CancellationToken,
    servers: RedisServers,
}

/// Tells the links which rooms to listen for.
struct Listening(Arc<[Arc<RedisLink>]>);

impl GroupWatch for Listening {
    fn appeared(&self, group: GroupId) {
        self.0[home(group, self.0.len())].want(group, true);
    }

    fn vanished(&self, group: GroupId) {
        self.0[home(group, self.0.len())].want(group, false);
    }
}

impl RedisLayer {
    /// Links to the servers. Must be called within the runtime. The first server has to answer; one
    /// of the others that is away degrades only its rooms, until it is there.
    ///
    /// # Errors
    /// Why the first server is not reached, in words for the operator; after 9 s at the latest.
    pub async fn start(
        servers: RedisServers,
        node: NodeId,
        rules: Rules,
    ) -> Result<Arc<Self>, Unreachable> {
        let count = servers.all().len();
        let keys = Arc::new(Keys::new());
        let links = servers.all().iter().enumerate().map(|(at, server)| {
            let names = ChannelNames::new(&rules.prefix, server.database());
            let keys = Arc::clone(&keys);
            let link = RedisLink::new(node, server.clone(), names, keys, rules.beat, at == 0);
            Arc::new(link)
        });
        let links: Arc<[Arc<RedisLink>]> = links.collect();
        let key = ChannelNames::new(&rules.prefix, servers.first().database()).nodes();
        let layer = Arc::new(Self {
            node,
            hub: Hub::watched(node, rules.mailbox, Listening(Arc::clone(&links))),
            links,
            registry: Arc::new(Registry::new(node, key, count, rules.lease)),
            keys,
            possible_gaps: watch::Sender::new(0),
            closings: broadcast::Sender::new(CLOSINGS),
            decided: watch::Sender::new(0),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            servers,
        });
        layer.spawn_links();
        let mut state = layer.links[0].status.watch();
        let known = timeout(
            START,
            state.wait_for(|it| !matches!(it, LinkState::Connecting)),
        )
        .await;
        let known = known.map(|state| state.map(|it| it.clone()));
        match known {
            Ok(Ok(LinkState::Down(why))) => Err(why),
            Ok(Ok(_)) => Ok(layer),
            _ => Err(layer.servers.first().silent()),
        }
    }

    fn spawn_links(&self) {
        let subscriber = Arc::new(Subscriber {
            node: self.node,
            hub: Arc::clone(&self.hub),
            registry: Arc::clone(&self.registry),
            keys: Arc::clone(&self.keys),
            possible_gaps: self.possible_gaps.clone(),
            closings: self.closings.clone(),
            decided: self.decided.clone(),
            undecodable: AtomicU64::new(0),
        });
        for link in self.links.iter() {
            let (link, subscriber, stop) =
                (Arc::clone(link), Arc::clone(&subscriber), self.stop.clone());
            // Without its link a node would be deaf.
            self.tasks.spawn(tasks::restarted(move || {
                Arc::clone(&link).run(Arc::clone(&subscriber), stop.clone())
            }));
        }
    }

    /// Seals frames with this key from now on, and believes those that are. Until then nothing is
    /// published to other nodes or heard from them. The first call counts.
    pub fn seal_with(&self, key: FrameKey) {
        self.keys.share(key);
    }

    /// Whether this node speaks as all live nodes do. To be asked before its store is opened: that may bring the
    /// store to a schema that nodes of the other version do not know.
    ///
    /// # Errors
    /// See [`AnnounceError`].
    pub async fn check_versions(&self) -> Result<(), AnnounceError> {
        let mut conn = self.ask_first().await?;
        let checked = self.registry.check_versions(&mut conn).await;
        let first = self.servers.first();
        Ok(checked.map_err(|error| first.unreachable(error))??)
    }

    /// Makes this node known to the others as one whose rooms are in the store of this identity. To
    /// be called once, after [`RedisLayer::seal_with`] and before anything connects.
    ///
    /// # Errors
    /// See [`AnnounceError`].
    pub async fn announce(&self, store: StoreId) -> Result<(), AnnounceError> {
        let key = self.keys.fingerprint().ok_or(AnnounceError::NoKey)?;
        let first = self.servers.first();
        let mut conn = self.ask_first().await?;
        let announced = self.registry.announce(&mut conn, store.0, key).await;
        announced.map_err(|error| first.unreachable(error))??;
        let hello = Packet::Hello.encode(self.node).expect("a few bytes");
        // Who does not hear it learns it at its next beat.
        self.links[0].out.offer(To::Nodes, hello);
        Ok(())
    }

    /// A connection to the server that has the list of nodes.
    async fn ask_first(&self) -> Result<MultiplexedConnection, Unreachable> {
        let unheard = |_| Ok::<(), std::convert::Infallible>(());
        self.servers.first().connect(unheard).await
    }

    fn link(&self, group: GroupId) -> &RedisLink {
        &self.links[home(group, self.links.len())]
    }
}

/// Which of `count` servers a room belongs to: the same on every node and in every version. The
/// bits of the id are mixed (splitmix64), since the first half of it is the time.
fn home(group: GroupId, count: usize) -> usize {
    let GroupId::Room(room) = group else {
        // What concerns every node goes by the first server.
        return 0;
    };
    let (high, low) = room.0.as_u64_pair();
    let mut mixed = high.rotate_left(32) ^ low;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    usize::try_from(mixed % count as u64).expect("below the count")
}

impl ChannelLayer for RedisLayer {
    fn open(&self) -> (Outbox, Mailbox) {
        self.hub.open()
    }

    fn send(&self, to: &Address, frame: Frame) -> Result<(), SendError> {
        if to.node == self.node {
            return self.hub.send(to, frame);
        }
        let first = &self.links[0];
        if !first.status.live() {
            return Err(SendError::Unavailable);
        }
        if !self.registry.knows(to.node) {
            return Err(SendError::Gone);
        }
        let packet = Packet::Direct(to.number, frame).encode(self.node);
        let packet = packet.ok_or(SendError::Unavailable)?;
        match first.out.offer(To::Node(to.node), packet) {
            true => Ok(()),
            false => Err(SendError::Unavailable),
        }
    }

    fn join<'a>(&'a self, group: GroupId, outbox: &'a Outbox) -> Joining<'a> {
        Box::pin(async move {
            let membership = self.hub.join(group, outbox);
            if let Some(confirmation) = self.link(group).confirmation(group)
                && timeout(JOIN, confirmation).await.is_err()
            {
                metrics::counter!(telemetry::JOINS_LATE).increment(1);
            }
            membership
        })
    }

    fn publish(&self, group: GroupId, frame: Frame) {
        let link = self.link(group);
        let packet = link
            .status
            .live()
            .then(|| wire::group_packet(self.node, group, &frame));
        self.hub.publish(group, Arc::new(frame));
        match packet.flatten() {
            Some(packet) => {
                link.out.offer(To::Room(group), packet);
            }
            None => link.out.dropped(1),
        }
    }

    fn publish_here(&self, group: GroupId, frame: Frame) {
        self.hub.publish(group, Arc::new(frame));
    }

    /// All groups: any of them may have members elsewhere, and pub/sub promises nothing.
    fn unreliable_groups(&self) -> Vec<GroupId> {
        self.hub.groups()
    }

    fn possible_gaps(&self) -> watch::Receiver<u64> {
        self.possible_gaps.subscribe()
    }

    fn close_elsewhere(&self, closing: GroupClosing) {
        let packet = Packet::Close(closing).encode(self.node);
        let packet = packet.expect("a few bytes");
        self.links[0].out.offer(To::Nodes, packet);
    }

    fn tell_decided(&self) {
        self.decided.send_modify(|count| *count += 1);
        let packet = Packet::Decided.encode(self.node).expect("a few bytes");
        self.links[0].out.offer(To::Nodes, packet);
    }

    fn decided(&self) -> watch::Receiver<u64> {
        self.decided.subscribe()
    }

    fn closings(&self) -> Option<broadcast::Receiver<GroupClosing>> {
        Some(self.closings.subscribe())
    }

    fn online(&self, here: u64) -> u64 {
        self.registry.online(here)
    }

    fn counts(&self) -> Counts {
        self.hub.counts()
    }

    fn status(&self) -> Status {
        let links = self.links.iter();
        let mut reasons: Vec<String> = links
            .filter_map(|link| match link.status.now() {
                LinkState::Live => link.status.refusal().map(|it| it.to_string()),
                LinkState::Connecting => Some("Redis: connecting".to_owned()),
                LinkState::Down(why) => Some(why.to_string()),
            })
            .collect();
        reasons.extend(self.registry.odd().map(|it| it.to_string()));
        match reasons.is_empty() {
            true => Status::Live,
            false => Status::Degraded(reasons.join("; ")),
        }
    }

    fn close(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.stop.cancel();
        self.tasks.close();
        Box::pin(self.tasks.wait())
    }
}

impl Drop for RedisLayer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::RoomId;

    #[test]
    fn rooms_are_spread_evenly_and_always_alike() {
        let mut counts = [0; 3];
        for _ in 0..3000 {
            counts[home(GroupId::Room(RoomId::fresh()), 3)] += 1;
        }
        assert!(
            counts.iter().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
        let fixed = |text| GroupId::Room(RoomId::parse(text).unwrap());
        let homes = [
            "01890a5d-ac96-774b-bcce-b302099a8057",
            "01890a5d-ac96-774b-bcce-b302099a8058",
            "01890a5d-ac96-774b-bcce-b302099a8059",
        ];
        assert_eq!(homes.map(|text| home(fixed(text), 5)), [4, 3, 4]);
    }
}
