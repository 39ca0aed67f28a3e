//! A decision closes a case: what was found, under which rule, and what follows from it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::id::CaseId;
use super::operator::{Actor, Role};
use super::reason::Reason;
use super::sanction::{SanctionKind, SanctionTarget};

/// Longest text to a person and longest private note, in Unicode scalar values.
pub const TEXT_CHARS: usize = 2000;
/// Most sanctions of one decision.
pub const SANCTIONS: usize = 10;
/// For how long a network may be banned, and a person spoken into the void, at most.
pub const SHORT: Duration = Duration::from_secs(24 * 3600);
/// For how long a network may be watched, at most.
pub const WATCH: Duration = Duration::from_secs(30 * 24 * 3600);

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The rule was broken.
    Violation,
    /// It was not, or it cannot be said.
    NoViolation,
}

/// A sanction that is to be imposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SanctionDraft {
    /// The one that it is on.
    pub target: SanctionTarget,
    /// What.
    pub kind: SanctionKind,
    /// For how long; `None`: without an end.
    pub length: Option<Duration>,
}

impl SanctionDraft {
    /// Whether an operator of this role may impose it because of this rule. A network can only be watched
    /// or, for at most a day, banned, and by an administrator: a campus is one address. What the person is not told of is for spam alone
    /// and ends within a day. A warning and a note have no end.
    pub fn allowed(&self, role: Role, rule: Reason) -> bool {
        let short = self.length.is_some_and(|length| length <= SHORT);
        let lasting = self.length.is_none_or(|length| !length.is_zero());
        lasting
            && match (self.target, self.kind) {
                (SanctionTarget::Network(_), SanctionKind::Ban) => {
                    role == Role::Administrator && short
                }
                (SanctionTarget::Network(_), SanctionKind::Watch) => {
                    let ends = self.length.is_some_and(|length| length <= WATCH);
                    role == Role::Administrator && ends
                }
                (SanctionTarget::Network(_), _) | (_, SanctionKind::Watch) => false,
                (_, SanctionKind::ShadowMute) => rule == Reason::Spam && short,
                (_, SanctionKind::Note | SanctionKind::Warning) => self.length.is_none(),
                (_, SanctionKind::Mute | SanctionKind::Ban | SanctionKind::ReporterMute) => true,
            }
    }
}

/// What an operator decided about reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionDraft {
    /// The case that it closes.
    pub case: CaseId,
    /// Whose decision it is.
    pub by: Actor,
    /// What was found.
    pub finding: Finding,
    /// Under which rule.
    pub rule: Reason,
    /// For operators alone, at most [`TEXT_CHARS`].
    pub note: String,
    /// To the person, at most [`TEXT_CHARS`]; each notice carries it.
    pub text: String,
    /// To those who reported, at most [`TEXT_CHARS`]: that it was looked at. Empty: the pages' own words.
    pub reporter_text: String,
    /// How many of its reports the operator has seen: when there are more, nothing is decided. `None`: it is decided all the same.
    pub seen_reports: Option<usize>,
    /// What follows, at most [`SANCTIONS`]. Without a violation nothing but notes and reporter mutes.
    pub sanctions: Vec<SanctionDraft>,
}

impl DecisionDraft {
    /// Whether what follows may follow, from an operator of this role.
    pub fn allowed(&self, role: Role) -> bool {
        let quiet = |kind| matches!(kind, SanctionKind::Note | SanctionKind::ReporterMute);
        self.sanctions.len() <= SANCTIONS
            && self.sanctions.iter().all(|sanction| {
                let may_follow = self.finding == Finding::Violation || quiet(sanction.kind);
                may_follow && sanction.allowed(role, self.rule)
            })
    }
}

/// What becomes of an appeal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppealOutcome {
    /// The sanction stays.
    Uphold,
    /// It is lifted, and this one takes its place.
    Change(SanctionDraft),
    /// It is lifted. The reports that it rested on say nothing about those who made them any more.
    Overturn,
}

/// What an operator decided about an appeal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppealDecision {
    /// The appeal's case.
    pub case: CaseId,
    /// Whose decision it is.
    pub by: Actor,
    /// What becomes of the sanction.
    pub outcome: AppealOutcome,
    /// For operators alone, at most [`TEXT_CHARS`].
    pub note: String,
    /// To the person, at most [`TEXT_CHARS`], never empty.
    pub text: String,
}
