//! The queue: what waits, and who has what.

use rusqlite::Connection;

use super::super::SqliteStore;
use super::super::error::SqliteError;
use super::super::writer::Writer;
use super::act::{Stop, acted};
use super::rows::{self, int, size};
use crate::domain::id::{RoomId, SessionId, Timestamp};
use crate::domain::safety::{
    Actor, AppealDecision, AuditAct, Case, CaseId, DecisionDraft, Evidence, Hold, OperatorId,
    ReportId, Sanction,
};
use crate::store::Pending;
use crate::store::safety::acts::Doer;
use crate::store::safety::{
    Act, ActRefusal, Acted, CaseFile, Cases, Claimed, HandDraft, Invalidated, LISTED, Revalidated,
};

/// Most cases about one session that are told at once.
const ABOUT: usize = 50;

impl Cases for SqliteStore {
    fn queue(&self) -> Pending<Vec<Case>> {
        self.look(|conn, now| {
            let rest = "WHERE closed_at IS NULL ORDER BY priority DESC, opened_at, no LIMIT ?1";
            list(conn, now, rest, (size(LISTED),))
        })
    }

    fn closed_cases(&self) -> Pending<Vec<Case>> {
        self.look(|conn, now| {
            let rest = "WHERE closed_at IS NOT NULL ORDER BY closed_at DESC, no DESC LIMIT ?1";
            list(conn, now, rest, (size(LISTED),))
        })
    }

    fn cases_about(&self, subject: SessionId) -> Pending<Vec<Case>> {
        self.look(move |conn, now| {
            let rest = "WHERE subject = ?1 ORDER BY no DESC LIMIT ?2";
            list(conn, now, rest, (subject.0, size(ABOUT)))
        })
    }

    fn claim_next(&self, by: OperatorId) -> Pending<Option<Case>> {
        self.change(0, move |writer| match writer.claim_next(by) {
            Ok(case) => Ok(case),
            Err(Stop::Refused(_)) => Ok(None),
            Err(Stop::Fault(fault)) => Err(fault),
        })
    }

    fn claim(&self, case: CaseId, by: OperatorId) -> Pending<Claimed> {
        self.change(0, move |writer| {
            Ok(match acted(writer.claim(case, by))? {
                Acted::Done(case) => Claimed::Done(Box::new(case)),
                Acted::Refused(why) => Claimed::Refused(why),
            })
        })
    }

    fn release(&self, case: CaseId, by: OperatorId) -> Pending<()> {
        self.change(0, move |writer| writer.release(case, by))
    }

    fn case(&self, case: CaseId) -> Pending<Option<CaseFile>> {
        self.look(move |conn, now| super::case_file::read(conn, case, now))
    }

    // Asked where the acts themselves are, so that both look up the same. It takes a moment and writes nothing.
    fn permitted_acts(&self, case: CaseId, by: Actor) -> Pending<Acted<Vec<Act>>> {
        self.change(0, move |writer| acted(writer.permitted_acts(case, by)))
    }

    fn evidence(&self, case: CaseId, room: RoomId) -> Pending<Option<Evidence>> {
        self.look(move |conn, _| super::evidence::read(conn, case, room))
    }

    fn decide(&self, decision: DecisionDraft) -> Pending<Acted<Vec<Sanction>>> {
        let texts = decision.note.len() + decision.text.len() + decision.reporter_text.len();
        self.change(texts, move |writer| acted(writer.decide(&decision)))
    }

    fn decide_appeal(&self, decision: AppealDecision) -> Pending<Acted<Vec<Sanction>>> {
        let texts = decision.note.len() + decision.text.len();
        self.change(texts, move |writer| acted(writer.decide_appeal(&decision)))
    }

    fn skip(
        &self,
        case: CaseId,
        by: Actor,
        note: String,
        seen: Option<usize>,
    ) -> Pending<Acted<()>> {
        self.change(note.len(), move |writer| {
            acted(writer.skip(case, by, &note, seen))
        })
    }

    fn escalate(&self, case: CaseId, by: Actor, note: String) -> Pending<Acted<()>> {
        self.change(note.len(), move |writer| {
            acted(writer.escalate(case, by, &note))
        })
    }

    fn reopen(&self, case: CaseId, by: Actor) -> Pending<Acted<()>> {
        self.change(0, move |writer| acted(writer.reopen(case, by)))
    }

    fn open_by_hand(&self, case: HandDraft) -> Pending<Acted<CaseId>> {
        self.change(case.note.len(), move |writer| {
            acted(writer.open_by_hand(&case))
        })
    }

    fn hold(
        &self,
        case: CaseId,
        hold: Option<Hold>,
        by: Actor,
        note: String,
    ) -> Pending<Acted<()>> {
        self.change(note.len(), move |writer| {
            acted(writer.hold(case, hold, by, &note))
        })
    }

    fn invalidate(
        &self,
        reporter: SessionId,
        mute: Option<std::time::Duration>,
        case: Option<CaseId>,
        by: Actor,
    ) -> Pending<Acted<Invalidated>> {
        self.change(0, move |writer| {
            acted(writer.invalidate(reporter, mute, case, by))
        })
    }

    fn revalidate(
        &self,
        report: ReportId,
        case: Option<CaseId>,
        by: Actor,
    ) -> Pending<Acted<Revalidated>> {
        self.change(0, move |writer| acted(writer.revalidate(report, case, by)))
    }

    fn revalidatable(&self, case: CaseId, by: Actor) -> Pending<Vec<ReportId>> {
        self.look(move |conn, _| super::revalidate::revalidatable(conn, case, by))
    }
}

fn list(
    conn: &Connection,
    now: Timestamp,
    rest: &str,
    of: impl rusqlite::Params,
) -> Result<Vec<Case>, SqliteError> {
    let sql = format!("{} {rest}", rows::CASE);
    let mut read = conn.prepare_cached(&sql)?;
    rows::readable(read.query(of)?, |row| {
        Ok(rows::shown(rows::case(row)?, now))
    })
}

impl Writer {
    fn claim_next(&mut self, by: OperatorId) -> Result<Option<Case>, Stop> {
        let who = self.who(Actor::Operator(by))?;
        // Their own come first.
        let sql = format!(
            "{} WHERE closed_at IS NULL AND (claim_by IS NULL OR claim_until <= ?1 OR claim_by = ?2) \
             ORDER BY claim_by IS ?2 AND claim_until > ?1 DESC, priority DESC, opened_at, no",
            rows::CASE
        );
        let mut read = self.conn.prepare_cached(&sql)?;
        let mut found = read.query((self.now.0, int(by.0)))?;
        while let Some(row) = found.next()? {
            let Some(case) = rows::undamaged(rows::case(row))? else {
                continue;
            };
            let doer = self.doer(&case, who)?;
            let permitted = self.case_now(&case)?.permit(&doer, Act::Claim, self.now);
            if permitted.is_ok() {
                return Ok(Some(self.take(case, &doer)?));
            }
        }
        Ok(None)
    }

    fn permitted_acts(&mut self, case: CaseId, by: Actor) -> Result<Vec<Act>, Stop> {
        let who = self.who(by)?;
        let case = self.case_row(case)?.ok_or(ActRefusal::Unknown)?;
        let doer = self.doer(&case, who)?;
        Ok(self.case_now(&case)?.permitted(&doer, self.now)?)
    }

    fn claim(&mut self, case: CaseId, by: OperatorId) -> Result<Case, Stop> {
        let permitted = self.permitted(case, Actor::Operator(by), Act::Claim)?;
        Ok(self.take(permitted.case, &permitted.doer)?)
    }

    /// The case is theirs, or for longer; only what changes hands is written down.
    fn take(&self, case: Case, doer: &Doer) -> Result<Case, SqliteError> {
        let claim = doer.claim(self.now);
        self.put_claim(case.id, doer.operator, claim.map(|it| it.until))?;
        let held = case.claim.filter(|held| self.now < held.until);
        if held.map(|it| it.by) != doer.operator {
            self.audit_act(doer.operator, AuditAct::Claimed, Some(case.id), None)?;
        }
        Ok(Case { claim, ..case })
    }

    fn release(&mut self, case: CaseId, by: OperatorId) -> Result<(), SqliteError> {
        let mut release = self.conn.prepare_cached(
            "UPDATE cases SET claim_by = NULL, claim_until = NULL WHERE no = ?1 AND claim_by = ?2",
        )?;
        match release.execute((int(case.0), int(by.0)))? {
            0 => Ok(()),
            _ => self.audit_act(Some(by), AuditAct::Released, Some(case), None),
        }
    }
}
