//! Notices: what a person is told about a decision.

use serde::{Deserialize, Serialize};

use super::id::{NoticeId, SanctionId};
use super::reason::Reason;
use super::sanction::SanctionKind;
use crate::domain::id::{SessionId, Timestamp};

/// Longest text of an appeal, in Unicode scalar values.
pub const APPEAL_CHARS: usize = 2000;

/// What it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A warning, to be confirmed.
    Warning,
    /// The person cannot speak.
    Mute,
    /// The person cannot come.
    Ban,
    /// A sanction was lifted.
    Lifted,
    /// A report, or an appeal, was looked at.
    Outcome,
}

impl NoticeKind {
    /// All that are kept for one person. Those to all people are not.
    pub const ALL: [Self; 5] = [
        Self::Warning,
        Self::Mute,
        Self::Ban,
        Self::Lifted,
        Self::Outcome,
    ];

    /// The one that tells of this sanction; `None` when it is not told.
    pub fn of(kind: SanctionKind) -> Option<Self> {
        match kind {
            SanctionKind::Warning => Some(Self::Warning),
            SanctionKind::Mute => Some(Self::Mute),
            SanctionKind::Ban => Some(Self::Ban),
            SanctionKind::Note
            | SanctionKind::ShadowMute
            | SanctionKind::ReporterMute
            | SanctionKind::Watch => None,
        }
    }

    /// The wire word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Mute => "mute",
            Self::Ban => "ban",
            Self::Lifted => "lifted",
            Self::Outcome => "outcome",
        }
    }

    /// As stores keep it.
    pub fn code(self) -> u8 {
        match self {
            Self::Warning => 1,
            Self::Mute => 2,
            Self::Ban => 3,
            Self::Lifted => 4,
            Self::Outcome => 5,
        }
    }

    /// By what stores keep.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|it| i64::from(it.code()) == code)
    }
}

/// Whether what a notice tells can be appealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppealState {
    /// It can, once.
    Possible,
    /// It was, and waits.
    Pending,
    /// It was, and is decided.
    Decided,
    /// There is nothing to appeal: it tells of no sanction, or of one that was lifted without an appeal.
    None,
}

/// What one person is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its name.
    pub id: NoticeId,
    /// The one it is for.
    pub to: SessionId,
    /// What it tells.
    pub kind: NoticeKind,
    /// The rule; `None` in an outcome to a reporter.
    pub rule: Option<Reason>,
    /// The explanation.
    pub text: String,
    /// When it was written, which is from when on the sanction holds.
    pub from: Timestamp,
    /// Until when the sanction holds; `None`: without an end, or there is none.
    pub until: Option<Timestamp>,
    /// A machine decided.
    pub automatic: bool,
    /// Of an outcome: a rule was found broken, or the appeal changed something.
    pub acted: Option<bool>,
    /// The sanction that it tells of.
    pub sanction: Option<SanctionId>,
    /// When the person confirmed it.
    pub acknowledged: Option<Timestamp>,
    /// Whether it can be appealed, as of the read.
    pub appeal: AppealState,
}
