//! What the channels and the one key in Redis are called.

use super::outgoing::To;
use crate::channel::GroupId;
use crate::domain::id::NodeId;

/// Names under one prefix.
#[derive(Clone, Debug)]
pub(super) struct ChannelNames {
    prefix: String,
}

impl ChannelNames {
    /// Channels are the same in every database of a server, unlike keys: the database is put into
    /// the name, so that two sites in two databases do not hear each other.
    pub(super) fn new(prefix: &str, database: i64) -> Self {
        let prefix = match database {
            0 => prefix.to_owned(),
            database => format!("{prefix}{database}:"),
        };
        Self { prefix }
    }

    /// The channel by which a packet goes there.
    pub(super) fn channel(&self, to: To) -> String {
        match to {
            To::Room(group) => self.group(group),
            To::Node(node) => self.node(node),
            To::Nodes => self.nodes(),
        }
    }

    /// The channel of one group.
    pub(super) fn group(&self, group: GroupId) -> String {
        let prefix = &self.prefix;
        match group {
            GroupId::Room(room) => format!("{prefix}room:{}", room.0.simple()),
            GroupId::Session(session) => {
                format!("{prefix}session:{:032x}", u128::from_be_bytes(session.0))
            }
            GroupId::Everybody => format!("{prefix}everybody"),
        }
    }

    /// The channel of one node.
    pub(super) fn node(&self, node: NodeId) -> String {
        format!("{}node:{:016x}", self.prefix, node.0)
    }

    /// The channel of all nodes, and the key (a hash) in which they announce themselves.
    pub(super) fn nodes(&self) -> String {
        format!("{}nodes", self.prefix)
    }
}
