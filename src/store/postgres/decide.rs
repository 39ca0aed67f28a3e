//! What the ops of a batch come to: each sees what the ones before it did. Everything that it needs was read
//! under the locks of the batch's rooms; nothing is written here.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::error::BackendError;
use super::messages::Messages;
use super::room_state::{Leases, RoomState};
use super::write_op::{Done, NewRoom, Outcome, WriteOp};
use crate::domain::id::{Address, NodeId, RoomId, Side, Timestamp};
use crate::domain::{Departure, Entry, EntryKind, LeaveReason, MessageRef};
use crate::store::rules::{self, Age, ReactionRoom};
use crate::store::{
    Appended, Arrival, Draft, Hearing, Hidden, Reacted, ReactionDraft, ReadState, Recalled,
    Refusal, RoomPeople, SideClaim, StoreRules,
};

const UNASKED: BackendError = BackendError::Damaged("a room that was not read whole");

/// What a batch knows, and what its ops have made of it so far.
pub(super) struct Batch<'a> {
    pub(super) rules: &'a StoreRules,
    /// For how long a node that brings a connection is alive.
    pub(super) lease: Duration,
    /// The data has the size that it may have.
    pub(super) at_max_size: bool,
    /// What a clock on the wall shows, for people to read.
    pub(super) label: Timestamp,
    pub(super) leases: Leases,
    pub(super) rooms: HashMap<RoomId, RoomState>,
    /// Rooms that this batch has made.
    pub(super) opened: HashSet<RoomId>,
    pub(super) messages: Messages,
    /// Nodes whose leases are to be renewed.
    pub(super) renewed: Vec<NodeId>,
}

impl Batch<'_> {
    /// Does one op.
    pub(super) fn apply(&mut self, op: &WriteOp) -> Result<Done, BackendError> {
        match op {
            WriteOp::Open(new) => Ok(self.open(new)),
            WriteOp::Append(draft) => Ok(self.append(draft)),
            WriteOp::Recall {
                room,
                side,
                target,
                client_id,
            } => Ok(self.recall(*room, *side, target, client_id.as_deref())),
            WriteOp::Hide { room, side, target } => Ok(self.hide(*room, *side, target).into()),
            WriteOp::React(draft) => Ok(self.react(draft)),
            WriteOp::Arrive {
                room,
                place,
                connection,
            } => self.arrive(*room, *place, *connection).map(Done::from),
            WriteOp::Depart {
                room,
                side,
                connection,
                read_state,
            } => self
                .depart(*room, *side, *connection, *read_state)
                .map(Done::from),
            WriteOp::SaveReadState {
                room,
                side,
                read_state,
            } => {
                if let Some(state) = self.rooms.get_mut(room) {
                    state.keep_read_state(*side, *read_state);
                }
                Ok(Outcome::Done.into())
            }
            WriteOp::Subscribe {
                room,
                side,
                callable,
            } => self.subscribe(*room, *side, *callable).map(Done::from),
            WriteOp::Close { room, side, reason } => self.close(*room, *side, *reason),
            WriteOp::Expire { room } => self.expire(*room),
            WriteOp::Barrier { .. } => Ok(Outcome::Done.into()),
        }
    }

    fn open(&mut self, new: &NewRoom) -> Done {
        if self.opened.remove(&new.room) {
            return Done {
                opened: i64::from(!new.is_bot),
                ..Outcome::Opened.into()
            };
        }
        let same = self.rooms.get(&new.room).is_some_and(|state| {
            let sessions = state.presence.as_ref().map(|it| it.sessions);
            !state.closed
                && state.people.as_ref() == Some(&new.people)
                && sessions == Some(new.sessions)
        });
        match same {
            true => Outcome::Opened.into(),
            false => Outcome::Conflict.into(),
        }
    }

    fn append(&mut self, draft: &Draft) -> Done {
        let refused = |why| Done::from(Outcome::Appended(Appended::Refused(why)));
        let (room, side) = (draft.room, draft.side);
        let Some(state) = self.rooms.get(&room) else {
            return refused(Refusal::RoomClosed);
        };
        if let Some(known) = self.messages.named(room, side, &draft.client_id) {
            if known
                .content
                .as_ref()
                .is_some_and(|content| *content != draft.content)
            {
                return refused(Refusal::ClientIdReused);
            }
            let entry = Arc::new(self.messages.entry(room, known));
            return Outcome::Appended(Appended::Repeat(entry)).into();
        }
        let more = (draft.client_id.len() + draft.content.len()) as u64;
        let full = self.rules.refusal(state.last_seq, state.bytes, more);
        if state.closed {
            return refused(Refusal::RoomClosed);
        } else if let Some(why) = full {
            return refused(why);
        } else if self.at_max_size {
            return Outcome::MaxSize.into();
        }
        let reply = draft.reply_to.as_ref();
        let reply = reply.and_then(|target| self.messages.find(room, side, target));
        let quotes_unheard = reply.is_some_and(|found| found.unheard.is_some());
        let hearing = Hearing::of_message(draft.unheard, quotes_unheard);
        let kind = EntryKind::Message {
            side,
            client_id: draft.client_id.clone(),
            content: Some(draft.content.clone()),
            reply: reply.map(super::messages::Message::quote),
        };
        match self.next_entry(room, kind, hearing) {
            Some(entry) => Done {
                hearing,
                made: Some(Arc::clone(&entry)),
                ..Outcome::Appended(Appended::Done(entry)).into()
            },
            None => refused(Refusal::RoomClosed),
        }
    }

    fn recall(
        &mut self,
        room: RoomId,
        side: Side,
        target: &MessageRef,
        client_id: Option<&str>,
    ) -> Done {
        let refused = |why| Done::from(Outcome::Recalled(Recalled::Refused(why)));
        let Some(no) = self.rooms.get(&room).map(|state| state.no) else {
            return refused(Refusal::RoomClosed);
        };
        let Some(message) = self.messages.find(room, side, target) else {
            return refused(Refusal::NoSuchMessage);
        };
        if message.side != side {
            return refused(Refusal::NotYours);
        }
        let Some(content) = &message.content else {
            return refused(Refusal::AlreadyRecalled);
        };
        let hearing = Hearing::of_recall(message.unheard.is_some());
        let (seq, freed) = (message.seq, content.len() as u64);
        let kind = EntryKind::Recall {
            side,
            target: seq,
            client_id: client_id.unwrap_or(&message.client_id).to_owned(),
        };
        self.messages.recall(room, no, seq);
        if let Some(state) = self.rooms.get_mut(&room) {
            state.bytes = state.bytes.saturating_sub(freed);
        }
        match self.next_entry(room, kind, hearing) {
            Some(entry) => Done {
                hearing,
                made: Some(Arc::clone(&entry)),
                ..Outcome::Recalled(Recalled::Done(entry)).into()
            },
            None => refused(Refusal::RoomClosed),
        }
    }

    fn hide(&mut self, room: RoomId, side: Side, target: &MessageRef) -> Outcome {
        let Some(no) = self.rooms.get(&room).map(|state| state.no) else {
            return Outcome::Hidden(Hidden::Refused(Refusal::RoomClosed));
        };
        let Some(seq) = self.messages.find(room, side, target).map(|it| it.seq) else {
            return Outcome::Hidden(Hidden::Refused(Refusal::NoSuchMessage));
        };
        self.messages.hide(room, no, seq, side);
        Outcome::Hidden(Hidden::Done(seq))
    }

    fn react(&mut self, draft: &ReactionDraft) -> Done {
        let ReactionDraft {
            room,
            side,
            ref target,
            reaction,
            unheard,
        } = *draft;
        let refused = |why| Done::from(Outcome::Reacted(Reacted::Refused(why)));
        let Some(state) = self.rooms.get(&room) else {
            return refused(Refusal::RoomClosed);
        };
        let Some(message) = self.messages.find(room, side, target) else {
            return refused(Refusal::NoSuchMessage);
        };
        let to_unheard = message.unheard.is_some();
        let (no, target) = (state.no, message.seq);
        let place = ReactionRoom {
            closed: state.closed,
            last_seq: state.last_seq,
            recalled: message.content.is_none(),
        };
        let before = self.messages.reactions.sum(room, target, side);
        match self.rules.reacts(place, before, reaction) {
            Err(why) => return refused(why),
            Ok(false) => return Outcome::Reacted(Reacted::Same(target, reaction)).into(),
            Ok(true) if reaction.is_some() && self.at_max_size => return Outcome::MaxSize.into(),
            Ok(true) => {}
        }
        let hearing = Hearing::of_reaction(reaction, unheard, to_unheard, before);
        self.messages.erase_reaction(room, no, target, side);
        let kind = EntryKind::Reaction {
            side,
            target,
            reaction,
        };
        match self.next_entry(room, kind, hearing) {
            Some(entry) => Done {
                hearing,
                made: Some(Arc::clone(&entry)),
                ..Outcome::Reacted(Reacted::Done(entry)).into()
            },
            None => refused(Refusal::RoomClosed),
        }
    }

    /// The next entry of a room's log, of which the other side is told so much.
    fn next_entry(
        &mut self,
        room: RoomId,
        kind: EntryKind,
        hearing: Hearing,
    ) -> Option<Arc<Entry>> {
        let state = self.rooms.get_mut(&room)?;
        state.last_seq = state.last_seq.next();
        state.bytes += kind.text_bytes();
        state.grown = true;
        let entry = Arc::new(Entry {
            seq: state.last_seq,
            at: self.label,
            kind,
        });
        self.messages.push(room, state.no, &entry, hearing);
        Some(entry)
    }

    fn arrive(
        &mut self,
        room: RoomId,
        place: SideClaim,
        connection: Address,
    ) -> Result<Outcome, BackendError> {
        let Some(state) = self.rooms.get_mut(&room) else {
            return Ok(Outcome::Arrived(None));
        };
        let presence = state.presence.as_mut().ok_or(UNASKED)?;
        let speakers = presence.speakers(&self.leases);
        let Some(side) = rules::side_at(place, &presence.sessions, &speakers) else {
            return Ok(Outcome::Arrived(None));
        };
        let taken = speakers[side.index()].is_some_and(|it| it != connection);
        let passed = taken && matches!(place, SideClaim::IfFree(_));
        if !state.closed && !passed {
            // A node that brings a connection is alive.
            if !self.leases.is_alive(connection.node) {
                self.leases.renew(connection.node, self.lease);
                self.renewed.push(connection.node);
            }
            let mine = &mut presence.sides[side.index()];
            mine.joined.get_or_insert(self.leases.now);
            mine.speaker = Some(connection);
            mine.away = None;
            mine.version += 1;
            mine.changed = true;
        }
        let room = state.room(room, &self.leases, self.rules)?;
        let people = RoomPeople::of(&room);
        let arrival = Arrival { room, side, people };
        Ok(Outcome::Arrived(Some(Box::new(arrival))))
    }

    fn depart(
        &mut self,
        room: RoomId,
        side: Side,
        connection: Address,
        read_state: ReadState,
    ) -> Result<Outcome, BackendError> {
        let Some(state) = self.rooms.get_mut(&room) else {
            return Ok(Outcome::Departed(None));
        };
        state.keep_read_state(side, read_state);
        let presence = state.presence.as_mut().ok_or(UNASKED)?;
        let mine = &mut presence.sides[side.index()];
        if mine.speaker != Some(connection) {
            return Ok(Outcome::Departed(None));
        }
        mine.speaker = None;
        mine.away = Some(self.leases.now);
        mine.version += 1;
        mine.changed = true;
        Ok(Outcome::Departed(Some(mine.version)))
    }

    /// Notes whether a side can be called.
    fn subscribe(
        &mut self,
        room: RoomId,
        side: Side,
        callable: bool,
    ) -> Result<Outcome, BackendError> {
        let Some(state) = self.rooms.get_mut(&room).filter(|state| !state.closed) else {
            return Ok(Outcome::Subscribed(false));
        };
        let presence = state.presence.as_mut().ok_or(UNASKED)?;
        state.call_for[side.index()] = callable.then_some(self.rules.call_for);
        presence.sides[side.index()].changed = true;
        Ok(Outcome::Subscribed(callable))
    }

    fn close(
        &mut self,
        room: RoomId,
        side: Side,
        reason: LeaveReason,
    ) -> Result<Done, BackendError> {
        let Some(state) = self.rooms.get_mut(&room) else {
            return Ok(Outcome::Closed(false).into());
        };
        if std::mem::replace(&mut state.closed, true) {
            return Ok(Outcome::Closed(false).into());
        }
        let presence = state.presence.as_mut().ok_or(UNASKED)?;
        presence.departure = Some(Departure {
            seq: state.last_seq.next(),
            at: self.leases.now,
            side,
            reason,
        });
        presence.closing = true;
        let opened = -i64::from(!presence.is_bot);
        let made = self.next_entry(room, EntryKind::Departure { side, reason }, Hearing::Whole);
        Ok(Done {
            made,
            opened,
            ..Outcome::Closed(true).into()
        })
    }

    /// Closes the room because of the longest of the absences that lasted too long, else because its time is
    /// up. A room whose time will be up is told so first. Without any of it, notes when to look again.
    fn expire(&mut self, room: RoomId) -> Result<Done, BackendError> {
        let nothing = || Done::from(Outcome::Closed(false));
        let Some(state) = self.rooms.get_mut(&room).filter(|state| !state.closed) else {
            return Ok(nothing());
        };
        let presence = state.presence.as_mut().ok_or(UNASKED)?;
        let now = self.leases.now;
        let absences = presence.absences(state.call_for, &self.leases, self.rules);
        if let Some((side, reason)) = rules::overdue(&absences, now) {
            return self.close(room, side, reason);
        }
        let age = self.rules.age(presence.opened_at, presence.closes_at, now);
        let closes_at = match age {
            Age::Over => return self.close(room, Side::A, LeaveReason::TimeUp),
            Age::Tell(closes_at) => Some(closes_at),
            Age::Fine => None,
        };
        presence.closes_at = closes_at.or(presence.closes_at);
        presence.looked_at = true;
        Ok(Done {
            closes_at,
            ..nothing()
        })
    }
}
