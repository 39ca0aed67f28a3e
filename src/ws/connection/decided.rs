//! What is decided about a person, as their connection hears of it: when it opens, and while it is there.

use super::Connection;
use crate::admission::client::Client;
use crate::protocol::CloseReason;
use crate::state_machine::{Actions, Io, Machine, Now};

impl<M: Machine, I: Io<M>> Connection<M, I> {
    /// What was decided between the handshake and this moment is looked up: what comes later wakes us.
    pub(super) fn on_opened(&mut self, now: Now, actions: &mut Actions<M::Job>) {
        let Client {
            session, address, ..
        } = self.client;
        let may = self.app.door.not_banned(Some(session), address);
        if may.is_err() {
            self.close(CloseReason::Banned);
        } else if self.app.board.concerns(session, now.wall) {
            self.machine().on_news(now, actions);
        }
    }

    pub(super) fn on_news(&mut self, now: Now, actions: &mut Actions<M::Job>) {
        let Client {
            session, address, ..
        } = self.client;
        self.client.caller = self.app.door.caller(Some(session), address);
        if self.app.board.concerns(session, now.wall) {
            self.machine().on_news(now, actions);
        }
    }
}
