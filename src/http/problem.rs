//! What an HTTP request is told when it cannot be answered: RFC 9457 problem details with a stable
//! `code`. Sockets have their own errors in [`crate::protocol`].

use std::borrow::Cow;
use std::time::Duration;

use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::response;
use crate::admission::ConnectionRefused;
use crate::admission::door::AdmissionRefusal;
use crate::admission::sanctions::Holding;
use crate::protocol::{ErrorCode, wait_millis};
use crate::state_machine::Now;
use crate::store::StoreError;

/// A refusal. `code` is for programs and never changes; `detail` says what to do, in English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpProblem {
    /// The status of the answer.
    pub status: StatusCode,
    /// Stable name of the case.
    pub code: &'static str,
    /// For people: what is wrong and what to do.
    pub detail: Cow<'static, str>,
    /// When trying again makes sense.
    pub retry_after: Option<Duration>,
    /// Of something that another operator has: who.
    pub by: Option<String>,
    /// Of a ban: what the person is told. Boxed: few are.
    pub ban: Option<Box<BanTold>>,
}

/// What a banned person is told at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BanTold {
    /// Under which rule.
    pub rule: &'static str,
    /// Until when; null: without an end.
    pub until_ms: Option<i64>,
    /// Where the rest is told, and can be appealed.
    pub appeal: &'static str,
}

/// As it is sent.
#[derive(JsonSchema, Serialize)]
pub struct ProblemJson<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    /// Of a ban: the rule that was broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    /// Of a ban: until when; null: without an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ms: Option<Option<i64>>,
    /// Of a ban: where the rest is told, and can be appealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    appeal: Option<&'a str>,
}

impl HttpProblem {
    /// A refusal with its code and advice.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            retry_after: None,
            by: None,
            ban: None,
        }
    }

    /// 404 for an address that means nothing here.
    pub fn no_such_page() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is nothing at this address; check its spelling",
        )
    }

    /// 400: the room's name is not a UUID.
    pub fn not_a_room_id() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "not_a_uuid",
            "a room is named by a UUID, as match_found gave it",
        )
    }

    /// 401: neither a cookie nor a token that we signed.
    pub fn no_identity() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "no_identity",
            "send the session cookie, or the token of match_found as Authorization: Bearer TOKEN",
        )
    }

    /// 403: a room of other people.
    pub fn not_a_side() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "not_a_member",
            "this browser is not in this room",
        )
    }

    /// 404: a room that was never there or is erased.
    pub fn no_such_room() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no_such_room",
            "this room is unknown or was erased; find somebody new",
        )
    }

    /// 403: the browser, or its network, may not come.
    pub fn banned(ban: &Holding) -> Self {
        let told = BanTold {
            rule: ban.rule.as_str(),
            until_ms: ban.until.map(|until| until.0),
            appeal: "/#notices",
        };
        Self {
            retry_after: ban.left(Now::read().wall),
            ban: Some(Box::new(told)),
            ..Self::new(
                StatusCode::FORBIDDEN,
                ErrorCode::Banned.as_str(),
                ErrorCode::Banned.message(),
            )
        }
    }

    /// 403: a page of another site asks.
    pub fn foreign_origin() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "pages of other origins may not do this; the operator can allow one in \
             server.allowed_origins, or name this site's address in server.public_url",
        )
    }

    /// Too many requests: 429, and when to ask again.
    pub fn rate_limited(retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                "too many requests; wait as long as retry_after_ms says",
            )
        }
    }

    /// 429: no session is made for this network now.
    pub fn too_many_newcomers(retry_after: Duration) -> Self {
        Self {
            detail: "too many new browsers came from your network; wait as long as retry_after_ms \
                     says, or send the session cookie if this site has set one"
                .into(),
            ..Self::rate_limited(retry_after)
        }
    }

    /// 429: this browser has as many sockets as it may.
    pub fn too_many_sockets() -> Self {
        Self {
            retry_after: Some(Duration::from_secs(5)),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_sockets",
                "this browser has as many sockets open as it may; close a window of this site",
            )
        }
    }

    /// 503: there is no place for another connection.
    pub fn no_place(refused: ConnectionRefused) -> Self {
        Self {
            retry_after: Some(Duration::from_secs(10)),
            ..Self::unavailable(match refused {
                ConnectionRefused::Address => {
                    "too many connections from your network are open; try again later"
                }
                ConnectionRefused::Full => {
                    "nearly all places are taken, and the last are kept for people who talk; try \
                     again later"
                }
            })
        }
    }

    /// Something that it needs does not answer: 503.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            retry_after: Some(Duration::from_secs(2)),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
        }
    }

    /// The body of the answer.
    pub fn json(&self) -> Vec<u8> {
        let body = ProblemJson {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            retry_after_ms: self.retry_after.map(wait_millis),
            by: self.by.as_deref(),
            rule: self.ban.as_ref().map(|it| it.rule),
            until_ms: self.ban.as_ref().map(|it| it.until_ms),
            appeal: self.ban.as_ref().map(|it| it.appeal),
        };
        serde_json::to_vec(&body).expect("strings and numbers encode")
    }
}

impl From<AdmissionRefusal> for HttpProblem {
    fn from(refusal: AdmissionRefusal) -> Self {
        match refusal {
            AdmissionRefusal::Rate(wait) => Self::rate_limited(wait),
            AdmissionRefusal::NewSessions(wait) => Self::too_many_newcomers(wait),
            AdmissionRefusal::Memory(why) => response::exhausted(why),
            AdmissionRefusal::Banned(ban) => Self::banned(&ban),
        }
    }
}

/// What the caller did is not to blame; the cause was logged where it happened.
impl From<StoreError> for HttpProblem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Conflict => {
                Self::unavailable("the store does not answer at the moment; try again")
            }
            StoreError::Corrupt(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "damaged",
                "the stored data cannot be read; the operator finds the reason in the log",
            ),
        }
    }
}
