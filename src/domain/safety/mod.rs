//! The safety of people: from a report to a decision, its notice and its appeal. Values and pure rules.
//!
//! Reading order: `id` · `reason` · `network` · `report` · `evidence` · `case` · `decision` · `sanction` · `notice` ·
//! `operator` · `audit`. What keeps them is [`crate::store::safety`].

pub mod audit;
pub mod case;
pub mod decision;
pub mod evidence;
pub mod id;
pub mod network;
pub mod notice;
pub mod operator;
pub mod reason;
pub mod report;
pub mod sanction;

pub use audit::{AuditAct, AuditDraft, AuditRow, MonthFigures, RowHash};
pub use case::{Case, CaseClaim, CaseKind, CaseState, Hold};
pub use decision::{AppealDecision, AppealOutcome, DecisionDraft, Finding, SanctionDraft};
pub use evidence::{EVIDENCE_ENTRIES, Evidence, frozen};
pub use id::{CaseId, NoticeId, OperatorId, ReportId, SanctionId};
pub use network::{NetworkHash, NetworkLength, Networks};
pub use notice::{AppealState, Notice, NoticeKind};
pub use operator::{
    Actor, LoginHash, Operator, OperatorDraft, OperatorName, OperatorSession, Role,
};
pub use reason::Reason;
pub use report::{
    Accuracy, Chosen, OwnReport, OwnReportState, Priority, Report, ReportDraft, Standing,
    TextClaim, Verdict, Weight, WeightFacts,
};
pub use sanction::{Sanction, SanctionKind, SanctionTarget};
