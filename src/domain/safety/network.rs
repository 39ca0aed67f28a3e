//! Where a person was, as far as the safety of people needs it: two networks of the address, each as a keyed hash.
//! Without the key a hash says nothing of the address; with it every address could be tried, so the key stays
//! with the store.

use serde::{Deserialize, Serialize};

/// How much of an address a network is. Fixed, so that equal networks have equal hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NetworkLength {
    /// One IPv4 address.
    V4Address,
    /// The 256 addresses around it (/24).
    V4Block,
    /// One IPv6 link (/64).
    V6Link,
    /// What a site is given (/48).
    V6Site,
}

impl NetworkLength {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::V4Address, Self::V4Block, Self::V6Link, Self::V6Site];

    /// How many bits of the address it keeps; also how stores keep it.
    pub fn bits(self) -> u8 {
        match self {
            Self::V4Address => 32,
            Self::V4Block => 24,
            Self::V6Link => 64,
            Self::V6Site => 48,
        }
    }

    /// By how many bits it keeps.
    pub fn from_bits(bits: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|it| i64::from(it.bits()) == bits)
    }
}

/// One network as a keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NetworkHash {
    /// How large the network is.
    pub length: NetworkLength,
    /// The first half of its HMAC-SHA-256 under a key that is derived from the installation key.
    pub hash: [u8; 16],
}

impl std::fmt::Debug for NetworkHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NetworkHash(/{}, …)", self.length.bits())
    }
}

/// Both networks of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Networks {
    /// What counts as one place: /32 or /64.
    pub near: NetworkHash,
    /// What is around it: /24 or /48.
    pub wide: NetworkHash,
}
