//! The token of `match_found`: it names one side of one room, for clients that keep no cookie.
//! It is a bearer secret: never logged, never in an answer to anybody but its side.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::domain::id::{RoomId, Side};
use crate::identity::{MAC_BYTES, Signer, sign as mac, verify as mac_verify};

const BODY_BYTES: usize = 16 + 1;

/// The token of this side. It is valid as long as the room is.
pub fn sign(signer: &Signer, room: RoomId, side: Side) -> String {
    let mut bytes = Vec::with_capacity(BODY_BYTES + MAC_BYTES);
    bytes.extend_from_slice(room.0.as_bytes());
    bytes.push(u8::try_from(side.index()).expect("0 or 1"));
    let signature = mac(&signer.token, &bytes);
    bytes.extend_from_slice(&signature);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The side that this token names; `None` when we did not sign it.
pub fn verify(signer: &Signer, token: &str) -> Option<(RoomId, Side)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    if bytes.len() != BODY_BYTES + MAC_BYTES {
        return None;
    }
    let (body, signature) = bytes.split_at(BODY_BYTES);
    if !mac_verify(&signer.token, body, signature) {
        return None;
    }
    let room = RoomId(Uuid::from_slice(&body[..16]).ok()?);
    Some((room, Side::from_index(usize::from(body[16]))?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_token_names_its_side_and_cannot_be_changed() {
        let signer = Signer::new(&[7; 32], Duration::from_secs(60));
        let room = RoomId::fresh();
        for side in Side::BOTH {
            let token = sign(&signer, room, side);
            assert_eq!(verify(&signer, &token), Some((room, side)));
            for at in 0..token.len() {
                let mut bytes = token.clone().into_bytes();
                bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
                let changed = String::from_utf8(bytes).unwrap();
                assert_eq!(verify(&signer, &changed), None, "character {at}");
            }
        }
        assert_eq!(verify(&signer, ""), None);
    }
}
