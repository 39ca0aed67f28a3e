//! The one integration binary: a module per concern, shared support beside them.
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

mod architecture;
mod assets;
mod bounded_pages;
mod chat_crossing;
mod chat_errors;
mod chat_leaving;
mod chat_log;
mod chat_presence;
mod chat_socket;
mod chat_unavailable;
mod cli;
mod close_codes;
mod cluster;
mod cluster_config;
mod config;
mod contract;
mod crash;
mod departures;
mod disk_full;
mod drain;
mod fuzz_decoder;
mod hostile_frames;
mod hostile_http;
mod hostile_net;
mod http;
mod identity;
mod load;
mod log_privacy;
mod matching_blocks;
mod matching_nodes;
mod matching_outages;
mod matching_races;
mod matching_socket;
mod matching_wishes;
mod memory;
mod original_client;
mod pinned;
mod pool_model;
mod pool_redis;
mod pool_together;
mod proxies;
mod redis_access;
mod redis_nodes;
mod redis_outages;
mod redis_servers;
mod redis_start;
mod room_closing;
mod rooms;
mod secrets_kept;
mod session;
mod store_full;
mod store_model;
mod store_postgres;
mod store_refused;
mod store_sqlite;
mod storm;
mod supervisor;
mod support;
mod systemd_unit;
mod two_runs;
mod wire_packets;
