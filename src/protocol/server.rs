//! What the server says: facts encoded into frames, once for all who receive them.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Serialize;

pub use super::shapes::RoomState;
use super::shapes::*;

use super::Text;
use super::client::DecodeError;
use super::close::ErrorCode;
use super::json::Json;
use crate::id::{RoomId, Seq, Side, Timestamp};
use crate::matching::Phase;
use crate::model::{Entry, EntryKind, LeaveReason, Pairing, Persona, Quote, Room};

/// Encodes frames. Holds the zone of `sent_at`; cheap to clone.
#[derive(Clone, Debug)]
pub struct Encoder {
    zone: TimeZone,
}

/// An entry's two encodings; they differ for departures only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryTexts {
    by_side: [Text; 2],
}

impl EntryTexts {
    /// What another node encoded, by [`Side::index`].
    pub fn received(by_side: [Text; 2]) -> Self {
        Self { by_side }
    }

    /// What this side is sent.
    pub fn for_side(&self, side: Side) -> &Text {
        &self.by_side[side.index()]
    }
}

/// What somebody who waits is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingFor {
    /// How far they relaxed.
    pub phase: Phase,
    /// Until the next phase.
    pub phase_ends: Option<Duration>,
    /// Other people in the pool.
    pub waiting: u64,
    /// People wait, and only the gender wishes keep them apart.
    pub unfit: bool,
}

impl Encoder {
    /// `zone` is that of `sent_at`.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone }
    }

    /// Both encodings of a committed entry.
    pub fn entry_texts(&self, personas: &[Persona; 2], entry: &Entry) -> EntryTexts {
        let first = self.entry(personas, entry, Side::A);
        let second = match entry.kind {
            EntryKind::Departure { .. } => self.entry(personas, entry, Side::B),
            _ => first.clone(),
        };
        EntryTexts {
            by_side: [first, second],
        }
    }

    /// An entry as `receiver` is sent it.
    pub fn entry(&self, personas: &[Persona; 2], entry: &Entry, receiver: Side) -> Text {
        match &entry.kind {
            EntryKind::Message { .. } => self.message(personas, entry, false),
            EntryKind::Recall {
                target, client_id, ..
            } => encode(&MessageRecalled {
                action: "message_recalled",
                message_id: target.to_string(),
                client_id,
                seq: entry.seq,
            }),
            EntryKind::Departure { side, reason } => {
                user_left(personas, *side, *reason, entry.seq, receiver)
            }
        }
    }

    /// The answer to a repeated `client_id`: the stored message, outside the ordered stream.
    pub fn repeat(&self, personas: &[Persona; 2], entry: &Entry) -> Text {
        self.message(personas, entry, true)
    }

    fn message(&self, personas: &[Persona; 2], entry: &Entry, repeat: bool) -> Text {
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
        let nickname = |quote: &Quote| personas[quote.side.index()].profile.nickname.as_str();
        let json = Json::with_capacity(FRAME_BYTES)
            .raw(r#"{"action":"new_message","message":{"id":""#)
            .number(entry.seq.0)
            .raw(r#"","seq":"#)
            .number(entry.seq.0)
            .raw(r#","sender_id":"#)
            .text(sender.user_id.as_str())
            .raw(r#","sender_nickname":"#)
            .text(&sender.profile.nickname)
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
                .text(nickname(quote)),
            None => {
                json.raw(r#","replied_to":null,"replied_to_content":null,"replied_to_sender":null"#)
            }
        };
        json.raw(r#","sent_at":"#)
            .text(&self.clock_face(entry.at))
            .raw(r#","sent_at_ms":"#)
            .number(entry.at.0)
            .raw(r#","client_id":"#)
            .text(client_id)
            .raw(if repeat { r#","repeat":true}}"# } else { "}}" })
            .finish()
            .into()
    }

    /// Hours and minutes in the configured zone.
    fn clock_face(&self, at: Timestamp) -> String {
        let Ok(at) = jiff::Timestamp::from_millisecond(at.0) else {
            return String::new();
        };
        let time = self.zone.to_datetime(at);
        let digit = |n: i8| char::from(b'0' + n.unsigned_abs() % 10);
        let (hour, minute) = (time.hour(), time.minute());
        let face = [
            digit(hour / 10),
            digit(hour),
            ':',
            digit(minute / 10),
            digit(minute),
        ];
        face.iter().collect()
    }

    /// `room_state` for this side.
    pub fn room_state(&self, room: &Room, side: Side, grace: Duration, now: Timestamp) -> Text {
        encode(&RoomState {
            action: Some("room_state"),
            ..RoomState::of(room, side, grace, now)
        })
    }

    /// `match_found` for this side.
    pub fn match_found(&self, pairing: &Pairing, side: Side, token: &str) -> Text {
        let me = &pairing.parties[side.index()].persona;
        encode(&MatchFound {
            action: "match_found",
            room_id: pairing.room,
            matched_user: Person::of(&pairing.parties[side.other().index()].persona),
            common_tags: &pairing.common_tags,
            is_bot: pairing.is_bot,
            user_id: me.user_id.as_str(),
            token,
            same_session: pairing.same_session(),
            met_before: pairing.met_before,
        })
    }

    /// `waiting_for_match`.
    pub fn waiting(&self, state: &WaitingFor) -> Text {
        encode(&Waiting {
            action: "waiting_for_match",
            phase: state.phase,
            phase_ends_ms: state.phase_ends.map(millis),
            waiting: state.waiting,
            unfit: state.unfit,
        })
    }

    /// `matching_cancelled`.
    pub fn matching_cancelled(&self) -> Text {
        Text::from_static(r#"{"action":"matching_cancelled"}"#)
    }

    /// `replaced`, on either socket.
    pub fn replaced(&self) -> Text {
        Text::from_static(r#"{"action":"replaced"}"#)
    }

    /// `blocked`: the answer to `block`, to the blocker alone.
    pub fn blocked(&self) -> Text {
        Text::from_static(r#"{"action":"blocked"}"#)
    }

    /// `in_room`.
    pub fn in_room(&self, room: RoomId) -> Text {
        encode(&InRoom {
            action: "in_room",
            room_id: room,
        })
    }

    /// `message_deleted`.
    pub fn message_deleted(&self, seq: Seq) -> Text {
        encode(&MessageDeleted {
            action: "message_deleted",
            message_id: seq.to_string(),
        })
    }

    /// `user_left` for a room that is unknown or erased: nobody is named.
    pub fn nobody_left(&self) -> Text {
        encode(&UserLeft {
            action: "user_left",
            user_id: "",
            reason: LeaveReason::Left.as_str(),
            seq: Seq::ZERO,
        })
    }

    /// `partner_status`.
    pub fn partner_status(&self, online: bool, grace_left: Option<Duration>) -> Text {
        encode(&PartnerStatus {
            action: "partner_status",
            online,
            grace_ends_ms: grace_left.map(millis),
        })
    }

    /// `partner_typing`.
    pub fn partner_typing(&self, is_typing: bool) -> Text {
        Text::from_static(if is_typing {
            r#"{"action":"partner_typing","is_typing":true}"#
        } else {
            r#"{"action":"partner_typing","is_typing":false}"#
        })
    }

    /// `partner_read`.
    pub fn partner_read(&self, seq: Seq) -> Text {
        encode(&PartnerRead {
            action: "partner_read",
            seq,
        })
    }

    /// `error`.
    pub fn error(
        &self,
        code: ErrorCode,
        client_id: Option<&str>,
        retry_after: Option<Duration>,
    ) -> Text {
        encode(&ErrorFrame {
            action: "error",
            code: code.as_str(),
            message: code.message(),
            field: None,
            client_id,
            retry_after_ms: retry_after.map(millis),
        })
    }

    /// `error` for a frame that could not be understood.
    pub fn decode_error(&self, error: &DecodeError) -> Text {
        encode(&ErrorFrame {
            action: "error",
            code: error.code.as_str(),
            message: error.code.message(),
            field: error.field,
            client_id: error.client_id.as_deref(),
            retry_after_ms: None,
        })
    }
}

/// Who asked to leave is told their own id; who timed out is not, since clients of the original
/// take their own id as "I asked for it".
fn user_left(
    personas: &[Persona; 2],
    side: Side,
    reason: LeaveReason,
    seq: Seq,
    receiver: Side,
) -> Text {
    let named = match reason {
        LeaveReason::Left => side,
        LeaveReason::NoShow | LeaveReason::Timeout => receiver.other(),
    };
    encode(&UserLeft {
        action: "user_left",
        user_id: personas[named.index()].user_id.as_str(),
        reason: reason.as_str(),
        seq,
    })
}

/// Most frames fit: one allocation.
const FRAME_BYTES: usize = 512;

fn encode<T: Serialize>(value: &T) -> Text {
    let mut buffer = Vec::with_capacity(FRAME_BYTES);
    serde_json::to_writer(&mut buffer, value).expect("frames have string keys and finite numbers");
    String::from_utf8(buffer).expect("JSON is UTF-8").into()
}
