//! The contract of every waiting pool, one case per behaviour and backend. A case gets a factory,
//! so that it chooses the rules; `now` is handed in, so that nothing sleeps. Speed is not its concern.

use std::sync::Arc;

use miyu::matching::{PoolRules, WaitingPool};

use crate::support::pool::{LEASE, Pool};

mod debts;
mod expired;
mod outcomes;
mod preference;
mod races;
mod rules;
mod shares;
mod tickets;

/// Makes an empty pool with these rules.
type Factory = fn(PoolRules) -> Arc<dyn WaitingPool>;

/// Runs each behaviour as a test of each backend.
macro_rules! for_each_backend {
    ($($case:ident)*) => {
        mod memory {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case(|rules| miyu::matching::memory::MemoryPool::new(rules)).await;
                }
            )*
        }

        mod redis {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case(crate::support::pool::redis_pool).await;
                }
            )*
        }
    };
}
use for_each_backend;

fn usual(factory: Factory) -> Pool {
    Pool(factory(crate::support::pool::rules()))
}

fn lease_ms() -> i64 {
    i64::try_from(LEASE.as_millis()).expect("short")
}
