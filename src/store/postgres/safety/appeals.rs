//! What operators decide about appeals.

use super::super::error::BackendError;
use super::super::shared::Shared;
use super::cases::{self, Acting};
use super::columns::int;
use super::decisions::Ruling;
use super::line::Line;
use super::notices::Tells;
use super::sanctions::{self, Imposed};
use crate::domain::safety::{
    AppealDecision, AppealOutcome, AuditAct, CaseId, CaseKind, CaseState, Finding, NoticeKind,
    Sanction, SanctionId, SanctionTarget,
};
use crate::store::safety::Act;
use crate::store::safety::{ActRefusal, Acted};

/// See [`crate::store::safety::Cases::decide_appeal`].
pub(super) async fn decide(
    shared: &Shared,
    decision: &AppealDecision,
) -> Result<Acted<Vec<Sanction>>, BackendError> {
    let mut line = Line::begin(shared).await?;
    let acting = match Acting::on(&line, decision.by, decision.case).await? {
        Ok(acting) => acting,
        Err(refusal) => return line.commit(Acted::Refused(refusal)).await,
    };
    let CaseKind::Appeal(id) = acting.case.kind else {
        // What is no appeal cannot be permitted either; which rule it breaks first is said there.
        let refusal = acting.permit(Act::DecideAppeal, line.now).err();
        let refusal = refusal.unwrap_or(ActRefusal::Unfit);
        return line.commit(Acted::Refused(refusal)).await;
    };
    let subject = SanctionTarget::Session(acting.case.subject);
    let allowed = match decision.outcome {
        AppealOutcome::Change(draft) => {
            draft.target == subject && draft.allowed(acting.doer.role, acting.case.reason)
        }
        AppealOutcome::Uphold | AppealOutcome::Overturn => true,
    };
    let permitted = match allowed {
        true => acting.permit(Act::DecideAppeal, line.now),
        false => Err(ActRefusal::NotAllowed),
    };
    if let Err(refusal) = permitted {
        return line.commit(Acted::Refused(refusal)).await;
    }
    let done = follow(&mut line, &acting, decision, id).await?;
    cases::set_state(&line, decision.case, CaseState::Decided).await?;
    line.commit(Acted::Done(done)).await
}

/// What follows from the decision about an appeal against this sanction.
async fn follow(
    line: &mut Line,
    acting: &Acting,
    decision: &AppealDecision,
    id: SanctionId,
) -> Result<Vec<Sanction>, BackendError> {
    let (by, rule) = (acting.doer.operator, acting.case.reason);
    // It may have ended so long ago that its row is gone.
    let appealed = sanctions::by_id(line, id.0).await?;
    let (act, finding) = match decision.outcome {
        AppealOutcome::Uphold => (AuditAct::AppealUpheld, Finding::Violation),
        AppealOutcome::Change(_) => (AuditAct::AppealChanged, Finding::Violation),
        AppealOutcome::Overturn => (AuditAct::AppealOverturned, Finding::NoViolation),
    };
    let ruling = Ruling {
        act,
        finding,
        rule,
        note: &decision.note,
        text: &decision.text,
        sanction: Some(id),
    };
    ruling.write(line, acting).await?;
    let changes = decision.outcome != AppealOutcome::Uphold;
    let mut done = Vec::new();
    if let Some(standing) = appealed.filter(|it| changes && it.lifted_by.is_none()) {
        done.push(sanctions::lift_said(line, &standing, by, false).await?);
    }
    tell(line, acting, decision, id).await?;
    match decision.outcome {
        AppealOutcome::Uphold => {}
        AppealOutcome::Change(draft) => {
            let why = Imposed {
                rule,
                text: &decision.text,
                automatic: false,
                by,
                case: Some(decision.case),
            };
            done.push(sanctions::impose_said(line, draft, &why).await?);
        }
        AppealOutcome::Overturn => {
            if let Some(case) = appealed.and_then(|it| it.case) {
                unsay(line, case).await?;
            }
        }
    }
    Ok(done)
}

/// Tells the person what became of their appeal.
async fn tell(
    line: &Line,
    acting: &Acting,
    decision: &AppealDecision,
    id: SanctionId,
) -> Result<(), BackendError> {
    let outcome = Tells {
        to: acting.case.subject,
        kind: NoticeKind::Outcome,
        rule: Some(acting.case.reason),
        text: &decision.text,
        until: None,
        automatic: false,
        acted: Some(decision.outcome != AppealOutcome::Uphold),
        sanction: Some(id),
    };
    outcome.insert(line).await
}

/// The reports of a case that a sanction rested on say nothing about those who made them any more.
async fn unsay(line: &Line, case: CaseId) -> Result<(), BackendError> {
    let sql =
        "UPDATE reports SET verdict = NULL, decided_at = NULL WHERE case_id = $1 AND verdict = 1";
    line.change(sql, &[&int(case.0)]).await?;
    Ok(())
}
