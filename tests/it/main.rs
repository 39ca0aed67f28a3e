//! The one integration binary: a module per concern, shared support beside them.
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

mod architecture;
mod assets;
mod cli;
mod config;
mod contract;
mod crash;
mod disk_full;
mod drain;
mod fuzz_decoder;
mod http;
mod pool_model;
mod rooms;
mod session;
mod store_model;
mod store_refused;
mod store_sqlite;
mod support;
