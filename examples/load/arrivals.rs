//! People who all start matching in one moment.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::{Barrier, Semaphore, watch};
use tokio::task::JoinSet;

use super::driver::{Lost, Socket, found, start};
use super::figures::{percentiles, round};
use super::load::AT_THE_DOOR;
use super::meter::{Meter, Spent};
use super::scenes::{Outcome, report};
use super::target::Target;

/// Until all tasks listen for the signal.
const BREATH: Duration = Duration::from_millis(200);

/// So many people start matching in one moment, until each was told of a partner. Their sockets are
/// open then, or they open them first (`connecting`).
pub async fn arrive(target: &Target, count: usize, connecting: bool) -> Outcome {
    let count = count.next_multiple_of(2);
    let (begin, signal) = watch::channel(None);
    let gate = Gate {
        door: Arc::new(Semaphore::new(AT_THE_DOOR)),
        ready: Arc::new(Barrier::new(count + 1)),
        signal,
        connecting,
    };
    let mut arriving = JoinSet::new();
    for number in 0..count {
        let address = target.addresses[number % target.addresses.len()];
        arriving.spawn(gate.clone().arrive(address));
    }
    gate.ready.wait().await;
    tokio::time::sleep(BREATH).await;
    let meter = Meter::start(target);
    let _ = begin.send(Some(meter.begun()));
    let (mut arrivals, mut sockets) = (Arrivals::default(), Vec::new());
    while let Some(person) = arriving.join_next().await {
        sockets.extend(arrivals.add(person.expect("no panic")));
    }
    let spent = meter.stop(target);
    arrivals.reported(target, connecting, count, &spent)
}

/// What people wait at.
#[derive(Clone)]
struct Gate {
    door: Arc<Semaphore>,
    /// All are here.
    ready: Arc<Barrier>,
    /// Since when they may go.
    signal: watch::Receiver<Option<Instant>>,
    connecting: bool,
}

/// One side of a pairing.
struct Paired {
    room: String,
    /// Since the signal.
    waited: Duration,
    socket: Socket,
}

impl Gate {
    async fn arrive(mut self, address: SocketAddr) -> Result<Paired, Lost> {
        let door = self.door;
        let open = async || {
            let _place = door.acquire().await.expect("never closed");
            Socket::open(address, "/ws/matching/").await
        };
        let opened = if self.connecting {
            None
        } else {
            Some(open().await)
        };
        self.ready.wait().await;
        let begun = self.signal.wait_for(Option::is_some).await;
        let begun = begun.ok().and_then(|it| *it).expect("a signal");
        let mut socket = match opened {
            Some(opened) => opened?,
            None => open().await?,
        };
        socket.tell(&start("a", &[])).await?;
        let seat = found(&mut socket).await?;
        Ok(Paired {
            room: seat.room,
            waited: begun.elapsed(),
            socket,
        })
    }
}

/// What became of them.
#[derive(Default)]
struct Arrivals {
    /// How many people are in each room.
    rooms: HashMap<String, usize>,
    /// How long each waited, in microseconds.
    waits: Vec<u64>,
    failed: Vec<String>,
}

impl Arrivals {
    /// Counts one; answers the socket, to be kept open until all are done: leaving would be work for
    /// the server.
    fn add(&mut self, person: Result<Paired, Lost>) -> Option<Socket> {
        match person {
            Ok(Paired {
                room,
                waited,
                socket,
            }) => {
                *self.rooms.entry(room).or_insert(0) += 1;
                let waited = u64::try_from(waited.as_micros());
                self.waits.push(waited.unwrap_or(u64::MAX));
                Some(socket)
            }
            Err(lost) => {
                self.failed.push(lost.to_string());
                None
            }
        }
    }

    fn reported(
        mut self,
        target: &Target,
        connecting: bool,
        count: usize,
        spent: &Spent,
    ) -> Outcome {
        report("not paired", &self.failed);
        let not_of_two = self.rooms.values().filter(|people| **people != 2).count();
        let paired = self.waits.len();
        let report = json!({
            "subject": target.subject.name(), "nodes": target.addresses.len(),
            "arrived": count, "connecting": connecting, "paired": paired,
            "seconds": round(spent.seconds), "people_per_second": (paired as f64 / spent.seconds).round(),
            "waited_ms": percentiles(&mut self.waits),
            "server_cpu_us_per_person": spent.server.map(|it| round(it * 1e6 / count as f64)),
            "server_cores_busy": spent.server.map(|it| round(it / spent.seconds)),
            "client_cores_busy": spent.client.map(|it| round(it / spent.seconds)),
            "failed": self.failed.len(), "rooms_not_of_two": not_of_two,
        });
        (report, self.failed.is_empty() && not_of_two == 0)
    }
}
