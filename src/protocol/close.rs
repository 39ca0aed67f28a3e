//! Error and close codes, each with what the client is to do.

use serde::{Deserialize, Serialize};

/// Why an action had no effect. The connection stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Not JSON, or not an object. Fix the client.
    BadJson,
    /// No such action here. Fix the client.
    UnknownAction,
    /// A field has the wrong type or size; `field` names it. Fix the client.
    InvalidField,
    /// The `user_id` is of the partner's side; or, on entering, the room is of other people.
    NotAMember,
    /// The address names no room, and the first frame was no `enter`. Fix the client.
    EnterFirst,
    /// `enter` on a connection that is in a room. Fix the client.
    AlreadyEntered,
    /// The `room` of `enter` is no UUID. Fix the client.
    NotAUuid,
    /// The `after` of `enter` is no number. Fix the client.
    InvalidAfter,
    /// Neither a cookie nor a token of ours.
    NoIdentity,
    /// The room is closed: nothing can be added.
    RoomClosed,
    /// The room holds as many entries as it may. Go next.
    RoomFull,
    /// The reference names no message of this room.
    NoSuchMessage,
    /// Only its sender may recall a message.
    NotYours,
    /// It was recalled before.
    AlreadyRecalled,
    /// This `client_id` already names a message with other content. Use a fresh one.
    ClientIdReused,
    /// This side has changed its reaction to this message as often as it may; taking it back still works.
    TooManyReactions,
    /// The content is too long. Shorten it.
    TooLong,
    /// Nothing is left of the content after trimming.
    Empty,
    /// Too fast; repeat after `retry_after_ms`.
    RateLimited,
    /// This side was reported before, and that was not decided yet. Treat it as done.
    AlreadyReported,
    /// This site has no operator, so nothing is reported.
    ReportsOff,
    /// Both sides of the room are one browser's.
    SameSession,
    /// So many reports of this browser wait to be looked at that no more are taken.
    TooManyReports,
    /// No answer in time; repeating the same `client_id` is safe and gives the truth.
    Unavailable,
    /// No new pairs are made while the data has nearly the size it may have; search again
    /// after `retry_after_ms`.
    SiteFull,
    /// An operator decided that this browser may not speak; with `retry_after_ms`, until then.
    Muted,
    /// An operator decided that this browser, or its network, may not come; with `retry_after_ms`, until then.
    Banned,
    /// A warning waits to be confirmed; `notice_id` names it. Search again, and it is.
    NoticePending,
    /// No new pairs are made while the site is being worked on; search again after `retry_after_ms`.
    Maintenance,
}

impl ErrorCode {
    /// The wire word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadJson => "bad_json",
            Self::UnknownAction => "unknown_action",
            Self::InvalidField => "invalid_field",
            Self::NotAMember => "not_a_member",
            Self::EnterFirst => "enter_first",
            Self::AlreadyEntered => "already_entered",
            Self::NotAUuid => "not_a_uuid",
            Self::InvalidAfter => "invalid_after",
            Self::NoIdentity => "no_identity",
            Self::RoomClosed => "room_closed",
            Self::RoomFull => "room_full",
            Self::NoSuchMessage => "no_such_message",
            Self::NotYours => "not_yours",
            Self::AlreadyRecalled => "already_recalled",
            Self::ClientIdReused => "client_id_reused",
            Self::TooManyReactions => "too_many_reactions",
            Self::TooLong => "too_long",
            Self::Empty => "empty",
            Self::RateLimited => "rate_limited",
            Self::AlreadyReported => "already_reported",
            Self::ReportsOff => "reports_off",
            Self::SameSession => "same_session",
            Self::TooManyReports => "too_many_reports",
            Self::Unavailable => "unavailable",
            Self::SiteFull => "site_full",
            Self::Muted => "muted",
            Self::Banned => "banned",
            Self::NoticePending => "notice_pending",
            Self::Maintenance => "maintenance",
        }
    }

    /// English for developers; pages translate the code.
    pub fn message(self) -> &'static str {
        match self {
            Self::BadJson => "the frame is not a JSON object",
            Self::UnknownAction => "no such action on this socket",
            Self::InvalidField => "a field has the wrong type, form or size",
            Self::NotAMember => "this user_id, token or browser is not on your side of the room",
            Self::EnterFirst => "the address names no room, so the first frame must be enter",
            Self::AlreadyEntered => {
                "this connection is in a room; open another one for another room"
            }
            Self::NotAUuid => "a room is named by a UUID, as match_found gave it",
            Self::InvalidAfter => {
                "after is the seq of the last entry you have seen, 0 for the whole log"
            }
            Self::NoIdentity => "send the session cookie, or the token of match_found as token",
            Self::RoomClosed => "the room is closed; nothing can be added",
            Self::RoomFull => "the room holds as many messages as it may",
            Self::NoSuchMessage => "no message of this room has that id",
            Self::NotYours => "only its sender may recall a message",
            Self::AlreadyRecalled => "the message was recalled before",
            Self::ClientIdReused => "this client_id already names a message with other content",
            Self::TooManyReactions => {
                "the reaction to this message was changed as often as it may be"
            }
            Self::TooLong => "the content has more characters than allowed",
            Self::Empty => "the content is empty after trimming",
            Self::RateLimited => "too fast; repeat after retry_after_ms",
            Self::AlreadyReported => {
                "you have reported this side of the room before; what you chose now is kept with it"
            }
            Self::ReportsOff => "this site has no operator who would read a report",
            Self::SameSession => "both sides of this room are this browser's",
            Self::TooManyReports => "too many of your reports wait to be looked at",
            Self::Unavailable => {
                "no answer in time; it may or may not have taken effect, repeating it is safe"
            }
            Self::SiteFull => "the site holds as much as it may; search again after retry_after_ms",
            Self::Muted => "this browser may read and may not speak; GET /api/notices/ says why",
            Self::Banned => "this browser may not come here; GET /api/notices/ says why",
            Self::NoticePending => "confirm the notice that notice_id names, or search once more",
            Self::Maintenance => {
                "the site is being worked on and makes no new pairs; search again after retry_after_ms"
            }
        }
    }
}

/// Why the server closes a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CloseReason {
    /// The peer said goodbye; answered in kind.
    Normal,
    /// The server is going away. Reconnect after a random delay.
    GoingAway,
    /// Flood, or repeated bad frames. Do not reconnect.
    Policy,
    /// A frame larger than `limits.max_frame`. Do not reconnect.
    TooLarge,
    /// One replaced connection too many. Do not reconnect.
    Replaced,
    /// Cannot keep up: a write passed its deadline. Reconnect with `after`.
    TooSlow,
    /// Heartbeat missed. Reconnect with `after`.
    HeartbeatMissed,
    /// This room is no more. Do not reconnect.
    RoomGone,
    /// This browser was forgotten, as it asked. Do not reconnect.
    Forgotten,
    /// `enter` was refused, or missing, or said twice; an `error` said why. Do not reconnect.
    Refused,
    /// An operator decided that this browser may not come. Do not reconnect.
    Banned,
}

impl CloseReason {
    /// The close code of RFC 6455, or of the 4000s for our own. A new one goes into the range that tells
    /// clients what to do that do not know it: 4100–4199 do not come back, 4200–4299 come back later,
    /// others come back soon.
    pub fn code(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::GoingAway => 1001,
            Self::Policy => 1008,
            Self::TooLarge => 1009,
            Self::Replaced => 4000,
            Self::TooSlow => 4001,
            Self::HeartbeatMissed => 4002,
            Self::RoomGone => 4004,
            Self::Banned => 4100,
            Self::Refused => 4101,
            Self::Forgotten => 4102,
        }
    }

    /// English for developers.
    pub fn text(self) -> &'static str {
        match self {
            Self::Normal => "",
            Self::GoingAway => "server going away",
            Self::Policy => "policy",
            Self::TooLarge => "frame too large",
            Self::Replaced => "replaced by newer connections",
            Self::TooSlow => "connection cannot keep up",
            Self::HeartbeatMissed => "heartbeat missed",
            Self::RoomGone => "this room is no more",
            Self::Banned => "banned",
            Self::Refused => "cannot enter",
            Self::Forgotten => "this browser was forgotten",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROTOCOL: &str = include_str!("../../docs/PROTOCOL.md");

    /// The codes that are older than the ranges: every client has to know them.
    const KNOWN_FINAL: [u16; 4] = [1008, 1009, 4000, 4004];

    const ALL: [CloseReason; 11] = [
        CloseReason::Normal,
        CloseReason::GoingAway,
        CloseReason::Policy,
        CloseReason::TooLarge,
        CloseReason::Replaced,
        CloseReason::TooSlow,
        CloseReason::HeartbeatMissed,
        CloseReason::RoomGone,
        CloseReason::Banned,
        CloseReason::Refused,
        CloseReason::Forgotten,
    ];

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum ComeBack {
        Never,
        Later,
        Soon,
    }

    /// What a client is to do that does not know the code.
    fn by_range(code: u16) -> ComeBack {
        match code {
            4100..=4199 => ComeBack::Never,
            4200..=4299 => ComeBack::Later,
            _ => ComeBack::Soon,
        }
    }

    /// What each reason means; a new one does not compile until this is decided.
    fn meant(reason: CloseReason) -> ComeBack {
        match reason {
            CloseReason::Policy
            | CloseReason::TooLarge
            | CloseReason::Replaced
            | CloseReason::RoomGone
            | CloseReason::Banned
            | CloseReason::Refused
            | CloseReason::Forgotten => ComeBack::Never,
            CloseReason::Normal
            | CloseReason::GoingAway
            | CloseReason::TooSlow
            | CloseReason::HeartbeatMissed => ComeBack::Soon,
        }
    }

    #[test]
    fn each_code_lies_in_the_range_of_its_meaning() {
        for reason in ALL {
            let code = reason.code();
            if KNOWN_FINAL.contains(&code) {
                assert_eq!(meant(reason), ComeBack::Never, "{reason:?}");
            } else {
                assert_eq!(by_range(code), meant(reason), "{reason:?}");
            }
        }
    }

    #[test]
    fn the_protocol_lists_each_code_with_what_it_means() {
        let table = PROTOCOL
            .split_once("\n## Close codes")
            .and_then(|(_, rest)| rest.split_once("\n## HTTP"))
            .map(|(section, _)| section)
            .unwrap();
        let rows: Vec<_> = table
            .lines()
            .filter_map(|line| {
                let cells: Vec<_> = line.split('|').map(str::trim).collect();
                let code = cells.get(1)?.parse::<u16>().ok()?;
                let advice = match *cells.get(3)? {
                    "no" => ComeBack::Never,
                    later if later.starts_with("later") => ComeBack::Later,
                    _ => ComeBack::Soon,
                };
                Some((code, advice))
            })
            .collect();
        assert_eq!(rows, ALL.map(|reason| (reason.code(), meant(reason))));
    }
}
