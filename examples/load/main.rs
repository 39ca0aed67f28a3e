//! Measures a server through its public protocol: `cargo run --release --example load -- --help`.
//!
//! Starts the server itself with rates off (`--server`), or loads one that runs (`--address`, and
//! `--pid` for its processor time and memory). Several nodes (`--nodes`, or `--address` again) get the
//! two sides of each pair at different ones. Prints one line of JSON; fails when anything was lost,
//! doubled, out of order, or not even set up.

#[path = "../../tests/it/support/binary.rs"]
#[expect(dead_code, reason = "tests ask more of it")]
mod binary;
#[path = "../../tests/it/support/driver.rs"]
#[expect(dead_code, reason = "tests ask more of it")]
mod driver;
#[path = "../../tests/it/support/load.rs"]
mod load;
mod process;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use binary::{Server, Setup};
use clap::Parser;
use driver::{Lost, Socket};
use load::{Plan, Tally, gather, talk};
use process::Usage;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Pairs that come and go first, so that idle memory is counted without what every start costs once.
const WARM_UP: usize = 100;

/// Loads a Miyu server and prints what it took.
#[derive(Parser)]
struct Arguments {
    /// Start this executable, with rates off and data in a temporary folder
    #[arg(long, default_value = "target/release/miyu")]
    server: PathBuf,
    /// Start so many of them; `MIYU_CHANNEL__URL` and `MIYU_STORE__URL` name what they share
    #[arg(long, default_value_t = 1)]
    nodes: usize,
    /// Load servers that run here instead; their rates must be off
    #[arg(long)]
    address: Vec<SocketAddr>,
    /// Those servers' processes, for their processor time and memory
    #[arg(long)]
    pid: Vec<u32>,
    /// How many pairs talk
    #[arg(long, default_value_t = 200)]
    pairs: usize,
    /// How many messages each person says
    #[arg(long, default_value_t = 200)]
    messages: u64,
    /// How many of them may be unacknowledged
    #[arg(long, default_value_t = 4)]
    window: usize,
    /// Measure the memory of so many idle chat connections instead
    #[arg(long)]
    idle: Option<usize>,
    /// Seconds that they idle before memory is read: heartbeats leave their traces too
    #[arg(long, default_value_t = 60)]
    hold: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    process::raise_descriptor_limit();
    let target = Target::of(&arguments).await;
    let (report, good) = match arguments.idle {
        Some(count) => idle(&arguments, &target, count).await,
        None => busy(&arguments, &target).await,
    };
    println!("{report}");
    match good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// The servers under load. Those that were started here end when this is dropped.
struct Target {
    addresses: Vec<SocketAddr>,
    pids: Vec<u32>,
    _started: Vec<(Server, tempfile::TempDir)>,
}

impl Target {
    async fn of(arguments: &Arguments) -> Self {
        let mut target = Self {
            addresses: arguments.address.clone(),
            pids: arguments.pid.clone(),
            _started: Vec::new(),
        };
        if !target.addresses.is_empty() {
            return target;
        }
        let program = std::path::absolute(&arguments.server).expect("a path");
        // A data folder named on the command line would win over it.
        let store_elsewhere = std::env::var_os("MIYU_STORE__URL").is_some();
        for _ in 0..arguments.nodes {
            let home = tempfile::tempdir().expect("a temporary folder");
            let mut setup = Setup::new(&program, home.path());
            setup.store_elsewhere = store_elsewhere;
            let mut server = setup.spawn();
            target.addresses.push(server.ready().await);
            target.pids.push(server.pid());
            target._started.push((server, home));
        }
        target
    }

    /// What all of them used so far; nothing where it cannot be known of each.
    fn usage(&self) -> Option<Usage> {
        if self.pids.is_empty() {
            return None;
        }
        self.pids.iter().map(|pid| Usage::of(*pid)).sum()
    }
}

async fn busy(arguments: &Arguments, target: &Target) -> (Value, bool) {
    let (met, failed) = gather(&target.addresses, arguments.pairs).await;
    for why in failed.iter().take(5) {
        eprintln!("set-up: {why}");
    }
    let plan = Plan {
        messages: arguments.messages,
        window: arguments.window,
    };
    let all = 2 * met.len() as u64 * plan.messages;
    let before = target.usage();
    let started = Instant::now();
    let mut tally = talk(met, plan).await;
    let seconds = started.elapsed().as_secs_f64();
    let after = target.usage();
    for why in tally.broken.iter().take(5) {
        eprintln!("broken: {why}");
    }
    let cpu = before.zip(after).map(|(before, after)| {
        let micros = (after.cpu - before.cpu).as_micros() as f64;
        (micros / all as f64).round()
    });
    let lost = 2 * all - tally.acked - tally.delivered;
    let faults = [lost, tally.doubled, tally.reordered, tally.gaps];
    let good = failed.is_empty() && tally.broken.is_empty() && faults == [0; 4];
    let report = json!({
        "nodes": target.addresses.len(), "pairs": arguments.pairs, "messages_each": plan.messages, "window": plan.window,
        "messages": all, "seconds": round(seconds), "messages_per_second": (all as f64 / seconds).round(),
        "acknowledged_ms": percentiles(&mut tally.ack), "delivered_ms": percentiles(&mut tally.delivery),
        "server_cpu_us_per_message": cpu,
        "server_rss_kib": after.map(|it| it.rss_kib),
        "failed_set_ups": failed.len(), "broken": tally.broken.len(),
        "lost": lost, "doubled": tally.doubled, "reordered": tally.reordered, "gaps": tally.gaps,
    });
    (report, good)
}

async fn idle(arguments: &Arguments, target: &Target, count: usize) -> (Value, bool) {
    let (warm, _) = gather(&target.addresses, WARM_UP).await;
    let plan = Plan {
        messages: 5,
        window: 1,
    };
    let _: Tally = talk(warm, plan).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = target.usage();
    let (met, failed) = gather(&target.addresses, count.div_ceil(2)).await;
    let opened = 2 * met.len();
    let mut idling = JoinSet::new();
    for person in met.into_iter().flatten() {
        idling.spawn(stay(person.socket));
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let fresh = target.usage();
    let hold = Duration::from_secs(arguments.hold);
    let closed = tokio::time::timeout(hold, idling.join_next()).await.is_ok();
    let after = target.usage();
    let each = |usage: Option<Usage>| {
        let grown = usage.zip(before);
        grown.map(|(after, before)| {
            let kib = after.rss_kib.saturating_sub(before.rss_kib);
            kib * 1024 / opened.max(1) as u64
        })
    };
    let report = json!({
        "idle": opened, "failed_set_ups": failed.len(), "closed": closed,
        "server_rss_kib_before": before.map(|it| it.rss_kib),
        "server_rss_kib": after.map(|it| it.rss_kib),
        "bytes_each": each(after), "bytes_each_when_fresh": each(fresh),
        "held_seconds": arguments.hold,
    });
    (report, failed.is_empty() && !closed)
}

/// Says nothing and answers pings, until the socket is lost; answers why.
async fn stay(mut socket: Socket) -> Lost {
    loop {
        match socket.hear().await {
            // Silence is what idle people hear.
            Ok(_) | Err(Lost::Silent) => {}
            Err(lost) => return lost,
        }
    }
}

/// Median, 99th percentile and maximum, in milliseconds.
fn percentiles(micros: &mut [u64]) -> Value {
    micros.sort_unstable();
    let at = |share: f64| {
        let index = (micros.len() as f64 * share) as usize;
        let micros = micros.get(index.min(micros.len().saturating_sub(1)));
        micros.map(|it| round(*it as f64 / 1000.0))
    };
    json!({ "p50": at(0.5), "p99": at(0.99), "max": at(1.0) })
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
