//! How often a name and a password may be tried. By name and place five times, then ever more seldom; from one
//! place with any names a few times more. Nothing counts a name wherever it is tried: else a stranger could lock an
//! operator out. Codes are counted by operator, since the password comes before them.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lru::LruCache;
use parking_lot::Mutex;

use crate::domain::safety::OperatorId;

/// Tries of one name from one place before there is a wait.
const OF_NAME_AND_PLACE: u32 = 5;
/// Of one name from what a site is given.
const OF_NAME_AND_SITE: u32 = 15;
/// Of any names from what a site is given.
const OF_SITE: u32 = 60;
/// Codes of one operator, from anywhere.
const OF_CODES: u32 = 10;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// A count that nothing was added to for so long begins anew.
const FORGOTTEN: Duration = Duration::from_secs(3600);
/// Counts that are kept, some 100 bytes each; the one that was added to longest ago is forgotten.
const COUNTS: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");

/// Who tries what.
#[derive(Clone, Debug)]
pub struct Try {
    keys: Vec<(u64, u32)>,
}

#[derive(Clone, Copy)]
struct Count {
    tries: u32,
    last: Instant,
}

impl Count {
    /// How long no other try is let through.
    fn wait(&self, free: u32, now: Instant) -> Option<Duration> {
        let beyond = self.tries.checked_sub(free)?;
        let pause = Duration::from_secs(2 << beyond.min(16)).min(LONGEST);
        let left = (self.last + pause).saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }
}

/// The counts of one node.
pub struct Tries {
    by: RandomState,
    counts: Mutex<LruCache<u64, Count>>,
}

impl Default for Tries {
    fn default() -> Self {
        Self {
            by: RandomState::new(),
            counts: Mutex::new(LruCache::new(COUNTS)),
        }
    }
}

impl Tries {
    /// A name (as names are compared) that is tried from this address.
    pub fn of_name(&self, name: &str, address: IpAddr) -> Try {
        let (place, site) = networks(address);
        Try {
            keys: vec![
                (self.key(("place", name, place)), OF_NAME_AND_PLACE),
                (self.key(("site", name, site)), OF_NAME_AND_SITE),
                (self.key(("any", site)), OF_SITE),
            ],
        }
    }

    /// A code of this operator.
    pub fn of_code(&self, operator: OperatorId) -> Try {
        Try {
            keys: vec![(self.key(("code", operator)), OF_CODES)],
        }
    }

    fn key(&self, of: impl Hash) -> u64 {
        self.by.hash_one(of)
    }

    /// Counts a try before anything is compared, so that many at once are counted, too.
    ///
    /// # Errors
    /// How long to wait; then nothing was counted.
    pub fn begin(&self, what: &Try, now: Instant) -> Result<(), Duration> {
        let mut counts = self.counts.lock();
        let known = |counts: &LruCache<u64, Count>, key| {
            let count = counts.peek(&key).copied();
            count.filter(|it| now.saturating_duration_since(it.last) < FORGOTTEN)
        };
        let waits = what.keys.iter();
        let waits = waits.filter_map(|(key, free)| known(&counts, *key)?.wait(*free, now));
        if let Some(longest) = waits.max() {
            return Err(longest);
        }
        for (key, _) in &what.keys {
            let tries = known(&counts, *key).map_or(0, |it| it.tries);
            let count = Count {
                tries: tries.saturating_add(1),
                last: now,
            };
            counts.put(*key, count);
        }
        Ok(())
    }

    /// It was right: the first of its counts begins anew, this try is taken off the others. So an operator who knows one
    /// password cannot go on guessing others for ever.
    pub fn succeeded(&self, what: &Try) {
        self.give_back(what);
        if let Some((first, _)) = what.keys.first() {
            self.counts.lock().pop(first);
        }
    }

    /// It counts for nothing.
    pub fn give_back(&self, what: &Try) {
        let mut counts = self.counts.lock();
        for (key, _) in &what.keys {
            if let Some(count) = counts.peek_mut(key) {
                count.tries = count.tries.saturating_sub(1);
            }
        }
    }
}

/// What counts as one place (/32, /64), and what a site is given (/24, /48).
fn networks(address: IpAddr) -> (u128, u128) {
    match address.to_canonical() {
        IpAddr::V4(ip) => {
            let bits = u128::from(ip.to_bits()) | 1 << 127;
            (bits, bits & !0xff)
        }
        IpAddr::V6(ip) => (ip.to_bits() >> 64, ip.to_bits() >> 80),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// How many of these tries are let through, one a millisecond.
    fn let_through(tries: &Tries, now: Instant, of: impl Iterator<Item = Try>) -> usize {
        let each = of.enumerate().map(|(n, it)| {
            let after = Duration::from_millis(n.try_into().unwrap());
            tries.begin(&it, now + after)
        });
        each.filter(Result::is_ok).count()
    }

    #[test]
    fn five_then_waits_that_double_up_to_a_quarter_of_an_hour() {
        let (tries, mut now) = (Tries::default(), Instant::now());
        let what = tries.of_name("mei", at("192.0.2.7"));
        assert_eq!(let_through(&tries, now, (0..50).map(|_| what.clone())), 5);
        now += Duration::from_secs(1);
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = tries.begin(&what, now).unwrap_err();
            waits.push((wait.as_millis() + 500) / 1000);
            now += wait;
            assert_eq!(tries.begin(&what, now), Ok(()));
        }
        assert_eq!(waits[1..10], [4, 8, 16, 32, 64, 128, 256, 512, 900]);
        assert_eq!(waits[11], 900);
        now += FORGOTTEN;
        assert_eq!(let_through(&tries, now, (0..50).map(|_| what.clone())), 5);
    }

    #[test]
    fn names_and_places_have_counts_of_their_own() {
        let (tries, now) = (Tries::default(), Instant::now());
        let mei = |address: &str| tries.of_name("mei", at(address));
        assert_eq!(
            let_through(&tries, now, (0..9).map(|_| mei("192.0.2.7"))),
            5
        );
        assert_eq!(tries.begin(&mei("198.51.100.7"), now), Ok(()), "elsewhere");
        let ming = tries.of_name("ming", at("192.0.2.7"));
        assert_eq!(tries.begin(&ming, now), Ok(()), "another name");
        assert_eq!(tries.begin(&mei("::ffff:198.51.100.7"), now), Ok(()));
        let fourth = let_through(&tries, now, (0..9).map(|_| mei("198.51.100.7")));
        assert_eq!(fourth, 3, "one address, however it is written");
    }

    #[test]
    fn a_site_is_not_many_places() {
        let (tries, now) = (Tries::default(), Instant::now());
        let links = (0..1000).map(|n| tries.of_name("mei", at(&format!("2001:db8:7:{n:x}::1"))));
        let links: Vec<_> = links.collect();
        let through = let_through(&tries, now, links.into_iter());
        assert_eq!(through, 15, "one name from a /48");
        let names = (0..1000).map(|n| tries.of_name(&format!("name{n}"), at("203.0.113.9")));
        let names: Vec<_> = names.collect();
        assert_eq!(let_through(&tries, now, names.into_iter()), 60, "names");
    }

    #[test]
    fn what_was_right_counts_no_more_and_what_was_not_does() {
        let (tries, now) = (Tries::default(), Instant::now());
        let (mei, ming) = (at("192.0.2.7"), at("192.0.2.7"));
        let (own, other) = (tries.of_name("mei", mei), tries.of_name("ming", ming));
        for _ in 0..40 {
            assert_eq!(tries.begin(&own, now), Ok(()));
            tries.succeeded(&own);
        }
        for _ in 0..5 {
            assert_eq!(tries.begin(&other, now), Ok(()));
            assert_eq!(tries.begin(&own, now), Ok(()));
            tries.succeeded(&own);
        }
        assert!(
            tries.begin(&other, now).is_err(),
            "guessing goes on counting"
        );
        let asked = tries.of_code(OperatorId(1));
        for _ in 0..40 {
            assert_eq!(tries.begin(&asked, now), Ok(()));
            tries.give_back(&asked);
        }
    }

    #[test]
    fn a_flood_of_names_does_not_grow_the_table() {
        let (tries, now) = (Tries::default(), Instant::now());
        for n in 0..20_000_u32 {
            let address = IpAddr::from((n << 8).to_be_bytes());
            let _ = tries.begin(&tries.of_name("x", address), now);
        }
        assert_eq!(tries.counts.lock().len(), COUNTS.get());
    }
}
