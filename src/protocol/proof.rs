//! `proof` of a message: a keyed hash of what was said where, when and by which side. It goes out with the
//! message and is kept nowhere here. Who holds a message that was taken back since can show with it that it was said
//! so; without the key none can be made.

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::domain::id::{RoomId, Seq, Side, Timestamp};

/// Length of a proof, in bytes: half of the HMAC, so that guessing one takes 2^128 tries.
const BYTES: usize = 16;
/// The same as text.
pub const PROOF_CHARS: usize = 22;

/// What is proved: these words, by this side, at this place of this room's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said<'a> {
    /// The room.
    pub room: RoomId,
    /// The message's place.
    pub seq: Seq,
    /// Who said it.
    pub side: Side,
    /// When the store took it.
    pub at: Timestamp,
    /// The text, as it was sent out.
    pub content: &'a str,
}

/// What makes and checks proofs; every node of a site has the same.
#[derive(Clone)]
pub struct ProofKey(Hmac<Sha256>);

impl ProofKey {
    /// From a key that is derived for this and nothing else.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes a key of any length"))
    }

    /// The proof of these words, as clients are sent it.
    pub fn prove(&self, said: &Said<'_>) -> ProofText {
        let digest = self.begin(said).finalize().into_bytes();
        let mut text = [0; PROOF_CHARS];
        let written = URL_SAFE_NO_PAD.encode_slice(&digest[..BYTES], &mut text);
        debug_assert_eq!(written, Ok(PROOF_CHARS));
        ProofText(text)
    }

    /// Whether this is the proof of these words. Compared in constant time.
    pub fn verify(&self, said: &Said<'_>, proof: &str) -> bool {
        let Ok(proof) = URL_SAFE_NO_PAD.decode(proof) else {
            return false;
        };
        proof.len() == BYTES && self.begin(said).verify_truncated_left(&proof).is_ok()
    }

    fn begin(&self, said: &Said<'_>) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        // All but the last have one length, so no two sayings are the same bytes.
        mac.update(b"miyu said 1");
        mac.update(said.room.0.as_bytes());
        mac.update(&said.seq.0.to_be_bytes());
        mac.update(&[u8::from(said.side == Side::B)]);
        mac.update(&said.at.0.to_be_bytes());
        mac.update(said.content.as_bytes());
        mac
    }
}

impl std::fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProofKey(…)")
    }
}

/// A proof as text, of letters that JSON takes as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofText([u8; PROOF_CHARS]);

impl ProofText {
    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("base64 is ASCII")
    }
}

/// A place for the key, shared by all who encode. The store keeps what the key is derived from, and hands out
/// entries only after it was opened; so the place is filled once, before anything is said.
#[derive(Clone, Debug, Default)]
pub struct Proofs(Arc<OnceLock<ProofKey>>);

impl Proofs {
    /// From now on proofs are made. A second key changes nothing.
    pub fn start(&self, key: ProofKey) {
        // A server is put together once.
        let _ = self.0.set(key);
    }

    /// The key, once there is one.
    pub fn key(&self) -> Option<&ProofKey> {
        self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(content: &str) -> Said<'_> {
        Said {
            room: RoomId(uuid::Uuid::from_u128(7)),
            seq: Seq(3),
            side: Side::A,
            at: Timestamp(1_800_000_000_000),
            content,
        }
    }

    #[test]
    fn a_proof_is_the_beginning_of_the_keyed_hash_of_all_that_was_said() {
        let key = ProofKey::new(&[7; 32]);
        let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        let mut bytes = b"miyu said 1".to_vec();
        bytes.extend([0; 15]);
        bytes.push(7);
        bytes.extend(3_u64.to_be_bytes());
        bytes.push(0);
        bytes.extend(1_800_000_000_000_i64.to_be_bytes());
        bytes.extend("晚安".as_bytes());
        mac.update(&bytes);
        let whole = mac.finalize().into_bytes();
        let text = URL_SAFE_NO_PAD.encode(&whole[..16]);
        assert_eq!(key.prove(&said("晚安")).as_str(), text);
    }

    #[test]
    fn a_proof_is_good_for_what_was_said_and_nothing_else() {
        let key = ProofKey::new(&[7; 32]);
        let true_one = said("hello");
        let proof = key.prove(&true_one);
        let proof = proof.as_str();
        assert!(key.verify(&true_one, proof));
        let others = [
            Said {
                room: RoomId(uuid::Uuid::from_u128(8)),
                ..true_one
            },
            Said {
                seq: Seq(4),
                ..true_one
            },
            Said {
                side: Side::B,
                ..true_one
            },
            Said {
                at: Timestamp(true_one.at.0 + 1),
                ..true_one
            },
            said("hello "),
            said("hell"),
            said(""),
        ];
        for other in others {
            assert!(!key.verify(&other, proof), "{other:?}");
        }
        assert!(!ProofKey::new(&[8; 32]).verify(&true_one, proof));
    }

    #[test]
    fn a_changed_proof_is_none() {
        let key = ProofKey::new(&[7; 32]);
        let proof = key.prove(&said("hello"));
        for at in 0..PROOF_CHARS {
            let mut bytes = proof.0;
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = std::str::from_utf8(&bytes).unwrap();
            assert!(!key.verify(&said("hello"), changed), "character {at}");
        }
        let longer = format!("{}A", proof.as_str());
        for bad in [
            "",
            "A",
            &proof.as_str()[..21],
            &longer,
            "no base64 at all!!!!!!",
        ] {
            assert!(!key.verify(&said("hello"), bad), "{bad:?}");
        }
    }

    #[test]
    fn the_first_key_stays() {
        let proofs = Proofs::default();
        assert!(proofs.key().is_none());
        proofs.start(ProofKey::new(&[7; 32]));
        proofs.clone().start(ProofKey::new(&[8; 32]));
        let made = proofs.key().unwrap().prove(&said("x"));
        assert_eq!(made, ProofKey::new(&[7; 32]).prove(&said("x")));
    }
}
