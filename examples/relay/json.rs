//! The few frames of the protocol that a relay needs, with the fields and about the length of Miyu's.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::room::Seat;

/// `send_message`; of anything else, the action alone.
#[derive(Deserialize)]
pub struct Said<'a> {
    action: &'a str,
    #[serde(borrow)]
    message: Option<Words<'a>>,
}

#[derive(Deserialize)]
struct Words<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
    #[serde(borrow)]
    client_id: Cow<'a, str>,
}

#[derive(Serialize)]
struct NewMessage<'a> {
    action: &'static str,
    message: Message<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    id: &'a str,
    seq: u64,
    sender_id: &'a str,
    sender_nickname: &'static str,
    sender_avatar: &'static str,
    content: &'a str,
    recalled: bool,
    replied_to: Option<&'a str>,
    replied_to_content: Option<&'a str>,
    replied_to_sender: Option<&'a str>,
    sent_at: &'static str,
    sent_at_ms: u64,
    client_id: &'a str,
}

/// Whether this is `start_matching`.
pub fn is_start(text: &str) -> bool {
    let said: Result<Said<'_>, _> = serde_json::from_str(text);
    said.is_ok_and(|said| said.action == "start_matching")
}

/// What was said, if anything was.
pub fn said(text: &str) -> Option<Said<'_>> {
    let said: Said<'_> = serde_json::from_str(text).ok()?;
    (said.action == "send_message" && said.message.is_some()).then_some(said)
}

/// A `new_message` frame.
pub fn new_message(said: &Said<'_>, seq: u64, sender_id: &str) -> String {
    let Some(words) = &said.message else {
        return String::new();
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_millis();
    encode(&NewMessage {
        action: "new_message",
        message: Message {
            id: &seq.to_string(),
            seq,
            sender_id,
            sender_nickname: "a",
            sender_avatar: "1",
            content: &words.content,
            recalled: false,
            replied_to: None,
            replied_to_content: None,
            replied_to_sender: None,
            sent_at: "14:05",
            sent_at_ms: u64::try_from(now).unwrap_or(u64::MAX),
            client_id: &words.client_id,
        },
    })
}

/// `match_found` for the one who takes this seat.
pub fn match_found(seat: Seat) -> String {
    let (room, token, user_id) = (seat.room, seat.side, user_id(seat));
    format!(
        "{{\"action\":\"match_found\",\"room_id\":\"{room}\",\"matched_user\":{{\"nickname\":\"a\",\
        \"avatar\":\"1\",\"mood\":\"neutral\",\"gender\":\"other\"}},\"common_tags\":[],\
        \"is_bot\":false,\"user_id\":\"{user_id}\",\"token\":\"{token}\",\"same_session\":false,\
        \"met_before\":false}}"
    )
}

/// `room_state`, the first frame of a chat.
pub fn room_state(seat: Seat) -> String {
    let (room, user_id) = (seat.room, user_id(seat));
    format!(
        "{{\"action\":\"room_state\",\"room_id\":\"{room}\",\"user_id\":\"{user_id}\",\
        \"active\":true,\"last_seq\":0}}"
    )
}

/// Who sits there, about as long as Miyu's ids.
pub fn user_id(seat: Seat) -> String {
    format!("{:021x}{}", seat.room, seat.side)
}

fn encode(frame: &impl Serialize) -> String {
    serde_json::to_string(frame).expect("plain structures are JSON")
}
