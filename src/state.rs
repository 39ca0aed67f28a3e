//! The handles that edges share: a plain struct, made by [`crate::boot`]. What is done with them is
//! decided in the rooms that they come from.

use std::sync::Arc;
use std::time::Instant;

use hyper::HeaderMap;

use crate::admission::RateLimits;
use crate::admission::memory::Budget;
use crate::assets::Assets;
use crate::channel::ChannelLayer;
use crate::chat::ChatRules;
use crate::chat::effects::Reach;
use crate::config::Config;
use crate::config::notices::Notices;
use crate::delivery::online::Online;
use crate::domain::id::NodeId;
use crate::domain::staff::StaffNames;
use crate::identity::{Signer, cookie};
use crate::lobby::figures::{Figures, Sample};
use crate::matching::WaitingPool;
use crate::protocol::Encoder;
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
    /// Rates and counts of people.
    pub limits: RateLimits,
    /// What is held for clients, in bytes.
    pub memory: Arc<Budget>,
    /// Pages and files.
    pub assets: Arc<Assets>,
    /// Browsers with an open socket.
    pub online: Online,
    /// How many are here, as everyone is told.
    pub figures: Figures,
    /// What requests show to be missing in the configuration.
    pub notices: Notices,
    /// Whether there is room for new people.
    pub capacity: Arc<Capacity>,
    /// The way out.
    pub shutdown: Drain,
    /// Names that only the site's staff may have.
    pub staff: Arc<StaffNames>,
    /// What chat connections share: each holds one pointer to it.
    pub reach: Arc<Reach>,
    /// The same for what their machines need to know.
    pub chat_rules: Arc<ChatRules>,
}

impl AppState {
    /// From how many networks people are here, over all nodes as far as known; a network at two nodes
    /// counts twice. Tells other nodes how many are at this one.
    pub fn places(&self) -> u64 {
        self.channel.online(self.online.places() as u64)
    }

    /// How many are here, as everyone is told.
    pub fn figures(&self) -> Sample {
        self.figures.now(Instant::now(), || Sample {
            places: self.places(),
            census: self.pool.census(),
            rooms: self.store.count_open_rooms(),
        })
    }

    /// The session of a request's cookie, unless it was forgotten a moment ago.
    pub fn session(&self, headers: &HeaderMap, jar: cookie::Jar) -> Option<cookie::Seen> {
        let seen = cookie::read(&self.signer, headers, jar)?;
        (!self.online.forgot(seen.session)).then_some(seen)
    }
}
