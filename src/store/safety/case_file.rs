//! A case with what belongs to it: its reports, what was decided, and what else was done.

use crate::domain::id::{RoomId, Timestamp};
use crate::domain::safety::{Case, Finding, OperatorId, Reason, Report, Sanction};

/// A case with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFile {
    /// The case.
    pub case: Case,
    /// Its reports, newest first, those withdrawn too.
    pub reports: Vec<Report>,
    /// Rooms of which there is evidence, in the order of freezing.
    pub rooms: Vec<RoomId>,
    /// What was decided, newest first.
    pub decisions: Vec<Decision>,
    /// What else was done, newest first.
    pub steps: Vec<Step>,
    /// What the subject was sanctioned with, newest first, at most 50; lifting rows are left out.
    pub sanctions: Vec<Sanction>,
}

/// What was decided about a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// When.
    pub at: Timestamp,
    /// Whose decision it was; `None`: a command on the machine.
    pub by: Option<OperatorId>,
    /// What was found. Of an appeal: a violation when the sanction stays or is changed.
    pub finding: Finding,
    /// Under which rule.
    pub rule: Reason,
    /// For operators.
    pub note: String,
    /// To the person.
    pub text: String,
}

/// What was done in a case besides deciding it, with the words that went with it. Stores keep it beside the decisions,
/// as long as those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// Who did it; `None`: a command on the machine.
    pub by: Option<OperatorId>,
    /// What.
    pub kind: StepKind,
    /// For operators.
    pub note: String,
    /// To those who are told of it.
    pub text: String,
}

/// What was done besides deciding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// It was left to the administrators.
    Escalated,
    /// Its evidence was held, or no longer.
    Held,
    /// It was closed without a decision.
    Skipped,
    /// A decision told those who reported, in these words.
    Told,
    /// A sanction that followed from it was lifted.
    Lifted,
}

impl StepKind {
    const ALL: [Self; 5] = [
        Self::Escalated,
        Self::Held,
        Self::Skipped,
        Self::Told,
        Self::Lifted,
    ];

    /// As stores keep it, where a decision has its finding: none of the numbers of those.
    pub(in crate::store) fn code(self) -> u8 {
        match self {
            Self::Escalated => 3,
            Self::Held => 4,
            Self::Skipped => 5,
            Self::Told => 6,
            Self::Lifted => 7,
        }
    }

    /// By what stores keep.
    pub(in crate::store) fn from_code(code: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|it| i64::from(it.code()) == code)
    }

    /// As the console and the export call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Escalated => "escalated",
            Self::Held => "held",
            Self::Skipped => "skipped",
            Self::Told => "told",
            Self::Lifted => "lifted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_step_is_kept_as_a_finding() {
        for kind in StepKind::ALL {
            assert_eq!(StepKind::from_code(kind.code().into()), Some(kind));
        }
        for finding in [1, 2] {
            assert_eq!(StepKind::from_code(finding), None);
        }
    }
}
