//! Jobs on rooms: making, reading, arriving, departing, closing.

use std::sync::Arc;

use super::error::{SqliteCause, SqliteError};
use super::room_cache::{CachedRoom, Facts, RoomRowState};
use super::room_rows::{self, Log};
use super::rows;
use super::writer::Writer;
use crate::domain::id::{Address, RoomId, Seq, SessionId, Side, StoreId};
use crate::domain::{Departure, EntryKind, LeaveReason, Mark, Pairing, Room};
use crate::store::{Arrival, Hearing, ReadState, RoomPeople, SideClaim};

/// Most open rooms of one session that are told.
const OPEN_ROOMS: i64 = 32;

impl Writer {
    /// See [`crate::store::Rooms::create_room`].
    pub(super) fn create_room(&mut self, pairing: Pairing) -> Result<(), SqliteError> {
        let Pairing {
            room,
            parties,
            common_tags,
            is_bot,
        } = pairing;
        let sessions = [parties[0].session, parties[1].session];
        let marks = parties.each_ref().map(|party| party.marks.clone());
        let mut facts = Facts {
            no: 0,
            people: Arc::new(RoomPeople {
                room,
                personas: parties.map(|party| party.persona),
            }),
            sessions,
            common_tags,
            is_bot,
            opened_at: self.now,
        };
        if self.room_cache.get(room).is_some() {
            return self.made_before(&facts);
        }
        // Nearly always new: reading first would be a read for nothing.
        match self.insert_room(&mut facts, &marks) {
            Err(SqliteError::Conflict) => return self.made_before(&facts),
            other => other?,
        }
        if !is_bot {
            self.opened += 1;
        }
        let cached = CachedRoom::new(facts, RoomRowState::default(), Log::default());
        self.room_cache.create(cached);
        Ok(())
    }

    /// Whether the room of that id is this one and open: then it was asked for twice.
    fn made_before(&mut self, facts: &Facts) -> Result<(), SqliteError> {
        let cached = self
            .cached(facts.people.room)?
            .ok_or(SqliteError::Conflict)?;
        let same = cached.facts.sessions == facts.sessions
            && cached.facts.people.personas == facts.people.personas;
        match same && cached.state.departure.is_none() {
            true => Ok(()),
            false => Err(SqliteError::Conflict),
        }
    }

    fn insert_room(
        &mut self,
        facts: &mut Facts,
        marks: &[Vec<Mark>; 2],
    ) -> Result<(), SqliteError> {
        let due = self.now.plus(self.rules.arrival);
        let age = self.rules.age_due(facts.opened_at, None);
        let due = age.map_or(due, |age| age.min(due));
        // Half a room must not stay. What refuses a part of it (a damaged file, a full disk) therefore ends
        // the transaction: a savepoint for each room would copy every page that it touches.
        let aborted = |fault| SqliteError::BatchAborted(Box::new(fault));
        facts.no = match room_rows::insert_room(&self.conn, facts, due) {
            // Only the id is unique: the room is there, or it is being erased. Nothing was written.
            Err(SqliteError::Sql(error)) if SqliteCause::of(&error) == SqliteCause::Constraint => {
                return Err(SqliteError::Conflict);
            }
            other => other.map_err(aborted)?,
        };
        room_rows::insert_members(&self.conn, facts).map_err(aborted)?;
        room_rows::insert_marks(&self.conn, facts.no, marks).map_err(aborted)
    }

    /// See [`crate::store::Upkeep::identity`].
    pub(super) fn identity(&mut self) -> Result<StoreId, SqliteError> {
        let mut read = self
            .conn
            .prepare_cached("SELECT value FROM meta WHERE name = 'identity'")?;
        let value: i64 = read.query_row([], |row| row.get(0))?;
        Ok(StoreId(value.cast_unsigned()))
    }

    /// See [`crate::store::Rooms::room`].
    pub(super) fn room(&mut self, room: RoomId) -> Result<Option<Room>, SqliteError> {
        let rules = Arc::clone(&self.rules);
        Ok(self.cached(room)?.map(|cached| cached.room(&rules)))
    }

    /// See [`crate::store::Rooms::open_rooms`].
    pub(super) fn open_rooms(&mut self, session: SessionId) -> Result<Vec<Room>, SqliteError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT r.id FROM (SELECT DISTINCT room FROM members \
                 WHERE session = ?1 AND open = 1 ORDER BY room DESC LIMIT ?2) m \
             JOIN rooms r ON r.no = m.room ORDER BY r.no DESC",
        )?;
        let ids = statement
            .query_map((session.0, OPEN_ROOMS), |row| Ok(row.get(0).ok()))?
            .collect::<Result<Vec<Option<[u8; 16]>>, _>>()?;
        drop(statement);
        let mut found = Vec::with_capacity(ids.len());
        for id in ids.into_iter().flatten() {
            match self.room(rows::room_id(id)) {
                Ok(room) => found.extend(room),
                // A damaged one does not keep its people from the others.
                Err(fault) if self.survives(&fault) => fault.count(),
                Err(fault) => return Err(fault),
            }
        }
        Ok(found)
    }

    /// See [`crate::store::Rooms::arrive`].
    pub(super) fn arrive(
        &mut self,
        room: RoomId,
        place: SideClaim,
        connection: Address,
    ) -> Result<Option<Arrival>, SqliteError> {
        let now = self.now;
        let Some(cached) = self.cached(room)? else {
            return Ok(None);
        };
        let Some(side) = cached.side_at(place) else {
            return Ok(None);
        };
        let people = Arc::clone(&cached.facts.people);
        let mut state = cached.state;
        let taken = state.sides[side.index()]
            .connection
            .is_some_and(|it| it != connection);
        let passed = taken && matches!(place, SideClaim::IfFree(_));
        if state.departure.is_none() && !passed {
            let mine = &mut state.sides[side.index()];
            mine.joined_at.get_or_insert(now);
            mine.connection = Some(connection);
            mine.away_since = None;
            mine.version += 1;
            self.change(room, state)?;
        }
        let room = self.room(room)?;
        Ok(room.map(|room| Arrival { room, side, people }))
    }

    /// See [`crate::store::Rooms::depart`].
    pub(super) fn depart(
        &mut self,
        room: RoomId,
        side: Side,
        connection: Address,
        read_state: ReadState,
    ) -> Result<Option<u64>, SqliteError> {
        let now = self.now;
        self.save_read_state(room, side, read_state)?;
        let Some(cached) = self.cached(room)? else {
            return Ok(None);
        };
        let mut state = cached.state;
        let mine = &mut state.sides[side.index()];
        if mine.connection != Some(connection) {
            return Ok(None);
        }
        mine.connection = None;
        mine.away_since = Some(now);
        mine.version += 1;
        let version = mine.version;
        self.change(room, state)?;
        Ok(Some(version))
    }

    /// See [`crate::store::Rooms::save_read_state`].
    pub(super) fn save_read_state(
        &mut self,
        room: RoomId,
        side: Side,
        read_state: ReadState,
    ) -> Result<(), SqliteError> {
        let next_id = self.next_id;
        let Some(cached) = self.cached(room)? else {
            return Ok(());
        };
        let last = cached.last_seq();
        let known = cached.state.sides[side.index()];
        let later = |known: Seq, told: Seq| known.max(told.min(last));
        let (cursor, read) = (
            later(known.cursor, read_state.cursor),
            later(known.read, read_state.read),
        );
        if (cursor, read) == (known.cursor, known.read) {
            return Ok(());
        }
        if let Some(cached) = self.room_cache.stage(room) {
            let mine = &mut cached.state.sides[side.index()];
            (mine.cursor, mine.read) = (cursor, read);
        }
        self.room_cache.touch(room, next_id);
        Ok(())
    }

    /// See [`crate::store::Rooms::close_room`].
    pub(super) fn close_room(
        &mut self,
        room: RoomId,
        side: Side,
        reason: LeaveReason,
    ) -> Result<bool, SqliteError> {
        let now = self.now;
        let Some(cached) = self.cached(room)? else {
            return Ok(false);
        };
        if cached.state.departure.is_some() {
            return Ok(false);
        }
        let (no, sessions, is_bot) = (cached.facts.no, cached.facts.sessions, cached.facts.is_bot);
        let mut state = cached.state;
        state.departure = Some(Departure {
            seq: cached.last_seq().next(),
            at: now,
            side,
            reason,
        });
        self.together(|writer| {
            for session in sessions {
                let mut leave = writer.conn.prepare_cached(
                    "UPDATE members SET open = 0 WHERE session = ?1 AND open = 1 AND room = ?2",
                )?;
                leave.execute((session.0, no))?;
            }
            // The row first: once the entry is staged, nothing may fail any more.
            writer.close_row(room, &state)?;
            writer.write_entry(
                room,
                EntryKind::Departure { side, reason },
                None,
                Hearing::Whole,
            )
        })?;
        if let Some(cached) = self.room_cache.stage(room) {
            cached.state = state;
        }
        if !is_bot {
            self.opened -= 1;
        }
        Ok(true)
    }

    /// Closes the row alone; its newest entry follows lazily, as always.
    fn close_row(&mut self, room: RoomId, state: &RoomRowState) -> Result<(), SqliteError> {
        match self.room_cache.peek(room) {
            Some(cached) => self.save(cached, state),
            None => Ok(()),
        }
    }
}
