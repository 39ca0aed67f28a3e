//! How many connections are open, altogether and by network, and whose each one is.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::GROWTH;
use crate::domain::Prefix;
use crate::domain::ip_prefix::LEVELS;

/// Why a connection was not counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionRefused {
    /// A network of this address has as many open as it may.
    Address,
    /// The server has as many open as it may; the last tenth is for people in open rooms.
    Full,
}

/// What a request or a socket is for, when few places are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Anything else.
    Other,
    /// A side of an open room, a handshake that may turn out to be one, or an operator.
    Kept,
}

/// One part in so many of all places is kept for people in open rooms, and of it a network has the
/// same part of what it may have of all.
const KEPT: usize = 10;
/// How long a connection that has one of the last places may take to say who it is for: its request
/// head, and the frame that names its room.
const KEPT_TIMEOUT: Duration = Duration::from_secs(2);
/// No network wider than the narrowest has more than one part in so many of all places.
const LARGEST_SHARE: usize = 4;

/// The open connections and their caps.
pub(super) struct Connections {
    total: usize,
    /// The most that one network may have, the narrowest first.
    shares: [usize; LEVELS],
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    total: usize,
    by_network: HashMap<Prefix, Count>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    all: usize,
    kept: usize,
}

impl Connections {
    /// `per_address` is the share of one narrow network; 0: none.
    pub(super) fn new(total: usize, per_address: usize) -> Self {
        let largest = per_address.max(total / LARGEST_SHARE);
        let mut share = per_address;
        let shares = std::array::from_fn(|level| {
            if level > 0 {
                share = share.saturating_mul(GROWTH as usize);
            }
            match per_address {
                0 => usize::MAX,
                _ => share.min(largest),
            }
        });
        Self {
            total,
            shares,
            open: Mutex::default(),
        }
    }

    /// Open now.
    pub(super) fn open(&self) -> usize {
        self.open.lock().total
    }

    /// How many may be open.
    pub(super) fn most(&self) -> usize {
        self.total
    }

    /// Counts one in. `None`: a proxy's, counted under the client of each request that comes on it.
    pub(super) fn enter(
        self: &Arc<Self>,
        address: Option<IpAddr>,
    ) -> Result<ConnectionGuard, ConnectionRefused> {
        let mut open = self.open.lock();
        if open.total >= self.total {
            return Err(ConnectionRefused::Full);
        }
        let kept = open.total >= self.total - self.total / KEPT;
        if let Some(address) = address {
            open.count(&self.shares, address, kept)?;
        }
        open.total += 1;
        Ok(ConnectionGuard {
            connections: Arc::clone(self),
            address,
            proxied: address.is_none(),
            kept,
        })
    }
}

impl Open {
    /// Counts one under every network of the address, or under none.
    fn count(
        &mut self,
        shares: &[usize],
        address: IpAddr,
        kept: bool,
    ) -> Result<(), ConnectionRefused> {
        let full = |(network, share): (Prefix, &usize)| {
            let count = self.by_network.get(&network).copied().unwrap_or_default();
            count.all >= *share || (kept && count.kept >= (*share / KEPT).max(1))
        };
        if Prefix::all(address).zip(shares).any(full) {
            return Err(ConnectionRefused::Address);
        }
        for network in Prefix::all(address) {
            let count = self.by_network.entry(network).or_default();
            count.all += 1;
            count.kept += usize::from(kept);
        }
        Ok(())
    }

    fn discount(&mut self, address: IpAddr, kept: bool) {
        for network in Prefix::all(address) {
            if let Some(count) = self.by_network.get_mut(&network) {
                count.all -= 1;
                count.kept -= usize::from(kept);
                if count.all == 0 {
                    self.by_network.remove(&network);
                }
            }
        }
    }
}

/// One counted connection.
pub struct ConnectionGuard {
    connections: Arc<Connections>,
    address: Option<IpAddr>,
    /// It belongs to many people, one after the other.
    proxied: bool,
    /// It has one of the last places.
    kept: bool,
}

impl ConnectionGuard {
    /// It has one of the last places: who it is for is to be known soon.
    pub fn is_kept(&self) -> bool {
        self.kept
    }

    /// How long it may take to say who it is for, where this is usual.
    pub fn timeout(&self, usual: Duration) -> Duration {
        match self.kept {
            true => usual.min(KEPT_TIMEOUT),
            false => usual,
        }
    }

    /// Counts under this address from now on, if it is a proxy's.
    fn belong_to(&mut self, address: IpAddr) -> Result<(), ConnectionRefused> {
        if !self.proxied || self.address == Some(address) {
            return Ok(());
        }
        let mut open = self.connections.open.lock();
        if let Some(before) = self.address.take() {
            open.discount(before, self.kept);
        }
        open.count(&self.connections.shares, address, self.kept)?;
        self.address = Some(address);
        Ok(())
    }

    fn admit(&mut self, address: IpAddr, purpose: Purpose) -> Result<(), ConnectionRefused> {
        if self.kept && purpose != Purpose::Kept {
            return Err(ConnectionRefused::Full);
        }
        self.belong_to(address)
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock();
        open.total -= 1;
        if let Some(address) = self.address {
            open.discount(address, self.kept);
        }
    }
}

/// Holds the guard of a TCP connection until an upgrade takes it over.
#[derive(Clone, Default)]
pub struct PermitSlot(Arc<Mutex<Option<ConnectionGuard>>>);

impl PermitSlot {
    /// A slot that holds this guard.
    pub fn holding(guard: ConnectionGuard) -> Self {
        Self(Arc::new(Mutex::new(Some(guard))))
    }

    /// Counts a request under its client.
    pub(super) fn admit(&self, address: IpAddr, purpose: Purpose) -> Result<(), ConnectionRefused> {
        match self.0.lock().as_mut() {
            Some(guard) => guard.admit(address, purpose),
            None => Ok(()),
        }
    }

    pub(super) fn hand_over(
        &self,
        connections: &Arc<Connections>,
        address: IpAddr,
        purpose: Purpose,
    ) -> Result<ConnectionGuard, ConnectionRefused> {
        let mut held = self.0.lock();
        match held.take() {
            Some(mut guard) => match guard.admit(address, purpose) {
                Ok(()) => Ok(guard),
                Err(refused) => {
                    // The connection itself goes on: it still has to be told.
                    *held = Some(guard);
                    Err(refused)
                }
            },
            None => connections.enter(Some(address)),
        }
    }
}

impl std::fmt::Debug for PermitSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PermitSlot(…)")
    }
}
