//! Why two nodes must not run at the same time, in words for their operator.

use std::fmt;
use std::time::Duration;

use crate::domain::id::NodeId;

/// How another node is called in what is told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeName {
    pub(super) node: NodeId,
    pub(super) host: String,
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {:016x} on {}", self.node.0, self.host)
    }
}

/// Why two nodes must not run at the same time, and what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeMismatch {
    /// What it announces is not understood.
    #[error("{other} is of an unknown version of Miyu; stop it first")]
    Unknown {
        /// The other node.
        other: NodeName,
    },
    /// They speak differently.
    #[error(
        "{other} speaks version {theirs} of the language between nodes, this node version {mine}: stop all \
         nodes, then start them with one version of Miyu. A node that is gone is forgotten after {} seconds",
        .forgotten.as_secs()
    )]
    Wire {
        /// The other node.
        other: NodeName,
        /// Its version.
        theirs: u8,
        /// This node's.
        mine: u8,
        /// How long a node that is gone counts.
        forgotten: Duration,
    },
    /// Their rooms are in different places.
    #[error(
        "{other} keeps its rooms in store {theirs:016x}, this node in store {mine:016x}: nodes that share a \
         Redis must share a store, so give all of them the same PostgreSQL store.url; for a site of its own \
         set another channel.prefix. A node that is gone is forgotten after {} seconds",
        .forgotten.as_secs()
    )]
    Store {
        /// The other node.
        other: NodeName,
        /// Its store.
        theirs: u64,
        /// This node's.
        mine: u64,
        /// How long a node that is gone counts.
        forgotten: Duration,
    },
    /// They sign differently.
    #[error(
        "{other} has another session key than this node: neither would believe the other's frames, cookies or \
         tokens. Give all nodes the same session.key_file, or none, so that the store keeps one for all. A \
         node that is gone is forgotten after {} seconds",
        .forgotten.as_secs()
    )]
    Key {
        /// The other node.
        other: NodeName,
        /// How long a node that is gone counts.
        forgotten: Duration,
    },
    /// They spread rooms over different servers.
    #[error(
        "channel.url names {theirs} servers for {other} and {mine} for this node: rooms would be looked for in \
         different places; give all nodes the same channel.url"
    )]
    Servers {
        /// The other node.
        other: NodeName,
        /// How many it has.
        theirs: usize,
        /// How many this node has.
        mine: usize,
    },
    /// It was gone before it could be asked.
    #[error("another node is different")]
    Gone,
}
