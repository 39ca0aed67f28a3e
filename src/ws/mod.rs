//! The sockets: one task each, one loop ([`connection`]) that does what a state machine asks.

pub mod buffered;
pub mod connection;
mod doing;
mod enter;
pub mod heartbeat;
pub mod line;
pub mod metered;
pub mod open;
pub mod outgoing;

pub mod socket;
