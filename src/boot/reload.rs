//! SIGHUP: the configuration is read again, and what can change while people talk is changed. Says what
//! needs a restart. A configuration that is wrong changes nothing.

use std::sync::Arc;

use tokio::signal::unix::Signal;
use tracing::{info, warn};

use crate::config::{self, Given, Loaded, SECTIONS, Site};
use crate::domain::reserved_names::StaffNames;
use crate::state::AppState;
use crate::telemetry::log;

/// The one key of its section that takes effect at once.
const FILTER: &str = "log.filter";
/// The section whose keys all do.
const SITE: &str = "site";

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
    pub async fn run(mut self, app: &Arc<AppState>) -> ! {
        loop {
            match self.hangups.recv().await {
                Some(()) => self.read(app).await,
                None => std::future::pending().await,
            }
        }
    }

    async fn read(&mut self, app: &Arc<AppState>) {
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
                Err(error) => warn!(%error, "log.filter was not changed"),
            }
        }
        if new.config.site != *app.assets.latest().site() {
            reword(Arc::clone(app), new.config.site.clone()).await;
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

/// Takes other words of the site's own: in pages, in `/api/site`, in the names that only its staff may have,
/// and in the topics of searches that begin from now on.
async fn reword(app: Arc<AppState>, site: Site) {
    let done = tokio::task::spawn_blocking(move || {
        let done = app.assets.reword(&site);
        if done.is_ok() {
            *app.staff.write() = Arc::new(StaffNames::of(&site.name));
            *app.topics.write() = Arc::new(site.own_topics());
        }
        done
    });
    match done.await.unwrap_or_else(|died| Err(died.into())) {
        Ok(()) => info!("the pages have the new words of [site]"),
        Err(error) => warn!(%error, "[site] was not changed"),
    }
}

/// The keys that differ and cannot change now. Of a secret it is not told whether it differs.
fn changed(old: &Loaded, new: &Loaded) -> Vec<String> {
    let mut keys = Vec::new();
    for section in SECTIONS.iter().filter(|it| it.name != SITE) {
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
