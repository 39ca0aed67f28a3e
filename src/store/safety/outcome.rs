//! What becomes of what is asked about people's safety: done, or refused by a rule. That the store does not answer is an
//! error ([`StoreError`](crate::store::StoreError)).

use super::CaseClaim;
use crate::domain::safety::{Case, CaseId, OperatorId, ReportId, Sanction};

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// It is taken. The caller spreads the sanction that the automatic step imposed, if it did.
    Done {
        /// The report.
        report: ReportId,
        /// The automatic sanction.
        automatic: Option<Sanction>,
    },
    /// This session's report of this side of this room stands in a case that is not closed. It is left as it is, but for its evidence, to
    /// which what is chosen now was added.
    Already(ReportId),
    /// Nothing was stored.
    Refused(ReportRefusal),
}

/// The rule that a report broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportRefusal {
    /// The room was never there, or is erased.
    NoSuchRoom,
    /// The session does not have this side of the room.
    NotYours,
    /// Both sides are this session.
    Own,
    /// So many of its reports (`STANDING`) or of its wide network's (`NETWORK_STANDING`) are undecided.
    TooMany,
}

/// What became of a report that is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawn {
    /// It is, now or before.
    Done,
    /// Its case is closed.
    Decided,
    /// No such report is this session's.
    Unknown,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The case, with the claim.
    Done(Box<Case>),
    /// It is not theirs.
    Refused(ActRefusal),
}

/// What became of an act of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acted<T> {
    /// It took effect.
    Done(T),
    /// Nothing changed.
    Refused(ActRefusal),
}

/// The rule that an act broke; the first that applies, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActRefusal {
    /// The operator is not there, or is disabled.
    NoOperator,
    /// There is no such case, sanction, session or room.
    Unknown,
    /// The operator's role does not allow it.
    NotAllowed,
    /// The operator is the subject of the case, or reported in it.
    Conflict,
    /// The sanction is the operator's own, and another operator could decide about the appeal.
    OwnDecision,
    /// The state does not allow it: the case is closed, or not; it is an appeal, or is none; the sanction is lifted already.
    Unfit,
    /// Another operator has it.
    Taken(CaseClaim),
    /// More reports came into the case than the operator has seen.
    NewReports,
    /// Another stands than the one that was to be replaced.
    Changed,
}

/// What became of the reports of one reporter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invalidated {
    /// How many became invalid.
    pub reports: u64,
    /// How many cases that closed.
    pub closed: u64,
    /// The mute of the reporter, to be spread.
    pub mute: Option<Sanction>,
}

/// What became of reports that were invalid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revalidated {
    /// How many stand again.
    pub reports: u64,
    /// How many cases that opened again.
    pub opened: u64,
    /// The row that lifts the mute of the reporter, to be spread.
    pub lifted: Option<Sanction>,
}

/// What became of an appeal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appealed {
    /// It waits.
    Done(CaseId),
    /// What the notice tells of was appealed before.
    Already,
    /// There is nothing to appeal.
    NotPossible,
    /// No such notice is this session's.
    Unknown,
}

/// What became of an operator that was to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorMade {
    /// They are one.
    Done(OperatorId),
    /// One has this name.
    NameTaken,
    /// There are `OPERATORS` of them.
    TooMany,
    /// The maker may not, or the link is not right.
    NotAllowed,
}

/// What became of a change of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorChanged {
    /// It took effect, or was so already.
    Done,
    /// There is no such operator.
    Unknown,
    /// The one who asks may not.
    NotAllowed,
    /// No administrator would be left.
    LastAdministrator,
}
