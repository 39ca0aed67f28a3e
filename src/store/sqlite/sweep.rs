//! Time's work, one small step at a time: closing rooms whose people stayed away, erasing closed
//! rooms and unused blocks, giving pages back to the disk.

use super::error::SqliteError;
use super::room_cache::{CachedRoom, RoomRowState};
use super::rows;
use super::writer::Writer;
use crate::domain::LeaveReason;
use crate::domain::id::{RoomId, SessionId, Side, Timestamp};
use crate::store::Swept;
use crate::store::rules::{self, Age};

/// Free pages that are kept for reuse.
const SPARE_PAGES: i64 = 256;
/// Free pages given back in one step.
const VACUUM_PAGES: i64 = 64;

/// Rooms erased in one step, if they are short.
const OLD_ROOMS: usize = 32;

/// A closed room whose time has come. What cannot be read of a damaged row is not there: one such row must not
/// keep all others from being erased.
struct Old {
    no: i64,
    room: Option<RoomId>,
    last_row: i64,
    erasing: bool,
    sessions: Option<[SessionId; 2]>,
}

impl Writer {
    /// See [`crate::store::Upkeep::sweep`].
    pub(super) fn sweep(&mut self) -> Result<Swept, SqliteError> {
        let mut swept = Swept::default();
        self.keep_clock()?;
        self.close_overdue(&mut swept)?;
        self.erase_old(&mut swept)?;
        self.erase_blocks(&mut swept)?;
        if !swept.more {
            self.vacuum()?;
        }
        Ok(swept)
    }

    fn close_overdue(&mut self, swept: &mut Swept) -> Result<(), SqliteError> {
        let most = self.tuning.close_rooms;
        let mut statement = self.conn.prepare_cached(
            "SELECT no, id FROM rooms WHERE closed_at IS NULL AND due_at <= ?1 ORDER BY due_at LIMIT ?2",
        )?;
        let due = statement
            .query_map((self.now.0, rows::size(most)), |row| {
                Ok((row.get(0)?, row.get(1).ok().map(rows::room_id)))
            })?
            .collect::<Result<Vec<(i64, Option<RoomId>)>, _>>()?;
        drop(statement);
        swept.more |= due.len() == most;
        for (no, room) in due {
            let Some(room) = room else {
                self.close_damaged(no)?;
                swept.closed += 1;
                continue;
            };
            let looked = self.cached(room);
            let looked =
                looked.map(|cached| cached.map(|cached| (cached.facts.opened_at, cached.state)));
            let gone = match looked {
                Ok(gone) => gone,
                Err(fault) if self.survives(&fault) => {
                    self.close_damaged(no)?;
                    swept.closed += 1;
                    continue;
                }
                Err(fault) => return Err(fault),
            };
            let Some((opened_at, state)) = gone else {
                continue;
            };
            let since = opened_at.max(self.started);
            let absences = state
                .sides
                .map(|side| CachedRoom::absence(&side, since, &self.rules));
            if let Some((side, reason)) = rules::overdue(&absences, self.now) {
                self.close_room(room, side, reason)?;
                swept.closed += 1;
            } else if self.age(room, opened_at, state)? {
                swept.closed += 1;
            }
        }
        Ok(())
    }

    /// What is due of a room because of how long it is open: its people are told when it closes, or it
    /// closes (true). That it was due for nothing is put right.
    fn age(
        &mut self,
        room: RoomId,
        opened_at: Timestamp,
        state: RoomRowState,
    ) -> Result<bool, SqliteError> {
        let closes_at = match self.rules.age(opened_at, state.closes_at, self.now) {
            Age::Over => return self.close_room(room, Side::A, LeaveReason::TimeUp),
            Age::Fine => {
                self.change(room, state)?;
                return Ok(false);
            }
            Age::Tell(closes_at) => closes_at,
        };
        let told = RoomRowState {
            closes_at: Some(closes_at),
            ..state
        };
        self.change(room, told)?;
        self.closing.push((room, closes_at));
        Ok(false)
    }

    /// A room whose row or log cannot be read is closed without a last word, so that it is erased in time
    /// and not looked at every second. Nothing of it is read for that.
    fn close_damaged(&mut self, no: i64) -> Result<(), SqliteError> {
        let mut close = self.conn.prepare_cached(
            "UPDATE rooms SET closed_at = ?2, due_at = NULL WHERE no = ?1 RETURNING hex(id), is_bot",
        )?;
        let (room, is_bot): (String, bool) =
            close.query_row((no, self.now.0), |row| row.try_into())?;
        tracing::error!(room, "a room is damaged; it was closed");
        let mut leave = self.conn.prepare_cached(
            "UPDATE members SET open = 0 WHERE open = 1 AND room = ?1 AND session IN \
             (SELECT session_a FROM rooms WHERE no = ?1 UNION SELECT session_b FROM rooms WHERE no = ?1)",
        )?;
        leave.execute([no])?;
        if !is_bot {
            self.opened -= 1;
        }
        Ok(())
    }

    fn erase_old(&mut self, swept: &mut Swept) -> Result<(), SqliteError> {
        let mut budget = self.tuning.erase_rows;
        let before = self.now.minus(self.rules.retention);
        let old = self.old_rooms(before)?;
        swept.more |= old.len() == OLD_ROOMS;
        for old in old {
            if budget == 0 {
                swept.more = true;
                break;
            }
            let done = self.together(|writer| writer.erase_some(&old, &mut budget))?;
            if done {
                swept.erased += 1;
                self.erased.extend(old.room);
            } else {
                swept.more = true;
            }
            let cached = old.room.and_then(|room| self.room_cache.stage(room));
            if let Some(cached) = cached {
                cached.state.erasing = true;
            }
            self.purged = true;
        }
        Ok(())
    }

    fn old_rooms(&self, before: Timestamp) -> Result<Vec<Old>, SqliteError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT no, id, head, erasing, session_a, session_b FROM rooms \
             WHERE closed_at <= ?1 ORDER BY closed_at LIMIT ?2",
        )?;
        let old = statement.query_map((before.0, rows::size(OLD_ROOMS)), |row| {
            Ok(Old {
                no: row.get(0)?,
                room: row.get(1).ok().map(rows::room_id),
                last_row: row.get(2)?,
                erasing: row.get(3)?,
                sessions: match [row.get(4), row.get(5)] {
                    [Ok(a), Ok(b)] => Some([a, b].map(SessionId)),
                    _ => None,
                },
            })
        })?;
        Ok(old.collect::<Result<_, _>>()?)
    }

    /// Erases from the newest entry backwards; true when nothing is left of the room.
    fn erase_some(&mut self, old: &Old, budget: &mut usize) -> Result<bool, SqliteError> {
        // Before the first step the row may be behind; from then on it alone knows how far we are.
        let newest = match old.room.and_then(|room| self.room_cache.peek(room)) {
            Some(cached) if !old.erasing => cached.last_row(),
            _ => old.last_row,
        };
        let conn = &self.conn;
        let mut erase =
            conn.prepare_cached("DELETE FROM entries WHERE id = ?1 AND room = ?2 RETURNING prev")?;
        let mut at = newest;
        while at != 0 && *budget > 0 {
            let mut rows = erase.query((at, old.no))?;
            let Some(row) = rows.next()? else {
                // A broken chain: what is left of it can only be found the long way.
                let room = old.room.map(tracing::field::display);
                tracing::error!(room, "a room's log is damaged; erasing all of it");
                conn.execute("DELETE FROM entries WHERE room = ?1", [old.no])?;
                at = 0;
                break;
            };
            at = row.get(0)?;
            *budget -= 1;
        }
        if at != 0 {
            let mut note =
                conn.prepare_cached("UPDATE rooms SET erasing = 1, head = ?2 WHERE no = ?1")?;
            note.execute((old.no, at))?;
            return Ok(false);
        }
        let mut leave = conn.prepare_cached(
            "DELETE FROM members WHERE session = ?1 AND room = ?2 AND open IN (0, 1)",
        )?;
        match old.sessions {
            Some(sessions) => {
                for session in sessions {
                    leave.execute((session.0, old.no))?;
                }
            }
            // Whose it was can only be found the long way.
            None => {
                conn.execute("DELETE FROM members WHERE room = ?1", [old.no])?;
            }
        }
        let mut marks = conn.prepare_cached("DELETE FROM marks WHERE room = ?1")?;
        marks.execute([old.no])?;
        let mut networks = conn.prepare_cached("DELETE FROM room_networks WHERE room = ?1")?;
        networks.execute([old.no])?;
        self.drop_subscriptions(old.no)?;
        let mut room = conn.prepare_cached("DELETE FROM rooms WHERE no = ?1")?;
        room.execute([old.no])?;
        Ok(true)
    }

    fn erase_blocks(&mut self, swept: &mut Swept) -> Result<(), SqliteError> {
        let most = self.tuning.erase_rows;
        let before = self.now.minus(self.rules.block_lifetime);
        let mut erase = self.conn.prepare_cached(
            "DELETE FROM blocks WHERE no IN (SELECT no FROM blocks WHERE used_at <= ?1 LIMIT ?2)",
        )?;
        swept.more |= erase.execute((before.0, rows::size(most)))? == most;
        // The newest has the largest number, so no counting is needed.
        let mut forget = self.conn.prepare_cached(
            "DELETE FROM blocks WHERE no IN (SELECT no FROM blocks \
             WHERE no <= (SELECT max(no) FROM blocks) - ?1 LIMIT ?2)",
        )?;
        swept.more |= forget.execute((self.tuning.blocks, rows::size(most)))? == most;
        let mut brief = self.conn.prepare_cached(
            "DELETE FROM blocks WHERE no IN (SELECT no FROM blocks WHERE until <= ?1 LIMIT ?2)",
        )?;
        swept.more |= brief.execute((self.now.0, rows::size(most)))? == most;
        let mut held = self.conn.prepare_cached(
            "DELETE FROM holds WHERE no IN (SELECT no FROM holds WHERE until <= ?1 LIMIT ?2)",
        )?;
        swept.more |= held.execute((self.now.0, rows::size(most)))? == most;
        Ok(())
    }

    /// See [`crate::store::Upkeep::size`].
    pub(super) fn size(&mut self) -> Result<u64, SqliteError> {
        let number = |pragma: &str| -> Result<u64, SqliteError> {
            let mut read = self.conn.prepare_cached(pragma)?;
            let value: i64 = read.query_row([], |row| row.get(0))?;
            Ok(value.cast_unsigned())
        };
        let page = number("PRAGMA page_size")?;
        let (free, pages) = (
            number("PRAGMA freelist_count")?,
            number("PRAGMA page_count")?,
        );
        // A file that cannot be looked at is not there yet.
        let length = |path| std::fs::metadata(path).map_or(0, |file: std::fs::Metadata| file.len());
        // What grew is in the log alone, what was given back is perhaps still in the file.
        let database = length(&self.paths.database).min(pages * page);
        let database = database.saturating_sub(free * page);
        let size = database + length(&self.paths.wal);
        self.at_max_size = self.rules.max_size > 0 && size >= self.rules.max_size;
        Ok(size)
    }

    fn vacuum(&mut self) -> Result<(), SqliteError> {
        let mut free = self.conn.prepare_cached("PRAGMA freelist_count")?;
        let free: i64 = free.query_row([], |row| row.get(0))?;
        if free <= SPARE_PAGES {
            return Ok(());
        }
        let step = format!("PRAGMA incremental_vacuum({VACUUM_PAGES})");
        let mut vacuum = self.conn.prepare_cached(&step)?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }
}
