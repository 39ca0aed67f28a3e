//! The one integration binary: a module per concern, shared support beside them.
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

mod contract;
mod pool_model;
mod support;
