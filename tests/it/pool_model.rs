//! The pools against a model that is too simple to be wrong: a list, searched from end to
//! end, with the rules of the wire contract written down a second time. At every step the pool must
//! choose one of those that the model would. Crowds larger than the pool's bounded look are not its concern.

use std::sync::Arc;

use miyu::domain::id::RoomId;
use miyu::domain::wish::Phase;
use miyu::domain::{Gender, PreferredGender};
use miyu::matching::memory::MemoryPool;
use miyu::matching::redis::RedisPool;
use miyu::matching::{Budget, Entered, PoolRules, Renewed, Ticket, WaitingPool};
use proptest::prelude::*;

use crate::support::pool::{
    Pool, With, at, redis_config, redis_pool_at, rules, session, ticket, together,
};
use crate::support::redis::shared_url;
use model::{Answer, Model, answer};

mod model;

/// What happens next. Numbers choose among the tickets so far, from the newest backwards.
#[derive(Clone, Debug)]
enum Step {
    Enter(Box<Ticket>),
    /// Several at once: of those a pool in Redis makes one call.
    Together(Vec<Ticket>),
    EnterAgain {
        which: usize,
        phase: Phase,
        wish: usize,
    },
    Withdraw {
        which: usize,
    },
    Renew {
        which: usize,
    },
    GiveBack {
        which: usize,
        gone: Option<bool>,
    },
    Pass {
        ms: i64,
    },
}

/// The pool, the model, and every ticket that ever entered.
struct Both {
    pool: Pool,
    redis: Option<Arc<RedisPool>>,
    model: Model,
    tickets: Vec<Ticket>,
    rooms: Vec<RoomId>,
    now: i64,
}

impl Both {
    async fn enter(&mut self, tickets: Vec<Ticket>) {
        let entered = together(&self.pool.0, &tickets, self.now).await;
        for (ticket, entered) in tickets.into_iter().zip(entered) {
            self.compare_answer(ticket, &entered.expect("no limits"));
        }
    }

    fn compare_answer(&mut self, ticket: Ticket, entered: &Entered) {
        let replaced = entered.replaced().map(|(id, _)| id);
        let answer = match entered {
            Entered::Paired { pairing, .. } => answer(pairing),
            Entered::Waiting { .. } => Answer::Waiting,
        };
        if let Answer::Paired(room, ..) = answer {
            self.rooms.push(room);
        }
        let expected = self.model.enter(ticket.clone(), at(self.now), &answer);
        assert_eq!(replaced, expected);
        self.tickets.retain(|t| t.id != ticket.id);
        self.tickets.push(ticket);
    }

    fn nth(&self, which: usize) -> Option<Ticket> {
        let count = self.tickets.len();
        (count > 0).then(|| self.tickets[which % count].clone())
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Enter(ticket) => self.enter(vec![*ticket]).await,
            Step::Together(tickets) => self.enter(tickets).await,
            Step::EnterAgain { which, phase, wish } => {
                if let Some(mut ticket) = self.nth(which) {
                    ticket = ticket.again().phase(phase);
                    ticket.wish.gender = PreferredGender::ALL[wish];
                    self.enter(vec![ticket]).await;
                }
            }
            Step::Withdraw { which } => {
                if let Some(ticket) = self.nth(which) {
                    // Without a clock a lapsed ticket may be either: the model must not see one.
                    self.renew(&ticket).await;
                    let expected = self.model.withdraw(ticket.id);
                    assert_eq!(self.pool.withdraw(&ticket).await, expected);
                }
            }
            Step::Renew { which } => {
                if let Some(ticket) = self.nth(which) {
                    self.renew(&ticket).await;
                }
            }
            Step::GiveBack { which, gone } => self.give_back(which, gone).await,
            Step::Pass { ms } => self.now += ms,
        }
    }

    async fn renew(&mut self, ticket: &Ticket) {
        let answer = match self.pool.renew_at(ticket, self.now).await {
            Renewed::Paired(pairing) => answer(&pairing),
            Renewed::Waiting => Answer::Waiting,
            Renewed::Gone => Answer::Gone,
        };
        assert_eq!(answer, self.model.renew(ticket.id, at(self.now)));
    }

    async fn give_back(&mut self, which: usize, gone: Option<bool>) {
        let count = self.rooms.len();
        if count == 0 {
            return;
        }
        let room = self.rooms[which % count];
        let made = self.model.made.iter().find(|made| made.room == room);
        let side = gone.map(usize::from);
        let gone = made.and_then(|made| side.map(|side| made.sides[side].ticket.id));
        let now = at(self.now);
        let given = self.pool.0.give_back(room, gone, now).await;
        given.expect("answers");
        self.model.give_back(room, gone, now);
    }

    /// In the end every ticket is where the model has it.
    async fn compare(&mut self) {
        for ticket in self.tickets.clone() {
            self.renew(&ticket).await;
        }
        // A lapsed ticket was renewed above, so the counters agree too.
        let waiting = u64::try_from(self.model.waiting.len()).expect("few");
        if let Some(redis) = &self.redis {
            // Its stats lag by nature; its counters must not drift.
            redis.count().await.expect("answers");
            assert_eq!(redis.stats().total(), waiting);
        }
        self.pool.waiting_are(waiting).await;
    }
}

fn phase() -> impl Strategy<Value = Phase> {
    prop::sample::select(vec![Phase::SharedTags, Phase::Anyone, Phase::Repeats])
}

/// People of a small world: they share tags, sessions, names and memories often.
fn arrival() -> impl Strategy<Value = Ticket> {
    let tags = prop::sample::subsequence(vec!["a", "B", "音樂", "電影", "旅行"], 0..=3);
    let tags = (tags, any::<bool>()).prop_map(|(tags, upper)| {
        let spell = |tag: &&str| {
            if upper {
                tag.to_uppercase()
            } else {
                (*tag).to_owned()
            }
        };
        tags.iter().map(spell).collect::<Vec<_>>()
    });
    let who = (0..8u32, 0..12u32, 0..3usize, 0..7usize);
    let lists = (
        prop::collection::vec(0..8u32, 0..2),
        prop::collection::vec(0..8u32, 0..3),
    );
    // Of some networks many come, and two share a wider one.
    let net = prop::sample::select(vec![0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 3, 4u64]);
    let network = net.prop_map(|net| match net {
        0 => [0; 3],
        net => [net, 100 + net / 3, 0],
    });
    let languages = prop::sample::subsequence(vec!["zh-TW", "en", "ja"], 0..=2);
    let since = (0..5i64, network, languages);
    (who, tags, phase(), lists, since).prop_map(|(who, tags, phase, lists, since)| {
        let (since, network, languages) = since;
        let (owner, user, gender, wish) = who;
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        // Most people take anyone, else hardly anybody ever meets.
        let wish = PreferredGender::ALL[wish.saturating_sub(3)];
        let mut ticket = ticket(user).tab_of(owner).tags(&tags).phase(phase);
        ticket = ticket.gender(Gender::ALL[gender], wish).since(since);
        ticket = ticket.from(network).speaks(&languages);
        ticket.blocked = lists.0.into_iter().map(session).collect();
        ticket.recent = lists.1.into_iter().map(session).collect();
        ticket
    })
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..64usize;
    prop_oneof![
        10 => arrival().prop_map(|ticket| Step::Enter(Box::new(ticket))),
        3 => prop::collection::vec(arrival(), 2..12).prop_map(Step::Together),
        5 => (which.clone(), phase(), 0..4usize)
            .prop_map(|(which, phase, wish)| Step::EnterAgain { which, phase, wish }),
        1 => which.clone().prop_map(|which| Step::Withdraw { which }),
        2 => which.clone().prop_map(|which| Step::Renew { which }),
        2 => (which, any::<Option<bool>>())
            .prop_map(|(which, gone)| Step::GiveBack { which, gone }),
        1 => (1..20_000i64).prop_map(|ms| Step::Pass { ms }),
    ]
}

/// One history in both, within a runtime of its own.
fn choose_alike(steps: Vec<Step>, in_redis: bool) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let rules = PoolRules {
            tickets_per_session: 0,
            budget: Budget::per_minute(u32::try_from(model::PER_MINUTE).expect("few")),
            ..rules()
        };
        let redis = in_redis.then(|| redis_pool_at(&shared_url(), redis_config(rules.clone())));
        let pool: Arc<dyn WaitingPool> = match &redis {
            Some(redis) => Arc::clone(redis) as _,
            None => MemoryPool::new(rules),
        };
        let mut both = Both {
            pool: Pool(pool),
            redis,
            model: Model::default(),
            tickets: Vec::new(),
            rooms: Vec::new(),
            now: 0,
        };
        for step in steps {
            both.step(step).await;
        }
        both.compare().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn pool_and_model_choose_alike(steps in prop::collection::vec(step(), 1..120)) {
        choose_alike(steps, false);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..Default::default() })]

    #[test]
    fn redis_pool_and_model_choose_alike(steps in prop::collection::vec(step(), 1..120)) {
        choose_alike(steps, true);
    }
}
