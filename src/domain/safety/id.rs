//! Names of what the safety of people is about. What a visitor is told has a random name; what only operators
//! see is counted, so that it can be said aloud.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names a report to the one who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportId(pub Uuid);

/// Names a notice to the one it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NoticeId(pub Uuid);

/// A case's number: 1, 2, 3 …, in the order of opening. A number may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CaseId(pub u64);

/// A row of sanctions, in the order in which they were committed: what has a larger number came later.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct SanctionId(pub u64);

/// An operator's number; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OperatorId(pub u64);

macro_rules! random_id {
    ($name:ident) => {
        impl $name {
            /// A fresh random one.
            pub fn fresh() -> Self {
                Self(Uuid::new_v4())
            }

            /// Parses the hyphenated or simple text form of a UUID.
            pub fn parse(text: &str) -> Option<Self> {
                Uuid::try_parse(text).ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
random_id!(ReportId);
random_id!(NoticeId);

macro_rules! counted_id {
    ($($name:ident)*) => {
        $(impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        })*
    };
}
counted_id!(CaseId SanctionId OperatorId);
