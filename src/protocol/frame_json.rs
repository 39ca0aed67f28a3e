//! The JSON of what the server says, field by field. Names, casing and nesting are the contract.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::close::ErrorCode;
use super::notice::NoticeView;
use crate::domain::id::{RoomId, Seq, Side, Timestamp};
use crate::domain::wish::Phase;
use crate::domain::{Gender, Mood, Persona, Reaction, Room};

#[derive(JsonSchema, Serialize)]
pub(super) struct Person<'a> {
    pub(super) nickname: &'a str,
    pub(super) avatar: String,
    pub(super) mood: Mood,
}

impl<'a> Person<'a> {
    pub(super) fn of(persona: &'a Persona) -> Self {
        let profile = &persona.profile;
        Self {
            nickname: &profile.nickname,
            avatar: profile.avatar.to_string(),
            mood: profile.mood,
        }
    }
}

/// The partner in `match_found`, where clients of the original expect the gender; our pages show it nowhere.
#[derive(JsonSchema, Serialize)]
pub(super) struct MatchedUser<'a> {
    #[serde(flatten)]
    person: Person<'a>,
    gender: Gender,
}

impl<'a> MatchedUser<'a> {
    pub(super) fn of(persona: &'a Persona) -> Self {
        Self {
            person: Person::of(persona),
            gender: persona.profile.gender,
        }
    }
}

#[derive(JsonSchema, Serialize)]
pub(super) struct PartnerShape<'a> {
    #[serde(flatten)]
    pub(super) person: Person<'a>,
    pub(super) online: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) grace_ends_ms: Option<u64>,
}

/// `room_state`, also the JSON of a room over HTTP.
#[derive(JsonSchema, Serialize)]
pub struct RoomView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<&'static str>,
    pub(super) room_id: RoomId,
    pub(super) user_id: &'a str,
    pub(super) partner: PartnerShape<'a>,
    pub(super) common_tags: &'a [String],
    pub(super) is_bot: bool,
    pub(super) active: bool,
    pub(super) last_seq: Seq,
    pub(super) partner_read: Seq,
    pub(super) same_session: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) closes_ms: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) anew: bool,
    // A page whose own clock is wrong learns from it which day it is.
    pub(super) now_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) erases_ms: Option<u64>,
    // For a page that shows the room from outside: while no page of this side is in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) away_ends_ms: Option<u64>,
}

impl<'a> RoomView<'a> {
    /// The room as `side` is told of it.
    pub fn of(room: &'a Room, side: Side, grace: Duration, now: Timestamp) -> Self {
        let partner = room.side(side.other());
        let called = partner.call_for.filter(|_| partner.joined_at.is_none());
        let called = called.map(|it| it.saturating_sub(now.since(room.opened_at)));
        let grace_left = partner.grace_left(grace, now).or(called);
        let grace_left = grace_left.filter(|_| room.active());
        let own_left = room.side(side).grace_left(grace, now);
        let own_left = own_left.filter(|_| room.active());
        Self {
            action: None,
            room_id: room.id,
            user_id: room.side(side).persona.user_id.as_str(),
            partner: PartnerShape {
                person: Person::of(&partner.persona),
                // A closed room tells no more of who reads it.
                online: partner.online() && room.active(),
                grace_ends_ms: grace_left.map(millis),
            },
            common_tags: &room.common_tags,
            is_bot: room.is_bot,
            active: room.active(),
            last_seq: room.last_seq,
            // Entries that are not there cannot have been read.
            partner_read: partner.read.min(room.last_seq),
            same_session: room.same_session(),
            closes_ms: room.closes_at.map(|at| millis(at.since(now))),
            anew: false,
            now_ms: now.0,
            erases_ms: room.erases_at.map(|at| millis(at.since(now))),
            away_ends_ms: own_left.map(millis),
        }
    }
}

#[derive(JsonSchema, Serialize)]
pub(super) struct MessageRecalled<'a> {
    pub(super) action: &'static str,
    pub(super) message_id: String,
    pub(super) client_id: &'a str,
    pub(super) seq: Seq,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct MessageDeleted {
    pub(super) action: &'static str,
    pub(super) message_id: String,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct ReactionFrame<'a> {
    pub(super) action: &'static str,
    pub(super) message_id: String,
    pub(super) user_id: &'a str,
    pub(super) reaction: Option<Reaction>,
    /// None on an answer outside the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seq: Option<Seq>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) repeat: bool,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct UserLeft<'a> {
    pub(super) action: &'static str,
    pub(super) user_id: &'a str,
    pub(super) reason: &'static str,
    /// Who was away, as the receiver sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gone: Option<&'static str>,
    pub(super) seq: Seq,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct MatchFound<'a> {
    pub(super) action: &'static str,
    pub(super) room_id: RoomId,
    pub(super) matched_user: MatchedUser<'a>,
    pub(super) common_tags: &'a [String],
    pub(super) is_bot: bool,
    pub(super) user_id: &'a str,
    pub(super) token: &'a str,
    pub(super) same_session: bool,
    pub(super) met_before: bool,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct Waiting {
    pub(super) action: &'static str,
    pub(super) phase: Phase,
    pub(super) phase_ends_ms: Option<u64>,
    pub(super) waiting: u64,
    pub(super) unfit: bool,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct Alive {
    pub(super) action: &'static str,
    pub(super) heartbeat_ms: u64,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct InRoom {
    pub(super) action: &'static str,
    pub(super) room_id: RoomId,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct ReportedFrame {
    pub(super) action: &'static str,
    pub(super) report_id: String,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct NoticeFrame<'a> {
    pub(super) action: &'static str,
    pub(super) notice: &'a NoticeView<'a>,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct RoomClosing {
    pub(super) action: &'static str,
    pub(super) closes_ms: u64,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct PartnerStatus {
    pub(super) action: &'static str,
    pub(super) online: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) grace_ends_ms: Option<u64>,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct PartnerRead {
    pub(super) action: &'static str,
    pub(super) seq: Seq,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct ErrorFrame<'a> {
    pub(super) action: &'static str,
    pub(super) code: &'static str,
    pub(super) message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) field: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) notice_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_after_ms: Option<u64>,
}

impl ErrorFrame<'_> {
    /// One that says no more than the code does.
    pub(super) fn of(code: ErrorCode) -> Self {
        Self {
            action: "error",
            code: code.as_str(),
            message: code.message(),
            field: None,
            client_id: None,
            message_id: None,
            notice_id: None,
            retry_after_ms: None,
        }
    }
}

/// Whole milliseconds.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// How long a client is told to wait, in whole milliseconds. Rounded up: who waits so long is not refused again
/// for a fraction of one.
pub fn wait_millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_never_said_shorter_than_it_is() {
        let waits = [0, 1, 999_999, 1_000_000, 1_000_001, 29_999_999_999];
        let said = waits.map(|nanos| wait_millis(Duration::from_nanos(nanos)));
        assert_eq!(said, [0, 1, 1, 1, 2, 30_000]);
        assert_eq!(wait_millis(Duration::MAX), u64::MAX);
    }
}
