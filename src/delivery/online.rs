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

use crate::domain::Prefix;
use crate::domain::id::SessionId;

/// How long the cookie of a forgotten session counts for nothing. A request that was under way with it,
/// or another tab that has not heard yet, must not bring it back.
const FORGOTTEN_FOR: Duration = Duration::from_secs(10 * 60);
/// Forgotten sessions that are remembered as such; beyond that the oldest is not.
const FORGOTTEN: NonZeroUsize = NonZeroUsize::new(50_000).expect("not zero");
/// How many groups of sessions are woken apart from each other. A token for each session would be a
/// twentieth of what an idle connection costs.
const GROUPS: usize = 64;

/// Counts distinct sessions, and distinct narrowest networks: one address may open many browsers, so
/// only the latter says how many people there may be. And ends sessions. Cheap to clone. Bounded by the
/// cap on connections.
#[derive(Clone)]
pub struct Online(Arc<Shared>);

struct Shared {
    /// Ends every socket of this process.
    shutdown: CancellationToken,
    here: Mutex<Here>,
    forgotten: Mutex<LruCache<SessionId, Instant>>,
    /// Cancelled, and replaced, when a session of the group is forgotten.
    ends: [Mutex<CancellationToken>; GROUPS],
}

/// Open sockets.
#[derive(Default)]
struct Here {
    /// How many each has.
    sessions: HashMap<SessionId, u32>,
    places: HashMap<Prefix, usize>,
}

impl Online {
    /// Of a process that ends with this token.
    pub fn new(shutdown: CancellationToken) -> Self {
        let ends = std::array::from_fn(|_| Mutex::new(shutdown.child_token()));
        Self(Arc::new(Shared {
            shutdown,
            ends,
            here: Mutex::default(),
            forgotten: Mutex::new(LruCache::new(FORGOTTEN)),
        }))
    }

    /// This session has one more socket, at this address, until the guard is dropped; `None`: it has
    /// `most` already, where 0 means that there is no bound.
    pub fn enter(&self, session: SessionId, address: IpAddr, most: usize) -> Option<OnlineGuard> {
        let place = Prefix::narrowest(address);
        let mut here = self.0.here.lock();
        let has = here.sessions.get(&session).copied().unwrap_or(0);
        if most > 0 && has as usize >= most {
            return None;
        }
        here.sessions.insert(session, has + 1);
        *here.places.entry(place).or_default() += 1;
        Some(OnlineGuard {
            online: self.clone(),
            session,
            place,
        })
    }

    /// Sessions with an open socket: for operators.
    pub fn count(&self) -> usize {
        self.0.here.lock().sessions.len()
    }

    /// Networks with an open socket: what the public is told of, rounded.
    pub fn places(&self) -> usize {
        self.0.here.lock().places.len()
    }

    /// Cancelled when the process ends, and when this session or another one of its group is forgotten:
    /// then [`forgot`](Self::forgot) tells which, and the one who stays asks for the next token.
    pub fn end_of(&self, session: SessionId) -> CancellationToken {
        let end = self.end(session).lock().clone();
        if !self.forgot(session) {
            return end;
        }
        // It was forgotten before this could be asked for: there is no end to come.
        let over = CancellationToken::new();
        over.cancel();
        over
    }

    /// Ends all sockets of this session here, and disregards its cookie for ten minutes. A copy of the
    /// cookie that comes later is a session that nothing is known of.
    pub fn forget(&self, session: SessionId) {
        self.0.forgotten.lock().put(session, Instant::now());
        let next = self.0.shutdown.child_token();
        let end = std::mem::replace(&mut *self.end(session).lock(), next);
        end.cancel();
    }

    fn end(&self, session: SessionId) -> &Mutex<CancellationToken> {
        // Session ids are random.
        let group = usize::from(session.0[0]) % GROUPS;
        &self.0.ends[group]
    }

    /// Whether this session was forgotten a moment ago.
    pub fn forgot(&self, session: SessionId) -> bool {
        let forgotten = self.0.forgotten.lock();
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
        let mut here = self.online.0.here.lock();
        if let Some(count) = here.sessions.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
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
        let [me, you] = [[1; 16], [2; 16]].map(SessionId);
        // Woken together with the first.
        let neighbour = SessionId([1 + GROUPS as u8; 16]);
        let tabs = (online.enter(me, HERE, 0), online.enter(you, HERE, 0));
        let (mine, yours) = (online.end_of(me), online.end_of(you));
        let before = online.end_of(neighbour);
        online.forget(me);
        assert!(mine.is_cancelled() && !yours.is_cancelled());
        assert!(online.forgot(me) && !online.forgot(you));
        assert!(before.is_cancelled() && !online.forgot(neighbour));
        assert!(!online.end_of(neighbour).is_cancelled());
        // A socket that was on its way joins those that end, and ends no others.
        let late = online.enter(me, HERE, 0);
        assert!(online.end_of(me).is_cancelled());
        assert!(!online.end_of(neighbour).is_cancelled());
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
