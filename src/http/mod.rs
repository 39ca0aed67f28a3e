//! The HTTP edge: accepting, routing, pages and the API. Sockets are handed over to [`crate::ws`].

use bytes::Bytes;
use http_body_util::Full;

pub mod limit;
pub mod request;

/// Every answer's body: whole and in memory; nothing here streams.
pub type Body = Full<Bytes>;
