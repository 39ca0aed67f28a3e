//! Evidence: a room's entries are copied in the transaction that reads them.

use rusqlite::{Connection, params};

use super::super::error::SqliteError;
use super::super::rows as log_rows;
use super::super::writer::Writer;
use super::rows::{self, int, size};
use crate::domain::id::{RoomId, Seq, Side};
use crate::domain::safety::evidence::{EVIDENCE_ROOMS, EXTENDED_ENTRIES};
use crate::domain::safety::report::Chosen;
use crate::domain::safety::{CaseId, frozen};
use crate::domain::{Entry, EntryKind, Quote};

pub(super) const MESSAGE: i64 = 0;
pub(super) const RECALL: i64 = 1;
pub(super) const DEPARTURE: i64 = 2;
pub(super) const REACTION: i64 = 3;

impl Writer {
    /// Freezes what is chosen of a room for a case; what is frozen already stays as it is. The room is known.
    pub(super) fn freeze(
        &mut self,
        case: CaseId,
        room: RoomId,
        chosen: &Chosen,
    ) -> Result<(), SqliteError> {
        let Some(evidence) = self.evidence_of(case, room)? else {
            return Ok(());
        };
        let Some(cached) = self.cached(room)? else {
            return Ok(());
        };
        let row = |seq: Seq| cached.rows_after(Seq(seq.0 - 1), 1).first().copied();
        let wanted: Vec<(Seq, Option<i64>)> = frozen(cached.last_seq(), chosen)
            .into_iter()
            .map(|seq| (seq, row(seq)))
            .collect();
        let mut damaged = false;
        let mut kept = self.kept(evidence)?;
        for (seq, row) in wanted {
            if kept >= EXTENDED_ENTRIES {
                break;
            }
            if self.is_kept(evidence, seq)? {
                continue;
            }
            match self.copied(row) {
                Ok(Some(entry)) => {
                    insert(&self.conn, evidence, &entry)?;
                    kept += 1;
                }
                Ok(None) => damaged = true,
                Err(fault) if self.survives(&fault) => {
                    fault.count();
                    damaged = true;
                }
                Err(fault) => return Err(fault),
            }
        }
        if damaged {
            let mut note = self
                .conn
                .prepare_cached("UPDATE evidence SET damaged = 1 WHERE no = ?1")?;
            note.execute([evidence])?;
        }
        Ok(())
    }

    fn copied(&self, row: Option<i64>) -> Result<Option<Entry>, SqliteError> {
        let Some(row) = row else {
            return Ok(None);
        };
        let stored = log_rows::read_entry(&self.conn, row)?;
        Ok(stored.map(|stored| stored.entry))
    }

    fn kept(&self, evidence: i64) -> Result<usize, SqliteError> {
        let mut count = self
            .conn
            .prepare_cached("SELECT count(*) FROM evidence_entries WHERE evidence = ?1")?;
        let kept: i64 = count.query_row([evidence], |row| row.get(0))?;
        Ok(usize::try_from(kept).unwrap_or(usize::MAX))
    }

    fn is_kept(&self, evidence: i64, seq: Seq) -> Result<bool, SqliteError> {
        let mut known = self
            .conn
            .prepare_cached("SELECT 1 FROM evidence_entries WHERE evidence = ?1 AND seq = ?2")?;
        Ok(known.exists((evidence, int(seq.0)))?)
    }

    /// The row of a room's evidence for a case, made if there is none; `None` when the case has that of enough rooms.
    fn evidence_of(&mut self, case: CaseId, room: RoomId) -> Result<Option<i64>, SqliteError> {
        let now = self.now;
        let Some(cached) = self.cached(room)? else {
            return Ok(None);
        };
        let facts = &cached.facts;
        let (no, opened_at, sessions) = (facts.no, facts.opened_at, facts.sessions);
        let people = rows::json(&facts.people.personas)?;
        let id = room.0.into_bytes();
        let conn = &self.conn;
        let mut known =
            conn.prepare_cached("SELECT no FROM evidence WHERE case_no = ?1 AND room = ?2")?;
        let of = (int(case.0), id);
        if let Some(evidence) = rows::one(known.query(of)?, |row| Ok(row.get(0)?))? {
            let mut fill = conn.prepare_cached(
                "UPDATE evidence SET \
                 networks_a = coalesce(networks_a, (SELECT networks FROM room_networks WHERE room = ?2 AND side = 0)), \
                 networks_b = coalesce(networks_b, (SELECT networks FROM room_networks WHERE room = ?2 AND side = 1)) \
                 WHERE no = ?1",
            )?;
            fill.execute((evidence, no))?;
            return Ok(Some(evidence));
        }
        let mut count = conn.prepare_cached("SELECT count(*) FROM evidence WHERE case_no = ?1")?;
        let rooms: i64 = count.query_row([int(case.0)], |row| row.get(0))?;
        if rooms >= size(EVIDENCE_ROOMS) {
            return Ok(None);
        }
        let mut insert = conn.prepare_cached(
            "INSERT INTO evidence (case_no, room, at, opened_at, session_a, session_b, people, networks_a, networks_b) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, \
             (SELECT networks FROM room_networks WHERE room = ?8 AND side = 0), \
             (SELECT networks FROM room_networks WHERE room = ?8 AND side = 1))",
        )?;
        let [a, b] = sessions;
        insert.execute(params![
            int(case.0),
            id,
            now.0,
            opened_at.0,
            a.0,
            b.0,
            people,
            no
        ])?;
        let evidence = conn.last_insert_rowid();
        let mut dress = conn.prepare_cached("UPDATE cases SET bare = 0 WHERE no = ?1")?;
        dress.execute([int(case.0)])?;
        Ok(Some(evidence))
    }
}

fn insert(conn: &Connection, evidence: i64, entry: &Entry) -> Result<(), SqliteError> {
    let mut statement = conn.prepare_cached(
        "INSERT INTO evidence_entries (evidence, seq, at, kind, side, client_id, body, target, reason, \
         quoted_side, quoted, quoted_cut) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    let row = columns(&entry.kind);
    statement.execute(params![
        evidence,
        int(entry.seq.0),
        entry.at.0,
        row.kind,
        size(row.side.index()),
        row.client_id,
        row.body,
        row.target.map(|seq| int(seq.0)),
        row.reason,
        row.reply.map(|it| size(it.side.index())),
        row.reply.and_then(|it| it.content.as_deref()),
        row.reply.map(|it| it.cut),
    ])?;
    Ok(())
}

/// What happened, as columns.
struct Columns<'a> {
    kind: i64,
    side: Side,
    client_id: Option<&'a str>,
    body: Option<&'a str>,
    reply: Option<&'a Quote>,
    target: Option<Seq>,
    reason: Option<i64>,
}

fn columns(kind: &EntryKind) -> Columns<'_> {
    let columns = |kind, side| Columns {
        kind,
        side,
        client_id: None,
        body: None,
        reply: None,
        target: None,
        reason: None,
    };
    match kind {
        EntryKind::Message {
            side,
            client_id,
            content,
            reply,
        } => Columns {
            client_id: Some(client_id),
            body: content.as_deref(),
            reply: reply.as_ref(),
            target: reply.as_ref().map(|it| it.seq),
            ..columns(MESSAGE, *side)
        },
        EntryKind::Recall {
            side,
            target,
            client_id,
        } => Columns {
            client_id: Some(client_id),
            target: Some(*target),
            ..columns(RECALL, *side)
        },
        EntryKind::Reaction {
            side,
            target,
            reaction,
        } => Columns {
            target: Some(*target),
            reason: reaction.map(|it| i64::from(it.code())),
            ..columns(REACTION, *side)
        },
        EntryKind::Departure { side, reason } => Columns {
            reason: Some(log_rows::reason_code(*reason)),
            ..columns(DEPARTURE, *side)
        },
    }
}
