//! Frames as they come: every field of every action, read loosely. What is missing or of another type
//! is said by `client`.

use serde::de::MapAccess;

use crate::protocol::field::{Field, Fill, Object, Words};

#[derive(Debug, Default)]
pub(super) struct RawLobby<'a> {
    pub(super) action: Field<'a>,
    pub(super) user_data: Object<RawUserData<'a>>,
}

impl<'de> Fill<'de> for RawLobby<'de> {
    fn fill<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "action" => self.action = map.next_value()?,
            "user_data" => self.user_data = map.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[derive(Debug, Default)]
pub(super) struct RawChat<'a> {
    pub(super) action: Field<'a>,
    pub(super) user_id: Field<'a>,
    pub(super) message: Object<RawMessage<'a>>,
    pub(super) message_id: Field<'a>,
    pub(super) client_id: Field<'a>,
    pub(super) is_typing: Field<'a>,
    pub(super) seq: Field<'a>,
}

impl<'de> Fill<'de> for RawChat<'de> {
    fn fill<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "action" => self.action = map.next_value()?,
            "user_id" => self.user_id = map.next_value()?,
            "message" => self.message = map.next_value()?,
            "message_id" => self.message_id = map.next_value()?,
            "client_id" => self.client_id = map.next_value()?,
            "is_typing" => self.is_typing = map.next_value()?,
            "seq" => self.seq = map.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[derive(Debug, Default)]
pub(super) struct RawEnter<'a> {
    pub(super) action: Field<'a>,
    pub(super) room: Field<'a>,
    pub(super) token: Field<'a>,
    pub(super) after: Field<'a>,
    pub(super) after_sent_at_ms: Field<'a>,
    pub(super) user_id: Field<'a>,
}

impl<'de> Fill<'de> for RawEnter<'de> {
    fn fill<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "action" => self.action = map.next_value()?,
            "room" => self.room = map.next_value()?,
            "token" => self.token = map.next_value()?,
            "after" => self.after = map.next_value()?,
            "after_sent_at_ms" => self.after_sent_at_ms = map.next_value()?,
            "user_id" => self.user_id = map.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[derive(Debug, Default)]
pub(super) struct RawMessage<'a> {
    pub(super) content: Field<'a>,
    pub(super) replied_to: Field<'a>,
    pub(super) client_id: Field<'a>,
}

impl<'de> Fill<'de> for RawMessage<'de> {
    fn fill<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "content" => self.content = map.next_value()?,
            "replied_to" => self.replied_to = map.next_value()?,
            "client_id" => self.client_id = map.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[derive(Debug, Default)]
pub(super) struct RawUserData<'a> {
    pub(super) user_id: Field<'a>,
    pub(super) nickname: Field<'a>,
    pub(super) avatar: Field<'a>,
    pub(super) mood: Field<'a>,
    pub(super) gender: Field<'a>,
    pub(super) preferred_gender: Field<'a>,
    pub(super) tags: Words<'a>,
}

impl<'de> Fill<'de> for RawUserData<'de> {
    fn fill<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "user_id" => self.user_id = map.next_value()?,
            "nickname" => self.nickname = map.next_value()?,
            "avatar" => self.avatar = map.next_value()?,
            "mood" => self.mood = map.next_value()?,
            "gender" => self.gender = map.next_value()?,
            "preferredGender" => self.preferred_gender = map.next_value()?,
            "tags" => self.tags = map.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}
