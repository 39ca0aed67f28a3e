//! Every rate of every caller: asked for at all levels at once, and charged at all of them or none.
//!
//! The arithmetic is the generic cell rate algorithm (GCRA): a key owes time, which passes by itself;
//! an ask that would make it owe more than its quota allows is refused with the time to wait.
//! The governor crate does the same for one key at a time in a map that grows with its keys; it can
//! neither charge a session and its networks together nor bound its map without refusing strangers.

use std::time::{Duration, Instant};

use super::caller::{Caller, KEYS};
use crate::admission::counter_table::{Debts, HeldKey, KINDS, Table};

/// What is counted. A number is its place in [`Debts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RateKind {
    /// Chat actions.
    Message,
    /// Bytes of frames.
    Byte,
    /// Frames that reach neither the store nor a log.
    Signal,
    /// Searches for a partner.
    Search,
    /// Requests of the API, and handshakes.
    Request,
    /// Pages and files.
    File,
    /// Sessions made.
    Newcomer,
    /// Reports of people.
    Report,
}

/// How much of one kind one key may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    /// Nanoseconds that one unit is worth.
    each: f64,
    /// The most that may be owed, in nanoseconds.
    full: u64,
}

impl RateKind {
    /// Whether it counts more in a network that is watched.
    fn is_watched(self) -> bool {
        matches!(self, Self::Message | Self::Search | Self::Newcomer)
    }
}

impl Quota {
    /// `count` in each `period`, and `burst` at once; `None` when the count is 0, which means none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "nothing here is negative, and what is too large becomes the largest"
    )]
    pub(super) fn new(count: u64, period: Duration, burst: u64) -> Option<Self> {
        let each = (period.as_nanos() as f64) / (count > 0).then_some(count)? as f64;
        Some(Self {
            each,
            full: ((each * burst.max(1) as f64) as u64).max(1),
        })
    }

    /// What so many units are worth. What is more than a whole quota costs a whole quota: it could
    /// never be had otherwise.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "nothing here is negative, and what is too large becomes the largest"
    )]
    fn cost(&self, units: u64) -> u64 {
        ((self.each * units as f64) as u64).min(self.full)
    }
}

/// The quotas of one kind at each level; `None`: not counted there.
pub(super) type Quotas = [Option<Quota>; KEYS];

/// Over a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// How long until the same would be allowed, if nothing else is asked for meanwhile.
    pub wait: Duration,
    /// The caller's own session is over its quota. Else only a network is, by the doing of others
    /// perhaps.
    pub own: bool,
}

/// What so many units count at this level of the caller's.
fn priced(caller: &Caller, level: usize, kind: RateKind, units: u64) -> u64 {
    match kind.is_watched() {
        true => units.saturating_mul(caller.price(level)),
        false => units,
    }
}

/// Bits of how many sets each level's table has: sessions, then networks, the narrowest first.
/// Room for 28,672 sessions, 14,336 narrow and twice 7,168 wider networks that owe something.
const BITS: [u32; KEYS] = [12, 11, 10, 10];

/// The rates and who owes what.
pub(super) struct Ledger {
    began: Instant,
    quotas: [Quotas; KINDS],
    tables: [Table; KEYS],
}

impl Ledger {
    /// `quotas` by [`RateKind`].
    pub(super) fn new(quotas: [Quotas; KINDS], now: Instant) -> Self {
        Self {
            began: now,
            quotas,
            tables: BITS.map(Table::new),
        }
    }

    /// Takes so many units of each kind, all or none.
    pub(super) fn take(
        &self,
        caller: &Caller,
        asks: &[(RateKind, u64)],
        now: Instant,
    ) -> Result<(), Over> {
        let now = self.clock(now);
        let mut over = None;
        // The locks of all levels, always in this order; each is of another table.
        let mut held = self.hold(caller, asks, now);
        for (level, place) in held.iter_mut().enumerate() {
            let Some(place) = place else { continue };
            for (quota, kind, units) in self.asked(level, asks) {
                let cost = quota.cost(priced(caller, level, kind, units));
                let owes = place.debts[kind as usize].saturating_sub(now) + cost;
                place.debts[kind as usize] = now + owes;
                if let Some(wait) = owes.checked_sub(quota.full).filter(|wait| *wait > 0) {
                    let worst = over.map_or(0, |(worst, _)| worst);
                    // In a watched network a person who writes as others do is slowed, and does not flood.
                    let own = level == 0 && caller.price(level) == 1;
                    over = Some((wait.max(worst), own || over.is_some_and(|it| it.1)));
                }
            }
        }
        if let Some((wait, own)) = over {
            let wait = Duration::from_nanos(wait);
            return Err(Over { wait, own });
        }
        held.into_iter().flatten().for_each(HeldKey::commit);
        Ok(())
    }

    /// Charges what has happened already. No key ever owes more than twice its quota.
    pub(super) fn charge(&self, caller: &Caller, asks: &[(RateKind, u64)], now: Instant) {
        let now = self.clock(now);
        for (level, place) in self.hold(caller, asks, now).into_iter().enumerate() {
            let Some(mut place) = place else { continue };
            for (quota, kind, units) in self.asked(level, asks) {
                let cost = quota.cost(priced(caller, level, kind, units));
                let owes = place.debts[kind as usize].saturating_sub(now) + cost;
                place.debts[kind as usize] = now + owes.min(2 * quota.full);
            }
            place.commit();
        }
    }

    /// Forgets the keys that owe nothing: memory is none the smaller, but nothing is left of who was
    /// here.
    pub(super) fn forget(&self, now: Instant) {
        let now = self.clock(now);
        self.tables.iter().for_each(|table| table.forget(now));
    }

    /// The caller's places at each level where any of this is counted.
    fn hold(
        &self,
        caller: &Caller,
        asks: &[(RateKind, u64)],
        now: u64,
    ) -> [Option<HeldKey<'_>>; KEYS] {
        let mut held = [const { None }; KEYS];
        for (level, key) in caller.keys().into_iter().enumerate() {
            if key != 0 && self.asked(level, asks).next().is_some() {
                let share = |debts: &Debts| self.share(level, debts, now);
                held[level] = Some(self.tables[level].hold(key, now, share));
            }
        }
        held
    }

    /// What of this is counted at a level.
    fn asked<'a>(
        &'a self,
        level: usize,
        asks: &'a [(RateKind, u64)],
    ) -> impl Iterator<Item = (&'a Quota, RateKind, u64)> {
        asks.iter()
            .filter(|(_, units)| *units > 0)
            .filter_map(move |(kind, units)| {
                let quota = self.quotas[*kind as usize][level].as_ref()?;
                Some((quota, *kind, *units))
            })
    }

    /// How much of its quotas a key has used up: the fullest counts.
    fn share(&self, level: usize, debts: &Debts, now: u64) -> f64 {
        let quotas = self.quotas.iter().map(|quotas| quotas[level].as_ref());
        let shares = debts.iter().zip(quotas).map(|(until, quota)| match quota {
            Some(quota) => until.saturating_sub(now) as f64 / quota.full as f64,
            None => 0.0,
        });
        shares.fold(0.0, f64::max)
    }

    /// Nanoseconds since the ledger began: enough for 584 years.
    fn clock(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.began).as_nanos();
        u64::try_from(passed).unwrap_or(u64::MAX)
    }

    /// Bytes it holds, now and for ever.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.tables.iter().map(Table::bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::*;
    use crate::admission::caller::Callers;
    use crate::domain::id::SessionId;

    const ADDRESSES: [&str; 4] = [
        "2001:db8:1:1::1",
        "2001:db8:1:2::1",
        "192.0.2.1",
        "192.0.2.2",
    ];
    /// How many times a session's quota each level has here.
    const TIMES: [u64; KEYS] = [1, 2, 3, 4];

    fn ledger(start: Instant) -> Ledger {
        // Ten a second, 20 at once: each is worth 100 ms.
        let second = Duration::from_secs(1);
        let messages = TIMES.map(|times| Quota::new(10 * times, second, 20 * times));
        let mut quotas = [[None; KEYS]; KINDS];
        quotas[RateKind::Message as usize] = messages;
        Ledger::new(quotas, start)
    }

    /// A bucket for each key, filled by a thousandth of its rate each millisecond.
    #[derive(Default)]
    struct Buckets(std::collections::HashMap<(usize, u64), (u64, u64)>);

    impl Buckets {
        fn full(level: usize) -> u64 {
            2000 * TIMES[level]
        }

        fn level(&mut self, level: usize, key: u64, now: u64) -> &mut u64 {
            let full = Self::full(level);
            let bucket = self.0.entry((level, key)).or_insert((full, now));
            bucket.0 = full.min(bucket.0 + (now - bucket.1) * TIMES[level]);
            bucket.1 = now;
            &mut bucket.0
        }

        fn take(&mut self, keys: [u64; KEYS], units: u64, now: u64) -> bool {
            let there = || keys.into_iter().enumerate().filter(|(_, key)| *key != 0);
            let cost = |level| (units * 100).min(Self::full(level));
            let fits = there().all(|(level, key)| *self.level(level, key, now) >= cost(level));
            if fits {
                for (level, key) in there() {
                    *self.level(level, key, now) -= cost(level);
                }
            }
            fits
        }
    }

    proptest! {
        /// All levels or none, each as exact as a bucket of its own.
        #[test]
        fn it_counts_as_buckets_would(
            asks in prop::collection::vec((0_u8..6, 0_usize..4, 1_u64..30, 0_u64..400), 1..200),
        ) {
            let (start, callers) = (Instant::now(), Callers::new());
            let ledger = ledger(start);
            let mut model = Buckets::default();
            let mut passed = 0;
            for (session, place, units, pause) in asks {
                passed += pause;
                let address: IpAddr = ADDRESSES[place].parse().unwrap();
                let caller = callers.caller(Some(SessionId([session; 16])), address);
                let now = start + Duration::from_millis(passed);
                let taken = ledger.take(&caller, &[(RateKind::Message, units)], now);
                let expected = model.take(caller.keys(), units, passed);
                prop_assert_eq!(taken.is_ok(), expected);
                if let Err(over) = taken {
                    prop_assert!(over.wait > Duration::ZERO);
                    // Nothing else is asked for meanwhile: then it fits, and not a moment before.
                    let then = now + over.wait;
                    let before = then.checked_sub(Duration::from_millis(1)).unwrap();
                    if before > now {
                        prop_assert!(ledger.would(&caller, units, before).is_err());
                    }
                    prop_assert!(ledger.would(&caller, units, then).is_ok());
                }
            }
        }
    }

    impl Ledger {
        /// What taking this would answer.
        fn would(&self, caller: &Caller, units: u64, now: Instant) -> Result<(), Over> {
            let asks = [(RateKind::Message, units)];
            let at = self.clock(now);
            let before = self.hold(caller, &asks, at);
            let debts = before.map(|held| held.map(|held| held.debts));
            let taken = self.take(caller, &asks, now);
            let held = self.hold(caller, &asks, at);
            for (held, debts) in held.into_iter().zip(debts) {
                if let (Some(mut held), Some(debts)) = (held, debts) {
                    held.debts = debts;
                    held.commit();
                }
            }
            taken
        }
    }
}
