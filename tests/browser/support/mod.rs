//! The harness: processes, people, and what is checked of every page.

pub mod audit;
mod bidi;
pub mod browser;
pub mod cable;
pub mod chat;
mod chromium;
pub mod commands;
pub mod console;
pub mod desk;
pub mod driver;
mod firefox;
mod heard;
mod house;
pub mod person;
#[expect(
    dead_code,
    reason = "the other suite asks for addresses, this one for ports"
)]
#[path = "../../it/support/ports.rs"]
mod ports;
pub mod server;
mod session;
pub mod stage;
pub mod touch;
mod windows;
