//! The HTTP edge: accepting, routing, pages and the API. Sockets are handed over to `ws`.

use bytes::Bytes;
use http_body_util::Full;

use self::request::Peer;

pub mod accept;
pub mod api;
pub mod assets;
pub mod descriptors;
pub mod health;
pub mod query;
pub mod request;
pub mod response;
pub mod router;

/// Every answer's body: whole and in memory; nothing here streams.
pub type Body = Full<Bytes>;

/// The listener that a request came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// `server.listen`, while operators have a listener of their own.
    Site,
    /// `server.operator_listen`.
    Operator,
    /// `server.listen` for all: operators are those who ask from this machine.
    Both,
}

impl Door {
    fn opens(self, operators: bool, peer: &Peer) -> bool {
        match self {
            Self::Site => !operators,
            Self::Operator => operators,
            Self::Both => !operators || peer.loopback,
        }
    }
}
