//! Decisions about appeals.

use super::super::error::SqliteError;
use super::super::writer::Writer;
use super::act::Stop;
use super::decide::Ruling;
use super::notice::NewNotice;
use super::rows::int;
use crate::domain::safety::{
    AppealDecision, AppealOutcome, AuditAct, CaseId, CaseKind, Finding, NoticeKind, Sanction,
    SanctionTarget,
};
use crate::store::safety::Act;
use crate::store::safety::ActRefusal;

impl Writer {
    /// See [`crate::store::safety::Cases::decide_appeal`].
    pub(super) fn decide_appeal(&mut self, draft: &AppealDecision) -> Result<Vec<Sanction>, Stop> {
        let who = self.who(draft.by)?;
        let case = self.case_row(draft.case)?.ok_or(ActRefusal::Unknown)?;
        if let AppealOutcome::Change(instead) = draft.outcome {
            let of_subject = instead.target == SanctionTarget::Session(case.subject);
            if !of_subject || !instead.allowed(who.role, case.reason) {
                return Err(ActRefusal::NotAllowed.into());
            }
        }
        let case = self
            .permitted(draft.case, draft.by, Act::DecideAppeal)?
            .case;
        let CaseKind::Appeal(id) = case.kind else {
            return Err(ActRefusal::Unfit.into());
        };
        // It may have ended so long ago that its row is gone.
        let sanction = self.sanction_row(id)?;
        let (act, finding) = meaning(draft.outcome);
        let ruling = Ruling {
            finding,
            rule: case.reason,
            note: &draft.note,
            text: &draft.text,
        };
        self.write_ruling(case.id, who.operator, &ruling)?;
        self.close_case(&case, who.operator, act, "")?;
        let mut rows = Vec::new();
        let acted = draft.outcome != AppealOutcome::Uphold;
        if let Some(sanction) = sanction.filter(|it| acted && it.lifted_by.is_none()) {
            rows.push(self.lift_row(&sanction, who.operator, false)?);
        }
        self.insert_notice(&NewNotice {
            to: case.subject,
            kind: NoticeKind::Outcome,
            rule: Some(case.reason),
            text: &draft.text,
            until: None,
            automatic: false,
            acted: Some(acted),
            sanction: Some(id),
        })?;
        if let AppealOutcome::Change(instead) = draft.outcome {
            let (rule, text, of) = (case.reason, &draft.text, Some(case.id));
            rows.push(self.impose_with_notice(&instead, rule, text, who.operator, of)?);
        }
        let rested = sanction.and_then(|it| it.case);
        if let Some(rested) = rested.filter(|_| draft.outcome == AppealOutcome::Overturn) {
            self.unjudge(rested)?;
        }
        Ok(rows)
    }

    /// What was found was wrong: the reports say nothing about those who made them.
    fn unjudge(&self, case: CaseId) -> Result<(), SqliteError> {
        let mut unjudge = self.conn.prepare_cached(
            "UPDATE reports SET verdict = NULL, decided_at = NULL WHERE case_no = ?1 AND verdict = 1",
        )?;
        unjudge.execute([int(case.0)])?;
        Ok(())
    }
}

/// What an outcome is in the log, and what it says of the rule.
fn meaning(outcome: AppealOutcome) -> (AuditAct, Finding) {
    match outcome {
        AppealOutcome::Uphold => (AuditAct::AppealUpheld, Finding::Violation),
        AppealOutcome::Change(_) => (AuditAct::AppealChanged, Finding::Violation),
        AppealOutcome::Overturn => (AuditAct::AppealOverturned, Finding::NoViolation),
    }
}
