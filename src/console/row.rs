//! A case as a line of a list.

use serde::Serialize;

use super::person::Names;
use super::sanction::strikes;
use crate::domain::id::Timestamp;
use crate::domain::safety::{
    Case, CaseKind, CaseState, OperatorId, Sanction, SanctionId, SanctionKind,
};

/// What [`crate::domain::safety::Priority`] counts a report of weight one and severity one as.
const ONE: f64 = 2000.0;

/// A line of the queue.
#[derive(Debug, Serialize)]
pub struct CaseRow {
    id: u64,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sanction: Option<AppealedJson>,
    state: CaseState,
    reason: &'static str,
    priority: f64,
    reports: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<ClaimJson>,
    opened_at_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at_ms: Option<i64>,
    reopened: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_until_ms: Option<i64>,
    strikes: usize,
}

/// What an appeal is about. Its kind is left out when it is erased.
#[derive(Debug, Serialize)]
struct AppealedJson {
    id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<SanctionKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ms: Option<i64>,
}

#[derive(Debug, Serialize)]
struct ClaimJson {
    name: String,
    until_ms: i64,
    mine: bool,
}

/// Another case about the same person, in few words.
#[derive(Debug, Serialize)]
pub struct EarlierJson {
    id: u64,
    kind: &'static str,
    state: CaseState,
    reason: &'static str,
    opened_at_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at_ms: Option<i64>,
}

/// Who looks, and when.
#[derive(Clone, Copy, Debug)]
pub struct Looking<'a> {
    /// What operators are called.
    pub names: &'a Names,
    /// The one who looks; `None`: a command on the machine.
    pub me: Option<OperatorId>,
    /// The moment.
    pub now: Timestamp,
}

impl CaseRow {
    /// Of a case whose subject has these sanctions.
    pub fn of(case: &Case, on_subject: &[Sanction], looking: Looking<'_>) -> Self {
        Self {
            id: case.id.0,
            kind: kind_word(case.kind),
            sanction: match case.kind {
                CaseKind::Appeal(id) => Some(AppealedJson::of(id, on_subject)),
                CaseKind::Reports | CaseKind::ByHand => None,
            },
            state: case.state,
            reason: case.reason.as_str(),
            priority: priority(case.priority.0),
            reports: case.reports,
            claim: case.claim.map(|claim| ClaimJson {
                name: looking.names.name(Some(claim.by)).unwrap_or_default(),
                until_ms: claim.until.0,
                mine: looking.me == Some(claim.by),
            }),
            opened_at_ms: case.opened_at.0,
            closed_at_ms: case.closed_at.map(|it| it.0),
            reopened: case.reopened,
            held_until_ms: case.held_until.map(|it| it.0),
            strikes: strikes(on_subject, looking.now),
        }
    }
}

impl AppealedJson {
    fn of(id: SanctionId, on_subject: &[Sanction]) -> Self {
        let found = on_subject.iter().find(|it| it.id == id);
        Self {
            id: id.0,
            kind: found.map(|it| it.kind),
            until_ms: found.and_then(|it| it.until).map(|it| it.0),
        }
    }
}

impl EarlierJson {
    /// Of a case.
    pub fn of(case: &Case) -> Self {
        Self {
            id: case.id.0,
            kind: kind_word(case.kind),
            state: case.state,
            reason: case.reason.as_str(),
            opened_at_ms: case.opened_at.0,
            closed_at_ms: case.closed_at.map(|it| it.0),
        }
    }
}

fn kind_word(kind: CaseKind) -> &'static str {
    match kind {
        CaseKind::Reports => "reports",
        CaseKind::ByHand => "by_hand",
        CaseKind::Appeal(_) => "appeal",
    }
}

/// In reports of weight one and severity one. No sum of weights is near what a float cannot count.
fn priority(thousandths: u64) -> f64 {
    f64::from(u32::try_from(thousandths).unwrap_or(u32::MAX)) / ONE
}
