//! Blocks and recent partners.

use rusqlite::Connection;

use super::error::Fault;
use super::rows;
use super::writer::Writer;
use crate::id::SessionId;
use crate::store::RelationsOf;

/// How many recent partners are told.
const RECENT: usize = 10;

/// A session's relations, and the oldest use of its own blocks.
pub(super) struct Looked {
    pub(super) relations: RelationsOf,
    pub(super) oldest_use: Option<i64>,
}

/// Reads on a reader's connection.
pub(super) fn look(conn: &mut Connection, session: SessionId) -> Result<Looked, Fault> {
    let snapshot = conn.transaction()?;
    let mut blocked = snapshot.prepare_cached(
        "SELECT whom FROM blocks WHERE by = ?1 UNION SELECT by FROM blocks WHERE whom = ?1",
    )?;
    let blocked = blocked
        .query_map([session.0], |row| Ok(SessionId(row.get(0)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    let mut oldest = snapshot.prepare_cached("SELECT min(used_at) FROM blocks WHERE by = ?1")?;
    let oldest_use = oldest.query_row([session.0], |row| row.get(0))?;
    Ok(Looked {
        relations: RelationsOf {
            blocked,
            recent: recent(&snapshot, session)?,
        },
        oldest_use,
    })
}

fn recent(conn: &Connection, session: SessionId) -> Result<Vec<SessionId>, Fault> {
    // Each half is read backwards along the primary key. Somebody who met the same few people all
    // the time is told of fewer than ten.
    let mut statement = conn.prepare_cached(
        "SELECT partner FROM ( \
             SELECT * FROM (SELECT partner, room FROM members \
                 WHERE session = ?1 AND open = 1 AND partner <> ?1 ORDER BY room DESC LIMIT 64) \
             UNION ALL \
             SELECT * FROM (SELECT partner, room FROM members \
                 WHERE session = ?1 AND open = 0 AND partner <> ?1 ORDER BY room DESC LIMIT 64) \
         ) ORDER BY room DESC",
    )?;
    let mut rows = statement.query([session.0])?;
    let mut recent = Vec::new();
    while let Some(row) = rows.next()? {
        let partner = SessionId(row.get(0)?);
        if !recent.contains(&partner) {
            recent.push(partner);
        }
        if recent.len() == RECENT {
            break;
        }
    }
    Ok(recent)
}

impl Writer {
    /// See [`crate::store::Relations::block`].
    pub(super) fn block(&mut self, by: SessionId, whom: SessionId) -> Result<(), Fault> {
        if by == whom {
            return Ok(());
        }
        let (now, most) = (self.now.0, self.rules.blocks_per_session);
        self.together(|writer| {
            let conn = &writer.conn;
            let mut block = conn.prepare_cached(
                "INSERT OR REPLACE INTO blocks (by, whom, used_at) VALUES (?1, ?2, ?3)",
            )?;
            block.execute((by.0, whom.0, now))?;
            let mut trim = conn.prepare_cached(
                "DELETE FROM blocks WHERE no IN \
                 (SELECT no FROM blocks WHERE by = ?1 ORDER BY no DESC LIMIT -1 OFFSET ?2)",
            )?;
            trim.execute((by.0, rows::size(most)))?;
            Ok(())
        })
    }

    /// The session is alive, and so are its blocks.
    pub(super) fn renew_blocks(&mut self, by: SessionId) -> Result<(), Fault> {
        let mut renew = self
            .conn
            .prepare_cached("UPDATE blocks SET used_at = ?2 WHERE by = ?1")?;
        renew.execute((by.0, self.now.0))?;
        Ok(())
    }
}
