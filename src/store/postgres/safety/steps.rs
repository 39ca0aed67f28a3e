//! What is done in a case besides deciding it: kept beside the decisions, under numbers that are no finding.

use tokio_postgres::Row;

use super::super::error::BackendError;
use super::super::rows::{get, size};
use super::super::shared::Shared;
use super::Params;
use super::columns::{self, int};
use super::line::Line;
use crate::domain::id::Timestamp;
use crate::domain::safety::{CaseId, OperatorId, Role};
use crate::store::safety::acts::Before;
use crate::store::safety::{LISTED, Step, StepKind};

/// Writes a step of a case down, unless the case is erased.
pub(super) async fn write(
    line: &Line,
    case: CaseId,
    by: Option<OperatorId>,
    kind: StepKind,
    (note, text): (&str, &str),
) -> Result<(), BackendError> {
    let sql = "INSERT INTO decisions (case_id, at, by, finding, rule, note, text) \
         SELECT id, $2, $3, $4, reason, $5, $6 FROM cases WHERE id = $1";
    let params: Params<'_> = &[
        &int(case.0),
        &line.now.0,
        &by.map(|it| int(it.0)),
        &i16::from(kind.code()),
        &note.as_bytes(),
        &text.as_bytes(),
    ];
    line.change(sql, params).await?;
    Ok(())
}

/// What administrators had to do with a case before.
pub(super) async fn before(line: &Line, case: CaseId) -> Result<Before, BackendError> {
    let sql = "SELECT EXISTS (SELECT FROM decisions WHERE case_id = $1 AND finding = $2) AS escalated, \
         EXISTS (SELECT FROM decisions d WHERE d.case_id = $1 AND d.finding <= 2 AND (d.by IS NULL \
             OR EXISTS (SELECT FROM operators o WHERE o.id = d.by AND o.role = $3))) AS decided, \
         EXISTS (SELECT FROM decisions d WHERE d.case_id = $1 AND d.finding = $4 AND (d.by IS NULL \
             OR EXISTS (SELECT FROM operators o WHERE o.id = d.by AND o.role = $3))) AS held";
    let escalated = i16::from(StepKind::Escalated.code());
    let administrator = i16::from(Role::Administrator.code());
    let held = i16::from(StepKind::Held.code());
    let params: Params<'_> = &[&int(case.0), &escalated, &administrator, &held];
    let row = line.one(sql, params).await?;
    Ok(Before {
        escalated: get(&row, "escalated")?,
        decided: get(&row, "decided")?,
        held: get(&row, "held")?,
    })
}

/// The steps of a case, newest first.
pub(super) async fn read(shared: &Shared, case: CaseId) -> Result<Vec<Step>, BackendError> {
    let sql =
        "SELECT * FROM decisions WHERE case_id = $1 AND finding > 2 ORDER BY no DESC LIMIT $2";
    let params: Params<'_> = &[&int(case.0), &size(LISTED)];
    let found = shared.pool.query(sql, params).await?;
    found.iter().map(step).collect()
}

fn step(row: &Row) -> Result<Step, BackendError> {
    let kind = StepKind::from_code(get::<i16>(row, "finding")?.into());
    Ok(Step {
        at: Timestamp(get(row, "at")?),
        by: columns::some_number(row, "by")?.map(OperatorId),
        kind: kind.ok_or(BackendError::Damaged("a step of no known kind"))?,
        note: columns::text(row, "note")?,
        text: columns::text(row, "text")?,
    })
}
