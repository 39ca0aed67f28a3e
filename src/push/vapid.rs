//! Who sends: the key by which push services know this site, and the word that is signed with it (RFC 8292).

use std::time::Duration;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};

use super::base64url;

/// How long a signed word counts; push services take a day at most.
const GOOD_FOR: Duration = Duration::from_secs(12 * 60 * 60);

/// The site's key pair.
pub struct SenderKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

/// The bytes are no key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no P-256 key in PKCS #8")]
pub struct NoKey;

impl SenderKey {
    /// A fresh key, as it is kept (PKCS #8).
    ///
    /// # Errors
    /// There is no randomness.
    pub fn generate() -> Result<Vec<u8>, NoKey> {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        Ok(made.map_err(|_| NoKey)?.as_ref().to_vec())
    }

    /// The key that was kept.
    ///
    /// # Errors
    /// It is none.
    pub fn read(pkcs8: &[u8]) -> Result<Self, NoKey> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random);
        Ok(Self {
            pair: pair.map_err(|_| NoKey)?,
            random,
        })
    }

    /// What browsers are given to subscribe with.
    pub fn public(&self) -> String {
        base64url(self.pair.public_key().as_ref())
    }

    /// The value of `Authorization` for a push service: `audience` is its origin, `contact` is where its
    /// operator is written to, `now` is the time since 1970.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn authorization(
        &self,
        audience: &str,
        contact: &str,
        now: Duration,
    ) -> Result<String, NoKey> {
        let claims = serde_json::json!({
            "aud": audience,
            "exp": (now + GOOD_FOR).as_secs(),
            "sub": contact,
        });
        let head = base64url(br#"{"typ":"JWT","alg":"ES256"}"#);
        let signed = format!("{head}.{}", base64url(claims.to_string().as_bytes()));
        let signature = self.pair.sign(&self.random, signed.as_bytes());
        let signature = base64url(signature.map_err(|_| NoKey)?.as_ref());
        Ok(format!("vapid t={signed}.{signature}, k={}", self.public()))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_word_is_signed_by_the_key_that_browsers_were_given() {
        let kept = SenderKey::generate().unwrap();
        let key = SenderKey::read(&kept).unwrap();
        assert_eq!(key.public(), SenderKey::read(&kept).unwrap().public());
        let now = Duration::from_secs(1_800_000_000);
        let contact = "mailto:me@chat.example";
        let said = key
            .authorization("https://push.example", contact, now)
            .unwrap();
        let (word, public) = said
            .strip_prefix("vapid t=")
            .and_then(|rest| rest.split_once(", k="))
            .unwrap();
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let (signed, signature) = word.rsplit_once('.').unwrap();
        let point = decode(public);
        assert_eq!((point.len(), point[0]), (65, 4));
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &decode(signature))
            .unwrap();
        let (head, claims) = signed.split_once('.').unwrap();
        let json = |text: &str| serde_json::from_slice::<serde_json::Value>(&decode(text)).unwrap();
        assert_eq!(json(head)["alg"], "ES256");
        let claims = json(claims);
        assert_eq!(claims["aud"], "https://push.example");
        assert_eq!(claims["sub"], contact);
        assert_eq!(claims["exp"], 1_800_000_000 + 12 * 3600);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert_eq!(SenderKey::read(b"nothing").err(), Some(NoKey));
    }
}
