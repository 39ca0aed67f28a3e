//! What the server says: facts encoded into frames, once for all who receive them.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Serialize;

mod message;

pub use crate::protocol::frame_json::RoomView;
use crate::protocol::frame_json::{
    Alive, ErrorFrame, InRoom, MatchFound, MatchedUser, MessageDeleted, MessageRecalled,
    NoticeFrame, PartnerRead, PartnerStatus, ReactionFrame, ReportedFrame, RoomClosing, UserLeft,
    Waiting, millis, wait_millis,
};

use super::Text;
use super::client::DecodeError;
use super::close::ErrorCode;
pub use super::entry_texts::EntryTexts;
use super::notice::NoticeView;
use super::proof::Proofs;
use crate::domain::id::{RoomId, Seq, Side, Timestamp};
use crate::domain::safety::{NoticeId, ReportId};
use crate::domain::wish::Phase;
use crate::domain::{Entry, EntryKind, LeaveReason, MessageRef, Pairing, Persona, Reaction, Room};

/// Encodes frames; cheap to clone, and one pointer: each connection has one.
#[derive(Clone, Debug)]
pub struct Encoder(Arc<EncoderSetup>);

/// What all clones share.
#[derive(Debug)]
struct EncoderSetup {
    /// That of `sent_at`.
    zone: TimeZone,
    proofs: Proofs,
}

/// What a search is told while it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingFor {
    /// How far they relaxed.
    pub phase: Phase,
    /// Until the next phase.
    pub phase_ends: Option<Duration>,
    /// People who wait, this one among them, rounded: the same for all who ask.
    pub waiting: u64,
    /// At least five wait, and the gender wishes let this search meet hardly any of them.
    pub unfit: bool,
}

impl Encoder {
    /// `zone` is that of `sent_at`. Messages carry no `proof` until [`Self::proofs`] has a key.
    pub fn new(zone: TimeZone) -> Self {
        let proofs = Proofs::default();
        Self(Arc::new(EncoderSetup { zone, proofs }))
    }

    /// What proves messages, shared by all clones.
    pub fn proofs(&self) -> &Proofs {
        &self.0.proofs
    }

    /// Both encodings of a committed entry of this room.
    pub fn entry_texts(&self, room: RoomId, personas: &[Persona; 2], entry: &Entry) -> EntryTexts {
        let named = |it: &Persona| it.profile.own_nickname.is_some();
        let differ = match entry.kind {
            EntryKind::Departure { .. } => true,
            EntryKind::Message { .. } => personas.iter().any(named),
            EntryKind::Recall { .. } | EntryKind::Reaction { .. } => false,
        };
        let text = |side| self.entry(room, personas, entry, side);
        match differ {
            true => EntryTexts::by_side(Side::BOTH.map(text)),
            false => EntryTexts::same(text(Side::A)),
        }
    }

    /// An entry of this room as `receiver` is sent it.
    pub fn entry(
        &self,
        room: RoomId,
        personas: &[Persona; 2],
        entry: &Entry,
        receiver: Side,
    ) -> Text {
        match &entry.kind {
            EntryKind::Message { .. } => self.message(room, personas, entry, receiver, false),
            EntryKind::Recall {
                target, client_id, ..
            } => encode(&MessageRecalled {
                action: "message_recalled",
                message_id: target.to_string(),
                client_id,
                seq: entry.seq,
            }),
            EntryKind::Reaction {
                side,
                target,
                reaction,
            } => encode(&ReactionFrame {
                seq: Some(entry.seq),
                ..reaction_of(personas, *side, *target, *reaction)
            }),
            EntryKind::Departure { side, reason } => {
                user_left(personas, *side, *reason, entry.seq, receiver)
            }
        }
    }

    /// The answer to a repeated `client_id`: the stored message, outside the ordered stream.
    pub fn repeat(&self, room: RoomId, personas: &[Persona; 2], entry: &Entry) -> Text {
        // Only its author repeats a message.
        self.message(room, personas, entry, entry.kind.side(), true)
    }

    /// The answer to a reaction that stands already: outside the ordered stream, like [`Self::repeat`].
    pub fn same_reaction(
        &self,
        personas: &[Persona; 2],
        side: Side,
        target: Seq,
        reaction: Option<Reaction>,
    ) -> Text {
        encode(&ReactionFrame {
            repeat: true,
            ..reaction_of(personas, side, target, reaction)
        })
    }

    /// `room_state` for this side. `anew`: what the client has is not in this log any more, and the
    /// whole of it follows.
    pub fn room_state(
        &self,
        room: &Room,
        side: Side,
        grace: Duration,
        now: Timestamp,
        anew: bool,
    ) -> Text {
        encode(&RoomView {
            action: Some("room_state"),
            anew,
            ..RoomView::of(room, side, grace, now)
        })
    }

    /// `match_found` for this side.
    pub fn match_found(&self, pairing: &Pairing, side: Side, token: &str) -> Text {
        let me = &pairing.parties[side.index()].persona;
        encode(&MatchFound {
            action: "match_found",
            room_id: pairing.room,
            matched_user: MatchedUser::of(&pairing.parties[side.other().index()].persona),
            common_tags: &pairing.common_tags,
            is_bot: pairing.is_bot,
            user_id: me.user_id.as_str(),
            token,
            same_session: pairing.same_session(),
            // Whether two have met before says that two rooms have the same person in them.
            met_before: false,
        })
    }

    /// The frame `waiting_for_match`.
    pub fn waiting(&self, state: &WaitingFor) -> Text {
        encode(&Waiting {
            action: "waiting_for_match",
            phase: state.phase,
            phase_ends_ms: state.phase_ends.map(millis),
            waiting: state.waiting,
            unfit: state.unfit,
        })
    }

    /// The frame `matching_cancelled`.
    pub fn matching_cancelled(&self) -> Text {
        Text::from_static(r#"{"action":"matching_cancelled"}"#)
    }

    /// `alive`, on either socket: to a client that asked, and how long we are silent at most.
    pub fn alive(&self, interval: Duration) -> Text {
        encode(&Alive {
            action: "alive",
            heartbeat_ms: millis(interval),
        })
    }

    /// `replaced`, on either socket.
    pub fn replaced(&self) -> Text {
        Text::from_static(r#"{"action":"replaced"}"#)
    }

    /// `calling`, on either socket: whether this browser is called.
    pub fn calling(&self, on: bool) -> Text {
        Text::from_static(if on {
            r#"{"action":"calling","on":true}"#
        } else {
            r#"{"action":"calling","on":false}"#
        })
    }

    /// `blocked`: the answer to `block`, to the blocker alone.
    pub fn blocked(&self) -> Text {
        Text::from_static(r#"{"action":"blocked"}"#)
    }

    /// `reported`: the answer to `report`, to the reporter alone.
    pub fn reported(&self, report: ReportId) -> Text {
        encode(&ReportedFrame {
            action: "reported",
            report_id: report.to_string(),
        })
    }

    /// `notice`, on either socket.
    pub fn notice(&self, notice: &NoticeView<'_>) -> Text {
        encode(&NoticeFrame {
            action: "notice",
            notice,
        })
    }

    /// `error` for a search while this warning is not confirmed.
    pub fn notice_pending(&self, notice: NoticeId) -> Text {
        encode(&ErrorFrame {
            notice_id: Some(notice.to_string()),
            ..ErrorFrame::of(ErrorCode::NoticePending)
        })
    }

    /// The frame `in_room`.
    pub fn in_room(&self, room: RoomId) -> Text {
        encode(&InRoom {
            action: "in_room",
            room_id: room,
        })
    }

    /// The frame `message_deleted`.
    pub fn message_deleted(&self, seq: Seq) -> Text {
        encode(&MessageDeleted {
            action: "message_deleted",
            message_id: seq.to_string(),
        })
    }

    /// `user_left` for a room that is unknown or erased: its `user_id` is empty.
    pub fn unknown_room_left(&self) -> Text {
        encode(&UserLeft {
            action: "user_left",
            user_id: "",
            reason: LeaveReason::Left.as_str(),
            gone: None,
            seq: Seq::ZERO,
        })
    }

    /// The frame `room_closing`.
    pub fn room_closing(&self, left: Duration) -> Text {
        encode(&RoomClosing {
            action: "room_closing",
            closes_ms: millis(left),
        })
    }

    /// The frame `partner_status`.
    pub fn partner_status(&self, online: bool, grace_left: Option<Duration>) -> Text {
        encode(&PartnerStatus {
            action: "partner_status",
            online,
            grace_ends_ms: grace_left.map(millis),
        })
    }

    /// The frame `partner_typing`.
    pub fn partner_typing(&self, is_typing: bool) -> Text {
        Text::from_static(if is_typing {
            r#"{"action":"partner_typing","is_typing":true}"#
        } else {
            r#"{"action":"partner_typing","is_typing":false}"#
        })
    }

    /// The frame `partner_leaving`.
    pub fn partner_leaving(&self, is_leaving: bool) -> Text {
        Text::from_static(if is_leaving {
            r#"{"action":"partner_leaving","is_leaving":true}"#
        } else {
            r#"{"action":"partner_leaving","is_leaving":false}"#
        })
    }

    /// The frame `partner_read`.
    pub fn partner_read(&self, seq: Seq) -> Text {
        encode(&PartnerRead {
            action: "partner_read",
            seq,
        })
    }

    /// The frame `error`.
    pub fn error(
        &self,
        code: ErrorCode,
        client_id: Option<&str>,
        retry_after: Option<Duration>,
    ) -> Text {
        encode(&ErrorFrame {
            client_id,
            retry_after_ms: retry_after.map(wait_millis),
            ..ErrorFrame::of(code)
        })
    }

    /// `error` about a reaction to this message.
    pub fn reaction_error(&self, code: ErrorCode, target: &MessageRef) -> Text {
        encode(&ErrorFrame {
            message_id: Some(match target {
                MessageRef::Seq(seq) => seq.to_string(),
                MessageRef::ClientId(name) => name.clone(),
            }),
            ..ErrorFrame::of(code)
        })
    }

    /// `error` for a frame that could not be understood.
    pub fn decode_error(&self, error: &DecodeError) -> Text {
        encode(&ErrorFrame {
            field: error.field,
            client_id: error.client_id.as_deref(),
            ..ErrorFrame::of(error.code)
        })
    }
}

/// A reaction around its place in the log.
fn reaction_of(
    personas: &[Persona; 2],
    side: Side,
    target: Seq,
    reaction: Option<Reaction>,
) -> ReactionFrame<'_> {
    ReactionFrame {
        action: "reaction",
        message_id: target.to_string(),
        user_id: personas[side.index()].user_id.as_str(),
        reaction,
        seq: None,
        repeat: false,
    }
}

/// Who asked to leave is told their own id; who timed out is not, nor is anybody whose time was up, since
/// clients of the original take their own id as "I asked for it".
fn user_left(
    personas: &[Persona; 2],
    side: Side,
    reason: LeaveReason,
    seq: Seq,
    receiver: Side,
) -> Text {
    // Clients of the original know no other `user_left` than the partner's, unless they left themselves.
    let named = match reason {
        LeaveReason::Left => side,
        _ => receiver.other(),
    };
    let gone = match reason {
        LeaveReason::Left | LeaveReason::TimeUp => None,
        LeaveReason::NoShowOfBoth | LeaveReason::TimeoutOfBoth => Some("both"),
        LeaveReason::NoShow | LeaveReason::Timeout if side == receiver => Some("you"),
        LeaveReason::NoShow | LeaveReason::Timeout => Some("partner"),
    };
    encode(&UserLeft {
        action: "user_left",
        user_id: personas[named.index()].user_id.as_str(),
        reason: reason.as_str(),
        gone,
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
