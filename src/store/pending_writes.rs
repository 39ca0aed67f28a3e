//! Sessions with uncommitted writes. Readers of such a session wait for them (read your writes): a block
//! that was asked for before a search must be in that search.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::domain::id::SessionId;

/// The sessions with uncommitted writes in one store of this process.
#[derive(Clone, Default)]
pub struct PendingWrites(Arc<WriteCounts>);

#[derive(Default)]
struct WriteCounts {
    /// How many writes name each session.
    sessions: Mutex<HashMap<SessionId, usize>>,
    done: Notify,
}

/// A write about two sessions (or twice one), under way for as long as this lives.
pub struct PendingWrite {
    of: PendingWrites,
    sessions: [SessionId; 2],
}

impl PendingWrites {
    /// A write that names these begins.
    pub fn begin(&self, sessions: [SessionId; 2]) -> PendingWrite {
        let mut named = self.0.sessions.lock();
        for session in sessions {
            *named.entry(session).or_default() += 1;
        }
        drop(named);
        PendingWrite {
            of: self.clone(),
            sessions,
        }
    }

    /// Whether a write about this session is under way.
    pub fn names(&self, session: SessionId) -> bool {
        self.0.sessions.lock().contains_key(&session)
    }

    /// Resolves when no write about it is. The caller bounds the wait.
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

impl Drop for PendingWrite {
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
    async fn a_reader_waits_for_all_writes_that_name_its_session() {
        let pending_writes = PendingWrites::default();
        let (me, you, them) = (SessionId::fresh(), SessionId::fresh(), SessionId::fresh());
        pending_writes.settled(me).await;
        let first = pending_writes.begin([me, you]);
        let second = pending_writes.begin([me, me]);
        assert!(
            pending_writes.names(me) && pending_writes.names(you) && !pending_writes.names(them)
        );
        pending_writes.settled(them).await;
        let mut waiting = Box::pin(pending_writes.settled(me));
        let moment = Duration::from_millis(20);
        assert!(timeout(moment, &mut waiting).await.is_err());
        drop(first);
        pending_writes.settled(you).await;
        assert!(timeout(moment, &mut waiting).await.is_err());
        drop(second);
        waiting.await;
        assert!(!pending_writes.names(me));
    }
}
