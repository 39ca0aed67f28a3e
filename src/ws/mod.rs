//! The sockets: one task each, one loop ([`connection`]) that does what a state machine asks.

pub mod buffered;
pub mod connection;
mod doing;
mod enter;
mod entrance;
pub mod heartbeat;
pub mod line;
pub mod metered;
pub mod outgoing;

pub mod socket;
pub mod upgrade;
