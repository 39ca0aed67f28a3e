//! The wire contract: the only place that knows the JSON of the sockets.
//! Text in, actions out ([`client`]); facts in, text out ([`server`]); codes ([`close`]); all of it described ([`schema`]).
//! No I/O, no clock.

pub mod client;
pub mod close;
mod entry_texts;
mod field;
mod frame_json;
mod json;
pub mod notice;
pub mod proof;
pub mod replay;
pub mod schema;
pub mod server;
pub mod size;
mod surrogates;

pub use client::{ChatAction, ChatFrame, DecodeError, LobbyAction};
pub use close::{CloseReason, ErrorCode};
pub use frame_json::wait_millis;
pub use notice::NoticeView;
pub use proof::{ProofKey, Proofs};
pub use replay::Replay;
pub use server::Encoder;
pub use surrogates::whole_characters;

/// An encoded frame: UTF-8 that is cheap to clone, made once for all its receivers.
pub type Text = hyper_tungstenite::tungstenite::Utf8Bytes;
