//! The handles that edges share: a plain struct, made by [`crate::boot`]. What is done with them is
//! decided in the rooms that they come from.

use std::sync::Arc;

use parking_lot::RwLock;

use crate::admission::RateLimits;
use crate::admission::door::Door;
use crate::admission::memory_budget::MemoryBudget;
use crate::assets::Assets;
use crate::channel::ChannelLayer;
use crate::chat::ChatRules;
use crate::chat::effects::ChatServices;
use crate::config::Config;
use crate::config::notices::Notices;
use crate::console::Console;
use crate::delivery::closing::Closer;
use crate::delivery::online::Online;
use crate::domain::id::NodeId;
use crate::domain::reserved_names::StaffNames;
use crate::domain::topics::SiteTopics;
use crate::identity::Signer;
use crate::identity::revoked::Revoked;
use crate::lobby::effects::LobbyServices;
use crate::lobby::figures::Figures;
use crate::matching::WaitingPool;
use crate::operators::Operating;
use crate::protocol::Encoder;
use crate::safety::NoticeBoard;
use crate::store::Store;
use crate::store::capacity::Capacity;
use crate::tasks::Drain;

/// Handles that edges share. Features get only those that they need.
pub struct AppState {
    /// What the operator set.
    pub config: Arc<Config>,
    /// This run of this process.
    pub node: NodeId,
    /// The truth about rooms.
    pub store: Arc<dyn Store>,
    /// Who waits.
    pub pool: Arc<dyn WaitingPool>,
    /// Frames between connections.
    pub channel: Arc<dyn ChannelLayer>,
    /// Encodes what clients are sent.
    pub encoder: Encoder,
    /// Signs cookies and tokens.
    pub signer: Signer,
    /// Sessions that were ended a moment ago.
    pub revoked: Arc<Revoked>,
    /// Asked before anything is done for a client.
    pub door: Door,
    /// Rates and counts of people.
    pub limits: Arc<RateLimits>,
    /// What is held for clients, in bytes.
    pub memory: Arc<MemoryBudget>,
    /// Pages and files.
    pub assets: Arc<Assets>,
    /// Ends connections, here and on other nodes.
    pub closer: Closer,
    /// Browsers with an open socket.
    pub online: Online,
    /// How many are here, as everyone is told.
    pub figures: Arc<Figures>,
    /// What requests show to be missing in the configuration.
    pub notices: Notices,
    /// Whether there is room for new people.
    pub capacity: Arc<Capacity>,
    /// The way out.
    pub shutdown: Drain,
    /// Names that only the site's staff may have.
    pub staff: RwLock<Arc<StaffNames>>,
    /// The topics that the site has in the place of our own.
    pub topics: RwLock<Arc<SiteTopics>>,
    /// What chat connections share: each holds one pointer to it.
    pub reach: Arc<ChatServices>,
    /// Operators and their log-ins.
    pub operating: Arc<Operating>,
    /// The operators' desk.
    pub console: Arc<Console>,
    /// What searches share.
    pub lobby: Arc<LobbyServices>,
    /// The key by which browsers let this site call them; `None`: people are not called.
    pub push_key: Option<String>,
    /// What people are told of decisions and by the site.
    pub board: Arc<NoticeBoard>,
    /// What the machines of chat connections need to know.
    pub chat_rules: Arc<ChatRules>,
}
