//! The networks that an address belongs to. One household, dormitory or rented server has many
//! addresses, so shares are counted by network prefix, at several lengths.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// One network prefix: the address with all bits after `length` cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix {
    network: IpAddr,
    length: u8,
}

/// How many lengths an IPv6 address is counted at; IPv4 has one fewer.
pub const LEVELS: usize = 3;

const V4_LENGTHS: [u8; 2] = [32, 24];
/// A /64 is one link, a /56 what a household is usually given, a /48 what a site is (RFC 6177).
const V6_LENGTHS: [u8; LEVELS] = [64, 56, 48];

impl Prefix {
    /// The networks of this address, the narrowest first: IPv4 /32 and /24, IPv6 /64, /56 and /48.
    /// An IPv4 address mapped into IPv6 is IPv4.
    pub fn all(address: IpAddr) -> impl ExactSizeIterator<Item = Prefix> {
        let address = address.to_canonical();
        let lengths: &'static [u8] = match address {
            IpAddr::V4(_) => &V4_LENGTHS,
            IpAddr::V6(_) => &V6_LENGTHS,
        };
        lengths
            .iter()
            .map(move |length| Self::cut(address, *length))
    }

    /// The narrowest network of this address: what counts as one place.
    pub fn narrowest(address: IpAddr) -> Prefix {
        let address = address.to_canonical();
        let length = match address {
            IpAddr::V4(_) => V4_LENGTHS[0],
            IpAddr::V6(_) => V6_LENGTHS[0],
        };
        Self::cut(address, length)
    }

    /// The bytes that stand for it, to be hashed: the network's 16 bytes (IPv4 mapped) and the length.
    pub fn to_bytes(self) -> [u8; 17] {
        let network = match self.network {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        };
        let mut bytes = [0; 17];
        bytes[..16].copy_from_slice(&network.octets());
        bytes[16] = self.length;
        bytes
    }

    fn cut(address: IpAddr, length: u8) -> Prefix {
        let network = match address {
            IpAddr::V4(v4) => {
                let kept = u32::MAX << (32 - u32::from(length));
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & kept))
            }
            IpAddr::V6(v6) => {
                let kept = u128::MAX << (128 - u32::from(length));
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & kept))
            }
        };
        Self { network, length }
    }
}

/// The networks of a caller as keyed hashes, the narrowest first: what may be kept beside a search,
/// also in a Redis that several nodes share, without saying where anybody is. An IPv4 address has
/// two networks; its third place is 0. All zero: not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PrefixHashes(pub [u64; LEVELS]);

impl PrefixHashes {
    /// The narrowest network; `None` when no address is known.
    pub fn narrowest(self) -> Option<u64> {
        (self.0[0] != 0).then_some(self.0[0])
    }

    /// The widest: a /24 or a /48.
    pub fn widest(self) -> Option<u64> {
        self.0.into_iter().rfind(|hash| *hash != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(address: &str) -> Vec<String> {
        let all = Prefix::all(address.parse().unwrap());
        all.map(|it| format!("{}/{}", it.network, it.length))
            .collect()
    }

    #[test]
    fn an_address_is_counted_at_each_length() {
        assert_eq!(texts("192.0.2.77"), ["192.0.2.77/32", "192.0.2.0/24"]);
        assert_eq!(texts("::ffff:192.0.2.77"), texts("192.0.2.77"));
        assert_eq!(
            texts("2001:db8:12:3456:789a::1"),
            [
                "2001:db8:12:3456::/64",
                "2001:db8:12:3400::/56",
                "2001:db8:12::/48"
            ]
        );
    }

    #[test]
    fn networks_of_different_lengths_have_different_bytes() {
        let all: Vec<_> = Prefix::all("2001:db8::1".parse().unwrap()).collect();
        assert_ne!(all[0].to_bytes(), all[1].to_bytes());
        let narrowest = Prefix::narrowest("2001:db8::1".parse().unwrap());
        assert_eq!(all[0], narrowest);
    }
}
