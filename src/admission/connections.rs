//! How many connections are open, altogether and by address, and whose each one is.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use super::AddressKey;

/// Why a connection was not counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// This address has `limits.connections_per_address` open.
    Address,
    /// The server has as many open as it may.
    Full,
}

/// The open connections and their caps.
pub(super) struct Connections {
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
    pub(super) fn new(total: usize, per_address: usize) -> Self {
        Self {
            total,
            per_address,
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

    pub(super) fn enter(
        self: &Arc<Self>,
        address: Option<AddressKey>,
    ) -> Result<ConnectionGuard, Refused> {
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

    pub(super) fn hand_over(
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
