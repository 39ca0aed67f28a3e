//! A case with what belongs to it, read at once.

use rusqlite::Connection;

use super::super::error::SqliteError;
use super::super::rows as log_rows;
use super::rows::{self, int, size};
use crate::domain::id::Timestamp;
use crate::domain::safety::{CaseId, Finding, OperatorId, SanctionTarget};
use crate::store::safety::{CaseFile, Decision, LISTED, Step, StepKind};

/// See [`crate::store::safety::Cases::case`].
pub(super) fn read(
    conn: &Connection,
    case: CaseId,
    now: Timestamp,
) -> Result<Option<CaseFile>, SqliteError> {
    let sql = format!("{} WHERE no = ?1", rows::CASE);
    let mut read = conn.prepare_cached(&sql)?;
    let no = int(case.0);
    let Some(case) = rows::one(read.query([no])?, rows::case)? else {
        return Ok(None);
    };
    let sql = format!(
        "{} WHERE case_no = ?1 ORDER BY no DESC LIMIT ?2",
        rows::REPORT
    );
    let mut read = conn.prepare_cached(&sql)?;
    let reports = rows::readable(read.query((no, size(LISTED)))?, rows::report)?;
    let mut read =
        conn.prepare_cached("SELECT room FROM evidence WHERE case_no = ?1 ORDER BY no")?;
    let rooms = rows::readable(read.query([no])?, |row| Ok(log_rows::room_id(row.get(0)?)))?;
    let subject = SanctionTarget::Session(case.subject);
    Ok(Some(CaseFile {
        reports,
        rooms,
        decisions: decisions(conn, no)?,
        steps: steps(conn, no)?,
        sanctions: super::sanction::sanctions_on(conn, subject)?,
        case: rows::shown(case, now),
    }))
}

fn decisions(conn: &Connection, case: i64) -> Result<Vec<Decision>, SqliteError> {
    let mut read = conn.prepare_cached(
        "SELECT at, by, finding, rule, note, text FROM decisions WHERE case_no = ?1 AND finding <= 2 ORDER BY no DESC",
    )?;
    rows::readable(read.query([case])?, |row| {
        Ok(Decision {
            at: Timestamp(row.get(0)?),
            by: rows::optional(row, 1, |no: i64| OperatorId(no.cast_unsigned()))?,
            finding: match row.get(2)? {
                1_i64 => Finding::Violation,
                _ => Finding::NoViolation,
            },
            rule: rows::reason(row.get(3)?)?,
            note: row.get(4)?,
            text: row.get(5)?,
        })
    })
}

fn steps(conn: &Connection, case: i64) -> Result<Vec<Step>, SqliteError> {
    let mut read = conn.prepare_cached(
        "SELECT at, by, finding, note, text FROM decisions WHERE case_no = ?1 AND finding > 2 \
         ORDER BY no DESC LIMIT ?2",
    )?;
    rows::collect(read.query((case, size(LISTED)))?, |row| {
        let kind = StepKind::from_code(row.get(2)?);
        Ok(Step {
            at: Timestamp(row.get(0)?),
            by: rows::optional(row, 1, |no: i64| OperatorId(no.cast_unsigned()))?,
            kind: kind.ok_or(SqliteError::Damaged("a step of no known kind"))?,
            note: row.get(3)?,
            text: row.get(4)?,
        })
    })
}
