//! Measures how many pairings one Redis makes in a second: `cargo run --release --example pairings`.
//!
//! People enter the waiting pool as nodes do, over several connections with many calls in flight, and
//! every second one meets the one before. Prints one line of JSON; fails when one was paired twice or not
//! at all.
//! Nothing stays in Redis, and what others keep there is left alone.
//!
//! What a machine can do at all is measured in the same run, over as many connections with as many
//! calls in flight: the least script that pairs or enqueues, one call for each arrival. So figures of
//! different machines, or of a busy one, can be compared by their ratio; and Redis's processor time by
//! itself.

use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use miyu::domain::id::{Address, NodeId, RoomId, SessionId, TicketId};
use miyu::domain::wish::Phase;
use miyu::domain::{
    Gender, Languages, Marks, Persona, PreferredGender, PrefixHashes, Profile, Tags, UserId, Wish,
};
use miyu::matching::redis::{RedisPool, RedisPoolConfig};
use miyu::matching::{Budget, Entered, PoolRules, Randomness, Ticket, WaitingPool};
use miyu::redis::{RedisServer, RedisServers};
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use serde_json::json;
use tokio::task::JoinSet;

/// The least that pairs: one that waits leaves, or one waits from now on.
const BARE: &str = "local other = redis.call('LPOP', KEYS[1])
if other then return other end
redis.call('RPUSH', KEYS[1], ARGV[1])
return ''";

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
    /// How many others wait meanwhile that none of those can meet
    #[arg(long, default_value_t = 0)]
    crowd: usize,
    /// Each has so many tags, of nine; 0 to 3
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
    let servers = RedisServers::parse(&arguments.redis, None).map_err(|why| why.to_string())?;
    let rules = PoolRules {
        same_session: true,
        lease: Duration::from_secs(60),
        tickets_per_session: 4,
        tickets: 10_000_000,
        budget: Budget::per_minute(10),
        tag_patience: Duration::from_secs(10),
        randomness: Randomness::Seed(1),
    };
    let prefix = format!("miyu-pairings-{:016x}:", NodeId::fresh().0);
    let config = RedisPoolConfig::new(rules, prefix);
    let nodes: Vec<_> = (0..arguments.nodes.max(1))
        .map(|_| RedisPool::start(servers.first().clone(), config.clone()))
        .collect();
    let bare_key = format!("{}bare", config.prefix);
    let bare = bare(arguments, servers.first(), &bare_key).await;
    let measured = match bare {
        Ok(bare) => run(arguments, &nodes, servers.first(), bare).await,
        Err(why) => Err(why),
    };
    for node in nodes {
        let _ = node.close().await;
    }
    clean_up(servers.first(), &config.keys()).await?;
    clean_up(servers.first(), &[bare_key]).await?;
    measured
}

/// What was measured of a number of deeds.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    per_second: f64,
    /// Microseconds of Redis's processor for one.
    redis_us: f64,
}

/// A measurement under way.
struct Meter<'a> {
    server: &'a RedisServer,
    begun: Instant,
    redis: f64,
}

impl<'a> Meter<'a> {
    async fn start(server: &'a RedisServer) -> Result<Self, String> {
        let redis = processor_seconds(server).await?;
        Ok(Self {
            server,
            begun: Instant::now(),
            redis,
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    async fn stop(self, deeds: usize) -> Result<Cost, String> {
        let seconds = self.begun.elapsed().as_secs_f64();
        let redis = processor_seconds(self.server).await? - self.redis;
        Ok(Cost {
            seconds,
            per_second: deeds as f64 / seconds,
            redis_us: redis * 1e6 / deeds as f64,
        })
    }
}

/// How long the one thread of Redis that runs commands has worked.
async fn processor_seconds(server: &RedisServer) -> Result<f64, String> {
    let mut connection = connect(server).await?;
    let mut info = redis::cmd("INFO");
    let info: Result<String, _> = info.arg("cpu").query_async(&mut connection).await;
    let info = info.map_err(|error| error.to_string())?;
    let seconds = |part: &str| -> Option<f64> {
        let name = format!("used_cpu_{part}_main_thread:");
        let value = info.lines().find_map(|line| line.strip_prefix(&name));
        value?.trim().parse().ok()
    };
    let both = seconds("user").zip(seconds("sys"));
    let (user, sys) = both.ok_or("this Redis does not say how long it worked")?;
    Ok(user + sys)
}

/// Measures the least script, once for each person who would arrive.
async fn bare(arguments: &Arguments, server: &RedisServer, key: &str) -> Result<Cost, String> {
    let script = redis::Script::new(BARE);
    let calls = 2 * arguments.pairs;
    let left = Arc::new(Mutex::new(0..calls));
    let mut connections = Vec::new();
    for _ in 0..arguments.nodes.max(1) {
        let mut connection = connect(server).await?;
        let loaded = script.load_async(&mut connection).await;
        loaded.map_err(|error| error.to_string())?;
        connections.push(connection);
    }
    let meter = Meter::start(server).await?;
    let mut callers = JoinSet::new();
    for connection in &connections {
        for _ in 0..arguments.window.max(1) {
            let (mut connection, left) = (connection.clone(), Arc::clone(&left));
            let (script, key) = (script.clone(), key.to_owned());
            callers.spawn(async move {
                while let Some(call) = { left.lock().next() } {
                    let mut call_it = script.key(&key);
                    let called: Result<String, _> =
                        call_it.arg(call).invoke_async(&mut connection).await;
                    called.map_err(|error| error.to_string())?;
                }
                Ok::<(), String>(())
            });
        }
    }
    for caller in callers.join_all().await {
        caller?;
    }
    meter.stop(calls).await
}

async fn run(
    arguments: &Arguments,
    nodes: &[Arc<RedisPool>],
    server: &RedisServer,
    bare: Cost,
) -> Result<serde_json::Value, String> {
    let crowd = (0..arguments.crowd).map(|n| bystander(n, arguments.tags));
    enter(nodes, arguments.window, crowd.collect()).await?;
    let people: Vec<Ticket> = (0..2 * arguments.pairs)
        .map(|n| person(n, arguments.tags))
        .collect();
    let meter = Meter::start(server).await?;
    let met = enter(nodes, arguments.window, people).await?;
    let cost = meter.stop(arguments.pairs).await?;
    let different: HashSet<TicketId> = met.iter().copied().collect();
    if met.len() != 2 * arguments.pairs || different.len() != met.len() {
        let (all, different) = (met.len(), different.len());
        return Err(format!("{all} people met, {different} different ones"));
    }
    let tenths = |value: f64| (value * 10.0).round() / 10.0;
    Ok(json!({
        "pairings_per_second": cost.per_second.round(), "seconds": tenths(cost.seconds),
        "redis_us_a_pairing": tenths(cost.redis_us),
        "bare_scripts_per_second": bare.per_second.round(),
        "redis_us_a_bare_script": tenths(bare.redis_us),
        "pairings_to_bare_scripts": (cost.per_second / bare.per_second * 1000.0).round() / 1000.0,
        "pairs": arguments.pairs, "crowd": arguments.crowd, "tags": arguments.tags,
        "nodes": nodes.len(), "window": arguments.window,
    }))
}

/// Lets all tickets enter; answers with those that were paired, both sides of each pairing.
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
                    match node.enter(ticket, miyu::clock::now()).await {
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

/// A ticket that takes anyone, with so many tags.
fn person(number: usize, tags: usize) -> Ticket {
    // Far enough apart that most people share some tags with some others.
    let words = (0..tags.min(3)).map(|tag| WORDS[(number / 3 + tag * (1 + number % 4)) % 9]);
    let gender = [Gender::Male, Gender::Other][number % 2];
    ticket(gender, PreferredGender::All, Tags::parse(words))
}

/// A ticket that no [`person`] suits, nor another bystander.
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
        wish: Wish {
            gender: wish,
            tags,
            languages: Languages::default(),
        },
        phase: Phase::Anyone,
        since: miyu::clock::now(),
        blocked: Vec::new(),
        recent: (0..10).map(|_| SessionId::fresh()).collect(),
        prefixes: PrefixHashes::default(),
        marks: Marks::default(),
        held: Vec::new(),
        resume: None,
        address: Address {
            node: NodeId::fresh(),
            number: 1,
        },
    }
}

async fn connect(server: &RedisServer) -> Result<MultiplexedConnection, String> {
    let unheard = |_| Ok::<(), std::convert::Infallible>(());
    let connected = server.connect(unheard).await;
    connected.map_err(|error| error.to_string())
}

/// Nothing of this stays.
async fn clean_up(server: &RedisServer, keys: &[String]) -> Result<(), String> {
    let mut connection = connect(server).await?;
    let mut unlink = redis::cmd("UNLINK");
    let unlinked: Result<(), _> = unlink.arg(keys).query_async(&mut connection).await;
    unlinked.map_err(|error| error.to_string())
}
