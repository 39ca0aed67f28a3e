//! Measures how many pairings one Redis makes in a second: `cargo run --release --example pairings`.
//!
//! People enter the waiting pool as nodes do, over several connections with many calls in flight, and
//! every second one meets somebody. Prints one line of JSON; fails when somebody met nobody or twice.
//! Nothing stays in Redis, and what others keep there is left alone.

use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use miyu::id::{Address, NodeId, RoomId, SessionId, TicketId, Timestamp};
use miyu::matching::redis::{RedisPool, RedisPoolConfig};
use miyu::matching::{Entered, Phase, PoolRules, Ticket, WaitingPool};
use miyu::model::{Gender, Persona, PreferredGender, Profile, Tags, UserId, Wish};
use miyu::redis::{Server, Servers};
use parking_lot::Mutex;
use serde_json::json;
use tokio::task::JoinSet;

/// What people like to talk about.
const WORDS: [&str; 9] = [
    "音樂", "電影", "旅行", "美食", "運動", "遊戲", "閱讀", "攝影", "藝術",
];

/// Measures pairings through one Redis.
#[derive(Parser)]
struct Arguments {
    /// The Redis
    #[arg(long, default_value = "redis://127.0.0.1:6379")]
    redis: String,
    /// How many pairs meet
    #[arg(long, default_value_t = 50_000)]
    pairs: usize,
    /// How many people wait meanwhile whom nobody of those can meet
    #[arg(long, default_value_t = 0)]
    crowd: usize,
    /// Everybody has so many tags, of nine; 0 to 3
    #[arg(long, default_value_t = 0)]
    tags: usize,
    /// How many nodes enter people, each on a connection of its own
    #[arg(long, default_value_t = 4)]
    nodes: usize,
    /// How many calls each of them has in flight
    #[arg(long, default_value_t = 64)]
    window: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    match measure(&Arguments::parse()).await {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(arguments: &Arguments) -> Result<serde_json::Value, String> {
    let servers = Servers::parse(&arguments.redis, None)?;
    let rules = PoolRules {
        same_session: true,
        lease: Duration::from_secs(60),
        tickets_per_session: 4,
        tickets: 10_000_000,
    };
    let prefix = format!("miyu-pairings-{:016x}:", NodeId::fresh().0);
    let config = RedisPoolConfig::new(rules, prefix);
    let nodes: Vec<_> = (0..arguments.nodes.max(1))
        .map(|_| RedisPool::start(servers.first().clone(), config.clone()))
        .collect();
    let measured = run(arguments, &nodes).await;
    for node in nodes {
        let _ = node.close().await;
    }
    clean_up(servers.first(), &config.keys()).await?;
    measured
}

async fn run(arguments: &Arguments, nodes: &[Arc<RedisPool>]) -> Result<serde_json::Value, String> {
    let crowd = (0..arguments.crowd).map(|n| bystander(n, arguments.tags));
    enter(nodes, arguments.window, crowd.collect()).await?;
    let people: Vec<Ticket> = (0..2 * arguments.pairs)
        .map(|n| person(n, arguments.tags))
        .collect();
    let begun = Instant::now();
    let met = enter(nodes, arguments.window, people).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let different: HashSet<TicketId> = met.iter().copied().collect();
    if met.len() != 2 * arguments.pairs || different.len() != met.len() {
        let (all, different) = (met.len(), different.len());
        return Err(format!("{all} people met, {different} different ones"));
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    let rate = arguments.pairs as f64 / seconds;
    Ok(json!({
        "pairings_per_second": rate.round(), "seconds": seconds, "pairs": arguments.pairs,
        "crowd": arguments.crowd, "tags": arguments.tags,
        "nodes": nodes.len(), "window": arguments.window,
    }))
}

/// Lets everybody enter; answers with those who met somebody, both sides of each pairing.
async fn enter(
    nodes: &[Arc<RedisPool>],
    window: usize,
    people: Vec<Ticket>,
) -> Result<Vec<TicketId>, String> {
    let people = Arc::new(Mutex::new(people.into_iter()));
    let mut callers = JoinSet::new();
    for node in nodes {
        for _ in 0..window.max(1) {
            let (node, people) = (Arc::clone(node), Arc::clone(&people));
            callers.spawn(async move {
                let mut met = Vec::new();
                loop {
                    let next = people.lock().next();
                    let Some(ticket) = next else {
                        return Ok(met);
                    };
                    match node.enter(ticket, Timestamp::now()).await {
                        Ok(Entered::Paired { pairing, .. }) => {
                            met.extend(pairing.parties.iter().map(|party| party.ticket));
                        }
                        Ok(Entered::Waiting { .. }) => {}
                        Err(error) => return Err(error.to_string()),
                    }
                }
            });
        }
    }
    let mut met = Vec::new();
    for caller in callers.join_all().await {
        met.extend(caller?);
    }
    Ok(met)
}

/// Somebody who takes anyone, with so many tags.
fn person(number: usize, tags: usize) -> Ticket {
    // Far enough apart that most people share some tags with some others.
    let words = (0..tags.min(3)).map(|tag| WORDS[(number / 3 + tag * (1 + number % 4)) % 9]);
    let gender = [Gender::Male, Gender::Other][number % 2];
    ticket(gender, PreferredGender::All, Tags::parse(words))
}

/// Somebody whom no [`person`] suits, nor another bystander.
fn bystander(number: usize, tags: usize) -> Ticket {
    let wish = person(number, tags).wish;
    ticket(Gender::Male, PreferredGender::Female, wish.tags)
}

fn ticket(gender: Gender, wish: PreferredGender, tags: Tags) -> Ticket {
    let gender_word = ["male", "female", "other"][gender.index()];
    Ticket {
        id: TicketId::fresh(),
        room: RoomId::fresh(),
        session: SessionId::fresh(),
        persona: Persona {
            user_id: UserId::fresh(),
            profile: Profile::parse("匿名用戶", "3", "happy", gender_word),
        },
        wish: Wish { gender: wish, tags },
        phase: Phase::Anyone,
        since: Timestamp::now(),
        blocked: Vec::new(),
        recent: (0..10).map(|_| SessionId::fresh()).collect(),
        address: Address {
            node: NodeId::fresh(),
            number: 1,
        },
    }
}

/// Nothing of this stays.
async fn clean_up(server: &Server, keys: &[String]) -> Result<(), String> {
    let unheard = |_| Ok::<(), std::convert::Infallible>(());
    let connected = server.connect(unheard).await;
    let mut connection = connected.map_err(|error| error.to_string())?;
    let mut unlink = redis::cmd("UNLINK");
    let unlinked: Result<(), _> = unlink.arg(keys).query_async(&mut connection).await;
    unlinked.map_err(|error| error.to_string())
}
