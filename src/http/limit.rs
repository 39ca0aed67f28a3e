//! Bounds on people: rates by session and by address, and how many connections may be open.
//! Who the client is was decided in [`crate::http::request`].

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;

use super::request::Peer;
use crate::config::Limits;
use crate::id::SessionId;

/// Most keys one limiter remembers. Beyond it sessions are counted by their address alone; when so
/// many addresses (IPv6: /64s) knock within [`FORGET_EVERY`], all of them wait: memory stays
/// bounded whoever knocks.
const KEYS: usize = 200_000;
/// How long somebody waits when the limiter remembers too many already.
const CROWDED: Duration = Duration::from_secs(5);
/// How often limiters forget those who have been quiet; the timer is in [`crate::app`].
pub const FORGET_EVERY: Duration = Duration::from_secs(15);

/// An address as counted: IPv6 by its /64, since one household or server has a whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressKey(IpAddr);

impl From<IpAddr> for AddressKey {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let prefix = v6.to_bits() & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from_bits(prefix))
            }
            v4 => v4,
        })
    }
}

/// Every rate and count of people.
pub struct RateLimits {
    messages: Rate,
    matches: Rate,
    requests: Rate,
    connections: Arc<Connections>,
}

impl RateLimits {
    /// `descriptors` is how many connections the process can hold open (its descriptor limit less a
    /// reserve); it caps `limits.connections`, and stands in for 0.
    pub fn new(limits: &Limits, descriptors: usize) -> Self {
        let factor = limits.address_factor;
        let minute = Duration::from_secs(60);
        let second = Duration::from_secs(1);
        let total = match limits.connections {
            0 => descriptors,
            n => n.min(descriptors),
        };
        Self {
            messages: Rate::new(
                limits.messages_per_second,
                second,
                limits.message_burst,
                factor,
            ),
            matches: Rate::per(limits.matches_per_minute, minute, factor),
            requests: Rate::per(limits.requests_per_minute, minute, factor),
            connections: Arc::new(Connections {
                total,
                per_address: limits.connections_per_address,
                open: Mutex::default(),
            }),
        }
    }

    /// Counts one chat action; `Err` is how long to wait before asking again.
    pub fn messages(&self, session: SessionId, address: IpAddr) -> Result<(), Duration> {
        self.messages.check(session, address)
    }

    /// Counts one `start_matching`; `Err` is `retry_after`.
    pub fn matches(&self, session: SessionId, address: IpAddr) -> Result<(), Duration> {
        self.matches.check(session, address)
    }

    /// Counts one API request; `Err` is `retry_after`. Without a session only the address counts.
    pub fn requests(&self, session: Option<SessionId>, address: IpAddr) -> Result<(), Duration> {
        match session {
            Some(session) => self.requests.check(session, address),
            None => self.requests.check_address(address),
        }
    }

    /// Counts a socket under its real client for as long as the guard lives. The connection that
    /// the request came on is counted already; its place is taken over, not taken twice.
    pub fn connection(&self, peer: &Peer) -> Result<ConnectionGuard, Refused> {
        peer.slot.hand_over(&self.connections, peer.address)
    }

    /// Counts a fresh TCP connection. Those of a trusted proxy belong to many people: only the
    /// total counts until one of them becomes a socket.
    pub fn accepted(&self, address: Option<IpAddr>) -> Result<ConnectionGuard, Refused> {
        self.connections.enter(address.map(AddressKey::from))
    }

    /// Connections open now.
    pub fn open_connections(&self) -> usize {
        self.connections.open.lock().total
    }

    /// How many may be open.
    pub fn max_connections(&self) -> usize {
        self.connections.total
    }

    /// Forgets those who have been quiet long enough to owe nothing.
    pub fn forget(&self) {
        for rate in [&self.messages, &self.matches, &self.requests] {
            rate.forget();
        }
    }
}

/// Why a connection was not counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// This address has `limits.connections_per_address` open.
    Address,
    /// The server has as many open as it may.
    Full,
}

type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, DefaultClock>;

/// One rate, by session and by address; absent when the configured rate is 0.
struct Rate {
    limiters: Option<(Counted<SessionId>, Counted<AddressKey>)>,
}

/// A limiter that knows, roughly, whether it remembers too many keys: counting them takes every
/// lock of its map, so it is done once in many checks.
struct Counted<K: Hash + Eq + Clone> {
    limiter: Keyed<K>,
    checks: AtomicUsize,
    crowded: AtomicBool,
}

/// Checks between two counts. The map can outgrow [`KEYS`] by this much.
const CHECKS: usize = 1024;

impl<K: Clone + Hash + Eq> Counted<K> {
    fn new(quota: Quota) -> Self {
        Self {
            limiter: RateLimiter::dashmap(quota),
            checks: AtomicUsize::new(0),
            crowded: AtomicBool::new(false),
        }
    }

    /// `None` when there is no room to remember this key.
    fn check(&self, key: &K) -> Option<Result<(), Duration>> {
        if self
            .checks
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(CHECKS)
        {
            self.count();
        }
        if self.crowded.load(Ordering::Relaxed) {
            return None;
        }
        let checked = self.limiter.check_key(key);
        Some(checked.map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now())))
    }

    fn count(&self) {
        let crowded = self.limiter.len() >= KEYS;
        self.crowded.store(crowded, Ordering::Relaxed);
    }

    fn forget(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        self.count();
    }
}

impl Rate {
    /// `count` in each `period`, all of which may come at once.
    fn per(count: u32, period: Duration, factor: u32) -> Self {
        Self::new(count, period, count, factor)
    }

    fn new(count: u32, period: Duration, burst: u32, factor: u32) -> Self {
        let limiters = NonZeroU32::new(count).map(|count| {
            let quota = |times: u32| {
                let count = count.saturating_mul(NonZeroU32::new(times).unwrap_or(NonZeroU32::MIN));
                let burst = NonZeroU32::new(burst.saturating_mul(times)).unwrap_or(count);
                let each = (period / count.get()).max(Duration::from_nanos(1));
                Quota::with_period(each)
                    .expect("a period of at least a nanosecond")
                    .allow_burst(burst)
            };
            (Counted::new(quota(1)), Counted::new(quota(factor.max(1))))
        });
        Self { limiters }
    }

    fn check(&self, session: SessionId, address: IpAddr) -> Result<(), Duration> {
        self.check_address(address)?;
        let Some((sessions, _)) = &self.limiters else {
            return Ok(());
        };
        // With too many sessions to remember, the address alone counts.
        sessions.check(&session).unwrap_or(Ok(()))
    }

    fn check_address(&self, address: IpAddr) -> Result<(), Duration> {
        match &self.limiters {
            Some((_, addresses)) => addresses.check(&address.into()).unwrap_or(Err(CROWDED)),
            None => Ok(()),
        }
    }

    fn forget(&self) {
        if let Some((sessions, addresses)) = &self.limiters {
            sessions.forget();
            addresses.forget();
        }
    }
}

/// The open connections and their caps.
struct Connections {
    total: usize,
    per_address: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    total: usize,
    by_address: HashMap<AddressKey, usize>,
}

impl Connections {
    fn enter(self: &Arc<Self>, address: Option<AddressKey>) -> Result<ConnectionGuard, Refused> {
        let mut open = self.open.lock();
        if open.total >= self.total {
            return Err(Refused::Full);
        }
        if let Some(address) = address {
            self.enter_address(&mut open, address)?;
        }
        open.total += 1;
        Ok(ConnectionGuard {
            connections: Arc::clone(self),
            address,
        })
    }

    fn enter_address(&self, open: &mut Open, address: AddressKey) -> Result<(), Refused> {
        let count = open.by_address.entry(address).or_default();
        if self.per_address > 0 && *count >= self.per_address {
            return Err(Refused::Address);
        }
        *count += 1;
        Ok(())
    }
}

/// One counted connection.
pub struct ConnectionGuard {
    connections: Arc<Connections>,
    address: Option<AddressKey>,
}

impl ConnectionGuard {
    /// Counts under this address from now on, when it did not yet.
    fn belong_to(&mut self, address: AddressKey) -> Result<(), Refused> {
        if self.address.is_none() {
            let mut open = self.connections.open.lock();
            self.connections.enter_address(&mut open, address)?;
            self.address = Some(address);
        }
        Ok(())
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock();
        open.total -= 1;
        let Some(address) = self.address else { return };
        if let Some(count) = open.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

/// Holds the guard of a TCP connection until an upgrade takes it over.
#[derive(Clone, Default)]
pub struct Slot(Arc<Mutex<Option<ConnectionGuard>>>);

impl Slot {
    /// A slot that holds this guard.
    pub fn holding(guard: ConnectionGuard) -> Self {
        Self(Arc::new(Mutex::new(Some(guard))))
    }

    fn hand_over(
        &self,
        connections: &Arc<Connections>,
        address: IpAddr,
    ) -> Result<ConnectionGuard, Refused> {
        let mut held = self.0.lock();
        match held.take() {
            Some(mut guard) => match guard.belong_to(address.into()) {
                Ok(()) => Ok(guard),
                Err(refused) => {
                    // The connection itself goes on: it still has to be told.
                    *held = Some(guard);
                    Err(refused)
                }
            },
            None => connections.enter(Some(address.into())),
        }
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Slot(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(change: impl FnOnce(&mut Limits)) -> RateLimits {
        let mut limits = Limits::default();
        change(&mut limits);
        RateLimits::new(&limits, 1000)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn sessions_and_addresses_are_counted() {
        let limits = limits(|l| {
            l.matches_per_minute = 2;
            l.address_factor = 2;
        });
        let me = SessionId::fresh();
        let home = ip("2001:db8::1");
        assert!(limits.matches(me, home).is_ok());
        assert!(limits.matches(me, home).is_ok());
        let wait = limits.matches(me, home).unwrap_err();
        assert!(wait > Duration::from_secs(20) && wait <= Duration::from_secs(30));
        let neighbour = ip("2001:db8::2");
        assert!(limits.matches(SessionId::fresh(), neighbour).is_ok());
        assert!(limits.matches(SessionId::fresh(), neighbour).is_err());
        assert!(limits.matches(SessionId::fresh(), ip("192.0.2.1")).is_ok());
    }

    #[test]
    fn zero_means_no_limit() {
        let limits = limits(|l| l.messages_per_second = 0);
        let me = SessionId::fresh();
        assert!((0..10_000).all(|_| limits.messages(me, ip("192.0.2.1")).is_ok()));
    }

    #[test]
    fn connections_are_counted_by_address_and_altogether() {
        let limits = limits(|l| {
            l.connections_per_address = 2;
            l.connections = 3;
        });
        let home = Some(ip("2001:db8::1"));
        let first = limits.accepted(home).unwrap();
        let _second = limits.accepted(Some(ip("2001:db8::2"))).unwrap();
        assert_eq!(limits.accepted(home).err(), Some(Refused::Address));
        let _third = limits.accepted(None).unwrap();
        assert_eq!(limits.accepted(None).err(), Some(Refused::Full));
        drop(first);
        assert!(limits.accepted(home).is_ok());
        assert_eq!(limits.open_connections(), 2);
    }
}
