//! Operators' log-ins: second factors that are used up, sessions, and the visitors that operators are.

use std::time::Duration;

use tokio_postgres::Row;

use super::super::error::BackendError;
use super::super::rows::{self, get, millis, size};
use super::super::shared::Shared;
use super::Params;
use super::columns::{self, int, number};
use super::doer::doer;
use super::line::Line;
use super::operators::say;
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::operator::{OWN_SESSIONS, SESSIONS};
use crate::domain::safety::{Actor, AuditAct, LoginHash, Operator, OperatorId, OperatorSession};
use crate::store::safety::details_of;

/// A session's use is written down when it was not for so long.
const USE: Duration = Duration::from_secs(60);

/// See [`crate::store::safety::Operators::use_totp_step`].
pub(super) async fn use_step(
    shared: &Shared,
    operator: OperatorId,
    step: u64,
) -> Result<bool, BackendError> {
    let sql = "UPDATE operators SET totp_step = $2 WHERE id = $1 AND totp_step < $2 RETURNING id";
    // Once: what was used by an attempt whose answer was lost would be refused by the second.
    let used = shared
        .pool
        .once(sql, &[&int(operator.0), &int(step)])
        .await?;
    Ok(!used.is_empty())
}

/// See [`crate::store::safety::Operators::use_recovery_code`].
pub(super) async fn use_code(
    shared: &Shared,
    operator: OperatorId,
    code: LoginHash,
) -> Result<bool, BackendError> {
    let sql = "DELETE FROM recovery_codes WHERE operator = $1 AND hash = $2 RETURNING operator";
    let used = shared
        .pool
        .once(sql, &[&int(operator.0), &&code.0[..]])
        .await?;
    Ok(!used.is_empty())
}

/// See [`crate::store::safety::Operators::begin_session`].
pub(super) async fn begin(
    shared: &Shared,
    session: &OperatorSession,
) -> Result<bool, BackendError> {
    let mut line = Line::begin(shared).await?;
    if doer(&line, Actor::Operator(session.operator))
        .await?
        .is_none()
    {
        return line.commit(false).await;
    }
    let (operator, visitor) = (int(session.operator.0), session.visitor.map(rows::session));
    let sql = "INSERT INTO operator_sessions (hash, operator, since, used, visitor) \
         VALUES ($1, $2, $3, $3, $4) ON CONFLICT (hash) DO NOTHING";
    let params: Params<'_> = &[&&session.hash.0[..], &operator, &line.now.0, &visitor];
    if line.change(sql, params).await? > 0 {
        let sql = "DELETE FROM operator_sessions WHERE no IN ( \
             SELECT no FROM operator_sessions WHERE operator = $1 ORDER BY no DESC OFFSET $2)";
        line.change(sql, &[&operator, &size(SESSIONS)]).await?;
        let by = Some(session.operator);
        say(&mut line, AuditAct::LoggedIn, by, String::new()).await?;
    }
    if visitor.is_some() {
        line.change(NOTE, &[&operator, &visitor]).await?;
        line.change(FORGET, &[&operator, &size(OWN_SESSIONS)])
            .await?;
    }
    line.commit(true).await
}

const NOTE: &str = "INSERT INTO operator_visitors (operator, visitor) SELECT id, $2 FROM operators WHERE id = $1 \
     ON CONFLICT (operator, visitor) DO UPDATE SET no = DEFAULT";
const FORGET: &str = "DELETE FROM operator_visitors WHERE no IN ( \
     SELECT no FROM operator_visitors WHERE operator = $1 ORDER BY no DESC OFFSET $2)";

/// See [`crate::store::safety::Operators::note_visitor`].
pub(super) async fn note_visitor(
    shared: &Shared,
    operator: OperatorId,
    visitor: SessionId,
) -> Result<(), BackendError> {
    let operator = int(operator.0);
    let visitor = Some(rows::session(visitor));
    let line = Line::begin(shared).await?;
    line.change(NOTE, &[&operator, &visitor]).await?;
    line.change(FORGET, &[&operator, &size(OWN_SESSIONS)])
        .await?;
    line.commit(()).await
}

fn session_of(row: &Row) -> Result<OperatorSession, BackendError> {
    let visitor: Option<uuid::Uuid> = get(row, "visitor")?;
    Ok(OperatorSession {
        hash: LoginHash(columns::bytes(row, "hash")?),
        operator: OperatorId(number(row, "operator")?),
        since: Timestamp(get(row, "began")?),
        used: Timestamp(get(row, "used")?),
        visitor: visitor.map(rows::session_id),
    })
}

/// See [`crate::store::safety::Operators::session`].
pub(super) async fn session(
    shared: &Shared,
    hash: LoginHash,
    idle: Duration,
    longest: Duration,
) -> Result<Option<(OperatorSession, Operator)>, BackendError> {
    let sql = "SELECT o.*, s.hash, s.operator, s.since AS began, s.used, s.visitor, m.now, \
             (SELECT count(*) FROM recovery_codes c WHERE c.operator = o.id) AS codes \
         FROM (SELECT moment($2) AS now) m CROSS JOIN operator_sessions s \
             JOIN operators o ON o.id = s.operator \
         WHERE s.hash = $1 AND o.disabled IS NULL AND s.used > m.now - $3 AND s.since > m.now - $4";
    let name = &hash.0[..];
    let params: Params<'_> = &[&name, &shared.now(), &millis(idle), &millis(longest)];
    let found = shared.pool.query(sql, params).await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    let (mut session, operator) = (session_of(row)?, columns::operator(row)?);
    let now = Timestamp(get(row, "now")?);
    if now.since(session.used) >= USE {
        let sql = "UPDATE operator_sessions SET used = greatest(used, $2) WHERE hash = $1";
        shared.pool.query(sql, &[&name, &now.0]).await?;
        session.used = now;
    }
    Ok(Some((session, operator)))
}

/// See [`crate::store::safety::Operators::sessions`].
pub(super) async fn sessions(
    shared: &Shared,
    operator: OperatorId,
) -> Result<Vec<OperatorSession>, BackendError> {
    let sql = "SELECT hash, operator, since AS began, used, visitor FROM operator_sessions \
         WHERE operator = $1 ORDER BY no DESC";
    let found = shared.pool.query(sql, &[&int(operator.0)]).await?;
    found.iter().map(session_of).collect()
}

/// See [`crate::store::safety::Operators::end_sessions`].
pub(super) async fn end(
    shared: &Shared,
    operator: OperatorId,
    which: Option<LoginHash>,
) -> Result<(), BackendError> {
    let sql =
        "DELETE FROM operator_sessions WHERE operator = $1 AND ($2::bytea IS NULL OR hash = $2)";
    let hash = which.as_ref().map(|hash| &hash.0[..]);
    let mut line = Line::begin(shared).await?;
    if line.change(sql, &[&int(operator.0), &hash]).await? > 0 {
        let (by, details) = (Some(operator), details_of(operator, None));
        say(&mut line, AuditAct::SessionsEnded, by, details).await?;
    }
    line.commit(()).await
}
