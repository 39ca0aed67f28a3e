//! Operators and their log-ins.

use std::time::Duration;

use tokio_postgres::Row;

use super::super::error::BackendError;
use super::super::rows::{self, get, millis, size};
use super::super::shared::Shared;
use super::Params;
use super::columns::{self, OPERATOR, int, number};
use super::doer::doer;
use super::line::Line;
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::operator::{OPERATORS, OWN_SESSIONS, SESSIONS};
use crate::domain::safety::{
    Actor, AuditAct, AuditDraft, CaseId, LoginHash, Operator, OperatorDraft, OperatorId,
    OperatorName, OperatorSession, Role,
};
use crate::store::safety::{OperatorChange, OperatorChanged, OperatorMade};

/// A session's use is written down when it was not for so long.
const USE: Duration = Duration::from_secs(60);

/// See [`crate::store::safety::Operators::operator_exists`].
pub(super) async fn exists(shared: &Shared) -> Result<bool, BackendError> {
    let sql = "SELECT FROM operators WHERE disabled IS NULL LIMIT 1";
    Ok(!shared.pool.query(sql, &[]).await?.is_empty())
}

/// See [`crate::store::safety::Operators::operators`].
pub(super) async fn all(shared: &Shared) -> Result<Vec<Operator>, BackendError> {
    let sql = format!("{OPERATOR} ORDER BY o.id");
    let found = shared.pool.query(&sql, &[]).await?;
    Ok(columns::readable(&found, columns::operator))
}

/// See [`crate::store::safety::Operators::operator_named`].
pub(super) async fn named(
    shared: &Shared,
    name: &OperatorName,
) -> Result<Option<Operator>, BackendError> {
    let sql = format!("{OPERATOR} WHERE o.key = $1");
    let found = shared.pool.query(&sql, &[&name.key().as_bytes()]).await?;
    found.first().map(columns::operator).transpose()
}

/// See [`crate::store::safety::Operators::make_operator`].
pub(super) async fn make(
    shared: &Shared,
    draft: &OperatorDraft,
    by: Actor,
) -> Result<OperatorMade, BackendError> {
    let mut line = Line::begin(shared).await?;
    let doer = doer(&line, by).await?;
    let Some(doer) = doer.filter(|doer| doer.role == Role::Administrator) else {
        return line.commit(OperatorMade::NotAllowed).await;
    };
    let made = insert(&mut line, draft, draft.role, doer.operator).await?;
    line.commit(made).await
}

async fn insert(
    line: &mut Line,
    draft: &OperatorDraft,
    role: Role,
    by: Option<OperatorId>,
) -> Result<OperatorMade, BackendError> {
    let key = draft.name.key();
    let sql = "SELECT (SELECT count(*) FROM operators) AS count, \
         EXISTS (SELECT FROM operators WHERE key = $1) AS taken";
    let row = line.one(sql, &[&key.as_bytes()]).await?;
    if get(&row, "taken")? {
        return Ok(OperatorMade::NameTaken);
    }
    if number(&row, "count")? >= OPERATORS as u64 {
        return Ok(OperatorMade::TooMany);
    }
    let sql = "INSERT INTO operators (name, key, role, password, since) VALUES ($1, $2, $3, $4, $5) RETURNING id";
    let params: Params<'_> = &[
        &draft.name.as_str().as_bytes(),
        &key.as_bytes(),
        &i16::from(role.code()),
        &draft.password.as_bytes(),
        &line.now.0,
    ];
    let made = OperatorId(number(&line.one(sql, params).await?, "id")?);
    let details = format!("operator {made}");
    say(line, AuditAct::OperatorMade, by, details).await?;
    Ok(OperatorMade::Done(made))
}

async fn say(
    line: &mut Line,
    act: AuditAct,
    by: Option<OperatorId>,
    details: String,
) -> Result<(), BackendError> {
    let what = AuditDraft {
        by,
        act,
        case: None,
        sanction: None,
        took_ms: None,
        details,
    };
    line.audit(what).await
}

/// See [`crate::store::safety::Operators::put_setup_link`].
pub(super) async fn put_link(
    shared: &Shared,
    link: LoginHash,
    until: Timestamp,
) -> Result<(), BackendError> {
    let mut line = Line::begin(shared).await?;
    let sql = "INSERT INTO setup_link (hash, until) VALUES ($1, $2) \
         ON CONFLICT (one) DO UPDATE SET hash = excluded.hash, until = excluded.until";
    line.change(sql, &[&&link.0[..], &until.0]).await?;
    say(&mut line, AuditAct::LinkMade, None, String::new()).await?;
    line.commit(()).await
}

/// See [`crate::store::safety::Operators::set_up`].
pub(super) async fn set_up(
    shared: &Shared,
    link: LoginHash,
    draft: &OperatorDraft,
) -> Result<OperatorMade, BackendError> {
    let mut line = Line::begin(shared).await?;
    let sql = "SELECT FROM setup_link WHERE hash = $1 AND until > $2 \
         AND NOT EXISTS (SELECT FROM operators WHERE disabled IS NULL)";
    let right = line.maybe(sql, &[&&link.0[..], &line.now.0]).await?;
    if right.is_none() {
        return line.commit(OperatorMade::NotAllowed).await;
    }
    let made = insert(&mut line, draft, Role::Administrator, None).await?;
    if matches!(made, OperatorMade::Done(_)) {
        line.change("DELETE FROM setup_link", &[]).await?;
    }
    line.commit(made).await
}

/// See [`crate::store::safety::Operators::change_operator`].
pub(super) async fn change(
    shared: &Shared,
    operator: OperatorId,
    changes: &[OperatorChange],
    by: Actor,
) -> Result<OperatorChanged, BackendError> {
    let mut line = Line::begin(shared).await?;
    let Some(doer) = doer(&line, by).await? else {
        return line.commit(OperatorChanged::NotAllowed).await;
    };
    let sql = "SELECT role, disabled, totp IS NULL AS plain, EXISTS (SELECT FROM operators WHERE id <> $1 AND role = 2 \
             AND disabled IS NULL) AS other \
         FROM operators WHERE id = $1";
    let Some(row) = line.maybe(sql, &[&int(operator.0)]).await? else {
        return line.commit(OperatorChanged::Unknown).await;
    };
    let own = doer.operator == Some(operator) && changes.iter().all(OperatorChange::is_own);
    if !own && doer.role != Role::Administrator {
        return line.commit(OperatorChanged::NotAllowed).await;
    }
    let (role, disabled) = (
        columns::role(&row)?,
        columns::moment(&row, "disabled")?.is_some(),
    );
    let loses = changes.iter().any(OperatorChange::loses_administrator);
    let is_last = role == Role::Administrator && !disabled && !get::<bool>(&row, "other")?;
    if is_last && loses {
        return line.commit(OperatorChanged::LastAdministrator).await;
    }
    for change in changes {
        let same = match change {
            OperatorChange::Role(to) => *to == role,
            OperatorChange::Disabled(to) => *to == disabled,
            // To turn off what is off is so already.
            OperatorChange::Totp(None) => get(&row, "plain")?,
            OperatorChange::Password(_) | OperatorChange::Totp(Some(_)) => false,
        };
        if same {
            continue;
        }
        let what = apply(&line, operator, change).await?;
        let details = format!("operator {operator}: {what}");
        say(&mut line, AuditAct::OperatorChanged, doer.operator, details).await?;
        if !matches!(change, OperatorChange::Totp(_)) {
            end_all(&mut line, operator, doer.operator).await?;
        }
    }
    line.commit(OperatorChanged::Done).await
}

/// Changes it; answers what that was.
async fn apply(
    line: &Line,
    operator: OperatorId,
    change: &OperatorChange,
) -> Result<&'static str, BackendError> {
    let id = int(operator.0);
    let what = match change {
        OperatorChange::Password(hash) => {
            let sql = "UPDATE operators SET password = $2 WHERE id = $1";
            line.change(sql, &[&id, &hash.as_bytes()]).await?;
            "password"
        }
        OperatorChange::Role(role) => {
            let sql = "UPDATE operators SET role = $2 WHERE id = $1";
            line.change(sql, &[&id, &i16::from(role.code())]).await?;
            match role {
                Role::Moderator => "moderator",
                Role::Administrator => "administrator",
            }
        }
        OperatorChange::Totp(factor) => {
            second_factor(line, id, factor.as_ref()).await?;
            return Ok(match factor {
                Some(_) => "second factor on",
                None => "second factor off",
            });
        }
        OperatorChange::Disabled(disabled) => {
            let since = disabled.then_some(line.now.0);
            let sql = "UPDATE operators SET disabled = $2 WHERE id = $1";
            line.change(sql, &[&id, &since]).await?;
            match disabled {
                true => "disabled",
                false => "enabled",
            }
        }
    };
    Ok(what)
}

/// Ends an operator's sessions and gives back what they have. A claim that was over before is not written down.
async fn end_all(
    line: &mut Line,
    operator: OperatorId,
    by: Option<OperatorId>,
) -> Result<(), BackendError> {
    let id = int(operator.0);
    let sql = "DELETE FROM operator_sessions WHERE operator = $1";
    line.change(sql, &[&id]).await?;
    let sql = "SELECT id FROM cases WHERE claimed_by = $1 AND claimed_until > $2 AND closed_at IS NULL ORDER BY id";
    let held = line.query(sql, &[&id, &line.now.0]).await?;
    let sql = "UPDATE cases SET claimed_by = NULL, claimed_until = NULL WHERE claimed_by = $1";
    line.change(sql, &[&id]).await?;
    for row in &held {
        line.audit(AuditDraft {
            by,
            act: AuditAct::Released,
            case: Some(CaseId(number(row, "id")?)),
            sanction: None,
            took_ms: None,
            details: format!("operator {operator}"),
        })
        .await?;
    }
    Ok(())
}

async fn second_factor(
    line: &Line,
    operator: i64,
    factor: Option<&(Vec<u8>, Vec<LoginHash>)>,
) -> Result<(), BackendError> {
    let secret = factor.map(|(secret, _)| secret);
    let sql = "UPDATE operators SET totp = $2, totp_step = -1 WHERE id = $1";
    line.change(sql, &[&operator, &secret]).await?;
    let sql = "DELETE FROM recovery_codes WHERE operator = $1";
    line.change(sql, &[&operator]).await?;
    let codes: &[LoginHash] = factor.map_or(&[], |(_, codes)| codes);
    let codes: Vec<&[u8]> = codes.iter().map(|code| &code.0[..]).collect();
    let sql = "INSERT INTO recovery_codes (operator, hash) SELECT $1, unnest($2::bytea[]) ON CONFLICT DO NOTHING";
    line.change(sql, &[&operator, &codes]).await?;
    Ok(())
}

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
        let (by, details) = (Some(operator), format!("operator {operator}"));
        say(&mut line, AuditAct::SessionsEnded, by, details).await?;
    }
    line.commit(()).await
}
