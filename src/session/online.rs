//! Who is here now, on this node: browsers with at least one open socket, and from how many networks. And
//! those that were just forgotten: their sockets end, and their cookie counts for nothing for a while.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lru::LruCache;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::id::SessionId;
use crate::model::Prefix;

/// How long the cookie of a forgotten session counts for nothing. A request that was under way with it,
/// or another tab that has not heard yet, must not bring it back.
const FORGOTTEN_FOR: Duration = Duration::from_secs(10 * 60);
/// Forgotten sessions that are remembered as such; beyond that the oldest is not.
const FORGOTTEN: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// Counts distinct sessions, and distinct narrowest networks: one address may open many browsers, so
/// only the latter says how many people there may be. And ends sessions. Cheap to clone. Bounded by the
/// cap on connections.
#[derive(Clone)]
pub struct Online {
    /// Ends every socket of this process.
    shutdown: CancellationToken,
    here: Arc<Mutex<Here>>,
    forgotten: Arc<Mutex<LruCache<SessionId, Instant>>>,
}

/// Open sockets.
#[derive(Default)]
struct Here {
    sessions: HashMap<SessionId, Sockets>,
    places: HashMap<Prefix, usize>,
}

/// A session's open sockets.
struct Sockets {
    count: usize,
    end: CancellationToken,
}

impl Online {
    /// Of a process that ends with this token.
    pub fn new(shutdown: CancellationToken) -> Self {
        Self {
            shutdown,
            here: Arc::default(),
            forgotten: Arc::new(Mutex::new(LruCache::new(FORGOTTEN))),
        }
    }

    /// This session has one more socket, at this address, until the guard is dropped; `None`: it has
    /// `most` already, where 0 means that there is no bound.
    pub fn enter(&self, session: SessionId, address: IpAddr, most: usize) -> Option<OnlineGuard> {
        let place = Prefix::narrowest(address);
        let mut here = self.here.lock();
        let has = here.sessions.get(&session).map_or(0, |it| it.count);
        if most > 0 && has >= most {
            return None;
        }
        let sockets = here.sessions.entry(session).or_insert_with(|| Sockets {
            count: 0,
            end: self.shutdown.child_token(),
        });
        sockets.count += 1;
        *here.places.entry(place).or_default() += 1;
        Some(OnlineGuard {
            online: self.clone(),
            session,
            place,
        })
    }

    /// Sessions with an open socket: for operators.
    pub fn count(&self) -> usize {
        self.here.lock().sessions.len()
    }

    /// Networks with an open socket: what the public is told of, rounded.
    pub fn places(&self) -> usize {
        self.here.lock().places.len()
    }

    /// Cancelled when the process ends or the session is forgotten. One for all sockets of a session
    /// that has entered.
    pub fn end_of(&self, session: SessionId) -> CancellationToken {
        let here = self.here.lock();
        let end = here.sessions.get(&session).map(|it| it.end.clone());
        end.unwrap_or_else(|| self.shutdown.child_token())
    }

    /// Ends all sockets of this session here, and disregards its cookie for ten minutes. A copy of the
    /// cookie that comes later is a session that nothing is known of.
    pub fn forget(&self, session: SessionId) {
        self.forgotten.lock().put(session, Instant::now());
        if let Some(sockets) = self.here.lock().sessions.get(&session) {
            sockets.end.cancel();
        }
    }

    /// Whether this session was forgotten a moment ago.
    pub fn forgot(&self, session: SessionId) -> bool {
        let forgotten = self.forgotten.lock();
        let since = forgotten.peek(&session);
        since.is_some_and(|since| since.elapsed() < FORGOTTEN_FOR)
    }
}

/// One open socket.
pub struct OnlineGuard {
    online: Online,
    session: SessionId,
    place: Prefix,
}

impl Drop for OnlineGuard {
    fn drop(&mut self) {
        let mut here = self.online.here.lock();
        if let Some(sockets) = here.sessions.get_mut(&self.session) {
            sockets.count -= 1;
            if sockets.count == 0 {
                here.sessions.remove(&self.session);
            }
        }
        if let Some(count) = here.places.get_mut(&self.place) {
            *count -= 1;
            if *count == 0 {
                here.places.remove(&self.place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn two_tabs_are_one_browser_and_two_browsers_of_a_network_one_place() {
        let online = Online::new(CancellationToken::new());
        let (me, you) = (SessionId::fresh(), SessionId::fresh());
        let there = "2001:db8::1".parse().unwrap();
        let same = "2001:db8::2".parse().unwrap();
        let counts = || (online.count(), online.places());
        let enter = |session, address| online.enter(session, address, 2).expect("room for two");
        let tabs = (enter(me, HERE), enter(me, there));
        assert_eq!(counts(), (1, 2));
        assert!(online.enter(me, same, 2).is_none(), "a third");
        assert!(online.enter(me, HERE, 0).is_some(), "no bound");
        assert_eq!(counts(), (1, 2));
        let other = enter(you, same);
        assert_eq!(counts(), (2, 2));
        drop(tabs.1);
        assert_eq!(counts(), (2, 2));
        drop(other);
        assert_eq!(counts(), (1, 1));
        drop(tabs.0);
        assert_eq!(counts(), (0, 0));
    }

    #[test]
    fn forgetting_ends_the_sockets_of_one_session() {
        let online = Online::new(CancellationToken::new());
        let (me, you) = (SessionId::fresh(), SessionId::fresh());
        let tabs = (online.enter(me, HERE, 0), online.enter(you, HERE, 0));
        let (mine, yours) = (online.end_of(me), online.end_of(you));
        online.forget(me);
        assert!(mine.is_cancelled() && !yours.is_cancelled());
        assert!(online.forgot(me) && !online.forgot(you));
        // A socket that was on its way joins those that end.
        let late = online.enter(me, HERE, 0);
        assert!(online.end_of(me).is_cancelled());
        drop((tabs, late));
        assert_eq!((online.count(), online.places()), (0, 0));
    }

    #[test]
    fn the_end_of_the_process_is_the_end_of_all() {
        let shutdown = CancellationToken::new();
        let online = Online::new(shutdown.clone());
        let me = SessionId::fresh();
        let _tab = online.enter(me, HERE, 0);
        shutdown.cancel();
        assert!(online.end_of(me).is_cancelled());
    }
}
