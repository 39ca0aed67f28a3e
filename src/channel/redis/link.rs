//! The link to one server: one connection for everything, opened again for as long as it takes.
//!
//! A connection lives through [`RedisLink::session`]: subscribe everything, prove that what is published
//! is heard, then three lanes side by side, each with its own waits: publishing, subscribing, and a
//! beat that proves the link again and again. The first lane that fails ends the connection.

use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{PushInfo, RedisError};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::channel_names::ChannelNames;
use super::keys::Keys;
use super::link_status::LinkStatus;
use super::outgoing::{OutgoingPackets, To};
use super::subscriber::{PushEvent, Subscriber};
use super::subscription_table::{SubscriptionBatch, SubscriptionTable};
use crate::backoff::Backoff;
use crate::channel::GroupId;
use crate::channel::wire::Packet;
use crate::domain::id::NodeId;
use crate::redis::{self, RedisServer, RedisTrouble, Unreachable};
use crate::telemetry;

/// Rooms in one command; with thousands the server would be busy with it for too long.
const ROOMS_AT_ONCE: usize = 512;
/// How long a probe may take to come back.
const PROBE: Duration = Duration::from_secs(3);
/// The first pause before connecting again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long saying goodbye may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// The link to one server.
pub(super) struct RedisLink {
    node: NodeId,
    server: RedisServer,
    names: ChannelNames,
    keys: Arc<Keys>,
    beat: Duration,
    /// It is the first server: node announcements are its business.
    announces: bool,
    subscriptions: Mutex<SubscriptionTable>,
    changed: Notify,
    /// What is on its way to the server.
    pub(super) out: OutgoingPackets,
    /// How it is, for publishers, health and the log.
    pub(super) status: LinkStatus,
    probe: watch::Sender<u64>,
}

impl RedisLink {
    pub(super) fn new(
        node: NodeId,
        server: RedisServer,
        names: ChannelNames,
        keys: Arc<Keys>,
        beat: Duration,
        announces: bool,
    ) -> Self {
        Self {
            status: LinkStatus::new(server.to_string()),
            node,
            server,
            names,
            keys,
            beat,
            announces,
            subscriptions: Mutex::default(),
            changed: Notify::new(),
            out: OutgoingPackets::default(),
            probe: watch::Sender::new(0),
        }
    }

    /// Whether this room has a member on this node.
    pub(super) fn want(&self, group: GroupId, wanted: bool) {
        let mut subscriptions = self.subscriptions.lock();
        subscriptions.want(group, wanted);
        if subscriptions.has_changes() {
            self.changed.notify_one();
        }
    }

    /// See [`SubscriptionTable::confirmation`].
    pub(super) fn confirmation(&self, group: GroupId) -> Option<oneshot::Receiver<()>> {
        self.subscriptions.lock().confirmation(group)
    }

    /// Keeps the link until `stop`, then says goodbye.
    pub(super) async fn run(self: Arc<Self>, subscriber: Arc<Subscriber>, stop: CancellationToken) {
        // A server that comes back is not met by all nodes in one moment.
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE).spread();
        loop {
            let ended = self.session(&subscriber, &stop, &mut backoff).await;
            self.subscriptions.lock().disconnected();
            self.out.close();
            let Err(why) = ended else {
                self.status.closed();
                return;
            };
            self.status.down(&why);
            tokio::select! {
                () = stop.cancelled() => return,
                () = backoff.pause() => {}
            }
        }
    }

    /// One connection from beginning to end; `Ok` when it was asked to stop.
    async fn session(
        self: &Arc<Self>,
        subscriber: &Arc<Subscriber>,
        stop: &CancellationToken,
        backoff: &mut Backoff,
    ) -> Result<(), Unreachable> {
        let ended = Arc::new(Notify::new());
        let pushed = self.pushed(Arc::clone(subscriber), Arc::clone(&ended));
        let opening = async {
            let conn = self.server.connect(pushed).await?;
            self.subscriptions.lock().connected();
            self.greet(conn.clone()).await?;
            Ok::<_, Unreachable>(conn)
        };
        let conn = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = ended.notified() => return Err(self.closed()),
            opened = opening => opened?,
        };
        self.out.open();
        self.status.up();
        // What was published before this node had subscribed is only in the store.
        subscriber.note_gap();
        tokio::select! {
            () = stop.cancelled() => {
                // A server that is away will hear nothing; the lease covers that.
                let _ = timeout(FAREWELL, self.farewell(subscriber, conn)).await;
                Ok(())
            }
            () = ended.notified() => Err(self.closed()),
            why = self.publishing(conn.clone()) => Err(why),
            why = self.subscribing(conn.clone()) => Err(why),
            why = self.beating(subscriber, conn.clone(), backoff) => Err(why),
        }
    }

    /// What the connection calls for whatever the server says unasked.
    fn pushed(
        self: &Arc<Self>,
        subscriber: Arc<Subscriber>,
        ended: Arc<Notify>,
    ) -> impl Fn(PushInfo) -> Result<(), std::convert::Infallible> + Send + Sync + 'static {
        let link = Arc::clone(self);
        move |info| {
            match subscriber.receive(info) {
                PushEvent::Nothing => {}
                PushEvent::Probe(count) => {
                    link.probe.send_replace(count);
                }
                PushEvent::End => ended.notify_one(),
            }
            Ok(())
        }
    }

    /// Subscribes everything that is wanted and proves that it works.
    async fn greet(&self, mut conn: MultiplexedConnection) -> Result<(), Unreachable> {
        let own = [self.names.node(self.node), self.names.nodes()];
        conn.subscribe(&own[..]).await.map_err(|e| self.broken(e))?;
        loop {
            let batch = self.subscriptions.lock().batch(ROOMS_AT_ONCE);
            if batch.is_empty() {
                break;
            }
            self.ask(&conn, batch).await?;
        }
        self.prove(&mut conn).await
    }

    /// Tells the server which rooms to add and remove, and notes its confirmation.
    async fn ask(
        &self,
        conn: &MultiplexedConnection,
        batch: SubscriptionBatch,
    ) -> Result<(), Unreachable> {
        let names = |groups: &[GroupId]| -> Vec<String> {
            groups
                .iter()
                .map(|group| self.names.group(*group))
                .collect()
        };
        let (add, remove) = (names(&batch.add), names(&batch.remove));
        let (mut adding, mut removing) = (conn.clone(), conn.clone());
        let add = async {
            match add.is_empty() {
                true => Ok(()),
                false => adding.subscribe(add).await,
            }
        };
        let remove = async {
            match remove.is_empty() {
                true => Ok(()),
                false => removing.unsubscribe(remove).await,
            }
        };
        tokio::try_join!(add, remove).map_err(|error| self.broken(error))?;
        self.subscriptions.lock().answered(batch);
        Ok(())
    }

    /// Publishes to oneself and waits until it is heard.
    async fn prove(&self, conn: &mut MultiplexedConnection) -> Result<(), Unreachable> {
        let mut heard = self.probe.subscribe();
        let count = rand::random();
        self.say(conn, To::Node(self.node), &Packet::Probe(count))
            .await?;
        let waiting = heard.wait_for(|it| *it == count);
        if timeout(PROBE, waiting).await.is_err() {
            metrics::counter!(telemetry::PROBES_MISSED).increment(1);
            return Err(self.server.with(RedisTrouble::Deaf));
        }
        Ok(())
    }

    /// The lane of frames: whatever waits goes in one go, and the next when that is answered.
    async fn publishing(&self, mut conn: MultiplexedConnection) -> Unreachable {
        loop {
            let batch = self.out.batch().await;
            if let Err(why) = self.publish(&mut conn, batch).await {
                return why;
            }
        }
    }

    async fn publish(
        &self,
        conn: &mut MultiplexedConnection,
        batch: Vec<(To, Vec<u8>)>,
    ) -> Result<(), Unreachable> {
        let mut pipe = ::redis::pipe();
        let mut count = 0;
        for (to, mut packet) in batch {
            let channel = self.names.channel(to);
            if !self.keys.seal(&channel, &mut packet) {
                self.out.dropped(1);
                continue;
            }
            pipe.cmd("PUBLISH").arg(channel).arg(packet).ignore();
            count += 1;
        }
        if count == 0 {
            return Ok(());
        }
        if let Err(error) = pipe.query_async::<()>(conn).await {
            // Perhaps they arrived: sending them again could say things twice.
            self.out.dropped(count);
            return Err(self.broken(error));
        }
        metrics::counter!(telemetry::LINK_FRAMES, "what" => "published").increment(count as u64);
        Ok(())
    }

    /// The lane of rooms.
    async fn subscribing(&self, conn: MultiplexedConnection) -> Unreachable {
        loop {
            let batch = self.subscriptions.lock().batch(ROOMS_AT_ONCE);
            if batch.is_empty() {
                self.changed.notified().await;
            } else if let Err(why) = self.ask(&conn, batch).await {
                return why;
            }
        }
    }

    /// The lane that proves the link, renews the announcement and tells of losses.
    async fn beating(
        &self,
        subscriber: &Subscriber,
        mut conn: MultiplexedConnection,
        backoff: &mut Backoff,
    ) -> Unreachable {
        loop {
            if let Err(why) = self.once(subscriber, &mut conn).await {
                return why;
            }
            sleep(self.beat.mul_f64(rand::random_range(0.8..1.0))).await;
            // It has held for a while: the next outage is a new one.
            backoff.reset();
        }
    }

    async fn once(
        &self,
        subscriber: &Subscriber,
        conn: &mut MultiplexedConnection,
    ) -> Result<(), Unreachable> {
        if self.announces {
            match subscriber.registry.renew(conn).await {
                Ok(()) => self.status.accepted(),
                Err(error) => self.refused(error)?,
            }
        }
        if self.out.take_lost() {
            if let Err(why) = self.say(conn, To::Nodes, &Packet::Lost).await {
                self.out.put_lost();
                return Err(why);
            }
            subscriber.note_gap();
        }
        self.prove(conn).await
    }

    /// Sends what still waits, then that this node is no more.
    async fn farewell(
        &self,
        subscriber: &Subscriber,
        mut conn: MultiplexedConnection,
    ) -> Result<(), Unreachable> {
        loop {
            let batch = self.out.try_batch();
            if batch.is_empty() {
                break;
            }
            self.publish(&mut conn, batch).await?;
        }
        if self.announces {
            let left = subscriber.registry.leave(&mut conn).await;
            left.map_err(|error| self.broken(error))?;
            self.say(&mut conn, To::Nodes, &Packet::Bye).await?;
        }
        Ok(())
    }

    /// Publishes one packet of the link's own.
    async fn say(
        &self,
        conn: &mut MultiplexedConnection,
        to: To,
        packet: &Packet,
    ) -> Result<(), Unreachable> {
        let mut packet = packet.encode(self.node).expect("these are a few bytes");
        let channel = self.names.channel(to);
        if !self.keys.seal(&channel, &mut packet) {
            // Not announced yet, so nothing waits for what this node says.
            return Ok(());
        }
        let mut command = ::redis::cmd("PUBLISH");
        command.arg(channel).arg(packet);
        let said = command.query_async::<()>(conn).await;
        said.map_err(|error| self.broken(error))
    }

    /// A server that is full, or cannot save, still passes frames on: only what it refuses is missing. One
    /// that cannot serve at all may have a successor at its address.
    fn refused(&self, error: RedisError) -> Result<(), Unreachable> {
        let (answered, cannot_serve) = (redis::answered(&error), redis::cannot_serve(&error));
        let broken = self.broken(error);
        if !answered {
            return Err(broken);
        }
        self.status.refused(&broken);
        match cannot_serve {
            true => Err(broken),
            false => Ok(()),
        }
    }

    fn closed(&self) -> Unreachable {
        self.server.with(RedisTrouble::Closed)
    }

    fn broken(&self, error: RedisError) -> Unreachable {
        self.server.unreachable(error)
    }
}
