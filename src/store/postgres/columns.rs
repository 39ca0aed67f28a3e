//! What a batch asks and writes, as the parameters of its statements: columns as arrays, one element a row.

use std::collections::HashSet;

use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::decide::Batch;
use super::messages::{Messages, Wanted};
use super::room_state::{RoomPresence, RoomState, SideState};
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
            entries.reasons.push(columns.reason);
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

/// What becomes of entries that were there before.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) rooms: Vec<i64>,
    seqs: Vec<i64>,
    erased: Vec<bool>,
    hidden: Vec<i16>,
}

impl Changes {
    /// What the batch has made of them.
    pub(super) fn of(messages: &Messages) -> Self {
        let mut changes = Self::default();
        for ((room, seq), change) in &messages.changes {
            changes.rooms.push(*room);
            changes.seqs.push(rows::int(*seq));
            changes.erased.push(change.erased);
            changes.hidden.push(change.hidden);
        }
        changes
    }

    /// As `change` takes them.
    pub(super) fn params(&self) -> [Param<'_>; 4] {
        [&self.rooms, &self.seqs, &self.erased, &self.hidden]
    }
}

/// Rooms whose logs or read states have grown, and nothing else of them.
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
        for room in rooms.filter(|room| room.grown && room.new_presence().is_none()) {
            grown.push(room);
        }
        grown
    }

    fn push(&mut self, room: &RoomState) {
        self.rooms.push(room.no);
        self.last_seqs.push(rows::int(room.last_seq));
        self.bytes.push(room.bytes.cast_signed());
        for side in Side::BOTH {
            let told = room.read_states[side.index()];
            self.cursors[side.index()].push(rows::int(told.cursor));
            self.reads[side.index()].push(rows::int(told.read));
        }
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

/// Rooms of which more has changed: who is there, when to look again, the end. All of it is written that may
/// ever change, so that each room has one new row whatever was done to it: a row whose times or nodes are
/// others is a new one for all ten indexes.
#[derive(Default)]
pub(super) struct Whole {
    pub(super) grown: Grown,
    dues: Vec<Option<i64>>,
    looked_at: Vec<bool>,
    closes_at: Vec<Option<i64>>,
    closed_at: Vec<Option<i64>>,
    left_seqs: Vec<Option<i64>>,
    left_sides: Vec<Option<i16>>,
    left_reasons: Vec<Option<i16>>,
    sides: [Sides; 2],
}

/// One side of those rooms.
#[derive(Default)]
struct Sides {
    joined: Vec<Option<i64>>,
    nodes: Vec<Option<i64>>,
    numbers: Vec<Option<i64>>,
    away: Vec<Option<i64>>,
    versions: Vec<i64>,
    call_for: Vec<Option<i64>>,
}

impl Whole {
    /// Those that the batch has made.
    pub(super) fn of(batch: &Batch<'_>) -> Self {
        let mut whole = Self::default();
        for room in batch.rooms.values() {
            if let Some(presence) = room.new_presence() {
                whole.push(room, presence, batch);
            }
        }
        whole
    }

    fn push(&mut self, room: &RoomState, presence: &RoomPresence, batch: &Batch<'_>) {
        let due = match presence.looked_at && !room.closed {
            true => presence.until(room.call_for, &batch.leases, batch.rules),
            false => presence.due(room.call_for, batch.rules),
        };
        let millis = |time: Option<Timestamp>| time.map(|time| time.0);
        let left = presence.departure;
        self.grown.push(room);
        self.dues.push(millis(due));
        self.looked_at.push(presence.looked_at);
        self.closes_at.push(millis(presence.closes_at));
        self.closed_at.push(left.map(|it| it.at.0));
        self.left_seqs.push(left.map(|it| rows::int(it.seq)));
        self.left_sides
            .push(left.map(|it| rows::side_code(it.side)));
        self.left_reasons
            .push(left.map(|it| rows::reason_code(it.reason)));
        let sides = presence.sides.iter().zip(room.call_for);
        for (columns, (side, call_for)) in self.sides.iter_mut().zip(sides) {
            columns.push(side);
            columns.call_for.push(call_for.map(rows::millis));
        }
    }

    /// As `write_whole` takes them.
    pub(super) fn params(&self) -> Vec<Param<'_>> {
        let mut params = self.grown.params().to_vec();
        params.extend([
            &self.dues as Param<'_>,
            &self.looked_at,
            &self.closes_at,
            &self.closed_at,
            &self.left_seqs,
            &self.left_sides,
            &self.left_reasons,
        ]);
        for side in &self.sides {
            params.extend([
                &side.joined as Param<'_>,
                &side.nodes,
                &side.numbers,
                &side.away,
                &side.versions,
                &side.call_for,
            ]);
        }
        params
    }
}

impl Sides {
    fn push(&mut self, side: &SideState) {
        self.joined.push(side.joined.map(|at| at.0));
        self.nodes
            .push(side.speaker.map(|it| it.node.0.cast_signed()));
        self.numbers
            .push(side.speaker.map(|it| it.number.cast_signed()));
        self.away.push(side.away.map(|at| at.0));
        self.versions.push(side.version.cast_signed());
    }
}
