//! When the room closes by itself, and whether this client was told so ahead.

use std::time::{Duration, Instant};

use crate::chat::{Chat, ChatJob};
use crate::domain::Room;
use crate::domain::id::Timestamp;
use crate::state_machine::{Action, Actions, Now};

/// The end that comes by itself, as last heard.
#[derive(Debug, Default)]
pub(super) struct AutoClose {
    at: Option<Timestamp>,
    /// What the client was told; another end is told again.
    told: Option<Timestamp>,
    /// When to tell it if nothing else did.
    due: Option<Instant>,
}

impl AutoClose {
    /// What a room that was read says: the end may have moved, and what was said of it was perhaps lost.
    /// True when it is so near that the client is to be told now.
    fn learn(&mut self, room: &Room, notice: Duration, now: Now) -> bool {
        self.at = room.closes_at;
        let Some(at) = self.at else {
            self.due = None;
            return false;
        };
        let left = at.since(now.wall);
        // What the store says to all of them comes first; this is for a frame that was lost.
        self.due = Some(now.instant + left.saturating_sub(notice / 2));
        left <= notice && self.told != self.at
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due
    }
}

impl Chat {
    /// After the room was read.
    pub(super) fn learn_closing(&mut self, room: &Room, now: Now, out: &mut Actions<ChatJob>) {
        if self.closing.learn(room, self.rules.closing_notice, now) {
            self.tell_closing(now, out);
        }
    }

    /// The store says to all members when the room closes.
    pub(super) fn on_closing(&mut self, at: Timestamp, now: Now, out: &mut Actions<ChatJob>) {
        if self.closing.told != Some(at) {
            self.closing.at = Some(at);
            self.tell_closing(now, out);
        }
    }

    /// Time has passed: the client is told what it was not told yet.
    pub(super) fn closing_is_due(&mut self, now: Now, out: &mut Actions<ChatJob>) {
        if self
            .closing
            .due
            .take_if(|due| *due <= now.instant)
            .is_some()
            && self.closing.told.is_none()
        {
            self.tell_closing(now, out);
        }
    }

    fn tell_closing(&mut self, now: Now, out: &mut Actions<ChatJob>) {
        let Some(at) = self
            .closing
            .at
            .filter(|_| self.room.is_open() && !self.replaced())
        else {
            return;
        };
        self.closing.told = Some(at);
        self.closing.due = None;
        let left = at.since(now.wall);
        out.push(Action::Write(self.encoder.room_closing(left)));
    }
}
