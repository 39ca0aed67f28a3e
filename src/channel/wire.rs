//! Frames as bytes, for the way between nodes: versioned and bounded. Decoding trusts nothing; what
//! it does not understand it refuses. Which channel the bytes take, and that they are sealed for it
//! ([`super::seal`]), is not its concern.
//!
//! Every packet: version (1 byte), kind (1), the sender's node (8); then what the kind says. Numbers
//! are big-endian. A change of meaning takes a new [`VERSION`]: nodes of two versions do not mix.

use bytes::{Buf as _, Bytes};
use uuid::Uuid;

use super::{Frame, GroupId};
use crate::domain::id::{Address, NodeId, RoomId, Seq, SessionId, Side, TicketId, Timestamp};
use crate::protocol::Text;
use crate::protocol::server::EntryTexts;

/// Of this encoding. Nodes announce it; others refuse to start beside it.
pub const VERSION: u8 = 3;

/// No packet is longer; the longest message with its quote takes a tenth of it.
pub const MOST_BYTES: usize = 256 * 1024;

/// No place in a log and no version of a side is greater: a room would have to live for ages. What
/// says so is not ours, and would leave no room for counting on.
pub const MOST_COUNT: u64 = 1 << 40;

/// What travels from node to node.
#[derive(Clone, Debug, PartialEq)]
pub enum Packet {
    /// To every member of a group.
    Group(GroupId, Frame),
    /// To one mailbox of the node that hears this, by number.
    Direct(u64, Frame),
    /// To oneself: proof that what is published is heard.
    Canary(u64),
    /// To every node: frames of the sender were lost. Look into the store.
    Lost,
    /// To every node: the sender can be reached from now on.
    Hello,
    /// To every node: the sender is about to end.
    Bye,
    /// To every node: this session was forgotten. Its sockets end.
    Forget(SessionId),
}

/// Bytes that are no packet of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Garbled {
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
            Self::Direct(to, frame) => packet(from, b'd', |out| {
                out.extend(to.to_be_bytes());
                put_frame(out, frame)
            }),
            Self::Canary(count) => packet(from, b'c', |out| {
                out.extend(count.to_be_bytes());
                Some(())
            }),
            Self::Lost => packet(from, b'l', |_| Some(())),
            Self::Hello => packet(from, b'h', |_| Some(())),
            Self::Bye => packet(from, b'q', |_| Some(())),
            Self::Forget(session) => packet(from, b'f', |out| {
                out.extend(session.0);
                Some(())
            }),
        }
    }

    /// Whether these bytes, of a known sender, are a [`Packet::Canary`].
    pub fn is_canary(bytes: &[u8]) -> bool {
        bytes.get(1) == Some(&b'c')
    }

    /// Understands what [`Packet::encode`] made; texts share the memory of `bytes`.
    ///
    /// # Errors
    /// See [`Garbled`].
    pub fn decode(bytes: Bytes) -> Result<(NodeId, Self), Garbled> {
        let from = sender(&bytes)?;
        let mut bytes = Reader(bytes);
        bytes.0.advance(1);
        let kind = bytes.byte()?;
        bytes.0.advance(8);
        let packet = match kind {
            b'g' => Self::Group(GroupId(bytes.room()?), bytes.frame()?),
            b'd' => Self::Direct(bytes.number()?, bytes.frame()?),
            b'c' => Self::Canary(bytes.number()?),
            b'l' => Self::Lost,
            b'h' => Self::Hello,
            b'q' => Self::Bye,
            b'f' => Self::Forget(SessionId(bytes.array()?)),
            _ => return Err(Garbled::Shape),
        };
        match bytes.0.is_empty() {
            true => Ok((from, packet)),
            false => Err(Garbled::Shape),
        }
    }
}

/// [`Packet::Group`] as bytes, without taking the frame.
pub fn group_packet(from: NodeId, group: GroupId, frame: &Frame) -> Option<Vec<u8>> {
    packet(from, b'g', |out| {
        out.extend(group.0.0.as_bytes());
        put_frame(out, frame)
    })
}

/// Who sent these bytes: a look at their head, for those who skip their own.
///
/// # Errors
/// See [`Garbled`].
pub fn sender(bytes: &[u8]) -> Result<NodeId, Garbled> {
    let version = *bytes.first().ok_or(Garbled::Shape)?;
    if version != VERSION {
        return Err(Garbled::Version(version));
    }
    if bytes.len() > MOST_BYTES {
        return Err(Garbled::Shape);
    }
    let node = bytes.get(2..10).ok_or(Garbled::Shape)?;
    let node = node.try_into().expect("eight bytes");
    Ok(NodeId(u64::from_be_bytes(node)))
}

/// Most frames that are not entries are shorter.
const SHORT: usize = 96;

fn packet(
    from: NodeId,
    kind: u8,
    body: impl FnOnce(&mut Vec<u8>) -> Option<()>,
) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(SHORT);
    out.extend([VERSION, kind]);
    out.extend(from.0.to_be_bytes());
    body(&mut out)?;
    (out.len() <= MOST_BYTES).then_some(out)
}

/// `None` for what is not for other nodes.
fn put_frame(out: &mut Vec<u8>, frame: &Frame) -> Option<()> {
    match frame {
        Frame::Entry {
            seq,
            by,
            closes,
            texts,
        } => {
            out.push(b'e');
            out.extend(seq.0.to_be_bytes());
            out.extend([index(*by), u8::from(*closes)]);
            put_texts(out, texts);
        }
        Frame::Opened {
            side,
            connection,
            version,
        } => {
            out.extend([b'o', index(*side)]);
            put_address(out, *connection);
            out.extend(version.to_be_bytes());
        }
        Frame::Closed {
            side,
            connection,
            away,
        } => {
            out.extend([b'c', index(*side)]);
            put_address(out, *connection);
            out.push(u8::from(away.is_some()));
            out.extend(away.map(u64::to_be_bytes).into_iter().flatten());
        }
        Frame::Swapped { session, by, to } => {
            out.push(b's');
            out.extend(session.0);
            put_address(out, *by);
            out.push(index(*to));
        }
        Frame::Typing { side, is_typing } => {
            out.extend([b't', index(*side), u8::from(*is_typing)]);
        }
        Frame::Read { side, seq } => {
            out.extend([b'r', index(*side)]);
            out.extend(seq.0.to_be_bytes());
        }
        Frame::Closing { at } => {
            out.push(b'z');
            out.extend(at.0.to_be_bytes());
        }
        Frame::Matched(pairing) | Frame::MatchedElsewhere(pairing) => {
            out.push(b'm');
            let json = serde_json::to_vec(&**pairing).expect("pairings have string keys");
            put_long(out, &json);
        }
        Frame::TicketReplaced(ticket) => {
            out.push(b'x');
            out.extend(ticket.0.as_bytes());
        }
        Frame::GaveBack => out.push(b'b'),
        Frame::Position(_) => return None,
    }
    Some(())
}

/// Both texts, or one that both sides share: entries differ for departures only.
fn put_texts(out: &mut Vec<u8>, texts: &EntryTexts) {
    let differing = texts.differing();
    out.push(u8::from(differing.is_some()));
    if let Some([first, _]) = differing {
        put_long(out, first.as_bytes());
    }
    out.extend(texts.for_side(Side::B).as_bytes());
}

/// Bytes with their length before them.
fn put_long(out: &mut Vec<u8>, bytes: &[u8]) {
    // What does not fit is far beyond what a packet may be.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend(length.to_be_bytes());
    out.extend(bytes);
}

fn put_address(out: &mut Vec<u8>, address: Address) {
    out.extend(address.node.0.to_be_bytes());
    out.extend(address.number.to_be_bytes());
}

fn index(side: Side) -> u8 {
    u8::try_from(side.index()).expect("0 or 1")
}

/// What is left to read.
struct Reader(Bytes);

impl Reader {
    fn frame(&mut self) -> Result<Frame, Garbled> {
        Ok(match self.byte()? {
            b'e' => Frame::Entry {
                seq: self.seq()?,
                by: self.side()?,
                closes: self.flag()?,
                texts: self.texts()?,
            },
            b'o' => Frame::Opened {
                side: self.side()?,
                connection: self.address()?,
                version: self.count()?,
            },
            b'c' => Frame::Closed {
                side: self.side()?,
                connection: self.address()?,
                away: self.maybe(Self::count)?,
            },
            b's' => Frame::Swapped {
                session: SessionId(self.array()?),
                by: self.address()?,
                to: self.side()?,
            },
            b't' => Frame::Typing {
                side: self.side()?,
                is_typing: self.flag()?,
            },
            b'r' => Frame::Read {
                side: self.side()?,
                seq: self.seq()?,
            },
            b'z' => Frame::Closing {
                at: Timestamp(i64::from_be_bytes(self.array()?)),
            },
            b'm' => {
                let pairing = serde_json::from_slice(&self.long()?).map_err(|_| Garbled::Shape)?;
                Frame::MatchedElsewhere(std::sync::Arc::new(pairing))
            }
            b'x' => Frame::TicketReplaced(TicketId(Uuid::from_bytes(self.array()?))),
            b'b' => Frame::GaveBack,
            _ => return Err(Garbled::Shape),
        })
    }

    fn texts(&mut self) -> Result<EntryTexts, Garbled> {
        if !self.flag()? {
            let both = text(self.rest())?;
            return Ok(EntryTexts::same(both));
        }
        let texts = [text(self.long()?)?, text(self.rest())?];
        Ok(EntryTexts::by_side(texts))
    }

    /// What a flag says is there.
    fn maybe<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Garbled>,
    ) -> Result<Option<T>, Garbled> {
        match self.flag()? {
            true => read(self).map(Some),
            false => Ok(None),
        }
    }

    fn address(&mut self) -> Result<Address, Garbled> {
        Ok(Address {
            node: NodeId(self.number()?),
            number: self.number()?,
        })
    }

    fn room(&mut self) -> Result<RoomId, Garbled> {
        Ok(RoomId(Uuid::from_bytes(self.array()?)))
    }

    fn seq(&mut self) -> Result<Seq, Garbled> {
        Ok(Seq(self.count()?))
    }

    /// What is counted up one by one.
    fn count(&mut self) -> Result<u64, Garbled> {
        match self.number()? {
            count @ 0..=MOST_COUNT => Ok(count),
            _ => Err(Garbled::Shape),
        }
    }

    fn side(&mut self) -> Result<Side, Garbled> {
        Side::from_index(self.byte()?.into()).ok_or(Garbled::Shape)
    }

    fn flag(&mut self) -> Result<bool, Garbled> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Garbled::Shape),
        }
    }

    fn number(&mut self) -> Result<u64, Garbled> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    fn byte(&mut self) -> Result<u8, Garbled> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Garbled> {
        let bytes = self.take(N)?;
        Ok(bytes[..].try_into().expect("as many as taken"))
    }

    fn take(&mut self, length: usize) -> Result<Bytes, Garbled> {
        match length <= self.0.len() {
            true => Ok(self.0.split_to(length)),
            false => Err(Garbled::Shape),
        }
    }

    fn long(&mut self) -> Result<Bytes, Garbled> {
        let length = u32::from_be_bytes(self.array()?);
        self.take(usize::try_from(length).map_err(|_| Garbled::Shape)?)
    }

    fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.0)
    }
}

fn text(bytes: Bytes) -> Result<Text, Garbled> {
    Text::try_from(bytes).map_err(|_| Garbled::Shape)
}
