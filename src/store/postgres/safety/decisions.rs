//! What operators decide about reports: each one transaction with all that follows from it. Appeals are in
//! `appeals`.

use super::super::error::BackendError;
use super::super::shared::Shared;
use super::Params;
use super::automatic::{self, LiftedBy};
use super::cases::{self, Acting};
use super::columns::{self, finding_code, int};
use super::line::Line;
use super::notices::Tells;
use super::sanctions::{self, Imposed};
use super::steps;
use crate::domain::id::SessionId;
use crate::domain::safety::{
    Actor, AuditAct, AuditDraft, CaseId, CaseState, DecisionDraft, Finding, Hold, NoticeKind,
    Reason, Sanction, SanctionDraft, SanctionId, SanctionTarget, Verdict,
};
use crate::store::safety::{Act, ActRefusal, Acted, StepKind};

/// Whether the reports of a case that stand were right; each of those who made them is told.
async fn judge(line: &Line, decision: &DecisionDraft) -> Result<(), BackendError> {
    let (case, acted) = (int(decision.case.0), decision.finding == Finding::Violation);
    let verdict = columns::verdict_code(match acted {
        true => Verdict::Upheld,
        false => Verdict::NotUpheld,
    });
    let sql = "UPDATE reports SET verdict = $2, decided_at = $3 \
         WHERE case_id = $1 AND withdrawn IS NULL AND verdict IS DISTINCT FROM 3 RETURNING reporter";
    let judged = line.query(sql, &[&case, &verdict, &line.now.0]).await?;
    let mut told: Vec<SessionId> = Vec::new();
    for row in &judged {
        told.push(columns::session(row, "reporter")?);
    }
    told.sort_unstable();
    told.dedup();
    for to in told {
        let outcome = Tells {
            to,
            kind: NoticeKind::Outcome,
            rule: None,
            text: &decision.reporter_text,
            until: None,
            automatic: false,
            acted: Some(acted),
            sanction: None,
        };
        outcome.insert(line).await?;
    }
    Ok(())
}

/// See [`crate::store::safety::Cases::decide`].
pub(super) async fn decide(
    shared: &Shared,
    decision: &DecisionDraft,
) -> Result<Acted<Vec<Sanction>>, BackendError> {
    let mut line = Line::begin(shared).await?;
    let acting = match Acting::on(&line, decision.by, decision.case).await? {
        Ok(acting) => acting,
        Err(refusal) => return line.commit(Acted::Refused(refusal)).await,
    };
    let subject = SanctionTarget::Session(acting.case.subject);
    // What is told makes a notice about this case, so it is for the one the case is about.
    let strays = |it: &SanctionDraft| {
        it.kind.is_told() && matches!(it.target, SanctionTarget::Session(_)) && it.target != subject
    };
    let allowed = decision.allowed(acting.doer.role) && !decision.sanctions.iter().any(strays);
    let permitted = match allowed {
        true => acting.permit(Act::Decide, line.now),
        false => Err(ActRefusal::NotAllowed),
    };
    let permitted = match permitted {
        Ok(()) => acting.all_seen(&line, decision.seen_reports).await?,
        refused => refused,
    };
    if let Err(refusal) = permitted {
        return line.commit(Acted::Refused(refusal)).await;
    }
    judge(&line, decision).await?;
    let ruling = Ruling {
        act: match decision.finding {
            Finding::Violation => AuditAct::DecidedViolation,
            Finding::NoViolation => AuditAct::DecidedNoViolation,
        },
        finding: decision.finding,
        rule: decision.rule,
        note: &decision.note,
        text: &decision.text,
        sanction: None,
    };
    ruling.write(&mut line, &acting).await?;
    if !decision.reporter_text.is_empty() {
        let (by, words) = (acting.doer.operator, ("", &*decision.reporter_text));
        steps::write(&line, decision.case, by, StepKind::Told, words).await?;
    }
    if decision.finding == Finding::NoViolation {
        let by = LiftedBy::Operator(acting.doer.operator);
        automatic::lift(&mut line, decision.case, by, &decision.text).await?;
    }
    let why = Imposed {
        rule: decision.rule,
        text: &decision.text,
        automatic: false,
        by: acting.doer.operator,
        case: Some(decision.case),
    };
    let mut imposed = Vec::with_capacity(decision.sanctions.len());
    for draft in &decision.sanctions {
        imposed.push(sanctions::impose_said(&mut line, *draft, &why).await?);
    }
    cases::set_state(&line, decision.case, CaseState::Decided).await?;
    line.commit(Acted::Done(imposed)).await
}

/// What is written down of a decision.
pub(super) struct Ruling<'a> {
    pub(super) act: AuditAct,
    pub(super) finding: Finding,
    pub(super) rule: Reason,
    pub(super) note: &'a str,
    pub(super) text: &'a str,
    /// Of an appeal.
    pub(super) sanction: Option<SanctionId>,
}

impl Ruling<'_> {
    /// Writes it down, with its audit row.
    pub(super) async fn write(&self, line: &mut Line, acting: &Acting) -> Result<(), BackendError> {
        let (case, by) = (acting.case.id, acting.doer.operator);
        let sql = "INSERT INTO decisions (case_id, at, by, finding, rule, note, text) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let params: Params<'_> = &[
            &int(case.0),
            &line.now.0,
            &by.map(|it| int(it.0)),
            &finding_code(self.finding),
            &i16::from(self.rule.code()),
            &self.note.as_bytes(),
            &self.text.as_bytes(),
        ];
        line.change(sql, params).await?;
        line.audit(AuditDraft {
            by,
            act: self.act,
            case: Some(case),
            sanction: self.sanction,
            took_ms: Some(acting.took(line.now)),
            details: self.rule.as_str().to_owned(),
        })
        .await
    }
}

/// An act that changes how far a case is and nothing else.
pub(super) async fn set(
    shared: &Shared,
    case: CaseId,
    by: Actor,
    set: Set,
    note: &str,
) -> Result<Acted<()>, BackendError> {
    let Set { act, seen } = set;
    let mut line = Line::begin(shared).await?;
    let acting = match Acting::on(&line, by, case).await? {
        Ok(acting) => acting,
        Err(refusal) => return line.commit(Acted::Refused(refusal)).await,
    };
    let permitted = match acting.permit(act, line.now) {
        Ok(()) => acting.all_seen(&line, seen).await?,
        refused => refused,
    };
    if let Err(refusal) = permitted {
        return line.commit(Acted::Refused(refusal)).await;
    }
    let (state, said) = match act {
        Act::Skip => (CaseState::Skipped, AuditAct::Skipped),
        Act::Escalate => (CaseState::Escalated, AuditAct::Escalated),
        _ => (acting.now.before.reopened(), AuditAct::Reopened),
    };
    cases::set_state(&line, case, state).await?;
    let step = match act {
        Act::Skip => Some(StepKind::Skipped),
        Act::Escalate => Some(StepKind::Escalated),
        _ => None,
    };
    if let Some(kind) = step {
        steps::write(&line, case, acting.doer.operator, kind, (note, "")).await?;
    }
    if act == Act::Reopen {
        let sql = "UPDATE cases SET reopened = true WHERE id = $1";
        line.change(sql, &[&int(case.0)]).await?;
    }
    line.audit(AuditDraft {
        by: acting.doer.operator,
        act: said,
        case: Some(case),
        sanction: None,
        took_ms: state.closed().then(|| acting.took(line.now)),
        details: String::new(),
    })
    .await?;
    if act == Act::Skip {
        let by = LiftedBy::Operator(acting.doer.operator);
        automatic::lift(&mut line, case, by, "").await?;
    }
    line.commit(Acted::Done(())).await
}

/// An act that leaves a case in another state.
pub(super) struct Set {
    /// Skip, escalate or reopen.
    pub(super) act: Act,
    /// As [`DecisionDraft::seen_reports`].
    pub(super) seen: Option<usize>,
}

impl Set {
    /// One that judges no report.
    pub(super) fn to(act: Act) -> Self {
        Self { act, seen: None }
    }
}

/// See [`crate::store::safety::Cases::hold`].
pub(super) async fn hold(
    shared: &Shared,
    case: CaseId,
    hold: Option<Hold>,
    by: Actor,
    note: &str,
) -> Result<Acted<()>, BackendError> {
    let mut line = Line::begin(shared).await?;
    let acting = match Acting::on(&line, by, case).await? {
        Ok(acting) => acting,
        Err(refusal) => return line.commit(Acted::Refused(refusal)).await,
    };
    let act = if hold.is_some() {
        Act::Hold
    } else {
        Act::EndHold
    };
    if let Err(refusal) = acting.permit(act, line.now) {
        return line.commit(Acted::Refused(refusal)).await;
    }
    let until = hold.map(|hold| line.now.plus(hold.length()).0);
    let sql = "UPDATE cases SET held_until = CASE WHEN $2::bigint IS NULL THEN NULL \
             ELSE greatest(held_until, $2) END WHERE id = $1";
    line.change(sql, &[&int(case.0), &until]).await?;
    acting.renew(&mut line).await?;
    let words = (note, "");
    steps::write(&line, case, acting.doer.operator, StepKind::Held, words).await?;
    line.audit(AuditDraft {
        by: acting.doer.operator,
        act: AuditAct::Held,
        case: Some(case),
        sanction: None,
        took_ms: None,
        details: Hold::audited(hold).to_owned(),
    })
    .await?;
    line.commit(Acted::Done(())).await
}
