//! The contract of `Store`, one test per behaviour and backend.

use crate::support::store::Sqlite;

mod blocks;
mod bounds;
mod calls;
mod entries;
mod message_ops;
mod pages;
mod partners;
mod presence;
mod reactions;
mod rooms;
mod upkeep;

/// Runs each behaviour as a test of each backend.
macro_rules! for_each_backend {
    ($($name:ident)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name::<super::Sqlite>().await;
                }
            )*
        }
        mod postgres {
            use crate::support::postgres::Postgres;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name::<Postgres>().await;
                }
            )*
        }
    };
}
use for_each_backend;
