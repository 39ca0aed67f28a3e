//! What tests of several concerns share.

pub mod pool;
pub mod store;
