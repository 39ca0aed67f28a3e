//! Reading the audit log, and rows for what has no call of its own.

use std::time::Duration;

use super::super::error::BackendError;
use super::super::rows::{get, size};
use super::super::shared::Shared;
use super::columns::{self, int, number};
use super::line::Line;
use crate::domain::id::Timestamp;
use crate::domain::safety::figures::{self, FigureSum};
use crate::domain::safety::{AuditAct, AuditDraft, AuditRow, MonthFigures, RowHash};
use crate::store::safety::LISTED;

/// Longer than any month.
const MONTH: Duration = Duration::from_secs(31 * 24 * 3600);

/// See [`crate::store::safety::Audit::record`].
pub(super) async fn record(shared: &Shared, row: AuditDraft) -> Result<(), BackendError> {
    let mut line = Line::begin(shared).await?;
    line.audit(row).await?;
    line.commit(()).await
}

/// See [`crate::store::safety::Audit::audit`].
pub(super) async fn after(shared: &Shared, after: u64) -> Result<Vec<AuditRow>, BackendError> {
    let sql = "SELECT * FROM audit WHERE no > $1 ORDER BY no LIMIT $2";
    let found = shared
        .pool
        .query(sql, &[&int(after), &size(LISTED)])
        .await?;
    found.iter().map(columns::audit_row).collect()
}

/// See [`crate::store::safety::Audit::newest_audit`].
pub(super) async fn newest(shared: &Shared) -> Result<Vec<AuditRow>, BackendError> {
    let sql = "SELECT * FROM audit ORDER BY no DESC LIMIT $1";
    let found = shared.pool.query(sql, &[&size(LISTED)]).await?;
    found.iter().map(columns::audit_row).collect()
}

/// See [`crate::store::safety::Audit::automatic_since`].
pub(super) async fn automatic_since(shared: &Shared, from: Timestamp) -> Result<u64, BackendError> {
    // The first condition is that of the index of figures.
    let sql = "SELECT count(*) AS count FROM audit WHERE act IN (1, 2, 12, 14, 15, 16) AND at >= $1 AND act = $2";
    let act = i16::from(AuditAct::Automatic.code());
    let found = shared.pool.query(sql, &[&from.0, &act]).await?;
    let row = found
        .first()
        .ok_or(BackendError::Damaged("a count without its row"))?;
    number(row, "count")
}

/// See [`crate::store::safety::Audit::audit_head`].
pub(super) async fn head(shared: &Shared) -> Result<(u64, RowHash), BackendError> {
    let found = shared
        .pool
        .query("SELECT no, hash FROM audit_head", &[])
        .await?;
    let row = found
        .first()
        .ok_or(BackendError::Damaged("an audit log without its head"))?;
    Ok((number(row, "no")?, columns::bytes(row, "hash")?))
}

/// See [`crate::store::safety::Audit::figures`].
pub(super) async fn figures(
    shared: &Shared,
    from: Timestamp,
) -> Result<Vec<MonthFigures>, BackendError> {
    // Whole months: what is older than the first is left out by the sum.
    let since = from.minus(MONTH).0;
    let from = figures::month(from);
    let sql = "SELECT month, reports FROM report_months WHERE month >= $1";
    let counted = shared.pool.query(sql, &[&from]).await?;
    let sql = "SELECT at, act, took_ms FROM audit WHERE act IN (1, 2, 12, 14, 15, 16) AND at >= $1 ORDER BY at";
    let said = shared.pool.query(sql, &[&since]).await?;
    let mut sum = FigureSum::default();
    for row in &counted {
        sum.reports(get(row, "month")?, number(row, "reports")?);
    }
    for row in &said {
        let at = Timestamp(get(row, "at")?);
        sum.act(at, columns::act(row)?, get(row, "took_ms")?);
    }
    Ok(sum.months(from))
}
