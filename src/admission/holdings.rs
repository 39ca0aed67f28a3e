//! What a client can make us hold, added up.

/// Most that one connection holds without a reservation, in bytes.
pub const CONNECTION: u64 = 32 * 1024;
