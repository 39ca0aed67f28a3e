//! Operators: how they prove who they are, and stay logged in. What they may do to people is not decided here.
//! Passwords and tokens come in as they were typed or sent; the store gets hashes alone.

pub mod passwords;
pub mod principal;
pub mod totp;
pub mod tries;

mod log_in;
mod own;
mod secret;
pub mod set_up;
mod verify;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lru::LruCache;
use parking_lot::Mutex;
use tracing::warn;

use crate::domain::id::SessionId;
use crate::domain::safety::{LoginHash, OperatorId, OperatorSession};
use crate::store::StoreError;
use crate::store::safety::SafetyStore;

pub use log_in::{LogIn, LoggedIn, NotLoggedIn};
pub use own::{NotChanged, Proof};
pub use passwords::{Passwords, TooBusy};
pub use principal::OperatorPrincipal;
pub use secret::Secret;
pub use set_up::{Link, NotMade, SetUp};
use tries::Tries;

/// A session that is not used ends after so long.
pub const IDLE: Duration = Duration::from_secs(30 * 60);
/// A session ends after so long however much it is used.
pub const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// Pairs of operators and visitors' sessions that are known to be noted.
const NOTED: std::num::NonZeroUsize = std::num::NonZeroUsize::new(256).expect("not zero");

/// What operators' log-ins reach.
pub struct Operating {
    safety: Arc<dyn SafetyStore>,
    passwords: Passwords,
    tries: Tries,
    noted: Mutex<LruCache<(OperatorId, SessionId), ()>>,
    dir: PathBuf,
    configured_url: String,
    served_url: OnceLock<String>,
}

impl Operating {
    /// On this store. The link for the first operator is written to `dir`; it leads to `url`, unless it turns out where
    /// the site is served.
    pub fn new(safety: Arc<dyn SafetyStore>, dir: PathBuf, url: String) -> Self {
        Self {
            safety,
            passwords: Passwords::default(),
            tries: Tries::default(),
            noted: Mutex::new(LruCache::new(NOTED)),
            dir,
            configured_url: url,
            served_url: OnceLock::new(),
        }
    }

    /// The site is reached here, without a slash at its end.
    pub fn serving_at(&self, url: String) {
        // A process serves once.
        let _ = self.served_url.set(url);
    }

    fn site_url(&self) -> &str {
        self.served_url.get().unwrap_or(&self.configured_url)
    }

    /// The store of people's safety.
    pub fn safety(&self) -> &Arc<dyn SafetyStore> {
        &self.safety
    }

    /// Who has this session, if it holds. `visitor` is the visitor's session of the same browser: it is remembered as
    /// the operator's own, so that they judge nothing that concerns it.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn who(
        &self,
        secret: &Secret,
        visitor: Option<SessionId>,
    ) -> Result<Option<OperatorPrincipal>, StoreError> {
        let found = self.safety.session(secret.hash(), IDLE, LONGEST).await?;
        let Some((session, operator)) = found else {
            return Ok(None);
        };
        if let Some(visitor) = visitor.filter(|it| session.visitor != Some(*it)) {
            self.note(operator.id, visitor).await;
        }
        Ok(Some(OperatorPrincipal::logged_in(operator, session)))
    }

    async fn note(&self, operator: OperatorId, visitor: SessionId) {
        if self.noted.lock().get(&(operator, visitor)).is_some() {
            return;
        }
        match self.safety.note_visitor(operator, visitor).await {
            Ok(()) => {
                self.noted.lock().put((operator, visitor), ());
            }
            // The next request notes it.
            Err(error) => warn!(%error, "an operator's own session could not be noted"),
        }
    }

    /// Ends one session of an operator.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn log_out(
        &self,
        operator: OperatorId,
        session: LoginHash,
    ) -> Result<(), StoreError> {
        self.safety.end_sessions(operator, Some(session)).await
    }

    /// Begins a session of an operator whose right to it was checked; `None`: they may not, any more.
    async fn begin(
        &self,
        operator: OperatorId,
        visitor: Option<SessionId>,
    ) -> Result<Option<Secret>, StoreError> {
        let secret = Secret::fresh();
        // The store writes its own time.
        let now = crate::clock::now();
        let begun = self.safety.begin_session(OperatorSession {
            hash: secret.hash(),
            operator,
            since: now,
            used: now,
            visitor,
        });
        Ok(begun.await?.then_some(secret))
    }
}
