//! What the tests of faults share: pairs who talk across nodes all the time, how long it takes them
//! to go on after a fault, and every promise checked at the end.

use std::fmt;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::support::cluster::Cluster;
use crate::support::fixture::Fixture;
use crate::support::scene::{assert_kept, progress_or, talkers_across, until};
use crate::support::talker::Journal;

/// Frames that a node was told by others, through Redis.
pub const RECEIVED: &str = "miyu_redis_frames_total{what=\"received\"}";
/// Each says so often something. Two cores run everything.
const PACE: Duration = Duration::from_millis(150);

/// People who talk across nodes.
pub struct Load {
    pub fixture: Fixture,
    talk: JoinSet<Journal>,
    pairs: usize,
}

/// How long it took after a fault had ended.
pub struct Healed {
    what: String,
    /// Until every room had a message acknowledged.
    acked: Duration,
    /// Until in every room one side heard the other.
    delivered: Duration,
    /// Until every node had heard another through Redis.
    by_redis: Duration,
}

impl fmt::Display for Healed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            acked,
            delivered,
            by_redis,
        } = self;
        write!(
            f,
            "healing | {what} | acknowledged {acked:.2?} | delivered {delivered:.2?} | by Redis {by_redis:.2?}"
        )
    }
}

impl Load {
    /// So many pairs, their sides at different nodes; talking already.
    pub async fn begin(site: &Cluster, pairs: usize) -> Self {
        let fixture = Fixture::default();
        fixture.pace(PACE);
        let addresses = site.addresses();
        let talk = talkers_across(&addresses, pairs, &fixture).await;
        fixture.servers_at(&addresses);
        let load = Self {
            fixture,
            talk,
            pairs,
        };
        load.go_on(site, 4).await;
        load
    }

    /// Waits until each has said so much more, about.
    pub async fn go_on(&self, site: &Cluster, each: u64) {
        let more = each * 2 * self.pairs as u64;
        progress_or(&self.fixture, more, || site.evidence()).await;
    }

    /// Lets this much time pass, with people talking.
    pub async fn during(&self, fault: Duration) {
        tokio::time::sleep(fault).await;
    }

    /// Called when a fault has just ended: waits until everything is as before.
    pub async fn heals(&self, what: &str, site: &Cluster, within: Duration) -> Healed {
        let ended = Instant::now();
        self.fixture.note_healing();
        let nodes = running(site);
        let mut before = Vec::new();
        for node in &nodes {
            before.push(site.metric(*node, RECEIVED).await);
        }
        let again = async || {
            for (node, before) in nodes.iter().zip(&before) {
                if site.metric(*node, RECEIVED).await <= *before {
                    return false;
                }
            }
            true
        };
        until("nodes hear each other", again, || site.evidence()).await;
        let by_redis = ended.elapsed();
        let all = async || {
            let healing = self.fixture.healing();
            healing.acked.len() == self.pairs && healing.delivered.len() == self.pairs
        };
        until("every pair goes on", all, || site.evidence()).await;
        site.is_whole().await;
        let healing = self.fixture.healing();
        let last = |of: &std::collections::HashMap<String, Duration>| {
            of.values().max().copied().expect("there are pairs")
        };
        let healed = Healed {
            what: what.to_owned(),
            acked: last(&healing.acked),
            delivered: last(&healing.delivered),
            by_redis,
        };
        println!("{healed}");
        let slowest = healed.acked.max(healed.delivered).max(by_redis);
        assert!(slowest < within, "{healed}: {}", site.evidence());
        healed
    }

    /// Lets all finish; every promise was kept.
    pub async fn finish(self, site: &Cluster) -> Vec<Journal> {
        self.fixture.stop();
        let journals = self.talk.join_all().await;
        for address in site.addresses() {
            // From each node the same, whichever stored it.
            assert_kept(address, &journals).await;
        }
        journals
    }
}

/// The nodes that run.
fn running(site: &Cluster) -> Vec<usize> {
    let all = site.nodes().iter().enumerate();
    let running = all.filter(|(_, node)| node.runs());
    running.map(|(number, _)| number).collect()
}

/// No socket was closed.
pub fn assert_all_stayed(journals: &[Journal]) {
    let closed: Vec<_> = journals.iter().map(|it| &it.closed).collect();
    let lost: u64 = journals.iter().map(|it| it.lost).sum();
    assert_eq!(lost, 0, "sockets were closed: {closed:?}");
}
