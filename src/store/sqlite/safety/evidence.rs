//! Evidence, read back as it was frozen.

use rusqlite::{Connection, Row};

use super::super::error::SqliteError;
use super::super::rows as log_rows;
use super::freeze::{DEPARTURE, MESSAGE, REACTION, RECALL};
use super::rows::{self, int};
use crate::domain::id::{RoomId, Seq, SessionId, Side, Timestamp};
use crate::domain::safety::{CaseId, Evidence};
use crate::domain::{Entry, EntryKind, Quote, Reaction};

/// What is kept of a room for a case.
pub(super) fn read(
    conn: &Connection,
    case: CaseId,
    room: RoomId,
) -> Result<Option<Evidence>, SqliteError> {
    let mut statement = conn.prepare_cached(
        "SELECT no, at, opened_at, session_a, session_b, people, networks_a, networks_b, damaged \
         FROM evidence WHERE case_no = ?1 AND room = ?2",
    )?;
    let of = (int(case.0), room.0.into_bytes());
    let found = rows::one(statement.query(of)?, |row| {
        let people: String = row.get(5)?;
        let evidence = Evidence {
            case,
            room,
            at: Timestamp(row.get(1)?),
            opened_at: Timestamp(row.get(2)?),
            sessions: [SessionId(row.get(3)?), SessionId(row.get(4)?)],
            personas: rows::from_json(&people)?,
            networks: [rows::networks(row, 6)?, rows::networks(row, 7)?],
            entries: Vec::new(),
            damaged: row.get(8)?,
        };
        Ok((row.get::<_, i64>(0)?, evidence))
    })?;
    let Some((no, mut evidence)) = found else {
        return Ok(None);
    };
    let mut statement = conn.prepare_cached(
        "SELECT seq, at, kind, side, client_id, body, target, reason, quoted_side, quoted, quoted_cut \
         FROM evidence_entries WHERE evidence = ?1 ORDER BY seq",
    )?;
    let mut entries = statement.query([no])?;
    while let Some(row) = entries.next()? {
        // One that is damaged keeps back no other.
        match entry(row) {
            Ok(entry) => evidence.entries.push(entry),
            Err(_) => evidence.damaged = true,
        }
    }
    Ok(Some(evidence))
}

fn entry(row: &Row<'_>) -> Result<Entry, SqliteError> {
    const BROKEN: SqliteError = SqliteError::Damaged("an entry of evidence that cannot be read");
    let side = log_rows::side(row.get(3)?)?;
    let target = rows::optional(row, 6, |seq: i64| Seq(seq.cast_unsigned()))?;
    let reason: Option<i64> = row.get(7)?;
    let kind = match row.get(2)? {
        MESSAGE => EntryKind::Message {
            side,
            client_id: row.get(4)?,
            content: row.get(5)?,
            reply: target.map(|seq| quote(row, seq)).transpose()?,
        },
        RECALL => EntryKind::Recall {
            side,
            target: target.ok_or(BROKEN)?,
            client_id: row.get(4)?,
        },
        REACTION => EntryKind::Reaction {
            side,
            target: target.ok_or(BROKEN)?,
            reaction: reason.and_then(Reaction::from_code),
        },
        DEPARTURE => EntryKind::Departure {
            side,
            reason: log_rows::reason(reason.ok_or(BROKEN)?)?,
        },
        _ => return Err(BROKEN),
    };
    Ok(Entry {
        seq: Seq(rows::counted(row, 0)?),
        at: Timestamp(row.get(1)?),
        kind,
    })
}

fn quote(row: &Row<'_>, seq: Seq) -> Result<Quote, SqliteError> {
    let side: Side = log_rows::side(row.get(8)?)?;
    Ok(Quote {
        seq,
        side,
        content: row.get(9)?,
        cut: row.get(10)?,
    })
}
