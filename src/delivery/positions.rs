//! The position check: what this node missed of other nodes' frames, it learns from the store.
//!
//! The very last frame of a room may be lost with nothing after it to show the hole. So every
//! heartbeat, and whenever the channel layer may have lost frames, the rooms that depend on other nodes are
//! compared with the store; members are told where their room stands when that has changed.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::channel::{ChannelLayer, Frame, GroupId};
use crate::domain::Position;
use crate::domain::id::RoomId;
use crate::store::{Store, StoreError};
use crate::telemetry;

/// Rooms asked about at once.
const BATCH: usize = 500;
/// After a disturbance nodes do not all ask in the same moment.
const SPREAD: Duration = Duration::from_millis(500);
/// After a check that the store could not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// Compares until told to stop.
pub async fn run(
    store: &dyn Store,
    channel: &dyn ChannelLayer,
    every: Duration,
    stop: &CancellationToken,
) {
    let mut check = Check::default();
    let mut possible_gaps = channel.possible_gaps();
    let mut pause = every;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Ok(()) = possible_gaps.changed() => sleep(SPREAD.mul_f64(rand::random())).await,
            () = sleep(pause.mul_f64(0.75 + 0.5 * rand::random::<f64>())) => {}
        }
        pause = match check.once(store, channel).await {
            Ok(()) => every,
            Err(error) => {
                tracing::debug!(%error, "rooms could not be compared with the store");
                AGAIN.min(every)
            }
        };
    }
}

/// What was told last. A member that joined later read the room for itself.
#[derive(Default)]
struct Check {
    told: HashMap<RoomId, Position>,
    /// Of the check before this one, as long as this one has not come to it.
    before: HashMap<RoomId, Position>,
}

impl Check {
    async fn once(
        &mut self,
        store: &dyn Store,
        channel: &dyn ChannelLayer,
    ) -> Result<(), StoreError> {
        let rooms: Vec<RoomId> = channel
            .unreliable_groups()
            .into_iter()
            .filter_map(GroupId::room)
            .collect();
        self.begin();
        for batch in rooms.chunks(BATCH) {
            for position in self.news(store.positions(batch.to_vec()).await?) {
                metrics::counter!(telemetry::POSITIONS).increment(1);
                channel.publish_here(GroupId::Room(position.room), Frame::Position(position));
            }
        }
        Ok(())
    }

    /// What is not asked about from now on is forgotten; after a failure it is told once more.
    fn begin(&mut self) {
        self.before = std::mem::take(&mut self.told);
    }

    /// Those that differ from what was told last.
    fn news(&mut self, found: Vec<Position>) -> Vec<Position> {
        let mut news = found.clone();
        news.retain(|it| self.before.remove(&it.room) != Some(*it));
        self.told.extend(found.into_iter().map(|it| (it.room, it)));
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::Seq;

    fn at(room: RoomId, last: u64) -> Position {
        Position {
            room,
            last_seq: Seq(last),
            presence: Default::default(),
        }
    }

    #[test]
    fn a_position_is_told_once_and_again_when_it_changed() {
        let (room, other) = (RoomId::fresh(), RoomId::fresh());
        let mut check = Check::default();
        for (found, news) in [(1, vec![1]), (1, vec![]), (2, vec![2]), (2, vec![])] {
            check.begin();
            let news: Vec<Position> = news.into_iter().map(|it| at(room, it)).collect();
            assert_eq!(check.news(vec![at(room, found)]), news);
        }
        check.begin();
        let both = vec![at(room, 2), at(other, 0)];
        assert_eq!(check.news(both), [at(other, 0)]);
    }

    #[test]
    fn what_was_not_asked_about_is_forgotten() {
        let room = RoomId::fresh();
        let mut check = Check::default();
        check.begin();
        check.news(vec![at(room, 1)]);
        // No connection of it was here, or the store did not answer.
        check.begin();
        check.begin();
        assert_eq!(check.news(vec![at(room, 1)]), [at(room, 1)]);
        assert_eq!(check.told.len() + check.before.len(), 1);
    }
}
