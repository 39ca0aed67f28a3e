//! Time's work on what is kept for people's safety. It stands in the line like every change, in small steps, so
//! one node erases at a time and no case is judged while it is taken apart.

use std::time::Duration;

use super::super::error::BackendError;
use super::super::rows::size;
use super::super::shared::Shared;
use super::columns::{int, number};
use super::line::Line;

/// Operators' sessions that were not used for so long end.
const UNUSED: Duration = Duration::from_secs(24 * 3600);

/// See [`crate::store::safety::SafetyUpkeep::sweep_safety`].
pub(super) async fn sweep(shared: &Shared) -> Result<bool, BackendError> {
    // A step of the server's clock is left out first: what is kept for months does not go because of one.
    shared.true_now().await?;
    let line = Line::begin(shared).await?;
    let most = shared.tuning.erase_rooms.max(1);
    let bared = bare(&line, shared, most).await?;
    let ended = end_records(&line, shared, most).await?;
    let notices = end_notices(&line, shared).await?;
    let sql = "DELETE FROM operator_sessions WHERE used <= $1";
    line.change(sql, &[&line.now.minus(UNUSED).0]).await?;
    let sql = "DELETE FROM setup_link WHERE until <= $1";
    line.change(sql, &[&line.now.0]).await?;
    line.commit(bared || ended == most || notices).await
}

/// Takes the evidence from cases that were closed long enough ago; whether there are more.
async fn bare(line: &Line, shared: &Shared, most: usize) -> Result<bool, BackendError> {
    let before = line.now.minus(shared.rules.evidence_retention).0;
    let sql = "SELECT c.id FROM cases c WHERE c.closed_at <= $1 AND NOT c.bare \
             AND (c.held_until IS NULL OR c.held_until <= $2) \
             AND NOT EXISTS (SELECT FROM sanctions s JOIN cases a ON a.sanction = s.id \
                 WHERE s.case_id = c.id AND a.closed_at IS NULL) \
         ORDER BY c.closed_at LIMIT $3";
    let due = line
        .query(sql, &[&before, &line.now.0, &size(most)])
        .await?;
    let mut left = shared.tuning.erase_rows.max(1);
    for row in &due {
        let case = int(number(row, "id")?);
        let sql = "DELETE FROM evidence_entries WHERE (evidence, seq) IN ( \
             SELECT e.evidence, e.seq FROM evidence v JOIN evidence_entries e ON e.evidence = v.no \
             WHERE v.case_id = $1 LIMIT $2)";
        let erased = line.change(sql, &[&case, &size(left)]).await?;
        left = left.saturating_sub(usize::try_from(erased).unwrap_or(left));
        if left == 0 {
            return Ok(true);
        }
        for sql in [
            "DELETE FROM evidence WHERE case_id = $1",
            "UPDATE reports SET note = '', chosen = NULL, claims = '[]', networks = NULL WHERE case_id = $1",
            "UPDATE cases SET text = '', bare = true WHERE id = $1",
        ] {
            line.change(sql, &[&case]).await?;
        }
    }
    Ok(due.len() == most)
}

/// Erases cases that were closed long ago, unless a sanction of theirs is in force; how many.
async fn end_records(line: &Line, shared: &Shared, most: usize) -> Result<usize, BackendError> {
    let before = line.now.minus(shared.rules.record_retention).0;
    let sql = "SELECT c.id FROM cases c WHERE c.closed_at <= $1 AND c.bare \
             AND (c.held_until IS NULL OR c.held_until <= $2) \
             AND NOT EXISTS (SELECT FROM sanctions s WHERE s.case_id = c.id AND s.lifts IS NULL AND s.kind > 2 \
                 AND (s.until IS NULL OR s.until > $2) \
                 AND NOT EXISTS (SELECT FROM sanctions l WHERE l.lifts = s.id)) \
             AND NOT EXISTS (SELECT FROM sanctions s JOIN cases a ON a.sanction = s.id \
                 WHERE s.case_id = c.id AND a.closed_at IS NULL) \
         ORDER BY c.closed_at LIMIT $3";
    let due = line
        .query(sql, &[&before, &line.now.0, &size(most)])
        .await?;
    for row in &due {
        let case = number(row, "id")?;
        for sql in [
            "DELETE FROM reports WHERE case_id = $1",
            "DELETE FROM decisions WHERE case_id = $1",
            "DELETE FROM cases WHERE id = $1",
        ] {
            line.change(sql, &[&int(case)]).await?;
        }
    }
    Ok(due.len())
}

/// Erases sanctions that ended, and notices of nothing that holds, as long ago; whether there are more.
async fn end_notices(line: &Line, shared: &Shared) -> Result<bool, BackendError> {
    let before = line.now.minus(shared.rules.record_retention).0;
    let budget = size(shared.tuning.erase_rows.max(1));
    // One that was lifted goes with what lifted it, so that it is never seen without.
    let sql = "WITH ended AS ( \
             SELECT s.id, l.id AS lift FROM sanctions s LEFT JOIN sanctions l ON l.lifts = s.id \
             WHERE s.lifts IS NULL AND (s.until <= $1 OR l.at <= $1 OR (s.kind IN (1, 2) AND s.at <= $1)) \
                 AND NOT EXISTS (SELECT FROM cases a WHERE a.sanction = s.id AND a.closed_at IS NULL) \
             ORDER BY s.id LIMIT $2 \
         ) DELETE FROM sanctions WHERE id IN (SELECT id FROM ended UNION ALL SELECT lift FROM ended)";
    let sanctions = line.change(sql, &[&before, &budget]).await?;
    let sql = "DELETE FROM notices WHERE no IN (SELECT n.no FROM notices n WHERE n.at <= $1 \
         AND NOT EXISTS (SELECT FROM sanctions s WHERE s.id = n.sanction) ORDER BY n.at LIMIT $2)";
    let notices = line.change(sql, &[&before, &budget]).await?;
    let full = budget.cast_unsigned();
    Ok(sanctions >= full || notices >= full)
}
