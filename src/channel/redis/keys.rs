//! The keys of one layer: the site's, for everything that other nodes say and hear, and one of its
//! own for its probes, which are there before the site's key is known.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::channel::seal::FrameKey;
use crate::channel::wire::{Packet, PacketDecodeError};

/// The keys of one layer.
pub(super) struct Keys {
    own: FrameKey,
    shared: OnceLock<FrameKey>,
}

impl Keys {
    /// Without the site's key.
    pub(super) fn new() -> Self {
        Self {
            own: FrameKey::fresh(),
            shared: OnceLock::new(),
        }
    }

    /// Takes the site's key; the first stays.
    pub(super) fn share(&self, key: FrameKey) {
        // Set twice it is the same: one layer belongs to one site.
        let _ = self.shared.set(key);
    }

    /// Of the site's key, once it is known.
    pub(super) fn fingerprint(&self) -> Option<u64> {
        self.shared.get().map(FrameKey::fingerprint)
    }

    /// The site's key is not known yet: what others say cannot be judged.
    pub(super) fn alone(&self) -> bool {
        self.shared.get().is_none()
    }

    /// Seals a packet for this channel; false when the key for it is not known yet.
    pub(super) fn seal(&self, channel: &str, packet: &mut Vec<u8>) -> bool {
        let key = match Packet::is_probe(packet) {
            true => Some(&self.own),
            false => self.shared.get(),
        };
        if let Some(key) = key {
            key.seal(channel, packet);
        }
        key.is_some()
    }

    /// The packet of another node, or one's own probe.
    ///
    /// # Errors
    /// [`PacketDecodeError::Seal`], [`PacketDecodeError::Shape`].
    pub(super) fn open(
        &self,
        probe: bool,
        channel: &[u8],
        sealed: Bytes,
    ) -> Result<Bytes, PacketDecodeError> {
        let key = match probe {
            true => Some(&self.own),
            false => self.shared.get(),
        };
        key.ok_or(PacketDecodeError::Seal)?.open(channel, sealed)
    }
}
