//! Where a commit becomes a frame: the store's completion path hands entries to the channel layer.

use std::sync::Arc;

use crate::channel::{ChannelLayer, EntryRole, Frame, GroupId};
use crate::domain::id::{RoomId, Timestamp};
use crate::domain::{Entry, EntryKind};
use crate::protocol::Encoder;
use crate::store::{CommitSink, Committed};
use crate::telemetry;

/// Encodes each committed entry once and publishes it to its room.
pub struct Publisher {
    channel: Arc<dyn ChannelLayer>,
    encoder: Encoder,
}

impl Publisher {
    /// Publishes to this layer.
    pub fn new(channel: Arc<dyn ChannelLayer>, encoder: Encoder) -> Arc<Self> {
        Arc::new(Self { channel, encoder })
    }
}

impl CommitSink for Publisher {
    fn committed(&self, batch: &[Committed]) {
        let mut messages = 0;
        for Committed { people, entry } in batch {
            messages += u64::from(matches!(entry.kind, EntryKind::Message { .. }));
            let frame = Frame::Entry {
                seq: entry.seq,
                by: author(entry),
                role: EntryRole::of(&entry.kind),
                texts: self
                    .encoder
                    .entry_texts(people.room, &people.personas, entry),
            };
            self.channel.publish(GroupId::Room(people.room), frame);
        }
        metrics::counter!(telemetry::MESSAGES).increment(messages);
    }

    fn closing(&self, room: RoomId, closes_at: Timestamp) {
        let frame = Frame::Closing { at: closes_at };
        self.channel.publish(GroupId::Room(room), frame);
    }
}

fn author(entry: &Entry) -> crate::domain::id::Side {
    match entry.kind {
        EntryKind::Message { side, .. }
        | EntryKind::Recall { side, .. }
        | EntryKind::Reaction { side, .. }
        | EntryKind::Departure { side, .. } => side,
    }
}
