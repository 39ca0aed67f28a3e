//! What all talkers of a test share: where the servers are, whether to go on and how fast, and what
//! was counted. Knows nothing of what they say.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::driver::Seat;

/// What all talkers of a test share: where the servers are now, and whether to go on.
#[derive(Clone, Default)]
pub struct Fixture(Arc<State>);

#[derive(Default)]
struct State {
    addresses: Mutex<Vec<SocketAddr>>,
    /// Where the sides of each room are or were last: room, side and server.
    places: Mutex<HashMap<String, HashMap<String, SocketAddr>>>,
    /// How long each waits between two messages.
    pace: Mutex<Duration>,
    healing: Mutex<Option<Healing>>,
    stopped: AtomicBool,
    acked: AtomicU64,
    unavailable: AtomicU64,
}

/// How long after some moment each room went on.
#[derive(Clone, Debug)]
pub struct Healing {
    since: Instant,
    /// Each room's first message acknowledged.
    pub acked: HashMap<String, Duration>,
    /// Each room's first message that reached the other side.
    pub delivered: HashMap<String, Duration>,
}

impl Fixture {
    /// The server is here from now on; `None`: it is gone.
    pub fn server_at(&self, address: Option<SocketAddr>) {
        self.servers_at(address.as_slice());
    }

    /// The servers are here from now on. Who lost a connection comes back at the next one.
    pub fn servers_at(&self, addresses: &[SocketAddr]) {
        *self.0.addresses.lock() = addresses.to_vec();
    }

    /// Each talker waits so long between two messages from now on.
    pub fn pace(&self, pause: Duration) {
        *self.0.pace.lock() = pause;
    }

    /// Notes from now on when rooms go on.
    pub fn note_healing(&self) {
        *self.0.healing.lock() = Some(Healing {
            since: Instant::now(),
            acked: HashMap::new(),
            delivered: HashMap::new(),
        });
    }

    /// What was noted.
    pub fn healing(&self) -> Healing {
        self.0.healing.lock().clone().expect("it is being noted")
    }

    pub(super) fn heard(&self, room: &str, own: bool) {
        if let Some(healing) = &mut *self.0.healing.lock() {
            let after = healing.since.elapsed();
            let firsts = match own {
                true => &mut healing.acked,
                false => &mut healing.delivered,
            };
            firsts.entry(room.to_owned()).or_insert(after);
        }
    }

    /// Begin nothing new, finish what is open.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }

    /// Messages acknowledged so far, to all talkers.
    pub fn acked(&self) -> u64 {
        self.0.acked.load(Ordering::Relaxed)
    }

    /// Actions answered `unavailable` so far.
    pub fn unavailable(&self) -> u64 {
        self.0.unavailable.load(Ordering::Relaxed)
    }

    pub(super) fn stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Relaxed)
    }

    pub(super) fn paced(&self) -> Duration {
        *self.0.pace.lock()
    }

    /// Where this side of a room goes: from `spot` on the first server at which the other side is not. So each
    /// pair talks across nodes, whichever of them died, and each node hears the others while people are there.
    pub(super) fn server(&self, seat: &Seat, spot: usize) -> Option<SocketAddr> {
        let addresses = self.0.addresses.lock();
        let mut places = self.0.places.lock();
        let sides = places.entry(seat.room.clone()).or_default();
        let taken = |at: &SocketAddr| {
            sides
                .iter()
                .any(|(side, is)| *side != seat.user_id && is == at)
        };
        let count = addresses.len();
        let all = (spot..spot + count).map(|it| addresses[it % count]);
        let free = all.clone().find(|at| !taken(at));
        let chosen = free.or_else(|| all.clone().next())?;
        sides.insert(seat.user_id.clone(), chosen);
        Some(chosen)
    }

    pub(super) fn count_acked(&self) {
        self.0.acked.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_unavailable(&self) {
        self.0.unavailable.fetch_add(1, Ordering::Relaxed);
    }
}
