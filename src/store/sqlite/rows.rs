//! Rows to values and back: how entries are spelled in columns, and what small values look like there.
//! Rooms' rows are in [`super::room_rows`]. Decides nothing.

use rusqlite::{Connection, Row, Statement, params};
use uuid::Uuid;

use super::error::SqliteError;
use crate::domain::id::{RoomId, Seq, Side, Timestamp};
use crate::domain::{Entry, EntryKind, LeaveReason, Quote, Reaction};
use crate::store::Hearing;
use crate::store::rules::SideReactions;

const MESSAGE: i64 = 0;
const RECALL: i64 = 1;
const DEPARTURE: i64 = 2;
const REACTION: i64 = 3;

/// An entry as stored.
pub(super) struct Stored {
    pub(super) room: i64,
    pub(super) entry: Entry,
    /// Of a reaction also the sides that its message is hidden from.
    hidden: i64,
}

impl Stored {
    /// This side asked not to be sent it again, or not the message that it reacts to; or was never to hear of it.
    pub(super) fn hidden_from(&self, side: Side) -> bool {
        self.hidden & (side_bit(side) | unheard_bit(side)) != 0
    }

    /// This side was never to hear of it.
    pub(super) fn unheard_by(&self, side: Side) -> bool {
        self.hidden & unheard_bit(side) != 0
    }

    /// The entry as this side is told it, should it not be hidden from it.
    pub(super) fn told(self, side: Side) -> Entry {
        match self.hidden & emptied_bit(side) {
            0 => self.entry,
            _ => self.entry.emptied(),
        }
    }

    /// The message in it: who, under which name, saying what. `None` for other kinds.
    pub(super) fn message(&self) -> Option<(Side, &str, Option<&str>)> {
        match &self.entry.kind {
            EntryKind::Message {
                side,
                client_id,
                content,
                ..
            } => Some((*side, client_id, content.as_deref())),
            _ => None,
        }
    }
}

/// A size as SQLite takes it.
pub(super) fn size(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The bit of `entries.hidden`.
pub(super) fn side_bit(side: Side) -> i64 {
    1 << side.index()
}

/// The bit of `entries.hidden` of a side that was never to hear of the entry.
pub(super) fn unheard_bit(side: Side) -> i64 {
    4 << side.index()
}

/// The bit of `entries.hidden` of a side that is told no more than that the entry is there.
pub(super) fn emptied_bit(side: Side) -> i64 {
    16 << side.index()
}

/// The bits of `entries.hidden` that keep reactions to a message from a side as well.
const HIDES: i64 = 15;

/// What the other side is told of an entry of this one, as `entries.hidden` has it.
fn kept_from(hearing: Hearing, by: Side) -> i64 {
    match hearing {
        Hearing::Whole => 0,
        Hearing::Emptied => emptied_bit(by.other()),
        Hearing::Nothing => unheard_bit(by.other()),
    }
}

/// A count as SQLite keeps it.
pub(super) fn int(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

pub(super) fn seq(value: i64) -> Result<Seq, SqliteError> {
    let value = u64::try_from(value).map_err(|_| SqliteError::Damaged("a negative seq"))?;
    Ok(Seq(value))
}

pub(super) fn side(value: i64) -> Result<Side, SqliteError> {
    let index = usize::try_from(value).ok();
    let side = index.and_then(Side::from_index);
    side.ok_or(SqliteError::Damaged("an entry of neither side"))
}

/// Reads one entry with what it refers to; `None` when there is no such row.
pub(super) fn read_entry(conn: &Connection, id: i64) -> Result<Option<Stored>, SqliteError> {
    let mut statement = conn.prepare_cached(
        "SELECT e.room, e.seq, e.kind, e.side, e.client_id, e.body, e.reason, e.at, e.hidden, \
                e.target, t.room, t.seq, t.side, t.body, t.hidden \
         FROM entries e LEFT JOIN entries t ON t.id = e.target WHERE e.id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(stored).transpose()
}

fn stored(row: &Row<'_>) -> Result<Stored, SqliteError> {
    let room = row.get(0)?;
    let kind = match row.get(2)? {
        MESSAGE => EntryKind::Message {
            side: side(row.get(3)?)?,
            client_id: row.get(4)?,
            content: row.get(5)?,
            reply: quote(row, room)?,
        },
        RECALL => EntryKind::Recall {
            side: side(row.get(3)?)?,
            target: target(row, room)?.ok_or(SqliteError::Damaged("a recall of nothing"))?,
            client_id: row.get(4)?,
        },
        REACTION => EntryKind::Reaction {
            side: side(row.get(3)?)?,
            target: target(row, room)?.ok_or(SqliteError::Damaged("a reaction to nothing"))?,
            reaction: reaction(row.get(6)?)?,
        },
        DEPARTURE => EntryKind::Departure {
            side: side(row.get(3)?)?,
            reason: reason(row.get(6)?)?,
        },
        _ => return Err(SqliteError::Damaged("an entry of unknown kind")),
    };
    let entry = Entry {
        seq: seq(row.get(1)?)?,
        at: Timestamp(row.get(7)?),
        kind,
    };
    let hidden = match entry.kind {
        EntryKind::Reaction { .. } => row.get::<_, i64>(8)? | row.get::<_, i64>(14)? & HIDES,
        _ => row.get(8)?,
    };
    Ok(Stored {
        room,
        entry,
        hidden,
    })
}

/// Where what an entry refers to stands in the log.
fn target(row: &Row<'_>, room: i64) -> Result<Option<Seq>, SqliteError> {
    if row.get::<_, Option<i64>>(9)?.is_none() {
        return Ok(None);
    }
    if row.get::<_, Option<i64>>(10)? != Some(room) {
        return Err(SqliteError::Damaged("a reference out of its room"));
    }
    seq(row.get(11)?).map(Some)
}

fn quote(row: &Row<'_>, room: i64) -> Result<Option<Quote>, SqliteError> {
    let Some(quoted) = target(row, room)? else {
        return Ok(None);
    };
    let content = row.get_ref(13)?.as_str_or_null();
    let content = content.map_err(rusqlite::Error::from)?;
    Ok(Some(Quote::of(quoted, side(row.get(12)?)?, content)))
}

fn reaction(code: Option<i64>) -> Result<Option<Reaction>, SqliteError> {
    let unknown = SqliteError::Damaged("a reaction of no known kind");
    code.map(|code| Reaction::from_code(code).ok_or(unknown))
        .transpose()
}

/// What a side's reactions to a message are.
#[derive(Default)]
pub(super) struct StoredReactions {
    pub(super) sum: SideReactions,
    /// The row of the one that holds.
    pub(super) standing: Option<i64>,
}

/// A side's reactions to the message of this row.
pub(super) fn reactions(
    conn: &Connection,
    message: i64,
    by: Side,
) -> Result<StoredReactions, SqliteError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, reason, hidden FROM entries WHERE target = ?1 AND kind = 3 AND side = ?2",
    )?;
    let mut rows = statement.query((message, size(by.index())))?;
    let mut found = StoredReactions::default();
    while let Some(row) = rows.next()? {
        found.sum.entries += 1;
        if let Some(standing) = reaction(row.get(1)?)? {
            let kept_back = unheard_bit(by.other()) | emptied_bit(by.other());
            found.sum.standing = Some(standing);
            found.sum.heard = row.get::<_, i64>(2)? & kept_back == 0;
            found.standing = Some(row.get(0)?);
        }
    }
    Ok(found)
}

/// Leaves of a reaction that it was there.
pub(super) fn erase_reaction(conn: &Connection, row: i64) -> Result<(), SqliteError> {
    let mut erase = conn.prepare_cached("UPDATE entries SET reason = NULL WHERE id = ?1")?;
    erase.execute([row])?;
    Ok(())
}

/// The same of all reactions to the message of this row.
pub(super) fn erase_reactions(conn: &Connection, message: i64) -> Result<(), SqliteError> {
    let mut erase = conn.prepare_cached(
        "UPDATE entries SET reason = NULL WHERE target = ?1 AND kind = 3 AND reason IS NOT NULL",
    )?;
    erase.execute([message])?;
    Ok(())
}

pub(super) fn reason(value: i64) -> Result<LeaveReason, SqliteError> {
    match value {
        0 => Ok(LeaveReason::Left),
        1 => Ok(LeaveReason::NoShow),
        2 => Ok(LeaveReason::Timeout),
        3 => Ok(LeaveReason::TimeUp),
        4 => Ok(LeaveReason::NoShowOfBoth),
        5 => Ok(LeaveReason::TimeoutOfBoth),
        _ => Err(SqliteError::Damaged("a departure for no known reason")),
    }
}

pub(super) fn reason_code(reason: LeaveReason) -> i64 {
    match reason {
        LeaveReason::Left => 0,
        LeaveReason::NoShow => 1,
        LeaveReason::Timeout => 2,
        LeaveReason::TimeUp => 3,
        LeaveReason::NoShowOfBoth => 4,
        LeaveReason::TimeoutOfBoth => 5,
    }
}

/// Where a new entry goes.
pub(super) struct EntryPlace {
    pub(super) id: i64,
    pub(super) room: i64,
    pub(super) prev: i64,
    /// The row it refers to.
    pub(super) target: Option<i64>,
    /// What the other side is told of it.
    pub(super) hearing: Hearing,
}

/// Writes entries. Looking the statement up costs a fifth of what executing it does: once is enough.
pub(super) fn insert_entries<'a>(
    conn: &Connection,
    entries: impl IntoIterator<Item = (&'a EntryPlace, &'a Entry)>,
) -> Result<(), SqliteError> {
    let mut statement = conn.prepare_cached(
        "INSERT INTO entries (id, room, seq, prev, kind, side, client_id, body, target, reason, at, hidden) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for (place, entry) in entries {
        insert_entry(&mut statement, place, entry)?;
    }
    Ok(())
}

fn insert_entry(
    statement: &mut Statement<'_>,
    place: &EntryPlace,
    entry: &Entry,
) -> Result<(), SqliteError> {
    let (kind, side, client_id, body, reason) = match &entry.kind {
        EntryKind::Message {
            side,
            client_id,
            content,
            ..
        } => (MESSAGE, side, Some(client_id), content.as_ref(), None),
        EntryKind::Recall {
            side, client_id, ..
        } => (RECALL, side, Some(client_id), None, None),
        EntryKind::Reaction { side, reaction, .. } => {
            let code = reaction.map(|it| i64::from(it.code()));
            (REACTION, side, None, None, code)
        }
        EntryKind::Departure { side, reason } => {
            (DEPARTURE, side, None, None, Some(reason_code(*reason)))
        }
    };
    statement.execute(params![
        place.id,
        place.room,
        int(entry.seq),
        place.prev,
        kind,
        size(side.index()),
        client_id,
        body,
        place.target,
        reason,
        entry.at.0,
        kept_from(place.hearing, *side),
    ])?;
    Ok(())
}

/// A room's name from a column.
pub(super) fn room_id(bytes: [u8; 16]) -> RoomId {
    RoomId(Uuid::from_bytes(bytes))
}
