//! Pairings in process, under all rules, while many others wait.
//!
//! The pool holds men who wait for women, and some tickets that no other fits. A woman comes and meets the
//! best of them; another man takes his place: so the pool stays as large as it is, and the ticket that is
//! taken out stood anywhere in it.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use futures_util::FutureExt as _;
use miyu::domain::id::{Address, NodeId, RoomId, SessionId, TicketId, Timestamp};
use miyu::domain::wish::Phase;
use miyu::domain::{
    Gender, Languages, Marks, Persona, PreferredGender, PrefixHashes, Profile, Tags, UserId, Wish,
};
use miyu::matching::memory::MemoryPool;
use miyu::matching::{Budget, Entered, PoolRules, Randomness, Ticket, WaitingPool};
use serde_json::json;

/// What people like to talk about.
const WORDS: [&str; 9] = [
    "音樂", "電影", "旅行", "美食", "運動", "遊戲", "閱讀", "攝影", "藝術",
];
/// By the pool's clock: no lease ends meanwhile, so that no ticket is lost to the count.
const PER_PAIRING: Duration = Duration::from_micros(10);

/// All of them.
pub fn all(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pool");
    group.throughput(Throughput::Elements(1));
    let sizes = match super::short() {
        true => [100, 1000, 5000],
        false => [1000, 100_000, 1_000_000],
    };
    for tags in [0, 3] {
        for waiting in sizes {
            let name = if tags == 0 { "untagged" } else { "tagged" };
            let mut crowd = None;
            group.bench_function(BenchmarkId::new(name, waiting), |b| {
                let crowd = crowd.get_or_insert_with(|| {
                    let mut crowd = Crowd::new(waiting, tags);
                    crowd.report_tail(name);
                    crowd
                });
                b.iter_custom(|times| crowd.pair(times, |_| {}));
            });
        }
    }
    group.finish();
}

struct Crowd {
    pool: std::sync::Arc<MemoryPool>,
    waiting: usize,
    tags: usize,
    /// People so far; the next one's number.
    people: usize,
    paired: u64,
    /// What the last call of [`Crowd::pair`] took of the processor.
    cpu: Option<Duration>,
    met: HashSet<TicketId>,
}

impl Crowd {
    fn new(waiting: usize, tags: usize) -> Self {
        let rules = PoolRules {
            same_session: true,
            lease: Duration::from_secs(30),
            tickets_per_session: 4,
            tickets: 2_000_000,
            budget: Budget::per_minute(10),
            tag_patience: Duration::from_secs(10),
            randomness: Randomness::Seed(1),
        };
        let mut crowd = Self {
            pool: MemoryPool::new(rules),
            waiting,
            tags,
            people: 0,
            paired: 0,
            cpu: None,
            met: HashSet::new(),
        };
        for number in 0..waiting {
            let wish = match number % 4 {
                // Waits in vain.
                3 => PreferredGender::Other,
                _ => PreferredGender::Female,
            };
            let ticket = crowd.person(Gender::Male, wish);
            assert!(matches!(crowd.enter(ticket), Entered::Waiting { .. }));
        }
        crowd
    }

    /// The time that so many pairings take, of two entries each; every entry's time to `took`.
    fn pair(&mut self, times: u64, mut took: impl FnMut(Duration)) -> Duration {
        let arrivals: Vec<_> = (0..times)
            .map(|_| {
                let woman = self.person(Gender::Female, PreferredGender::Male);
                (woman, self.person(Gender::Male, PreferredGender::Female))
            })
            .collect();
        let mut results = Vec::with_capacity(arrivals.len());
        let cpu = own_cpu();
        let begun = Instant::now();
        for (woman, man) in arrivals {
            let id = woman.id;
            let start = Instant::now();
            let met = self.enter(woman);
            let between = Instant::now();
            let queued = self.enter(man);
            took(between - start);
            took(between.elapsed());
            results.push((id, met, queued));
            self.paired += 1;
        }
        let took_all = begun.elapsed();
        self.cpu = cpu.zip(own_cpu()).map(|(before, after)| after - before);
        self.check(results);
        took_all
    }

    /// Each woman met one man, each man one woman, and the crowd is as large as before.
    fn check(&mut self, results: Vec<(TicketId, Entered, Entered)>) {
        for (id, met, queued) in results {
            let Entered::Paired { pairing, .. } = met else {
                panic!("somebody who suits was there: {met:?}");
            };
            assert!(matches!(queued, Entered::Waiting { .. }), "{queued:?}");
            let [one, two] = pairing.parties.each_ref().map(|party| party.ticket);
            assert!(one == id && two != id, "who arrives is side A");
            assert!(self.met.insert(two), "met twice");
        }
        assert_eq!(self.pool.stats().total(), self.waiting as u64);
    }

    /// The slowest entries: criterion knows averages only. One line of JSON.
    fn report_tail(&mut self, name: &str) {
        let pairings = super::sized(100_000, 200) as u64;
        let mut nanos: Vec<u64> = Vec::new();
        let took = |it: Duration| nanos.push(u64::try_from(it.as_nanos()).unwrap_or(u64::MAX));
        let all = self.pair(pairings, took);
        if super::short() {
            return;
        }
        nanos.sort_unstable();
        let at = |share: usize| nanos[(nanos.len() - 1) * share / 1000] as f64 / 1000.0;
        let rate = pairings as f64 / all.as_secs_f64();
        let line = json!({
            "bench": "pool", "people": name, "waiting": self.waiting, "pairings": pairings,
            "pairings_per_second": rate.round(),
            "cpu_us_per_pairing": self.cpu.map(|it| it.as_secs_f64() * 1e6 / pairings as f64),
            "enter_us": { "p50": at(500), "p99": at(990), "p99_9": at(999), "max": at(1000) },
        });
        println!("{line}");
    }

    fn enter(&self, ticket: Ticket) -> Entered {
        let now = self.now();
        let entered = self.pool.enter(ticket, now).now_or_never();
        let entered = entered.expect("the memory pool answers at once");
        entered.expect("there is room")
    }

    fn now(&self) -> Timestamp {
        let passed = PER_PAIRING * u32::try_from(self.paired).expect("a short run");
        Timestamp(1_800_000_000_000).plus(passed)
    }

    fn person(&mut self, gender: Gender, wish: PreferredGender) -> Ticket {
        let number = self.people;
        self.people += 1;
        // Far enough apart that most people share some tags with some others.
        let words = (0..self.tags).map(|tag| WORDS[(number / 3 + tag * (1 + number % 4)) % 9]);
        let gender_word = ["male", "female", "other"][gender.index()];
        let phase = match (gender, number % 2) {
            (Gender::Male, 0) => Phase::SharedTags,
            _ => Phase::Anyone,
        };
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
                tags: Tags::parse(words),
                languages: Languages::default(),
            },
            phase,
            since: self.now(),
            blocked: (0..2).map(|_| SessionId::fresh()).collect(),
            recent: (0..10).map(|_| SessionId::fresh()).collect(),
            prefixes: PrefixHashes::default(),
            marks: Marks::default(),
            held: Vec::new(),
            resume: None,
            address: Address {
                node: NodeId(1),
                number: number as u64,
            },
        }
    }
}

/// Processor time of this thread, on Linux: on a machine that is busy with other things it says more
/// than the clock.
fn own_cpu() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}
