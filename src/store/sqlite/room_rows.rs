//! Rows of rooms to values and back, with the walk along a room's entries. Decides nothing.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use super::error::SqliteError;
use super::room_cache::{CachedRoom, Facts, RoomCache, RoomRowState, SideRowState};
use super::rows::{int, reason, reason_code, seq, side, size};
use crate::domain::id::{Address, NodeId, RoomId, Seq, SessionId, Side, Timestamp};
use crate::domain::{Departure, Mark, Persona, Position, Presence};
use crate::store::RoomPeople;

/// Writes a new room; answers its number.
pub(super) fn insert_room(
    conn: &Connection,
    facts: &Facts,
    due: Timestamp,
) -> Result<i64, SqliteError> {
    let text = |json: serde_json::Result<String>| {
        json.map_err(|_| SqliteError::Damaged("people that cannot be written"))
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

/// Writes who is in a new room.
pub(super) fn insert_members(conn: &Connection, facts: &Facts) -> Result<(), SqliteError> {
    let mut statement = conn.prepare_cached(
        "INSERT INTO members (session, open, room, side, partner) VALUES (?1, 1, ?2, ?3, ?4)",
    )?;
    for side in Side::BOTH {
        let (mine, theirs) = (side.index(), side.other().index());
        let sessions = (facts.sessions[mine].0, facts.sessions[theirs].0);
        statement.execute((sessions.0, facts.no, size(mine), sessions.1))?;
    }
    Ok(())
}

/// Writes by what the people of a new room would be known. Most rooms have none.
pub(super) fn insert_marks(
    conn: &Connection,
    room: i64,
    marks: &[Vec<Mark>; 2],
) -> Result<(), SqliteError> {
    for side in Side::BOTH {
        for mark in &marks[side.index()] {
            let mut statement = conn.prepare_cached(
                "INSERT OR IGNORE INTO marks (room, side, mark) VALUES (?1, ?2, ?3)",
            )?;
            statement.execute((room, size(side.index()), mark.0.cast_signed()))?;
        }
    }
    Ok(())
}

/// The columns that change, as they are to be.
pub(super) struct RoomRow<'a> {
    pub(super) no: i64,
    pub(super) last_row: i64,
    pub(super) last_seq: Seq,
    pub(super) due: Option<Timestamp>,
    pub(super) state: &'a RoomRowState,
}

/// Writes everything about a room that changes.
pub(super) fn update_room(conn: &Connection, row: &RoomRow<'_>) -> Result<(), SqliteError> {
    let mut statement = conn.prepare_cached(
        "UPDATE rooms SET head = ?2, last_seq = ?3, \
         closed_at = ?4, left_seq = ?5, left_side = ?6, left_reason = ?7, due_at = ?8, \
         joined_a = ?9, away_a = ?10, node_a = ?11, number_a = ?12, cursor_a = ?13, read_a = ?14, \
         joined_b = ?15, away_b = ?16, node_b = ?17, number_b = ?18, cursor_b = ?19, read_b = ?20, \
         version_a = ?21, version_b = ?22, closes_at = ?23, call_for_a = ?24, call_for_b = ?25 \
         WHERE no = ?1",
    )?;
    let [a, b] = &row.state.sides;
    let left = &row.state.departure;
    let time = |at: Option<Timestamp>| at.map(|t| t.0);
    let node = |s: &SideRowState| s.connection.map(|c| c.node.0.cast_signed());
    let number = |s: &SideRowState| s.connection.map(|c| c.number.cast_signed());
    let call_for = |s: &SideRowState| s.call_for.map(|it| Timestamp(0).plus(it).0);
    statement.execute(params![
        row.no,
        row.last_row,
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
        a.version.cast_signed(),
        b.version.cast_signed(),
        time(row.state.closes_at),
        call_for(a),
        call_for(b),
    ])?;
    Ok(())
}

/// A room's entries as a walk along them finds them, oldest first.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Row ids.
    pub(super) rows: Vec<i64>,
    /// Of each the hash of its name, 0 for what is no message.
    pub(super) keys: Vec<u32>,
    /// What they count towards `limits.room_bytes`.
    pub(super) bytes: u64,
}

/// Reads a room with the places of all its entries, walking back from the newest; `None` when it is
/// unknown or being erased.
pub(super) fn read_room(
    conn: &Connection,
    room_cache: &RoomCache,
    room: RoomId,
) -> Result<Option<CachedRoom>, SqliteError> {
    let mut statement = conn.prepare_cached(
        "SELECT no, people, common_tags, is_bot, session_a, session_b, opened_at, \
         head, last_seq, \
         joined_a, away_a, node_a, number_a, cursor_a, read_a, version_a, \
         joined_b, away_b, node_b, number_b, cursor_b, read_b, version_b, \
         closed_at, left_seq, left_side, left_reason, closes_at, call_for_a, call_for_b \
         FROM rooms WHERE id = ?1 AND erasing = 0",
    )?;
    let mut rows = statement.query([room.0.as_bytes()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let facts = facts(row, room)?;
    let state = RoomRowState {
        sides: [side_state(row, 9, 28)?, side_state(row, 16, 29)?],
        departure: departure(row, 23)?,
        closes_at: row.get::<_, Option<i64>>(27)?.map(Timestamp),
        erasing: false,
    };
    let (newest, count) = (row.get(7)?, seq(row.get(8)?)?);
    let log = walk_back(conn, room_cache, facts.no, newest, count)?;
    Ok(Some(CachedRoom::new(facts, state, log)))
}

fn facts(row: &Row<'_>, room: RoomId) -> Result<Facts, SqliteError> {
    const BROKEN: SqliteError = SqliteError::Damaged("a room whose people cannot be read");
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

fn side_state(row: &Row<'_>, from: usize, call_for: usize) -> Result<SideRowState, SqliteError> {
    let time =
        |at: usize| -> Result<_, SqliteError> { Ok(row.get::<_, Option<i64>>(at)?.map(Timestamp)) };
    Ok(SideRowState {
        joined_at: time(from)?,
        connection: connection(row, from + 2)?,
        away_since: time(from + 1)?,
        cursor: seq(row.get(from + 4)?)?,
        read: seq(row.get(from + 5)?)?,
        version: row.get::<_, i64>(from + 6)?.cast_unsigned(),
        call_for: time(call_for)?.map(|it| it.since(Timestamp(0))),
    })
}

fn connection(row: &Row<'_>, from: usize) -> Result<Option<Address>, SqliteError> {
    let node: Option<i64> = row.get(from)?;
    let number: Option<i64> = row.get(from + 1)?;
    Ok(node.zip(number).map(|(node, number)| Address {
        node: NodeId(node.cast_unsigned()),
        number: number.cast_unsigned(),
    }))
}

fn departure(row: &Row<'_>, from: usize) -> Result<Option<Departure>, SqliteError> {
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

/// A room's entries. Of their texts only the lengths are read.
fn walk_back(
    conn: &Connection,
    room_cache: &RoomCache,
    room: i64,
    newest: i64,
    count: Seq,
) -> Result<Log, SqliteError> {
    let mut statement = conn.prepare_cached(
        "SELECT room, seq, prev, side, CASE kind WHEN 0 THEN client_id END, \
             ifnull(octet_length(client_id), 0) + ifnull(octet_length(body), 0) \
         FROM entries WHERE id = ?1",
    )?;
    let mut log = Log::default();
    let (mut at, mut left) = (newest, int(count));
    while at != 0 {
        let mut rows = statement.query([at])?;
        let row = rows
            .next()?
            .ok_or(SqliteError::Damaged("an entry that is missing"))?;
        // Both also make sure that a damaged chain ends.
        if row.get::<_, i64>(0)? != room || row.get::<_, i64>(1)? != left {
            return Err(SqliteError::Damaged("an entry out of its place"));
        }
        let name = row.get_ref(4)?.as_str_or_null();
        let name = name.map_err(|_| SqliteError::Damaged("a message without a name"))?;
        let side = side(row.get(3)?)?;
        log.rows.push(at);
        let key = name.map_or(0, |name| room_cache.key(side, name));
        log.keys.push(key);
        log.bytes += row.get::<_, i64>(5)?.cast_unsigned();
        at = row.get(2)?;
        left -= 1;
    }
    if left != 0 {
        return Err(SqliteError::Damaged("a room that lost its beginning"));
    }
    log.rows.reverse();
    log.keys.reverse();
    Ok(log)
}

/// Where a room that is not remembered stands; `None` when unknown or being erased.
pub(super) fn read_position(
    conn: &Connection,
    room: RoomId,
) -> Result<Option<Position>, SqliteError> {
    let mut statement = conn.prepare_cached(
        "SELECT last_seq, node_a, number_a, version_a, node_b, number_b, version_b \
         FROM rooms WHERE id = ?1 AND erasing = 0",
    )?;
    let mut rows = statement.query([room.0.as_bytes()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let presence = |from| -> Result<Presence, SqliteError> {
        Ok(Presence {
            speaker: connection(row, from)?,
            version: row.get::<_, i64>(from + 2)?.cast_unsigned(),
        })
    };
    Ok(Some(Position {
        room,
        last_seq: seq(row.get(0)?)?,
        presence: [presence(1)?, presence(4)?],
    }))
}
