//! Where a case stands: it is opened, ranked by the reports that stand in it, and closed when none does.

use rusqlite::params;

use super::super::error::SqliteError;
use super::super::writer::Writer;
use super::rows::{self, int, size};
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::report::worst;
use crate::domain::safety::{CaseId, CaseKind, Priority, Reason, Standing, Weight, priority};

impl Writer {
    /// The case that reports on this session join.
    pub(super) fn open_case(&self, subject: SessionId) -> Result<Option<CaseId>, SqliteError> {
        let mut read = self.conn.prepare_cached(
            "SELECT no FROM cases WHERE subject = ?1 AND closed_at IS NULL AND kind <> 3 ORDER BY no LIMIT 1",
        )?;
        rows::one(read.query([subject.0])?, |row| {
            Ok(CaseId(rows::counted(row, 0)?))
        })
    }

    /// Opens a case.
    pub(super) fn open(
        &self,
        kind: CaseKind,
        subject: SessionId,
        reason: Reason,
        own: Option<Reason>,
        text: &str,
    ) -> Result<CaseId, SqliteError> {
        let (code, sanction) = match kind {
            CaseKind::Reports => (1, None),
            CaseKind::ByHand => (2, None),
            CaseKind::Appeal(sanction) => (3, Some(int(sanction.0))),
        };
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO cases (kind, sanction, subject, own_reason, reason, priority, opened_at, text) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        insert.execute(params![
            code,
            sanction,
            subject.0,
            own.map(Reason::code),
            reason.code(),
            int(kind.base(own).0),
            self.now.0,
            text,
        ])?;
        Ok(CaseId(self.conn.last_insert_rowid().cast_unsigned()))
    }

    /// The reports that stand in a case.
    pub(super) fn standing(&self, case: CaseId) -> Result<Vec<Standing>, SqliteError> {
        let mut read = self.conn.prepare_cached(
            "SELECT reporter, networks, weight, reason, at, met, spent FROM reports \
             WHERE case_no = ?1 AND withdrawn IS NULL AND verdict IS NOT 3 ORDER BY no",
        )?;
        rows::readable(read.query([int(case.0)])?, |row| {
            Ok(Standing {
                reporter: SessionId(row.get(0)?),
                network: rows::networks(row, 1)?.map(|it| it.wide),
                weight: Weight(row.get(2)?),
                reason: rows::reason(row.get(3)?)?,
                at: Timestamp(row.get(4)?),
                met: row.get(5)?,
                spent: row.get(6)?,
            })
        })
    }

    /// Puts a case where its reports say, and answers those that stand.
    pub(super) fn rank(&self, case: CaseId) -> Result<Vec<Standing>, SqliteError> {
        let standing = self.standing(case)?;
        let mut read = self
            .conn
            .prepare_cached("SELECT kind, own_reason FROM cases WHERE no = ?1")?;
        let (kind, own): (i64, Option<i64>) =
            read.query_row([int(case.0)], |row| row.try_into())?;
        let own = own.map(rows::reason).transpose()?;
        let base = match kind {
            1 => Priority(0),
            _ => CaseKind::ByHand.base(own),
        };
        let reason = worst(&standing)
            .into_iter()
            .chain(own)
            .reduce(Reason::worse);
        let mut put = self.conn.prepare_cached(
            "UPDATE cases SET priority = ?2, reports = ?3, reason = coalesce(?4, reason) WHERE no = ?1",
        )?;
        put.execute((
            int(case.0),
            int(base.0.saturating_add(priority(&standing).0)),
            size(standing.len()),
            reason.map(Reason::code),
        ))?;
        Ok(standing)
    }

    /// Puts a case where its reports say; true when none stands, and it was closed as it is made of them alone.
    pub(super) fn rank_or_close(&self, case: CaseId) -> Result<bool, SqliteError> {
        if !self.rank(case)?.is_empty() {
            return Ok(false);
        }
        let mut close = self.conn.prepare_cached(
            "UPDATE cases SET state = 4, closed_at = ?2, claim_by = NULL, claim_until = NULL \
             WHERE no = ?1 AND kind = 1 AND closed_at IS NULL",
        )?;
        Ok(close.execute((int(case.0), self.now.0))? > 0)
    }
}
