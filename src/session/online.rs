//! How many browsers are here now: sessions with at least one open socket on this node.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::id::SessionId;

/// Counts distinct sessions. Cheap to clone. Bounded by the cap on connections.
#[derive(Clone, Default)]
pub struct Online {
    sockets: Arc<Mutex<HashMap<SessionId, usize>>>,
}

impl Online {
    /// This session has one more socket until the guard is dropped.
    pub fn enter(&self, session: SessionId) -> OnlineGuard {
        *self.sockets.lock().entry(session).or_default() += 1;
        OnlineGuard {
            online: self.clone(),
            session,
        }
    }

    /// Sessions with an open socket.
    pub fn count(&self) -> usize {
        self.sockets.lock().len()
    }
}

/// One open socket of a session.
pub struct OnlineGuard {
    online: Online,
    session: SessionId,
}

impl Drop for OnlineGuard {
    fn drop(&mut self) {
        let mut sockets = self.online.sockets.lock();
        if let Some(count) = sockets.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                sockets.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tabs_are_one_session() {
        let online = Online::default();
        let (me, you) = (SessionId::fresh(), SessionId::fresh());
        let tabs = (online.enter(me), online.enter(me), online.enter(you));
        assert_eq!(online.count(), 2);
        drop(tabs.0);
        assert_eq!(online.count(), 2);
        drop(tabs.1);
        assert_eq!(online.count(), 1);
    }
}
