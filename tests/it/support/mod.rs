//! What tests share: a real server in this process, a small HTTP client, backends for the contract
//! suites, backends that are dead.

pub mod dead;
pub mod http;
pub mod pool;
pub mod server;
pub mod store;
