//! SIGHUP: the configuration is read again, and what can change while people talk is changed. Says what
//! needs a restart. A configuration that is wrong changes nothing.

use tokio::signal::unix::Signal;
use tracing::{info, warn};

use crate::config::{self, Given, Loaded, SECTIONS};
use crate::telemetry::log;

/// The one key that takes effect at once.
const FILTER: &str = "log.filter";

/// Reads the configuration again at each hangup.
pub struct Reload {
    hangups: Signal,
    given: Given,
    /// What the server was started with.
    started: Loaded,
    filter: String,
}

impl Reload {
    /// At these signals, from the same places as what the server was started with.
    pub fn new(hangups: Signal, given: Given, started: Loaded) -> Self {
        let filter = started.config.log.filter.clone();
        Self {
            hangups,
            given,
            started,
            filter,
        }
    }

    /// Does so for as long as it is polled.
    pub async fn run(mut self) -> ! {
        loop {
            match self.hangups.recv().await {
                Some(()) => self.read(),
                None => std::future::pending().await,
            }
        }
    }

    fn read(&mut self) {
        let new = match config::load(self.given.clone()) {
            Ok(new) => new,
            Err(problems) => {
                warn!("SIGHUP: nothing was changed, since {problems}");
                return;
            }
        };
        let filter = &new.config.log.filter;
        if *filter != self.filter {
            match log::set_filter(filter) {
                Ok(()) => self.filter.clone_from(filter),
                Err(error) => warn!(error, "log.filter was not changed"),
            }
        }
        info!(
            filter = self.filter,
            "SIGHUP: the configuration was read again"
        );
        let waiting = changed(&self.started, &new);
        if !waiting.is_empty() {
            warn!(
                keys = waiting.join(", "),
                "these have changed, and take effect at the next start"
            );
        }
    }
}

/// The keys that differ and cannot change now. Of a secret it is not told whether it differs.
fn changed(old: &Loaded, new: &Loaded) -> Vec<String> {
    let mut keys = Vec::new();
    for section in &SECTIONS {
        for key in section.keys {
            let full = format!("{}.{}", section.name, key.name);
            let value = |loaded: &Loaded| loaded.effective(section.name, key).0;
            if full != FILTER && value(old) != value(new) {
                keys.push(full);
            }
        }
    }
    keys
}
