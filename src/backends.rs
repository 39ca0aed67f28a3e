//! Chooses backends by URL. A new backend is one more arm here.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::channel::ChannelLayer;
use crate::channel::memory::MemoryLayer;
use crate::config::Config;
use crate::id::NodeId;
use crate::matching::WaitingPool;
use crate::protocol::Encoder;
use crate::store::Store;

/// What the running server rests on.
pub struct Backends {
    /// The truth about rooms.
    pub store: Arc<dyn Store>,
    /// Who waits.
    pub pool: Arc<dyn WaitingPool>,
    /// Frames between connections.
    pub channel: Arc<dyn ChannelLayer>,
    /// Encodes what clients are sent.
    pub encoder: Encoder,
    /// Resolves when the store's writer is gone: the process cannot go on.
    pub store_died: Died,
}

/// Resolves, with the reason, when something is gone that the process cannot do without.
pub type Died = Pin<Box<dyn Future<Output = String> + Send>>;

/// Why a backend cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// The configuration names what does not exist here.
    #[error("{0}")]
    Config(String),
    /// The store cannot be opened.
    #[error("{0}")]
    Store(String),
}

/// Opens everything that the configuration names.
///
/// # Errors
/// See [`BackendError`].
pub async fn open(config: &Config, node: NodeId) -> Result<Backends, BackendError> {
    let zone = TimeZone::get(&config.chat.time_zone)
        .map_err(|error| BackendError::Config(format!("chat.time_zone: {error}")))?;
    let encoder = Encoder::new(zone);
    let _channel = channel(config, node)?;
    let _ = (encoder, Duration::ZERO);
    Err(BackendError::Store(
        "there is no store yet in this version".to_owned(),
    ))
}

fn channel(config: &Config, node: NodeId) -> Result<Arc<dyn ChannelLayer>, BackendError> {
    match scheme(&config.channel.url) {
        "memory" => Ok(MemoryLayer::new(node, config.limits.mailbox)),
        other => Err(unknown("channel.url", other, "memory:")),
    }
}

fn scheme(url: &str) -> &str {
    url.split_once(':').map_or(url, |(scheme, _)| scheme)
}

fn unknown(key: &str, scheme: &str, legal: &str) -> BackendError {
    BackendError::Config(format!(
        "{key} starts with `{scheme}`, which this version does not know; legal: {legal}"
    ))
}
