//! The channel layer: frames between connections, perhaps across nodes. Only a hint; the store is
//! the truth. The word is Django Channels'.
//!
//! A backend is finished when the contract suite in `tests/it/contract/channel.rs` passes.

use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};

use crate::domain::id::{Address, RoomId, SessionId};
use crate::protocol::CloseReason;

pub mod frame;
pub mod hub;
pub mod mailbox;
pub mod memory;
pub mod redis;
pub mod seal;
pub mod wire;

pub use frame::{EntryRole, Frame};
pub use hub::Membership;
pub use mailbox::{Mailbox, Outbox, Received};

/// Connections that are addressed together. Those of a room join it and hear what is published to it; the
/// others are told only to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GroupId {
    /// The connections to one room.
    Room(RoomId),
    /// The connections of one browser.
    Session(SessionId),
    /// All connections of the site.
    Everybody,
}

impl GroupId {
    /// The room, if it is the group of one.
    pub fn room(self) -> Option<RoomId> {
        match self {
            Self::Room(room) => Some(room),
            Self::Session(_) | Self::Everybody => None,
        }
    }
}

/// The connections of a group end, each with this close code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupClosing {
    /// The group whose connections end.
    pub group: GroupId,
    /// What their clients are told.
    pub reason: CloseReason,
}

/// Why a frame could not be put into a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The mailbox is full; its owner was marked lagged and will look for itself.
    #[error("the mailbox is full")]
    Full,
    /// There is no such mailbox (any more).
    #[error("the mailbox is gone")]
    Gone,
    /// Not known: the node of the mailbox does not answer.
    #[error("the mailbox's node does not answer")]
    Unavailable,
}

/// What the layer holds now, on this node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Open mailboxes.
    pub mailboxes: usize,
    /// Groups with at least one member.
    pub groups: usize,
}

/// How the layer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything published reaches every member that keeps up.
    Live,
    /// Frames to and from other nodes may be lost; the reason.
    Degraded(String),
}

/// What [`ChannelLayer::join`] answers with.
pub type Joining<'a> = Pin<Box<dyn Future<Output = Membership> + Send + 'a>>;

/// Frames between connections.
///
/// Delivery: at most once, to every member whose mailbox has room; it may lose, it never invents.
/// Order: frames that one thread publishes to one group arrive in that order on this node.
/// It never waits for a slow reader: a full mailbox drops the frame and marks its owner lagged.
pub trait ChannelLayer: Send + Sync {
    /// A new address, unique over all nodes and for ever, with its mailbox. Dropping the mailbox
    /// forgets the address.
    fn open(&self) -> (Outbox, Mailbox);

    /// Puts a frame into one mailbox.
    ///
    /// # Errors
    /// See [`SendError`]; for another node, `Ok` means handed over, not received.
    fn send(&self, to: &Address, frame: Frame) -> Result<(), SendError>;

    /// Membership is live when this resolves: what is published from then on arrives. A backend that
    /// cannot reach its peers resolves within a second all the same, degraded.
    fn join<'a>(&'a self, group: GroupId, outbox: &'a Outbox) -> Joining<'a>;

    /// Gives a frame to every member of the group, the publisher included. Never blocks.
    fn publish(&self, group: GroupId, frame: Frame);

    /// The same, but only to the members on this node.
    fn publish_here(&self, group: GroupId, frame: Frame);

    /// Groups with members on this node that may miss what other nodes publish: they are compared
    /// with the store now and then.
    fn unreliable_groups(&self) -> Vec<GroupId>;

    /// Changes whenever frames of other nodes may just have been lost: time to compare.
    fn possible_gaps(&self) -> watch::Receiver<u64>;

    /// People online on all nodes, as far as known; `here` are those of this one.
    fn online(&self, here: u64) -> u64;

    /// Tells other nodes to end the connections of a group: at most once, without waiting. A layer of one
    /// process has no other node to tell.
    fn close_elsewhere(&self, _closing: GroupClosing) {}

    /// The groups whose connections other nodes say are to end; `None` in a layer of one process.
    fn closings(&self) -> Option<broadcast::Receiver<GroupClosing>> {
        None
    }

    /// Tells all nodes, this one too, that something of people's safety was decided: at most once elsewhere, without
    /// waiting. What it was stands in the store.
    fn tell_decided(&self) {}

    /// Changes whenever a node tells that: time to look into the store.
    fn decided(&self) -> watch::Receiver<u64> {
        watch::Sender::new(0).subscribe()
    }

    /// Whether every frame comes from this very process, so that none can be another program's.
    fn in_process(&self) -> bool {
        false
    }

    /// What this node holds.
    fn counts(&self) -> Counts;

    /// How the layer is.
    fn status(&self) -> Status;

    /// Takes nothing more.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// A frame as mailboxes hold it: shared by all its receivers.
pub type SharedFrame = Arc<Frame>;
