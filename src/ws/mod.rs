//! The sockets: one task each, one loop ([`connection`]) that does what a state machine asks.

pub mod buffered;
mod charging;
pub mod connection;
pub mod counted_socket;
mod end_watch;
mod enter;
pub mod heartbeat;
mod in_flight;
pub mod metered;
pub mod open;
pub mod socket;
pub mod write_batch;
