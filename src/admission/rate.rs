//! One rate, counted by session and by address at once, with a bound on whom it remembers.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::AddressKey;
use crate::id::SessionId;

/// Most keys one limiter remembers. Beyond it sessions are counted by their address alone; when so
/// many addresses (IPv6: /64s) knock within [`super::FORGET_EVERY`], all of them wait: memory stays
/// bounded whoever knocks.
const KEYS: usize = 200_000;
/// How long somebody waits when the limiter remembers too many already.
const CROWDED: Duration = Duration::from_secs(5);

/// One rate, by session and by address; absent when the configured rate is 0.
pub(super) struct Rate {
    limiters: Option<(Counted<SessionId>, Counted<AddressKey>)>,
}

impl Rate {
    /// `count` in each `period`, all of which may come at once.
    pub(super) fn per(count: u32, period: Duration, factor: u32) -> Self {
        Self::new(count, period, count, factor)
    }

    pub(super) fn new(count: u32, period: Duration, burst: u32, factor: u32) -> Self {
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

    pub(super) fn check(&self, session: SessionId, address: IpAddr) -> Result<(), Duration> {
        self.check_address(address)?;
        let Some((sessions, _)) = &self.limiters else {
            return Ok(());
        };
        // With too many sessions to remember, the address alone counts.
        sessions.check(&session).unwrap_or(Ok(()))
    }

    pub(super) fn check_address(&self, address: IpAddr) -> Result<(), Duration> {
        match &self.limiters {
            Some((_, addresses)) => addresses.check(&address.into()).unwrap_or(Err(CROWDED)),
            None => Ok(()),
        }
    }

    pub(super) fn forget(&self) {
        if let Some((sessions, addresses)) = &self.limiters {
            sessions.forget();
            addresses.forget();
        }
    }
}

type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, DefaultClock>;

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
