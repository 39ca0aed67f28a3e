//! Sessions about which something is asked and not done yet. Whoever then asks about one of them waits
//! for it: a block that was called for before a search must be in that search.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::domain::id::SessionId;

/// What is under way in one store of this process.
#[derive(Clone, Default)]
pub struct Underway(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// By how many mentions each is named.
    sessions: Mutex<HashMap<SessionId, usize>>,
    done: Notify,
}

/// Something about two sessions (or twice one) is under way for as long as this lives.
pub struct Mention {
    of: Underway,
    sessions: [SessionId; 2],
}

impl Underway {
    /// From now on these are named.
    pub fn begin(&self, sessions: [SessionId; 2]) -> Mention {
        let mut named = self.0.sessions.lock();
        for session in sessions {
            *named.entry(session).or_default() += 1;
        }
        drop(named);
        Mention {
            of: self.clone(),
            sessions,
        }
    }

    /// Something about this session is under way.
    pub fn names(&self, session: SessionId) -> bool {
        self.0.sessions.lock().contains_key(&session)
    }

    /// Resolves when nothing is. The caller bounds the wait.
    pub async fn settled(&self, session: SessionId) {
        loop {
            let mut done = std::pin::pin!(self.0.done.notified());
            // Before looking: what ends in between is heard.
            done.as_mut().enable();
            if !self.names(session) {
                return;
            }
            done.await;
        }
    }
}

impl Drop for Mention {
    fn drop(&mut self) {
        let mut named = self.of.0.sessions.lock();
        for session in self.sessions {
            if let Some(count) = named.get_mut(&session) {
                *count -= 1;
                if *count == 0 {
                    named.remove(&session);
                }
            }
        }
        drop(named);
        self.of.0.done.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn whoever_asks_waits_for_all_that_names_them() {
        let underway = Underway::default();
        let (me, you, them) = (SessionId::fresh(), SessionId::fresh(), SessionId::fresh());
        underway.settled(me).await;
        let first = underway.begin([me, you]);
        let second = underway.begin([me, me]);
        assert!(underway.names(me) && underway.names(you) && !underway.names(them));
        underway.settled(them).await;
        let mut waiting = Box::pin(underway.settled(me));
        let moment = Duration::from_millis(20);
        assert!(timeout(moment, &mut waiting).await.is_err());
        drop(first);
        underway.settled(you).await;
        assert!(timeout(moment, &mut waiting).await.is_err());
        drop(second);
        waiting.await;
        assert!(!underway.names(me));
    }
}
