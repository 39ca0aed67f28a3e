//! Sanctions: rows that are never changed. Lifting one is another row.

use serde::{Deserialize, Serialize};

use super::id::{CaseId, OperatorId, SanctionId};
use super::network::NetworkHash;
use super::reason::Reason;
use crate::domain::id::{SessionId, Timestamp};

/// The one that it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SanctionTarget {
    /// One browser.
    Session(SessionId),
    /// All of a network.
    Network(NetworkHash),
}

/// What.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SanctionKind {
    /// Operators remember something; the person is not told.
    Note,
    /// Must be confirmed before the next search.
    Warning,
    /// Cannot speak, may read.
    Mute,
    /// Cannot come.
    Ban,
    /// The sender sees their messages, no one else does. Not told.
    ShadowMute,
    /// Their reports count nothing. Not told.
    ReporterMute,
    /// Of a network: what comes from it is counted several times over. Not told.
    Watch,
}

impl SanctionKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Note,
        Self::Warning,
        Self::Mute,
        Self::Ban,
        Self::ShadowMute,
        Self::ReporterMute,
        Self::Watch,
    ];

    /// Whether the person gets a notice, and may appeal.
    pub fn is_told(self) -> bool {
        matches!(self, Self::Warning | Self::Mute | Self::Ban)
    }

    /// As stores keep it.
    pub fn code(self) -> u8 {
        match self {
            Self::Note => 1,
            Self::Warning => 2,
            Self::Mute => 3,
            Self::Ban => 4,
            Self::ShadowMute => 5,
            Self::ReporterMute => 6,
            Self::Watch => 7,
        }
    }

    /// By what stores keep.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|it| i64::from(it.code()) == code)
    }
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sanction {
    /// Its number.
    pub id: SanctionId,
    /// Its target; of a lifting row, of what it lifts.
    pub target: SanctionTarget,
    /// What; of a lifting row, of what it lifts.
    pub kind: SanctionKind,
    /// The rule that was broken; of a lifting row, of what it lifts.
    pub rule: Reason,
    /// When it was written, which is when it begins.
    pub at: Timestamp,
    /// When it ends by itself; of a lifting row, what it lifts would have.
    pub until: Option<Timestamp>,
    /// The row that this one lifts.
    pub lifts: Option<SanctionId>,
    /// The row that lifted this one, as of the read.
    pub lifted_by: Option<SanctionId>,
    /// No person decided it.
    pub automatic: bool,
    /// Whose it was; `None` where that was the automatic step, or a command on the machine.
    pub by: Option<OperatorId>,
    /// The case that it followed from.
    pub case: Option<CaseId>,
}

impl Sanction {
    /// A warning under the rule of self-harm: how a person is written to that others worry about. It is no breach.
    pub fn is_care(&self) -> bool {
        self.kind == SanctionKind::Warning && self.rule == Reason::SelfHarm
    }

    /// Whether it holds at this moment.
    pub fn in_force(&self, now: Timestamp) -> bool {
        let ended = self.until.is_some_and(|until| until <= now);
        self.lifts.is_none() && self.lifted_by.is_none() && !ended
    }
}
