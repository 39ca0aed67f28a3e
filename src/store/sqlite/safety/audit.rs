//! The audit log: a chain that is lengthened in the transaction of the act.

use rusqlite::{Connection, Row, params};

use super::super::SqliteStore;
use super::super::error::SqliteError;
use super::super::writer::Writer;
use super::rows::{self, int};
use crate::domain::id::Timestamp;
use crate::domain::safety::audit::DETAIL_CHARS;
use crate::domain::safety::figures::{self, FigureSum};
use crate::domain::safety::{
    AuditAct, AuditDraft, AuditRow, CaseId, MonthFigures, OperatorId, RowHash, SanctionId, chain,
};
use crate::store::Pending;
use crate::store::safety::{Audit, LISTED};

const ROW: &str =
    "SELECT no, at, name, by, act, case_no, sanction, took_ms, details, before, hash FROM audit";

fn row(row: &Row<'_>) -> Result<AuditRow, SqliteError> {
    let act = AuditAct::from_code(row.get(4)?);
    Ok(AuditRow {
        no: rows::counted(row, 0)?,
        at: Timestamp(row.get(1)?),
        name: row.get(2)?,
        what: AuditDraft {
            by: rows::optional(row, 3, |no: i64| OperatorId(no.cast_unsigned()))?,
            act: act.ok_or(SqliteError::Damaged("an act of no known kind"))?,
            case: rows::optional(row, 5, |no: i64| CaseId(no.cast_unsigned()))?,
            sanction: rows::optional(row, 6, |no: i64| SanctionId(no.cast_unsigned()))?,
            took_ms: row.get(7)?,
            details: row.get(8)?,
        },
        before: row.get(9)?,
        hash: row.get(10)?,
    })
}

fn head(conn: &Connection) -> Result<(u64, RowHash), SqliteError> {
    let mut read = conn.prepare_cached("SELECT no, hash FROM audit_head")?;
    let head = rows::one(read.query([])?, |row| {
        Ok((rows::counted(row, 0)?, row.get(1)?))
    })?;
    head.ok_or(SqliteError::Damaged("an audit log without a head"))
}

fn read_figures(conn: &Connection, from: Timestamp) -> Result<Vec<MonthFigures>, SqliteError> {
    let first = figures::month(from);
    let mut sum = FigureSum::default();
    let mut counts =
        conn.prepare_cached("SELECT month, reports FROM report_months WHERE month >= ?1")?;
    let mut found = counts.query([first])?;
    while let Some(row) = found.next()? {
        sum.reports(row.get(0)?, rows::counted(row, 1)?);
    }
    let mut acts = conn.prepare_cached(
        "SELECT at, act, took_ms FROM audit WHERE at >= ?1 AND act IN (1, 2, 12, 14, 15, 16)",
    )?;
    // Whole months: what is older than the first is left out by the sum.
    let days = std::time::Duration::from_secs(31 * 24 * 3600);
    let mut found = acts.query([from.minus(days).0])?;
    while let Some(row) = found.next()? {
        if let Some(act) = AuditAct::from_code(row.get(1)?) {
            sum.act(Timestamp(row.get(0)?), act, row.get(2)?);
        }
    }
    Ok(sum.months(first))
}

impl Writer {
    /// Adds a row.
    pub(super) fn audit(&self, mut what: AuditDraft) -> Result<(), SqliteError> {
        let (no, before) = head(&self.conn)?;
        if let Some((end, _)) = what.details.char_indices().nth(DETAIL_CHARS) {
            what.details.truncate(end);
        }
        let name = match what.by {
            Some(by) => self.operator_name(by)?,
            None => None,
        };
        let mut new = AuditRow {
            no: no + 1,
            at: self.now,
            name,
            what,
            before,
            hash: before,
        };
        new.hash = chain::hash(&new);
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO audit (no, at, name, by, act, case_no, sanction, took_ms, details, before, hash) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?;
        insert.execute(params![
            int(new.no),
            new.at.0,
            new.name,
            new.what.by.map(|by| int(by.0)),
            new.what.act.code(),
            new.what.case.map(|case| int(case.0)),
            new.what.sanction.map(|sanction| int(sanction.0)),
            new.what.took_ms,
            new.what.details,
            new.before,
            new.hash,
        ])?;
        let mut put = self
            .conn
            .prepare_cached("UPDATE audit_head SET no = ?1, hash = ?2")?;
        put.execute((int(new.no), new.hash))?;
        // All that is decided has a row here.
        self.decided.set(true);
        Ok(())
    }

    /// Adds a row about an act that needs no more words.
    pub(super) fn audit_act(
        &self,
        by: Option<OperatorId>,
        act: AuditAct,
        case: Option<CaseId>,
        sanction: Option<SanctionId>,
    ) -> Result<(), SqliteError> {
        self.audit(AuditDraft {
            by,
            act,
            case,
            sanction,
            took_ms: None,
            details: String::new(),
        })
    }

    fn operator_name(&self, id: OperatorId) -> Result<Option<String>, SqliteError> {
        let mut read = self
            .conn
            .prepare_cached("SELECT name FROM operators WHERE no = ?1")?;
        rows::one(read.query([int(id.0)])?, |row| Ok(row.get(0)?))
    }
}

impl Audit for SqliteStore {
    fn record(&self, row: AuditDraft) -> Pending<()> {
        self.change(row.details.len(), move |writer| writer.audit(row))
    }

    fn audit(&self, after: u64) -> Pending<Vec<AuditRow>> {
        self.look(move |conn, _| {
            let sql = format!("{ROW} WHERE no > ?1 ORDER BY no LIMIT ?2");
            let mut read = conn.prepare_cached(&sql)?;
            rows::collect(read.query((int(after), rows::size(LISTED)))?, row)
        })
    }

    fn newest_audit(&self) -> Pending<Vec<AuditRow>> {
        self.look(move |conn, _| {
            let sql = format!("{ROW} ORDER BY no DESC LIMIT ?1");
            let mut read = conn.prepare_cached(&sql)?;
            rows::collect(read.query([rows::size(LISTED)])?, row)
        })
    }

    fn automatic_since(&self, from: Timestamp) -> Pending<u64> {
        self.look(move |conn, _| {
            // The first condition is that of the index of figures.
            let mut count = conn.prepare_cached(
                "SELECT count(*) FROM audit WHERE act IN (1, 2, 12, 14, 15, 16) AND at >= ?1 AND act = ?2",
            )?;
            let of = (from.0, AuditAct::Automatic.code());
            let count: i64 = count.query_row(of, |row| row.get(0))?;
            Ok(count.cast_unsigned())
        })
    }

    fn audit_head(&self) -> Pending<(u64, RowHash)> {
        self.look(|conn, _| head(conn))
    }

    fn figures(&self, from: Timestamp) -> Pending<Vec<MonthFigures>> {
        self.look(move |conn, _| read_figures(conn, from))
    }
}
