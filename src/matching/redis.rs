//! The waiting pool of many nodes, in one Redis. Every method is one script, atomic and idempotent:
//! a call that timed out may have run, and asked again it answers the same.
//!
//! What the scripts keep, and under which names, is written in `pool.lua`; how they choose a partner,
//! in `enter.lua`. The rules are those of [`rule`](super::rule), the order is that of the memory pool.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ::redis::{Script, ScriptInvocation};
use lru::LruCache;
use parking_lot::Mutex;
use tokio_util::task::TaskTracker;

use self::arrivals::Arrivals;
use self::codec::{PackedTicket, ReplyParts};
use self::link::{Failed, PoolLink};
use self::script::Scripts;
use super::dice::Dice;
use super::{Entered, PoolError, PoolFuture, PoolRules, PoolStats, Renewed, Ticket, WaitingPool};
use crate::domain::id::{RoomId, TicketId, Timestamp};
use crate::redis::RedisServer;
use crate::tasks;

mod arrivals;
mod codec;
mod link;
mod script;

/// What the names of the pool's keys have in common behind the prefix. In braces, so that a cluster
/// keeps them together; the number is the version of what is kept, and nodes with another one do not
/// see each other's tickets.
const TOGETHER: &str = "{pool:5}";
/// Most ends of leases that one count looks at; about a millisecond of Redis.
const SWEEP: usize = 200;
/// Between two of those while more are due.
const SWEEP_PAUSE: Duration = Duration::from_millis(20);
/// Searches whose last answer got lost, remembered so that the same answer is given again.
const LOST_ANSWERS: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// Whose clock leases go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseClock {
    /// Redis's own, the only one that all nodes share. A caller's `now` only says how long a ticket
    /// has waited already.
    Redis,
    /// The caller's `now`, so that tests need not sleep.
    Caller,
}

/// How a pool in Redis is set up.
#[derive(Clone, Debug)]
pub struct RedisPoolConfig {
    /// As for any pool; all nodes should have the same.
    pub rules: PoolRules,
    /// Whose clock leases go by.
    pub clock: LeaseClock,
    /// What the names of its keys begin with.
    pub prefix: String,
    /// How often the stats are counted.
    pub stats_every: Duration,
}

impl RedisPoolConfig {
    /// As a server runs it.
    pub fn new(rules: PoolRules, prefix: impl Into<String>) -> Self {
        Self {
            rules,
            clock: LeaseClock::Redis,
            prefix: prefix.into(),
            stats_every: Duration::from_secs(1),
        }
    }

    /// The names of all its keys.
    pub fn keys(&self) -> [String; 4] {
        ["tickets", "due", "lines", "spent"].map(|key| format!("{}{TOGETHER}:{key}", self.prefix))
    }
}

/// Those who wait, over all nodes that use one Redis.
pub struct RedisPool {
    config: RedisPoolConfig,
    keys: [String; 4],
    scripts: Scripts,
    link: PoolLink,
    arrivals: Arrivals,
    stats: Mutex<Option<PoolStats>>,
    lost: Mutex<LruCache<TicketId, [u8; 8]>>,
    dice: Mutex<Dice>,
    /// The caller's clock as it was last seen.
    seen: AtomicI64,
    tasks: TaskTracker,
}

impl RedisPool {
    /// A pool at this server. It connects behind the calls, which fail while Redis is away. Must be
    /// called within the runtime; what it spawns ends with [`WaitingPool::close`].
    pub fn start(server: RedisServer, config: RedisPoolConfig) -> Arc<Self> {
        let dice = config.rules.randomness.dice();
        let pool = Arc::new(Self {
            keys: config.keys(),
            config,
            scripts: Scripts::new(),
            link: PoolLink::new(server),
            arrivals: Arrivals::new(),
            stats: Mutex::new(Some(PoolStats::default())),
            lost: Mutex::new(LruCache::new(LOST_ANSWERS)),
            dice: Mutex::new(dice),
            seen: AtomicI64::new(0),
            tasks: TaskTracker::new(),
        });
        let running = Arc::clone(&pool);
        // Without its connection the pool would be away for ever.
        let run = tasks::restarted(move || Arc::clone(&running).run());
        pool.tasks.spawn(run);
        pool
    }

    /// Keeps the connection and the stats, and takes out tickets whose lease is over, until the pool
    /// is closed.
    async fn run(self: Arc<Self>) {
        tokio::select! {
            () = self.link.closed() => {}
            () = self.link.keep() => {}
            () = self.keep_counting() => {}
            () = self.arrivals.send(|tickets| self.enter_all(tickets)) => {}
        }
    }

    /// Counts those who wait now, and takes out some whose lease is over: true when more are due.
    ///
    /// # Errors
    /// [`PoolError::Unavailable`]; the last stats stand.
    pub async fn count(&self) -> Result<bool, PoolError> {
        let mut call = self.call(&self.scripts.stats, self.last_seen());
        let numbers: Vec<u32> = self.link.run(call.arg(SWEEP)).await?;
        let (more, stats) = codec::stats(&numbers)?;
        if let Some(known) = self.stats.lock().as_mut() {
            *known = stats;
        }
        Ok(more)
    }

    async fn keep_counting(&self) {
        loop {
            let pause = match self.count().await {
                Ok(true) => SWEEP_PAUSE,
                // That Redis is away is said by the link.
                Ok(false) | Err(_) => self.config.stats_every,
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// A call of this script at this moment.
    fn call<'a>(&self, script: &'a Script, now: Timestamp) -> ScriptInvocation<'a> {
        let mut call = script.prepare_invoke();
        for key in &self.keys {
            call.key(key);
        }
        match self.config.clock {
            LeaseClock::Redis => call.arg(""),
            LeaseClock::Caller => {
                self.seen.fetch_max(now.0, Ordering::Relaxed);
                call.arg(now.0)
            }
        };
        let rules = &self.config.rules;
        call.arg(milliseconds(rules.lease))
            .arg(rules.budget.number())
            .arg(milliseconds(rules.tag_patience));
        call
    }

    fn last_seen(&self) -> Timestamp {
        Timestamp(self.seen.load(Ordering::Relaxed))
    }

    fn closed(&self) -> bool {
        self.stats.lock().is_none()
    }

    async fn try_enter(&self, ticket: &Ticket, now: Timestamp) -> Result<Entered, PoolError> {
        if self.closed() {
            return Err(PoolError::Unavailable("the pool is closed".into()));
        }
        let known = self.lost.lock().pop(&ticket.id);
        let attempt = known.unwrap_or_else(rand::random);
        // Also when this future is dropped: until there is an answer, it is lost.
        self.lost.lock().put(ticket.id, attempt);
        let packed = codec::ticket(ticket, now, attempt);
        let entered = codec::entered(&self.arrivals.enter(packed).await?);
        self.lost.lock().pop(&ticket.id);
        entered
    }

    /// Lets these tickets enter, in one script.
    async fn enter_all(&self, tickets: Vec<PackedTicket>) -> Result<Vec<ReplyParts>, Failed> {
        let rules = &self.config.rules;
        let latest = tickets.iter().map(|ticket| ticket.now).max();
        let latest = latest.unwrap_or_default();
        let mut call = self.call(&self.scripts.enter, latest);
        call.arg(u8::from(rules.same_session));
        call.arg(rules.tickets_per_session).arg(rules.tickets);
        // A script has no random source of its own; what it takes as a seed is 31 bits.
        call.arg(self.dice.lock().next() >> 33);
        for ticket in &tickets {
            // Nodes' clocks may be hours apart: only differences of one clock travel.
            let [arrival, kept] = ticket.arguments(match self.config.clock {
                LeaseClock::Redis => ticket.waited.max(0),
                LeaseClock::Caller => ticket.waited + (latest.0 - ticket.now.0),
            });
            call.arg(arrival).arg(kept);
        }
        let parts = self.link.run(&call).await?;
        codec::answers(parts, tickets.len()).map_err(|error| Failed {
            error,
            refused: false,
        })
    }

    /// A call to `enter` that was given up must not take effect after the call that follows it.
    async fn behind(&self, id: TicketId) {
        let entering = self.lost.lock().contains(&id);
        if entering {
            self.arrivals.settled().await;
        }
    }
}

impl WaitingPool for RedisPool {
    fn enter(&self, ticket: Ticket, now: Timestamp) -> PoolFuture<'_, Entered> {
        Box::pin(async move { self.try_enter(&ticket, now).await })
    }

    fn withdraw(&self, id: TicketId) -> PoolFuture<'_, bool> {
        Box::pin(async move {
            if self.closed() {
                return Ok(false);
            }
            self.behind(id).await;
            let mut call = self.call(&self.scripts.withdraw, self.last_seen());
            let answer: Vec<u8> = self.link.run(call.arg(codec::id(id))).await?;
            Ok(answer == b"1")
        })
    }

    fn renew(&self, id: TicketId, now: Timestamp) -> PoolFuture<'_, Renewed> {
        Box::pin(async move {
            if self.closed() {
                return Ok(Renewed::Gone);
            }
            let mut call = self.call(&self.scripts.renew, now);
            let answer: ReplyParts = self.link.run(call.arg(codec::id(id))).await?;
            codec::renewed(&answer)
        })
    }

    fn give_back(
        &self,
        room: RoomId,
        gone: Option<TicketId>,
        now: Timestamp,
    ) -> PoolFuture<'_, ()> {
        Box::pin(async move {
            if self.closed() {
                return Ok(());
            }
            let gone = gone.map(codec::id).unwrap_or_default();
            let mut call = self.call(&self.scripts.give_back, now);
            call.arg(codec::room(room)).arg(gone);
            let _: Vec<u8> = self.link.run(&call).await?;
            Ok(())
        })
    }

    fn stats(&self) -> PoolStats {
        self.stats.lock().unwrap_or_default()
    }

    fn close(&self) -> PoolFuture<'_, ()> {
        Box::pin(async move {
            *self.stats.lock() = None;
            self.link.close();
            self.tasks.close();
            self.tasks.wait().await;
            self.arrivals.close().await;
            Ok(())
        })
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
