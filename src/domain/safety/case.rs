//! A case: the unit of an operator's work. Most are all standing reports on one session; some are opened by hand;
//! an appeal is one, too.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::id::{CaseId, OperatorId, SanctionId};
use super::reason::Reason;
use super::report::{Priority, Weight};
use crate::domain::id::{SessionId, Timestamp};

/// How long an operator has a case to themselves after they last acted on it.
pub const CLAIM: Duration = Duration::from_secs(20 * 60);

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CaseKind {
    /// Reports on one session. It has at most one such case that is not closed.
    Reports,
    /// An operator opened it; reports on its session join it.
    ByHand,
    /// The person says that this sanction is wrong.
    Appeal(SanctionId),
}

impl CaseKind {
    /// What is added to the priority of its reports: nothing to that of a case which they alone make; otherwise as much as one
    /// report for the case's own reason, so that a case without any has its place.
    pub fn base(self, own: Option<Reason>) -> Priority {
        match (self, own) {
            (Self::ByHand | Self::Appeal(_), Some(own)) => {
                Priority(u64::from(Weight::ONE.0) * u64::from(own.severity_halves()))
            }
            _ => Priority(0),
        }
    }
}

/// How far a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// It waits for a decision of any operator.
    Open,
    /// It waits for a decision of an administrator.
    Escalated,
    /// Closed by a decision.
    Decided,
    /// Closed without one: there was nothing to decide, its evidence cannot be read, or all of its reports were
    /// withdrawn or invalid. Its reports say nothing about those who made them.
    Skipped,
}

impl CaseState {
    /// Nothing waits.
    pub fn closed(self) -> bool {
        matches!(self, Self::Decided | Self::Skipped)
    }

    /// As stores keep it.
    pub fn code(self) -> u8 {
        match self {
            Self::Open => 1,
            Self::Escalated => 2,
            Self::Decided => 3,
            Self::Skipped => 4,
        }
    }

    /// By what stores keep.
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::Open, Self::Escalated, Self::Decided, Self::Skipped]
            .into_iter()
            .find(|it| i64::from(it.code()) == code)
    }
}

/// An operator has a case to themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseClaim {
    /// Who.
    pub by: OperatorId,
    /// Until then, unless they act on it before.
    pub until: Timestamp,
}

/// How long evidence is held against its erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// 180 days.
    HalfYear,
    /// 365 days.
    Year,
}

impl Hold {
    /// For how long.
    pub fn length(self) -> Duration {
        let days = match self {
            Self::HalfYear => 180,
            Self::Year => 365,
        };
        Duration::from_secs(days * 24 * 3600)
    }

    /// What the audit log says of it; `None`: of its end. The console puts it in its language.
    pub fn audited(hold: Option<Self>) -> &'static str {
        match hold {
            Some(Self::HalfYear) => "180 days",
            Some(Self::Year) => "365 days",
            None => "no longer",
        }
    }
}

/// A case as the queue shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its number.
    pub id: CaseId,
    /// What it is about.
    pub kind: CaseKind,
    /// The session that it is about: who is reported, or who appeals.
    pub subject: SessionId,
    /// How far it is.
    pub state: CaseState,
    /// The worst rule that its standing reports name; of a case by hand, what it was opened for; of an appeal, the rule
    /// of the sanction.
    pub reason: Reason,
    /// Its place in the queue.
    pub priority: Priority,
    /// How many of its reports stand.
    pub reports: u32,
    /// Who has it, if the claim has not run out as of the read.
    pub claim: Option<CaseClaim>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed last; `None` while it is not.
    pub closed_at: Option<Timestamp>,
    /// It was closed before.
    pub reopened: bool,
    /// Its evidence is held until then, whatever happens to the case.
    pub held_until: Option<Timestamp>,
    /// What an operator wrote when opening it by hand, or the words of the appeal. Erased with the evidence.
    pub text: String,
}
