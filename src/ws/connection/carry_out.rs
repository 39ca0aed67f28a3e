//! Carrying out what the machine asked for: jobs are begun, frames are written.

use std::time::Instant;

use super::Connection;
use crate::protocol::CloseReason;
use crate::state_machine::{Action, Actions, Io, Machine};
use crate::telemetry;
use crate::ws::socket::Socket;
use crate::ws::write_batch::WriteBatch;

impl<M: Machine, I: Io<M>> Connection<M, I> {
    /// Does what the machine asked.
    pub(super) async fn carry_out(
        &mut self,
        socket: &mut Socket,
        actions: Actions<M::Job>,
        now: Instant,
    ) {
        let (batch, afterwards) = self.begin(actions, now);
        if self.gone || batch.is_empty() {
            return;
        }
        let account = self.client.account(&self.app.memory);
        match socket.write(batch, account).await {
            Ok(()) => {
                self.heart.said(now);
                if let Some(job) = afterwards {
                    // The page before it is written.
                    self.io.settled();
                    self.background = Some(Box::new(self.io.start(*job)));
                }
                if let Some(job) = self.machine().on_flushed() {
                    self.queue.push_back(self.io.start(job));
                }
            }
            Err(reason) => self.broken(reason),
        }
    }

    /// Begins everything but writing: answers what is to be written, and what is to be begun in the background
    /// after that; boxed, since it is held while that is written.
    pub(super) fn begin(
        &mut self,
        actions: Actions<M::Job>,
        now: Instant,
    ) -> (WriteBatch, Option<Box<M::Job>>) {
        let mut batch = WriteBatch::default();
        let (mut replays, mut afterwards) = (false, None);
        for action in actions {
            match action {
                Action::Write(text) => batch.frame(text),
                Action::Replay(replay) => {
                    replays = true;
                    batch.replay(replay);
                }
                Action::Queue(job) => self.queue.push_back(self.io.start(job)),
                Action::Background(job) if replays => afterwards = Some(Box::new(job)),
                Action::Background(job) => {
                    self.background = Some(Box::new(self.io.start(job)));
                }
                Action::Close(reason) => self.close(reason),
                Action::Vouch => {
                    self.heart.listens(now);
                    batch.frame(self.alive());
                }
                Action::Waited(waited) => {
                    metrics::histogram!(telemetry::TIME_TO_MATCH).record(waited.as_secs_f64());
                }
                Action::Erred(code) => {
                    metrics::counter!(telemetry::ERRORS, "code" => code.as_str()).increment(1);
                }
            }
        }
        (batch, afterwards)
    }

    pub(super) async fn send_ping(&mut self, socket: &mut Socket) {
        if !self.gone
            && let Err(reason) = socket.ping().await
        {
            self.broken(reason);
        }
    }

    fn broken(&mut self, reason: CloseReason) {
        self.gone = true;
        self.close(reason);
    }
}
