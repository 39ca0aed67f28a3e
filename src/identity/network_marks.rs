//! Where a caller is, as keyed hashes of the networks of its address: the same on every node that
//! has the same key, and no way back to the address without it.

use std::net::IpAddr;

use crate::domain::{Mark, Marks, Prefix, PrefixHashes, Tags};
use crate::identity::{Signer, sign as mac};

/// The keyed hashes of this address's networks.
pub fn hashes(signer: &Signer, address: IpAddr) -> PrefixHashes {
    let mut hashes = PrefixHashes::default();
    for (hash, prefix) in hashes.0.iter_mut().zip(Prefix::all(address)) {
        let signature = mac(&signer.place, &prefix.to_bytes());
        let first = signature.first_chunk().expect("32 bytes hold eight");
        // 0 means that there is none.
        *hash = u64::from_le_bytes(*first).max(1);
    }
    hashes
}

/// The marks of a client at this address that names these tags.
pub fn marks(signer: &Signer, address: IpAddr, tags: &Tags) -> Marks {
    let place = Prefix::narrowest(address).to_bytes();
    let mut marks = Marks::default();
    for (mark, (tag, is_topic)) in marks.0.iter_mut().zip(tags.with_kinds()) {
        if !is_topic {
            // The length of the network's bytes is fixed, so that no tag passes for part of it.
            let signature = mac(
                &signer.place,
                &[&place, tag.to_lowercase().as_bytes()].concat(),
            );
            let first = signature.first_chunk().expect("32 bytes hold eight");
            // 0 means that there is none.
            *mark = Some(Mark(u64::from_le_bytes(*first).max(1)));
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn neighbours_share_their_wider_networks_and_keys_differ() {
        let signer = Signer::new(&[7; 32], Duration::from_secs(60));
        let of = |text: &str| hashes(&signer, text.parse().unwrap()).0;
        let (here, there) = (of("192.0.2.1"), of("192.0.2.2"));
        assert_ne!(here[0], there[0]);
        assert_eq!(here[1], there[1]);
        assert_eq!(here[2], 0, "IPv4 has two");
        let (here, there) = (of("2001:db8:1:1::1"), of("2001:db8:1:2::1"));
        assert_ne!(here[0], there[0]);
        assert_eq!(here[1..], there[1..]);
        let other = Signer::new(&[8; 32], Duration::from_secs(60));
        assert_ne!(
            hashes(&other, "192.0.2.1".parse().unwrap()).0,
            of("192.0.2.1")
        );
    }
}
