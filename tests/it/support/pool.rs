//! Tickets and answers for the tests of waiting pools. It decides nothing about matching.

use std::sync::Arc;
use std::time::{Duration, Instant};

use miyu::domain::id::{Address, NodeId, RoomId, SessionId, TicketId, Timestamp};
use miyu::domain::wish::Phase;
use miyu::domain::{
    Gender, Languages, Marks, Mood, Pairing, Persona, PreferredGender, PrefixHashes, Profile, Tags,
    UserId, Wish,
};
use miyu::matching::redis::{LeaseClock, RedisPool, RedisPoolConfig};
use miyu::matching::{
    Budget, Entered, PoolError, PoolRules, PoolStats, Randomness, Renewed, Ticket, WaitingPool,
};
use miyu::redis::RedisServers;
use tokio::task::JoinSet;

use super::redis::{fresh_prefix, shared_url};

/// A lease short enough to be stepped over, long enough to be stepped into.
pub const LEASE: Duration = Duration::from_secs(30);

/// The moment `ms` after the tests' beginning of time.
pub fn at(ms: i64) -> Timestamp {
    Timestamp(1_700_000_000_000 + ms)
}

/// Just when a lease that began at `ms` is over.
pub fn lease_after(ms: i64) -> Timestamp {
    at(ms).plus(LEASE)
}

/// What the server has by default.
pub fn rules() -> PoolRules {
    PoolRules {
        same_session: true,
        lease: LEASE,
        tickets_per_session: 4,
        tickets: 1_000_000,
        budget: Budget::per_minute(10),
        tag_patience: Duration::from_secs(10),
        randomness: Randomness::Seed(1),
    }
}

/// The session with this number.
pub fn session(number: u32) -> SessionId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    SessionId(bytes)
}

/// A ticket of a session of its own that takes anyone and waits since the beginning of time.
pub fn ticket(number: u32) -> Ticket {
    Ticket {
        id: TicketId::fresh(),
        room: RoomId::fresh(),
        session: session(number),
        persona: Persona {
            user_id: UserId::parse(&format!("user-{number}")).expect("plain and short"),
            profile: Profile {
                nickname: format!("Number {number}"),
                own_nickname: None,
                avatar: 1,
                mood: Mood::Neutral,
                gender: Gender::Other,
            },
        },
        wish: Wish::default(),
        phase: Phase::Anyone,
        since: at(0),
        blocked: Vec::new(),
        recent: Vec::new(),
        prefixes: PrefixHashes::default(),
        marks: Marks::default(),
        held: Vec::new(),
        resume: None,
        address: Address {
            node: NodeId(1),
            number: u64::from(number),
        },
    }
}

/// Changes to a ticket, to be chained.
pub trait With: Sized {
    /// Another `user_id`.
    fn user(self, user_id: &str) -> Self;
    /// What they are, and which partners they want.
    fn gender(self, gender: Gender, wish: PreferredGender) -> Self;
    /// What they want to talk about.
    fn tags(self, tags: &[&str]) -> Self;
    /// In which languages they talk.
    fn speaks(self, languages: &[&str]) -> Self;
    /// How far they relaxed.
    fn phase(self, phase: Phase) -> Self;
    /// Waits since `ms` after the beginning of time.
    fn since(self, ms: i64) -> Self;
    /// Another session, never to be met.
    fn blocks(self, number: u32) -> Self;
    /// Another session that was met lately.
    fn met(self, number: u32) -> Self;
    /// A tab of that session.
    fn tab_of(self, number: u32) -> Self;
    /// From these networks, the narrowest first.
    fn from(self, networks: [u64; 3]) -> Self;
    /// The same search once more, as a caller enters it: with a fresh room.
    fn again(&self) -> Self;
}

impl With for Ticket {
    fn user(mut self, user_id: &str) -> Self {
        self.persona.user_id = UserId::parse(user_id).expect("plain and short");
        self
    }

    fn gender(mut self, gender: Gender, wish: PreferredGender) -> Self {
        self.persona.profile.gender = gender;
        self.wish.gender = wish;
        self
    }

    fn tags(mut self, tags: &[&str]) -> Self {
        self.wish.tags = Tags::parse(tags.iter().copied());
        self
    }

    fn speaks(mut self, languages: &[&str]) -> Self {
        self.wish.languages = Languages::parse(languages.iter().copied());
        self
    }

    fn phase(mut self, phase: Phase) -> Self {
        self.phase = phase;
        self
    }

    fn since(mut self, ms: i64) -> Self {
        self.since = at(ms);
        self
    }

    fn blocks(mut self, number: u32) -> Self {
        self.blocked.push(session(number));
        self
    }

    fn met(mut self, number: u32) -> Self {
        self.recent.push(session(number));
        self
    }

    fn tab_of(mut self, number: u32) -> Self {
        self.session = session(number);
        self
    }

    fn from(mut self, networks: [u64; 3]) -> Self {
        self.prefixes = PrefixHashes(networks);
        self
    }

    fn again(&self) -> Self {
        Self {
            room: RoomId::fresh(),
            ..self.clone()
        }
    }
}

/// Lets these enter at `ms` without waiting in between, in this order.
pub async fn together(
    pool: &Arc<dyn WaitingPool>,
    tickets: &[Ticket],
    ms: i64,
) -> Vec<Result<Entered, PoolError>> {
    let mut entering = JoinSet::new();
    for (n, ticket) in tickets.iter().cloned().enumerate() {
        let pool = Arc::clone(pool);
        entering.spawn(async move { (n, pool.enter(ticket, at(ms)).await) });
    }
    let mut entered = entering.join_all().await;
    entered.sort_by_key(|(n, _)| *n);
    entered.into_iter().map(|(_, entered)| entered).collect()
}

/// A pool under test, with answers short enough to assert on.
pub struct Pool(pub Arc<dyn WaitingPool>);

impl Pool {
    /// Enters at `ms`; the pairing, if there is one.
    pub async fn enter_at(&self, ticket: &Ticket, ms: i64) -> Option<Arc<Pairing>> {
        match self.try_enter(ticket, ms).await.expect("let in") {
            Entered::Paired { pairing, .. } => Some(pairing),
            Entered::Waiting { .. } => None,
        }
    }

    /// Enters at the beginning of time.
    pub async fn enter(&self, ticket: &Ticket) -> Option<Arc<Pairing>> {
        self.enter_at(ticket, 0).await
    }

    /// Enters and has to wait.
    pub async fn wait(&self, ticket: &Ticket) {
        assert_eq!(self.enter(ticket).await, None, "nobody should fit");
    }

    /// Enters and meets exactly this one, who waited.
    pub async fn meet(&self, arriving: &Ticket, waiting: &Ticket) -> Arc<Pairing> {
        let pairing = self.enter(arriving).await.expect("somebody should fit");
        assert_eq!(pairing.parties[0].ticket, arriving.id);
        assert_eq!(pairing.parties[1].ticket, waiting.id, "the wrong partner");
        pairing
    }

    /// The whole answer.
    pub async fn try_enter(&self, ticket: &Ticket, ms: i64) -> Result<Entered, PoolError> {
        self.0.enter(ticket.clone(), at(ms)).await
    }

    /// Renews at `ms`.
    pub async fn renew_at(&self, ticket: &Ticket, ms: i64) -> Renewed {
        self.0.renew(ticket.id, at(ms)).await.expect("answers")
    }

    /// Withdraws a ticket; whether it still waited.
    pub async fn withdraw(&self, ticket: &Ticket) -> bool {
        self.0.withdraw(ticket.id).await.expect("answers")
    }

    /// Gives a room back at the beginning of time.
    pub async fn give_back(&self, room: RoomId, gone: Option<&Ticket>) {
        let gone = gone.map(|ticket| ticket.id);
        self.0.give_back(room, gone, at(0)).await.expect("answers");
    }

    /// Waits until the stats say that so many wait: over nodes they may lag by a second.
    pub async fn waiting_are(&self, expected: u64) {
        self.stats_show(|stats| stats.total() == expected).await;
    }

    /// Waits until the stats are as they should be, for a bounded time.
    pub async fn stats_show(&self, right: impl Fn(&PoolStats) -> bool) {
        let begun = Instant::now();
        while !right(&self.0.stats()) {
            let stats = self.0.stats();
            assert!(begun.elapsed() < STATS_WAIT, "the stats stay {stats:?}");
            tokio::time::sleep(STATS_EVERY).await;
        }
    }
}

/// How often the Redis pools of tests count.
pub const STATS_EVERY: Duration = Duration::from_millis(20);
/// How long the stats may take to come true on a busy machine.
pub const STATS_WAIT: Duration = Duration::from_secs(10);

/// How a Redis pool of a test is set up: under names of its own, by the clock that it is handed.
pub fn redis_config(rules: PoolRules) -> RedisPoolConfig {
    RedisPoolConfig {
        clock: LeaseClock::Caller,
        stats_every: STATS_EVERY,
        ..RedisPoolConfig::new(rules, fresh_prefix())
    }
}

/// A pool on the Redis that all tests share, or on another one.
pub fn redis_pool_at(url: &str, config: RedisPoolConfig) -> Arc<RedisPool> {
    let servers = RedisServers::parse(url, None).expect("a Redis URL");
    RedisPool::start(servers.first().clone(), config)
}

/// A pool on the Redis that all tests share.
pub fn redis_pool(rules: PoolRules) -> Arc<dyn WaitingPool> {
    redis_pool_at(&shared_url(), redis_config(rules))
}
