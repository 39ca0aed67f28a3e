//! What the server says. Frames that are encoded from a type are described by it; those that are written by hand have one
//! here, which tests compare with what is written.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Define, of};
use crate::domain::id::Seq;
use crate::protocol::frame_json::{
    Alive, ErrorFrame, InRoom, MatchFound, MessageDeleted, MessageRecalled, NoticeFrame,
    PartnerRead, PartnerStatus, ReactionFrame, ReportedFrame, RoomClosing, RoomView, UserLeft,
    Waiting,
};

/// All of them, each once.
pub(super) const FRAMES: &[(&str, Define)] = &[
    ("alive", of::<Alive>),
    ("blocked", of::<Bare>),
    ("calling", of::<Calling>),
    ("entries", of::<Entries>),
    ("error", of::<ErrorFrame>),
    ("in_room", of::<InRoom>),
    ("match_found", of::<MatchFound>),
    ("matching_cancelled", of::<Bare>),
    ("message_deleted", of::<MessageDeleted>),
    ("message_recalled", of::<MessageRecalled>),
    ("new_message", of::<NewMessage>),
    ("notice", of::<NoticeFrame>),
    ("partner_leaving", of::<PartnerLeaving>),
    ("partner_read", of::<PartnerRead>),
    ("partner_status", of::<PartnerStatus>),
    ("partner_typing", of::<PartnerTyping>),
    ("reaction", of::<ReactionFrame>),
    ("replaced", of::<Bare>),
    ("reported", of::<ReportedFrame>),
    ("room_closing", of::<RoomClosing>),
    ("room_state", of::<RoomView>),
    ("user_left", of::<UserLeft>),
    ("waiting_for_match", of::<Waiting>),
];

/// Those of the matching socket.
pub(super) const MATCHING: &[&str] = &[
    "alive",
    "calling",
    "error",
    "in_room",
    "match_found",
    "matching_cancelled",
    "notice",
    "replaced",
    "waiting_for_match",
];

/// Those of the chat socket.
pub(super) const CHAT: &[&str] = &[
    "alive",
    "blocked",
    "calling",
    "entries",
    "error",
    "message_deleted",
    "message_recalled",
    "new_message",
    "notice",
    "partner_leaving",
    "partner_read",
    "partner_status",
    "partner_typing",
    "reaction",
    "replaced",
    "reported",
    "room_closing",
    "room_state",
    "user_left",
];

#[derive(JsonSchema)]
struct Bare {}

/// There where it is so.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is made")]
#[schemars(extend("const" = true))]
struct True(bool);

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is made")]
struct Calling {
    /// This browser is called.
    on: bool,
}

/// Entries of the log in their order, each as the frame that it would be by itself.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is made")]
struct Entries {
    #[schemars(schema_with = "frames")]
    entries: Vec<()>,
}

fn frames(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/chat.server" } })
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is made")]
struct PartnerTyping {
    is_typing: bool,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is made")]
struct PartnerLeaving {
    is_leaving: bool,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is made")]
struct NewMessage {
    message: Message,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is made")]
struct Message {
    /// `seq` as a text.
    id: String,
    seq: Seq,
    sender_id: String,
    sender_nickname: String,
    sender_avatar: String,
    /// Null once it was recalled.
    content: Option<String>,
    recalled: bool,
    /// The message that it answers; null: none.
    replied_to: Option<String>,
    replied_to_content: Option<String>,
    replied_to_sender: Option<String>,
    /// `replied_to_content` is the beginning of a longer one.
    #[schemars(skip_serializing_if = "Option::is_none")]
    replied_to_cut: Option<True>,
    /// In the site's time zone.
    #[schemars(regex(pattern = r"^([0-9]{2}:[0-9]{2})?$"))]
    sent_at: String,
    sent_at_ms: i64,
    client_id: String,
    /// What a report can prove the message by, also when it was recalled since. Nothing recalled has one.
    #[schemars(
        skip_serializing_if = "Option::is_none",
        regex(pattern = r"^[A-Za-z0-9_-]{22}$")
    )]
    proof: Option<String>,
    /// The answer to a `client_id` that came again, outside the order of the log.
    #[schemars(skip_serializing_if = "Option::is_none")]
    repeat: Option<True>,
}
