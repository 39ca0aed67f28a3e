//! Secrets that are given out once: what the cookie of an operator's session carries, or a set-up link. The store keeps
//! their hash alone, so that a copy of the data opens no session.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::domain::safety::LoginHash;

/// How many random bytes there are.
const BYTES: usize = 32;

/// One of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; BYTES]);

impl Secret {
    /// A new one.
    pub fn fresh() -> Self {
        Self(rand::random())
    }

    /// As it was written; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// As it is given out: letters, digits, `-` and `_`.
    pub fn written(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// By what the store knows it.
    pub fn hash(&self) -> LoginHash {
        LoginHash(Sha256::digest(self.0).into())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_written_and_read_and_never_shown() {
        let secret = Secret::fresh();
        assert_eq!(Secret::parse(&secret.written()), Some(secret.clone()));
        assert_ne!(Secret::fresh(), secret);
        for wrong in ["", "abc", &secret.written()[1..], "a b", "💥"] {
            assert_eq!(Secret::parse(wrong), None, "{wrong}");
        }
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
