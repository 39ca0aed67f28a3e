//! What tests of several concerns share.

pub mod store;
