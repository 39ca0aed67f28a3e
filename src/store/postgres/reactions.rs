//! The reactions that the ops of a batch are about: those that the database has, and those that the batch itself
//! has made so far. What is to become of them is written with the messages ([`super::messages`]).

use std::collections::HashMap;

use tokio_postgres::Row;
use uuid::Uuid;

use super::error::BackendError;
use super::rows::{self, get};
use super::write_op::WriteOp;
use crate::domain::id::{RoomId, Seq, Side};
use crate::domain::{MessageRef, Reaction};
use crate::store::Hearing;
use crate::store::rules::SideReactions;

/// The reactions to the messages of these places or, where there is none, of these names: one index look each. `$2`
/// has the numbers of those rooms that this node knows.
pub(super) const REACTED: &str = "SELECT u.id AS room, e.target, e.seq, e.side, e.reason, e.hidden \
     FROM unnest($1::uuid[], $2::bigint[], $3::smallint[], $4::bigint[], $5::bytea[]) AS u (id, no, side, seq, name) \
     CROSS JOIN LATERAL (SELECT coalesce(u.no, (SELECT r.no FROM rooms r WHERE r.id = u.id)) AS no OFFSET 0) r \
     CROSS JOIN LATERAL (SELECT coalesce(u.seq, (SELECT m.seq FROM entries m WHERE m.room = r.no \
         AND m.side = u.side AND m.client_id = u.name AND m.kind = 0)) AS seq OFFSET 0) m \
     CROSS JOIN LATERAL (SELECT * FROM entries e WHERE e.room = r.no AND e.target = m.seq AND e.kind = 3 OFFSET 0) e";

/// What is asked with [`REACTED`].
#[derive(Default)]
pub(super) struct ReactionsOf<'a> {
    pub(super) rooms: Vec<Uuid>,
    pub(super) numbers: Vec<Option<i64>>,
    pub(super) sides: Vec<i16>,
    pub(super) seqs: Vec<Option<i64>>,
    pub(super) names: Vec<Option<&'a [u8]>>,
}

impl<'a> ReactionsOf<'a> {
    /// Adds the message that this op reacts to or recalls; `no` is its room's number, if it is known.
    pub(super) fn add(&mut self, op: &'a WriteOp, no: Option<i64>) {
        let (room, side, target) = match op {
            WriteOp::React(draft) => (draft.room, draft.side, &draft.target),
            WriteOp::Recall {
                room, side, target, ..
            } => (*room, *side, target),
            _ => return,
        };
        let (seq, name) = match target {
            MessageRef::Seq(seq) => (Some(rows::int(*seq)), None),
            MessageRef::ClientId(name) => (None, Some(name.as_bytes())),
        };
        self.rooms.push(room.0);
        self.numbers.push(no);
        self.sides.push(rows::side_code(side));
        self.seqs.push(seq);
        self.names.push(name);
    }
}

/// Who reacts to what.
type Place = (RoomId, Seq, Side);

/// An entry that says so.
pub(super) struct Said {
    pub(super) seq: Seq,
    /// What it says, as it stands within the batch.
    pub(super) reaction: Option<Reaction>,
    /// The other side is told of it.
    pub(super) heard: bool,
}

/// The reactions of a batch.
#[derive(Default)]
pub(super) struct Reactions(HashMap<Place, Vec<Said>>);

impl Reactions {
    /// Those of these rows.
    pub(super) fn read(found: &[Row]) -> Result<Self, BackendError> {
        let mut reactions = Self::default();
        for row in found {
            let side = rows::side(get::<i16>(row, "side")?.into())?;
            let (target, seq) = (
                rows::seq(get(row, "target")?)?,
                rows::seq(get(row, "seq")?)?,
            );
            let said = Said {
                seq,
                reaction: rows::reaction(get(row, "reason")?)?,
                heard: rows::hearing(row, side)? == Hearing::Whole,
            };
            let of = reactions.of((RoomId(get(row, "room")?), target, side));
            // Two ops may be about one message.
            if of.iter().all(|known| known.seq != seq) {
                of.push(said);
            }
        }
        Ok(reactions)
    }

    fn of(&mut self, place: Place) -> &mut Vec<Said> {
        self.0.entry(place).or_default()
    }

    /// What this side's come to.
    pub(super) fn sum(&self, room: RoomId, target: Seq, side: Side) -> SideReactions {
        let made = self.0.get(&(room, target, side));
        let made = made.map_or(&[][..], Vec::as_slice);
        let standing = made.iter().find(|said| said.reaction.is_some());
        SideReactions {
            standing: standing.and_then(|said| said.reaction),
            heard: standing.is_some_and(|said| said.heard),
            entries: made.len(),
        }
    }

    /// Takes in an entry that the batch makes.
    pub(super) fn push(&mut self, place: Place, said: Said) {
        self.of(place).push(said);
    }

    /// Forgets what this side says of the message; answers the entry that said it.
    pub(super) fn erase(&mut self, room: RoomId, target: Seq, side: Side) -> Option<Seq> {
        let made = self.0.get_mut(&(room, target, side))?;
        let said = made.iter_mut().find(|said| said.reaction.is_some())?;
        said.reaction = None;
        Some(said.seq)
    }
}
