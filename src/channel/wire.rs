//! Frames as bytes, for the way between nodes: versioned and bounded. Decoding trusts nothing; what
//! it does not understand it refuses. Which channel the bytes take, and that they are sealed for it
//! ([`super::seal`]), is not its concern.
//!
//! Every packet: [`VERSION`] (1 byte), whether it is a probe (1), the sender's node (8, big-endian); then
//! the [`Packet`] in postcard's format, whose bytes depend on the order of fields and variants. A change of
//! either takes a new version: nodes of two versions do not mix.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Frame, GroupClosing, GroupId};
use crate::domain::id::NodeId;

/// Of this encoding. Nodes announce it; others refuse to start beside it.
pub const VERSION: u8 = 8;

/// No packet is longer; the longest message with its quote takes a tenth of it.
pub const MOST_BYTES: usize = 256 * 1024;

/// No place in a log and no version of a side is greater: a room would have to live for ages. What
/// says so is not ours, and would leave no room for counting on.
pub const MOST_COUNT: u64 = 1 << 40;

/// Before the packet itself.
const HEAD: usize = 10;

/// What travels from node to node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Packet {
    /// To every member of a group.
    Group(GroupId, Frame),
    /// To one mailbox of the node that hears this, by number.
    Direct(u64, Frame),
    /// To oneself: proof that what is published is heard.
    Probe(u64),
    /// To every node: frames of the sender were lost. Look into the store.
    Lost,
    /// To every node: the sender can be reached from now on.
    Hello,
    /// To every node: the sender is about to end.
    Bye,
    /// To every node: the connections of a group end.
    Close(GroupClosing),
    /// To every node: something of people's safety was decided. Look into the store.
    Decided,
}

/// Bytes that are no packet of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketDecodeError {
    /// Another version of Miyu wrote it.
    #[error("version {0} is not {VERSION}")]
    Version(u8),
    /// It ends too early, goes on too long or says what cannot be.
    #[error("no packet")]
    Shape,
    /// Its seal is missing or wrong.
    #[error(
        "it is not sealed with this site's session key for this channel: another program publishes \
         there, or another site uses the same channel.prefix"
    )]
    Seal,
}

impl Packet {
    /// As bytes; `None` when longer than [`MOST_BYTES`], and for a [`Frame::Position`], which each
    /// node reads from the store for itself.
    pub fn encode(&self, from: NodeId) -> Option<Vec<u8>> {
        match self {
            Self::Group(group, frame) => group_packet(from, *group, frame),
            Self::Direct(to, Frame::Matched(pairing)) => {
                let frame = Frame::MatchedElsewhere(Arc::clone(pairing));
                write(from, false, &Self::Direct(*to, frame))
            }
            _ => write(from, matches!(self, Self::Probe(_)), self),
        }
    }

    /// Whether these bytes, of a known sender, are a [`Packet::Probe`].
    pub fn is_probe(bytes: &[u8]) -> bool {
        bytes.get(1) == Some(&1)
    }

    /// Understands what [`Packet::encode`] made.
    ///
    /// # Errors
    /// See [`PacketDecodeError`].
    pub fn decode(bytes: &Bytes) -> Result<(NodeId, Self), PacketDecodeError> {
        let from = sender(bytes)?;
        let read = postcard::take_from_bytes::<Self>(&bytes[HEAD..]);
        let (packet, rest) = read.map_err(|_| PacketDecodeError::Shape)?;
        let is_probe = matches!(packet, Self::Probe(_));
        let fits = rest.is_empty() && bytes[1] == u8::from(is_probe) && packet.is_plausible();
        match fits {
            true => Ok((from, packet)),
            false => Err(PacketDecodeError::Shape),
        }
    }

    fn is_plausible(&self) -> bool {
        match self {
            Self::Group(_, frame) | Self::Direct(_, frame) => frame.is_plausible(),
            _ => true,
        }
    }
}

impl Frame {
    /// Whether what it counts can have been counted.
    fn is_plausible(&self) -> bool {
        match self {
            Self::Entry { seq, .. } | Self::Read { seq, .. } => seq.0 <= MOST_COUNT,
            Self::Opened { version, .. } => *version <= MOST_COUNT,
            Self::Closed { away, .. } => away.is_none_or(|version| version <= MOST_COUNT),
            _ => true,
        }
    }
}

/// [`Packet::Group`] as bytes, without taking the frame.
pub fn group_packet(from: NodeId, group: GroupId, frame: &Frame) -> Option<Vec<u8>> {
    /// The same variant as [`Packet::Group`] for postcard, with a frame that is lent.
    #[derive(Serialize)]
    enum Lent<'a> {
        Group(GroupId, &'a Frame),
    }
    write(from, false, &Lent::Group(group, frame))
}

/// Who sent these bytes: a look at their head, for those who skip their own.
///
/// # Errors
/// See [`PacketDecodeError`].
pub fn sender(bytes: &[u8]) -> Result<NodeId, PacketDecodeError> {
    let version = *bytes.first().ok_or(PacketDecodeError::Shape)?;
    if version != VERSION {
        return Err(PacketDecodeError::Version(version));
    }
    if bytes.len() > MOST_BYTES {
        return Err(PacketDecodeError::Shape);
    }
    let node = bytes.get(2..HEAD).ok_or(PacketDecodeError::Shape)?;
    let node = node.try_into().expect("eight bytes");
    Ok(NodeId(u64::from_be_bytes(node)))
}

/// `None` for what is not for other nodes, or too long for them.
fn write(from: NodeId, probe: bool, packet: &impl Serialize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(SHORT);
    out.extend([VERSION, u8::from(probe)]);
    out.extend(from.0.to_be_bytes());
    let out = postcard::to_extend(packet, out).ok()?;
    (out.len() <= MOST_BYTES).then_some(out)
}

/// Most frames that are not entries are shorter.
const SHORT: usize = 96;
