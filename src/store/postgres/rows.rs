//! Rows to values and back: the only place that knows how entries and rooms are spelled in columns.
//! Decides nothing.

use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use super::error::BackendError;
use crate::domain::entry::QUOTE_CHARS;
use crate::domain::id::{Address, NodeId, RoomId, Seq, SessionId, Side, Timestamp};
use crate::domain::{Entry, EntryKind, LeaveReason, Persona, Quote, Reaction};
use crate::store::{Hearing, RoomPeople};

/// One column; what does not fit is damage.
pub(super) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> Result<T, BackendError> {
    row.try_get(column)
        .map_err(|_| BackendError::Damaged("a column that cannot be read"))
}

/// A count as the database keeps it.
pub(super) fn int(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

/// A size as the database takes it.
pub(super) fn size(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A length of time as the database takes it: milliseconds.
pub(super) fn millis(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// A session as a column.
pub(super) fn session(session: SessionId) -> Uuid {
    Uuid::from_bytes(session.0)
}

/// A session from a column.
pub(super) fn session_id(column: Uuid) -> SessionId {
    SessionId(column.into_bytes())
}

/// A side as a column.
pub(super) fn side_code(side: Side) -> i16 {
    match side {
        Side::A => 0,
        Side::B => 1,
    }
}

/// A side from a column.
pub(super) fn side(value: i64) -> Result<Side, BackendError> {
    let index = usize::try_from(value).ok();
    let side = index.and_then(Side::from_index);
    side.ok_or(BackendError::Damaged("an entry of neither side"))
}

/// A place in a log from a column.
pub(super) fn seq(value: i64) -> Result<Seq, BackendError> {
    let value = u64::try_from(value).map_err(|_| BackendError::Damaged("a negative seq"))?;
    Ok(Seq(value))
}

/// A reason as a column.
pub(super) fn reason_code(reason: LeaveReason) -> i16 {
    match reason {
        LeaveReason::Left => 0,
        LeaveReason::NoShow => 1,
        LeaveReason::Timeout => 2,
        LeaveReason::TimeUp => 3,
        LeaveReason::NoShowOfBoth => 4,
        LeaveReason::TimeoutOfBoth => 5,
    }
}

/// A reason from a column.
pub(super) fn reason(value: i64) -> Result<LeaveReason, BackendError> {
    match value {
        0 => Ok(LeaveReason::Left),
        1 => Ok(LeaveReason::NoShow),
        2 => Ok(LeaveReason::Timeout),
        3 => Ok(LeaveReason::TimeUp),
        4 => Ok(LeaveReason::NoShowOfBoth),
        5 => Ok(LeaveReason::TimeoutOfBoth),
        _ => Err(BackendError::Damaged("a departure for no known reason")),
    }
}

/// A reaction from a column.
pub(super) fn reaction(code: Option<i16>) -> Result<Option<Reaction>, BackendError> {
    let unknown = BackendError::Damaged("a reaction of no known kind");
    code.map(|code| Reaction::from_code(code.into()).ok_or(unknown))
        .transpose()
}

/// What people wrote, from a column.
pub(super) fn text(bytes: Vec<u8>) -> Result<String, BackendError> {
    String::from_utf8(bytes).map_err(|_| BackendError::Damaged("a text that is not UTF-8"))
}

/// [`text`], without taking it out of its row.
pub(super) fn text_here(bytes: &[u8]) -> Result<&str, BackendError> {
    std::str::from_utf8(bytes).map_err(|_| BackendError::Damaged("a text that is not UTF-8"))
}

/// How much of a quoted text [`ENTRY`] asks for: one character more than a quote shows, each of four bytes.
const QUOTED_BYTES: usize = 4 * (QUOTE_CHARS + 1);

/// The beginning of a quoted text; the last character of it may have been cut through.
fn quoted_text(bytes: &[u8]) -> Result<&str, BackendError> {
    match std::str::from_utf8(bytes) {
        Err(error) if bytes.len() == QUOTED_BYTES && error.error_len().is_none() => {
            text_here(&bytes[..error.valid_up_to()])
        }
        _ => text_here(bytes),
    }
}

/// The columns of an entry as [`entry`] wants them; `e` is the entry, `t` what it refers to, of whose text no more is
/// fetched than [`QUOTED_BYTES`].
pub(super) const ENTRY: &str = "e.seq, e.kind, e.side, e.client_id, e.body, e.target, e.reason, \
     e.at, CASE e.kind WHEN 3 THEN e.hidden | (t.hidden & 15::smallint) ELSE e.hidden END AS hidden, \
     t.side AS target_side, substring(t.body FROM 1 FOR 804) AS target_body";
/// The join that goes with [`ENTRY`].
pub(super) const TARGET: &str = "LEFT JOIN entries t ON t.room = e.room AND t.seq = e.target";

/// An entry from a row with the columns of [`ENTRY`].
pub(super) fn entry(row: &Row) -> Result<Entry, BackendError> {
    let by = side(get::<i16>(row, "side")?.into())?;
    let kind = match get::<i16>(row, "kind")? {
        0 => EntryKind::Message {
            side: by,
            client_id: text(get(row, "client_id")?)?,
            content: get::<Option<_>>(row, "body")?.map(text).transpose()?,
            reply: quote(row)?,
        },
        1 => EntryKind::Recall {
            side: by,
            target: seq(get(row, "target")?)?,
            client_id: text(get(row, "client_id")?)?,
        },
        2 => EntryKind::Departure {
            side: by,
            reason: reason(get::<i16>(row, "reason")?.into())?,
        },
        3 => EntryKind::Reaction {
            side: by,
            target: seq(get(row, "target")?)?,
            reaction: reaction(get(row, "reason")?)?,
        },
        _ => return Err(BackendError::Damaged("an entry of unknown kind")),
    };
    Ok(Entry {
        seq: seq(get(row, "seq")?)?,
        at: Timestamp(get(row, "at")?),
        kind,
    })
}

/// What a message answers, from the columns `target`, `target_side` and `target_body`.
pub(super) fn quote(row: &Row) -> Result<Option<Quote>, BackendError> {
    let Some(target) = get::<Option<i64>>(row, "target")? else {
        return Ok(None);
    };
    let content: Option<&[u8]> = get(row, "target_body")?;
    Ok(Some(Quote::of(
        seq(target)?,
        side(get::<i16>(row, "target_side")?.into())?,
        content.map(quoted_text).transpose()?,
    )))
}

/// Whether this side asked not to be sent the entry again, or not the message that it reacts to; or was never to hear of it.
fn hidden_from(row: &Row, side: Side) -> Result<bool, BackendError> {
    Ok(get::<i16>(row, "hidden")? & ((1 << side.index()) | unheard_bit(side)) != 0)
}

/// The bit of `entries.hidden` of a side that was never to hear of the entry.
pub(super) fn unheard_bit(side: Side) -> i16 {
    4 << side.index()
}

/// The bit of `entries.hidden` of a side that is told no more than that the entry is there.
fn emptied_bit(side: Side) -> i16 {
    16 << side.index()
}

/// What the other side is told of an entry of this one, as `entries.hidden` has it.
pub(super) fn kept_from(hearing: Hearing, by: Side) -> i16 {
    match hearing {
        Hearing::Whole => 0,
        Hearing::Emptied => emptied_bit(by.other()),
        Hearing::Nothing => unheard_bit(by.other()),
    }
}

/// The same, read.
pub(super) fn hearing(row: &Row, by: Side) -> Result<Hearing, BackendError> {
    let hidden: i16 = get(row, "hidden")?;
    Ok(match by.other() {
        other if hidden & unheard_bit(other) != 0 => Hearing::Nothing,
        other if hidden & emptied_bit(other) != 0 => Hearing::Emptied,
        _ => Hearing::Whole,
    })
}

/// The entry of this row as this side is told it; `None` where it is hidden from it.
pub(super) fn told(row: &Row, entry: Entry, side: Side) -> Result<Option<Entry>, BackendError> {
    if hidden_from(row, side)? {
        return Ok(None);
    }
    Ok(Some(match get::<i16>(row, "hidden")? & emptied_bit(side) {
        0 => entry,
        _ => entry.emptied(),
    }))
}

/// The side that was never to hear of this message.
pub(super) fn unheard(row: &Row) -> Result<Option<Side>, BackendError> {
    let hidden: i16 = get(row, "hidden")?;
    let unheard = |side: &Side| hidden & unheard_bit(*side) != 0;
    Ok(Side::BOTH.into_iter().find(unheard))
}

/// Both personas, from a column.
pub(super) fn people(room: RoomId, column: &[u8]) -> Result<Arc<RoomPeople>, BackendError> {
    let personas: [Persona; 2] = json(column)?;
    Ok(Arc::new(RoomPeople { room, personas }))
}

/// A value that is kept as JSON.
pub(super) fn json<T: serde::de::DeserializeOwned>(column: &[u8]) -> Result<T, BackendError> {
    serde_json::from_slice(column)
        .map_err(|_| BackendError::Damaged("a room whose people cannot be read"))
}

/// A connection from two columns.
pub(super) fn address(node: Option<i64>, number: Option<i64>) -> Option<Address> {
    node.zip(number).map(|(node, number)| Address {
        node: NodeId(node.cast_unsigned()),
        number: number.cast_unsigned(),
    })
}
