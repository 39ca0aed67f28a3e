//! Sessions that were ended a moment ago: their cookie counts for nothing for a while.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lru::LruCache;
use parking_lot::Mutex;

use crate::domain::id::SessionId;

/// How long the cookie of a revoked session counts for nothing. A request that was under way with it, or
/// another tab that has not heard yet, must not bring it back.
const REVOKED_FOR: Duration = Duration::from_secs(10 * 60);
/// How many are remembered; beyond that the oldest is not.
const REVOKED: NonZeroUsize = NonZeroUsize::new(50_000).expect("not zero");

/// The sessions that this node was told to forget, for ten minutes each.
pub struct Revoked(Mutex<LruCache<SessionId, Instant>>);

impl Revoked {
    /// From now on, for ten minutes.
    pub fn insert(&self, session: SessionId) {
        self.0.lock().put(session, Instant::now());
    }

    /// Whether this session was revoked a moment ago.
    pub fn contains(&self, session: SessionId) -> bool {
        let revoked = self.0.lock();
        let since = revoked.peek(&session);
        since.is_some_and(|since| since.elapsed() < REVOKED_FOR)
    }
}

impl Default for Revoked {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REVOKED)))
    }
}
