//! Decisions about reports: the verdict on each, what follows, and what everyone concerned is told, at once.

use super::super::error::SqliteError;
use super::super::writer::Writer;
use super::act::Stop;
use super::automatic::LiftedBy;
use super::notice::NewNotice;
use super::rows::{self, int};
use crate::domain::id::SessionId;
use crate::domain::safety::{
    AuditAct, AuditDraft, Case, CaseId, DecisionDraft, Finding, NoticeKind, OperatorId, Reason,
    Sanction, SanctionTarget,
};
use crate::store::safety::{Act, ActRefusal, StepKind};

/// What is written down of a decision.
pub(super) struct Ruling<'a> {
    pub(super) finding: Finding,
    pub(super) rule: Reason,
    pub(super) note: &'a str,
    pub(super) text: &'a str,
}

impl Writer {
    /// See [`crate::store::safety::Cases::decide`].
    pub(super) fn decide(&mut self, draft: &DecisionDraft) -> Result<Vec<Sanction>, Stop> {
        let who = self.who(draft.by)?;
        let case = self.case_row(draft.case)?.ok_or(ActRefusal::Unknown)?;
        let on_subject = draft.sanctions.iter().all(|sanction| {
            let subject = SanctionTarget::Session(case.subject);
            sanction.target == subject || !sanction.kind.is_told() || is_network(sanction.target)
        });
        if !draft.allowed(who.role) || !on_subject {
            return Err(ActRefusal::NotAllowed.into());
        }
        let case = self.permitted(draft.case, draft.by, Act::Decide)?.case;
        self.all_seen(case.id, draft.seen_reports)?;
        let violation = draft.finding == Finding::Violation;
        let reporters = self.judge(case.id, violation)?;
        self.write_ruling(
            case.id,
            who.operator,
            &Ruling {
                finding: draft.finding,
                rule: draft.rule,
                note: &draft.note,
                text: &draft.text,
            },
        )?;
        let act = match violation {
            true => AuditAct::DecidedViolation,
            false => AuditAct::DecidedNoViolation,
        };
        if !draft.reporter_text.is_empty() {
            let told = &draft.reporter_text;
            self.write_step(case.id, who.operator, StepKind::Told, "", told)?;
        }
        self.close_case(&case, who.operator, act, draft.rule.as_str())?;
        if !violation {
            self.lift_automatic(case.id, LiftedBy::Operator(who.operator), &draft.text)?;
        }
        let mut imposed = Vec::with_capacity(draft.sanctions.len());
        for sanction in &draft.sanctions {
            let (rule, text, of) = (draft.rule, &draft.text, Some(case.id));
            imposed.push(self.impose_with_notice(sanction, rule, text, who.operator, of)?);
        }
        for reporter in reporters {
            self.insert_notice(&NewNotice {
                to: reporter,
                kind: NoticeKind::Outcome,
                rule: None,
                text: &draft.reporter_text,
                until: None,
                automatic: false,
                acted: Some(violation),
                sanction: None,
            })?;
        }
        Ok(imposed)
    }

    /// Gives the reports that stand their verdict; answers who made them, each once.
    fn judge(&self, case: CaseId, violation: bool) -> Result<Vec<SessionId>, SqliteError> {
        let code = if violation { 1 } else { 2 };
        let mut judge = self.conn.prepare_cached(
            "UPDATE reports SET verdict = ?2, decided_at = ?3 \
             WHERE case_no = ?1 AND withdrawn IS NULL AND verdict IS NOT 3",
        )?;
        judge.execute((int(case.0), code, self.now.0))?;
        let mut read = self.conn.prepare_cached(
            "SELECT reporter FROM reports WHERE case_no = ?1 AND withdrawn IS NULL AND verdict IS NOT 3 \
             GROUP BY reporter ORDER BY min(no)",
        )?;
        rows::collect(read.query([int(case.0)])?, |row| Ok(SessionId(row.get(0)?)))
    }

    pub(super) fn write_ruling(
        &self,
        case: CaseId,
        by: Option<OperatorId>,
        ruling: &Ruling<'_>,
    ) -> Result<(), SqliteError> {
        let finding = match ruling.finding {
            Finding::Violation => 1,
            Finding::NoViolation => 2,
        };
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO decisions (case_no, at, by, finding, rule, note, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        insert.execute((
            int(case.0),
            self.now.0,
            by.map(|by| int(by.0)),
            finding,
            ruling.rule.code(),
            ruling.note,
            ruling.text,
        ))?;
        Ok(())
    }

    /// Writes down what else was done in a case, unless it is erased.
    pub(super) fn write_step(
        &self,
        case: CaseId,
        by: Option<OperatorId>,
        kind: StepKind,
        note: &str,
        text: &str,
    ) -> Result<(), SqliteError> {
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO decisions (case_no, at, by, finding, rule, note, text) \
             SELECT no, ?2, ?3, ?4, reason, ?5, ?6 FROM cases WHERE no = ?1",
        )?;
        let by = by.map(|by| int(by.0));
        insert.execute((int(case.0), self.now.0, by, kind.code(), note, text))?;
        Ok(())
    }

    /// Closes a case by this act, with its audit row.
    pub(super) fn close_case(
        &self,
        case: &Case,
        by: Option<OperatorId>,
        act: AuditAct,
        details: &str,
    ) -> Result<(), SqliteError> {
        let state = if act == AuditAct::Skipped { 4 } else { 3 };
        let mut close = self.conn.prepare_cached(
            "UPDATE cases SET state = ?2, closed_at = ?3, claim_by = NULL, claim_until = NULL WHERE no = ?1",
        )?;
        close.execute((int(case.id.0), state, self.now.0))?;
        self.audit(AuditDraft {
            by,
            act,
            case: Some(case.id),
            sanction: match case.kind {
                crate::domain::safety::CaseKind::Appeal(sanction) => Some(sanction),
                _ => None,
            },
            took_ms: Some(self.now.0.saturating_sub(case.opened_at.0)),
            details: details.to_owned(),
        })
    }
}

fn is_network(target: SanctionTarget) -> bool {
    matches!(target, SanctionTarget::Network(_))
}
