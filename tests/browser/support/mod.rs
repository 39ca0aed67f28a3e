//! The harness: processes, people, and what is checked of every page.

pub mod audit;
pub mod cable;
pub mod chat;
pub mod commands;
pub mod driver;
pub mod person;
pub mod server;
pub mod stage;
mod windows;
