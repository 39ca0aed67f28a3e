//! The composition root: what the running server is made of.

use std::sync::Arc;

use crate::config::Config;
use crate::http::limit::RateLimits;
use crate::http::request::ProxyNotice;
use crate::id::NodeId;
use crate::matching::WaitingPool;
use crate::session::Signer;
use crate::session::online::Online;
use crate::shutdown::Drain;
use crate::store::Store;

/// Everything a connection or a request may need.
pub struct App {
    /// What the operator set.
    pub config: Arc<Config>,
    /// This run of this process.
    pub node: NodeId,
    /// The truth about rooms.
    pub store: Arc<dyn Store>,
    /// Who waits.
    pub pool: Arc<dyn WaitingPool>,
    /// Signs cookies and tokens.
    pub signer: Signer,
    /// Rates and counts of people.
    pub limits: RateLimits,
    /// Browsers with an open socket.
    pub online: Online,
    /// Forwarded headers from somebody not trusted.
    pub proxy_notice: ProxyNotice,
    /// The way out.
    pub shutdown: Drain,
}
