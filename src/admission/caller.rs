//! What a rate is counted for: the session and every network of the address, as keyed hashes that
//! are made once for each connection, so that counting hashes nothing.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;

use crate::admission::sanctions::Watched;
use crate::domain::Prefix;
use crate::domain::id::SessionId;
use crate::domain::ip_prefix::LEVELS;

/// The levels that a rate is counted at: the session, then its networks, the narrowest first.
pub(super) const KEYS: usize = 1 + LEVELS;

/// The bit of a key that says that its level is watched; the others are the key.
const WATCHED: u64 = 1 << 63;
/// How many times what comes from a watched network counts.
const WATCHED_PRICE: u64 = 8;

/// A session and the networks it asks from. A level that is not there (no session is known, IPv4
/// has one network fewer) is 0 and counts nothing. Each connection keeps one, so that what is known of its
/// levels lies within their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller([u64; KEYS]);

impl Caller {
    /// What is counted at each level.
    pub(super) fn keys(&self) -> [u64; KEYS] {
        self.0.map(|key| key & !WATCHED)
    }

    /// How many times something counts at this level that counts more in a watched network.
    pub(super) fn price(&self, level: usize) -> u64 {
        match self.0[level] & WATCHED {
            0 => 1,
            _ => WATCHED_PRICE,
        }
    }

    /// The same from a network of this size that is watched. What is around it pays for it as for all.
    #[must_use]
    pub(super) fn watched(self, network: Option<Watched>) -> Self {
        let levels = match network {
            None => 0,
            Some(Watched::Near) => 2,
            Some(Watched::Wide) => KEYS,
        };
        let mut keys = self.0;
        for key in keys[..levels].iter_mut().filter(|key| **key != 0) {
            *key |= WATCHED;
        }
        Self(keys)
    }
}

/// Makes [`Caller`]s. The key of its hashes is this process's own and random: which callers share
/// a place in a table can be neither guessed nor chosen.
pub(super) struct Callers(RandomState);

impl Callers {
    pub(super) fn new() -> Self {
        Self(RandomState::new())
    }

    pub(super) fn caller(&self, session: Option<SessionId>, address: IpAddr) -> Caller {
        let mut keys = [0; KEYS];
        // 0 means that there is none.
        let made = |hash: u64| (hash & !WATCHED).max(1);
        keys[0] = session.map_or(0, |session| made(self.0.hash_one(session.0)));
        for (key, prefix) in keys[1..].iter_mut().zip(Prefix::all(address)) {
            *key = made(self.0.hash_one(prefix.to_bytes()));
        }
        Caller(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_their_wider_networks() {
        let callers = Callers::new();
        let of = |text: &str| callers.caller(None, text.parse().unwrap()).keys();
        let (here, there) = (of("2001:db8:1:1::1"), of("2001:db8:1:2::1"));
        assert_eq!(here[0], 0, "no session");
        assert_ne!(here[1], there[1]);
        assert_eq!(here[2..], there[2..]);
        assert_eq!(of("192.0.2.1")[3], 0, "IPv4 has two networks");
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
    }
}
