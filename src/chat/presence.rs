//! Which connection owns each side: connections that come and go, the newest of one's own side, and what
//! the client is told of its partner's. What was told last is in [`crate::chat::partner`].
//!
//! What is heard may be late, lost or out of order: the versions that the store gave decide.

use std::time::Duration;

use crate::chat::partner::PartnerView;
use crate::chat::stream::RETRY;
use crate::chat::{Chat, ChatJob};
use crate::domain::id::{Address, Seq, Side};
use crate::domain::{Position, Presence, Room};
use crate::protocol::CloseReason;
use crate::state_machine::{Action, Actions, Now};

/// Replaced connections of one side that may stay open; an older one is closed.
const REPLACED: usize = 2;
/// A frame may be so many versions ahead of what is known. A side that came and went more often since
/// the last frame that was heard is told by the position check; a version that nothing can ever
/// exceed would silence the side for good.
const LEAP: u64 = 1_000;

impl Chat {
    pub(super) fn on_opened(
        &mut self,
        side: Side,
        connection: Address,
        version: u64,
        out: &mut Actions<ChatJob>,
    ) {
        if !self.plausible(side, version) {
            return;
        }
        if side != self.side {
            self.partner_is_here(version, out);
            return;
        }
        if connection == self.connection {
            return;
        }
        let was_owner = self.ownership.is_known_as_owner();
        if !self.ownership.other_arrived(connection, version) {
            return;
        }
        if was_owner {
            out.push(Action::Write(self.encoder.replaced()));
        }
        if self.ownership.newer().len() > REPLACED {
            out.push(Action::Close(CloseReason::Replaced));
        }
    }

    pub(super) fn on_closed(
        &mut self,
        side: Side,
        connection: Address,
        away: Option<u64>,
        now: Now,
        out: &mut Actions<ChatJob>,
    ) {
        let away = away.filter(|version| self.plausible(side, *version));
        if side != self.side {
            if let Some(version) = away {
                self.partner_is_away(version, now);
            }
            return;
        }
        if connection == self.connection {
            return;
        }
        if self.ownership.other_left(connection) {
            self.come_back(out);
            self.arrive(None, out);
        } else if away.is_some_and(|version| version > self.ownership.newest()) {
            // The store took that one for the newest, and now has none. This one is here.
            if self.replaced() {
                // So should be a later one: it goes first.
                let later = now.instant + RETRY;
                self.retry_arrive.get_or_insert(Box::new((later, None)));
            } else {
                self.arrive(None, out);
            }
        }
    }

    /// Whether a frame may say this version of a side.
    fn plausible(&self, side: Side, version: u64) -> bool {
        let known = match side == self.side {
            true => self.ownership.newest(),
            false => self.partner.version(),
        };
        version <= known.saturating_add(LEAP)
    }

    /// The store was told of this connection, and has this one for the one that speaks.
    pub(super) fn on_arrived(&mut self, side: Side, speaker: Presence, out: &mut Actions<ChatJob>) {
        if side == self.side {
            self.compare_own(speaker, out);
        }
    }

    /// What the store says, for a connection that missed a frame.
    pub(super) fn on_position(
        &mut self,
        position: &Position,
        now: Now,
        out: &mut Actions<ChatJob>,
    ) {
        let [own, partner] = [self.side, self.side.other()].map(|it| position.presence[it.index()]);
        if self.guessed_wrong(partner) {
            let before = self.side;
            self.swap();
            return self.arrive(Some(before), out);
        }
        self.compare_own(own, out);
        self.compare_partner(partner, now, out);
        if !self.replaced() {
            self.stream.expect(position.last_seq, now.instant);
            if position.last_seq < self.stream.last() {
                // Mostly it was only read before the last entry; else the page shows it.
                self.page(false, "resync", out);
            }
        }
    }

    /// Another tab of this session owns this side, and none the one where it was: its swap was not heard.
    fn guessed_wrong(&self, other: Presence) -> bool {
        let both = self.sessions[0] == self.sessions[1];
        both && self.room.is_open()
            && self.ownership.is_provisional()
            && self.replaced()
            && other.speaker.is_none()
    }

    fn compare_own(&mut self, store: Presence, out: &mut Actions<ChatJob>) {
        if store.speaker == Some(self.connection) {
            // Also what is heard late says which of the others came before.
            if self.ownership.arrived(store.version) {
                self.come_back(out);
            }
            return;
        }
        if store.version < self.ownership.newest() {
            return;
        }
        match store.speaker {
            Some(it) if self.room.is_open() => self.on_opened(self.side, it, store.version, out),
            // Whether the newer one ended unheard, or this node was taken for dead.
            None if self.ownership.version() > 0 || self.replaced() => {
                if self.ownership.alone() {
                    self.come_back(out);
                }
                if self.room.is_open() {
                    self.arrive(None, out);
                }
            }
            // No connection takes over in a closed room; or its first arrival is on its way.
            _ => {}
        }
    }

    fn compare_partner(&mut self, store: Presence, now: Now, out: &mut Actions<ChatJob>) {
        match store.speaker {
            Some(_) => self.partner_is_here(store.version, out),
            None => self.partner_is_away(store.version, now),
        }
    }

    fn partner_is_here(&mut self, version: u64, out: &mut Actions<ChatJob>) {
        if !self.partner.hear(version) {
            return;
        }
        // One who left may come back to read: that is not told any more.
        if self.room.is_open() && self.partner.came() {
            self.tell(self.encoder.partner_status(true, None), out);
        }
    }

    fn partner_is_away(&mut self, version: u64, now: Now) {
        if self.room.is_open() && self.partner.hear(version) {
            let settle = self.rules.presence_settle;
            self.partner.went(now.instant, settle);
        }
    }

    /// This connection owns its side again, and catches up.
    pub(super) fn come_back(&mut self, out: &mut Actions<ChatJob>) {
        self.page(true, "resync", out);
    }

    /// Signals were lost, or not told while a newer connection spoke: compares with what is.
    pub(super) fn refresh(&mut self, room: &Room, now: Now, out: &mut Actions<ChatJob>) {
        // A room never opens again; this may have been read before the end was heard.
        if !room.active() {
            self.room.close();
        }
        self.compare_own(room.side(self.side).presence(), out);
        if self.replaced() {
            return;
        }
        let partner = room.side(self.side.other());
        if self.ownership.returned() {
            // What was heard since the room was read is newer than the room.
            let version = self.partner.version();
            let heard = (partner.version < version).then(|| self.partner.here());
            self.partner = PartnerView::new(partner);
            let grace = self.rules.reconnect_grace;
            let anew = std::mem::take(&mut self.anew);
            let state = self
                .encoder
                .room_state(room, self.side, grace, now.wall, anew);
            self.tell(state, out);
            self.learn_closing(room, now, out);
            match heard {
                Some(true) => self.partner_is_here(version, out),
                Some(false) => self.partner_is_away(version, now),
                None => {}
            }
            return;
        }
        if !self.room.is_open() {
            return;
        }
        self.learn_closing(room, now, out);
        self.compare_partner(partner.presence(), now, out);
        if partner.read > Seq::ZERO {
            self.tell(self.encoder.partner_read(partner.read), out);
        }
    }

    /// The partner can be called from now on, or not any more. One who is not here yet is being called: so long
    /// they have to come.
    pub(super) fn on_callable(&mut self, on: bool, out: &mut Actions<ChatJob>) {
        self.partner.can_be_called(on);
        if on && self.room.is_open() && !self.partner.here() {
            let grace = Some(self.rules.call_for);
            self.tell(self.encoder.partner_status(false, grace), out);
        }
    }

    pub(super) fn grace_after_settling(&self) -> Duration {
        let grace = match self.partner.is_callable() {
            true => self.rules.call_for.max(self.rules.reconnect_grace),
            false => self.rules.reconnect_grace,
        };
        grace.saturating_sub(self.rules.presence_settle)
    }
}
