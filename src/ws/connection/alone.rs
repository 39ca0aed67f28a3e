//! A connection that is lost and whose machine goes on: a search of a person who asked to be called. The socket is
//! gone; what counted it stays, so that what goes on alone is bounded as connections are. A drain, and the end of
//! the session, end it like them.

use super::{Connection, Event, front, optional};
use crate::protocol::CloseReason;
use crate::state_machine::{Io, Machine, Now};

impl<M: Machine, I: Io<M>> Connection<M, I> {
    /// Whether this connection was lost, not ended, and its machine goes on.
    pub(super) fn may_go_on_alone(&mut self, reason: CloseReason) -> bool {
        let lost =
            self.gone || matches!(reason, CloseReason::HeartbeatMissed | CloseReason::TooSlow);
        lost && !self.app.shutdown.draining() && self.machine().on_alone(Now::read())
    }

    /// Until the machine has nothing left to wait for.
    pub(super) async fn go_on_alone(&mut self) {
        (self.gone, self.closing) = (true, None);
        // What was asked for is seen to its end, as with a socket.
        while !self.queue.is_empty() || self.closing.is_none() && self.machine().goes_on() {
            let event = self.next_alone().await;
            let now = Now::read();
            let actions = self.on_event(event, now);
            // Nothing is written: there is no one to read it.
            let _ = self.begin(actions, now.instant);
        }
    }

    async fn next_alone(&mut self) -> Event<M::Outcome> {
        let ends = self.end.is_open();
        self.set_timer();
        tokio::select! {
            biased;
            received = self.mailbox.recv() => Event::Mail(received),
            outcome = front(&mut self.queue) => Event::Done(outcome),
            outcome = optional(&mut self.background) => Event::DoneBackground(outcome),
            () = self.end.token(), if ends => Event::End,
            () = &mut self.timer => Event::Timer,
        }
    }
}
