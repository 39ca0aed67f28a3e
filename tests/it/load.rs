//! The load of `examples/load` in short, on the debug executable: no figures, only that no client fails
//! to meet and nothing is lost, doubled or out of order.

use std::time::Duration;

use tempfile::TempDir;

use crate::support::binary::Setup;
use crate::support::load::{Pace, Plan, gather, overhear, talk};
use crate::support::scene::MIYU;

const PAIRS: usize = 200;
const PLAN: Plan = Plan {
    messages: 20,
    pace: Pace::Window(4),
};
const PACED: Plan = Plan {
    messages: 20,
    pace: Pace::Every(Duration::from_millis(100)),
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_pairs_lose_nothing() {
    lose_nothing(PLAN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_pairs_at_a_pace_of_their_own_lose_nothing() {
    lose_nothing(PACED).await;
}

async fn lose_nothing(plan: Plan) {
    let home = TempDir::new().unwrap();
    let mut server = Setup::new(MIYU, home.path()).spawn();
    let address = server.ready().await;
    let (met, failed) = gather(&[address], PAIRS).await;
    assert_eq!(failed, Vec::<String>::new());
    let (met, tally) = talk(met, plan).await;
    let (_, said_again) = overhear(met, Duration::from_millis(200)).await;
    assert_eq!(said_again, 0, "after all that was owed");
    assert_eq!(tally.broken, Vec::<String>::new());
    let faults = (tally.doubled, tally.reordered, tally.gaps);
    assert_eq!(faults, (0, 0, 0), "doubled, reordered, gaps");
    let all = 2 * PAIRS as u64 * plan.messages;
    assert_eq!((tally.acked, tally.delivered), (all, all));
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
}
