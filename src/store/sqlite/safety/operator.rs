//! Operators: who they are and what is changed about them.

use rusqlite::{Connection, Row};

use super::super::SqliteStore;
use super::super::error::SqliteError;
use super::super::writer::Writer;
use super::rows::{self, int, size};
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::operator::OPERATORS;
use crate::domain::safety::{
    Actor, AuditAct, AuditDraft, CaseId, LoginHash, Operator, OperatorDraft, OperatorId,
    OperatorName, OperatorSession, Role,
};
use crate::store::Pending;
use crate::store::safety::{OperatorChange, OperatorChanged, OperatorMade, Operators, details_of};

const OPERATOR: &str = "SELECT o.no, o.name, o.role, o.password, o.totp, \
     (SELECT count(*) FROM recovery_codes c WHERE c.operator = o.no), o.since, o.disabled FROM operators o";

impl Operators for SqliteStore {
    fn operator_exists(&self) -> Pending<bool> {
        self.look(|conn, _| exists(conn))
    }

    fn operators(&self) -> Pending<Vec<Operator>> {
        self.look(|conn, _| {
            let sql = format!("{OPERATOR} ORDER BY o.no");
            let mut read = conn.prepare_cached(&sql)?;
            rows::readable(read.query([])?, operator)
        })
    }

    fn operator_named(&self, name: OperatorName) -> Pending<Option<Operator>> {
        self.look(move |conn, _| {
            let sql = format!("{OPERATOR} WHERE o.key = ?1");
            let mut read = conn.prepare_cached(&sql)?;
            rows::one(read.query([name.key()])?, operator)
        })
    }

    fn make_operator(&self, operator: OperatorDraft, by: Actor) -> Pending<OperatorMade> {
        self.change(0, move |writer| writer.make_operator(&operator, by))
    }

    fn put_setup_link(&self, link: LoginHash, until: Timestamp) -> Pending<()> {
        self.change(0, move |writer| writer.put_setup_link(link, until))
    }

    fn set_up(&self, link: LoginHash, operator: OperatorDraft) -> Pending<OperatorMade> {
        self.change(0, move |writer| writer.set_up(link, &operator))
    }

    fn change_operator(
        &self,
        operator: OperatorId,
        changes: Vec<OperatorChange>,
        by: Actor,
    ) -> Pending<OperatorChanged> {
        self.change(0, move |writer| {
            writer.change_operator(operator, changes, by)
        })
    }

    fn use_totp_step(&self, operator: OperatorId, step: u64) -> Pending<bool> {
        self.change(0, move |writer| {
            let mut put = writer.conn.prepare_cached(
                "UPDATE operators SET totp_step = ?2 WHERE no = ?1 AND totp_step < ?2",
            )?;
            Ok(put.execute((int(operator.0), int(step)))? > 0)
        })
    }

    fn use_recovery_code(&self, operator: OperatorId, code: LoginHash) -> Pending<bool> {
        self.change(0, move |writer| {
            let mut take = writer
                .conn
                .prepare_cached("DELETE FROM recovery_codes WHERE operator = ?1 AND hash = ?2")?;
            Ok(take.execute((int(operator.0), code.0))? > 0)
        })
    }

    fn begin_session(&self, session: OperatorSession) -> Pending<bool> {
        self.change(0, move |writer| writer.begin_session(&session))
    }

    fn session(
        &self,
        hash: LoginHash,
        idle: std::time::Duration,
        longest: std::time::Duration,
    ) -> Pending<Option<(OperatorSession, Operator)>> {
        self.operator_session(hash, idle, longest)
    }

    fn sessions(&self, operator: OperatorId) -> Pending<Vec<OperatorSession>> {
        self.look(move |conn, _| super::login::sessions(conn, operator))
    }

    fn end_sessions(&self, operator: OperatorId, which: Option<LoginHash>) -> Pending<()> {
        self.change(0, move |writer| {
            match writer.end_sessions(operator, which)? {
                0 => Ok(()),
                _ => {
                    let by = Some(operator);
                    writer.audit_operator(by, AuditAct::SessionsEnded, details_of(operator, None))
                }
            }
        })
    }

    fn note_visitor(&self, operator: OperatorId, visitor: SessionId) -> Pending<()> {
        self.change(0, move |writer| writer.note_visitor(operator, visitor))
    }
}

fn exists(conn: &Connection) -> Result<bool, SqliteError> {
    let mut read = conn.prepare_cached("SELECT 1 FROM operators WHERE disabled IS NULL")?;
    Ok(read.exists([])?)
}

/// The operator of this number.
pub(super) fn read(conn: &Connection, id: OperatorId) -> Result<Option<Operator>, SqliteError> {
    let sql = format!("{OPERATOR} WHERE o.no = ?1");
    let mut read = conn.prepare_cached(&sql)?;
    rows::one(read.query([int(id.0)])?, operator)
}

fn operator(row: &Row<'_>) -> Result<Operator, SqliteError> {
    const BROKEN: SqliteError = SqliteError::Damaged("an operator that cannot be read");
    let name: String = row.get(1)?;
    Ok(Operator {
        id: OperatorId(rows::counted(row, 0)?),
        name: OperatorName::parse(&name).ok_or(BROKEN)?,
        role: Role::from_code(row.get(2)?).ok_or(BROKEN)?,
        password: row.get(3)?,
        totp: row.get(4)?,
        recovery_codes: row.get(5)?,
        since: Timestamp(row.get(6)?),
        disabled: rows::time(row, 7)?,
    })
}

impl Writer {
    fn make_operator(
        &mut self,
        draft: &OperatorDraft,
        by: Actor,
    ) -> Result<OperatorMade, SqliteError> {
        let by = match by {
            Actor::Local => None,
            Actor::Operator(id) if self.is_administrator(id)? => Some(id),
            Actor::Operator(_) => return Ok(OperatorMade::NotAllowed),
        };
        self.add_operator(draft, by)
    }

    fn is_administrator(&self, id: OperatorId) -> Result<bool, SqliteError> {
        let operator = read(&self.conn, id)?;
        Ok(operator.is_some_and(|it| it.role == Role::Administrator && it.disabled.is_none()))
    }

    fn add_operator(
        &self,
        draft: &OperatorDraft,
        by: Option<OperatorId>,
    ) -> Result<OperatorMade, SqliteError> {
        let key = draft.name.key();
        let mut taken = self
            .conn
            .prepare_cached("SELECT 1 FROM operators WHERE key = ?1")?;
        if taken.exists([&key])? {
            return Ok(OperatorMade::NameTaken);
        }
        let mut count = self.conn.prepare_cached("SELECT count(*) FROM operators")?;
        let count: i64 = count.query_row([], |row| row.get(0))?;
        if count >= size(OPERATORS) {
            return Ok(OperatorMade::TooMany);
        }
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO operators (name, key, role, password, since) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let role = draft.role.code();
        insert.execute((draft.name.as_str(), key, role, &draft.password, self.now.0))?;
        let id = OperatorId(self.conn.last_insert_rowid().cast_unsigned());
        self.audit_operator(by, AuditAct::OperatorMade, details_of(id, None))?;
        Ok(OperatorMade::Done(id))
    }

    /// An audit row about an operator.
    pub(super) fn audit_operator(
        &self,
        by: Option<OperatorId>,
        act: AuditAct,
        details: String,
    ) -> Result<(), SqliteError> {
        self.audit(AuditDraft {
            by,
            act,
            case: None,
            sanction: None,
            took_ms: None,
            details,
        })
    }

    fn put_setup_link(&mut self, link: LoginHash, until: Timestamp) -> Result<(), SqliteError> {
        let mut put = self.conn.prepare_cached(
            "INSERT OR REPLACE INTO setup_link (one, hash, until) VALUES (1, ?1, ?2)",
        )?;
        put.execute((link.0, until.0))?;
        self.audit_act(None, AuditAct::LinkMade, None, None)
    }

    fn set_up(
        &mut self,
        link: LoginHash,
        draft: &OperatorDraft,
    ) -> Result<OperatorMade, SqliteError> {
        let mut known = self
            .conn
            .prepare_cached("SELECT 1 FROM setup_link WHERE hash = ?1 AND until > ?2")?;
        if !known.exists((link.0, self.now.0))? || exists(&self.conn)? {
            return Ok(OperatorMade::NotAllowed);
        }
        let first = OperatorDraft {
            role: Role::Administrator,
            ..draft.clone()
        };
        let made = self.add_operator(&first, None)?;
        if matches!(made, OperatorMade::Done(_)) {
            self.conn
                .prepare_cached("DELETE FROM setup_link")?
                .execute([])?;
        }
        Ok(made)
    }

    fn change_operator(
        &mut self,
        id: OperatorId,
        changes: Vec<OperatorChange>,
        by: Actor,
    ) -> Result<OperatorChanged, SqliteError> {
        let by = match by {
            Actor::Local => None,
            Actor::Operator(by) => {
                let own = changes.iter().all(OperatorChange::is_own);
                let there = read(&self.conn, by)?.is_some_and(|it| it.disabled.is_none());
                let themselves = there && own && by == id;
                if !themselves && !self.is_administrator(by)? {
                    return Ok(OperatorChanged::NotAllowed);
                }
                Some(by)
            }
        };
        let Some(operator) = read(&self.conn, id)? else {
            return Ok(OperatorChanged::Unknown);
        };
        let loses = changes.iter().any(OperatorChange::loses_administrator);
        if loses && self.is_administrator(id)? && !self.has_other_administrator(id)? {
            return Ok(OperatorChanged::LastAdministrator);
        }
        for change in changes {
            if is_so(&operator, &change) {
                continue;
            }
            let details = details_of(id, Some(&change));
            let ends = !matches!(change, OperatorChange::Totp(_));
            self.write_change(id, change)?;
            self.audit_operator(by, AuditAct::OperatorChanged, details)?;
            if ends {
                self.end_sessions(id, None)?;
                self.end_claims(id, by)?;
            }
        }
        Ok(OperatorChanged::Done)
    }

    /// Gives back what an operator has. A claim that was over before is not written down.
    fn end_claims(&mut self, id: OperatorId, by: Option<OperatorId>) -> Result<(), SqliteError> {
        let mut read = self.conn.prepare_cached(
            "SELECT no FROM cases WHERE closed_at IS NULL AND claim_by = ?1 AND claim_until > ?2 ORDER BY no",
        )?;
        let cases = rows::collect(read.query((int(id.0), self.now.0))?, |row| {
            Ok(CaseId(rows::counted(row, 0)?))
        })?;
        drop(read);
        let mut release = self.conn.prepare_cached(
            "UPDATE cases SET claim_by = NULL, claim_until = NULL WHERE closed_at IS NULL AND claim_by = ?1",
        )?;
        release.execute([int(id.0)])?;
        for case in cases {
            self.audit(AuditDraft {
                by,
                act: AuditAct::Released,
                case: Some(case),
                sanction: None,
                took_ms: None,
                details: details_of(id, None),
            })?;
        }
        Ok(())
    }

    fn has_other_administrator(&self, id: OperatorId) -> Result<bool, SqliteError> {
        let mut other = self.conn.prepare_cached(
            "SELECT 1 FROM operators WHERE no <> ?1 AND role = 2 AND disabled IS NULL",
        )?;
        Ok(other.exists([int(id.0)])?)
    }

    fn write_change(&self, id: OperatorId, change: OperatorChange) -> Result<(), SqliteError> {
        let put = |sql: &str, value: &dyn rusqlite::ToSql| {
            let mut put = self.conn.prepare_cached(sql)?;
            put.execute((int(id.0), value))
        };
        match change {
            OperatorChange::Password(hash) => {
                put("UPDATE operators SET password = ?2 WHERE no = ?1", &hash)?;
            }
            OperatorChange::Role(role) => {
                put("UPDATE operators SET role = ?2 WHERE no = ?1", &role.code())?;
            }
            OperatorChange::Disabled(disabled) => {
                let since = disabled.then_some(self.now.0);
                put("UPDATE operators SET disabled = ?2 WHERE no = ?1", &since)?;
            }
            OperatorChange::Totp(totp) => {
                let (secret, codes) = totp.unzip();
                put(
                    "UPDATE operators SET totp = ?2, totp_step = -1 WHERE no = ?1",
                    &secret,
                )?;
                let mut forget = self
                    .conn
                    .prepare_cached("DELETE FROM recovery_codes WHERE operator = ?1")?;
                forget.execute([int(id.0)])?;
                for code in codes.into_iter().flatten() {
                    put(
                        "INSERT OR IGNORE INTO recovery_codes (operator, hash) VALUES (?1, ?2)",
                        &code.0,
                    )?;
                }
            }
        }
        Ok(())
    }
}

/// Whether it is so already.
fn is_so(operator: &Operator, change: &OperatorChange) -> bool {
    match change {
        OperatorChange::Password(_) | OperatorChange::Totp(Some(_)) => false,
        OperatorChange::Totp(None) => operator.totp.is_none(),
        OperatorChange::Role(role) => *role == operator.role,
        OperatorChange::Disabled(disabled) => *disabled == operator.disabled.is_some(),
    }
}
