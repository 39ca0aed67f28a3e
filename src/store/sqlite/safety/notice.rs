//! Notices: written with what they tell, read and confirmed by the one they are for.

use rusqlite::{Connection, Row, params};

use super::super::error::SqliteError;
use super::super::writer::Writer;
use super::rows::{self, int, size};
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::{
    AppealState, CaseKind, Notice, NoticeId, NoticeKind, Reason, SanctionId,
};
use crate::store::safety::{Appealed, LISTED};

/// Most notices that a session is told.
const TOLD: usize = 50;

/// What [`notice`] reads; whether its appeal is open, and whether what it tells of was lifted.
const NOTICE: &str = "SELECT n.id, n.recipient, n.kind, n.rule, n.text, n.at, n.until, n.automatic, n.acted, \
     n.sanction, n.acknowledged, n.appealed, \
     EXISTS (SELECT 1 FROM cases c WHERE c.no = n.appealed AND c.closed_at IS NULL), \
     EXISTS (SELECT 1 FROM sanctions l WHERE l.lifts = n.sanction) FROM notices n";

/// A notice that is to be written now.
pub(super) struct NewNotice<'a> {
    pub(super) to: SessionId,
    pub(super) kind: NoticeKind,
    pub(super) rule: Option<Reason>,
    pub(super) text: &'a str,
    pub(super) until: Option<Timestamp>,
    pub(super) automatic: bool,
    pub(super) acted: Option<bool>,
    pub(super) sanction: Option<SanctionId>,
}

/// The newest notices for a session.
pub(super) fn read(conn: &Connection, to: SessionId) -> Result<Vec<Notice>, SqliteError> {
    let sql = format!("{NOTICE} WHERE n.recipient = ?1 ORDER BY n.no DESC LIMIT ?2");
    let mut read = conn.prepare_cached(&sql)?;
    rows::readable(read.query((to.0, size(TOLD)))?, notice)
}

/// The sessions that notices are for which are not confirmed.
pub(super) fn unread_since(
    conn: &Connection,
    after: u64,
) -> Result<Vec<(u64, SessionId)>, SqliteError> {
    let mut read = conn.prepare_cached(
        "SELECT no, recipient FROM notices WHERE no > ?1 AND acknowledged IS NULL ORDER BY no LIMIT ?2",
    )?;
    let found = read.query((int(after), size(LISTED)))?;
    rows::readable(found, |row| {
        let no: i64 = row.get(0)?;
        Ok((no.cast_unsigned(), SessionId(row.get(1)?)))
    })
}

fn notice(row: &Row<'_>) -> Result<Notice, SqliteError> {
    let kind = NoticeKind::from_code(row.get(2)?);
    let kind = kind.ok_or(SqliteError::Damaged("a notice of no known kind"))?;
    let sanction = rows::optional(row, 9, |no: i64| SanctionId(no.cast_unsigned()))?;
    let appealed: Option<i64> = row.get(11)?;
    let (waits, lifted): (bool, bool) = (row.get(12)?, row.get(13)?);
    let tells = matches!(
        kind,
        NoticeKind::Warning | NoticeKind::Mute | NoticeKind::Ban
    );
    let appeal = match appealed {
        _ if !tells || sanction.is_none() => AppealState::None,
        Some(_) if waits => AppealState::Pending,
        Some(_) => AppealState::Decided,
        None if lifted => AppealState::None,
        None => AppealState::Possible,
    };
    Ok(Notice {
        id: NoticeId(rows::uuid(row, 0)?),
        to: SessionId(row.get(1)?),
        kind,
        rule: row
            .get::<_, Option<i64>>(3)?
            .map(rows::reason)
            .transpose()?,
        text: row.get(4)?,
        from: Timestamp(row.get(5)?),
        until: rows::time(row, 6)?,
        automatic: row.get(7)?,
        acted: row.get(8)?,
        sanction,
        acknowledged: rows::time(row, 10)?,
        appeal,
    })
}

impl Writer {
    pub(super) fn insert_notice(&self, new: &NewNotice<'_>) -> Result<(), SqliteError> {
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO notices (id, recipient, kind, rule, text, at, until, automatic, acted, sanction) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        insert.execute(params![
            NoticeId::fresh().0.into_bytes(),
            new.to.0,
            new.kind.code(),
            new.rule.map(Reason::code),
            new.text,
            self.now.0,
            new.until.map(|it| it.0),
            new.automatic,
            new.acted,
            new.sanction.map(|it| int(it.0)),
        ])?;
        Ok(())
    }

    /// See [`crate::store::safety::Sanctions::acknowledge`].
    pub(super) fn acknowledge(&self, to: SessionId, id: NoticeId) -> Result<bool, SqliteError> {
        let mut note = self.conn.prepare_cached(
            "UPDATE notices SET acknowledged = coalesce(acknowledged, ?3) WHERE id = ?1 AND recipient = ?2",
        )?;
        Ok(note.execute((id.0.into_bytes(), to.0, self.now.0))? > 0)
    }

    /// See [`crate::store::safety::Sanctions::appeal`].
    pub(super) fn appeal(
        &self,
        by: SessionId,
        id: NoticeId,
        text: &str,
    ) -> Result<Appealed, SqliteError> {
        let sql = format!("{NOTICE} WHERE n.id = ?1 AND n.recipient = ?2");
        let mut read = self.conn.prepare_cached(&sql)?;
        let id = id.0.into_bytes();
        let Some(notice) = rows::one(read.query((id, by.0))?, notice)? else {
            return Ok(Appealed::Unknown);
        };
        let (sanction, rule) = match (notice.appeal, notice.sanction, notice.rule) {
            (AppealState::Possible, Some(sanction), Some(rule)) => (sanction, rule),
            (AppealState::Pending | AppealState::Decided, ..) => return Ok(Appealed::Already),
            _ => return Ok(Appealed::NotPossible),
        };
        let kind = CaseKind::Appeal(sanction);
        let case = self.open(kind, by, rule, Some(rule), text)?;
        let mut note = self
            .conn
            .prepare_cached("UPDATE notices SET appealed = ?2 WHERE id = ?1")?;
        note.execute((id, int(case.0)))?;
        Ok(Appealed::Done(case))
    }
}
