//! Frames as they come: every field of every action, read loosely. What is missing or of another type
//! is said by `client`.

use serde::Deserialize;

use crate::protocol::field::{Field, Object, Words};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawLobby<'a> {
    #[serde(borrow)]
    pub(super) action: Field<'a>,
    #[serde(borrow)]
    pub(super) user_data: Object<RawUserData<'a>>,
    #[serde(borrow)]
    pub(super) subscription: Object<RawSubscription<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawChat<'a> {
    #[serde(borrow)]
    pub(super) action: Field<'a>,
    #[serde(borrow)]
    pub(super) user_id: Field<'a>,
    #[serde(borrow)]
    pub(super) message: Object<RawMessage<'a>>,
    #[serde(borrow)]
    pub(super) message_id: Field<'a>,
    #[serde(borrow)]
    pub(super) client_id: Field<'a>,
    #[serde(borrow)]
    pub(super) is_typing: Field<'a>,
    #[serde(borrow)]
    pub(super) is_leaving: Field<'a>,
    #[serde(borrow)]
    pub(super) seq: Field<'a>,
    #[serde(borrow)]
    pub(super) reaction: Field<'a>,
    #[serde(borrow)]
    pub(super) subscription: Object<RawSubscription<'a>>,
}

/// As browsers write it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSubscription<'a> {
    #[serde(borrow)]
    pub(super) endpoint: Field<'a>,
    #[serde(borrow)]
    pub(super) keys: Object<RawKeys<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawKeys<'a> {
    #[serde(borrow)]
    pub(super) p256dh: Field<'a>,
    #[serde(borrow)]
    pub(super) auth: Field<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawEnter<'a> {
    #[serde(borrow)]
    pub(super) action: Field<'a>,
    #[serde(borrow)]
    pub(super) room: Field<'a>,
    #[serde(borrow)]
    pub(super) token: Field<'a>,
    #[serde(borrow)]
    pub(super) after: Field<'a>,
    #[serde(borrow)]
    pub(super) after_sent_at_ms: Field<'a>,
    #[serde(borrow)]
    pub(super) together: Field<'a>,
    #[serde(borrow)]
    pub(super) user_id: Field<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawAcknowledge<'a> {
    #[serde(borrow)]
    pub(super) id: Field<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawMessage<'a> {
    #[serde(borrow)]
    pub(super) content: Field<'a>,
    #[serde(borrow)]
    pub(super) replied_to: Field<'a>,
    #[serde(borrow)]
    pub(super) client_id: Field<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawUserData<'a> {
    #[serde(borrow)]
    pub(super) user_id: Field<'a>,
    #[serde(borrow)]
    pub(super) nickname: Field<'a>,
    #[serde(borrow)]
    pub(super) avatar: Field<'a>,
    #[serde(borrow)]
    pub(super) mood: Field<'a>,
    #[serde(borrow)]
    pub(super) gender: Field<'a>,
    #[serde(borrow, rename = "preferredGender")]
    pub(super) preferred_gender: Field<'a>,
    #[serde(borrow)]
    pub(super) tags: Words<'a>,
    #[serde(borrow)]
    pub(super) languages: Words<'a>,
}
