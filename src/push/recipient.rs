//! The recipient of a call: a subscription that was looked at.

use super::endpoint::Endpoint;
use super::payload::BrowserKeys;
use crate::domain::Subscription;

/// Hosts that the operator names beside the known push services: `push.allowed_hosts`.
#[derive(Clone, Debug, Default)]
pub struct PushHosts(Vec<String>);

/// One browser that may be called.
#[derive(Clone, Debug)]
pub struct Recipient {
    pub(super) endpoint: Endpoint,
    pub(super) keys: BrowserKeys,
}

impl PushHosts {
    /// These, each `host` or `host:port`.
    pub fn new(allowed: Vec<String>) -> Self {
        Self(allowed)
    }

    /// The recipient that this subscription names; `None` for what is none, or is not of a push service that is gone to.
    pub fn recipient(&self, subscription: &Subscription) -> Option<Recipient> {
        Some(Recipient {
            endpoint: Endpoint::parse(&subscription.endpoint, &self.0)?,
            keys: BrowserKeys::parse(&subscription.p256dh, &subscription.auth)?,
        })
    }
}
