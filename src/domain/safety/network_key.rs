//! How the networks of an address become keyed hashes: what may be kept beside a report or a sanction for months,
//! without an address. The installation key is not the one that signs cookies, so that a new key for sessions
//! forgets no ban.

use std::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::network::{NetworkHash, NetworkLength, Networks};

/// Hashes networks. Made from the installation key, which may hash other things, too: one is derived for this.
#[derive(Clone)]
pub struct NetworkKey(Hmac<Sha256>);

impl NetworkKey {
    /// That of this installation.
    pub fn new(installation: &[u8; 32]) -> Self {
        let derived = mac(&keyed(installation), b"miyu networks of sanctions 1");
        Self(keyed(&derived))
    }

    /// Both networks of this address. An IPv4 address mapped into IPv6 is IPv4.
    pub fn networks(&self, address: IpAddr) -> Networks {
        let (bytes, near, wide) = match address.to_canonical() {
            IpAddr::V4(v4) => {
                let (near, wide) = (NetworkLength::V4Address, NetworkLength::V4Block);
                (u128::from(v4.to_bits()) << 96, near, wide)
            }
            IpAddr::V6(v6) => {
                let (near, wide) = (NetworkLength::V6Link, NetworkLength::V6Site);
                (v6.to_bits(), near, wide)
            }
        };
        Networks {
            near: self.network(bytes, near),
            wide: self.network(bytes, wide),
        }
    }

    /// The network of so many of the first bits.
    fn network(&self, bits: u128, length: NetworkLength) -> NetworkHash {
        let kept = bits & (u128::MAX << (128 - u32::from(length.bits())));
        // Each length is of one kind of address, so a length and the bits name one network.
        let hash = mac(
            &self.0,
            &[&kept.to_be_bytes()[..], &[length.bits()]].concat(),
        );
        NetworkHash {
            length,
            hash: *hash.first_chunk().expect("32 bytes hold sixteen"),
        }
    }
}

impl std::fmt::Debug for NetworkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NetworkKey(…)")
    }
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn mac(key: &Hmac<Sha256>, body: &[u8]) -> [u8; 32] {
    let mut mac = key.clone();
    mac.update(body);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> Networks {
        NetworkKey::new(&[7; 32]).networks(address.parse().unwrap())
    }

    #[test]
    fn neighbours_share_the_wide_network_only() {
        let (here, next, far) = (of("192.0.2.1"), of("192.0.2.200"), of("192.0.3.1"));
        assert_ne!(here.near, next.near);
        assert_eq!(here.wide, next.wide);
        assert_ne!(here.wide, far.wide);
        assert_eq!(of("::ffff:192.0.2.1"), here);
    }

    #[test]
    fn ipv6_is_kept_at_64_and_48() {
        let here = of("2001:db8:1:1::1");
        assert_eq!(of("2001:db8:1:1:ffff::9"), here, "one /64");
        let sibling = of("2001:db8:1:ff00::1");
        assert_ne!(sibling.near, here.near);
        assert_eq!(sibling.wide, here.wide, "one /48, also across its /56s");
        assert_ne!(of("2001:db8:2:1::1").wide, here.wide);
        let lengths = [here.near, here.wide].map(|it| it.length);
        assert_eq!(lengths, [NetworkLength::V6Link, NetworkLength::V6Site]);
    }

    #[test]
    fn another_installation_has_other_hashes() {
        let other = NetworkKey::new(&[8; 32]).networks("192.0.2.1".parse().unwrap());
        assert_ne!(other.near, of("192.0.2.1").near);
        assert_ne!(other.wide, of("192.0.2.1").wide);
    }

    #[test]
    fn the_hashes_stay_what_they_are() {
        // Bans are kept under them: another way to hash would forget all of them. Computed by other means.
        let hex = |network: NetworkHash| u128::from_be_bytes(network.hash);
        let kept = of("192.0.2.1");
        assert_eq!(hex(kept.near), 0x152c_0b70_69f2_eb40_35e7_9dfd_12ce_6cf6);
        assert_eq!(hex(kept.wide), 0xa951_0b69_fa6b_29b5_7c72_721d_7139_d947);
        assert_eq!(
            hex(of("2001:db8::1").wide),
            0x6648_524f_3378_c8db_677d_abba_21c5_c5d2
        );
    }
}
