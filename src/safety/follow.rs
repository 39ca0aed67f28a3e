//! Following the store of people's safety: what was decided or set on any node takes effect on this one. A node that
//! hears of a decision looks at once; one that does not hear of it, by the rhythm of the position check.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::notices::NoticeBoard;
use super::to_all::ToAll;
use crate::admission::sanctions::{Filling, SanctionSet};
use crate::channel::ChannelLayer;
use crate::delivery::online::Online;
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::{Sanction, SanctionId, SanctionKind, SanctionTarget};
use crate::protocol::CloseReason;
use crate::state_machine::Now;
use crate::store::safety::{Sanctions, Settings};
use crate::store::{Rooms, StoreError, leave_rooms};
use crate::tasks::Drain;

/// After a look that the store could not answer.
const AGAIN: Duration = Duration::from_secs(1);
/// After a disturbance nodes do not all ask in the same moment.
const SPREAD: Duration = Duration::from_millis(500);
/// Sessions that are told one by one; of more at once all connections are woken instead.
const FEW: usize = 500;

#[cfg(test)]
mod tests;

/// What takes decisions into effect on this node.
pub struct Follower {
    /// The truth about what was decided.
    pub decided: Arc<dyn Sanctions>,
    /// The same about what is set for all.
    pub settings: Arc<dyn Settings>,
    /// Where a banned person's rooms are.
    pub rooms: Arc<dyn Rooms>,
    /// What holds against people.
    pub sanctions: Arc<SanctionSet>,
    /// Who has something to read.
    pub board: Arc<NoticeBoard>,
    /// The sockets of this node.
    pub online: Online,
    /// For what is done about rooms.
    pub drain: Drain,
}

impl Follower {
    /// Reads all that holds. Before a socket is accepted: a ban holds across a restart.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn fill(&self) -> Result<(), StoreError> {
        loop {
            let whose = self.unread().await?;
            self.board.note_unread(&whose);
            if whose.is_empty() {
                break;
            }
        }
        let first = SanctionId::default();
        let mut stretch = self.decided.sanctions_in_force(first).await?;
        let mut filling = Filling::from(stretch.newest);
        filling.add(&stretch.sanctions);
        while let (true, Some(last)) = (stretch.more, stretch.sanctions.last()) {
            stretch = self.decided.sanctions_in_force(last.id).await?;
            filling.add(&stretch.sanctions);
        }
        self.sanctions.fill(filling);
        self.board.announce(self.announcements().await?);
        Ok(())
    }

    /// Follows until told to stop.
    pub async fn run(self, channel: &dyn ChannelLayer, every: Duration, stop: &CancellationToken) {
        let mut decided = channel.decided();
        let mut possible_gaps = channel.possible_gaps();
        loop {
            let pause = match self.catch_up().await {
                Ok(()) => every,
                Err(error) => {
                    tracing::debug!(%error, "decisions could not be looked up");
                    AGAIN.min(every)
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                Ok(()) = decided.changed() => {}
                Ok(()) = possible_gaps.changed() => sleep(SPREAD.mul_f64(rand::random())).await,
                () = sleep(pause.mul_f64(0.75 + 0.5 * rand::random::<f64>())) => {}
            }
        }
    }

    /// A store that is a restored copy gives numbers again that this node has seen before: what goes on from there
    /// would follow none of them.
    async fn begin_anew_if_gone_back(&self) -> Result<(), StoreError> {
        let beyond = SanctionId(u64::MAX);
        let newest = self.decided.sanctions_in_force(beyond).await?.newest;
        if newest >= self.sanctions.newest() {
            return Ok(());
        }
        tracing::info!(
            "the newest decisions are in the store no more (erased, or a copy was restored); all are read anew"
        );
        self.board.forget();
        self.fill().await?;
        self.online.nudge_all();
        Ok(())
    }

    async fn catch_up(&self) -> Result<(), StoreError> {
        let now = Now::read().wall;
        self.begin_anew_if_gone_back().await?;
        loop {
            // The sanctions after the notices: one that was committed in between is in the set before its person is
            // told, and a notice without its sanction would be taken for one that was lifted.
            let whose = self.unread().await?;
            self.go_on(now).await?;
            self.board.note_unread(&whose);
            self.tell(&whose);
            // A stretch may be short: what cannot be read is left out.
            if whose.is_empty() {
                break;
            }
        }
        let told = self.board.announce(self.announcements().await?);
        let ended = self.sanctions.forget_ended(now);
        if told || ended {
            self.online.nudge_all();
        }
        Ok(())
    }

    async fn go_on(&self, now: Timestamp) -> Result<(), StoreError> {
        loop {
            let rows = self
                .decided
                .sanctions_since(self.sanctions.newest())
                .await?;
            self.sanctions.go_on(&rows);
            self.take_effect(&rows, now);
            if rows.is_empty() {
                return Ok(());
            }
        }
    }

    async fn announcements(&self) -> Result<ToAll, StoreError> {
        Ok(ToAll::of(&self.settings.settings().await?))
    }

    async fn unread(&self) -> Result<Vec<(u64, SessionId)>, StoreError> {
        self.decided.unread_since(self.board.newest_notice()).await
    }

    fn tell(&self, whose: &[(u64, SessionId)]) {
        let sessions: HashSet<SessionId> = whose.iter().map(|(_, session)| *session).collect();
        match sessions.len() {
            // Their number is bounded by what a socket that is woken can find out.
            many if many >= FEW => self.online.nudge_all(),
            _ => sessions.into_iter().for_each(|it| self.online.nudge(it)),
        }
    }

    fn take_effect(&self, rows: &[Sanction], now: Timestamp) {
        let mut networks = false;
        for row in rows {
            match row.target {
                // What its connections count for changes.
                SanctionTarget::Network(_) => networks = true,
                SanctionTarget::Session(session) => {
                    let holds = self.sanctions.holds(row.target, row.id, now);
                    if row.kind == SanctionKind::Ban && holds {
                        self.end(session);
                    }
                }
            }
        }
        if networks {
            self.online.nudge_all();
        }
    }

    /// The sockets of a banned session end, and its rooms: the partner is not to wait. Each node that hears of the ban
    /// closes them, so that none has to.
    fn end(&self, session: SessionId) {
        self.online.close(session, CloseReason::Banned);
        let rooms = Arc::clone(&self.rooms);
        self.drain.spawn(async move {
            if let Err(error) = leave_rooms(&*rooms, session).await {
                warn!(%error, "a banned person's rooms could not be closed; they close by their time");
            }
        });
    }
}
