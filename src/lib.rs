//! Miyu (秘語): pairs two strangers and lets them talk.
//!
//! Modules in reading order, from the pure core outwards; dependencies point inwards only.

// They panic where nothing can be written, and a panic in the hook for panics ends the process.
#![deny(clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro)]

pub mod backoff;
pub mod clock;
pub mod domain;

pub mod protocol;

pub mod channel;
pub mod keyfile;
pub mod matching;
pub mod redis;
pub mod store;

pub mod config;
pub mod invitation;
pub mod push;
pub mod release_memory;
pub mod tasks;
pub mod telemetry;

pub mod admission;
pub mod console;
pub mod delivery;
pub mod identity;
pub mod operators;
pub mod safety;

pub mod state_machine;
pub mod transport;

pub mod chat;
pub mod lobby;

pub mod assets;
pub mod http;
pub mod state;
pub mod ws;

pub mod boot;
pub mod cli;
