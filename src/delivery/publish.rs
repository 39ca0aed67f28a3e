//! Where a commit becomes a frame: the store's completion path hands entries to the channel layer.

use std::sync::Arc;

use crate::channel::{ChannelLayer, EntryRole, Frame, GroupId};
use crate::delivery::calls::{CallDue, CallQueue};
use crate::domain::id::{RoomId, Timestamp};
use crate::domain::{Call, Entry, EntryKind};
use crate::protocol::{Encoder, Text};
use crate::store::{CommitSink, Committed, Hearing, RoomPeople};
use crate::telemetry;

/// Encodes each committed entry once and publishes it to its room.
pub struct Publisher {
    channel: Arc<dyn ChannelLayer>,
    encoder: Encoder,
    calls: CallQueue,
}

impl Publisher {
    /// Publishes to this layer; who is to be called goes into this queue.
    pub fn new(channel: Arc<dyn ChannelLayer>, encoder: Encoder, calls: CallQueue) -> Arc<Self> {
        Arc::new(Self {
            channel,
            encoder,
            calls,
        })
    }

    fn call(&self, room: RoomId, entry: &Entry) {
        let call = match entry.kind {
            EntryKind::Message { .. } => Call::NewMessage,
            EntryKind::Departure { .. } => Call::PartnerLeft,
            EntryKind::Recall { .. } | EntryKind::Reaction { .. } => return,
        };
        let side = entry.kind.side().other();
        // A full queue drops it: the person finds out when they look.
        self.calls.push(CallDue { room, side, call });
    }
}

impl CommitSink for Publisher {
    fn committed(&self, batch: &[Committed]) {
        let mut messages = 0;
        for made in batch {
            let Committed {
                people,
                entry,
                hearing,
                ..
            } = made;
            if made.calls {
                self.call(people.room, entry);
            }
            messages += u64::from(matches!(entry.kind, EntryKind::Message { .. }));
            let RoomPeople { room, personas } = &**people;
            let texts = self.encoder.entry_texts(*room, personas, entry);
            let by = entry.kind.side();
            let other = by.other();
            let frame = Frame::Entry {
                seq: entry.seq,
                by,
                role: EntryRole::of(&entry.kind),
                texts: match hearing {
                    Hearing::Whole => texts,
                    Hearing::Nothing => texts.with(other, Text::default()),
                    Hearing::Emptied => {
                        let emptied = entry.emptied();
                        let text = self.encoder.entry(*room, personas, &emptied, other);
                        texts.with(other, text)
                    }
                },
            };
            self.channel.publish(GroupId::Room(*room), frame);
        }
        metrics::counter!(telemetry::MESSAGES).increment(messages);
    }

    fn decided(&self) {
        self.channel.tell_decided();
    }

    fn closing(&self, room: RoomId, closes_at: Timestamp) {
        let frame = Frame::Closing { at: closes_at };
        self.channel.publish(GroupId::Room(room), frame);
    }
}
