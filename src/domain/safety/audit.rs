//! The audit log: every act of an operator and of the automatic step. Each row carries the hash of the one before, so
//! that none can be changed or taken out without its showing. Rows name no visitor.

use serde::{Deserialize, Serialize};

use super::id::{CaseId, OperatorId, SanctionId};
use crate::domain::id::Timestamp;

/// Longest details of a row, in Unicode scalar values; longer ones are cut.
pub const DETAIL_CHARS: usize = 2000;

/// How many reports an act was about, as its details.
pub fn reports_of(count: u64) -> String {
    match count {
        1 => "1 report".to_owned(),
        more => format!("{more} reports"),
    }
}

/// SHA-256 of a row with the hash before it; all zero before the first.
pub type RowHash = [u8; 32];

macro_rules! acts {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal $word:literal,)*) => {
        /// What was done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum AuditAct {
            $($(#[doc = $doc])* $name,)*
        }

        impl AuditAct {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As stores keep it. Numbers of data that is there never change.
            pub fn code(self) -> u8 {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// As it is printed and exported.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// By what stores keep.
            pub fn from_code(code: i64) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| i64::from(it.code()) == code)
            }
        }
    };
}

acts! {
    /// A case was decided: a rule was found broken.
    DecidedViolation = 1 "decided_violation",
    /// A case was decided: no rule was found broken.
    DecidedNoViolation = 2 "decided_no_violation",
    /// A case was closed without a decision.
    Skipped = 3 "skipped",
    /// A case was handed to the administrators.
    Escalated = 4 "escalated",
    /// A case was opened again.
    Reopened = 5 "reopened",
    /// A case was opened by hand.
    Opened = 6 "opened",
    /// A case's evidence was read.
    Read = 7 "read",
    /// A case was exported.
    Exported = 8 "exported",
    /// Evidence was held, or no longer.
    Held = 9 "held",
    /// A sanction was imposed.
    Imposed = 10 "imposed",
    /// A sanction was lifted.
    Lifted = 11 "lifted",
    /// The automatic step imposed a sanction.
    Automatic = 12 "automatic",
    /// Reports of one reporter were made invalid.
    Invalidated = 13 "invalidated",
    /// An appeal was decided: the sanction stays.
    AppealUpheld = 14 "appeal_upheld",
    /// An appeal was decided: the sanction was changed.
    AppealChanged = 15 "appeal_changed",
    /// An appeal was decided: the sanction was lifted.
    AppealOverturned = 16 "appeal_overturned",
    /// An operator was made.
    OperatorMade = 17 "operator_made",
    /// An operator's role, password, second factor or standing was changed.
    OperatorChanged = 18 "operator_changed",
    /// An operator logged in.
    LoggedIn = 19 "logged_in",
    /// Sessions of an operator were ended by themselves: a log-out, or one of another browser.
    SessionsEnded = 20 "sessions_ended",
    /// A link to set up the first operator was made.
    LinkMade = 21 "link_made",
    /// Something that has no record of its own here: lists of words, maintenance, a notice to all people.
    Other = 22 "other",
    /// A setting was put or taken back; the details name it.
    SettingChanged = 23 "setting_changed",
    /// Reports that were made invalid were made valid again.
    Revalidated = 24 "revalidated",
    /// A case was taken by an operator who did not have it.
    Claimed = 25 "claimed",
    /// A case was given back.
    Released = 26 "released",
}

/// A row that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditDraft {
    /// Whose act; `None`: the automatic step, or a command on the machine.
    pub by: Option<OperatorId>,
    /// What.
    pub act: AuditAct,
    /// About which case.
    pub case: Option<CaseId>,
    /// About which sanction.
    pub sanction: Option<SanctionId>,
    /// How long the case had waited, in milliseconds: where it is closed.
    pub took_ms: Option<i64>,
    /// More of it, in a few words; no name, session or text of a visitor.
    pub details: String,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// 1, 2, 3 … without a gap.
    pub no: u64,
    /// When.
    pub at: Timestamp,
    /// The operator's name as it was then.
    pub name: Option<String>,
    /// The rest of it.
    pub what: AuditDraft,
    /// The hash of the row before.
    pub before: RowHash,
    /// The hash of this row.
    pub hash: RowHash,
}

/// What happened in one month, for the public.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthFigures {
    /// The year, by UTC.
    pub year: i16,
    /// 1 to 12.
    pub month: i8,
    /// Reports that arrived, also those that were withdrawn.
    pub reports: u64,
    /// Cases decided, appeals not counted.
    pub decisions: u64,
    /// Of those, how many found a rule broken.
    pub violations: u64,
    /// The middle of the times from the opening of a case to its decision, in milliseconds; of an even number the lower one.
    pub median_ms: Option<u64>,
    /// Appeals decided.
    pub appeals: u64,
    /// Of those, how many lifted or changed the sanction.
    pub overturned: u64,
    /// Acts of the automatic step.
    pub automatic: u64,
}
