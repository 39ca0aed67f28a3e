//! People who go on talking whatever happens to the servers between them:
//! `cargo run --example talk -- --help`. Made for trials of a whole installation, `scripts/docker-smoke`
//! among them; it neither starts nor stops a server itself.
//!
//! Each line on stdin asks for so many more acknowledged messages; when there were, a line is
//! printed. At the end of stdin all talkers finish, every promise made to them is checked against
//! what the servers replay, and a line of JSON tells the outcome.

#[path = "../../tests/it/support/binary.rs"]
#[expect(dead_code, reason = "tests ask more of it")]
mod binary;
#[path = "../../tests/it/support/checker.rs"]
mod checker;
#[path = "../../tests/it/support/driver.rs"]
#[expect(dead_code, reason = "tests ask more of it")]
mod driver;
#[path = "../../tests/it/support/fixture.rs"]
#[expect(dead_code, reason = "tests ask more of it")]
mod fixture;
#[path = "../../tests/it/support/talker.rs"]
#[expect(dead_code, reason = "tests ask more of it")]
mod talker;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use driver::{Seat, TOPICS, search};
use fixture::Fixture;
use serde_json::json;
use talker::{Journal, Talker, violations};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Lets pairs of people talk until stdin ends, then checks every promise made to them.
#[derive(Parser)]
struct Arguments {
    /// Where the first of each pair connects
    first: SocketAddr,
    /// Where the second does [default: there too]
    second: Option<SocketAddr>,
    /// How many pairs talk
    #[arg(long, default_value_t = 5)]
    pairs: usize,
    /// How many more messages a line on stdin asks for
    #[arg(long, default_value_t = 100)]
    messages: u64,
    /// How many seconds they may take
    #[arg(long, default_value_t = 60)]
    patience: u64,
}

/// The talkers at one address share a fixture.
struct Play {
    fixtures: [Fixture; 2],
    talkers: JoinSet<Journal>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let second = arguments.second.unwrap_or(arguments.first);
    let addresses = [arguments.first, second];
    let mut play = match begin(addresses, arguments.pairs).await {
        Ok(play) => play,
        Err(why) => {
            eprintln!("nobody met: {why}");
            return ExitCode::FAILURE;
        }
    };
    let mut asks = lines_of_stdin();
    while asks.recv().await.is_some() {
        if !progress(&play.fixtures, &arguments).await {
            eprintln!("nothing more was acknowledged in {} s", arguments.patience);
            report(&play.fixtures, &[], vec!["stuck".to_owned()]);
            return ExitCode::FAILURE;
        }
        println!("more");
    }
    for fixture in &play.fixtures {
        fixture.stop();
    }
    let mut journals = Vec::new();
    while let Some(journal) = play.talkers.join_next().await {
        journals.push(journal.expect("a talker does not panic"));
    }
    let mut wrong: Vec<String> = violations(&journals).into_iter().collect();
    wrong.extend(checker::check_all(second, &journals).await);
    let good = wrong.is_empty();
    report(&play.fixtures, &journals, wrong);
    match good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Something for each line; ends with them.
fn lines_of_stdin() -> mpsc::Receiver<()> {
    let (ask, asks) = mpsc::channel(1);
    std::thread::spawn(move || {
        for _ in std::io::stdin().lines().map_while(Result::ok) {
            if ask.blocking_send(()).is_err() {
                return;
            }
        }
    });
    asks
}

/// Pairs all talkers up, one of each pair at each address.
async fn begin(addresses: [SocketAddr; 2], pairs: usize) -> Result<Play, String> {
    let fixtures = addresses.map(|address| {
        let fixture = Fixture::default();
        fixture.server_at(Some(address));
        fixture
    });
    let mut talkers = JoinSet::new();
    for pair in 0..pairs {
        let topic = TOPICS[pair % TOPICS.len()];
        let (one, two) = tokio::try_join!(
            search(addresses[0], topic, 0),
            search(addresses[1], topic, 1)
        )
        .map_err(|lost| lost.to_string())?;
        if one.room != two.room {
            return Err(format!("pair {pair}: paired with somebody else"));
        }
        let seats: [Seat; 2] = [one, two];
        for (seat, fixture) in seats.into_iter().zip(&fixtures) {
            talkers.spawn(Talker::new(seat, fixture.clone()).run());
        }
    }
    Ok(Play { fixtures, talkers })
}

fn acknowledged(fixtures: &[Fixture; 2]) -> u64 {
    fixtures.iter().map(Fixture::acked).sum()
}

/// Waits for as many more messages as were asked for; false when they do not come.
async fn progress(fixtures: &[Fixture; 2], arguments: &Arguments) -> bool {
    let (begun, before) = (Instant::now(), acknowledged(fixtures));
    while acknowledged(fixtures) < before + arguments.messages {
        if begun.elapsed() > Duration::from_secs(arguments.patience) {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    true
}

fn report(fixtures: &[Fixture; 2], journals: &[Journal], wrong: Vec<String>) {
    for what in wrong.iter().take(5) {
        eprintln!("wrong: {what}");
    }
    let report = json!({
        "acknowledged": acknowledged(fixtures),
        "connections_lost": journals.iter().map(|it| it.lost).sum::<u64>(),
        "wrong": wrong.len(),
    });
    println!("{report}");
}
