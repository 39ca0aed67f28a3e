//! What else is done to cases: skipped, escalated, reopened, held, opened by hand; and bad faith.

use std::time::Duration;

use super::super::error::SqliteError;
use super::super::writer::Writer;
use super::act::{Stop, Who};
use super::automatic::LiftedBy;
use super::rows::{self, int};
use super::sanction::NewSanction;
use crate::domain::id::SessionId;
use crate::domain::safety::audit::reports_of;
use crate::domain::safety::report::Chosen;
use crate::domain::safety::{
    Actor, AuditAct, AuditDraft, CaseId, CaseKind, Hold, Reason, Role, SanctionKind, SanctionTarget,
};
use crate::store::safety::Act;
use crate::store::safety::{About, ActRefusal, HandDraft, Invalidated, StepKind};

/// The undecided reports of reporter ?1 that operator ?2 may set aside: not in cases that they have a part in, and, unless
/// ?3, in none that was left to the administrators.
const SET_ASIDE: &str = "reporter = ?1 AND withdrawn IS NULL AND verdict IS NULL AND EXISTS (SELECT 1 FROM cases c \
     WHERE c.no = case_no AND c.closed_at IS NULL AND (?3 OR c.state <> 2) AND NOT EXISTS (SELECT 1 FROM operator_visitors v \
     WHERE v.operator = ?2 AND (v.visitor = c.subject \
     OR EXISTS (SELECT 1 FROM reports o WHERE o.case_no = c.no AND o.reporter = v.visitor))))";

impl Writer {
    pub(super) fn skip(
        &mut self,
        case: CaseId,
        by: Actor,
        note: &str,
        seen: Option<usize>,
    ) -> Result<(), Stop> {
        let permitted = self.permitted(case, by, Act::Skip)?;
        self.all_seen(case, seen)?;
        let by = permitted.doer.operator;
        self.write_step(case, by, StepKind::Skipped, note, "")?;
        self.close_case(&permitted.case, by, AuditAct::Skipped, "")?;
        Ok(self.lift_automatic(case, LiftedBy::Operator(by), "")?)
    }

    pub(super) fn escalate(&mut self, case: CaseId, by: Actor, note: &str) -> Result<(), Stop> {
        let permitted = self.permitted(case, by, Act::Escalate)?;
        let mut escalate = self.conn.prepare_cached(
            "UPDATE cases SET state = 2, claim_by = NULL, claim_until = NULL WHERE no = ?1",
        )?;
        escalate.execute([int(case.0)])?;
        let by = permitted.doer.operator;
        self.write_step(case, by, StepKind::Escalated, note, "")?;
        Ok(self.audit_act(by, AuditAct::Escalated, Some(case), None)?)
    }

    pub(super) fn reopen(&mut self, case: CaseId, by: Actor) -> Result<(), Stop> {
        let permitted = self.permitted(case, by, Act::Reopen)?;
        let mut reopen = self.conn.prepare_cached(
            "UPDATE cases SET state = ?2, closed_at = NULL, emptied = NULL, reopened = 1, claim_by = NULL, claim_until = NULL \
             WHERE no = ?1",
        )?;
        reopen.execute((int(case.0), permitted.before.reopened().code()))?;
        self.rank(case)?;
        let by = permitted.doer.operator;
        Ok(self.audit_act(by, AuditAct::Reopened, Some(case), None)?)
    }

    pub(super) fn hold(
        &mut self,
        case: CaseId,
        hold: Option<Hold>,
        by: Actor,
        note: &str,
    ) -> Result<(), Stop> {
        let act = if hold.is_some() {
            Act::Hold
        } else {
            Act::EndHold
        };
        let permitted = self.permitted(case, by, act)?;
        let held = permitted.case.held_until;
        let until = hold.map(|hold| self.now.plus(hold.length()).max(held.unwrap_or_default()));
        let mut put = self
            .conn
            .prepare_cached("UPDATE cases SET held_until = ?2 WHERE no = ?1")?;
        put.execute((int(case.0), until.map(|it| it.0)))?;
        self.renew_claim(&permitted.case, &permitted.doer)?;
        let by = permitted.doer.operator;
        self.write_step(case, by, StepKind::Held, note, "")?;
        self.audit(AuditDraft {
            by,
            act: AuditAct::Held,
            case: Some(case),
            sanction: None,
            took_ms: None,
            details: Hold::audited(hold).to_owned(),
        })?;
        Ok(())
    }

    /// See [`crate::store::safety::Cases::open_by_hand`].
    pub(super) fn open_by_hand(&mut self, draft: &HandDraft) -> Result<CaseId, Stop> {
        let who = self.who(draft.by)?;
        if who.role < Role::Administrator {
            return Err(ActRefusal::NotAllowed.into());
        }
        let (subject, room) = match draft.about {
            About::Session(session) => (session, None),
            About::Side(room, side) => {
                let cached = self.cached(room)?.ok_or(ActRefusal::Unknown)?;
                (cached.facts.sessions[side.index()], Some(room))
            }
        };
        if self.is_own(who, subject)? {
            return Err(ActRefusal::Conflict.into());
        }
        let case = match self.open_case(subject)? {
            Some(case) => self.take_over(case, draft)?,
            None => {
                let (reason, text) = (draft.reason, draft.note.as_str());
                self.open(CaseKind::ByHand, subject, reason, Some(reason), text)?
            }
        };
        if let Some(room) = room {
            self.freeze(case, room, &Chosen::All)?;
        }
        self.audit_act(who.operator, AuditAct::Opened, Some(case), None)?;
        Ok(case)
    }

    /// Makes a case that is open already one by hand as well.
    fn take_over(&self, case: CaseId, draft: &HandDraft) -> Result<CaseId, SqliteError> {
        let mut read = self
            .conn
            .prepare_cached("SELECT own_reason FROM cases WHERE no = ?1")?;
        let own: Option<i64> = read.query_row([int(case.0)], |row| row.get(0))?;
        let own = own.map(rows::reason).transpose()?;
        let reason = own.map_or(draft.reason, |own| own.worse(draft.reason));
        let mut put = self.conn.prepare_cached(
            "UPDATE cases SET kind = 2, own_reason = ?2, \
             text = CASE WHEN text = '' OR ?3 = '' THEN text || ?3 ELSE text || char(10, 10) || ?3 END WHERE no = ?1",
        )?;
        put.execute((int(case.0), Reason::code(reason), &draft.note))?;
        self.rank(case)?;
        Ok(case)
    }

    /// See [`crate::store::safety::Cases::invalidate`].
    pub(super) fn invalidate(
        &mut self,
        reporter: SessionId,
        mute: Option<Duration>,
        case: Option<CaseId>,
        by: Actor,
    ) -> Result<Invalidated, Stop> {
        let who = self.who(by)?;
        if self.is_own(who, reporter)? {
            return Err(ActRefusal::Conflict.into());
        }
        let by = who.operator.map(|it| int(it.0));
        let mut begin = self
            .conn
            .prepare_cached("INSERT INTO invalidations (by) VALUES (?1)")?;
        begin.execute([by])?;
        let act = self.conn.last_insert_rowid();
        let (reports, closed) = self.set_aside(reporter, who, act)?;
        self.audit(AuditDraft {
            by: who.operator,
            act: AuditAct::Invalidated,
            case,
            sanction: None,
            took_ms: None,
            details: reports_of(reports),
        })?;
        let mute = match mute {
            Some(length) => Some(self.mute_reporter(reporter, length, who.operator)?),
            None => None,
        };
        let mut put = self
            .conn
            .prepare_cached("UPDATE invalidations SET mute = ?2 WHERE no = ?1")?;
        put.execute((act, mute.as_ref().map(|it| int(it.id.0))))?;
        Ok(Invalidated {
            reports,
            closed,
            mute,
        })
    }

    /// Makes the undecided reports of this session invalid, where this one may; how many, and how many cases that closed.
    fn set_aside(
        &self,
        reporter: SessionId,
        who: Who,
        act: i64,
    ) -> Result<(u64, u64), SqliteError> {
        let all = who.role == Role::Administrator;
        let operator = who.operator.map(|it| int(it.0));
        let sql = format!("SELECT DISTINCT case_no FROM reports WHERE {SET_ASIDE}");
        let mut read = self.conn.prepare_cached(&sql)?;
        let cases = rows::collect(read.query((reporter.0, operator, all))?, |row| {
            Ok(CaseId(rows::counted(row, 0)?))
        })?;
        let sql = format!(
            "UPDATE reports SET verdict = 3, decided_at = ?4, invalidation = ?5 WHERE {SET_ASIDE}"
        );
        let mut void = self.conn.prepare_cached(&sql)?;
        let reports = void.execute((reporter.0, operator, all, self.now.0, act))? as u64;
        let mut closed = 0;
        for case in cases {
            if self.rank_or_close(case)? {
                let mut put = self
                    .conn
                    .prepare_cached("UPDATE cases SET emptied = ?2 WHERE no = ?1")?;
                put.execute((int(case.0), act))?;
                closed += 1;
            }
            self.lift_ungrounded(case)?;
        }
        Ok((reports, closed))
    }

    fn mute_reporter(
        &self,
        reporter: SessionId,
        length: Duration,
        by: Option<crate::domain::safety::OperatorId>,
    ) -> Result<crate::domain::safety::Sanction, SqliteError> {
        let sanction = self.insert_sanction(&NewSanction {
            target: SanctionTarget::Session(reporter),
            kind: SanctionKind::ReporterMute,
            rule: Reason::Other,
            until: Some(self.now.plus(length)),
            lifts: None,
            automatic: false,
            by,
            case: None,
        })?;
        self.audit_act(by, AuditAct::Imposed, None, Some(sanction.id))?;
        Ok(sanction)
    }
}
