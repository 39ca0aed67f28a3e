//! A room's row as a batch locked it, and what the ops of the batch make of it. The rules that it applies are
//! those of every store (`store/rules.rs`); this knows columns.

use std::collections::HashMap;
use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use super::error::BackendError;
use super::rows;
use crate::domain::id::{Address, NodeId, RoomId, Seq, SessionId, Side, Timestamp};
use crate::domain::{Departure, EntryKind, Persona, Room, RoomSide};
use crate::store::rules::Absence;
use crate::store::{ReadState, StoreRules};

macro_rules! whole {
    () => {
        "id, no, last_seq, bytes, closed_at IS NOT NULL, cursor_a, read_a, cursor_b, read_b, call_for_a, call_for_b, \
         call_for_a IS NOT NULL AND node_a IS NULL, call_for_b IS NOT NULL AND node_b IS NULL"
    };
    (presence) => {
        "common_tags, is_bot, session_a, session_b, opened_at, closes_at, \
         closed_at, left_seq, left_side, left_reason, \
         joined_a, node_a, number_a, away_a, version_a, joined_b, node_b, number_b, away_b, version_b"
    };
}
/// Locks rooms in the order of their ids, so that no two batches wait for each other. `$2`: whose people are
/// wanted. What [`RoomState::read`] takes.
pub(super) const LOCK: &str = concat!(
    "SELECT ",
    whole!(),
    ", CASE WHEN id = ANY ($2) THEN people END \
     FROM rooms WHERE id = ANY ($1) AND NOT erasing ORDER BY id FOR UPDATE"
);
/// The same with what [`RoomPresence::read`] takes.
pub(super) const LOCK_PRESENCE: &str = concat!(
    "SELECT ",
    whole!(),
    ", CASE WHEN id = ANY ($2) THEN people END, ",
    whole!(presence),
    " FROM rooms WHERE id = ANY ($1) AND NOT erasing ORDER BY id FOR UPDATE"
);
/// What [`read_room`] takes, for a condition on `r`; `$2` is the moment, if a test sets it.
pub(super) const READ: &str = concat!(
    "SELECT ",
    whole!(),
    ", people, ",
    whole!(presence),
    ", m.now, s.since, a.until, b.until FROM rooms r CROSS JOIN service s \
     CROSS JOIN (SELECT moment($2) AS now) m \
     LEFT JOIN nodes a ON a.node = r.node_a LEFT JOIN nodes b ON b.node = r.node_b WHERE "
);
/// Who is alive: what [`Leases::read`] takes.
pub(super) const LEASES: &str =
    "SELECT s.since, n.node, n.until FROM service s LEFT JOIN nodes n ON true";

fn at<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, BackendError> {
    row.try_get(column)
        .map_err(|_| BackendError::Damaged("a column that cannot be read"))
}

fn call_for(row: &Row, column: usize) -> Result<Option<Duration>, BackendError> {
    let millis = at::<Option<i64>>(row, column)?;
    Ok(millis.map(|it| Duration::from_millis(it.unsigned_abs())))
}

/// What the domain calls a room, from a row of [`READ`].
pub(super) fn read_room(row: &Row, rules: &StoreRules) -> Result<Room, BackendError> {
    let (id, state) = RoomState::read(row)?;
    let leases = Leases::read_beside(row, &state)?;
    state.room(id, &leases, rules)
}

/// A room within a batch.
pub(super) struct RoomState {
    pub(super) no: i64,
    pub(super) last_seq: Seq,
    /// What its texts count towards `limits.room_bytes`.
    pub(super) bytes: u64,
    pub(super) closed: bool,
    pub(super) read_states: [ReadState; 2],
    /// Of each side: it can be called, and is waited for so long at least.
    pub(super) call_for: [Option<Duration>; 2],
    /// Of each side that can be called: no connection spoke for it when the room was locked.
    away: [bool; 2],
    /// Both personas as JSON, if they were asked for.
    pub(super) people: Option<Vec<u8>>,
    /// If it was asked for.
    pub(super) presence: Option<RoomPresence>,
    /// The log or a read state is to be written.
    pub(super) grown: bool,
}

impl RoomState {
    /// Its id and itself, from a row of [`LOCK`] or [`LOCK_PRESENCE`].
    pub(super) fn read(row: &Row) -> Result<(RoomId, Self), BackendError> {
        let read_state = |cursor, read| {
            Ok::<_, BackendError>(ReadState {
                cursor: rows::seq(at(row, cursor)?)?,
                read: rows::seq(at(row, read)?)?,
            })
        };
        let state = Self {
            no: at(row, 1)?,
            last_seq: rows::seq(at(row, 2)?)?,
            bytes: u64::try_from(at::<i64>(row, 3)?).unwrap_or(0),
            closed: at(row, 4)?,
            read_states: [read_state(5, 6)?, read_state(7, 8)?],
            call_for: [call_for(row, 9)?, call_for(row, 10)?],
            away: [at(row, 11)?, at(row, 12)?],
            people: at(row, 13)?,
            presence: match row.len() {
                14 => None,
                _ => Some(RoomPresence::read(row)?),
            },
            grown: false,
        };
        Ok((RoomId(at(row, 0)?), state))
    }

    /// Who is there and until when, if that is to be written.
    pub(super) fn new_presence(&self) -> Option<&RoomPresence> {
        let presence = self.presence.as_ref()?;
        let came_or_went = presence.sides.iter().any(|side| side.changed);
        (came_or_went || presence.looked_at || presence.closing).then_some(presence)
    }

    /// Whether a side may be called because of an entry of this kind: the other side after a message. With a
    /// departure all subscriptions end, also those that lead to no call.
    pub(super) fn calls(&self, kind: &EntryKind) -> bool {
        match kind {
            EntryKind::Message { side, .. } => {
                let other = side.other().index();
                let away = match &self.presence {
                    Some(presence) => presence.sides[other].speaker.is_none(),
                    None => self.away[other],
                };
                away && self.call_for[other].is_some()
            }
            EntryKind::Departure { .. } => self.call_for.iter().any(Option::is_some),
            EntryKind::Recall { .. } | EntryKind::Reaction { .. } => false,
        }
    }

    /// Keeps a read state: never back, and never past the end of the log.
    pub(super) fn keep_read_state(&mut self, side: Side, told: ReadState) {
        let known = &mut self.read_states[side.index()];
        let later = ReadState {
            cursor: known.cursor.max(told.cursor.min(self.last_seq)),
            read: known.read.max(told.read.min(self.last_seq)),
        };
        if later != *known {
            *known = later;
            self.grown = true;
        }
    }

    /// What the domain calls a room.
    pub(super) fn room(
        &self,
        id: RoomId,
        leases: &Leases,
        rules: &StoreRules,
    ) -> Result<Room, BackendError> {
        const UNASKED: BackendError = BackendError::Damaged("a room that was not read whole");
        let presence = self.presence.as_ref().ok_or(UNASKED)?;
        let people: [Persona; 2] = rows::json(self.people.as_ref().ok_or(UNASKED)?)?;
        let sides = Side::BOTH.map(|side| {
            let mine = &presence.sides[side.index()];
            let gone = presence.gone_since(side, leases);
            RoomSide {
                session: presence.sessions[side.index()],
                persona: people[side.index()].clone(),
                joined_at: mine.joined,
                away_since: mine.joined.and(gone),
                connection: mine.speaker.filter(|_| gone.is_none()),
                version: mine.version,
                cursor: self.read_states[side.index()].cursor,
                read: self.read_states[side.index()].read,
                call_for: self.call_for[side.index()],
            }
        });
        let closes_at = rules.closes_at(presence.opened_at, presence.closes_at);
        Ok(Room {
            id,
            sides,
            common_tags: rows::json(&presence.common_tags)?,
            is_bot: presence.is_bot,
            opened_at: presence.opened_at,
            closes_at: closes_at.filter(|_| !self.closed),
            erases_at: rules.erases_at(presence.departure.as_ref()),
            departure: presence.departure,
            last_seq: self.last_seq,
        })
    }
}

/// Who has been and is in a room, and until when it is one.
pub(super) struct RoomPresence {
    pub(super) common_tags: Vec<u8>,
    pub(super) is_bot: bool,
    pub(super) sessions: [SessionId; 2],
    pub(super) opened_at: Timestamp,
    /// Once its people were told.
    pub(super) closes_at: Option<Timestamp>,
    pub(super) departure: Option<Departure>,
    pub(super) sides: [SideState; 2],
    /// The departure is to be written.
    pub(super) closing: bool,
    /// It was due for nothing, or its people are to be told.
    pub(super) looked_at: bool,
}

/// One side's columns.
#[derive(Clone, Copy)]
pub(super) struct SideState {
    pub(super) joined: Option<Timestamp>,
    pub(super) speaker: Option<Address>,
    pub(super) away: Option<Timestamp>,
    pub(super) version: u64,
    /// They are to be written.
    pub(super) changed: bool,
}

impl RoomPresence {
    fn read(row: &Row) -> Result<Self, BackendError> {
        let time = |column| Ok::<_, BackendError>(at::<Option<i64>>(row, column)?.map(Timestamp));
        let side = |from: usize| {
            let node: Option<i64> = at(row, from + 1)?;
            Ok::<_, BackendError>(SideState {
                joined: time(from)?,
                speaker: rows::address(node, at(row, from + 2)?),
                away: time(from + 3)?,
                version: at::<i64>(row, from + 4)?.cast_unsigned(),
                changed: false,
            })
        };
        let left: (Option<i64>, Option<i16>, Option<i16>) =
            (at(row, 21)?, at(row, 22)?, at(row, 23)?);
        let departure = match (time(20)?, left) {
            (Some(at), (Some(seq), Some(side), Some(reason))) => Some(Departure {
                seq: rows::seq(seq)?,
                at,
                side: rows::side(side.into())?,
                reason: rows::reason(reason.into())?,
            }),
            _ => None,
        };
        let session = |column| Ok::<_, BackendError>(rows::session_id(at::<Uuid>(row, column)?));
        Ok(Self {
            common_tags: at(row, 14)?,
            is_bot: at(row, 15)?,
            sessions: [session(16)?, session(17)?],
            opened_at: Timestamp(at(row, 18)?),
            closes_at: time(19)?,
            departure,
            sides: [side(24)?, side(29)?],
            closing: false,
            looked_at: false,
        })
    }

    /// Since when a side has had no connection; `None` while it has one. A side that never came has been
    /// gone since it could have come. No absence began before the present service did: no side could come then.
    pub(super) fn gone_since(&self, side: Side, leases: &Leases) -> Option<Timestamp> {
        let mine = &self.sides[side.index()];
        let Some(speaker) = mine.speaker else {
            let since = match mine.joined {
                None => Some(self.opened_at),
                Some(_) => mine.away,
            };
            return Some(since.map_or(leases.since, |since| since.max(leases.since)));
        };
        if leases.is_alive(speaker.node) {
            return None;
        }
        let until = leases.until.get(&speaker.node).copied();
        let since = [until, mine.joined].into_iter().flatten();
        Some(since.fold(leases.since, Timestamp::max))
    }

    /// Which sides are away, and until when that may last.
    pub(super) fn absences(
        &self,
        call_for: [Option<Duration>; 2],
        leases: &Leases,
        rules: &StoreRules,
    ) -> [Option<Absence>; 2] {
        Side::BOTH.map(|side| {
            let since = self.gone_since(side, leases)?;
            let came = self.sides[side.index()].joined.is_some();
            Some(rules.absence(since, came, call_for[side.index()]))
        })
    }

    /// Until when the first of the absences may last.
    pub(super) fn until(
        &self,
        call_for: [Option<Duration>; 2],
        leases: &Leases,
        rules: &StoreRules,
    ) -> Option<Timestamp> {
        let absences = self.absences(call_for, leases, rules);
        absences.iter().flatten().map(|it| it.until).min()
    }

    /// Which connection speaks for each side, as far as its node is alive.
    pub(super) fn speakers(&self, leases: &Leases) -> [Option<Address>; 2] {
        Side::BOTH.map(|side| {
            let speaker = self.sides[side.index()].speaker;
            speaker.filter(|_| self.gone_since(side, leases).is_none())
        })
    }

    /// When the sweeper must look at the room at the earliest, leases aside; `None` when both are there, or
    /// it is closed.
    pub(super) fn due(
        &self,
        call_for: [Option<Duration>; 2],
        rules: &StoreRules,
    ) -> Option<Timestamp> {
        let due = self.sides.iter().zip(call_for);
        let due = due.filter(|(side, _)| side.speaker.is_none());
        let due = due.map(|(side, call_for)| {
            let since = side.away.unwrap_or(self.opened_at);
            rules.absence(since, side.away.is_some(), call_for).until
        });
        due.min().filter(|_| self.departure.is_none())
    }
}

/// Which nodes are alive at the moment of a batch.
pub(super) struct Leases {
    pub(super) now: Timestamp,
    /// Since when at least one node has been alive without a break.
    since: Timestamp,
    until: HashMap<NodeId, Timestamp>,
}

impl Leases {
    /// As of this moment, from rows of [`LEASES`].
    pub(super) fn read(now: Timestamp, rows: &[Row]) -> Result<Self, BackendError> {
        let mut leases = Self {
            now,
            since: Timestamp(0),
            until: HashMap::new(),
        };
        for row in rows {
            leases.since = Timestamp(at(row, 0)?);
            if let (Some(node), Some(until)) = (at::<Option<i64>>(row, 1)?, at(row, 2)?) {
                let node = NodeId(node.cast_unsigned());
                leases.until.insert(node, Timestamp(until));
            }
        }
        Ok(leases)
    }

    /// As of a row of [`READ`]: those of the nodes that its room names.
    fn read_beside(row: &Row, room: &RoomState) -> Result<Self, BackendError> {
        let mut leases = Self {
            now: Timestamp(at(row, 34)?),
            since: Timestamp(at(row, 35)?),
            until: HashMap::new(),
        };
        let sides = room.presence.iter().flat_map(|it| &it.sides);
        for (side, column) in sides.zip([36, 37]) {
            if let (Some(speaker), Some(until)) = (side.speaker, at(row, column)?) {
                leases.until.insert(speaker.node, Timestamp(until));
            }
        }
        Ok(leases)
    }

    /// Its lease is not over.
    pub(super) fn is_alive(&self, node: NodeId) -> bool {
        self.until.get(&node).is_some_and(|until| *until > self.now)
    }

    /// As the SQL function `renew` does it.
    pub(super) fn renew(&mut self, node: NodeId, lease: std::time::Duration) {
        if !self.until.values().any(|until| *until > self.now) {
            self.since = self.since.max(self.now);
        }
        let until = self.now.plus(lease);
        let known = self.until.entry(node).or_insert(until);
        *known = until.max(*known);
    }
}
