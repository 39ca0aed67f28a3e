//! What a batch asks and writes, as the parameters of its statements: columns as arrays, one element a row.

use std::collections::HashSet;

use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::decide::Batch;
use super::messages::{Messages, Wanted};
use super::room_state::RoomState;
use super::rows;
use super::write_op::WriteOp;
use super::write_shard::People;
use crate::domain::id::{Side, Timestamp};

/// One parameter.
pub(super) type Param<'a> = &'a (dyn ToSql + Sync);

/// What the ops of a batch need to know.
pub(super) struct Asks<'a> {
    pub(super) rooms: Vec<Uuid>,
    /// Those whose people are wanted.
    pub(super) strangers: Vec<Uuid>,
    /// Who is in the rooms is wanted, too.
    pub(super) presence: bool,
    pub(super) wanted: Wanted<'a>,
}

impl<'a> Asks<'a> {
    /// Those of these ops; `people` are known.
    pub(super) fn of(ops: &[&'a WriteOp], people: &People) -> Self {
        let (mut rooms, mut strangers) = (HashSet::new(), HashSet::new());
        let mut wanted = Wanted::default();
        for op in ops {
            let room = op.room();
            let known = people.peek(&room).map(|(no, _)| *no);
            let whole = matches!(op, WriteOp::Open(_) | WriteOp::Arrive { .. });
            if known.is_none() || whole {
                strangers.insert(room.0);
            }
            rooms.insert(room.0);
            wanted.add(op, known);
        }
        Self {
            rooms: rooms.into_iter().collect(),
            strangers: strangers.into_iter().collect(),
            presence: ops.iter().any(|op| op.is_about_presence()),
            wanted,
        }
    }
}

/// Rooms to be made.
#[derive(Default)]
pub(super) struct NewRooms<'a> {
    pub(super) ids: Vec<Uuid>,
    people: Vec<&'a [u8]>,
    tags: Vec<&'a [u8]>,
    bots: Vec<bool>,
    sessions: [Vec<Uuid>; 2],
}

impl<'a> NewRooms<'a> {
    /// Those of these ops.
    pub(super) fn of(ops: &[&'a WriteOp]) -> Self {
        let mut rooms = Self::default();
        for op in ops {
            let WriteOp::Open(new) = op else { continue };
            rooms.ids.push(new.room.0);
            rooms.people.push(&new.people);
            rooms.tags.push(&new.common_tags);
            rooms.bots.push(new.is_bot);
            for (column, session) in rooms.sessions.iter_mut().zip(new.sessions) {
                column.push(rows::session(session));
            }
        }
        rooms
    }

    /// As `open` takes them, made at this moment.
    #[expect(
        clippy::ref_option,
        reason = "parameters are lent to the driver as what they are, and an option is one"
    )]
    pub(super) fn params<'b>(&'b self, now: &'b Option<i64>, arrival: &'b i64) -> [Param<'b>; 8] {
        let [a, b] = &self.sessions;
        [
            &self.ids,
            &self.people,
            &self.tags,
            &self.bots,
            a,
            b,
            now,
            arrival,
        ]
    }
}

/// Entries to be written.
#[derive(Default)]
pub(super) struct NewEntries<'a> {
    pub(super) rooms: Vec<i64>,
    seqs: Vec<i64>,
    kinds: Vec<i16>,
    sides: Vec<i16>,
    names: Vec<Option<&'a [u8]>>,
    bodies: Vec<Option<&'a [u8]>>,
    targets: Vec<Option<i64>>,
    reasons: Vec<Option<i16>>,
    hidden: Vec<i16>,
    at: i64,
}

impl<'a> NewEntries<'a> {
    /// Those that the batch has made, labelled with this moment.
    pub(super) fn of(messages: &'a Messages, label: Timestamp) -> Self {
        let mut entries = Self {
            at: label.0,
            ..Self::default()
        };
        for new in &messages.new {
            let columns = new.columns();
            entries.rooms.push(new.room);
            entries.seqs.push(rows::int(new.entry.seq));
            entries.kinds.push(columns.kind);
            entries.sides.push(rows::side_code(columns.side));
            entries.names.push(columns.client_id);
            entries.bodies.push(columns.body);
            entries.targets.push(columns.target.map(rows::int));
            entries.reasons.push(columns.reason.map(rows::reason_code));
            entries.hidden.push(new.hidden);
        }
        entries
    }

    /// As `insert` takes them.
    pub(super) fn params(&self) -> [Param<'_>; 10] {
        [
            &self.rooms,
            &self.seqs,
            &self.kinds,
            &self.sides,
            &self.names,
            &self.bodies,
            &self.targets,
            &self.reasons,
            &self.hidden,
            &self.at,
        ]
    }
}

/// What becomes of messages that were there before.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) rooms: Vec<i64>,
    seqs: Vec<i64>,
    recalled: Vec<bool>,
    hidden: Vec<i16>,
}

impl Changes {
    /// What the batch has made of them.
    pub(super) fn of(messages: &Messages) -> Self {
        let mut changes = Self::default();
        for ((room, seq), change) in &messages.changes {
            changes.rooms.push(*room);
            changes.seqs.push(rows::int(*seq));
            changes.recalled.push(change.recalled);
            changes.hidden.push(change.hidden);
        }
        changes
    }

    /// As `change` takes them.
    pub(super) fn params(&self) -> [Param<'_>; 4] {
        [&self.rooms, &self.seqs, &self.recalled, &self.hidden]
    }
}

/// Rooms whose logs or read states have grown.
#[derive(Default)]
pub(super) struct Grown {
    pub(super) rooms: Vec<i64>,
    last_seqs: Vec<i64>,
    bytes: Vec<i64>,
    cursors: [Vec<i64>; 2],
    reads: [Vec<i64>; 2],
}

impl Grown {
    /// Those among these.
    pub(super) fn of<'a>(rooms: impl Iterator<Item = &'a RoomState>) -> Self {
        let mut grown = Self::default();
        for room in rooms.filter(|room| room.grown) {
            grown.rooms.push(room.no);
            grown.last_seqs.push(rows::int(room.last_seq));
            grown.bytes.push(room.bytes.cast_signed());
            for side in Side::BOTH {
                let told = room.read_states[side.index()];
                grown.cursors[side.index()].push(rows::int(told.cursor));
                grown.reads[side.index()].push(rows::int(told.read));
            }
        }
        grown
    }

    /// As `grow` takes them.
    pub(super) fn params(&self) -> [Param<'_>; 7] {
        let ([a, b], [read_a, read_b]) = (&self.cursors, &self.reads);
        [
            &self.rooms,
            &self.last_seqs,
            &self.bytes,
            a,
            read_a,
            b,
            read_b,
        ]
    }
}

/// What has become of who is in a room: rare, and a statement each.
pub(super) enum PresenceChange {
    Side {
        side: Side,
        no: i64,
        joined: Option<i64>,
        node: Option<i64>,
        number: Option<i64>,
        away: Option<i64>,
        version: i64,
        due: Option<i64>,
    },
    LookedAt {
        no: i64,
        due: Option<i64>,
        closes_at: Option<i64>,
    },
    Closed {
        no: i64,
        at: i64,
        seq: i64,
        side: i16,
        reason: i16,
    },
}

impl PresenceChange {
    /// Those of a room, in the order in which they are to be written.
    pub(super) fn of(room: &RoomState, batch: &Batch<'_>) -> Vec<Self> {
        let mut changes = Vec::new();
        let Some(presence) = &room.presence else {
            return changes;
        };
        let no = room.no;
        let due = presence.due(batch.rules).map(|at| at.0);
        for side in Side::BOTH {
            let mine = &presence.sides[side.index()];
            if mine.changed {
                changes.push(Self::Side {
                    side,
                    no,
                    joined: mine.joined.map(|at| at.0),
                    node: mine.speaker.map(|it| it.node.0.cast_signed()),
                    number: mine.speaker.map(|it| it.number.cast_signed()),
                    away: mine.away.map(|at| at.0),
                    version: mine.version.cast_signed(),
                    due,
                });
            }
        }
        if presence.looked_at {
            let absences = presence.absences(&batch.leases, batch.rules);
            let until = absences.iter().flatten().map(|it| it.until.0).min();
            changes.push(Self::LookedAt {
                no,
                due: until,
                closes_at: presence.closes_at.map(|at| at.0),
            });
        }
        if let (true, Some(departure)) = (presence.closing, presence.departure) {
            changes.push(Self::Closed {
                no,
                at: departure.at.0,
                seq: rows::int(departure.seq),
                side: rows::side_code(departure.side),
                reason: rows::reason_code(departure.reason),
            });
        }
        changes
    }

    /// As its statement takes it.
    pub(super) fn params(&self) -> Vec<Param<'_>> {
        match self {
            Self::Side {
                side: _,
                no,
                joined,
                node,
                number,
                away,
                version,
                due,
            } => vec![no, joined, node, number, away, version, due],
            Self::LookedAt { no, due, closes_at } => vec![no, due, closes_at],
            Self::Closed {
                no,
                at,
                seq,
                side,
                reason,
            } => vec![no, at, seq, side, reason],
        }
    }
}
