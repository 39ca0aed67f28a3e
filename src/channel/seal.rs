//! Frames between nodes carry a seal: an HMAC-SHA256 under a key that only this site's nodes have,
//! over the channel's name and the packet. So nothing that a stranger puts into Redis is believed,
//! and a packet of one channel cannot be said again in another. What a packet says is not its concern.
//!
//! The same packet may be said again in its own channel. That is harmless by what packets mean:
//! entries have their place, presence has its version, and the store is asked about a pairing.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::wire::PacketDecodeError;

/// Length of a seal, in bytes: half of the HMAC, so that guessing one takes 2^128 tries.
pub const SEAL_BYTES: usize = 16;

/// What nodes of one site seal with.
#[derive(Clone)]
pub struct FrameKey(Hmac<Sha256>);

impl FrameKey {
    /// From a key that is derived for this and nothing else.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes a key of any length"))
    }

    /// One that no other process has.
    pub(super) fn fresh() -> Self {
        Self::new(&rand::random())
    }

    /// The same for two nodes exactly when their keys are. It says nothing else of the key.
    pub fn fingerprint(&self) -> u64 {
        let digest = self.mac(b"", b"miyu fingerprint of the frame key");
        u64::from_be_bytes(*digest.first_chunk().expect("16 bytes hold eight"))
    }

    /// Puts the seal for this channel behind the packet.
    pub fn seal(&self, channel: &str, packet: &mut Vec<u8>) {
        let seal = self.mac(channel.as_bytes(), packet);
        packet.extend(seal);
    }

    /// The packet, when its seal is that of this key and this channel.
    ///
    /// # Errors
    /// [`PacketDecodeError::Seal`] when it is not.
    pub fn open(&self, channel: &[u8], mut sealed: Bytes) -> Result<Bytes, PacketDecodeError> {
        let packet = packet_of(&mut sealed)?;
        // Compared in constant time.
        let mut mac = self.begin(channel);
        mac.update(&packet);
        mac.verify_truncated_left(&sealed)
            .map_err(|_| PacketDecodeError::Seal)?;
        Ok(packet)
    }

    fn mac(&self, channel: &[u8], packet: &[u8]) -> [u8; SEAL_BYTES] {
        let mut mac = self.begin(channel);
        mac.update(packet);
        let digest = mac.finalize().into_bytes();
        *digest.first_chunk().expect("32 bytes hold 16")
    }

    fn begin(&self, channel: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        // With its length before it, so that no name and packet read as another name and packet.
        mac.update(&(channel.len() as u64).to_be_bytes());
        mac.update(channel);
        mac
    }
}

impl std::fmt::Debug for FrameKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FrameKey(…)")
    }
}

/// Takes the packet from before its seal, unchecked: for a look at its head.
///
/// # Errors
/// [`PacketDecodeError::Shape`] when there is no room for a seal.
pub fn packet_of(sealed: &mut Bytes) -> Result<Bytes, PacketDecodeError> {
    let length = sealed.len().checked_sub(SEAL_BYTES);
    Ok(sealed.split_to(length.ok_or(PacketDecodeError::Shape)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(key: &FrameKey, channel: &str, packet: &[u8]) -> Bytes {
        let mut bytes = packet.to_vec();
        key.seal(channel, &mut bytes);
        assert_eq!(bytes.len(), packet.len() + SEAL_BYTES);
        bytes.into()
    }

    #[test]
    fn only_the_same_key_channel_and_bytes_open() {
        let (key, other) = (FrameKey::new(&[1; 32]), FrameKey::new(&[2; 32]));
        let bytes = sealed(&key, "room:a", b"packet");
        let packet = key.open(b"room:a", bytes.clone()).unwrap();
        assert_eq!(&packet[..], b"packet");
        let refused = Err(PacketDecodeError::Seal);
        assert_eq!(key.open(b"room:b", bytes.clone()), refused);
        assert_eq!(other.open(b"room:a", bytes.clone()), refused);
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1;
            assert_eq!(key.open(b"room:a", changed.into()), refused, "byte {at}");
        }
        assert_eq!(
            key.open(b"room:a", Bytes::from_static(b"short")),
            Err(PacketDecodeError::Shape)
        );
    }

    #[test]
    fn the_name_cannot_lend_bytes_to_the_packet() {
        let key = FrameKey::new(&[1; 32]);
        let bytes = sealed(&key, "room:a", b"bc");
        let mut moved = b"c".to_vec();
        moved.extend(&bytes[2..]);
        assert_eq!(
            key.open(b"room:ab", moved.into()),
            Err(PacketDecodeError::Seal)
        );
    }

    #[test]
    fn fingerprints_tell_keys_apart() {
        let print = |byte| FrameKey::new(&[byte; 32]).fingerprint();
        assert_eq!(print(1), print(1));
        assert_ne!(print(1), print(2));
    }
}
