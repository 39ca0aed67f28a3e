//! What the writer remembers about the rooms in use: where their entries are, which names were used,
//! who is there. The data has it all; this saves looking. Bounded, and staged: changes of a
//! transaction that fails are taken back.
//!
//! The order matters: `stage` before changing a cached room, then `commit` or `rollback` for all of them.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use lru::LruCache;

use super::client_id_index::ClientIdIndex;
use super::room_rows::Log;
use crate::domain::id::{Address, IdMap, RoomId, Seq, SessionId, Side, Timestamp};
use crate::domain::{Departure, EntryKind, Position, Presence, Room, RoomSide};
use crate::store::rules::{self, Absence};
use crate::store::{RoomPeople, SideClaim, StoreRules};

/// One side's part of the room row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SideRowState {
    pub(super) joined_at: Option<Timestamp>,
    pub(super) connection: Option<Address>,
    pub(super) away_since: Option<Timestamp>,
    pub(super) version: u64,
    pub(super) cursor: Seq,
    pub(super) read: Seq,
    /// It can be called, and is waited for so long at least.
    pub(super) call_for: Option<Duration>,
}

impl SideRowState {
    pub(super) fn presence(&self) -> Presence {
        Presence {
            speaker: self.connection,
            version: self.version,
        }
    }
}

/// The part of the room row that changes; small enough to copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RoomRowState {
    pub(super) sides: [SideRowState; 2],
    pub(super) departure: Option<Departure>,
    /// When it closes by itself, once its people were told so.
    pub(super) closes_at: Option<Timestamp>,
    pub(super) erasing: bool,
}

/// The part of the room row that never changes.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) no: i64,
    pub(super) people: Arc<RoomPeople>,
    pub(super) sessions: [SessionId; 2],
    pub(super) common_tags: Vec<String>,
    pub(super) is_bot: bool,
    pub(super) opened_at: Timestamp,
}

/// One room.
#[derive(Debug)]
pub(super) struct CachedRoom {
    pub(super) facts: Facts,
    pub(super) state: RoomRowState,
    /// Row ids of its entries; the entry with seq n is at n - 1.
    rows: Vec<i64>,
    client_ids: ClientIdIndex,
    /// What its entries count towards `limits.room_bytes`. Kept nowhere else: it is what a walk along them
    /// adds up.
    bytes: u64,
    /// The room row is behind.
    dirty: bool,
}

impl CachedRoom {
    /// A room as read, entries in `seq` order.
    pub(super) fn new(facts: Facts, state: RoomRowState, log: Log) -> Self {
        Self {
            facts,
            state,
            rows: log.rows,
            client_ids: ClientIdIndex::new(log.keys),
            bytes: log.bytes,
            dirty: false,
        }
    }

    /// The newest entry's place.
    pub(super) fn last_seq(&self) -> Seq {
        Seq(self.rows.len() as u64)
    }

    /// What its entries count towards `limits.room_bytes`.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The newest entry's row; 0 when there is none.
    pub(super) fn last_row(&self) -> i64 {
        self.rows.last().copied().unwrap_or(0)
    }

    /// The rows of at most `limit` entries after `after`.
    pub(super) fn rows_after(&self, after: Seq, limit: usize) -> &[i64] {
        let from = usize::try_from(after.0).unwrap_or(usize::MAX);
        let from = from.min(self.rows.len());
        let to = from.saturating_add(limit).min(self.rows.len());
        &self.rows[from..to]
    }

    /// The row of the message with this seq; `None` when there is no such entry or it is none.
    pub(super) fn message_row(&self, seq: Seq) -> Option<i64> {
        let at = usize::try_from(seq.0.checked_sub(1)?).ok()?;
        self.client_ids.is_message(at).then(|| self.rows[at])
    }

    /// Rows of the messages whose (side, client_id) hashes to this.
    pub(super) fn rows_with(&self, key: u32) -> impl Iterator<Item = i64> + '_ {
        let places = self.client_ids.find(key).into_iter();
        places.map(|at| self.rows[at])
    }

    /// Adds the next entry, which has so many bytes of text; `key` 0 for what is no message.
    pub(super) fn push(&mut self, row: i64, key: u32, bytes: u64) {
        self.rows.push(row);
        self.client_ids.push(key);
        self.bytes += bytes;
    }

    /// Text of an entry that was there is erased.
    pub(super) fn shrink(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// The room row was written with what is here now.
    pub(super) fn saved(&mut self) {
        self.dirty = false;
    }

    /// A side's absence; `None` while it is there. `since`: it cannot have come before.
    pub(super) fn absence(
        state: &SideRowState,
        since: Timestamp,
        rules: &StoreRules,
    ) -> Option<Absence> {
        if state.connection.is_some() {
            return None;
        }
        let came = state.joined_at.is_some();
        let away = state.away_since.filter(|_| came).unwrap_or(since);
        Some(rules.absence(away, came, state.call_for))
    }

    /// What the model calls a room.
    pub(super) fn room(&self, rules: &StoreRules) -> Room {
        let open = self.state.departure.is_none();
        let closes_at = rules.closes_at(self.facts.opened_at, self.state.closes_at);
        Room {
            id: self.facts.people.room,
            sides: Side::BOTH.map(|side| self.side(side)),
            common_tags: self.facts.common_tags.clone(),
            is_bot: self.facts.is_bot,
            opened_at: self.facts.opened_at,
            closes_at: closes_at.filter(|_| open),
            erases_at: rules.erases_at(self.state.departure.as_ref()),
            departure: self.state.departure,
            last_seq: self.last_seq(),
        }
    }

    /// The side that a connection comes to.
    pub(super) fn side_at(&self, place: SideClaim) -> Option<Side> {
        let speakers = self.state.sides.map(|side| side.connection);
        rules::side_at(place, &self.facts.sessions, &speakers)
    }

    /// Whether a side may be called because of an entry of this kind: the other side after a message. With a
    /// departure all subscriptions end, also those that lead to no call.
    pub(super) fn calls(&self, kind: &EntryKind) -> bool {
        let sides = &self.state.sides;
        match kind {
            EntryKind::Message { side, .. } => {
                let other = &sides[side.other().index()];
                other.call_for.is_some() && other.connection.is_none()
            }
            EntryKind::Departure { .. } => sides.iter().any(|side| side.call_for.is_some()),
            EntryKind::Recall { .. } | EntryKind::Reaction { .. } => false,
        }
    }

    /// Where it stands.
    pub(super) fn position(&self) -> Position {
        Position {
            room: self.facts.people.room,
            last_seq: self.last_seq(),
            presence: self.state.sides.map(|side| side.presence()),
        }
    }

    fn side(&self, side: Side) -> RoomSide {
        let state = &self.state.sides[side.index()];
        RoomSide {
            session: self.facts.sessions[side.index()],
            persona: self.facts.people.personas[side.index()].clone(),
            joined_at: state.joined_at,
            connection: state.connection,
            away_since: state.away_since,
            version: state.version,
            cursor: state.cursor,
            read: state.read,
            call_for: state.call_for,
        }
    }
}

/// What a cached room was before this transaction.
struct Saved {
    state: RoomRowState,
    len: usize,
    bytes: u64,
    dirty: bool,
}

/// A room whose row is behind since the entry `first`.
#[derive(Clone, Copy)]
pub(super) struct Behind {
    pub(super) first: i64,
    pub(super) room: RoomId,
}

/// The rooms in use.
pub(super) struct RoomCache {
    map: LruCache<RoomId, CachedRoom>,
    /// `None`: made in this transaction.
    undo: IdMap<RoomId, Option<Saved>>,
    /// In the order they fell behind, so that the front tells how far a start must read.
    behind: VecDeque<Behind>,
    behind_before: usize,
    entries: usize,
    most_rooms: usize,
    most_entries: usize,
    keyed: RandomState,
}

impl RoomCache {
    /// Remembers about so many rooms and entries.
    pub(super) fn new(most_rooms: usize, most_entries: usize) -> Self {
        Self {
            map: LruCache::unbounded(),
            undo: IdMap::default(),
            behind: VecDeque::new(),
            behind_before: 0,
            entries: 0,
            most_rooms,
            most_entries,
            keyed: RandomState::new(),
        }
    }

    /// The hash under which a message's name is remembered: random per process, never 0.
    pub(super) fn key(&self, side: Side, client_id: &str) -> u32 {
        let hash = self.keyed.hash_one((side.index(), client_id));
        #[expect(clippy::cast_possible_truncation, reason = "half of a hash is a hash")]
        let half = hash as u32;
        half.max(1)
    }

    /// A remembered room, which counts as used.
    pub(super) fn get(&mut self, room: RoomId) -> Option<&CachedRoom> {
        self.map.get(&room)
    }

    /// A remembered room, without counting as a use.
    pub(super) fn peek(&self, room: RoomId) -> Option<&CachedRoom> {
        self.map.peek(&room)
    }

    /// Remembers a room as the data has it.
    pub(super) fn learn(&mut self, cached: CachedRoom) {
        self.entries += cached.rows.len();
        self.map.put(cached.facts.people.room, cached);
    }

    /// Remembers a room that this transaction makes.
    pub(super) fn create(&mut self, cached: CachedRoom) {
        self.undo.insert(cached.facts.people.room, None);
        self.learn(cached);
    }

    /// A remembered room, to be changed within this transaction.
    pub(super) fn stage(&mut self, room: RoomId) -> Option<&mut CachedRoom> {
        let cached = self.map.get_mut(&room)?;
        self.undo.entry(room).or_insert_with(|| {
            Some(Saved {
                state: cached.state,
                len: cached.rows.len(),
                bytes: cached.bytes,
                dirty: cached.dirty,
            })
        });
        Some(cached)
    }

    /// Adds an entry with so many bytes of text to a room within this transaction; its row falls behind.
    pub(super) fn append(&mut self, room: RoomId, row: i64, key: u32, bytes: u64) {
        let Some(cached) = self.stage(room) else {
            return;
        };
        cached.push(row, key, bytes);
        let fell_behind = !std::mem::replace(&mut cached.dirty, true);
        self.entries += 1;
        if fell_behind {
            self.behind.push_back(Behind { first: row, room });
        }
    }

    /// The room row is behind since the entry `first`.
    pub(super) fn touch(&mut self, room: RoomId, first: i64) {
        let Some(cached) = self.stage(room) else {
            return;
        };
        if !std::mem::replace(&mut cached.dirty, true) {
            self.behind.push_back(Behind { first, room });
        }
    }

    /// The oldest `count` rooms that are behind, for their rows to be written.
    pub(super) fn oldest_behind(&self, count: usize) -> impl Iterator<Item = &CachedRoom> + '_ {
        let rooms = self.behind.iter().take(count);
        rooms
            .filter_map(|behind| self.map.peek(&behind.room))
            .filter(|cached| cached.dirty && !cached.state.erasing)
    }

    /// The first entry that a start would have to read if the oldest `count` were written.
    pub(super) fn first_behind(&self, count: usize) -> Option<i64> {
        self.behind.get(count).map(|behind| behind.first)
    }

    /// How many rooms are behind.
    pub(super) fn behind(&self) -> usize {
        self.behind.len()
    }

    /// More is remembered than should be.
    pub(super) fn crowded(&self) -> bool {
        self.map.len() > self.most_rooms || self.entries > self.most_entries
    }

    /// The transaction holds; the rows of the oldest `written` rooms were written in it.
    pub(super) fn commit(&mut self, written: usize) {
        self.undo.clear();
        for behind in self.behind.drain(..written) {
            if let Some(cached) = self.map.peek_mut(&behind.room) {
                cached.dirty = false;
            }
        }
        self.behind_before = self.behind.len();
    }

    /// The transaction failed: everything is as it was.
    pub(super) fn rollback(&mut self) {
        for (room, saved) in self.undo.drain() {
            let Some(saved) = saved else {
                let made = self.map.pop(&room);
                self.entries -= made.map_or(0, |cached| cached.rows.len());
                continue;
            };
            if let Some(cached) = self.map.peek_mut(&room) {
                self.entries -= cached.rows.len() - saved.len;
                cached.state = saved.state;
                cached.rows.truncate(saved.len);
                cached.bytes = saved.bytes;
                cached.client_ids.truncate(saved.len);
                cached.dirty = saved.dirty;
            }
        }
        self.behind.truncate(self.behind_before);
    }

    /// The room is no more.
    pub(super) fn forget(&mut self, room: RoomId) {
        if let Some(cached) = self.map.pop(&room) {
            self.entries -= cached.rows.len();
        }
    }

    /// Forgets the rooms unused for longest. Rooms that are behind stay: only here is what they have.
    pub(super) fn evict(&mut self) {
        let mut looked_at = 0;
        while self.crowded() && looked_at < self.map.len() {
            let Some((room, cached)) = self.map.pop_lru() else {
                return;
            };
            if cached.dirty {
                looked_at += 1;
                self.map.put(room, cached);
            } else {
                self.entries -= cached.rows.len();
            }
        }
    }
}
