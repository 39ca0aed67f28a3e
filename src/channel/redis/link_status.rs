//! What is known of the link to one server: whether it is up, and whether the server refuses what nodes
//! announce. Says each change once in the log and in the metrics; opens and closes nothing.

use parking_lot::Mutex;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::telemetry;

/// Whether what is published over a link is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LinkState {
    /// The first attempt is under way.
    Connecting,
    /// What is published there is heard.
    Live,
    /// It is not reached; why.
    Down(String),
}

/// The state of one link.
///
/// A server that answers and refuses (it is full, or a replica) stays linked as far as frames go, so its
/// refusal is a notice of its own: it stands for as long as the server refuses, over reconnections too, and
/// the log has it once when it begins and once when it ends.
pub(super) struct LinkStatus {
    /// As shown in the log and as the metrics' label.
    server: String,
    state: watch::Sender<LinkState>,
    refusal: Mutex<Option<String>>,
}

impl LinkStatus {
    /// Before the first attempt to connect.
    pub(super) fn new(server: String) -> Self {
        Self {
            server,
            state: watch::Sender::new(LinkState::Connecting),
            refusal: Mutex::default(),
        }
    }

    /// The state, to be watched.
    pub(super) fn watch(&self) -> watch::Receiver<LinkState> {
        self.state.subscribe()
    }

    /// The state at this moment.
    pub(super) fn now(&self) -> LinkState {
        self.state.borrow().clone()
    }

    /// What is published now is sent.
    pub(super) fn live(&self) -> bool {
        *self.state.borrow() == LinkState::Live
    }

    /// Why the server refuses what nodes announce, while it answers.
    pub(super) fn refusal(&self) -> Option<String> {
        self.refusal.lock().clone()
    }

    /// The server answered an announcement with this refusal.
    pub(super) fn refused(&self, why: &str) {
        let before = self.refusal.lock().replace(why.to_owned());
        if before.is_none() {
            warn!(why, "Redis refuses what nodes tell it; asking again");
        }
    }

    /// The server took an announcement.
    pub(super) fn accepted(&self) {
        if self.refusal.lock().take().is_some() {
            info!(server = %self.server, "Redis takes what nodes tell it again");
        }
    }

    /// A connection was proven.
    pub(super) fn up(&self) {
        self.state.send_replace(LinkState::Live);
        self.gauge().set(1.0);
        // One that refuses was linked to all the time, as far as it matters to a reader of the log.
        if self.refusal().is_none() {
            info!(server = %self.server, "linked to Redis");
        }
    }

    /// The connection failed, or none could be made.
    pub(super) fn down(&self, why: String) {
        self.gauge().set(0.0);
        let before = self.state.send_replace(LinkState::Down(why.clone()));
        if before == LinkState::Live {
            let server = self.server.clone();
            metrics::counter!(telemetry::LINK_BROKE, "server" => server).increment(1);
        }
        // Logged when the reason changes, not at every attempt.
        if before != LinkState::Down(why.clone()) && self.refusal().as_ref() != Some(&why) {
            warn!(why, "not linked to Redis");
        }
    }

    /// This node has closed the link itself.
    pub(super) fn closed(&self) {
        self.gauge().set(0.0);
        self.state
            .send_replace(LinkState::Down("closed".to_owned()));
    }

    fn gauge(&self) -> metrics::Gauge {
        metrics::gauge!(telemetry::LINK_UP, "server" => self.server.clone())
    }
}
