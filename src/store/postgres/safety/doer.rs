//! Who acts: looked up in the transaction of the act, whatever was known when the request was let in.

use super::super::error::BackendError;
use super::super::rows::{self, get};
use super::Params;
use super::columns::{self, int};
use super::line::Line;
use crate::domain::safety::{Actor, Case, OperatorId, Role};
use crate::store::safety::acts::Doer;

/// That one; `None` when the operator is not there, or is disabled.
pub(super) async fn doer(line: &Line, by: Actor) -> Result<Option<Doer>, BackendError> {
    let Actor::Operator(operator) = by else {
        return Ok(Some(Doer {
            operator: None,
            role: Role::Administrator,
            involved: false,
            has_colleague: false,
        }));
    };
    let sql = "SELECT role, EXISTS (SELECT FROM operators WHERE id <> $1 AND disabled IS NULL) AS colleague \
         FROM operators WHERE id = $1 AND disabled IS NULL";
    let Some(row) = line.maybe(sql, &[&int(operator.0)]).await? else {
        return Ok(None);
    };
    Ok(Some(Doer {
        operator: Some(operator),
        role: columns::role(&row)?,
        involved: false,
        has_colleague: get(&row, "colleague")?,
    }))
}

/// Whether the case is one that this doer has a part in.
pub(super) async fn is_involved(
    line: &Line,
    doer: &Doer,
    case: &Case,
) -> Result<bool, BackendError> {
    let Some(OperatorId(operator)) = doer.operator else {
        return Ok(false);
    };
    // Of an appeal also in the case that the sanction followed from.
    let sql = "SELECT EXISTS (SELECT FROM operator_visitors v WHERE v.operator = $1 AND (v.visitor = $2 \
         OR EXISTS (SELECT FROM reports r WHERE r.reporter = v.visitor AND (r.case_id = $3 OR r.case_id = \
             (SELECT s.case_id FROM cases c JOIN sanctions s ON s.id = c.sanction WHERE c.id = $3))))) AS own";
    let subject = rows::session(case.subject);
    let params: Params<'_> = &[&int(operator), &subject, &int(case.id.0)];
    get(&line.one(sql, params).await?, "own")
}
