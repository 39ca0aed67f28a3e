//! The channel layer of one process: the hub alone.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::watch;

use super::hub::Hub;
use super::{ChannelLayer, Counts, Frame, GroupId, Joining, Mailbox, Outbox, SendError, Status};
use crate::domain::id::{Address, NodeId};

/// Everything stays in this process; nothing is ever lost.
pub struct MemoryLayer {
    instead: Option<String>,
    hub: Arc<Hub>,
    possible_gaps: watch::Sender<u64>,
    decided: watch::Sender<u64>,
}

impl MemoryLayer {
    /// A layer whose mailboxes hold `capacity` frames.
    pub fn new(node: NodeId, capacity: usize) -> Arc<Self> {
        Self::build(node, capacity, None)
    }

    /// The same, standing in for a layer that reaches other nodes: it is degraded for this reason.
    pub fn instead(node: NodeId, capacity: usize, why: String) -> Arc<Self> {
        Self::build(node, capacity, Some(why))
    }

    fn build(node: NodeId, capacity: usize, instead: Option<String>) -> Arc<Self> {
        Arc::new(Self {
            instead,
            hub: Hub::new(node, capacity),
            possible_gaps: watch::Sender::new(0),
            decided: watch::Sender::new(0),
        })
    }
}

impl ChannelLayer for MemoryLayer {
    fn open(&self) -> (Outbox, Mailbox) {
        self.hub.open()
    }

    fn send(&self, to: &Address, frame: Frame) -> Result<(), SendError> {
        self.hub.send(to, frame)
    }

    fn join<'a>(&'a self, group: GroupId, outbox: &'a Outbox) -> Joining<'a> {
        Box::pin(std::future::ready(self.hub.join(group, outbox)))
    }

    fn publish(&self, group: GroupId, frame: Frame) {
        self.hub.publish(group, Arc::new(frame));
    }

    fn publish_here(&self, group: GroupId, frame: Frame) {
        self.publish(group, frame);
    }

    fn unreliable_groups(&self) -> Vec<GroupId> {
        Vec::new()
    }

    fn possible_gaps(&self) -> watch::Receiver<u64> {
        self.possible_gaps.subscribe()
    }

    fn online(&self, here: u64) -> u64 {
        here
    }

    fn tell_decided(&self) {
        self.decided.send_modify(|count| *count += 1);
    }

    fn decided(&self) -> watch::Receiver<u64> {
        self.decided.subscribe()
    }

    fn in_process(&self) -> bool {
        true
    }

    fn counts(&self) -> Counts {
        self.hub.counts()
    }

    fn status(&self) -> Status {
        match &self.instead {
            None => Status::Live,
            Some(why) => Status::Degraded(why.clone()),
        }
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}
