//! Jobs on a room's log: append, recall, hide. They run inside the batch's transaction: first the
//! statements, which may fail, then the memory, which cannot.

use std::sync::Arc;

use super::error::SqliteError;
use super::rows::{self, EntryPlace, Stored};
use super::writer::Writer;
use crate::domain::id::{RoomId, Seq, Side};
use crate::domain::{Entry, EntryKind, MessageRef, Quote};
use crate::store::{Appended, Committed, Draft, Hearing, Hidden, Recalled, Refusal};

/// The name's hash of an entry that has none of its own.
const NAMELESS: u32 = 0;

/// A message that a reference names.
pub(super) struct FoundMessage {
    pub(super) row: i64,
    pub(super) seq: Seq,
    side: Side,
    client_id: String,
    pub(super) content: Option<String>,
    /// The side that was never to hear of it.
    pub(super) unheard: Option<Side>,
}

impl Writer {
    /// See [`crate::store::Entries::append`].
    pub(super) fn append(&mut self, draft: Draft) -> Result<Appended, SqliteError> {
        let key = self.room_cache.key(draft.side, &draft.client_id);
        let rules = Arc::clone(&self.rules);
        let Some(cached) = self.cached(draft.room)? else {
            return Ok(Appended::Refused(Refusal::RoomClosed));
        };
        let closed = cached.state.departure.is_some();
        let bytes = (draft.client_id.len() + draft.content.len()) as u64;
        let full = rules.refusal(cached.last_seq(), cached.bytes(), bytes);
        let hits = cached.rows_with(key).collect();
        if let Some(stored) = self.own_among(hits, draft.side, &draft.client_id)? {
            return Ok(repeated(&draft, stored.1));
        }
        if closed {
            return Ok(Appended::Refused(Refusal::RoomClosed));
        }
        if let Some(why) = full {
            return Ok(Appended::Refused(why));
        }
        if self.at_max_size {
            return Err(SqliteError::MaxSize);
        }
        let reply = match &draft.reply_to {
            Some(reference) => self.find(draft.room, draft.side, reference)?,
            None => None,
        };
        let quotes_unheard = reply.as_ref().is_some_and(|found| found.unheard.is_some());
        let hearing = Hearing::of_message(draft.unheard, quotes_unheard);
        let target = reply.as_ref().map(|found| found.row);
        let kind = EntryKind::Message {
            side: draft.side,
            client_id: draft.client_id,
            content: Some(draft.content),
            reply: reply.map(|found| Quote::of(found.seq, found.side, found.content.as_deref())),
        };
        let Some((place, made)) = self.next_entry(draft.room, kind, target, hearing) else {
            return Ok(Appended::Refused(Refusal::RoomClosed));
        };
        let entry = Arc::clone(&made.entry);
        self.room_cache.append(draft.room, place.id, key, bytes);
        self.outbox.push(made);
        self.unwritten.push(place);
        Ok(Appended::Done(entry))
    }

    /// Writes what appends left to be written. Before anything else touches entries.
    pub(super) fn write_down(&mut self) -> Result<(), SqliteError> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let made = &self.outbox[self.outbox.len() - self.unwritten.len()..];
        let entries = made.iter().map(|made| &*made.entry);
        rows::insert_entries(&self.conn, self.unwritten.iter().zip(entries))
            .map_err(|fault| SqliteError::BatchAborted(Box::new(fault)))?;
        self.unwritten.clear();
        Ok(())
    }

    /// See [`crate::store::Entries::recall`].
    pub(super) fn recall(
        &mut self,
        room: RoomId,
        side: Side,
        target: &MessageRef,
        client_id: Option<String>,
    ) -> Result<Recalled, SqliteError> {
        if self.cached(room)?.is_none() {
            return Ok(Recalled::Refused(Refusal::RoomClosed));
        }
        let Some(found) = self.find(room, side, target)? else {
            return Ok(Recalled::Refused(Refusal::NoSuchMessage));
        };
        if found.side != side {
            return Ok(Recalled::Refused(Refusal::NotYours));
        }
        let Some(content) = &found.content else {
            return Ok(Recalled::Refused(Refusal::AlreadyRecalled));
        };
        let freed = content.len() as u64;
        let hearing = Hearing::of_recall(found.unheard.is_some());
        let kind = EntryKind::Recall {
            side,
            target: found.seq,
            client_id: client_id.unwrap_or(found.client_id),
        };
        let entry = self.together(|writer| {
            let mut erase = writer
                .conn
                .prepare_cached("UPDATE entries SET body = NULL WHERE id = ?1")?;
            erase.execute([found.row])?;
            drop(erase);
            rows::erase_reactions(&writer.conn, found.row)?;
            writer.write_entry(room, kind, Some(found.row), hearing)
        })?;
        self.purged = true;
        if let Some(cached) = self.room_cache.stage(room) {
            cached.shrink(freed);
        }
        Ok(match entry {
            Some(entry) => Recalled::Done(entry),
            None => Recalled::Refused(Refusal::RoomClosed),
        })
    }

    /// See [`crate::store::Entries::hide`].
    pub(super) fn hide(
        &mut self,
        room: RoomId,
        side: Side,
        target: &MessageRef,
    ) -> Result<Hidden, SqliteError> {
        if self.cached(room)?.is_none() {
            return Ok(Hidden::Refused(Refusal::RoomClosed));
        }
        let Some(found) = self.find(room, side, target)? else {
            return Ok(Hidden::Refused(Refusal::NoSuchMessage));
        };
        let mut hide = self
            .conn
            .prepare_cached("UPDATE entries SET hidden = hidden | ?2 WHERE id = ?1")?;
        hide.execute([found.row, rows::side_bit(side)])?;
        Ok(Hidden::Done(found.seq))
    }

    /// Writes the next entry of a room and stages everything that follows from it. Nothing is
    /// staged when it fails. `None` when the room is not there.
    pub(super) fn write_entry(
        &mut self,
        room: RoomId,
        kind: EntryKind,
        target: Option<i64>,
        hearing: Hearing,
    ) -> Result<Option<Arc<Entry>>, SqliteError> {
        let Some((place, made)) = self.next_entry(room, kind, target, hearing) else {
            return Ok(None);
        };
        let entry = Arc::clone(&made.entry);
        rows::insert_entries(&self.conn, [(&place, &*entry)])?;
        self.room_cache
            .append(room, place.id, NAMELESS, entry.kind.text_bytes());
        self.outbox.push(made);
        Ok(Some(entry))
    }

    /// The next entry of a room that was looked at, and where it goes.
    fn next_entry(
        &mut self,
        room: RoomId,
        kind: EntryKind,
        target: Option<i64>,
        hearing: Hearing,
    ) -> Option<(EntryPlace, Committed)> {
        let (at, id) = (self.label, self.next_id);
        let cached = self.room_cache.peek(room)?;
        let entry = Entry {
            seq: cached.last_seq().next(),
            at,
            kind,
        };
        let place = EntryPlace {
            id,
            room: cached.facts.no,
            prev: cached.last_row(),
            target,
            hearing,
        };
        let made = Committed {
            people: Arc::clone(&cached.facts.people),
            calls: hearing != Hearing::Nothing && cached.calls(&entry.kind),
            hearing,
            entry: Arc::new(entry),
        };
        // Used up even if the row is refused: what was in its way would be again.
        self.next_id += 1;
        Some((place, made))
    }

    /// The message that a reference of this side names.
    pub(super) fn find(
        &mut self,
        room: RoomId,
        side: Side,
        reference: &MessageRef,
    ) -> Result<Option<FoundMessage>, SqliteError> {
        let hit = match reference {
            MessageRef::ClientId(client_id) => {
                let key = self.room_cache.key(side, client_id);
                self.find_own(room, side, client_id, key)?
            }
            MessageRef::Seq(seq) => {
                let row = self
                    .cached(room)?
                    .and_then(|cached| cached.message_row(*seq));
                match row {
                    Some(row) => Some((row, self.entry(row)?)),
                    None => None,
                }
            }
        };
        // What a side was never to hear of it cannot name.
        let hit = hit.filter(|(_, stored)| !stored.unheard_by(side));
        Ok(hit.and_then(|(row, stored)| {
            let unheard = Side::BOTH.into_iter().find(|it| stored.unheard_by(*it));
            let (side, client_id, content) = stored.message()?;
            Some(FoundMessage {
                row,
                seq: stored.entry.seq,
                side,
                client_id: client_id.to_owned(),
                content: content.map(str::to_owned),
                unheard,
            })
        }))
    }

    /// This side's own message of that name: the hash, `key`, says where it may be, the row whether it is.
    fn find_own(
        &mut self,
        room: RoomId,
        side: Side,
        client_id: &str,
        key: u32,
    ) -> Result<Option<(i64, Stored)>, SqliteError> {
        let Some(cached) = self.room_cache.get(room) else {
            return Ok(None);
        };
        let hits = cached.rows_with(key).collect();
        self.own_among(hits, side, client_id)
    }

    fn own_among(
        &mut self,
        hits: Vec<i64>,
        side: Side,
        client_id: &str,
    ) -> Result<Option<(i64, Stored)>, SqliteError> {
        for row in hits {
            let stored = self.entry(row)?;
            if stored
                .message()
                .is_some_and(|(s, name, _)| s == side && name == client_id)
            {
                return Ok(Some((row, stored)));
            }
        }
        Ok(None)
    }

    fn entry(&mut self, row: i64) -> Result<Stored, SqliteError> {
        self.write_down()?;
        rows::read_entry(&self.conn, row)?.ok_or(SqliteError::Damaged("an entry that is missing"))
    }
}

/// What a draft is told whose name is taken.
fn repeated(draft: &Draft, stored: Stored) -> Appended {
    let content = stored.message().and_then(|(_, _, content)| content);
    if content.is_none_or(|content| content == draft.content) {
        Appended::Repeat(Arc::new(stored.entry))
    } else {
        Appended::Refused(Refusal::ClientIdReused)
    }
}
