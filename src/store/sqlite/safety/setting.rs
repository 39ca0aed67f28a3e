//! What administrators set for all nodes.

use rusqlite::Row;

use super::super::SqliteStore;
use super::super::error::SqliteError;
use super::super::writer::Writer;
use super::act::{self, Stop};
use super::rows::{self, int};
use crate::domain::id::Timestamp;
use crate::domain::safety::{Actor, AuditAct, AuditDraft, OperatorId, Role, Setting, SettingName};
use crate::store::Pending;
use crate::store::safety::{ActRefusal, Acted, Settings};

impl Settings for SqliteStore {
    fn settings(&self) -> Pending<Vec<Setting>> {
        self.look(|conn, _| {
            let sql = "SELECT name, value, at, by, version FROM settings ORDER BY name";
            let mut read = conn.prepare_cached(sql)?;
            rows::readable(read.query([])?, setting)
        })
    }

    fn put_setting(
        &self,
        name: SettingName,
        value: Option<String>,
        over: Option<u64>,
        by: Actor,
    ) -> Pending<Acted<()>> {
        let held = value.as_ref().map_or(0, String::len);
        self.change(held, move |writer| {
            act::acted(writer.put_setting(name, value.as_deref(), over, by))
        })
    }
}

fn setting(row: &Row<'_>) -> Result<Setting, SqliteError> {
    let name: String = row.get(0)?;
    Ok(Setting {
        name: SettingName::parse(&name)
            .ok_or(SqliteError::Damaged("a setting of no known name"))?,
        value: row.get(1)?,
        at: Timestamp(row.get(2)?),
        by: rows::optional(row, 3, |no: i64| OperatorId(no.cast_unsigned()))?,
        version: rows::counted(row, 4)?,
    })
}

impl Writer {
    fn put_setting(
        &mut self,
        name: SettingName,
        value: Option<&str>,
        over: Option<u64>,
        by: Actor,
    ) -> Result<(), Stop> {
        let who = self.who(by)?;
        if who.role != Role::Administrator {
            return Err(ActRefusal::NotAllowed.into());
        }
        let word = name.as_str();
        if let Some(over) = over
            && over != self.setting_version(word)?
        {
            return Err(ActRefusal::Changed.into());
        }
        match value {
            Some(value) => {
                let mut put = self.conn.prepare_cached(
                    "INSERT OR REPLACE INTO settings (name, value, at, by, version) \
                     SELECT ?1, ?2, ?3, ?4, no + 1 FROM audit_head",
                )?;
                put.execute((word, value, self.now.0, who.operator.map(|it| int(it.0))))?;
            }
            None => {
                let mut delete = self
                    .conn
                    .prepare_cached("DELETE FROM settings WHERE name = ?1")?;
                delete.execute([word])?;
            }
        }
        self.audit(AuditDraft {
            by: who.operator,
            act: AuditAct::SettingChanged,
            case: None,
            sanction: None,
            took_ms: None,
            details: name.audited(value.is_some()),
        })?;
        Ok(())
    }

    /// Which one stands; 0: none.
    fn setting_version(&self, word: &str) -> Result<u64, SqliteError> {
        let mut read = self
            .conn
            .prepare_cached("SELECT version FROM settings WHERE name = ?1")?;
        let found = rows::one(read.query([word])?, |row| rows::counted(row, 0))?;
        Ok(found.unwrap_or(0))
    }
}
