//! The frame `new_message`, written by hand: it is encoded once for each message, more often than all others together.

use super::{Encoder, Text};
use crate::domain::id::{RoomId, Side, Timestamp};
use crate::domain::{Entry, EntryKind, Persona, Quote};
use crate::protocol::json::Json;
use crate::protocol::proof::Said;

/// A message around its texts, where nothing of them must be escaped: one allocation, of which next to nothing
/// is left unused.
const MESSAGE_BYTES: usize = 321;

impl Encoder {
    pub(super) fn message(
        &self,
        room: RoomId,
        personas: &[Persona; 2],
        entry: &Entry,
        receiver: Side,
        repeat: bool,
    ) -> Text {
        let EntryKind::Message {
            side,
            client_id,
            content,
            reply,
        } = &entry.kind
        else {
            unreachable!("only messages are encoded as messages");
        };
        let sender = &personas[side.index()];
        let quote = reply.as_ref();
        let name = |side: Side| match &personas[side.index()].profile {
            profile if side == receiver => profile.own_name(),
            profile => profile.nickname.as_str(),
        };
        let texts = sender.user_id.as_str().len()
            + name(*side).len()
            + content.as_ref().map_or(0, String::len)
            + quote.map_or(0, |quote| name(quote.side).len() + quote_len(quote))
            + client_id.len();
        let json = Json::with_capacity(MESSAGE_BYTES + texts)
            .raw(r#"{"action":"new_message","message":{"id":""#)
            .number(entry.seq.0)
            .raw(r#"","seq":"#)
            .number(entry.seq.0)
            .raw(r#","sender_id":"#)
            .text(sender.user_id.as_str())
            .raw(r#","sender_nickname":"#)
            .text(name(*side))
            .raw(r#","sender_avatar":""#)
            .number(sender.profile.avatar)
            .raw(r#"","content":"#)
            .text_or_null(content.as_deref())
            .raw(r#","recalled":"#)
            .raw(if content.is_none() { "true" } else { "false" });
        let json = match quote {
            Some(quote) => json
                .raw(r#","replied_to":""#)
                .number(quote.seq.0)
                .raw(r#"","replied_to_content":"#)
                .text_or_null(quote.content.as_deref())
                .raw(r#","replied_to_sender":"#)
                .text(name(quote.side))
                .raw(if quote.cut {
                    r#","replied_to_cut":true"#
                } else {
                    ""
                }),
            None => {
                json.raw(r#","replied_to":null,"replied_to_content":null,"replied_to_sender":null"#)
            }
        };
        let json = json.raw(r#","sent_at":""#);
        let json = match self.clock(entry.at) {
            Some([hour, minute]) => json.two_digits(hour).raw(":").two_digits(minute),
            None => json,
        };
        let json = json
            .raw(r#"","sent_at_ms":"#)
            .number(entry.at.0)
            .raw(r#","client_id":"#)
            .text(client_id);
        let json = match (self.0.proofs.key(), content) {
            (Some(key), Some(content)) => {
                let proof = key.prove(&Said {
                    room,
                    seq: entry.seq,
                    side: *side,
                    at: entry.at,
                    content,
                });
                json.raw(r#","proof":""#).raw(proof.as_str()).raw("\"")
            }
            _ => json,
        };
        json.raw(if repeat { r#","repeat":true}}"# } else { "}}" })
            .finish()
            .into()
    }

    /// Hour and minute in the configured zone; `None` for a time that no calendar has.
    fn clock(&self, at: Timestamp) -> Option<[u8; 2]> {
        let at = jiff::Timestamp::from_millisecond(at.0).ok()?;
        let time = self.0.zone.to_datetime(at);
        Some([time.hour(), time.minute()].map(i8::unsigned_abs))
    }
}

fn quote_len(quote: &Quote) -> usize {
    quote.content.as_ref().map_or(0, String::len)
}
