//! The room's log on its way to the client: live entries, pages, and the room itself when signals may
//! have been lost. What comes next is decided in [`crate::chat::stream`].

use crate::channel::EntryRole;
use crate::chat::stream::{self, Live, Stream};
use crate::chat::{Chat, ChatJob, KnownEntry};
use crate::domain::id::{Seq, Side};
use crate::domain::{Entry, EntryKind, Room};
use crate::protocol::{CloseReason, Replay, Text, size};
use crate::state_machine::{Action, Actions, Now};
use crate::store::{Page, RoomPeople, StoreError};

impl Chat {
    pub(super) fn page(
        &mut self,
        with_room: bool,
        cause: &'static str,
        out: &mut Actions<ChatJob>,
    ) {
        self.wants_room |= with_room;
        if let Some(after) = self.stream.start_paging() {
            let with_room = std::mem::take(&mut self.wants_room);
            out.push(Action::Background(ChatJob::Page {
                side: self.side,
                after,
                names: size::names(&self.people.personas),
                with_room,
                cause,
            }));
        }
    }

    pub(super) fn on_entry(
        &mut self,
        seq: Seq,
        by: Side,
        role: EntryRole,
        text: &Text,
        now: Now,
        out: &mut Actions<ChatJob>,
    ) {
        if self.replaced() {
            return;
        }
        // Also when the message itself is written later, or was by a page.
        let ends_typing = by != self.side && role != EntryRole::Reaction;
        if ends_typing && self.partner.stopped_typing() {
            out.push(Action::Write(self.encoder.partner_typing(false)));
        }
        let untold = Text::default();
        let text = match role == EntryRole::Reaction && !self.knows_newer_frames() {
            true => &untold,
            false => text,
        };
        match self.stream.live(seq, text, now.instant) {
            Live::Write => {
                write_entry(text.clone(), out);
                self.release(out);
            }
            Live::Known | Live::Parked => {}
            Live::Overflow => self.page(false, "hole", out),
        }
    }

    fn release(&mut self, out: &mut Actions<ChatJob>) {
        while let Some(text) = self.stream.release() {
            write_entry(text, out);
        }
    }

    /// Clients of the original know neither reactions nor that a partner is about to leave. One that says where it
    /// is in the log is none of them.
    pub(super) fn knows_newer_frames(&self) -> bool {
        !self.progress.is_saved()
    }

    pub(super) fn on_paged(
        &mut self,
        page: Result<Option<Page>, StoreError>,
        room: Option<Box<Room>>,
        now: Now,
        out: &mut Actions<ChatJob>,
    ) {
        if let Some(room) = room {
            self.refresh(&room, now, out);
        }
        match page {
            Ok(Some(page)) => self.replay(page, now, out),
            Ok(None) => {
                self.stream.page_failed();
                self.tell(self.encoder.unknown_room_left(), out);
                out.push(Action::Close(CloseReason::RoomGone));
            }
            Err(_) => {
                self.stream.page_failed();
                self.retry_page = Some(Box::new(now.instant + stream::RETRY));
            }
        }
    }

    fn replay(&mut self, page: Page, now: Now, out: &mut Actions<ChatJob>) {
        if self.replaced() {
            self.stream.page_failed();
            if self.wants_room {
                // Frames were lost while this page was read.
                self.page(true, "lagged", out);
            }
            return;
        }
        if self.is_cut(&page) {
            return self.start_anew(page.last_seq, out);
        }
        let mut entries = page.entries;
        if let Some(held) = self.held.take() {
            entries.retain(|entry| entry.seq > held.seq);
        }
        let told = self.knows_newer_frames();
        entries.retain(|entry| !self.stream.skips(entry) && (told || !is_reaction(entry)));
        if entries.iter().any(is_departure) {
            self.room.departure_told();
        }
        if !entries.is_empty() {
            let RoomPeople { room, personas } = &*self.people;
            let (encoder, personas) = (self.encoder.clone(), personas.clone());
            let replay = Replay::new(encoder, *room, personas, self.side, entries);
            out.push(Action::Replay(Box::new(replay.together(self.together))));
        }
        let more = self.stream.paged(page.upto, page.last_seq, now.instant);
        self.release(out);
        if more {
            self.page(false, "open", out);
        } else if let Some(departure) = self.room.untold_departure() {
            // On opening a closed room its end is always told, also when it was seen before.
            let RoomPeople { room, personas } = &*self.people;
            let text = self.encoder.entry(*room, personas, &departure, self.side);
            out.push(Action::Write(text));
        }
    }

    /// Whether the log has lost what the client has: a copy of the data was restored, or its end did not
    /// survive. It may have grown since past the same place, with other entries.
    fn is_cut(&self, page: &Page) -> bool {
        let is_another = |held: &KnownEntry| {
            let there = page.entries.iter().find(|entry| entry.seq == held.seq);
            there.is_some_and(|entry| Some(entry.at) != held.sent_at)
        };
        page.last_seq < self.stream.last() || self.held.as_deref().is_some_and(is_another)
    }

    fn start_anew(&mut self, last_seq: Seq, out: &mut Actions<ChatJob>) {
        self.held = None;
        self.progress.forget_read();
        if self.progress.is_saved() {
            // A client of the original cannot be told: it goes on from here.
            self.stream = Stream::resuming(last_seq);
            return;
        }
        self.stream = Stream::resuming(Seq::ZERO);
        self.progress.start_anew();
        self.anew = true;
        self.ownership.start_anew();
        self.page(true, "resync", out);
    }
}

/// An entry that this client is not told has no text.
fn write_entry(text: Text, out: &mut Actions<ChatJob>) {
    if !text.is_empty() {
        out.push(Action::Write(text));
    }
}

fn is_reaction(entry: &Entry) -> bool {
    matches!(entry.kind, EntryKind::Reaction { .. })
}

fn is_departure(entry: &Entry) -> bool {
    matches!(entry.kind, EntryKind::Departure { .. })
}
