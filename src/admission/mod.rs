//! Bounds on people: rates by session and by address, and how many connections may be open.
//! Who the client is was decided in [`crate::http::request`]; how each is counted is in the files
//! beside this one.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use crate::config::Limits;
use crate::id::SessionId;

mod connections;
pub mod holdings;
pub mod machine;
pub mod memory;
mod rate;

use connections::Connections;
pub use connections::{ConnectionGuard, Refused, Slot};
use rate::Rate;

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
            connections: Arc::new(Connections::new(total, limits.connections_per_address)),
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
    pub fn connection(&self, slot: &Slot, address: IpAddr) -> Result<ConnectionGuard, Refused> {
        slot.hand_over(&self.connections, address)
    }

    /// Counts a fresh TCP connection. Those of a trusted proxy belong to many people: only the
    /// total counts until one of them becomes a socket.
    pub fn accepted(&self, address: Option<IpAddr>) -> Result<ConnectionGuard, Refused> {
        self.connections.enter(address.map(AddressKey::from))
    }

    /// Connections open now.
    pub fn open_connections(&self) -> usize {
        self.connections.open()
    }

    /// How many may be open.
    pub fn max_connections(&self) -> usize {
        self.connections.most()
    }

    /// Forgets those who have been quiet long enough to owe nothing.
    pub fn forget(&self) {
        for rate in [&self.messages, &self.matches, &self.requests] {
            rate.forget();
        }
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
