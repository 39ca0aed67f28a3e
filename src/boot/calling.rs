//! Calling people: what is needed for it, when `[push]` is enabled.

use std::sync::Arc;

use super::BuildError;
use crate::config::{Config, PushHost, push};
use crate::delivery::calls::Calling;
use crate::push::client::Client;
use crate::push::queue::Caller;
use crate::push::recipient::PushHosts;
use crate::push::vapid::SenderKey;
use crate::store::Store;
use crate::tasks::Drain;

/// What makes calls, to be run.
pub(super) struct Ready {
    pub(super) calling: Calling,
    /// The key by which browsers let this site call them.
    pub(super) public: String,
}

/// Which push services may be gone to; `None`: people are not called.
pub(super) fn hosts(config: &Config) -> Option<Arc<PushHosts>> {
    let allowed = config.push.allowed_hosts.iter().map(PushHost::as_str);
    let hosts = || PushHosts::new(allowed.map(str::to_owned).collect());
    config.push.enabled.then(|| Arc::new(hosts()))
}

/// With the key that the store keeps: the same on all nodes, and for as long as browsers remember it.
pub(super) async fn of(
    config: &Config,
    store: &Arc<dyn Store>,
    shutdown: &Drain,
) -> Result<Option<Ready>, BuildError> {
    let (Some(hosts), Some(contact)) = (hosts(config), push::contact(config)) else {
        return Ok(None);
    };
    let fresh = SenderKey::generate()?;
    let kept = store.push_key(fresh).await;
    let key = SenderKey::read(&kept.map_err(BuildError::StoredKey)?)?;
    let public = key.public();
    let caller = Caller::new(shutdown.clone(), Client::new(), key, contact);
    let calling = Calling {
        store: Arc::clone(store),
        hosts,
        caller,
        worth: config.matching.call_for,
    };
    Ok(Some(Ready { calling, public }))
}
