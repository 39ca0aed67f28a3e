//! Blocks and recent partners.

use std::collections::HashSet;

use rusqlite::Connection;

use super::error::SqliteError;
use super::jobs::{self, Mode};
use super::writer::Writer;
use super::{SqliteStore, page, rows};
use crate::domain::Mark;
use crate::domain::id::{RoomId, Seq, SessionId, Side, Timestamp};
use crate::store::{BRIEF_BLOCK, Block, HELD, Pending, Relations, RelationsOf};

/// How many recent partners are told.
const RECENT: usize = 10;

/// How many of a room's newest entries are looked at for a word of the blocked side.
const LOOKED_AT: usize = 1000;

/// Everything in one statement, so one consistent read: blocks of both directions, with when its own
/// were used; whether a room is open; then partners, of open rooms apart, each half backwards along the
/// primary key; and marks that are held.
const RELATIONS_QUERY: &str = "SELECT 0, whom, used_at FROM blocks \
         WHERE by = ?1 AND (until IS NULL OR until > ?2) \
     UNION ALL SELECT * FROM (SELECT 1, by, NULL FROM blocks \
         WHERE whom = ?1 AND (until IS NULL OR until > ?2) ORDER BY no DESC LIMIT ?3) \
     UNION ALL SELECT * FROM (SELECT 4, mark, NULL FROM holds \
         WHERE by = ?1 AND until > ?2 ORDER BY no DESC LIMIT ?4) \
     UNION ALL SELECT * FROM (SELECT 2, partner, room FROM members \
         WHERE session = ?1 AND open = 1 LIMIT 1) \
     UNION ALL SELECT * FROM (SELECT 3, partner, room FROM members \
         WHERE session = ?1 AND open = 1 AND partner <> ?1 ORDER BY room DESC LIMIT 64) \
     UNION ALL SELECT * FROM (SELECT 3, partner, room FROM members \
         WHERE session = ?1 AND open = 0 AND partner <> ?1 ORDER BY room DESC LIMIT 64)";

/// The one who is blocked, in the room where it happened.
#[derive(Clone, Copy, Default)]
struct Blocked {
    /// The room's number and the side; `None` when the room is not known.
    place: Option<(i64, Side)>,
    spoke: bool,
}

/// A session's relations, and the oldest use of its own blocks.
#[derive(Default)]
struct RelationsRead {
    relations: RelationsOf,
    oldest_use: Option<i64>,
}

/// Reads on a reader's connection.
fn read_relations(
    conn: &Connection,
    session: SessionId,
    now: Timestamp,
    most: usize,
) -> Result<RelationsRead, SqliteError> {
    let (mut looked, mut met, mut seen) = (RelationsRead::default(), Vec::new(), HashSet::new());
    let mut statement = conn.prepare_cached(RELATIONS_QUERY)?;
    let mut rows = statement.query((session.0, now.0, rows::size(most), rows::size(HELD)))?;
    while let Some(row) = rows.next()? {
        let kind: i64 = row.get(0)?;
        if kind == 4 {
            let mark: i64 = row.get(1)?;
            let mark = Mark(mark.cast_unsigned());
            // Two rooms may have left the same one.
            if !looked.relations.held.contains(&mark) {
                looked.relations.held.push(mark);
            }
            continue;
        }
        looked.relations.in_room |= kind == 2;
        // A damaged row says nothing, and keeps a session from nothing else.
        let Ok(other) = row.get(1).map(SessionId) else {
            continue;
        };
        match kind {
            0 => {
                let used: i64 = row.get(2)?;
                looked.oldest_use = Some(looked.oldest_use.map_or(used, |oldest| oldest.min(used)));
            }
            1 | 2 => {}
            _ => met.push((row.get(2)?, other)),
        }
        if kind < 2 && seen.insert(other) {
            looked.relations.blocked.push(other);
        }
    }
    looked.relations.recent = recent(met);
    Ok(looked)
}

/// The blocks of a session that hold, on a reader's connection.
fn read_blocks(
    conn: &Connection,
    by: SessionId,
    now: Timestamp,
) -> Result<Vec<Block>, SqliteError> {
    let mut statement = conn.prepare_cached(
        "SELECT room, since FROM blocks WHERE by = ?1 AND (until IS NULL OR until > ?2) ORDER BY no DESC",
    )?;
    let mut rows = statement.query((by.0, now.0))?;
    let mut blocks = Vec::new();
    while let Some(row) = rows.next()? {
        // A damaged row names nothing that could be lifted.
        if let Ok(room) = row.get(0) {
            let since = Timestamp(row.get(1)?);
            blocks.push(Block {
                room: rows::room_id(room),
                since,
            });
        }
    }
    Ok(blocks)
}

/// The partners of these rooms, newest first. A session that met the same few people all the time gets
/// fewer than ten.
fn recent(mut met: Vec<(i64, SessionId)>) -> Vec<SessionId> {
    met.sort_unstable_by_key(|(room, _)| std::cmp::Reverse(*room));
    let mut recent = Vec::with_capacity(met.len().min(RECENT));
    for (_, partner) in met {
        if recent.len() == RECENT {
            break;
        }
        if !recent.contains(&partner) {
            recent.push(partner);
        }
    }
    recent
}

impl Relations for SqliteStore {
    fn block(&self, by: SessionId, whom: SessionId, room: RoomId) -> Pending<()> {
        self.ask_about(Some([by, whom]), Mode::Write, 0, move |writer| {
            writer.block(by, whom, room)
        })
    }

    fn forget(&self, session: SessionId) -> Pending<()> {
        self.ask_about(Some([session; 2]), Mode::Write, 0, move |writer| {
            writer.forget_blocks(session)
        })
    }

    fn note_fresh_session(&self, session: SessionId) {
        self.fresh_sessions.add(session);
    }

    fn blocks(&self, by: SessionId) -> Pending<Vec<Block>> {
        let now = self.clock.now();
        self.read_about(by, move |conn| read_blocks(conn, by, now))
    }

    fn lift(&self, by: SessionId, room: RoomId) -> Pending<()> {
        self.ask_about(Some([by; 2]), Mode::Write, 0, move |writer| {
            writer.lift(by, room)
        })
    }

    fn relations(&self, session: SessionId) -> Pending<RelationsOf> {
        if self.fresh_sessions.has(session) {
            return Pending::known(Ok(RelationsOf::default()));
        }
        let writer = self.jobs.clone();
        let (now, most) = (self.clock.now(), self.blocks_per_session);
        let stale = now.minus(self.renewal);
        self.read_about(session, move |conn| {
            let looked = read_relations(conn, session, now, most)?;
            // A thirtieth of a life is near enough: not every search is a write.
            if looked.oldest_use.is_some_and(|used| used <= stale.0) {
                let renew = move |writer: &mut Writer| writer.renew_blocks(session);
                let (job, _) = jobs::job(Mode::Patient, None, renew);
                // The next search may find room for it.
                let _ = writer.push_patient(job);
            }
            Ok(looked.relations)
        })
    }
}

impl SqliteStore {
    /// Reads what is known of a session, as of every write called before that names it.
    fn read_about<T: Send + 'static>(
        &self,
        session: SessionId,
        read: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Pending<T> {
        let reads = self.reads.clone();
        let begin = move || {
            let (job, answer) = page::read_job(read);
            reads.push_patient(job).map(|()| answer)
        };
        if !self.pending_writes.names(session) {
            return match begin() {
                Ok(answer) => Pending::answer(answer, self.deadline()),
                Err(error) => Pending::known(Err(error)),
            };
        }
        let pending_writes = self.pending_writes.clone();
        Pending::bounded(self.deadline(), async move {
            pending_writes.settled(session).await;
            jobs::wait(begin()?).await
        })
    }
}

impl Writer {
    /// See [`crate::store::Relations::block`].
    pub(super) fn block(
        &mut self,
        by: SessionId,
        whom: SessionId,
        room: RoomId,
    ) -> Result<(), SqliteError> {
        if by == whom {
            return Ok(());
        }
        let blocked = match self.blocked_in(room, whom) {
            Ok(blocked) => blocked,
            // What was said there cannot be read: the block is kept all the same.
            Err(fault) if self.survives(&fault) => {
                fault.count();
                Blocked::default()
            }
            Err(fault) => return Err(fault),
        };
        let (now, most) = (self.now.0, self.rules.blocks_per_session);
        let brief = self.now.plus(BRIEF_BLOCK).0;
        let until = (!blocked.spoke).then_some(brief);
        self.together(|writer| {
            let conn = &writer.conn;
            let mut block = conn.prepare_cached(
                "INSERT INTO blocks (by, whom, room, since, used_at, until) VALUES (?1, ?2, ?3, ?4, ?4, ?5) \
                 ON CONFLICT (by, room) DO UPDATE SET used_at = excluded.used_at, \
                 until = CASE WHEN until IS NULL THEN NULL ELSE excluded.until END",
            )?;
            let id = room.0.into_bytes();
            block.execute((by.0, whom.0, id, now, until))?;
            let mut trim = conn.prepare_cached(
                "DELETE FROM blocks WHERE no IN \
                 (SELECT no FROM blocks WHERE by = ?1 ORDER BY no DESC LIMIT -1 OFFSET ?2)",
            )?;
            trim.execute((by.0, rows::size(most)))?;
            let Some((no, side)) = blocked.place else {
                return Ok(());
            };
            let mut hold = conn.prepare_cached(
                "INSERT OR REPLACE INTO holds (by, room, mark, until) \
                 SELECT ?1, ?2, mark, ?3 FROM marks WHERE room = ?4 AND side = ?5",
            )?;
            hold.execute((by.0, id, brief, no, rows::size(side.index())))?;
            let mut trim = conn.prepare_cached(
                "DELETE FROM holds WHERE no IN \
                 (SELECT no FROM holds WHERE by = ?1 ORDER BY no DESC LIMIT -1 OFFSET ?2)",
            )?;
            trim.execute((by.0, rows::size(most)))?;
            Ok(())
        })
    }

    /// Where this session sits in the room, and whether it has said anything there.
    fn blocked_in(&mut self, room: RoomId, whom: SessionId) -> Result<Blocked, SqliteError> {
        let Some(cached) = self.cached(room)? else {
            return Ok(Blocked::default());
        };
        let mut sides = Side::BOTH.into_iter();
        let Some(side) = sides.find(|side| cached.facts.sessions[side.index()] == whom) else {
            return Ok(Blocked::default());
        };
        let no = cached.facts.no;
        let before = cached.last_seq().0.saturating_sub(LOOKED_AT as u64);
        let newest = cached.rows_after(Seq(before), LOOKED_AT).to_vec();
        let mut said = self
            .conn
            .prepare_cached("SELECT 1 FROM entries WHERE id = ?1 AND kind = 0 AND side = ?2")?;
        let mut spoke = false;
        for row in newest.into_iter().rev() {
            spoke = said.exists((row, rows::size(side.index())))?;
            if spoke {
                break;
            }
        }
        Ok(Blocked {
            place: Some((no, side)),
            spoke,
        })
    }

    /// See [`crate::store::Relations::lift`].
    pub(super) fn lift(&mut self, by: SessionId, room: RoomId) -> Result<(), SqliteError> {
        self.together(|writer| {
            for erase in [
                "DELETE FROM blocks WHERE by = ?1 AND room = ?2",
                "DELETE FROM holds WHERE by = ?1 AND room = ?2",
            ] {
                let mut erase = writer.conn.prepare_cached(erase)?;
                erase.execute((by.0, room.0.into_bytes()))?;
            }
            Ok(())
        })
    }

    /// The session is no more, and so is what it held against others.
    pub(super) fn forget_blocks(&mut self, by: SessionId) -> Result<(), SqliteError> {
        self.together(|writer| {
            for erase in [
                "DELETE FROM blocks WHERE by = ?1",
                "DELETE FROM holds WHERE by = ?1",
            ] {
                writer.conn.prepare_cached(erase)?.execute((by.0,))?;
            }
            Ok(())
        })
    }

    /// The session is alive, and so are its blocks.
    pub(super) fn renew_blocks(&mut self, by: SessionId) -> Result<(), SqliteError> {
        let mut renew = self
            .conn
            .prepare_cached("UPDATE blocks SET used_at = ?2 WHERE by = ?1")?;
        renew.execute((by.0, self.now.0))?;
        Ok(())
    }
}
