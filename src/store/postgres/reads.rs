//! What is only read: rooms, pages, positions, relations. Each is one statement, so one consistent
//! look; it may be asked twice when a connection is lost.

use std::collections::HashSet;

use tokio_postgres::Row;
use uuid::Uuid;

use super::error::BackendError;
use super::room_state::{READ, read_room};
use super::rows::{self, get};
use super::shared::Shared;
use crate::domain::id::{RoomId, Seq, SessionId, Side, Timestamp};
use crate::domain::{Mark, Position, Presence, Room};
use crate::store::{Block, HELD, Page, PageLimit, RelationsOf};

/// Most open rooms of one session that are told.
const OPEN_ROOMS: i64 = 32;
/// How many recent partners are told.
const RECENT: usize = 10;
/// Largest number of rooms asked for at once.
const POSITIONS: usize = 1000;

/// One room; `None` when unknown or erased.
pub(super) async fn room(shared: &Shared, room: RoomId) -> Result<Option<Room>, BackendError> {
    let sql = format!("{READ} r.id = $1 AND NOT r.erasing");
    let found = shared.pool.query(&sql, &[&room.0, &shared.now()]).await?;
    let room = found.first().map(|row| read_room(row, &shared.rules));
    room.transpose()
}

/// The open rooms of a session, newest first.
pub(super) async fn open_rooms(
    shared: &Shared,
    session: SessionId,
) -> Result<Vec<Room>, BackendError> {
    let sql = format!(
        "{READ} r.no IN ( \
             (SELECT no FROM rooms WHERE closed_at IS NULL AND session_a = $1 ORDER BY no DESC LIMIT $3) \
             UNION \
             (SELECT no FROM rooms WHERE closed_at IS NULL AND session_b = $1 ORDER BY no DESC LIMIT $3) \
         ) ORDER BY r.no DESC LIMIT $3"
    );
    let session = rows::session(session);
    let found = shared
        .pool
        .query(&sql, &[&session, &shared.now(), &OPEN_ROOMS])
        .await?;
    let rooms = found.iter().map(|row| read_room(row, &shared.rules));
    // A damaged one does not keep its people from the others.
    Ok(rooms
        .filter_map(|room| room.inspect_err(BackendError::count).ok())
        .collect())
}

/// A stretch of a log for one side; `None` when the room is unknown or erased.
///
/// The database ends it by the bytes that are stored, so that no more is sent than a page holds; what they become on
/// the wire is counted here, and is never less.
pub(super) async fn page(
    shared: &Shared,
    room: RoomId,
    side: Side,
    after: Seq,
    limit: PageLimit,
) -> Result<Option<Page>, BackendError> {
    let sql = format!(
        "SELECT r.last_seq, r.closed_at IS NOT NULL AS closed, l.* FROM rooms r LEFT JOIN LATERAL ( \
             SELECT * FROM ( \
                 SELECT {}, coalesce(sum(octet_length(e.body)) OVER ( \
                     ORDER BY e.seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::bigint AS before \
                 FROM entries e {} \
                 WHERE e.room = r.no AND e.seq > $2 AND e.seq <= $3 \
             ) log WHERE before < $4 \
         ) l ON true WHERE r.id = $1 AND NOT r.erasing ORDER BY l.seq",
        rows::ENTRY,
        rows::TARGET
    );
    let from = rows::int(after);
    let to = from.saturating_add(rows::size(limit.rows()));
    // At least one, so that the first row comes.
    let most = rows::size(limit.bytes.max(1));
    let found = shared
        .pool
        .query(&sql, &[&room.0, &from, &to, &most])
        .await?;
    whole_page(found, side, after, limit, (Seq(to.cast_unsigned()), most))
}

/// Makes a page of its rows, which end at `to` or where `most` stored bytes are reached; `None` without a row,
/// when the room is unknown.
fn whole_page(
    found: Vec<Row>,
    side: Side,
    after: Seq,
    limit: PageLimit,
    (to, most): (Seq, i64),
) -> Result<Option<Page>, BackendError> {
    let Some(first) = found.first() else {
        return Ok(None);
    };
    let last_seq = rows::seq(get(first, "last_seq")?)?;
    let mut page = Page {
        entries: Vec::new(),
        upto: after.min(last_seq),
        last_seq,
        closed: get(first, "closed")?,
    };
    let mut bytes = limit.begin();
    // Stored bytes up to here: they explain why there are no more rows.
    let mut stored = 0;
    // Taken one by one: a row is forgotten when its entry is there.
    for row in found {
        if get::<Option<i64>>(&row, "seq")?.is_none() {
            break;
        }
        let entry = rows::entry(&row)?;
        let at = page.upto.next();
        if entry.seq != at {
            return Err(BackendError::Damaged("an entry out of its place"));
        }
        if let Some(entry) = rows::told(&row, entry, side)? {
            if !bytes.take(&entry) {
                return Ok(Some(page));
            }
            page.entries.push(entry);
        }
        page.upto = at;
        let body: Option<&[u8]> = get(&row, "body")?;
        stored =
            get::<i64>(&row, "before")?.saturating_add(rows::size(body.map_or(0, <[u8]>::len)));
    }
    if page.upto < last_seq.min(to) && stored < most {
        return Err(BackendError::Damaged("an entry that is missing"));
    }
    Ok(Some(page))
}

/// Where rooms stand; unknown ones are left out.
pub(super) async fn positions(
    shared: &Shared,
    rooms: &[RoomId],
) -> Result<Vec<Position>, BackendError> {
    let sql = "SELECT r.id, r.last_seq, r.version_a, r.version_b, \
         CASE WHEN a.until > m.now THEN r.node_a END AS node_a, r.number_a, \
         CASE WHEN b.until > m.now THEN r.node_b END AS node_b, r.number_b \
         FROM (SELECT moment($2) AS now) m CROSS JOIN rooms r \
         LEFT JOIN nodes a ON a.node = r.node_a LEFT JOIN nodes b ON b.node = r.node_b \
         WHERE r.id = ANY ($1) AND NOT r.erasing";
    let mut found = Vec::with_capacity(rooms.len());
    for rooms in rooms.chunks(POSITIONS) {
        let ids: Vec<Uuid> = rooms.iter().map(|room| room.0).collect();
        for row in shared.pool.query(sql, &[&ids, &shared.now()]).await? {
            found.push(Position {
                room: RoomId(get(&row, "id")?),
                last_seq: rows::seq(get(&row, "last_seq")?)?,
                presence: [
                    presence(&row, ["node_a", "number_a", "version_a"])?,
                    presence(&row, ["node_b", "number_b", "version_b"])?,
                ],
            });
        }
    }
    Ok(found)
}

fn presence(row: &Row, [node, number, version]: [&str; 3]) -> Result<Presence, BackendError> {
    Ok(Presence {
        speaker: rows::address(get(row, node)?, get(row, number)?),
        version: get::<i64>(row, version)?.cast_unsigned(),
    })
}

/// What matching must know about a session. Renews its blocks when they have not been used for a
/// while: not every search is a write.
pub(super) async fn relations(
    shared: &Shared,
    session: SessionId,
) -> Result<RelationsOf, BackendError> {
    let me = rows::session(session);
    // Before the blocks: a session that blocks another and leaves is seen to have blocked it.
    let (recent, in_room) = met(shared, me).await?;
    let stale = rows::millis(shared.rules.block_lifetime / 30);
    let sql = "SELECT whom AS other, used_at <= moment($2) - $3 AS stale, NULL::bigint AS mark \
             FROM blocks WHERE by = $1 AND (until IS NULL OR until > moment($2)) \
         UNION ALL (SELECT by, false, NULL FROM blocks \
             WHERE whom = $1 AND (until IS NULL OR until > moment($2)) ORDER BY no DESC LIMIT $4) \
         UNION ALL (SELECT NULL, false, mark FROM holds \
             WHERE by = $1 AND until > moment($2) ORDER BY no DESC LIMIT $5)";
    let (most, held) = (
        rows::size(shared.rules.blocks_per_session),
        rows::size(HELD),
    );
    let rows = shared
        .pool
        .query(sql, &[&me, &shared.now(), &stale, &most, &held])
        .await?;
    let (mut blocked, mut seen) = (Vec::with_capacity(rows.len()), HashSet::new());
    let (mut renew, mut held) = (false, Vec::new());
    for row in &rows {
        if let Some(mark) = get::<Option<i64>>(row, "mark")? {
            let mark = Mark(mark.cast_unsigned());
            // Two rooms may have left the same one.
            if !held.contains(&mark) {
                held.push(mark);
            }
            continue;
        }
        renew |= get::<bool>(row, "stale")?;
        let other = rows::session_id(get(row, "other")?);
        if seen.insert(other) {
            blocked.push(other);
        }
    }
    if renew {
        let sql = "UPDATE blocks SET used_at = moment($2) WHERE by = $1";
        shared.pool.query(sql, &[&me, &shared.now()]).await?;
    }
    Ok(RelationsOf {
        blocked,
        held,
        recent,
        in_room,
    })
}

/// The blocks of a session that hold, newest first.
pub(super) async fn blocks(shared: &Shared, by: SessionId) -> Result<Vec<Block>, BackendError> {
    let sql = "SELECT room, since FROM blocks WHERE by = $1 AND (until IS NULL OR until > moment($2)) \
         ORDER BY no DESC";
    let params: super::link::Params<'_> = &[&rows::session(by), &shared.now()];
    let found = shared.pool.query(sql, params).await?;
    let block = |row: &Row| {
        Ok(Block {
            room: RoomId(get(row, "room")?),
            since: Timestamp(get(row, "since")?),
        })
    };
    found.iter().map(block).collect()
}

/// The sessions that one met lately, and whether it is in an open room.
async fn met(shared: &Shared, me: Uuid) -> Result<(Vec<SessionId>, bool), BackendError> {
    // A session that met the same few people all the time is told of fewer than ten.
    let sql = "SELECT partner, open FROM ( \
             (SELECT session_b AS partner, closed_at IS NULL AS open, no FROM rooms \
                 WHERE session_a = $1 AND session_b <> $1 ORDER BY no DESC LIMIT 64) \
             UNION ALL \
             (SELECT session_a, closed_at IS NULL, no FROM rooms \
                 WHERE session_b = $1 AND session_a <> $1 ORDER BY no DESC LIMIT 64) \
             UNION ALL \
             (SELECT $1, true, 0 FROM rooms WHERE closed_at IS NULL AND session_a = $1 LIMIT 1) \
             UNION ALL \
             (SELECT $1, true, 0 FROM rooms WHERE closed_at IS NULL AND session_b = $1 LIMIT 1) \
         ) met ORDER BY no DESC";
    let (mut recent, mut in_room) = (Vec::new(), false);
    for row in shared.pool.query(sql, &[&me]).await? {
        in_room |= get::<bool>(&row, "open")?;
        let partner: Uuid = get(&row, "partner")?;
        let known = partner == me || recent.contains(&rows::session_id(partner));
        if !known && recent.len() < RECENT {
            recent.push(rows::session_id(partner));
        }
    }
    Ok((recent, in_room))
}
