//! Bad faith taken back: what one act made invalid stands again.

use rusqlite::Connection;

use super::super::error::SqliteError;
use super::super::writer::Writer;
use super::act::Stop;
use super::rows::{self, int};
use crate::domain::id::SessionId;
use crate::domain::safety::audit::reports_of;
use crate::domain::safety::{
    Actor, AuditAct, AuditDraft, CaseId, OperatorId, ReportId, Role, Sanction,
};
use crate::store::safety::{ActRefusal, LISTED, Revalidated};

/// The reports that act ?1 made invalid, in cases that are open or that it closed itself.
const OF_ONE_ACT: &str = "r.invalidation = ?1 AND r.verdict = 3 AND r.withdrawn IS NULL \
     AND r.case_no = c.no AND (c.closed_at IS NULL OR c.emptied = ?1)";

/// See [`crate::store::safety::Cases::revalidatable`].
pub(super) fn revalidatable(
    conn: &Connection,
    case: CaseId,
    by: Actor,
) -> Result<Vec<ReportId>, SqliteError> {
    let mut read = conn.prepare_cached(
        "SELECT r.id FROM reports r JOIN cases c ON c.no = r.case_no JOIN invalidations i ON i.no = r.invalidation \
         WHERE r.case_no = ?1 AND r.verdict = 3 AND r.withdrawn IS NULL AND (c.closed_at IS NULL OR c.emptied = i.no) \
         AND NOT EXISTS (SELECT 1 FROM operator_visitors v WHERE v.operator = ?2 AND v.visitor = r.reporter) \
         AND (?2 IS NULL OR EXISTS (SELECT 1 FROM operators o WHERE o.no = ?2 AND o.disabled IS NULL AND (o.role = ?3 \
         OR EXISTS (SELECT 1 FROM operators b WHERE b.no = i.by AND b.role <> ?3)))) \
         ORDER BY r.no DESC LIMIT ?4",
    )?;
    let operator = match by {
        Actor::Local => None,
        Actor::Operator(id) => Some(int(id.0)),
    };
    let of = (
        int(case.0),
        operator,
        Role::Administrator.code(),
        rows::size(LISTED),
    );
    rows::collect(read.query(of)?, |row| Ok(ReportId(rows::uuid(row, 0)?)))
}

impl Writer {
    /// See [`crate::store::safety::Cases::revalidate`].
    pub(super) fn revalidate(
        &mut self,
        report: ReportId,
        case: Option<CaseId>,
        by: Actor,
    ) -> Result<Revalidated, Stop> {
        let who = self.who(by)?;
        let (own, reporter, act) = self.made_invalid(report)?;
        if self.is_own(who, reporter)? {
            return Err(ActRefusal::Conflict.into());
        }
        if who.role < Role::Administrator && self.was_above(act)? {
            return Err(ActRefusal::NotAllowed.into());
        }
        let sql = format!(
            "SELECT DISTINCT c.no, c.closed_at IS NOT NULL FROM reports r, cases c WHERE {OF_ONE_ACT} ORDER BY c.no"
        );
        let mut read = self.conn.prepare_cached(&sql)?;
        let cases = rows::collect(read.query([act])?, |row| {
            Ok((CaseId(rows::counted(row, 0)?), row.get(1)?))
        })?;
        drop(read);
        if !cases.iter().any(|(it, _)| *it == own) {
            return Err(ActRefusal::Unfit.into());
        }
        let sql = format!(
            "UPDATE reports AS r SET verdict = NULL, decided_at = NULL, invalidation = NULL WHERE EXISTS (SELECT 1 FROM cases c WHERE {OF_ONE_ACT})"
        );
        let mut restore = self.conn.prepare_cached(&sql)?;
        let reports = restore.execute([act])? as u64;
        drop(restore);
        let mut opened = 0;
        for (case, closed) in cases {
            if closed {
                self.open_again(case)?;
                opened += 1;
            }
            self.rank(case)?;
        }
        self.audit(AuditDraft {
            by: who.operator,
            act: AuditAct::Revalidated,
            case,
            sanction: None,
            took_ms: None,
            details: reports_of(reports),
        })?;
        let lifted = self.lift_mute_of(act, who.operator)?;
        Ok(Revalidated {
            reports,
            opened,
            lifted,
        })
    }

    /// The case of an invalid report, who made it, and the act by which it became so.
    fn made_invalid(&self, report: ReportId) -> Result<(CaseId, SessionId, i64), Stop> {
        let mut read = self
            .conn
            .prepare_cached("SELECT case_no, reporter, invalidation FROM reports WHERE id = ?1")?;
        let found = rows::one(read.query([report.0.into_bytes()])?, |row| {
            let act: Option<i64> = row.get(2)?;
            Ok((CaseId(rows::counted(row, 0)?), SessionId(row.get(1)?), act))
        })?;
        let (case, reporter, act) = found.ok_or(ActRefusal::Unknown)?;
        Ok((case, reporter, act.ok_or(ActRefusal::Unfit)?))
    }

    /// Whether it was an act of an administrator or a command.
    fn was_above(&self, act: i64) -> Result<bool, SqliteError> {
        let mut read = self.conn.prepare_cached(
            "SELECT 1 FROM invalidations i WHERE i.no = ?1 \
             AND EXISTS (SELECT 1 FROM operators o WHERE o.no = i.by AND o.role <> ?2)",
        )?;
        Ok(!read.exists((act, Role::Administrator.code()))?)
    }

    /// Opens a case again that was closed because no report stood in it.
    fn open_again(&self, case: CaseId) -> Result<(), SqliteError> {
        let Some(row) = self.case_row(case)? else {
            return Ok(());
        };
        let state = self.case_now(&row)?.before.reopened();
        let mut open = self.conn.prepare_cached(
            "UPDATE cases SET state = ?2, closed_at = NULL, emptied = NULL WHERE no = ?1",
        )?;
        open.execute((int(case.0), state.code()))?;
        Ok(())
    }

    /// Lifts the mute that the act gave to the reporter, unless that is lifted already.
    fn lift_mute_of(
        &self,
        act: i64,
        by: Option<OperatorId>,
    ) -> Result<Option<Sanction>, SqliteError> {
        let sql = format!(
            "{} WHERE s.no = (SELECT mute FROM invalidations WHERE no = ?1) \
             AND NOT EXISTS (SELECT 1 FROM sanctions l WHERE l.lifts = s.no)",
            rows::SANCTION
        );
        let mut read = self.conn.prepare_cached(&sql)?;
        let mute = rows::one(read.query([act])?, rows::sanction)?;
        drop(read);
        mute.map(|mute| self.lift_row(&mute, by, false)).transpose()
    }
}
