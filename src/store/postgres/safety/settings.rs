//! What administrators set for all nodes.

use tokio_postgres::Row;

use super::super::error::BackendError;
use super::super::rows::get;
use super::super::shared::Shared;
use super::columns::{self, int};
use super::doer::doer;
use super::line::Line;
use crate::domain::id::Timestamp;
use crate::domain::safety::{Actor, AuditAct, AuditDraft, OperatorId, Role, Setting, SettingName};
use crate::store::safety::{ActRefusal, Acted};

/// See [`crate::store::safety::Settings::settings`].
pub(super) async fn all(shared: &Shared) -> Result<Vec<Setting>, BackendError> {
    let sql = "SELECT name, value, at, by, version FROM settings ORDER BY name";
    let found = shared.pool.query(sql, &[]).await?;
    Ok(columns::readable(&found, setting))
}

fn setting(row: &Row) -> Result<Setting, BackendError> {
    let name: &str = get(row, "name")?;
    let by: Option<i64> = get(row, "by")?;
    Ok(Setting {
        name: SettingName::parse(name)
            .ok_or(BackendError::Damaged("a setting of no known name"))?,
        value: columns::text(row, "value")?,
        at: Timestamp(get(row, "at")?),
        by: by.map(|no| OperatorId(no.cast_unsigned())),
        version: columns::number(row, "version")?,
    })
}

/// See [`crate::store::safety::Settings::put_setting`].
pub(super) async fn put(
    shared: &Shared,
    name: SettingName,
    value: Option<&str>,
    over: Option<u64>,
    by: Actor,
) -> Result<Acted<()>, BackendError> {
    let mut line = Line::begin(shared).await?;
    let Some(doer) = doer(&line, by).await? else {
        return line.commit(Acted::Refused(ActRefusal::NoOperator)).await;
    };
    if doer.role != Role::Administrator {
        return line.commit(Acted::Refused(ActRefusal::NotAllowed)).await;
    }
    let word = name.as_str();
    if let Some(over) = over
        && over != version(&line, word).await?
    {
        return line.commit(Acted::Refused(ActRefusal::Changed)).await;
    }
    match value {
        Some(value) => {
            let sql = "INSERT INTO settings (name, value, at, by, version) SELECT $1, $2, $3, $4, no + 1 FROM audit_head \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value, at = excluded.at, by = excluded.by, \
                     version = excluded.version";
            let by = doer.operator.map(|it| int(it.0));
            line.change(sql, &[&word, &value.as_bytes(), &line.now.0, &by])
                .await?;
        }
        None => {
            line.change("DELETE FROM settings WHERE name = $1", &[&word])
                .await?;
        }
    }
    line.audit(AuditDraft {
        by: doer.operator,
        act: AuditAct::SettingChanged,
        case: None,
        sanction: None,
        took_ms: None,
        details: name.audited(value.is_some()),
    })
    .await?;
    line.commit(Acted::Done(())).await
}

/// Which one stands; 0: none.
async fn version(line: &Line, word: &str) -> Result<u64, BackendError> {
    let sql = "SELECT version FROM settings WHERE name = $1";
    match line.maybe(sql, &[&word]).await? {
        Some(row) => columns::number(&row, "version"),
        None => Ok(0),
    }
}
