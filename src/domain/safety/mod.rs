//! The safety of people: from a report to a decision, its notice and its appeal. Values and pure rules.
//!
//! Reading order: `id` · `reason` · `network`, `network_key` · `report`, `counted`, `weight`, `automatic` · `evidence` · `case` ·
//! `decision` · `sanction` · `notice` · `setting` · `operator` · `audit`, `chain`, `figures`. What keeps them is [`crate::store::safety`].

pub mod audit;
pub mod automatic;
pub mod case;
pub mod chain;
mod counted;
pub mod decision;
pub mod evidence;
pub mod figures;
pub mod id;
pub mod network;
pub mod network_key;
pub mod notice;
pub mod operator;
pub mod reason;
pub mod report;
pub mod sanction;
pub mod setting;
pub mod weight;

pub use audit::{AuditAct, AuditDraft, AuditRow, MonthFigures, RowHash};
pub use automatic::{DoneBefore, automatic, grounded};
pub use case::{Case, CaseClaim, CaseKind, CaseState, Hold};
pub use decision::{AppealDecision, AppealOutcome, DecisionDraft, Finding, SanctionDraft};
pub use evidence::{EVIDENCE_ENTRIES, Evidence, frozen};
pub use id::{CaseId, NoticeId, OperatorId, ReportId, SanctionId};
pub use network::{NetworkHash, NetworkLength, Networks};
pub use network_key::NetworkKey;
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
pub use setting::{Setting, SettingName};
pub use weight::{priority, weight};
