//! Lets time work: asks the store for one small step every second. What a step does is the
//! store's; the departures it makes are published by the store's own commit path.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Store;

/// Between steps when nothing is due.
const PERIOD: Duration = Duration::from_secs(1);

/// Sweeps until told to stop.
pub async fn run(store: Arc<dyn Store>, stop: CancellationToken) {
    let mut failing = false;
    loop {
        let pause = match store.sweep().await {
            Ok(swept) => {
                failing = false;
                if swept.closed + swept.erased > 0 {
                    tracing::debug!(closed = swept.closed, erased = swept.erased, "swept");
                }
                // What is due waits no second; what others ask of the store comes in between.
                if swept.more { Duration::ZERO } else { PERIOD }
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "the sweep failed; rooms stay longer than they should");
                }
                failing = true;
                PERIOD
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}
