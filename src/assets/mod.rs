//! Pages and files: embedded in the executable, with an operator's overlay on top.
//!
//! Everything is read, rendered and compressed into one immutable [`Bundle`] whose hash is part of
//! every file's address, so browsers keep files for ever and an edit changes the address. A release
//! build without an overlay never looks at the disk again. A debug build (which reads `assets/` of
//! the source tree) and an overlay (`assets.dir`) are watched: a request finds an edited file at
//! most half a second later, without a restart, and the hash changes with it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use tracing::warn;

use crate::config::{Config, Site};

pub mod bundle;
pub mod compress;
pub mod kept;
pub mod language;
pub mod localise;
pub mod overlay;
pub mod page_words;
pub mod template;

pub use bundle::{Asset, Bundle, Facts};
pub use kept::Kept;
pub use language::Language;

/// How old the last look at the disk may be.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// The current bundle, and what it takes to make the next.
pub struct Assets {
    overlay: Option<PathBuf>,
    // What only a restart changes.
    facts: Facts,
    current: RwLock<Arc<Bundle>>,
    // Held while the next bundle is made of the current one.
    making: Mutex<()>,
    last_check: Mutex<DiskCheck>,
}

struct DiskCheck {
    at: Instant,
    print: u64,
}

impl Assets {
    /// Reads everything. An overlay that cannot be read is an error: the operator asked for it.
    pub fn load(config: &Config) -> std::io::Result<Self> {
        let overlay = config.assets.dir.clone();
        let print = fingerprint(overlay.as_deref());
        let facts = Facts {
            worker: config.assets.service_worker,
            public_url: config.server.public_url.as_ref().map(ToString::to_string),
            kept: Kept::of(config),
        };
        let bundle = Bundle::load(&config.site, &facts, overlay.as_deref())?;
        Ok(Self {
            overlay,
            facts,
            current: RwLock::new(Arc::new(bundle)),
            making: Mutex::new(()),
            last_check: Mutex::new(DiskCheck {
                at: Instant::now(),
                print,
            }),
        })
    }

    /// The bundle to serve from. Looks at the disk first when files are watched.
    pub async fn current(self: &Arc<Self>) -> Arc<Bundle> {
        if self.watched() && self.due() {
            let assets = Arc::clone(self);
            // A panic while reading leaves the old bundle in place.
            let _ = tokio::task::spawn_blocking(move || assets.refresh()).await;
        }
        self.latest()
    }

    /// The bundle as it was when the disk was last looked at.
    pub fn latest(&self) -> Arc<Bundle> {
        Arc::clone(&self.current.read())
    }

    /// Makes everything anew with other words of the site's own. Blocks.
    ///
    /// # Errors
    /// When the overlay cannot be read; the former bundle stays.
    pub fn reword(&self, site: &Site) -> std::io::Result<()> {
        let _making = self.making.lock();
        let bundle = self.load_with(site)?;
        *self.current.write() = Arc::new(bundle);
        Ok(())
    }

    fn load_with(&self, site: &Site) -> std::io::Result<Bundle> {
        Bundle::load(site, &self.facts, self.overlay.as_deref())
    }

    fn watched(&self) -> bool {
        cfg!(debug_assertions) || self.overlay.is_some()
    }

    /// True for one caller of all who ask within [`LOOK_AGAIN`].
    fn due(&self) -> bool {
        let mut last_check = self.last_check.lock();
        let due = last_check.at.elapsed() >= LOOK_AGAIN;
        if due {
            last_check.at = Instant::now();
        }
        due
    }

    fn refresh(&self) {
        let print = fingerprint(self.overlay.as_deref());
        if print == self.last_check.lock().print {
            return;
        }
        let _making = self.making.lock();
        match self.load_with(self.latest().site()) {
            Ok(bundle) => *self.current.write() = Arc::new(bundle),
            Err(error) => {
                warn!(%error, "the edited assets cannot be read; serving the former ones");
            }
        }
        self.last_check.lock().print = print;
    }
}

/// Changes when a watched file does.
fn fingerprint(overlay: Option<&std::path::Path>) -> u64 {
    let mut print = 0;
    if cfg!(debug_assertions) {
        print = overlay::fingerprint(std::path::Path::new(bundle::SOURCE));
    }
    if let Some(dir) = overlay {
        print = print.wrapping_mul(31) ^ overlay::fingerprint(dir);
    }
    print
}
