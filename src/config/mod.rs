//! Everything an operator can set: one small file per concern, each key with its meaning, its
//! default and its type in one place ([`section`]). Layering is in [`mod@load`], rules between keys in
//! [`check`]; `miyu default-config` and `config/miyu.toml` are generated from the same declarations.

#[macro_use]
mod section;

mod accent;
mod admin;
mod assets;
pub mod bounds;
mod channel;
mod chat;
pub mod check;
mod contact;
mod hours;
mod limits;
pub mod load;
mod log;
mod matching;
pub mod notices;
pub mod origin;
pub mod problem;
pub mod push;
mod safety;
pub mod sample;
mod secret;
mod server;
mod session;
mod site;
mod store;
mod topic;
mod value;

pub use accent::Rgb;
pub use admin::Admin;
pub use assets::Assets;
pub use channel::{Channel, WhenUnreachable};
pub use chat::Chat;
pub use contact::Contact;
pub use hours::{Hours, HoursError, Opening};
pub use limits::Limits;
pub use load::{Given, Loaded, load};
pub use log::Log;
pub use matching::Matching;
pub use problem::{ConfigProblem, ConfigProblems, KeyError, ValueError};
pub use push::{Push, PushHost};
pub use safety::Safety;
pub use secret::Secret;
pub use server::{OperatorListen, Server};
pub use session::Session;
pub use site::{DefaultLanguage, LANGUAGES, OfferedTopic, Site};
pub use store::{Store, StorePlace};
pub use topic::Topic;
pub use value::Words;

pub use crate::store::Durability;
pub use crate::telemetry::log::Format as LogFormat;

use load::Layers;
use section::Section;

/// Everything an operator can set.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Listening, proxies, draining.
    pub server: Server,
    /// What visitors read about this site.
    pub site: Site,
    /// Where rooms are kept.
    pub store: Store,
    /// How frames travel between connections.
    pub channel: Channel,
    /// Which searches are paired.
    pub matching: Matching,
    /// What happens in a room.
    pub chat: Chat,
    /// Calling people whose page is closed.
    pub push: Push,
    /// Cookies and tokens.
    pub session: Session,
    /// Reports about people, and what follows from them.
    pub safety: Safety,
    /// The operators' console and commands.
    pub admin: Admin,
    /// Every numeric bound.
    pub limits: Limits,
    /// Pages and files.
    pub assets: Assets,
    /// What is written to stderr.
    pub log: Log,
}

/// All sections, in the order in which people read them.
pub const SECTIONS: [Section; 13] = [
    Server::SECTION,
    Site::SECTION,
    Store::SECTION,
    Channel::SECTION,
    Matching::SECTION,
    Chat::SECTION,
    Push::SECTION,
    Session::SECTION,
    Safety::SECTION,
    Admin::SECTION,
    Limits::SECTION,
    Assets::SECTION,
    Log::SECTION,
];

impl Config {
    /// Reads every key from the layers, noting every one that cannot be understood.
    fn read(layers: &Layers, problems: &mut ConfigProblems) -> Self {
        Self {
            server: Server::read(layers, problems),
            site: Site::read(layers, problems),
            store: Store::read(layers, problems),
            channel: Channel::read(layers, problems),
            matching: Matching::read(layers, problems),
            chat: Chat::read(layers, problems),
            push: Push::read(layers, problems),
            session: Session::read(layers, problems),
            safety: Safety::read(layers, problems),
            admin: Admin::read(layers, problems),
            limits: Limits::read(layers, problems),
            assets: Assets::read(layers, problems),
            log: Log::read(layers, problems),
        }
    }
}
