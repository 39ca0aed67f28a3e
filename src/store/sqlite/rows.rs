//! Rows to values and back: the only place that knows how entries and rooms are spelled in columns.
//! Decides nothing.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::error::Fault;
use super::head::{Facts, Head, Heads, SideState, State};
use crate::id::{Address, NodeId, RoomId, Seq, SessionId, Side, Timestamp};
use crate::model::{Departure, Entry, EntryKind, LeaveReason, Persona, Quote};
use crate::store::RoomPeople;

const MESSAGE: i64 = 0;
const RECALL: i64 = 1;
const DEPARTURE: i64 = 2;

/// An entry as stored.
pub(super) struct Stored {
    pub(super) room: i64,
    pub(super) entry: Entry,
    hidden: i64,
}

impl Stored {
    /// This side asked not to be sent it again.
    pub(super) fn hidden_from(&self, side: Side) -> bool {
        self.hidden & side_bit(side) != 0
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

/// A count as SQLite keeps it.
pub(super) fn int(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

fn seq(value: i64) -> Result<Seq, Fault> {
    let value = u64::try_from(value).map_err(|_| Fault::Damaged("a negative seq"))?;
    Ok(Seq(value))
}

fn side(value: i64) -> Result<Side, Fault> {
    let index = usize::try_from(value).ok();
    let side = index.and_then(Side::from_index);
    side.ok_or(Fault::Damaged("an entry of neither side"))
}

/// Reads one entry with what it refers to; `None` when there is no such row.
pub(super) fn read_entry(conn: &Connection, id: i64) -> Result<Option<Stored>, Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT e.room, e.seq, e.kind, e.side, e.client_id, e.body, e.reason, e.at, e.hidden, \
                e.target, t.room, t.seq, t.side, t.body \
         FROM entries e LEFT JOIN entries t ON t.id = e.target WHERE e.id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(stored).transpose()
}

fn stored(row: &Row<'_>) -> Result<Stored, Fault> {
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
            target: quote(row, room)?
                .ok_or(Fault::Damaged("a recall of nothing"))?
                .seq,
            client_id: row.get(4)?,
        },
        DEPARTURE => EntryKind::Departure {
            side: side(row.get(3)?)?,
            reason: reason(row.get(6)?)?,
        },
        _ => return Err(Fault::Damaged("an entry of unknown kind")),
    };
    let entry = Entry {
        seq: seq(row.get(1)?)?,
        at: Timestamp(row.get(7)?),
        kind,
    };
    let hidden = row.get(8)?;
    Ok(Stored {
        room,
        entry,
        hidden,
    })
}

fn quote(row: &Row<'_>, room: i64) -> Result<Option<Quote>, Fault> {
    if row.get::<_, Option<i64>>(9)?.is_none() {
        return Ok(None);
    }
    if row.get::<_, Option<i64>>(10)? != Some(room) {
        return Err(Fault::Damaged("a reference out of its room"));
    }
    Ok(Some(Quote {
        seq: seq(row.get(11)?)?,
        side: side(row.get(12)?)?,
        content: row.get(13)?,
    }))
}

fn reason(value: i64) -> Result<LeaveReason, Fault> {
    match value {
        0 => Ok(LeaveReason::Left),
        1 => Ok(LeaveReason::NoShow),
        2 => Ok(LeaveReason::Timeout),
        _ => Err(Fault::Damaged("a departure for no known reason")),
    }
}

fn reason_code(reason: LeaveReason) -> i64 {
    match reason {
        LeaveReason::Left => 0,
        LeaveReason::NoShow => 1,
        LeaveReason::Timeout => 2,
    }
}

/// Where a new entry goes.
pub(super) struct Place {
    pub(super) id: i64,
    pub(super) room: i64,
    pub(super) prev: i64,
    /// The row it refers to.
    pub(super) target: Option<i64>,
}

/// Writes one entry.
pub(super) fn insert_entry(conn: &Connection, place: &Place, entry: &Entry) -> Result<(), Fault> {
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
        EntryKind::Departure { side, reason } => {
            (DEPARTURE, side, None, None, Some(reason_code(*reason)))
        }
    };
    let mut statement = conn.prepare_cached(
        "INSERT INTO entries (id, room, seq, prev, kind, side, client_id, body, target, reason, at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
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
    ])?;
    Ok(())
}

/// Writes a new room; answers its number.
pub(super) fn insert_room(conn: &Connection, facts: &Facts, due: Timestamp) -> Result<i64, Fault> {
    let text = |json: serde_json::Result<String>| {
        json.map_err(|_| Fault::Damaged("people that cannot be written"))
    };
    let people = text(serde_json::to_string(&facts.people.personas))?;
    let tags = text(serde_json::to_string(&facts.common_tags))?;
    let mut statement = conn.prepare_cached(
        "INSERT INTO rooms \
         (id, people, common_tags, is_bot, session_a, session_b, opened_at, due_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    statement.execute(params![
        facts.people.room.0.as_bytes(),
        people,
        tags,
        facts.is_bot,
        facts.sessions[0].0,
        facts.sessions[1].0,
        facts.opened_at.0,
        due.0,
    ])?;
    Ok(conn.last_insert_rowid())
}

/// The columns that change, as they are to be.
pub(super) struct RoomRow<'a> {
    pub(super) no: i64,
    pub(super) head: i64,
    pub(super) last_seq: Seq,
    pub(super) due: Option<Timestamp>,
    pub(super) state: &'a State,
}

/// Writes everything about a room that changes.
pub(super) fn update_room(conn: &Connection, row: &RoomRow<'_>) -> Result<(), Fault> {
    let mut statement = conn.prepare_cached(
        "UPDATE rooms SET head = ?2, last_seq = ?3, \
         closed_at = ?4, left_seq = ?5, left_side = ?6, left_reason = ?7, due_at = ?8, \
         joined_a = ?9, away_a = ?10, node_a = ?11, number_a = ?12, cursor_a = ?13, read_a = ?14, \
         joined_b = ?15, away_b = ?16, node_b = ?17, number_b = ?18, cursor_b = ?19, read_b = ?20 \
         WHERE no = ?1",
    )?;
    let [a, b] = &row.state.sides;
    let left = &row.state.departure;
    let time = |at: Option<Timestamp>| at.map(|t| t.0);
    let node = |s: &SideState| s.connection.map(|c| c.node.0.cast_signed());
    let number = |s: &SideState| s.connection.map(|c| c.number.cast_signed());
    statement.execute(params![
        row.no,
        row.head,
        int(row.last_seq),
        left.map(|departure| departure.at.0),
        left.map(|departure| int(departure.seq)),
        left.map(|departure| size(departure.side.index())),
        left.map(|departure| reason_code(departure.reason)),
        time(row.due),
        time(a.joined_at),
        time(a.away_since),
        node(a),
        number(a),
        int(a.cursor),
        int(a.read),
        time(b.joined_at),
        time(b.away_since),
        node(b),
        number(b),
        int(b.cursor),
        int(b.read),
    ])?;
    Ok(())
}

/// Reads a room with the places of all its entries, walking back from the newest; `None` when it is
/// unknown or being erased.
pub(super) fn read_head(
    conn: &Connection,
    heads: &Heads,
    room: RoomId,
) -> Result<Option<Head>, Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT no, people, common_tags, is_bot, session_a, session_b, opened_at, \
         head, last_seq, \
         joined_a, away_a, node_a, number_a, cursor_a, read_a, \
         joined_b, away_b, node_b, number_b, cursor_b, read_b, \
         closed_at, left_seq, left_side, left_reason \
         FROM rooms WHERE id = ?1 AND erasing = 0",
    )?;
    let mut rows = statement.query([room.0.as_bytes()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let facts = facts(row, room)?;
    let state = State {
        sides: [side_state(row, 9)?, side_state(row, 15)?],
        departure: departure(row, 21)?,
        erasing: false,
    };
    let (newest, count) = (row.get(7)?, seq(row.get(8)?)?);
    let (ids, keys) = walk_back(conn, heads, facts.no, newest, count)?;
    Ok(Some(Head::new(facts, state, ids, keys)))
}

fn facts(row: &Row<'_>, room: RoomId) -> Result<Facts, Fault> {
    const BROKEN: Fault = Fault::Damaged("a room whose people cannot be read");
    let people: String = row.get(1)?;
    let personas: [Persona; 2] = serde_json::from_str(&people).map_err(|_| BROKEN)?;
    let tags: String = row.get(2)?;
    Ok(Facts {
        no: row.get(0)?,
        people: Arc::new(RoomPeople { room, personas }),
        sessions: [SessionId(row.get(4)?), SessionId(row.get(5)?)],
        common_tags: serde_json::from_str(&tags).map_err(|_| BROKEN)?,
        is_bot: row.get(3)?,
        opened_at: Timestamp(row.get(6)?),
    })
}

fn side_state(row: &Row<'_>, from: usize) -> Result<SideState, Fault> {
    let time =
        |at: usize| -> Result<_, Fault> { Ok(row.get::<_, Option<i64>>(at)?.map(Timestamp)) };
    let node: Option<i64> = row.get(from + 2)?;
    let number: Option<i64> = row.get(from + 3)?;
    let connection = node.zip(number).map(|(node, number)| Address {
        node: NodeId(node.cast_unsigned()),
        number: number.cast_unsigned(),
    });
    Ok(SideState {
        joined_at: time(from)?,
        connection,
        away_since: time(from + 1)?,
        cursor: seq(row.get(from + 4)?)?,
        read: seq(row.get(from + 5)?)?,
    })
}

fn departure(row: &Row<'_>, from: usize) -> Result<Option<Departure>, Fault> {
    let Some(at) = row.get::<_, Option<i64>>(from)? else {
        return Ok(None);
    };
    Ok(Some(Departure {
        seq: seq(row.get(from + 1)?)?,
        at: Timestamp(at),
        side: side(row.get(from + 2)?)?,
        reason: reason(row.get(from + 3)?)?,
    }))
}

/// Row ids and name hashes of a room's entries, oldest first.
fn walk_back(
    conn: &Connection,
    heads: &Heads,
    room: i64,
    newest: i64,
    count: Seq,
) -> Result<(Vec<i64>, Vec<u32>), Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT room, seq, prev, side, CASE kind WHEN 0 THEN client_id END \
         FROM entries WHERE id = ?1",
    )?;
    let (mut ids, mut keys) = (Vec::new(), Vec::new());
    let (mut at, mut left) = (newest, int(count));
    while at != 0 {
        let mut rows = statement.query([at])?;
        let row = rows
            .next()?
            .ok_or(Fault::Damaged("an entry that is missing"))?;
        // Both also make sure that a damaged chain ends.
        if row.get::<_, i64>(0)? != room || row.get::<_, i64>(1)? != left {
            return Err(Fault::Damaged("an entry out of its place"));
        }
        let name = row.get_ref(4)?.as_str_or_null();
        let name = name.map_err(|_| Fault::Damaged("a message without a name"))?;
        let side = side(row.get(3)?)?;
        ids.push(at);
        keys.push(name.map_or(0, |name| heads.key(side, name)));
        at = row.get(2)?;
        left -= 1;
    }
    if left != 0 {
        return Err(Fault::Damaged("a room that lost its beginning"));
    }
    ids.reverse();
    keys.reverse();
    Ok((ids, keys))
}

/// The number and the newest seq of a room that is not remembered; `None` when unknown or being
/// erased.
pub(super) fn read_last_seq(conn: &Connection, room: RoomId) -> Result<Option<Seq>, Fault> {
    let mut statement =
        conn.prepare_cached("SELECT last_seq FROM rooms WHERE id = ?1 AND erasing = 0")?;
    let found = statement.query_row([room.0.as_bytes()], |row| row.get(0));
    found.optional()?.map(seq).transpose()
}

/// A room's name from a column.
pub(super) fn room_id(bytes: [u8; 16]) -> RoomId {
    RoomId(Uuid::from_bytes(bytes))
}
