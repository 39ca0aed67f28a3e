//! What HTTP and WebSockets are spoken over: a client's TCP connection, how long it may take, and whose
//! turn it is.

pub mod paced;
pub mod turns;
