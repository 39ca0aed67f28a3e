//! One-time codes (RFC 6238: SHA-1, six digits, 30 seconds, what all apps know), and the codes for when the phone
//! is lost.

use std::time::Instant;

use ring::hmac;
use sha2::{Digest as _, Sha256};
use tracing::info;

use super::{NotLoggedIn, Operating};
use crate::domain::id::Timestamp;
use crate::domain::safety::{LoginHash, Operator, OperatorId};
use crate::store::StoreError;

/// Random bytes of a secret: as many as the hash has.
pub const SECRET_BYTES: usize = 20;
/// How long a code is one.
const STEP_MS: i64 = 30_000;
/// How many steps a clock may be off, either way.
const SKEW: u64 = 1;
/// How many recovery codes there are.
pub const RECOVERY_CODES: usize = 10;
/// Letters and digits of one: 80 bits, which cannot be tried out against a hash.
const RECOVERY_CHARS: usize = 16;
/// RFC 4648, base32.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The number of the step that this moment is in.
fn step(now: Timestamp) -> u64 {
    (now.0 / STEP_MS).max(0).unsigned_abs()
}

/// The code of a step (RFC 4226, 5.3).
fn code(secret: &[u8], step: u64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 0xf);
    let bytes = [tag[at] & 0x7f, tag[at + 1], tag[at + 2], tag[at + 3]];
    u32::from_be_bytes(bytes) % 1_000_000
}

/// The step around this moment whose code was typed, however its digits were spaced.
pub fn matched(secret: &[u8], typed: &str, now: Timestamp) -> Option<u64> {
    let digits: String = typed.chars().filter(|it| !it.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let typed: u32 = digits.parse().ok()?;
    let around = step(now).saturating_sub(SKEW)..=step(now) + SKEW;
    // All are computed, whichever it is.
    around.fold(None, |found, step| match code(secret, step) == typed {
        true => Some(step),
        false => found,
    })
}

/// As apps take it: base32 without padding.
pub fn written(secret: &[u8]) -> String {
    let mut text = String::with_capacity(secret.len().div_ceil(5) * 8);
    for five in secret.chunks(5) {
        let mut word = [0; 8];
        word[3..3 + five.len()].copy_from_slice(five);
        let bits = u64::from_be_bytes(word);
        let chars = (five.len() * 8).div_ceil(5);
        let letters = (0..chars).map(|n| ALPHABET[(bits >> (35 - 5 * n) & 31) as usize]);
        text.extend(letters.map(char::from));
    }
    text
}

/// The secret that was written so; `None` when it is not one of ours.
pub fn parse(text: &str) -> Option<[u8; SECRET_BYTES]> {
    let mut bits = 0_u64;
    let mut bytes = Vec::with_capacity(SECRET_BYTES);
    if text.len() != SECRET_BYTES * 8 / 5 {
        return None;
    }
    for (n, letter) in text.bytes().enumerate() {
        let value = ALPHABET.iter().position(|it| *it == letter)?;
        bits = bits << 5 | value as u64;
        if n % 8 == 7 {
            bytes.extend(&bits.to_be_bytes()[3..]);
            bits = 0;
        }
    }
    bytes.try_into().ok()
}

/// What the QR code says to an app: which site and name the secret is for.
pub fn uri(secret: &str, host: &str, name: &str) -> String {
    let issuer = escaped(&format!("Miyu {host}"));
    let name = escaped(name);
    format!("otpauth://totp/{issuer}:{name}?secret={secret}&issuer={issuer}")
}

/// Percent-encoded, but for what stands for itself everywhere (RFC 3986, 2.3).
fn escaped(text: &str) -> String {
    let plain = |it: u8| it.is_ascii_alphanumeric() || b"-._~".contains(&it);
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match plain(byte) {
            true => written.push(char::from(byte)),
            false => written += &format!("%{byte:02X}"),
        }
    }
    written
}

/// A recovery code: four groups of four.
pub fn recovery_code() -> String {
    let random: [u8; RECOVERY_CHARS] = rand::random();
    let letters = random.map(|it| char::from(ALPHABET[usize::from(it % 32)].to_ascii_lowercase()));
    let groups: Vec<String> = letters.chunks(4).map(|it| it.iter().collect()).collect();
    groups.join("-")
}

/// By what the store knows a recovery code; `None` when what was typed is none.
pub fn recovery_hash(typed: &str) -> Option<LoginHash> {
    let plain = typed.chars().filter(char::is_ascii_alphanumeric);
    let plain: String = plain.map(|it| it.to_ascii_uppercase()).collect();
    let fits = plain.len() == RECOVERY_CHARS && plain.bytes().all(|it| ALPHABET.contains(&it));
    fits.then(|| LoginHash(Sha256::digest(format!("miyu recovery code {plain}")).into()))
}

impl Operating {
    /// Looks at a code of an operator whose password was right.
    pub(super) async fn second_factor(
        &self,
        operator: &Operator,
        secret: &[u8],
        typed: &str,
    ) -> Result<(), NotLoggedIn> {
        let this = self.tries.of_code(operator.id);
        let begun = self.tries.begin(&this, Instant::now());
        begun.map_err(NotLoggedIn::TooManyTries)?;
        if self.uses_code(operator.id, secret, typed).await? {
            self.tries.succeeded(&this);
            return Ok(());
        }
        info!(operator = operator.id.0, "a wrong code of a second factor");
        Err(NotLoggedIn::Wrong)
    }

    /// Whether it is a code that was never used; it is used now.
    async fn uses_code(
        &self,
        operator: OperatorId,
        secret: &[u8],
        typed: &str,
    ) -> Result<bool, StoreError> {
        if let Some(step) = matched(secret, typed, crate::clock::now()) {
            return self.safety.use_totp_step(operator, step).await;
        }
        match recovery_hash(typed) {
            Some(hash) => self.safety.use_recovery_code(operator, hash).await,
            None => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: &[u8; 20] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B: the last six of its eight digits.
        for (seconds, wanted) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            let now = Timestamp(seconds * 1000);
            let step = u64::try_from(seconds / 30).unwrap();
            assert_eq!(matched(RFC, wanted, now), Some(step), "{seconds}");
            let spaced = format!(" {} {}", &wanted[..3], &wanted[3..]);
            assert_eq!(matched(RFC, &spaced, now), Some(step));
            for (off, there) in [(-2, false), (-1, true), (1, true), (2, false)] {
                let then = Timestamp(now.0 + off * STEP_MS);
                let found = matched(RFC, wanted, then);
                // There is no time before the first step.
                assert_eq!(found.is_some(), there || then.0 < 0, "{off}");
            }
        }
        for none in ["", "28708", "2870822", "28708x", "+87082", "２８７０８２"] {
            assert_eq!(matched(RFC, none, Timestamp(59_000)), None, "{none}");
        }
    }

    #[test]
    fn secrets_are_written_as_base32() {
        // RFC 4648, 10, without padding.
        for (plain, text) in [
            ("", ""),
            ("f", "MY"),
            ("foob", "MZXW6YQ"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(written(plain.as_bytes()), text);
        }
        assert_eq!(parse(&written(RFC)).as_ref(), Some(RFC));
        for wrong in [
            "",
            "MZXW6YTBOI",
            &"1".repeat(32),
            &"a".repeat(32),
            &"語".repeat(32),
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn apps_are_told_the_site_and_the_name() {
        assert_eq!(
            uri("MZXW6YTB", "chat.example", "Mei 語&secret=x"),
            "otpauth://totp/Miyu%20chat.example:Mei%20%E8%AA%9E%26secret%3Dx?secret=MZXW6YTB&issuer=Miyu%20chat.example"
        );
    }

    #[test]
    fn recovery_codes_are_typed_as_one_likes() {
        let code = recovery_code();
        assert_eq!(code.len(), 19, "{code}");
        assert_ne!(code, recovery_code());
        let hash = recovery_hash(&code).unwrap();
        for way in [
            code.to_uppercase(),
            code.replace('-', ""),
            format!(" {code}\n"),
        ] {
            assert_eq!(recovery_hash(&way), Some(hash), "{way}");
        }
        for wrong in ["", "287082", &code[1..], &code.replace('-', "-a")] {
            assert_eq!(recovery_hash(wrong), None, "{wrong}");
        }
    }
}
