//! What is heard from other nodes, on the connection's own task: decoded and put into mailboxes at
//! once, so that no queue lies between.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use redis::{PushInfo, PushKind, Value};
use tokio::sync::{broadcast, watch};
use tracing::warn;

use super::keys::Keys;
use super::registry::Registry;
use crate::channel::hub::Hub;
use crate::channel::wire::{self, Packet};
use crate::channel::{GroupClosing, seal};
use crate::domain::id::{Address, NodeId};
use crate::telemetry;

/// Hears for one node.
pub(super) struct Subscriber {
    pub(super) node: NodeId,
    pub(super) hub: Arc<Hub>,
    pub(super) registry: Arc<Registry>,
    pub(super) keys: Arc<Keys>,
    pub(super) possible_gaps: watch::Sender<u64>,
    pub(super) closings: broadcast::Sender<GroupClosing>,
    pub(super) decided: watch::Sender<u64>,
    pub(super) undecodable: AtomicU64,
}

/// What the link itself must know about what was heard.
pub(super) enum PushEvent {
    /// A push that concerns no link, or that was handled already.
    Nothing,
    /// Its own probe.
    Probe(u64),
    /// The connection has ended.
    End,
}

impl Subscriber {
    /// Takes in one push of the server.
    pub(super) fn receive(&self, info: PushInfo) -> PushEvent {
        match info.kind {
            PushKind::Disconnection => return PushEvent::End,
            PushKind::Message => {}
            _ => return PushEvent::Nothing,
        }
        let mut data = info.data.into_iter();
        let (Some(Value::BulkString(channel)), Some(Value::BulkString(bytes))) =
            (data.next(), data.next())
        else {
            return PushEvent::Nothing;
        };
        match self.take(&channel, Bytes::from(bytes)) {
            Ok(heard) => heard,
            Err(undecodable) => {
                metrics::counter!(telemetry::LINK_FRAMES, "what" => "refused").increment(1);
                // Logged at powers of two: a stranger on the channel must not flood the log.
                let count = self.undecodable.fetch_add(1, Ordering::Relaxed) + 1;
                if count.is_power_of_two() {
                    warn!(%undecodable, count, "something in our channels of Redis is not ours");
                }
                PushEvent::Nothing
            }
        }
    }

    fn take(&self, channel: &[u8], sealed: Bytes) -> Result<PushEvent, wire::PacketDecodeError> {
        // What this node publishes has reached its own members before; only the probe matters.
        let head = seal::packet_of(&mut sealed.clone())?;
        let own = wire::sender(&head)? == self.node;
        if own != Packet::is_probe(&head) || (!own && self.keys.alone()) {
            return Ok(PushEvent::Nothing);
        }
        let (from, packet) = Packet::decode(&self.keys.open(own, channel, sealed)?)?;
        if !own {
            metrics::counter!(telemetry::LINK_FRAMES, "what" => "received").increment(1);
        }
        match packet {
            Packet::Group(group, frame) => self.hub.publish(group, Arc::new(frame)),
            Packet::Direct(number, frame) => {
                let node = self.node;
                // Its owner may be gone by now; the sender expects no answer.
                let _ = self.hub.send(&Address { node, number }, frame);
            }
            Packet::Probe(count) if own => return Ok(PushEvent::Probe(count)),
            Packet::Probe(_) => {}
            Packet::Lost => self.note_gap(),
            Packet::Hello => self.registry.came(from),
            Packet::Bye => self.registry.went(from),
            Packet::Decided => self.decided.send_modify(|count| *count += 1),
            Packet::Close(closing) => {
                // Before the server serves there is no receiver, and no socket either.
                let _ = self.closings.send(closing);
            }
        }
        Ok(PushEvent::Nothing)
    }

    /// Frames may have been lost: tells the watchers, who compare with the store.
    pub(super) fn note_gap(&self) {
        self.possible_gaps.send_modify(|count| *count += 1);
    }
}
