//! Why an operator is not given what they asked for.

use crate::domain::id::Timestamp;
use crate::domain::safety::Case;
use crate::store::StoreError;
use crate::store::safety::ActRefusal;

use super::person::Names;

/// A refusal.
#[derive(Debug)]
pub enum Refused {
    /// The operator is there no more, or is disabled.
    NoOperator,
    /// There is no such case, sanction, report or room, or nothing of it any more.
    NotFound,
    /// The operator has a part in it.
    OwnCase,
    /// It takes an administrator.
    AboveYou,
    /// The sanction is the operator's own.
    AnotherMustDecide,
    /// Another operator has the case.
    Claimed {
        /// Who.
        by: String,
        /// Until when.
        until: Timestamp,
    },
    /// The case is closed.
    Closed,
    /// It is not in the state for this.
    NotOpen,
    /// Reports came into the case that were not seen.
    NewReports,
    /// What was set meanwhile was not seen.
    Changed,
    /// What was typed is no network that sanctions can be on.
    NoNetwork,
    /// What is asked for cannot be: what is wrong with it.
    Unfit(String),
    /// The store does not answer.
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Refused {
    /// Of a rule of the store; the case as it was read before says in which way it did not fit.
    pub fn of(why: ActRefusal, case: Option<&Case>, names: &Names) -> Self {
        match why {
            ActRefusal::NoOperator => Self::NoOperator,
            ActRefusal::Unknown => Self::NotFound,
            ActRefusal::NotAllowed => Self::AboveYou,
            ActRefusal::Conflict => Self::OwnCase,
            ActRefusal::OwnDecision => Self::AnotherMustDecide,
            ActRefusal::Unfit if case.is_some_and(|it| it.state.closed()) => Self::Closed,
            ActRefusal::Unfit => Self::NotOpen,
            ActRefusal::Taken(claim) => Self::Claimed {
                by: names.name(Some(claim.by)).unwrap_or_default(),
                until: claim.until,
            },
            ActRefusal::NewReports => Self::NewReports,
            ActRefusal::Changed => Self::Changed,
        }
    }
}
