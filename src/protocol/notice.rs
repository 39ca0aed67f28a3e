//! What a person is told of decisions, as both sockets and the API say it.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::domain::id::Timestamp;
use crate::domain::safety::{AppealState, Notice, Reason};

/// The JSON of a notice.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct NoticeView<'a> {
    /// By this it is confirmed and appealed.
    pub id: Uuid,
    /// What it tells.
    pub kind: &'static str,
    /// Under which rule.
    pub rule: Option<&'static str>,
    /// The explanation; empty: the pages' own words.
    pub text: Cow<'a, str>,
    /// From when on it holds.
    pub from_ms: i64,
    /// Until when; null: without an end, or it tells of nothing that ends.
    pub until_ms: Option<i64>,
    /// A machine decided.
    pub automatic: bool,
    /// Whether what it tells can be appealed.
    pub appeal: &'static str,
    /// The person has confirmed it.
    pub confirmed: bool,
    /// Of an outcome: a rule was found broken, or the appeal changed something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acted: Option<bool>,
}

impl<'a> NoticeView<'a> {
    /// Of a notice to one person.
    pub fn of(notice: &'a Notice) -> Self {
        Self {
            id: notice.id.0,
            kind: notice.kind.as_str(),
            rule: notice.rule.map(Reason::as_str),
            text: Cow::Borrowed(&notice.text),
            from_ms: notice.from.0,
            until_ms: notice.until.map(|until| until.0),
            automatic: notice.automatic,
            appeal: appeal(notice.appeal),
            confirmed: notice.acknowledged.is_some(),
            acted: notice.acted,
        }
    }

    /// Of a notice to all people.
    pub fn to_all(
        id: Uuid,
        kind: &'static str,
        text: Cow<'a, str>,
        from: Timestamp,
        until: Timestamp,
    ) -> Self {
        Self {
            id,
            kind,
            rule: None,
            text,
            from_ms: from.0,
            until_ms: Some(until.0),
            automatic: false,
            appeal: appeal(AppealState::None),
            confirmed: false,
            acted: None,
        }
    }

    /// Whether it is told to all people.
    pub fn is_to_all(&self) -> bool {
        matches!(self.kind, "broadcast" | "maintenance")
    }

    /// The same once it was taken back: without words, and it has ended as it began.
    pub fn taken_back(&self) -> NoticeView<'static> {
        let from = Timestamp(self.from_ms);
        NoticeView::to_all(self.id, self.kind, Cow::Borrowed(""), from, from)
    }

    /// The same with a text of its own.
    pub fn into_owned(self) -> NoticeView<'static> {
        let Self {
            id,
            kind,
            rule,
            text,
            from_ms,
            until_ms,
            automatic,
            appeal,
            confirmed,
            acted,
        } = self;
        NoticeView {
            id,
            kind,
            rule,
            text: Cow::Owned(text.into_owned()),
            from_ms,
            until_ms,
            automatic,
            appeal,
            confirmed,
            acted,
        }
    }
}

fn appeal(state: AppealState) -> &'static str {
    match state {
        AppealState::Possible => "possible",
        AppealState::Pending => "pending",
        AppealState::Decided => "decided",
        AppealState::None => "none",
    }
}
