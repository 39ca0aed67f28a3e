//! Operators' sessions, and the visitors' sessions that are their own.

use std::time::Duration;

use rusqlite::{Connection, Row};

use super::super::SqliteStore;
use super::super::error::SqliteError;
use super::super::jobs::{self, Mode};
use super::super::writer::Writer;
use super::rows::{self, int, size};
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::operator::{OWN_SESSIONS, SESSIONS};
use crate::domain::safety::{AuditAct, LoginHash, Operator, OperatorId, OperatorSession};
use crate::store::Pending;

/// How old the note of a session's last use may be.
const USE: Duration = Duration::from_secs(60);

const SESSION: &str = "SELECT hash, operator, since, used, visitor FROM operator_sessions";

fn session(row: &Row<'_>) -> Result<OperatorSession, SqliteError> {
    Ok(OperatorSession {
        hash: LoginHash(row.get(0)?),
        operator: OperatorId(rows::counted(row, 1)?),
        since: Timestamp(row.get(2)?),
        used: Timestamp(row.get(3)?),
        visitor: rows::optional(row, 4, SessionId)?,
    })
}

/// Newest first.
pub(super) fn sessions(
    conn: &Connection,
    operator: OperatorId,
) -> Result<Vec<OperatorSession>, SqliteError> {
    let sql = format!("{SESSION} WHERE operator = ?1 ORDER BY no DESC");
    let mut read = conn.prepare_cached(&sql)?;
    rows::collect(read.query([int(operator.0)])?, session)
}

impl SqliteStore {
    /// See [`crate::store::safety::Operators::session`].
    pub(super) fn operator_session(
        &self,
        hash: LoginHash,
        idle: Duration,
        longest: Duration,
    ) -> Pending<Option<(OperatorSession, Operator)>> {
        let writer = self.jobs.clone();
        self.look(move |conn, now| {
            let sql = format!("{SESSION} WHERE hash = ?1 AND used > ?2 AND since > ?3");
            let mut read = conn.prepare_cached(&sql)?;
            let since = (hash.0, now.minus(idle).0, now.minus(longest).0);
            let Some(session) = rows::one(read.query(since)?, session)? else {
                return Ok(None);
            };
            let operator = super::operator::read(conn, session.operator)?;
            let Some(operator) = operator.filter(|it| it.disabled.is_none()) else {
                return Ok(None);
            };
            if session.used <= now.minus(USE) {
                let (job, _) = jobs::job(Mode::Patient, None, move |writer: &mut Writer| {
                    writer.note_use(hash)
                });
                // The next request may find room for it.
                let _ = writer.push_patient(job);
            }
            Ok(Some((session, operator)))
        })
    }
}

impl Writer {
    fn note_use(&mut self, hash: LoginHash) -> Result<(), SqliteError> {
        let mut note = self
            .conn
            .prepare_cached("UPDATE operator_sessions SET used = ?2 WHERE hash = ?1")?;
        note.execute((hash.0, self.now.0))?;
        Ok(())
    }

    pub(super) fn begin_session(&mut self, new: &OperatorSession) -> Result<bool, SqliteError> {
        let operator = super::operator::read(&self.conn, new.operator)?;
        if operator.is_none_or(|it| it.disabled.is_some()) {
            return Ok(false);
        }
        let of = int(new.operator.0);
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO operator_sessions (hash, operator, since, used, visitor) VALUES (?1, ?2, ?3, ?3, ?4)",
        )?;
        insert.execute((new.hash.0, of, self.now.0, new.visitor.map(|it| it.0)))?;
        let mut trim = self.conn.prepare_cached(
            "DELETE FROM operator_sessions WHERE no IN \
             (SELECT no FROM operator_sessions WHERE operator = ?1 ORDER BY no DESC LIMIT -1 OFFSET ?2)",
        )?;
        trim.execute((of, size(SESSIONS)))?;
        drop((insert, trim));
        if let Some(visitor) = new.visitor {
            self.note_visitor(new.operator, visitor)?;
        }
        self.audit_act(Some(new.operator), AuditAct::LoggedIn, None, None)?;
        Ok(true)
    }

    pub(super) fn end_sessions(
        &mut self,
        operator: OperatorId,
        which: Option<LoginHash>,
    ) -> Result<usize, SqliteError> {
        let mut end = self.conn.prepare_cached(
            "DELETE FROM operator_sessions WHERE operator = ?1 AND (?2 IS NULL OR hash = ?2)",
        )?;
        Ok(end.execute((int(operator.0), which.map(|hash| hash.0)))?)
    }

    pub(super) fn note_visitor(
        &mut self,
        operator: OperatorId,
        visitor: SessionId,
    ) -> Result<(), SqliteError> {
        let of = int(operator.0);
        // Anew each time, so that the newest has the largest number.
        let mut note = self.conn.prepare_cached(
            "INSERT OR REPLACE INTO operator_visitors (operator, visitor) VALUES (?1, ?2)",
        )?;
        note.execute((of, visitor.0))?;
        let mut trim = self.conn.prepare_cached(
            "DELETE FROM operator_visitors WHERE no IN \
             (SELECT no FROM operator_visitors WHERE operator = ?1 ORDER BY no DESC LIMIT -1 OFFSET ?2)",
        )?;
        trim.execute((of, size(OWN_SESSIONS)))?;
        Ok(())
    }
}
