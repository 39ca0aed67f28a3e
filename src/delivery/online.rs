//! Who is here now, on this node: browsers with at least one open socket, and from how many networks. And
//! those that were just forgotten: their sockets end, and their cookie counts for nothing for a while.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lru::LruCache;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::domain::Prefix;
use crate::domain::id::SessionId;
use crate::identity::revoked::Revoked;
use crate::protocol::CloseReason;

/// How many groups of sessions are woken apart from each other. A token for each session would be a
/// twentieth of what an idle connection costs.
const GROUPS: usize = 64;
/// Sessions whose end is remembered until their sockets have been woken by it.
const ENDED: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");

/// Counts distinct sessions, and distinct narrowest networks: one address may open many browsers, so
/// only the latter says how many people there may be. And ends sessions. Cheap to clone. Bounded by the
/// cap on connections.
#[derive(Clone)]
pub struct Online(Arc<OnlineState>);

struct OnlineState {
    /// Ends every socket of this process.
    shutdown: CancellationToken,
    here: Mutex<Here>,
    revoked: Arc<Revoked>,
    /// Cancelled, and replaced, when sockets of a session of the group end.
    ends: [Mutex<CancellationToken>; GROUPS],
    /// How often that was so.
    closings: AtomicU64,
    ended: Mutex<LastClosings>,
    /// Who was to look for news last, and all. Apart from the closings: news must hide none.
    nudged: Mutex<LastNudges>,
}

/// Numbers among all closings and nudges.
struct LastNudges {
    all: u64,
    sessions: LruCache<SessionId, u64>,
}

/// What ended last, for the sockets that are woken by it.
struct LastClosings {
    all: Option<LastClosing>,
    sessions: LruCache<SessionId, LastClosing>,
}

#[derive(Clone, Copy)]
struct LastClosing {
    /// Its number among all closings.
    closing: u64,
    reason: CloseReason,
}

/// How a socket learns that it is to end.
pub struct End {
    /// Cancelled when the process ends, and when sockets of this session or of another one of its group do:
    /// then [`Online::ended`] tells which.
    pub token: CancellationToken,
    /// What ended before does not concern it.
    pub since: u64,
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
    pub fn new(shutdown: CancellationToken, revoked: Arc<Revoked>) -> Self {
        let ends = std::array::from_fn(|_| Mutex::new(shutdown.child_token()));
        Self(Arc::new(OnlineState {
            shutdown,
            ends,
            here: Mutex::default(),
            revoked,
            closings: AtomicU64::new(0),
            ended: Mutex::new(LastClosings {
                all: None,
                sessions: LruCache::new(ENDED),
            }),
            nudged: Mutex::new(LastNudges {
                all: 0,
                sessions: LruCache::new(ENDED),
            }),
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

    /// How a socket of this session learns that it is to end.
    pub fn end_of(&self, session: SessionId) -> End {
        // In this order: a closing between the two is one that this socket hears of.
        let since = self.0.closings.load(Ordering::Acquire);
        let token = self.end(session).lock().clone();
        if !self.0.revoked.contains(session) {
            return End { token, since };
        }
        // It was forgotten before this could be asked for: there is no end to come.
        let token = CancellationToken::new();
        token.cancel();
        End { token, since }
    }

    /// Why a socket of this session whose [`End::token`] was cancelled is to close. `None`: it was another
    /// session of its group, and this one asks for the next token.
    pub fn ended(&self, session: SessionId, since: u64) -> Option<CloseReason> {
        if self.0.revoked.contains(session) {
            return Some(CloseReason::Forgotten);
        }
        let ended = self.0.ended.lock();
        let own = ended.sessions.peek(&session);
        let last = [own, ended.all.as_ref()].into_iter().flatten();
        let last = last.max_by_key(|it| it.closing);
        last.filter(|it| it.closing > since).map(|it| it.reason)
    }

    /// Ends all sockets of this session here, and disregards its cookie for ten minutes. A copy of the
    /// cookie that comes later is a session that nothing is known of.
    pub fn forget(&self, session: SessionId) {
        self.0.revoked.insert(session);
        self.wake(self.end(session));
    }

    /// Ends the sockets that this session has here now.
    pub fn close(&self, session: SessionId, reason: CloseReason) {
        let ended = self.next(reason);
        self.0.ended.lock().sessions.put(session, ended);
        self.wake(self.end(session));
    }

    /// Ends all sockets that are here now.
    pub fn close_all(&self, reason: CloseReason) {
        let ended = self.next(reason);
        self.0.ended.lock().all = Some(ended);
        self.0.ends.iter().for_each(|end| self.wake(end));
    }

    /// The sockets that this session has here now are to look for news.
    pub fn nudge(&self, session: SessionId) {
        let number = self.count_up();
        self.0.nudged.lock().sessions.put(session, number);
        self.wake(self.end(session));
    }

    /// All sockets that are here now are to look for news.
    pub fn nudge_all(&self) {
        let number = self.count_up();
        self.0.nudged.lock().all = number;
        self.0.ends.iter().for_each(|end| self.wake(end));
    }

    /// Whether a socket of this session whose [`End::token`] was cancelled is to look for news.
    pub fn nudged(&self, session: SessionId, since: u64) -> bool {
        let nudged = self.0.nudged.lock();
        let own = nudged.sessions.peek(&session).copied();
        nudged.all.max(own.unwrap_or(0)) > since
    }

    fn next(&self, reason: CloseReason) -> LastClosing {
        let closing = self.count_up();
        LastClosing { closing, reason }
    }

    fn count_up(&self) -> u64 {
        self.0.closings.fetch_add(1, Ordering::AcqRel) + 1
    }

    fn wake(&self, end: &Mutex<CancellationToken>) {
        let next = self.0.shutdown.child_token();
        std::mem::replace(&mut *end.lock(), next).cancel();
    }

    fn end(&self, session: SessionId) -> &Mutex<CancellationToken> {
        // Session ids are random.
        let group = usize::from(session.0[0]) % GROUPS;
        &self.0.ends[group]
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
        let online = Online::new(CancellationToken::new(), Arc::default());
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
        let online = Online::new(CancellationToken::new(), Arc::default());
        let [me, you] = [[1; 16], [2; 16]].map(SessionId);
        // Woken together with the first.
        let neighbour = SessionId([1 + u8::try_from(GROUPS).unwrap(); 16]);
        let tabs = (online.enter(me, HERE, 0), online.enter(you, HERE, 0));
        let (mine, yours) = (online.end_of(me).token, online.end_of(you).token);
        let before = online.end_of(neighbour);
        online.forget(me);
        assert!(mine.is_cancelled() && !yours.is_cancelled());
        assert!(online.ended(me, 0).is_some() && online.ended(you, 0).is_none());
        assert!(before.token.is_cancelled() && online.ended(neighbour, before.since).is_none());
        assert!(!online.end_of(neighbour).token.is_cancelled());
        // A socket that was on its way joins those that end, and ends no others.
        let late = online.enter(me, HERE, 0);
        assert!(online.end_of(me).token.is_cancelled());
        assert!(!online.end_of(neighbour).token.is_cancelled());
        drop((tabs, late));
        assert_eq!((online.count(), online.places()), (0, 0));
    }

    #[test]
    fn news_wake_the_sockets_of_one_session_and_hide_no_end() {
        let online = Online::new(CancellationToken::new(), Arc::default());
        let [me, you] = [[1; 16], [2; 16]].map(SessionId);
        let neighbour = SessionId([1 + u8::try_from(GROUPS).unwrap(); 16]);
        let [mine, theirs, yours] = [me, neighbour, you].map(|it| online.end_of(it));
        online.nudge(me);
        assert!(mine.token.is_cancelled() && theirs.token.is_cancelled());
        assert!(!yours.token.is_cancelled());
        assert!(online.nudged(me, mine.since) && !online.nudged(neighbour, theirs.since));
        assert_eq!(online.ended(me, mine.since), None);
        let later = online.end_of(me);
        assert!(!online.nudged(me, later.since), "it looked");
        online.close(me, CloseReason::Policy);
        online.nudge(me);
        online.nudge_all();
        assert_eq!(online.ended(me, later.since), Some(CloseReason::Policy));
        assert!(online.nudged(you, yours.since));
    }

    #[test]
    fn the_end_of_the_process_is_the_end_of_all() {
        let shutdown = CancellationToken::new();
        let online = Online::new(shutdown.clone(), Arc::default());
        let me = SessionId::fresh();
        let _tab = online.enter(me, HERE, 0);
        shutdown.cancel();
        assert!(online.end_of(me).token.is_cancelled());
    }

    #[test]
    fn a_closing_is_of_the_sockets_that_are_there() {
        let online = Online::new(CancellationToken::new(), Arc::default());
        let [me, you] = [[1; 16], [2; 16]].map(SessionId);
        let (before, other) = (online.end_of(me), online.end_of(you));
        online.close(me, CloseReason::Policy);
        assert!(before.token.is_cancelled() && !other.token.is_cancelled());
        assert_eq!(online.ended(me, before.since), Some(CloseReason::Policy));
        // One that comes after is not concerned, also when it is woken by a neighbour.
        let after = online.end_of(me);
        assert!(!after.token.is_cancelled());
        assert_eq!(online.ended(me, after.since), None);
        online.close_all(CloseReason::GoingAway);
        assert!(after.token.is_cancelled() && other.token.is_cancelled());
        for (session, end) in [(me, &after), (you, &other)] {
            let told = online.ended(session, end.since);
            assert_eq!(told, Some(CloseReason::GoingAway));
        }
        assert_eq!(online.ended(me, online.end_of(me).since), None);
    }
}
