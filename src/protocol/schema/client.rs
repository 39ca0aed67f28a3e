//! What a client should send. The decoder takes more: `client/raw.rs` says how loosely it reads.

use schemars::JsonSchema;
use uuid::Uuid;

use super::{Define, of};
use crate::domain::entry::{CLIENT_ID_CHARS, CONTENT_CHARS};
use crate::domain::id::{RoomId, Seq};
use crate::domain::safety::Reason;
use crate::domain::safety::report::{CHOSEN, CLAIMS, NOTE_CHARS};
use crate::domain::{Gender, Mood, PreferredGender, Reaction};

/// All of them, each once.
pub(super) const FRAMES: &[(&str, Define)] = &[
    ("acknowledge_notice", of::<Acknowledge>),
    ("are_you_there", of::<Bare>),
    ("block", of::<Bare>),
    ("call_me", of::<CallMe>),
    ("cancel_matching", of::<Bare>),
    ("delete_message", of::<Delete>),
    ("enter", of::<Enter>),
    ("find_next", of::<Bare>),
    ("leaving", of::<Leaving>),
    ("react", of::<React>),
    ("read", of::<Read>),
    ("recall_message", of::<Recall>),
    ("report", of::<Report>),
    ("send_message", of::<Send>),
    ("start_matching", of::<Start>),
    ("typing", of::<Typing>),
];

/// Those of the matching socket.
pub(super) const MATCHING: &[&str] = &[
    "acknowledge_notice",
    "are_you_there",
    "call_me",
    "cancel_matching",
    "start_matching",
];

/// Those of the chat socket.
pub(super) const CHAT: &[&str] = &[
    "acknowledge_notice",
    "are_you_there",
    "block",
    "call_me",
    "delete_message",
    "enter",
    "find_next",
    "leaving",
    "react",
    "read",
    "recall_message",
    "report",
    "send_message",
    "typing",
];

/// A type that only has a schema.
macro_rules! described {
    ($($(#[$on:meta])* struct $name:ident { $($(#[$at:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$on])*
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is made")]
        struct $name { $($(#[$at])* $field: $type,)* }
    )*};
}

#[derive(JsonSchema)]
struct Bare {}

/// It must be there, and may be null.
#[derive(JsonSchema)]
#[schemars(inline)]
struct Nullable<T>(Option<T>);

described! {
    struct Acknowledge {
        id: Uuid,
        user_id: Option<String>,
    }

    struct CallMe {
        /// Null: do not.
        subscription: Nullable<Subscription>,
    }

    /// What a browser's `PushSubscription.toJSON()` gives.
    struct Subscription {
        #[schemars(url)]
        endpoint: String,
        keys: Keys,
    }

    struct Keys {
        p256dh: String,
        auth: String,
    }

    struct Start {
        user_data: UserData,
    }

    struct UserData {
        /// A fresh random one where it is missing.
        user_id: Option<String>,
        nickname: Option<String>,
        /// `"1"` to `"20"`.
        avatar: Option<String>,
        mood: Option<Mood>,
        gender: Option<Gender>,
        #[schemars(rename = "preferredGender")]
        preferred_gender: Option<PreferredGender>,
        /// The first three count.
        #[schemars(default)]
        tags: Vec<String>,
        /// BCP 47, of the pages; the first eight are looked at.
        #[schemars(default)]
        languages: Vec<String>,
    }

    struct Enter {
        room: RoomId,
        /// That of `match_found`; the session's cookie will do as well.
        token: Option<String>,
        /// The `seq` of the last entry that the client has.
        after: Option<Seq>,
        after_sent_at_ms: Option<u64>,
        /// The log may come in frames of many entries, `entries`.
        #[schemars(default)]
        together: bool,
        /// Which side, where both are of one session.
        user_id: Option<String>,
    }

    struct Send {
        message: OutgoingMessage,
        user_id: Option<String>,
    }

    struct OutgoingMessage {
        #[schemars(length(min = 1))]
        /// At most 2,000 characters without the white space around them.
        content: String,
        /// A message's id, or a `client_id` of one's own.
        replied_to: Option<String>,
        /// Makes it safe to send the message again.
        #[schemars(length(max = CLIENT_ID_CHARS))]
        client_id: Option<String>,
    }

    struct Recall {
        #[schemars(length(min = 1, max = CLIENT_ID_CHARS))]
        message_id: String,
        #[schemars(length(max = CLIENT_ID_CHARS))]
        client_id: Option<String>,
        user_id: Option<String>,
    }

    struct Delete {
        #[schemars(length(min = 1, max = CLIENT_ID_CHARS))]
        message_id: String,
        user_id: Option<String>,
    }

    struct React {
        #[schemars(length(min = 1, max = CLIENT_ID_CHARS))]
        message_id: String,
        /// Null takes it back.
        reaction: Nullable<Reaction>,
        user_id: Option<String>,
    }

    struct Typing {
        is_typing: bool,
        user_id: Option<String>,
    }

    struct Leaving {
        is_leaving: bool,
        user_id: Option<String>,
    }

    struct Read {
        seq: Seq,
        user_id: Option<String>,
    }

    struct Report {
        reason: Reason,
        #[schemars(length(max = NOTE_CHARS))]
        note: Option<String>,
        /// None: the whole conversation.
        #[schemars(default, length(max = CHOSEN))]
        messages: Vec<String>,
        #[schemars(default, length(max = CLAIMS))]
        claims: Vec<Claim>,
        /// Block the other side as well.
        #[schemars(default)]
        block: bool,
        user_id: Option<String>,
    }

    /// The text that a message had before it was recalled.
    struct Claim {
        seq: Seq,
        #[schemars(length(max = CONTENT_CHARS))]
        content: String,
        proof: String,
        sent_at_ms: Option<u64>,
    }
}
