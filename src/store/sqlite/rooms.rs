//! Jobs on rooms: making, reading, arriving, departing, closing.

use std::sync::Arc;

use super::error::{BackendError, Cause};
use super::head::{Facts, Head, State};
use super::room_rows::{self, Log};
use super::rows;
use super::writer::Writer;
use crate::domain::id::{Address, RoomId, Seq, SessionId, Side, StoreId};
use crate::domain::{Departure, EntryKind, LeaveReason, Mark, Pairing, Room};
use crate::store::{Arrival, Marks, Place, RoomPeople};

/// Most open rooms of one session that are told.
const OPEN_ROOMS: i64 = 32;

impl Writer {
    /// See [`crate::store::Rooms::create_room`].
    pub(super) fn create_room(&mut self, pairing: Pairing) -> Result<(), BackendError> {
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
        if self.heads.get(room).is_some() {
            return self.made_before(&facts);
        }
        // Nearly always new: looking first would be a look for nothing.
        match self.insert_room(&mut facts, &marks) {
            Err(BackendError::Conflict) => return self.made_before(&facts),
            other => other?,
        }
        if !is_bot {
            self.opened += 1;
        }
        let head = Head::new(facts, State::default(), Log::default());
        self.heads.create(head);
        Ok(())
    }

    /// Whether the room of that id is this one and open: then it was asked for twice.
    fn made_before(&mut self, facts: &Facts) -> Result<(), BackendError> {
        let head = self
            .head(facts.people.room)?
            .ok_or(BackendError::Conflict)?;
        let same = head.facts.sessions == facts.sessions
            && head.facts.people.personas == facts.people.personas;
        match same && head.state.departure.is_none() {
            true => Ok(()),
            false => Err(BackendError::Conflict),
        }
    }

    fn insert_room(
        &mut self,
        facts: &mut Facts,
        marks: &[Vec<Mark>; 2],
    ) -> Result<(), BackendError> {
        let due = self.now.plus(self.rules.arrival);
        let age = self.rules.age_due(facts.opened_at, None);
        let due = age.map_or(due, |age| age.min(due));
        // Half a room must not stay. What refuses a part of it (a damaged file, a full disk) therefore ends
        // the transaction: a savepoint for each room would copy every page that it touches.
        let aborted = |fault| BackendError::BatchAborted(Box::new(fault));
        facts.no = match room_rows::insert_room(&self.conn, facts, due) {
            // Only the id is unique: the room is there, or it is being erased. Nothing was written.
            Err(BackendError::Sql(error)) if Cause::of(&error) == Cause::Constraint => {
                return Err(BackendError::Conflict);
            }
            other => other.map_err(aborted)?,
        };
        room_rows::insert_members(&self.conn, facts).map_err(aborted)?;
        room_rows::insert_marks(&self.conn, facts.no, marks).map_err(aborted)
    }

    /// See [`crate::store::Upkeep::identity`].
    pub(super) fn identity(&mut self) -> Result<StoreId, BackendError> {
        let mut read = self
            .conn
            .prepare_cached("SELECT value FROM meta WHERE name = 'identity'")?;
        let value: i64 = read.query_row([], |row| row.get(0))?;
        Ok(StoreId(value.cast_unsigned()))
    }

    /// See [`crate::store::Rooms::room`].
    pub(super) fn room(&mut self, room: RoomId) -> Result<Option<Room>, BackendError> {
        let rules = Arc::clone(&self.rules);
        Ok(self.head(room)?.map(|head| head.room(&rules)))
    }

    /// See [`crate::store::Rooms::open_rooms`].
    pub(super) fn open_rooms(&mut self, session: SessionId) -> Result<Vec<Room>, BackendError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT r.id FROM (SELECT DISTINCT room FROM members \
                 WHERE session = ?1 AND open = 1 ORDER BY room DESC LIMIT ?2) m \
             JOIN rooms r ON r.no = m.room ORDER BY r.no DESC",
        )?;
        let ids = statement
            .query_map((session.0, OPEN_ROOMS), |row| row.get(0))?
            .collect::<Result<Vec<[u8; 16]>, _>>()?;
        drop(statement);
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
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
        place: Place,
        connection: Address,
    ) -> Result<Option<Arrival>, BackendError> {
        let now = self.now;
        let Some(head) = self.head(room)? else {
            return Ok(None);
        };
        let Some(side) = head.side_at(place) else {
            return Ok(None);
        };
        let people = Arc::clone(&head.facts.people);
        let mut state = head.state;
        let taken = state.sides[side.index()]
            .connection
            .is_some_and(|it| it != connection);
        let passed = taken && matches!(place, Place::IfFree(_));
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
        marks: Marks,
    ) -> Result<Option<u64>, BackendError> {
        let now = self.now;
        self.mark(room, side, marks)?;
        let Some(head) = self.head(room)? else {
            return Ok(None);
        };
        let mut state = head.state;
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

    /// See [`crate::store::Rooms::mark`].
    pub(super) fn mark(
        &mut self,
        room: RoomId,
        side: Side,
        marks: Marks,
    ) -> Result<(), BackendError> {
        let next_id = self.next_id;
        let Some(head) = self.head(room)? else {
            return Ok(());
        };
        let last = head.last_seq();
        let known = head.state.sides[side.index()];
        let later = |known: Seq, told: Seq| known.max(told.min(last));
        let (cursor, read) = (
            later(known.cursor, marks.cursor),
            later(known.read, marks.read),
        );
        if (cursor, read) == (known.cursor, known.read) {
            return Ok(());
        }
        if let Some(head) = self.heads.stage(room) {
            let mine = &mut head.state.sides[side.index()];
            (mine.cursor, mine.read) = (cursor, read);
        }
        self.heads.touch(room, next_id);
        Ok(())
    }

    /// See [`crate::store::Rooms::close_room`].
    pub(super) fn close_room(
        &mut self,
        room: RoomId,
        side: Side,
        reason: LeaveReason,
    ) -> Result<bool, BackendError> {
        let now = self.now;
        let Some(head) = self.head(room)? else {
            return Ok(false);
        };
        if head.state.departure.is_some() {
            return Ok(false);
        }
        let (no, sessions, is_bot) = (head.facts.no, head.facts.sessions, head.facts.is_bot);
        let mut state = head.state;
        state.departure = Some(Departure {
            seq: head.last_seq().next(),
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
            writer.write_entry(room, EntryKind::Departure { side, reason }, None, 0)
        })?;
        if let Some(head) = self.heads.stage(room) {
            head.state = state;
        }
        if !is_bot {
            self.opened -= 1;
        }
        Ok(true)
    }

    /// Closes the row alone; its newest entry follows lazily, as always.
    fn close_row(&mut self, room: RoomId, state: &State) -> Result<(), BackendError> {
        match self.heads.peek(room) {
            Some(head) => self.save(head, state),
            None => Ok(()),
        }
    }
}
