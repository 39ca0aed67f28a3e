//! The scene: who comes when, what sockets and people do, and how it went. Which numbers are good enough is
//! the tests' to say.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use miyu::domain::id::TicketId;
use miyu::domain::wish::Phase;
use miyu::domain::{Gender, PreferredGender};
use miyu::matching::{Budget, Entered, PoolRules, Renewed, Ticket, WaitingPool};

use crate::support::pool::{With, at, rules, ticket};

/// How many people come.
pub const PEOPLE: u32 = 240;
/// In milliseconds, as all times here.
pub const MINUTE: i64 = 60_000;
/// When the sockets are all there, and after the last arrival all may still find a partner.
pub const BEGIN: i64 = 5_000;
pub const AFTER: i64 = 25_000;
/// How soon a socket searches again after a match; later when they meet each other all the time, for then
/// there is nothing to gain by haste.
const AGAIN: i64 = 250;
const AGAIN_AMONG_THEMSELVES: i64 = 5_000;
/// A waiting lobby's ticks.
const TICK: i64 = 5_000;
const TOPICS: [&str; 9] = [
    "音樂", "電影", "旅行", "美食", "運動", "遊戲", "閱讀", "攝影", "藝術",
];

/// Makes a pool with these rules.
pub type Made = fn(PoolRules) -> Arc<dyn WaitingPool>;

/// What the sockets do.
#[derive(Clone, Copy, Debug)]
pub struct Sockets {
    pub count: u32,
    /// In a ring: the gender that each looks for is none of theirs, so that they never meet each other.
    pub ring: bool,
    /// All claim one `user_id`.
    pub one_id: bool,
    /// How many addresses of one /24 they have.
    pub addresses: u32,
    /// They name topics as well.
    pub tags: bool,
}

/// What people want.
#[derive(Clone, Copy, Debug)]
pub enum People {
    /// Anyone.
    Plain,
    /// Two in three name topics.
    Tagged,
    /// One in three looks for one gender.
    Choosy,
    /// Each names a word of their own, so that no two share it; and they come more slowly, for longer.
    OwnWords,
}

impl People {
    /// How many come, and over how long.
    pub fn coming(self) -> (u32, i64) {
        match self {
            People::OwnWords => (160, 4 * MINUTE),
            _ => (PEOPLE, MINUTE),
        }
    }
}

/// A person or a socket in the scene.
struct Actor {
    ticket: Ticket,
    bot: bool,
    entered: i64,
}

/// The pool, and everyone in it.
pub struct Scene {
    pool: Arc<dyn WaitingPool>,
    sockets: Sockets,
    people: People,
    actors: HashMap<TicketId, Actor>,
    /// Who does something next, when.
    due: BTreeSet<(i64, u64)>,
    plans: HashMap<u64, Plan>,
    plan: u64,
    met_by_sockets: u32,
    waits: Vec<i64>,
    numbers: u64,
}

enum Plan {
    Arrive(u32),
    Search(u32),
    Look(TicketId),
    Tick(TicketId),
}

/// How it went.
#[derive(Debug)]
pub struct Outcome {
    /// How many of the people met a socket.
    pub met: u32,
    /// The median wait of people who met anybody, in milliseconds, and how many did.
    pub median: i64,
    pub matched: usize,
}

impl Scene {
    /// Plays it in a pool that `made` makes.
    pub async fn play(made: Made, people: People, sockets: Sockets, budget: u32) -> Outcome {
        let rules = PoolRules {
            budget: Budget::per_minute(budget),
            ..rules()
        };
        let mut scene = Self {
            pool: made(rules),
            sockets,
            people,
            actors: HashMap::new(),
            due: BTreeSet::new(),
            plans: HashMap::new(),
            plan: 0,
            met_by_sockets: 0,
            waits: Vec::new(),
            numbers: 88_172_645_463_325_252,
        };
        for n in 0..sockets.count {
            scene.plan(
                i64::from(n) * BEGIN / i64::from(sockets.count),
                Plan::Search(n),
            );
        }
        let (coming, span) = people.coming();
        for n in 0..coming {
            let when = BEGIN + i64::from(n) * span / i64::from(coming);
            scene.plan(when, Plan::Arrive(n));
        }
        while let Some((now, plan)) = scene.due.pop_first() {
            if now >= BEGIN + span + AFTER {
                break;
            }
            match scene.plans.remove(&plan).unwrap() {
                Plan::Arrive(n) => scene.arrive(n, now).await,
                Plan::Search(n) => scene.search(n, now).await,
                Plan::Look(id) => scene.look(id, now).await,
                Plan::Tick(id) => scene.tick(id, now).await,
            }
        }
        scene.waits.sort_unstable();
        Outcome {
            met: scene.met_by_sockets,
            median: scene.waits[scene.waits.len() / 2],
            matched: scene.waits.len(),
        }
    }

    fn number(&mut self, below: usize) -> usize {
        self.numbers ^= self.numbers << 13;
        self.numbers ^= self.numbers >> 7;
        self.numbers ^= self.numbers << 17;
        usize::try_from(self.numbers >> 33).unwrap() % below
    }

    fn plan(&mut self, when: i64, plan: Plan) {
        self.plan += 1;
        self.due.insert((when, self.plan));
        self.plans.insert(self.plan, plan);
    }

    async fn arrive(&mut self, n: u32, now: i64) {
        let net = u64::from(n);
        let mut ticket = ticket(n).from([10_000 + net, 20_000 + net, 0]);
        let gender = Gender::ALL[self.number(3)];
        let mut wish = PreferredGender::All;
        match self.people {
            People::Plain => {}
            People::Tagged => {
                let count = self.number(3);
                let tags: Vec<&str> = (0..count).map(|_| TOPICS[self.number(9)]).collect();
                ticket = ticket.tags(&tags);
            }
            People::Choosy => {
                if self.number(3) == 0 {
                    wish = PreferredGender::ALL[1 + self.number(3)];
                }
            }
            People::OwnWords => ticket = ticket.tags(&[format!("word {n}").as_str()]),
        }
        self.begin(ticket.gender(gender, wish), false, now).await;
    }

    async fn search(&mut self, n: u32, now: i64) {
        let address = u64::from(n % self.sockets.addresses);
        let mut ticket = ticket(1_000_000 + n).from([1 + address, 1_000, 0]);
        if self.sockets.one_id {
            ticket = ticket.user("one");
        }
        if self.sockets.ring {
            let (gender, wish) = [
                (Gender::Male, PreferredGender::Female),
                (Gender::Female, PreferredGender::Other),
                (Gender::Other, PreferredGender::Male),
            ][n as usize % 3];
            ticket = ticket.gender(gender, wish);
        }
        if self.sockets.tags {
            let first = n as usize;
            let tags = [0, 1, 2].map(|it| TOPICS[(first + it * 4) % 9]);
            ticket = ticket.tags(&tags);
        }
        self.begin(ticket, true, now).await;
    }

    async fn begin(&mut self, ticket: Ticket, bot: bool, now: i64) {
        let mut ticket = ticket.since(now).phase(Phase::SharedTags);
        if ticket.wish.tags.is_empty() {
            ticket.phase = Phase::Anyone;
        }
        let id = ticket.id;
        let actor = Actor {
            ticket,
            bot,
            entered: now,
        };
        self.actors.insert(id, actor);
        self.look(id, now).await;
        self.plan(now + TICK, Plan::Tick(id));
    }

    /// Enters, for the first time or again.
    async fn look(&mut self, id: TicketId, now: i64) {
        let Some(actor) = self.actors.get_mut(&id) else {
            return;
        };
        let waited = now - actor.entered;
        if waited >= 10_000 {
            actor.ticket.phase = match waited {
                ..20_000 => Phase::Anyone,
                _ => Phase::Repeats,
            };
        }
        actor.ticket = actor.ticket.again();
        let entered = self.pool.enter(actor.ticket.clone(), at(now)).await;
        match entered.unwrap() {
            Entered::Paired { pairing, .. } => {
                let sides = pairing.parties.each_ref().map(|it| it.ticket);
                self.meet(sides, now);
            }
            Entered::Waiting { resume, .. } => {
                let left = [10_000, 20_000].map(|at| at - waited).into_iter();
                let next = left.filter(|left| *left > 0).min();
                let again = if resume.is_some() { 1_000 } else { 10_000 };
                actor.ticket.resume = resume;
                self.plan(now + next.unwrap_or(again).min(again), Plan::Look(id));
            }
        }
    }

    async fn tick(&mut self, id: TicketId, now: i64) {
        if !self.actors.contains_key(&id) {
            return;
        }
        let renewed = self.pool.renew(id, at(now)).await;
        assert_eq!(renewed.unwrap(), Renewed::Waiting);
        self.plan(now + TICK, Plan::Tick(id));
    }

    fn meet(&mut self, sides: [TicketId; 2], now: i64) {
        let met = sides.map(|id| self.actors.remove(&id).unwrap());
        let bots = met.iter().filter(|it| it.bot).count();
        for actor in met {
            if actor.bot {
                let n = u32::from_be_bytes(actor.ticket.session.0[..4].try_into().unwrap());
                let again = if bots == 2 {
                    AGAIN_AMONG_THEMSELVES
                } else {
                    AGAIN
                };
                self.plan(now + again, Plan::Search(n - 1_000_000));
            } else {
                self.waits.push(now - actor.entered);
                self.met_by_sockets += u32::from(bots == 1);
            }
        }
    }
}
