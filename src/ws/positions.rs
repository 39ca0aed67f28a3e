//! The position check: what this node missed of other nodes' frames, it learns from the store.
//!
//! The very last frame of a room may be lost with nothing after it to show the hole. So every
//! heartbeat, and whenever the channel layer was disturbed, the rooms that depend on other nodes are
//! compared with the store; members are told where their room stands when that has changed.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::channel::{ChannelLayer, Frame, GroupId};
use crate::id::RoomId;
use crate::model::Position;
use crate::store::Store;
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
    let mut disturbed = channel.disturbed();
    let mut pause = every;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Ok(()) = disturbed.changed() => sleep(SPREAD.mul_f64(rand::random())).await,
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
}

impl Check {
    async fn once(
        &mut self,
        store: &dyn Store,
        channel: &dyn ChannelLayer,
    ) -> Result<(), crate::store::StoreError> {
        let rooms: Vec<RoomId> = channel.audited().into_iter().map(|it| it.0).collect();
        let mut before = std::mem::take(&mut self.told);
        // What is not asked about any more is forgotten; after a failure, told once more.
        for batch in rooms.chunks(BATCH) {
            for position in store.positions(batch.to_vec()).await? {
                let known = before.remove(&position.room);
                self.told.insert(position.room, position);
                if known != Some(position) {
                    metrics::counter!(telemetry::POSITIONS).increment(1);
                    channel.publish_here(GroupId(position.room), Frame::Position(position));
                }
            }
        }
        Ok(())
    }
}
