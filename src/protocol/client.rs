//! What clients send: frames decoded into actions. Nothing here knows rooms or people.

use serde::Deserialize;

use super::close::ErrorCode;
use super::field::{Field, Object};
use crate::domain::id::{RoomId, Seq, Timestamp};
use crate::domain::safety::NoticeId;
use crate::domain::{
    Languages, MessageRef, PreferredGender, Profile, Reaction, Subscription, Tags, UserId, Wish,
};
use crate::protocol::surrogates;

mod message;
mod raw;
mod report;

use message::{delete, react, recall, send};
use raw::{RawAcknowledge, RawChat, RawEnter, RawLobby, RawSubscription, RawUserData};
pub use report::{ClaimRequest, ReportRequest, report};

/// Why a frame was not understood, with what the answer needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Which error.
    pub code: ErrorCode,
    /// The field at fault, for `invalid_field`.
    pub field: Option<&'static str>,
    /// The frame's own name for the action, so that the client can find it.
    pub client_id: Option<String>,
}

impl DecodeError {
    fn new(code: ErrorCode) -> Self {
        Self {
            code,
            field: None,
            client_id: None,
        }
    }

    fn field(field: &'static str) -> Self {
        Self {
            field: Some(field),
            ..Self::new(ErrorCode::InvalidField)
        }
    }

    fn with_client_id(mut self, client_id: Option<String>) -> Self {
        self.client_id = client_id;
        self
    }

    /// The frame itself was unusable, as opposed to a content limit that a person can run into.
    pub fn is_malformed(&self) -> bool {
        !matches!(self.code, ErrorCode::TooLong | ErrorCode::Empty)
    }
}

/// An action on the matching socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LobbyAction {
    /// Search with this profile and wish; a missing `user_id` becomes a fresh random one.
    Start {
        /// Who they want to be, if they said so.
        user_id: Option<UserId>,
        /// What they look like.
        profile: Profile,
        /// The gender and the interests that they look for.
        wish: Wish,
    },
    /// Stop searching.
    Cancel,
    /// Call this browser when its page is closed and a partner is found; `None`: do not.
    CallMe(Option<Box<Subscription>>),
    /// Has read this notice.
    Acknowledge(NoticeId),
    /// Say that you are there, now and from now on.
    AreYouThere,
}

/// A frame on the chat socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatFrame {
    /// The `user_id` that the sender claims; checked against the room, never believed.
    pub user_id: Option<String>,
    /// What to do.
    pub action: ChatAction,
}

/// The first frame of a chat socket whose address names no room: what the address says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enter {
    /// Which room.
    pub room: RoomId,
    /// The token of `match_found`, unchecked.
    pub token: Option<String>,
    /// The last entry that the client has; `None`: go on from what its side was last sent.
    pub after: Option<Seq>,
    /// When that entry was sent, if it is a message: whether it is the same one is seen by that.
    pub after_sent_at: Option<Timestamp>,
    /// It takes many entries of the log in one frame.
    pub together: bool,
    /// Which side, where both are of one session.
    pub user_id: Option<String>,
}

/// An action on the chat socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatAction {
    /// Say something.
    Send {
        /// Trimmed, 1 to 2,000 characters, of which at least one can be seen.
        content: String,
        /// What it answers.
        reply_to: Option<MessageRef>,
        /// The sender's own name for it; `None`: the server makes one up, nothing is idempotent.
        client_id: Option<String>,
    },
    /// Take back a message.
    Recall {
        /// The message to take back.
        target: MessageRef,
        /// Carried by the recall entry.
        client_id: Option<String>,
    },
    /// Hide a message from this side.
    Delete {
        /// The message to hide.
        target: MessageRef,
    },
    /// React to a message, or take that back.
    React {
        /// The message that is reacted to.
        target: MessageRef,
        /// How; `None`: not at all any more.
        reaction: Option<Reaction>,
    },
    /// Leave for good.
    FindNext,
    /// Started or stopped typing.
    Typing(bool),
    /// Is about to leave; or stays after all.
    Leaving(bool),
    /// Has seen everything up to here.
    Read(Seq),
    /// Leave, and never meet again.
    Block,
    /// Report the other side.
    Report(Box<ReportRequest>),
    /// Call this browser when it is away and something happens; `None`: do not.
    CallMe(Option<Box<Subscription>>),
    /// Has read this notice.
    Acknowledge(NoticeId),
    /// Say that you are there, now and from now on.
    AreYouThere,
}

impl ChatAction {
    /// Two names that differ by halves of characters would become one.
    fn is_named_by_halves(&self) -> bool {
        match self {
            Self::Send { client_id, .. } | Self::Recall { client_id, .. } => client_id
                .as_ref()
                .is_some_and(|name| name.contains(char::REPLACEMENT_CHARACTER)),
            _ => false,
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, DecodeError> {
    let bad_json = DecodeError::new(ErrorCode::BadJson);
    // A derived structure would take an array of its values as well.
    if !text.trim_start().starts_with('{') {
        return Err(bad_json);
    }
    // What is ignored is skipped without recursion; the frame size bounds everything else.
    serde_json::from_str(text).map_err(|_| bad_json)
}

/// Decodes a frame. Half a character in what people say becomes U+FFFD; a frame that cannot be read all
/// the same says which message it was, if it can.
fn decoded<T>(
    text: &str,
    whole: impl Fn(&str) -> Result<T, DecodeError>,
    may_be_mended: impl Fn(&T) -> bool,
) -> Result<T, DecodeError> {
    let first = whole(text);
    if !matches!(&first, Err(error) if error.code == ErrorCode::BadJson) {
        return first;
    }
    let second = match surrogates::mended(text) {
        Some(mended) => whole(&mended).and_then(|it| match may_be_mended(&it) {
            true => Ok(it),
            false => Err(DecodeError::new(ErrorCode::BadJson)),
        }),
        None => first,
    };
    second.map_err(|error| match error.code {
        ErrorCode::BadJson => error.with_client_id(surrogates::client_id(text)),
        _ => error,
    })
}

/// Decodes a frame of the matching socket.
///
/// # Errors
/// `bad_json`, `unknown_action`, or `invalid_field` for `user_data` and its `user_id`.
pub fn lobby(text: &str) -> Result<LobbyAction, DecodeError> {
    decoded(text, lobby_action, |_| true)
}

fn lobby_action(text: &str) -> Result<LobbyAction, DecodeError> {
    let frame: RawLobby<'_> = parse(text)?;
    match frame.action.text() {
        Some("start_matching") => start(frame.user_data),
        Some("cancel_matching") => Ok(LobbyAction::Cancel),
        Some("call_me") => call_me(frame.subscription).map(LobbyAction::CallMe),
        Some("acknowledge_notice") => acknowledge(text).map(LobbyAction::Acknowledge),
        Some("are_you_there") => Ok(LobbyAction::AreYouThere),
        _ => Err(DecodeError::new(ErrorCode::UnknownAction)),
    }
}

fn start(user_data: Object<RawUserData<'_>>) -> Result<LobbyAction, DecodeError> {
    let data = user_data.0.ok_or(DecodeError::field("user_data"))?;
    let user_id = match &data.user_id {
        Field::Absent | Field::Null => None,
        Field::Str(text) if text.is_empty() => None,
        Field::Str(text) => Some(UserId::parse(text).ok_or(DecodeError::field("user_id"))?),
        _ => return Err(DecodeError::field("user_id")),
    };
    let avatar = data.avatar.text_or_number().unwrap_or_default();
    let profile = Profile::parse(
        data.nickname.text().unwrap_or_default(),
        &avatar,
        data.mood.text().unwrap_or_default(),
        data.gender.text().unwrap_or_default(),
    );
    let wish = Wish {
        gender: PreferredGender::parse(data.preferred_gender.text().unwrap_or_default()),
        tags: Tags::parse(data.tags.0.iter().map(|word| &**word)),
        languages: Languages::parse(data.languages.0.iter().map(|word| &**word)),
    };
    Ok(LobbyAction::Start {
        user_id,
        profile,
        wish,
    })
}

/// Decodes the first frame of a chat socket whose address names no room.
///
/// # Errors
/// `bad_json`, `enter_first`, `not_a_uuid`, `invalid_after`, or `invalid_field` for a `token` or
/// `user_id` that is no text.
pub fn enter(text: &str) -> Result<Enter, DecodeError> {
    let frame: RawEnter<'_> = parse(text)?;
    if frame.action.text() != Some("enter") {
        return Err(DecodeError::new(ErrorCode::EnterFirst));
    }
    let room = frame.room.text().and_then(RoomId::parse);
    let number = |field: Field<'_>| match field {
        Field::Absent | Field::Null => Ok(None),
        Field::Number(number) => Ok(Some(number)),
        _ => Err(DecodeError::new(ErrorCode::InvalidAfter)),
    };
    let after = number(frame.after)?.map(Seq);
    let sent_at = number(frame.after_sent_at_ms)?;
    Ok(Enter {
        room: room.ok_or(DecodeError::new(ErrorCode::NotAUuid))?,
        token: named(frame.token, "token")?,
        after,
        after_sent_at: sent_at.and_then(|ms| i64::try_from(ms).ok()).map(Timestamp),
        together: frame.together == Field::Bool(true),
        user_id: named(frame.user_id, "user_id")?,
    })
}

/// An optional text; an empty one is as good as none.
fn named(field: Field<'_>, name: &'static str) -> Result<Option<String>, DecodeError> {
    match field {
        Field::Absent | Field::Null => Ok(None),
        Field::Str(text) => Ok((!text.is_empty()).then(|| text.into_owned())),
        _ => Err(DecodeError::field(name)),
    }
}

/// Decodes a frame of the chat socket.
///
/// # Errors
/// `bad_json`, `unknown_action`, `already_entered`, `invalid_field` with the field's name, `too_long`
/// or `empty`.
pub fn chat(text: &str) -> Result<ChatFrame, DecodeError> {
    decoded(text, chat_frame, |frame| !frame.action.is_named_by_halves())
}

fn chat_frame(text: &str) -> Result<ChatFrame, DecodeError> {
    let frame: RawChat<'_> = parse(text)?;
    let user_id = match frame.user_id {
        Field::Absent | Field::Null => None,
        Field::Str(text) => Some(text.into_owned()),
        _ => return Err(DecodeError::field("user_id")),
    };
    let action = match frame.action.text() {
        Some("send_message") => send(frame.message)?,
        Some("recall_message") => recall(frame.message_id, frame.client_id)?,
        Some("delete_message") => delete(frame.message_id)?,
        Some("react") => react(frame.message_id, &frame.reaction)?,
        Some("find_next") => ChatAction::FindNext,
        Some("typing") => match frame.is_typing {
            Field::Bool(typing) => ChatAction::Typing(typing),
            _ => return Err(DecodeError::field("is_typing")),
        },
        Some("leaving") => match frame.is_leaving {
            Field::Bool(leaving) => ChatAction::Leaving(leaving),
            _ => return Err(DecodeError::field("is_leaving")),
        },
        Some("read") => match frame.seq {
            Field::Number(n) => ChatAction::Read(Seq(n)),
            _ => return Err(DecodeError::field("seq")),
        },
        Some("block") => ChatAction::Block,
        // Read once more, by its own fields: what is said all the time does not pay for what is said seldom.
        Some("report") => ChatAction::Report(Box::new(report(text)?)),
        Some("call_me") => ChatAction::CallMe(call_me(frame.subscription)?),
        Some("acknowledge_notice") => ChatAction::Acknowledge(acknowledge(text)?),
        Some("are_you_there") => ChatAction::AreYouThere,
        Some("enter") => return Err(DecodeError::new(ErrorCode::AlreadyEntered)),
        _ => return Err(DecodeError::new(ErrorCode::UnknownAction)),
    };
    Ok(ChatFrame { user_id, action })
}

/// Read once more, by its own field: it is said seldom.
fn acknowledge(text: &str) -> Result<NoticeId, DecodeError> {
    let frame: RawAcknowledge<'_> = parse(text)?;
    let id = frame.id.text().and_then(NoticeId::parse);
    id.ok_or(DecodeError::field("id"))
}

fn call_me(
    subscription: Object<RawSubscription<'_>>,
) -> Result<Option<Box<Subscription>>, DecodeError> {
    let Some(given) = subscription.0 else {
        return Ok(None);
    };
    let keys = given.keys.0.unwrap_or_default();
    let text = |field: Field<'_>| match field {
        Field::Str(text) => Ok(text.into_owned()),
        _ => Err(DecodeError::field("subscription")),
    };
    Ok(Some(Box::new(Subscription {
        endpoint: text(given.endpoint)?,
        p256dh: text(keys.p256dh)?,
        auth: text(keys.auth)?,
    })))
}

#[cfg(test)]
mod tests;
