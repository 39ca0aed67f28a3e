//! Operators: who they are and what is changed about them.

use super::super::error::BackendError;
use super::super::rows::get;
use super::super::shared::Shared;
use super::Params;
use super::columns::{self, OPERATOR, int, number};
use super::doer::doer;
use super::line::Line;
use crate::domain::id::Timestamp;
use crate::domain::safety::operator::OPERATORS;
use crate::domain::safety::{
    Actor, AuditAct, AuditDraft, CaseId, LoginHash, Operator, OperatorDraft, OperatorId,
    OperatorName, Role,
};
use crate::store::safety::{OperatorChange, OperatorChanged, OperatorMade, details_of};

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
    say(line, AuditAct::OperatorMade, by, details_of(made, None)).await?;
    Ok(OperatorMade::Done(made))
}

pub(super) async fn say(
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
        apply(&line, operator, change).await?;
        let details = details_of(operator, Some(change));
        say(&mut line, AuditAct::OperatorChanged, doer.operator, details).await?;
        if !matches!(change, OperatorChange::Totp(_)) {
            end_all(&mut line, operator, doer.operator).await?;
        }
    }
    line.commit(OperatorChanged::Done).await
}

async fn apply(
    line: &Line,
    operator: OperatorId,
    change: &OperatorChange,
) -> Result<(), BackendError> {
    let id = int(operator.0);
    match change {
        OperatorChange::Password(hash) => {
            let sql = "UPDATE operators SET password = $2 WHERE id = $1";
            line.change(sql, &[&id, &hash.as_bytes()]).await?;
        }
        OperatorChange::Role(role) => {
            let sql = "UPDATE operators SET role = $2 WHERE id = $1";
            line.change(sql, &[&id, &i16::from(role.code())]).await?;
        }
        OperatorChange::Totp(factor) => second_factor(line, id, factor.as_ref()).await?,
        OperatorChange::Disabled(disabled) => {
            let since = disabled.then_some(line.now.0);
            let sql = "UPDATE operators SET disabled = $2 WHERE id = $1";
            line.change(sql, &[&id, &since]).await?;
        }
    }
    Ok(())
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
            details: details_of(operator, None),
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
