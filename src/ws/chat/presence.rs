//! Who speaks for each side: connections that come and go, the newest of one's own side, and what
//! the client is told of its partner's. What was told last is in [`super::partner`].

use std::time::Duration;

use super::partner::Partner;
use super::{Chat, Job};
use crate::id::{Address, Seq, Side};
use crate::model::Room;
use crate::protocol::CloseReason;
use crate::ws::{Action, Actions, Now};

/// Replaced connections of one side that may stay open; an older one is closed.
const REPLACED: usize = 2;

impl Chat {
    pub(super) fn on_opened(&mut self, side: Side, connection: Address, out: &mut Actions<Job>) {
        if side != self.side {
            // Whoever left may come back to read: that is nobody's business any more.
            if self.active && self.partner.came() {
                self.tell(self.encoder.partner_status(true, None), out);
            }
            return;
        }
        if !self.is_newer(connection) || self.newer.contains(&connection) {
            return;
        }
        self.tell(self.encoder.replaced(), out);
        self.newer.push(connection);
        if self.newer.len() > REPLACED {
            out.push(Action::Close(CloseReason::Replaced));
        }
    }

    pub(super) fn on_closed(
        &mut self,
        side: Side,
        connection: Address,
        away: bool,
        now: Now,
        out: &mut Actions<Job>,
    ) {
        if side != self.side {
            if away && self.active {
                self.partner.went(now.instant);
            }
            return;
        }
        let spoke_before = !self.replaced();
        self.no_longer_newer(connection, out);
        if away && spoke_before && connection != self.connection {
            // Arrivals crossed in the store: it took an older connection for the side's, and that
            // one is no more. This one is here.
            self.arrive(None, out);
        }
    }

    /// Opened later than this one. Two that open at the same moment hear of each other, and of two
    /// of one process both must agree which is the newer: else each would take itself for replaced.
    fn is_newer(&self, other: Address) -> bool {
        other.node != self.connection.node || other.number > self.connection.number
    }

    pub(super) fn no_longer_newer(&mut self, connection: Address, out: &mut Actions<Job>) {
        let was_replaced = self.replaced();
        self.newer.retain(|newer| *newer != connection);
        if was_replaced && !self.replaced() {
            // Nobody newer is left: this connection speaks for its side again and catches up.
            self.returning = true;
            self.arrive(None, out);
            self.page(true, "resync", out);
        }
    }

    /// Signals were lost, or not told while a newer connection spoke: compares with what is.
    pub(super) fn refresh(&mut self, room: &Room, now: Now, out: &mut Actions<Job>) {
        self.active = room.active();
        let partner = room.side(self.side.other());
        if std::mem::take(&mut self.returning) {
            self.partner = Partner::new(partner.online(), self.rules.presence_settle);
            let grace = self.rules.reconnect_grace;
            let state = self.encoder.room_state(room, self.side, grace, now.wall);
            return self.tell(state, out);
        }
        if !self.active {
            return;
        }
        if !partner.online() {
            self.partner.went(now.instant);
        } else if self.partner.came() {
            self.tell(self.encoder.partner_status(true, None), out);
        }
        if partner.read > Seq::ZERO {
            self.tell(self.encoder.partner_read(partner.read), out);
        }
    }

    pub(super) fn grace_after_settling(&self) -> Duration {
        self.rules
            .reconnect_grace
            .saturating_sub(self.rules.presence_settle)
    }
}
