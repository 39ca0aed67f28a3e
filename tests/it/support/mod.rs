//! What tests share: a real server in this process, a small HTTP client, backends for the contract
//! suites, backends that are dead; a browser's sockets and two people who meet by them.

pub mod binary;
pub mod checker;
pub mod client;
pub mod cluster;
pub mod cut_proxy;
pub mod desk;
pub mod driver;
pub mod drop_replies;
pub mod faulty;
pub mod fixture;
pub mod frame_rules;
pub mod http;
pub mod load;
pub mod operators;
pub mod original;
pub mod own_postgres;
pub mod people;
pub mod pool;
pub mod ports;
pub mod postgres;
pub mod proxy;
pub mod push_service;
pub mod redis;
pub mod reporting;
pub mod safety;
pub mod scene;
pub mod schema;
pub mod server;
pub mod store;
pub mod talker;
pub mod tcp_proxy;
pub mod tmpfs;
pub mod unavailable;
pub mod wire;
pub mod wrong_clock;
