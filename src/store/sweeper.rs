//! Lets time work: asks the store for one small step every second. What a step does is the
//! store's; the departures it makes are published by the store's own commit path.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Store;
use super::safety::SafetyStore;

/// Between steps when nothing is due.
const PERIOD: Duration = Duration::from_secs(1);
/// The same of people's safety, where everything lasts for days.
const SAFETY_PERIOD: Duration = Duration::from_secs(60);

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

/// Sweeps what is kept for people's safety until told to stop.
pub async fn run_safety(safety: Arc<dyn SafetyStore>, stop: CancellationToken) {
    let mut failing = false;
    loop {
        let pause = match safety.sweep_safety().await {
            Ok(more) => {
                failing = false;
                if more { Duration::ZERO } else { SAFETY_PERIOD }
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "the sweep failed; evidence stays longer than it should");
                }
                failing = true;
                SAFETY_PERIOD
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}
