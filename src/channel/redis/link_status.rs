//! What is known of the link to one server: whether it is up, and whether the server refuses what nodes
//! announce. Says each change once in the log and in the metrics; opens and closes nothing.

use parking_lot::Mutex;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::redis::{RedisTrouble, Unreachable};
use crate::telemetry;

/// Whether what is published over a link is heard.
#[derive(Clone, Debug)]
pub(super) enum LinkState {
    /// The first attempt is under way.
    Connecting,
    /// What is published there is heard.
    Live,
    /// It is not reached; why.
    Down(Unreachable),
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
    refusal: Mutex<Option<Unreachable>>,
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
        matches!(*self.state.borrow(), LinkState::Live)
    }

    /// Why the server refuses what nodes announce, while it answers.
    pub(super) fn refusal(&self) -> Option<Unreachable> {
        self.refusal.lock().clone()
    }

    /// The server answered an announcement with this refusal.
    pub(super) fn refused(&self, why: &Unreachable) {
        let before = self.refusal.lock().replace(why.clone());
        if before.is_none() {
            warn!(%why, "Redis refuses what nodes tell it; asking again");
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
    pub(super) fn down(&self, why: &Unreachable) {
        self.gauge().set(0.0);
        let before = self.state.send_replace(LinkState::Down(why.clone()));
        if matches!(before, LinkState::Live) {
            let server = self.server.clone();
            metrics::counter!(telemetry::LINK_BROKE, "server" => server).increment(1);
        }
        // Logged when the reason changes, not at every attempt.
        let text = why.to_string();
        let same = |it: &Unreachable| it.to_string() == text;
        let known = matches!(&before, LinkState::Down(before) if same(before))
            || self.refusal().as_ref().is_some_and(same);
        if !known {
            warn!(why = text, "not linked to Redis");
        }
    }

    /// This node has closed the link itself.
    pub(super) fn closed(&self) {
        self.gauge().set(0.0);
        self.state.send_replace(LinkState::Down(Unreachable {
            server: self.server.clone(),
            why: RedisTrouble::Ended,
        }));
    }

    fn gauge(&self) -> metrics::Gauge {
        metrics::gauge!(telemetry::LINK_UP, "server" => self.server.clone())
    }
}
