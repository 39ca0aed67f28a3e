//! A departure that the store did not take: told again until it does.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::backoff::Backoff;
use crate::channel::{ChannelLayer, Frame, GroupId};
use crate::domain::id::{Address, RoomId, Side};
use crate::store::{ReadState, Store, StoreError};
use crate::tasks::Drain;
use crate::telemetry;

/// Departures that may be owed to the store at the same time: as many tasks.
static OWED: Semaphore = Semaphore::const_new(10_000);

/// First pause between attempts to write a departure; doubled each time.
const DEPART_AGAIN: Duration = Duration::from_secs(1);
/// Longest pause.
const DEPART_PAUSE: Duration = Duration::from_secs(30);

/// A connection that is over, and what the store and the room are to know of it.
pub struct DepartRetry {
    /// The truth.
    pub store: Arc<dyn Store>,
    /// The room's other connections.
    pub channel: Arc<dyn ChannelLayer>,
    /// The room.
    pub room: RoomId,
    /// The side it spoke for.
    pub side: Side,
    /// The connection.
    pub connection: Address,
    /// How far it got.
    pub read_state: ReadState,
}

impl DepartRetry {
    pub(super) fn publish(&self, away: Option<u64>) {
        let frame = Frame::Closed {
            side: self.side,
            connection: self.connection,
            away,
        };
        self.channel.publish(GroupId::Room(self.room), frame);
    }

    /// Goes on until the store takes the departure, or the process ends (the next start makes
    /// all sides away). A side that stays online in the store would keep its partner waiting for ever.
    /// There is a bound: beyond it a side stays online in the store until the process ends.
    pub fn later(self, drain: &Drain) {
        let Ok(owed) = OWED.try_acquire() else {
            metrics::counter!(telemetry::DEPARTURES_DROPPED).increment(1);
            return;
        };
        let stop = drain.token().clone().cancelled_owned();
        drain.spawn(async move {
            let _owed = owed;
            tokio::select! { () = self.until_done() => {}, () = stop => {} }
        });
    }

    /// The version since which no connection owns the side.
    async fn away_since(&self) -> Option<u64> {
        let positions = self.store.positions(vec![self.room]).await.ok()?;
        let presence = positions.first()?.presence[self.side.index()];
        presence.speaker.is_none().then_some(presence.version)
    }

    async fn until_done(&self) {
        let mut backoff = Backoff::new(DEPART_AGAIN, DEPART_PAUSE);
        let mut unanswered = false;
        loop {
            backoff.pause().await;
            let (room, side) = (self.room, self.side);
            let departing = self
                .store
                .depart(room, side, self.connection, self.read_state);
            match departing.await {
                Err(StoreError::Unavailable(_)) => unanswered = true,
                // Another connection of this side may be here: it hears that it was passed over.
                Ok(Some(version)) => return self.publish(Some(version)),
                // It may have been this departure, asked for before, that made the side away.
                Ok(None) if unanswered => return self.publish(self.away_since().await),
                _ => return,
            }
        }
    }
}
