//! One budget for the bytes in flight: what is held for clients that have not taken it yet, or have
//! not sent all of it. Small things (a connection's own buffers, a short frame) are not reserved,
//! since a bound on connections bounds them too ([`crate::admission::bounds`]); what can be large is, each
//! time, before it is read or made. How much there is, the machine says ([`super::host`]).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::Prefix;
use crate::telemetry;

/// What one connection may hold of each kind (an incomplete frame, a batch not yet written) without a
/// reservation: nearly every honest frame is smaller.
pub const FREE: usize = 4 * 1024;
/// So much must be left for a handshake to be taken.
const HANDSHAKE: usize = 64 * 1024;
/// Least budget: 25 pages of 320 KiB for one address.
pub const LEAST: u64 = 64 << 20;

/// What one network may hold, in sixteenths of the budget, the narrowest first: an eighth for one
/// address, so that eight are needed to fill it, and a quarter for a site.
const SHARES: [u64; 3] = [2, 3, 4];
/// Requests and handshakes leave this part (sixteenths) to the sockets of open rooms.
const FOR_OPEN_ROOMS: u64 = 4;

/// What kind of caller something is held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A request, or a socket that is in no room: refused first.
    Arriving,
    /// A socket in an open room: may use the last quarter too.
    InRoom,
}

/// Why nothing could be reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exhausted {
    /// A network of this address holds its share.
    #[error("this network holds its share of limits.memory")]
    Share,
    /// All of it is in use.
    #[error("limits.memory is in use")]
    Total,
}

impl Exhausted {
    /// The word in metrics.
    pub fn why(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::Total => "total",
        }
    }
}

/// The budget. One lock, held for some map accesses: what is reserved takes far longer to make.
pub struct MemoryBudget {
    limit: u64,
    held: Mutex<ReservedBytes>,
}

/// An entry of `by_prefix` is there only while something is reserved: the map is bounded by the budget.
#[derive(Default)]
struct ReservedBytes {
    total: u64,
    by_prefix: HashMap<Prefix, u64>,
}

impl MemoryBudget {
    /// A budget of so many bytes.
    pub fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self {
            limit,
            held: Mutex::default(),
        })
    }

    /// All of it, in bytes.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Reserved now, in bytes.
    pub fn used(&self) -> u64 {
        self.held.lock().total
    }

    /// More than nine tenths are in use.
    pub fn scarce(&self) -> bool {
        self.used().saturating_mul(10) > self.limit.saturating_mul(9)
    }

    /// What one address (IPv6: one /64) may hold, in bytes.
    pub fn share(&self) -> u64 {
        sixteenths(self.limit, SHARES[0])
    }

    /// Reserves bytes for an address until the reservation is dropped.
    ///
    /// # Errors
    /// A network of the address holds its share, or the budget is in use.
    pub fn reserve(
        self: &Arc<Self>,
        address: IpAddr,
        class: Class,
        bytes: usize,
    ) -> Result<Reservation, Exhausted> {
        let mut reservation = Reservation {
            budget: Arc::clone(self),
            address,
            class,
            bytes: 0,
        };
        reservation.resize(bytes)?;
        Ok(reservation)
    }

    /// Whether a handshake of this address may be taken: nothing is reserved for it.
    ///
    /// # Errors
    /// As [`MemoryBudget::reserve`].
    pub fn admits(&self, address: IpAddr, class: Class) -> Result<(), Exhausted> {
        let fits = self.fits(&self.held.lock(), address, class, HANDSHAKE as u64);
        fits.inspect_err(|why| count(*why))
    }

    fn fits(
        &self,
        held: &ReservedBytes,
        address: IpAddr,
        class: Class,
        more: u64,
    ) -> Result<(), Exhausted> {
        let kept = match class {
            Class::Arriving => sixteenths(self.limit, FOR_OPEN_ROOMS),
            Class::InRoom => 0,
        };
        if held.total.saturating_add(more) > self.limit - kept {
            return Err(Exhausted::Total);
        }
        for (prefix, share) in Prefix::all(address).zip(SHARES) {
            let has = held.by_prefix.get(&prefix).copied().unwrap_or(0);
            if has.saturating_add(more) > sixteenths(self.limit, share) {
                return Err(Exhausted::Share);
            }
        }
        Ok(())
    }

    fn add(&self, address: IpAddr, class: Class, more: u64) -> Result<(), Exhausted> {
        let mut held = self.held.lock();
        self.fits(&held, address, class, more)
            .inspect_err(|why| count(*why))?;
        held.total += more;
        for prefix in Prefix::all(address) {
            *held.by_prefix.entry(prefix).or_default() += more;
        }
        Ok(())
    }

    fn give_back(&self, address: IpAddr, less: u64) {
        let mut held = self.held.lock();
        held.total -= less;
        for prefix in Prefix::all(address) {
            if let Some(has) = held.by_prefix.get_mut(&prefix) {
                *has -= less;
                if *has == 0 {
                    held.by_prefix.remove(&prefix);
                }
            }
        }
        if held.by_prefix.is_empty() {
            held.by_prefix.shrink_to_fit();
        }
    }
}

fn sixteenths(of: u64, count: u64) -> u64 {
    of / 16 * count
}

fn count(why: Exhausted) {
    metrics::counter!(telemetry::MEMORY_REFUSED, "why" => why.why()).increment(1);
}

/// Bytes that are held for one address; dropping it gives them back.
pub struct Reservation {
    budget: Arc<MemoryBudget>,
    address: IpAddr,
    class: Class,
    bytes: u64,
}

impl Reservation {
    /// How many.
    pub fn bytes(&self) -> usize {
        usize::try_from(self.bytes).unwrap_or(usize::MAX)
    }

    /// Holds so many from now on; fewer always works.
    ///
    /// # Errors
    /// As [`MemoryBudget::reserve`]; it then holds what it held.
    pub fn resize(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let bytes = bytes as u64;
        match bytes.checked_sub(self.bytes) {
            Some(0) => {}
            Some(more) => self.budget.add(self.address, self.class, more)?,
            None => self.budget.give_back(self.address, self.bytes - bytes),
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.budget.give_back(self.address, self.bytes);
        }
    }
}

/// What a socket reserves memory with: the budget, and in whose name.
#[derive(Clone, Copy)]
pub struct MemoryAccount<'a> {
    /// The budget.
    pub budget: &'a Arc<MemoryBudget>,
    /// The real client's address.
    pub address: IpAddr,
    /// What kind of socket it is.
    pub class: Class,
}

impl MemoryAccount<'_> {
    /// Makes `held` cover these bytes, without what is free. It grows by whole steps, so that a frame
    /// that comes in small pieces asks the budget a few times only.
    ///
    /// # Errors
    /// As [`MemoryBudget::reserve`].
    pub fn cover(
        &self,
        held: &mut Option<Box<Reservation>>,
        bytes: usize,
    ) -> Result<(), Exhausted> {
        if bytes <= FREE {
            return Ok(());
        }
        let bytes = bytes.next_multiple_of(FREE);
        match held {
            Some(held) if held.bytes() >= bytes => Ok(()),
            Some(held) => held.resize(bytes),
            None => {
                let reserved = self.budget.reserve(self.address, self.class, bytes)?;
                *held = Some(Box::new(reserved));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn refused(
        budget: &Arc<MemoryBudget>,
        from: &str,
        class: Class,
        bytes: usize,
    ) -> Option<Exhausted> {
        budget.reserve(ip(from), class, bytes).err()
    }

    #[test]
    fn what_is_dropped_comes_back_and_nothing_is_remembered() {
        let budget = MemoryBudget::new(16 * MIB as u64);
        let mut held = budget
            .reserve(ip("192.0.2.1"), Class::Arriving, MIB)
            .unwrap();
        held.resize(MIB / 2).unwrap();
        assert_eq!(budget.used(), MIB as u64 / 2);
        held.resize(2 * MIB).unwrap();
        assert_eq!(held.resize(2 * MIB + 1), Err(Exhausted::Share));
        assert_eq!(held.bytes(), 2 * MIB, "what it held");
        drop(held);
        assert_eq!(budget.used(), 0);
        assert!(budget.held.lock().by_prefix.is_empty());
    }

    #[test]
    fn an_address_has_an_eighth_and_its_wider_networks_somewhat_more() {
        let budget = MemoryBudget::new(16 * MIB as u64);
        let _a = budget.reserve(ip("192.0.2.1"), Class::InRoom, 2 * MIB);
        let neighbour = refused(&budget, "192.0.2.1", Class::InRoom, 1);
        assert_eq!(neighbour, Some(Exhausted::Share));
        let _b = budget.reserve(ip("192.0.2.2"), Class::InRoom, MIB).unwrap();
        let third = refused(&budget, "192.0.2.3", Class::InRoom, 1);
        assert_eq!(
            third,
            Some(Exhausted::Share),
            "the /24 has three sixteenths"
        );
        assert_eq!(refused(&budget, "198.51.100.1", Class::InRoom, MIB), None);

        let _c = budget.reserve(ip("2001:db8:0:0::1"), Class::InRoom, 2 * MIB);
        let same = refused(&budget, "2001:db8:0:0::2", Class::InRoom, 1);
        assert_eq!(same, Some(Exhausted::Share), "one /64");
        let _d = budget.reserve(ip("2001:db8:0:1::1"), Class::InRoom, MIB);
        let house = refused(&budget, "2001:db8:0:2::1", Class::InRoom, 1);
        assert_eq!(house, Some(Exhausted::Share), "one /56");
        let _e = budget.reserve(ip("2001:db8:0:100::1"), Class::InRoom, MIB);
        let site = refused(&budget, "2001:db8:0:200::1", Class::InRoom, 1);
        assert_eq!(site, Some(Exhausted::Share), "one /48");
    }

    #[test]
    fn those_in_rooms_have_the_last_quarter() {
        let budget = MemoryBudget::new(16 * MIB as u64);
        let held: Vec<_> = (0..6)
            .map(|n| budget.reserve(ip(&format!("10.{n}.0.1")), Class::Arriving, 2 * MIB))
            .collect();
        assert!(held.iter().all(Result::is_ok));
        let late = refused(&budget, "10.9.0.1", Class::Arriving, 1);
        assert_eq!(late, Some(Exhausted::Total));
        assert_eq!(
            budget.admits(ip("10.9.0.1"), Class::Arriving),
            Err(Exhausted::Total)
        );
        assert_eq!(budget.admits(ip("10.9.0.1"), Class::InRoom), Ok(()));
        assert!(!budget.scarce());
        let _inside: Vec<_> = (10..12)
            .map(|n| budget.reserve(ip(&format!("10.{n}.0.1")), Class::InRoom, 2 * MIB))
            .collect();
        assert!(budget.scarce());
        let last = refused(&budget, "10.20.0.1", Class::InRoom, 1);
        assert_eq!(last, Some(Exhausted::Total));
    }

    #[test]
    fn what_is_small_is_free_and_what_grows_is_covered_in_steps() {
        let budget = MemoryBudget::new(16 * MIB as u64);
        let account = MemoryAccount {
            budget: &budget,
            address: ip("192.0.2.1"),
            class: Class::InRoom,
        };
        let mut held = None;
        account.cover(&mut held, FREE).unwrap();
        assert!(held.is_none());
        account.cover(&mut held, FREE + 1).unwrap();
        assert_eq!(budget.used(), 2 * FREE as u64);
        account.cover(&mut held, FREE + 2).unwrap();
        assert_eq!(budget.used(), 2 * FREE as u64);
        account.cover(&mut held, 3 * FREE).unwrap();
        assert_eq!(budget.used(), 3 * FREE as u64);
        assert!(account.cover(&mut held, 3 * MIB).is_err());
        drop(held);
        assert_eq!(budget.used(), 0);
    }
}
