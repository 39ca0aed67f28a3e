//! Bad faith taken back: what one act made invalid stands again.

use super::super::error::SqliteError;
use super::super::writer::Writer;
use super::act::Stop;
use super::rows::{self, int};
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::audit::reports_of;
use crate::domain::safety::{
    Actor, AuditAct, AuditDraft, CaseId, OperatorId, ReportId, Role, Sanction, SanctionKind,
};
use crate::store::safety::{ActRefusal, Revalidated};

/// The reports of reporter ?1 that the act of moment ?2 made invalid, in cases that are open or that it closed itself.
const OF_ONE_ACT: &str = "r.reporter = ?1 AND r.verdict = 3 AND r.decided_at = ?2 AND r.withdrawn IS NULL \
     AND r.case_no = c.no AND (c.closed_at IS NULL OR c.state = 4 AND c.closed_at = ?2)";

impl Writer {
    /// See [`crate::store::safety::Cases::revalidate`].
    pub(super) fn revalidate(
        &mut self,
        report: ReportId,
        case: Option<CaseId>,
        by: Actor,
    ) -> Result<Revalidated, Stop> {
        let who = self.who(by)?;
        let (own, reporter, at) = self.made_invalid(report)?;
        if self.is_own(who, reporter)? {
            return Err(ActRefusal::Conflict.into());
        }
        if who.role < Role::Administrator && self.was_above(at)? {
            return Err(ActRefusal::NotAllowed.into());
        }
        let sql = format!(
            "SELECT DISTINCT c.no, c.closed_at IS NOT NULL FROM reports r, cases c WHERE {OF_ONE_ACT} ORDER BY c.no"
        );
        let mut read = self.conn.prepare_cached(&sql)?;
        let cases = rows::collect(read.query((reporter.0, at.0))?, |row| {
            Ok((CaseId(rows::counted(row, 0)?), row.get(1)?))
        })?;
        drop(read);
        if !cases.iter().any(|(it, _)| *it == own) {
            return Err(ActRefusal::Unfit.into());
        }
        let sql = format!(
            "UPDATE reports AS r SET verdict = NULL, decided_at = NULL WHERE EXISTS (SELECT 1 FROM cases c WHERE {OF_ONE_ACT})"
        );
        let mut restore = self.conn.prepare_cached(&sql)?;
        let reports = restore.execute((reporter.0, at.0))? as u64;
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
        let lifted = self.lift_mute_of(reporter, at, who.operator)?;
        Ok(Revalidated {
            reports,
            opened,
            lifted,
        })
    }

    /// The case of an invalid report, who made it, and when it became so.
    fn made_invalid(&self, report: ReportId) -> Result<(CaseId, SessionId, Timestamp), Stop> {
        let mut read = self.conn.prepare_cached(
            "SELECT case_no, reporter, verdict, decided_at FROM reports WHERE id = ?1",
        )?;
        let found = rows::one(read.query([report.0.into_bytes()])?, |row| {
            let (verdict, at): (Option<i64>, Option<i64>) = (row.get(2)?, row.get(3)?);
            let invalid = at.filter(|_| verdict == Some(3));
            Ok((
                CaseId(rows::counted(row, 0)?),
                SessionId(row.get(1)?),
                invalid,
            ))
        })?;
        let (case, reporter, at) = found.ok_or(ActRefusal::Unknown)?;
        Ok((case, reporter, Timestamp(at.ok_or(ActRefusal::Unfit)?)))
    }

    /// Whether an administrator or a command made reports invalid at that moment.
    fn was_above(&self, at: Timestamp) -> Result<bool, SqliteError> {
        let mut read = self.conn.prepare_cached(
            "SELECT 1 FROM audit a WHERE a.act = ?1 AND a.at = ?2 AND (a.by IS NULL \
             OR EXISTS (SELECT 1 FROM operators o WHERE o.no = a.by AND o.role = ?3))",
        )?;
        let of = (
            AuditAct::Invalidated.code(),
            at.0,
            Role::Administrator.code(),
        );
        Ok(read.exists(of)?)
    }

    /// Opens a case again that was closed because no report stood in it.
    fn open_again(&self, case: CaseId) -> Result<(), SqliteError> {
        let Some(row) = self.case_row(case)? else {
            return Ok(());
        };
        let state = self.case_now(&row)?.before.reopened();
        let mut open = self
            .conn
            .prepare_cached("UPDATE cases SET state = ?2, closed_at = NULL WHERE no = ?1")?;
        open.execute((int(case.0), state.code()))?;
        Ok(())
    }

    /// Lifts the mute that the act of that moment gave to the reporter, unless that is lifted already.
    fn lift_mute_of(
        &self,
        reporter: SessionId,
        at: Timestamp,
        by: Option<OperatorId>,
    ) -> Result<Option<Sanction>, SqliteError> {
        let sql = format!(
            "{} WHERE s.session = ?1 AND s.kind = ?2 AND s.at = ?3 AND s.lifts IS NULL \
             AND NOT EXISTS (SELECT 1 FROM sanctions l WHERE l.lifts = s.no)",
            rows::SANCTION
        );
        let mut read = self.conn.prepare_cached(&sql)?;
        let of = (reporter.0, SanctionKind::ReporterMute.code(), at.0);
        let mute = rows::one(read.query(of)?, rows::sanction)?;
        drop(read);
        mute.map(|mute| self.lift_row(&mute, by, false)).transpose()
    }
}
