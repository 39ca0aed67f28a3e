//! Names of things: newtypes, so that a room is never taken for a session.
//! No I/O; what draws fresh random ids says so.

use std::fmt;

use foldhash::fast::RandomState;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A map by ids that the server makes: a client cannot choose them to collide, so they are hashed quickly.
pub type IdMap<K, V> = std::collections::HashMap<K, V, RandomState>;

/// A room's public name, chosen before two tickets are paired (UUID v7: sorts by birth).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct RoomId(pub Uuid);

impl RoomId {
    /// A fresh id; reads the clock and the random source.
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }

    /// Parses the hyphenated or simple text form of a UUID.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Place of an entry in its room's log: 1, 2, 3 … without a gap. 0 means "before the first".
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first entry.
    pub const ZERO: Seq = Seq(0);

    /// The place right after this one.
    #[must_use]
    pub fn next(self) -> Seq {
        Seq(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One of the two people of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    /// The one who arrived at the pool and found the other.
    A,
    /// The one who waited.
    B,
}

impl Side {
    /// Both, in storage order.
    pub const BOTH: [Side; 2] = [Side::A, Side::B];

    /// The person opposite.
    #[must_use]
    pub fn other(self) -> Side {
        match self {
            Side::A => Side::B,
            Side::B => Side::A,
        }
    }

    /// 0 or 1, for arrays indexed by side and for storage.
    pub fn index(self) -> usize {
        match self {
            Side::A => 0,
            Side::B => 1,
        }
    }

    /// The inverse of [`Side::index`]; `None` for anything but 0 and 1.
    pub fn from_index(index: usize) -> Option<Side> {
        Side::BOTH.get(index).copied()
    }
}

/// One browser: what the signed cookie carries. Never shown to another person, never logged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId(pub [u8; 16]);

impl SessionId {
    /// A fresh random session.
    pub fn fresh() -> Self {
        Self(rand::random())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

/// One run of one process; a restart is a new incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u64);

impl NodeId {
    /// A fresh random incarnation (63 bits: it is stored as a signed integer).
    pub fn fresh() -> Self {
        Self(rand::random::<u64>() >> 1)
    }
}

/// Names the data of one store, whichever process has it open: nodes that work together must agree on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StoreId(pub u64);

/// Where a connection's mailbox is, unique over all nodes and for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The process that holds the mailbox.
    pub node: NodeId,
    /// The mailbox's number within that process, counted up.
    pub number: u64,
}

/// Names a waiting ticket: one search of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TicketId(pub Uuid);

impl TicketId {
    /// A fresh random id.
    pub fn fresh() -> Self {
        Self(Uuid::new_v4())
    }
}

/// Wall-clock time in milliseconds since the Unix epoch. It labels, it never orders.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This moment plus a duration.
    #[must_use]
    pub fn plus(self, duration: std::time::Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// This moment minus a duration.
    #[must_use]
    pub fn minus(self, duration: std::time::Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long ago `earlier` was; zero when the clock went backwards.
    pub fn since(self, earlier: Timestamp) -> std::time::Duration {
        std::time::Duration::from_millis(
            u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0),
        )
    }
}
