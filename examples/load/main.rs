//! Measures a server through its public protocol: `cargo run --release --example load -- --help`.
//!
//! Starts the server itself with rates off (`--server`), or loads one that runs (`--address`, and
//! `--pid` for its processor time and memory). Several nodes (`--nodes`, or `--address` again) get the
//! two sides of each pair at different ones. `--bare` measures the least that could do the same
//! instead (`--tuned`: with fewer calls to the kernel), `--compare` Miyu and it in turns. Prints a line
//! of JSON for each measurement; fails when anything was lost, doubled, out of order, or not even set up.

mod arrivals;
#[path = "../../tests/it/support/binary.rs"]
#[expect(dead_code, reason = "tests ask more of it")]
mod binary;
mod descriptors;
#[path = "../../tests/it/support/driver.rs"]
#[expect(dead_code, reason = "tests ask more of it")]
mod driver;
mod figures;
#[path = "../../tests/it/support/load.rs"]
mod load;
mod meter;
mod process;
mod sanctions;
mod scenes;
mod target;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use arrivals::arrive;
use clap::Parser;
use process::Cores;
use scenes::{Outcome, busy, idle};
use serde_json::{Value, json};
use target::{Subject, Target, cold_start};

/// What `--compare` relates; of each measurement those that its report has.
const COMPARED: [&str; 8] = [
    "server_cpu_us_per_message",
    "messages_per_second",
    "server_cores_busy",
    "client_cores_busy",
    "bytes_each",
    "cpu_us_per_second_each",
    "people_per_second",
    "server_cpu_us_per_person",
];

/// Loads a Miyu server and prints what it took.
#[derive(Parser)]
struct Arguments {
    /// Start this executable, with rates off and data in a temporary folder beside this program
    #[arg(long, default_value = "target/release/miyu")]
    server: PathBuf,
    /// What --bare and --compare start
    #[arg(long, default_value = "target/release/examples/relay")]
    relay: PathBuf,
    /// Start so many of them; `MIYU_CHANNEL__URL` and `MIYU_STORE__URL` name what they share
    #[arg(long, default_value_t = 1)]
    nodes: usize,
    /// Load servers that run here instead; their rates must be off
    #[arg(long)]
    address: Vec<SocketAddr>,
    /// Those servers' processes, for their processor time and memory
    #[arg(long)]
    pid: Vec<u32>,
    /// Measure the bare relay instead of Miyu
    #[arg(long, conflicts_with = "address")]
    bare: bool,
    /// Measure Miyu and the bare relay in turns, and print how they relate
    #[arg(long, conflicts_with_all = ["address", "bare"])]
    compare: bool,
    /// Measure the tuned relay, which writes all that waits with one flush: instead of the bare one, or
    /// also with --compare
    #[arg(long, conflicts_with = "address")]
    tuned: bool,
    /// How often; each time with a fresh server
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Cores of the servers that are started here, such as 0 or 0,1
    #[arg(long)]
    server_cores: Option<Cores>,
    /// Cores of this program
    #[arg(long)]
    client_cores: Option<Cores>,
    /// How many pairs talk
    #[arg(long, default_value_t = 200)]
    pairs: usize,
    /// How many messages each person says
    #[arg(long, default_value_t = 200)]
    messages: u64,
    /// How many of them may be unacknowledged
    #[arg(long, default_value_t = 4)]
    window: usize,
    /// Say so many messages a second in total instead, however slow the server is
    #[arg(long)]
    rate: Option<f64>,
    /// For how long, with --rate
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Measure the memory and processor time of so many idle chat connections instead
    #[arg(long)]
    idle: Option<usize>,
    /// Seconds that they idle before memory is read: heartbeats leave their traces too
    #[arg(long, default_value_t = 60)]
    hold: u64,
    /// Measure how fast so many people are paired who start matching in one moment instead
    #[arg(long)]
    arrive: Option<usize>,
    /// They open their sockets then, too, with --arrive
    #[arg(long, requires = "arrive")]
    connecting: bool,
    /// So many sanctions on people who are not there are in the store of the Miyu that is started
    #[arg(long, default_value_t = 0, conflicts_with = "address")]
    sanctions: usize,
    /// Measure the time from starting the executable to its first page instead
    #[arg(long)]
    cold: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // What this program waits for, the server would seem to have taken.
    descriptors::raise_limit();
    descriptors::make_room();
    if let Some(cores) = &arguments.client_cores {
        cores.take().expect("these cores exist");
    }
    // As many threads as cores are left to us.
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    match runtime.block_on(measure(&arguments)) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Prints all reports; answers whether all went as promised.
async fn measure(arguments: &Arguments) -> bool {
    if arguments.cold {
        return cold(arguments).await;
    }
    let subjects: &[Subject] = match (arguments.compare, arguments.bare, arguments.tuned) {
        (true, _, true) => &[Subject::Miyu, Subject::Relay, Subject::Tuned],
        (true, _, false) => &[Subject::Miyu, Subject::Relay],
        (false, _, true) => &[Subject::Tuned],
        (false, true, false) => &[Subject::Relay],
        (false, false, false) => &[Subject::Miyu],
    };
    let (mut all_good, mut rounds) = (true, Vec::new());
    for round in 0..arguments.rounds {
        let mut reports = vec![Value::Null; subjects.len()];
        for turn in 0..subjects.len() {
            // Another one begins each round: a machine that slows down is no subject's fault.
            let which = (round + turn) % subjects.len();
            let target = Target::of(arguments, subjects[which]).await;
            let (report, good) = scene(arguments, &target).await;
            println!("{report}");
            all_good &= good;
            reports[which] = report;
        }
        rounds.push(reports);
    }
    if arguments.compare {
        for relay in 1..subjects.len() {
            println!("{}", figures::summary(&rounds, relay, &COMPARED));
        }
    }
    all_good
}

async fn scene(arguments: &Arguments, target: &Target) -> Outcome {
    match (arguments.idle, arguments.arrive) {
        (Some(count), _) => idle(arguments, target, count).await,
        (None, Some(count)) => arrive(target, count, arguments.connecting).await,
        (None, None) => busy(arguments, target).await,
    }
}

async fn cold(arguments: &Arguments) -> bool {
    let mut times = Vec::new();
    for _ in 0..arguments.rounds {
        let time: Duration = cold_start(arguments).await;
        times.push(time.as_secs_f64() * 1000.0);
    }
    let program = Subject::Miyu.program(arguments);
    let bytes = std::fs::metadata(program).map(|it| it.len()).ok();
    let report = json!({
        "subject": "miyu", "rounds": arguments.rounds,
        "first_page_ms": figures::spread(times), "executable_bytes": bytes,
    });
    println!("{report}");
    true
}
