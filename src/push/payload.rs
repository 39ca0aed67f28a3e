//! A call, encrypted for one browser (RFC 8291, in the coding `aes128gcm` of RFC 8188): its push service can
//! neither read it nor tell one kind from another.
//!
//! By `ring`, which TLS brings with it: no crate that does this comes without a second set of
//! cryptography.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::domain::Call;

/// An uncompressed point of P-256.
const POINT_BYTES: usize = 65;
const SECRET_BYTES: usize = 16;
const SALT_BYTES: usize = 16;
/// The record size of RFC 8188; there is one record, far shorter.
const RECORD_SIZE: u32 = 4096;
/// What each call is filled up to, so that all are of one length: its word and the end mark fit.
const PADDED: usize = 32;
/// Behind the last record's words; what follows is zeros.
const END_MARK: u8 = 2;

/// What a browser gives for calls to it to be encrypted with.
#[derive(Clone, PartialEq, Eq)]
pub struct BrowserKeys {
    point: [u8; POINT_BYTES],
    secret: [u8; SECRET_BYTES],
}

impl std::fmt::Debug for BrowserKeys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("BrowserKeys")
    }
}

/// A call cannot be encrypted: the browser's point is none of the curve, or there is no randomness.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the keys of the subscription cannot be used")]
pub struct KeysRefused;

impl BrowserKeys {
    /// `p256dh` and `auth` of a browser's subscription; `None` for what is none.
    pub fn parse(p256dh: &str, auth: &str) -> Option<Self> {
        let decode = |text: &str| {
            let text = text.trim_end_matches('=');
            URL_SAFE_NO_PAD.decode(text).ok()
        };
        let point: [u8; POINT_BYTES] = decode(p256dh)?.try_into().ok()?;
        let secret = decode(auth)?.try_into().ok()?;
        // Uncompressed, the only form that browsers give.
        (point[0] == 4).then_some(Self { point, secret })
    }
}

/// The body of a request to a push service.
///
/// # Errors
/// The keys are none, which only shows here.
pub fn encrypt(call: Call, keys: &BrowserKeys) -> Result<Vec<u8>, KeysRefused> {
    let random = SystemRandom::new();
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &random).map_err(|_| KeysRefused)?;
    let own_point = own.compute_public_key().map_err(|_| KeysRefused)?;
    let mut salt = [0; SALT_BYTES];
    random.fill(&mut salt).map_err(|_| KeysRefused)?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, &keys.point);
    let (key, nonce) = agree_ephemeral(own, &theirs, |shared| {
        derive(shared, keys, own_point.as_ref(), &salt)
    })
    .map_err(|_| KeysRefused)?;
    let mut record = [0; PADDED];
    let word = call.word().as_bytes();
    record[..word.len()].copy_from_slice(word);
    record[word.len()] = END_MARK;
    let mut sealed = record.to_vec();
    let key = UnboundKey::new(&AES_128_GCM, &key).map_err(|_| KeysRefused)?;
    LessSafeKey::new(key)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::empty(),
            &mut sealed,
        )
        .map_err(|_| KeysRefused)?;
    let mut body = Vec::with_capacity(SALT_BYTES + 5 + POINT_BYTES + sealed.len());
    body.extend_from_slice(&salt);
    body.extend_from_slice(&RECORD_SIZE.to_be_bytes());
    body.push(u8::try_from(POINT_BYTES).expect("65"));
    body.extend_from_slice(own_point.as_ref());
    body.extend_from_slice(&sealed);
    Ok(body)
}

/// The key and the nonce of the one record (RFC 8291, 3.4). Each has its own, since the salt is random.
fn derive(
    shared: &[u8],
    keys: &BrowserKeys,
    own_point: &[u8],
    salt: &[u8; SALT_BYTES],
) -> ([u8; 16], [u8; 12]) {
    let info = [b"WebPush: info\0", &keys.point[..], own_point].concat();
    let input = hkdf(&keys.secret, shared, &info);
    let key = hkdf(salt, &input, b"Content-Encoding: aes128gcm\0");
    let nonce = hkdf(salt, &input, b"Content-Encoding: nonce\0");
    let mut short = ([0; 16], [0; 12]);
    short.0.copy_from_slice(&key[..16]);
    short.1.copy_from_slice(&nonce[..12]);
    short
}

/// HKDF with SHA-256 of at most one block, which is all that is needed: `ring`'s own gives keys, not bytes.
fn hkdf(salt: &[u8], input: &[u8], info: &[u8]) -> [u8; 32] {
    let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
    let extracted = sign(salt, input);
    let block = sign(extracted.as_ref(), &[info, &[1]].concat());
    block.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    const P256DH: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    /// Appendix A of RFC 8291.
    #[test]
    fn keys_are_derived_as_the_standard_shows() {
        let keys = BrowserKeys::parse(P256DH, AUTH).unwrap();
        let shared = decoded("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let own = decoded(
            "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
        );
        let salt = decoded("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let (key, nonce) = derive(&shared, &keys, &own, &salt);
        assert_eq!(key[..], decoded("oIhVW04MRdy2XN9CiKLxTg"));
        assert_eq!(nonce[..], decoded("4h_95klXJ5E_qnoN"));
    }

    #[test]
    fn each_kind_is_as_long_as_the_others_and_no_two_are_alike() {
        let keys = BrowserKeys::parse(P256DH, AUTH).unwrap();
        let bodies = Call::ALL.map(|call| encrypt(call, &keys).unwrap());
        for body in &bodies {
            assert_eq!(body.len(), SALT_BYTES + 5 + POINT_BYTES + PADDED + 16);
        }
        assert_ne!(
            encrypt(Call::NewMessage, &keys).unwrap(),
            encrypt(Call::NewMessage, &keys).unwrap()
        );
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let padded = format!("{AUTH}==");
        assert!(BrowserKeys::parse(P256DH, &padded).is_some());
        for (point, secret) in [
            ("", AUTH),
            (P256DH, ""),
            (&P256DH[..80], AUTH),
            (P256DH, "BTBZMqHH6r4T+s7J/aSIgg"),
        ] {
            assert!(BrowserKeys::parse(point, secret).is_none());
        }
        // A point that is not on the curve shows when it is used.
        let off = base64url_of_no_point();
        let keys = BrowserKeys::parse(&off, AUTH).unwrap();
        assert_eq!(encrypt(Call::SomeoneCame, &keys), Err(KeysRefused));
    }

    fn base64url_of_no_point() -> String {
        let mut point = [7; POINT_BYTES];
        point[0] = 4;
        super::super::base64url(&point)
    }
}
