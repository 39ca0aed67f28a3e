//! Who a browser is: the signed cookie, and the signed token that names a side of a room.
//! Holds the keys; knows nothing of rooms or requests beyond their headers.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub mod cookie;
pub mod jar;
pub mod network_marks;
pub mod principal;
pub mod revoked;
pub mod seat;
pub mod token;

/// Length of the key that everything is derived from, in bytes.
pub const KEY_BYTES: usize = 32;
/// Length of a signature, in bytes.
pub(crate) const MAC_BYTES: usize = 32;

type HmacSha256 = Hmac<Sha256>;

/// Signs and verifies. One key per purpose is derived from the configured one, so that a cookie can
/// never pass for a token.
pub struct Signer {
    cookie: HmacSha256,
    token: HmacSha256,
    place: HmacSha256,
    lifetime: Duration,
    longest: Duration,
}

impl Signer {
    /// Derives the keys. `lifetime` is how long an unused cookie is honoured.
    pub fn new(key: &[u8; KEY_BYTES], lifetime: Duration) -> Self {
        Self {
            cookie: derive(key, b"miyu session cookie 1"),
            token: derive(key, b"miyu room token 1"),
            place: derive(key, b"miyu network prefix 1"),
            lifetime,
            longest: Duration::MAX,
        }
    }

    /// The same, with sessions that end after so long, however often they are renewed.
    #[must_use]
    pub fn ending(mut self, longest: Duration) -> Self {
        self.longest = longest;
        self
    }

    /// How long a session lives at most.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// How long an unused cookie is honoured.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}

/// Why a key must not be used, if so: anybody could sign with one that is printed somewhere.
pub fn key_weakness(key: &[u8; KEY_BYTES]) -> Option<&'static str> {
    let counting_up = key.windows(2).all(|w| w[1] == w[0].wrapping_add(1));
    if key.iter().all(|b| *b == key[0]) {
        Some("it is one byte repeated")
    } else if key[..16] == key[16..] {
        Some("its halves are equal")
    } else if counting_up {
        Some("it counts up")
    } else if EXAMPLES.contains(key) {
        Some("it is printed in the documentation as an example")
    } else {
        None
    }
}

/// Keys that appear in documentation, ours first.
const EXAMPLES: [[u8; KEY_BYTES]; 2] = [
    *b"\x0f\x1e\x2d\x3c\x4b\x5a\x69\x78\x87\x96\xa5\xb4\xc3\xd2\xe1\xf0\
       \x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
    *b"\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10\
       \x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10",
];

/// The key that nodes of one site seal their frames with.
pub fn frame_key(key: &[u8; KEY_BYTES]) -> [u8; 32] {
    derived(key, b"miyu frames between nodes 1")
}

/// The key that messages are proved with: the same on every node of a site.
pub fn proof_key(key: &[u8; KEY_BYTES]) -> [u8; 32] {
    derived(key, b"miyu proof of a message 1")
}

fn derive(key: &[u8; KEY_BYTES], purpose: &[u8]) -> HmacSha256 {
    keyed(&derived(key, purpose))
}

fn derived(key: &[u8; KEY_BYTES], purpose: &[u8]) -> [u8; 32] {
    let mut outer = keyed(key);
    outer.update(purpose);
    outer.finalize().into_bytes().into()
}

fn keyed(key: &[u8]) -> HmacSha256 {
    HmacSha256::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn sign(mac: &HmacSha256, body: &[u8]) -> [u8; MAC_BYTES] {
    let mut mac = mac.clone();
    mac.update(body);
    mac.finalize().into_bytes().into()
}

/// Compares in constant time.
fn verify(mac: &HmacSha256, body: &[u8], signature: &[u8]) -> bool {
    let mut mac = mac.clone();
    mac.update(body);
    mac.verify_slice(signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn example_keys_are_weak() {
        assert!(key_weakness(&[0; 32]).is_some());
        assert!(key_weakness(&[0xab; 32]).is_some());
        assert!(key_weakness(&EXAMPLES[0]).is_some());
        assert!(key_weakness(&std::array::from_fn(|i| u8::try_from(i).unwrap())).is_some());
        assert!(key_weakness(&rand::random()).is_none());
    }
}
