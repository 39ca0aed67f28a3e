//! What is said, taken back, hidden and reacted to.

use std::borrow::Cow;

use super::raw::RawMessage;
use super::{ChatAction, DecodeError};
use crate::domain::entry::{CLIENT_ID_CHARS, CONTENT_CHARS};
use crate::domain::visible;
use crate::domain::{MessageRef, Reaction};
use crate::protocol::close::ErrorCode;
use crate::protocol::field::{Field, Object};

pub(super) fn send(message: Object<RawMessage<'_>>) -> Result<ChatAction, DecodeError> {
    let message = message.0.ok_or(DecodeError::field("message"))?;
    let client_id = client_id(message.client_id)?;
    let Some(content) = message.content.text() else {
        return Err(DecodeError::field("content").with_client_id(client_id));
    };
    let content = content.trim();
    if !visible::shows(content) {
        return Err(DecodeError::new(ErrorCode::Empty).with_client_id(client_id));
    }
    // A character has at most four bytes: most messages need no counting.
    if content.len() > CONTENT_CHARS && content.chars().count() > CONTENT_CHARS {
        return Err(DecodeError::new(ErrorCode::TooLong).with_client_id(client_id));
    }
    let reply_to = match message.replied_to.text_or_number() {
        // Longer than any name a message can have: it names nothing.
        Some(name) if !name.is_empty() && name.chars().count() <= CLIENT_ID_CHARS => {
            Some(MessageRef::parse(&name))
        }
        _ => None,
    };
    Ok(ChatAction::Send {
        content: content.to_owned(),
        reply_to,
        client_id,
    })
}

pub(super) fn recall(message_id: Field<'_>, name: Field<'_>) -> Result<ChatAction, DecodeError> {
    let client_id = client_id(name)?;
    let target = named_message(message_id).map_err(|e| e.with_client_id(client_id.clone()))?;
    Ok(ChatAction::Recall {
        target: MessageRef::parse(&target),
        client_id,
    })
}

pub(super) fn delete(message_id: Field<'_>) -> Result<ChatAction, DecodeError> {
    let target = MessageRef::parse(&named_message(message_id)?);
    Ok(ChatAction::Delete { target })
}

pub(super) fn react(
    message_id: Field<'_>,
    reaction: &Field<'_>,
) -> Result<ChatAction, DecodeError> {
    let target = MessageRef::parse(&named_message(message_id)?);
    let reaction = match reaction {
        Field::Null => None,
        Field::Str(word) => Some(Reaction::parse(word).ok_or(DecodeError::field("reaction"))?),
        _ => return Err(DecodeError::field("reaction")),
    };
    Ok(ChatAction::React { target, reaction })
}

fn named_message(field: Field<'_>) -> Result<Cow<'_, str>, DecodeError> {
    field
        .text_or_number()
        .filter(|name| !name.is_empty() && name.chars().count() <= CLIENT_ID_CHARS)
        .ok_or(DecodeError::field("message_id"))
}

fn client_id(field: Field<'_>) -> Result<Option<String>, DecodeError> {
    if field.is_none() {
        return Ok(None);
    }
    match field.text_or_number() {
        Some(text) if text.is_empty() => Ok(None),
        Some(text) if text.chars().count() <= CLIENT_ID_CHARS => Ok(Some(text.into_owned())),
        _ => Err(DecodeError::field("client_id")),
    }
}
