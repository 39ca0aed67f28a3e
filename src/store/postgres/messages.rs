//! The messages that the ops of a batch name: those that the database has, and those that the batch itself
//! has made so far. What is to become of them is kept here until it is written, all at once.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::Row;
use uuid::Uuid;

use super::error::BackendError;
use super::reactions::{Reactions, ReactionsOf, Said};
use super::rows::{self, get};
use super::write_op::WriteOp;
use crate::domain::id::{RoomId, Seq, Side, Timestamp};
use crate::domain::{Entry, EntryKind, MessageRef, Quote};
use crate::store::Hearing;

/// The messages of these names: one index look each, whatever the planner thinks of the table. `$2` has the
/// numbers of those rooms that this node knows.
pub(super) const BY_NAME: &str = "SELECT u.id AS room, e.seq, e.side, e.client_id, e.body, e.target, e.at, e.hidden, \
     t.side AS target_side, substring(t.body FROM 1 FOR 804) AS target_body \
     FROM unnest($1::uuid[], $2::bigint[], $3::smallint[], $4::bytea[]) AS u (id, no, side, name) \
     CROSS JOIN LATERAL (SELECT * FROM entries e WHERE e.room = coalesce(u.no, (SELECT r.no FROM rooms r WHERE r.id = u.id)) \
         AND e.side = u.side AND e.client_id = u.name AND e.kind = 0 OFFSET 0) e \
     LEFT JOIN entries t ON t.room = e.room AND t.seq = e.target";
/// The same of these places.
pub(super) const BY_SEQ: &str = "SELECT u.id AS room, e.seq, e.side, e.client_id, e.body, e.target, e.at, e.hidden, \
     t.side AS target_side, substring(t.body FROM 1 FOR 804) AS target_body \
     FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS u (id, no, seq) \
     CROSS JOIN LATERAL (SELECT * FROM entries e WHERE e.room = coalesce(u.no, (SELECT r.no FROM rooms r WHERE r.id = u.id)) \
         AND e.seq = u.seq AND e.kind = 0 OFFSET 0) e \
     LEFT JOIN entries t ON t.room = e.room AND t.seq = e.target";

/// What is asked with [`BY_NAME`], [`BY_SEQ`] and [`super::reactions::REACTED`].
#[derive(Default)]
pub(super) struct Wanted<'a> {
    pub(super) reacted: ReactionsOf<'a>,
    pub(super) named: Named<'a>,
    pub(super) placed: Placed,
}

/// What [`BY_NAME`] takes.
#[derive(Default)]
pub(super) struct Named<'a> {
    pub(super) rooms: Vec<Uuid>,
    pub(super) numbers: Vec<Option<i64>>,
    pub(super) sides: Vec<i16>,
    pub(super) names: Vec<&'a [u8]>,
}

/// What [`BY_SEQ`] takes.
#[derive(Default)]
pub(super) struct Placed {
    pub(super) rooms: Vec<Uuid>,
    pub(super) numbers: Vec<Option<i64>>,
    pub(super) seqs: Vec<i64>,
}

impl<'a> Wanted<'a> {
    /// Adds what this op names; `no` is its room's number, if it is known.
    pub(super) fn add(&mut self, op: &'a WriteOp, no: Option<i64>) {
        self.reacted.add(op, no);
        let (room, side, target) = match op {
            WriteOp::Append(draft) => {
                self.name(draft.room, no, draft.side, &draft.client_id);
                (draft.room, draft.side, draft.reply_to.as_ref())
            }
            WriteOp::Recall {
                room, side, target, ..
            }
            | WriteOp::Hide { room, side, target } => (*room, *side, Some(target)),
            WriteOp::React(draft) => (draft.room, draft.side, Some(&draft.target)),
            _ => return,
        };
        match target {
            Some(MessageRef::ClientId(name)) => self.name(room, no, side, name),
            Some(MessageRef::Seq(seq)) => {
                self.placed.rooms.push(room.0);
                self.placed.numbers.push(no);
                self.placed.seqs.push(rows::int(*seq));
            }
            None => {}
        }
    }

    fn name(&mut self, room: RoomId, no: Option<i64>, side: Side, name: &'a str) {
        self.named.rooms.push(room.0);
        self.named.numbers.push(no);
        self.named.sides.push(rows::side_code(side));
        self.named.names.push(name.as_bytes());
    }
}

/// A message as it stands within the batch.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) seq: Seq,
    pub(super) side: Side,
    pub(super) client_id: String,
    pub(super) content: Option<String>,
    reply: Option<Quote>,
    at: Timestamp,
    /// The side that was never to hear of it.
    pub(super) unheard: Option<Side>,
    /// Where it is among the new ones, if the batch made it.
    new: Option<usize>,
}

impl Message {
    fn read(row: &Row) -> Result<(RoomId, Self), BackendError> {
        let message = Self {
            seq: rows::seq(get(row, "seq")?)?,
            side: rows::side(get::<i16>(row, "side")?.into())?,
            client_id: rows::text(get(row, "client_id")?)?,
            content: get::<Option<_>>(row, "body")?.map(rows::text).transpose()?,
            reply: rows::quote(row)?,
            at: Timestamp(get(row, "at")?),
            unheard: rows::unheard(row)?,
            new: None,
        };
        Ok((RoomId(get(row, "room")?), message))
    }

    /// As a quote of it.
    pub(super) fn quote(&self) -> Quote {
        Quote::of(self.seq, self.side, self.content.as_deref())
    }
}

/// An entry that is to be written.
pub(super) struct NewEntry {
    /// Its room's number.
    pub(super) room: i64,
    pub(super) entry: Arc<Entry>,
    pub(super) hidden: i16,
}

impl NewEntry {
    /// Its columns.
    pub(super) fn columns(&self) -> EntryColumns<'_> {
        let (kind, side) = match &self.entry.kind {
            EntryKind::Message { side, .. } => (0, *side),
            EntryKind::Recall { side, .. } => (1, *side),
            EntryKind::Departure { side, .. } => (2, *side),
            EntryKind::Reaction { side, .. } => (3, *side),
        };
        let mut columns = EntryColumns {
            kind,
            side,
            client_id: None,
            body: None,
            target: None,
            reason: None,
        };
        match &self.entry.kind {
            EntryKind::Message {
                client_id,
                content,
                reply,
                ..
            } => {
                columns.client_id = Some(client_id.as_bytes());
                columns.body = content.as_ref().map(String::as_bytes);
                columns.target = reply.as_ref().map(|quote| quote.seq);
            }
            EntryKind::Recall {
                target, client_id, ..
            } => {
                columns.client_id = Some(client_id.as_bytes());
                columns.target = Some(*target);
            }
            EntryKind::Reaction {
                target, reaction, ..
            } => {
                columns.target = Some(*target);
                columns.reason = reaction.map(|it| it.code().into());
            }
            EntryKind::Departure { reason, .. } => {
                columns.reason = Some(rows::reason_code(*reason));
            }
        }
        columns
    }
}

/// What an entry's row has besides its place and time.
pub(super) struct EntryColumns<'a> {
    pub(super) kind: i16,
    pub(super) side: Side,
    pub(super) client_id: Option<&'a [u8]>,
    pub(super) body: Option<&'a [u8]>,
    pub(super) target: Option<Seq>,
    /// Of a departure or a reaction.
    pub(super) reason: Option<i16>,
}

/// What is to become of an entry that was there before.
#[derive(Clone, Copy, Default)]
pub(super) struct Change {
    /// What it says is.
    pub(super) erased: bool,
    /// Bit 0: from side A; bit 1: from side B.
    pub(super) hidden: i16,
}

/// The messages of a batch.
#[derive(Default)]
pub(super) struct Messages {
    by_seq: HashMap<(RoomId, Seq), Message>,
    by_name: HashMap<(RoomId, Side, String), Seq>,
    pub(super) reactions: Reactions,
    /// In the order in which they are to be published.
    pub(super) new: Vec<NewEntry>,
    /// By room number and seq.
    pub(super) changes: HashMap<(i64, Seq), Change>,
}

impl Messages {
    /// Those of these rows, and the reactions to them.
    pub(super) fn read(rows: &[Row], reactions: Reactions) -> Result<Self, BackendError> {
        let mut messages = Self {
            reactions,
            ..Self::default()
        };
        for row in rows {
            let (room, message) = Message::read(row)?;
            messages.learn(room, message);
        }
        Ok(messages)
    }

    fn learn(&mut self, room: RoomId, message: Message) {
        let name = (room, message.side, message.client_id.clone());
        self.by_name.insert(name, message.seq);
        self.by_seq.insert((room, message.seq), message);
    }

    /// A side's own message of this name.
    pub(super) fn named(&self, room: RoomId, side: Side, name: &str) -> Option<&Message> {
        // Nearly always empty: no key is made for nothing.
        if self.by_name.is_empty() {
            return None;
        }
        let seq = self.by_name.get(&(room, side, name.to_owned()))?;
        self.by_seq.get(&(room, *seq))
    }

    /// The message that this side names. What it was never to hear of it cannot name.
    pub(super) fn find(&self, room: RoomId, side: Side, target: &MessageRef) -> Option<&Message> {
        let found = match target {
            MessageRef::Seq(seq) => self.by_seq.get(&(room, *seq)),
            MessageRef::ClientId(name) => self.named(room, side, name),
        };
        found.filter(|message| message.unheard != Some(side))
    }

    /// The entry of a message, with what its quote says now.
    pub(super) fn entry(&self, room: RoomId, message: &Message) -> Entry {
        let now = |quote: &Quote| match self.by_seq.get(&(room, quote.seq)) {
            Some(quoted) => quoted.quote(),
            None => quote.clone(),
        };
        Entry {
            seq: message.seq,
            at: message.at,
            kind: EntryKind::Message {
                side: message.side,
                client_id: message.client_id.clone(),
                content: message.content.clone(),
                reply: message.reply.as_ref().map(now),
            },
        }
    }

    /// Adds an entry to the log of the room with this number, of which the other side is told so much.
    pub(super) fn push(&mut self, room: RoomId, no: i64, entry: &Arc<Entry>, hearing: Hearing) {
        let new = Some(self.new.len());
        if let EntryKind::Message {
            side,
            client_id,
            content,
            reply,
        } = &entry.kind
        {
            let message = Message {
                seq: entry.seq,
                side: *side,
                client_id: client_id.clone(),
                content: content.clone(),
                reply: reply.clone(),
                at: entry.at,
                unheard: (hearing == Hearing::Nothing).then(|| side.other()),
                new,
            };
            self.learn(room, message);
        }
        if let EntryKind::Reaction {
            side,
            target,
            reaction,
        } = entry.kind
        {
            let said = Said {
                seq: entry.seq,
                reaction,
                heard: hearing == Hearing::Whole,
            };
            self.reactions.push((room, target, side), said);
        }
        self.new.push(NewEntry {
            room: no,
            entry: Arc::clone(entry),
            hidden: rows::kept_from(hearing, entry.kind.side()),
        });
    }

    /// Erases what a side's reaction to a message says, in the room with this number.
    pub(super) fn erase_reaction(&mut self, room: RoomId, no: i64, target: Seq, of: Side) {
        let Some(seq) = self.reactions.erase(room, target, of) else {
            return;
        };
        let mut made = self.new.iter_mut();
        match made.find(|new| new.room == no && new.entry.seq == seq) {
            Some(new) => {
                if let EntryKind::Reaction { reaction, .. } =
                    &mut Arc::make_mut(&mut new.entry).kind
                {
                    *reaction = None;
                }
            }
            None => self.changes.entry((no, seq)).or_default().erased = true,
        }
    }

    /// Erases the text of a message of the room with this number, and the reactions to it.
    pub(super) fn recall(&mut self, room: RoomId, no: i64, seq: Seq) {
        for side in Side::BOTH {
            self.erase_reaction(room, no, seq, side);
        }
        let Some(message) = self.by_seq.get_mut(&(room, seq)) else {
            return;
        };
        message.content = None;
        match message.new.and_then(|place| self.new.get_mut(place)) {
            Some(new) => {
                if let EntryKind::Message { content, .. } = &mut Arc::make_mut(&mut new.entry).kind
                {
                    *content = None;
                }
            }
            None => self.changes.entry((no, seq)).or_default().erased = true,
        }
    }

    /// Hides a message from a side.
    pub(super) fn hide(&mut self, room: RoomId, no: i64, seq: Seq, from: Side) {
        let bit = 1 << from.index();
        let new = self.by_seq.get(&(room, seq)).and_then(|it| it.new);
        match new.and_then(|place| self.new.get_mut(place)) {
            Some(new) => new.hidden |= bit,
            None => self.changes.entry((no, seq)).or_default().hidden |= bit,
        }
    }
}
