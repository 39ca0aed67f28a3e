//! Why there is no server: each cause, and which part of the site is to blame for it.

use crate::channel::redis::AnnounceError;
use crate::config::KeyError;
use crate::config::check::SessionKeyError;
use crate::push::vapid::NoKey;
use crate::redis::Unreachable;
use crate::store::StoreError;
use crate::store::postgres::OpenError;
use crate::store::sqlite::SqliteOpenError;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A key names what does not exist here.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The configured key cannot be used.
    #[error("the session key: {0}")]
    ConfiguredKey(#[from] SessionKeyError),
    /// The pages cannot be read.
    #[error("assets.dir: {0}")]
    Assets(#[source] std::io::Error),
    /// The database in a file cannot be opened.
    #[error(transparent)]
    Sqlite(#[from] SqliteOpenError),
    /// The thread that opened it panicked.
    #[error("opening failed: {0}")]
    OpeningDied(#[source] tokio::task::JoinError),
    /// The database of a server cannot be opened.
    #[error(transparent)]
    Postgres(#[from] OpenError),
    /// The store does not say which one it is.
    #[error(transparent)]
    Identity(StoreError),
    /// The store does not give its key.
    #[error("the session key cannot be had: {0}")]
    StoredKey(#[source] StoreError),
    /// The store does not give the key that networks are hashed with.
    #[error("the installation key cannot be had: {0}")]
    SafetyKey(#[source] StoreError),
    /// The store does not give what holds against people.
    #[error("sanctions cannot be read: {0}")]
    Sanctions(#[source] StoreError),
    /// There is no key for calls to browsers.
    #[error("the key of [push] cannot be used: {0}")]
    PushKey(#[from] NoKey),
    /// Redis is not reached.
    #[error("{0}. To run one node without Redis, set channel.url = \"memory:\"")]
    Redis(#[source] Unreachable),
    /// Other nodes are not to be joined.
    #[error(transparent)]
    Announce(#[from] AnnounceError),
}

/// The part of a site to which a [`BuildError`] belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What the operator has set.
    Config,
    /// Where rooms are kept.
    Store,
    /// Redis, or the other nodes.
    Channel,
}

impl BuildError {
    /// Another process has the data now; it may not have them in a moment.
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Sqlite(SqliteOpenError::Locked { .. }))
    }

    /// What is to blame.
    pub fn part(&self) -> Part {
        match self {
            Self::Key(_) | Self::ConfiguredKey(_) | Self::Assets(_) => Part::Config,
            Self::Sqlite(_)
            | Self::OpeningDied(_)
            | Self::Postgres(_)
            | Self::Identity(_)
            | Self::StoredKey(_)
            | Self::SafetyKey(_)
            | Self::Sanctions(_)
            | Self::PushKey(_) => Part::Store,
            Self::Redis(_) | Self::Announce(_) => Part::Channel,
        }
    }
}
