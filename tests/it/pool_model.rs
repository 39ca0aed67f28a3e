//! The memory pool against a model that is too simple to be wrong: a list, searched from end to
//! end, with the rules of the wire contract written down a second time. Both must choose exactly
//! the same partner at every step. Crowds larger than the pool's bounded look are not its concern.

use std::sync::Arc;

use miyu::id::{RoomId, TicketId, Timestamp};
use miyu::matching::{Entered, Phase, PoolRules, Renewed, Ticket, memory::MemoryPool};
use miyu::model::{Gender, Pairing, PreferredGender};
use proptest::prelude::*;

use crate::support::pool::{LEASE, Pool, With, at, rules, session, ticket};

/// What happens next. Numbers choose among the tickets so far, from the newest backwards.
#[derive(Clone, Debug)]
enum Step {
    Enter(Box<Ticket>),
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

/// A ticket of the model, in order of arrival.
#[derive(Clone)]
struct Waiting {
    ticket: Ticket,
    arrival: u64,
    until: Timestamp,
}

/// A pairing of the model.
struct Made {
    room: RoomId,
    sides: [Waiting; 2],
    until: Timestamp,
}

#[derive(Default)]
struct Model {
    waiting: Vec<Waiting>,
    made: Vec<Made>,
    arrivals: u64,
}

/// What a call should answer.
#[derive(Debug, PartialEq)]
enum Answer {
    Paired(RoomId, TicketId, TicketId),
    Waiting,
    Gone,
}

fn answer(pairing: &Arc<Pairing>) -> Answer {
    let [a, b] = &pairing.parties;
    Answer::Paired(pairing.room, a.ticket, b.ticket)
}

fn shared(a: &Ticket, b: &Ticket) -> usize {
    let lower = |t: &Ticket| -> Vec<String> {
        let tags = t.wish.tags.as_slice().iter();
        tags.map(|tag| tag.to_lowercase()).collect()
    };
    let theirs = lower(b);
    lower(a).iter().filter(|tag| theirs.contains(tag)).count()
}

/// Rules 1 to 3 of the wire contract's section 2.
fn may_meet(a: &Ticket, b: &Ticket) -> bool {
    let wishes = |a: &Ticket, b: &Ticket| match a.wish.gender {
        PreferredGender::All => true,
        PreferredGender::Male => b.persona.profile.gender == Gender::Male,
        PreferredGender::Female => b.persona.profile.gender == Gender::Female,
        PreferredGender::Other => b.persona.profile.gender == Gender::Other,
    };
    if a.id == b.id || a.persona.user_id == b.persona.user_id || !wishes(a, b) || !wishes(b, a) {
        return false;
    }
    let insists = |t: &Ticket| t.phase == Phase::SharedTags && !t.wish.tags.as_slice().is_empty();
    if shared(a, b) == 0 && (insists(a) || insists(b)) {
        return false;
    }
    if a.session == b.session {
        return true;
    }
    if a.blocked.contains(&b.session) || b.blocked.contains(&a.session) {
        return false;
    }
    let met = a.recent.contains(&b.session) || b.recent.contains(&a.session);
    !met || (a.phase == Phase::Repeats && b.phase == Phase::Repeats)
}

impl Model {
    fn expire(&mut self, now: Timestamp) {
        self.waiting.retain(|w| w.until > now);
        self.made.retain(|m| m.until > now);
    }

    fn made_of(&mut self, id: TicketId) -> Option<&mut Made> {
        let of = |made: &Made| made.sides.iter().any(|side| side.ticket.id == id);
        self.made.iter_mut().find(|made| of(made))
    }

    fn renew(&mut self, id: TicketId, now: Timestamp) -> Answer {
        self.expire(now);
        let until = now.plus(LEASE);
        if let Some(made) = self.made_of(id) {
            made.until = until;
            let [a, b] = &made.sides;
            return Answer::Paired(made.room, a.ticket.id, b.ticket.id);
        }
        match self.waiting.iter_mut().find(|w| w.ticket.id == id) {
            Some(waiting) => {
                waiting.until = until;
                Answer::Waiting
            }
            None => Answer::Gone,
        }
    }

    fn withdraw(&mut self, id: TicketId) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|w| w.ticket.id != id);
        self.waiting.len() < before
    }

    fn enter(&mut self, mut ticket: Ticket, now: Timestamp) -> (Answer, Option<TicketId>) {
        let known = self.renew(ticket.id, now);
        if matches!(known, Answer::Paired(..)) {
            return (known, None);
        }
        self.arrivals += 1;
        let mut arrival = self.arrivals;
        if let Some(former) = self.waiting.iter().find(|w| w.ticket.id == ticket.id) {
            arrival = former.arrival;
            ticket.since = ticket.since.min(former.ticket.since);
        }
        self.withdraw(ticket.id);
        let namesake = self.waiting.iter().find(|w| same_name(&w.ticket, &ticket));
        let replaced = namesake.map(|w| w.ticket.id);
        self.waiting.retain(|w| !same_name(&w.ticket, &ticket));
        let until = now.plus(LEASE);
        let arrived = Waiting {
            ticket,
            arrival,
            until,
        };
        let Some(partner) = self.best(&arrived.ticket) else {
            self.waiting.push(arrived);
            return (Answer::Waiting, replaced);
        };
        let partner = self.waiting.remove(partner);
        let (room, id) = (arrived.ticket.room, arrived.ticket.id);
        let paired = Answer::Paired(room, id, partner.ticket.id);
        let sides = [arrived, partner];
        self.made.push(Made { room, sides, until });
        (paired, replaced)
    }

    /// Rule 4, and the last resort of rule 3.
    fn best(&self, ticket: &Ticket) -> Option<usize> {
        let all = self.waiting.iter().enumerate();
        let fitting = all.filter(|(_, w)| may_meet(ticket, &w.ticket));
        let best = fitting.min_by_key(|(_, w)| {
            let few_tags = 3 - shared(ticket, &w.ticket);
            let own_tab = w.ticket.session == ticket.session;
            (own_tab, few_tags, w.ticket.since, w.arrival)
        });
        best.map(|(index, _)| index)
    }

    fn give_back(&mut self, room: RoomId, gone: Option<TicketId>, now: Timestamp) {
        self.expire(now);
        let Some(index) = self.made.iter().position(|m| m.room == room) else {
            return;
        };
        for mut side in self.made.remove(index).sides {
            let anew = |w: &Waiting| same_name(&w.ticket, &side.ticket);
            if gone != Some(side.ticket.id) && !self.waiting.iter().any(anew) {
                side.until = now.plus(LEASE);
                self.waiting.push(side);
            }
        }
    }
}

fn same_name(a: &Ticket, b: &Ticket) -> bool {
    a.session == b.session && a.persona.user_id == b.persona.user_id
}

/// The pool, the model, and every ticket that ever entered.
struct Both {
    pool: Pool,
    model: Model,
    tickets: Vec<Ticket>,
    rooms: Vec<RoomId>,
    now: i64,
}

impl Both {
    async fn enter(&mut self, ticket: Ticket) {
        let entered = self.pool.try_enter(&ticket, self.now).await;
        let entered = entered.expect("no limits");
        let replaced = entered.replaced().map(|(id, _)| id);
        let answer = match &entered {
            Entered::Paired { pairing, .. } => answer(pairing),
            Entered::Waiting { .. } => Answer::Waiting,
        };
        if let Answer::Paired(room, ..) = answer {
            self.rooms.push(room);
        }
        let expected = self.model.enter(ticket.clone(), at(self.now));
        assert_eq!((answer, replaced), expected);
        self.tickets.retain(|t| t.id != ticket.id);
        self.tickets.push(ticket);
    }

    fn nth(&self, which: usize) -> Option<Ticket> {
        let count = self.tickets.len();
        (count > 0).then(|| self.tickets[which % count].clone())
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Enter(ticket) => {
                self.enter(Ticket {
                    since: ticket.since.max(at(0)),
                    ..*ticket
                })
                .await
            }
            Step::EnterAgain { which, phase, wish } => {
                if let Some(mut ticket) = self.nth(which) {
                    ticket = ticket.again().phase(phase);
                    ticket.wish.gender = PreferredGender::ALL[wish];
                    self.enter(ticket).await;
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

    /// In the end everybody is where the model has them.
    async fn compare(&mut self) {
        for ticket in self.tickets.clone() {
            self.renew(&ticket).await;
        }
        // Whoever lapsed was met by a renewal above, so the counters agree too.
        let waiting = u64::try_from(self.model.waiting.len()).expect("few");
        assert_eq!(self.pool.waiting(), waiting);
    }
}

fn phase() -> impl Strategy<Value = Phase> {
    prop::sample::select(vec![Phase::SharedTags, Phase::Anyone, Phase::Repeats])
}

/// People of a small world: they share tags, sessions, names and memories often.
fn arrival() -> impl Strategy<Value = Step> {
    let tags = prop::sample::subsequence(vec!["a", "B", "c", "d", "音樂"], 0..=3);
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
    (who, tags, phase(), lists, 0..5i64).prop_map(|(who, tags, phase, lists, since)| {
        let (owner, user, gender, wish) = who;
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        // Most people take anyone, else hardly anybody ever meets.
        let wish = PreferredGender::ALL[wish.saturating_sub(3)];
        let mut ticket = ticket(user).tab_of(owner).tags(&tags).phase(phase);
        ticket = ticket.gender(Gender::ALL[gender], wish).since(since);
        ticket.blocked = lists.0.into_iter().map(session).collect();
        ticket.recent = lists.1.into_iter().map(session).collect();
        Step::Enter(Box::new(ticket))
    })
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..64usize;
    prop_oneof![
        10 => arrival(),
        5 => (which.clone(), phase(), 0..4usize)
            .prop_map(|(which, phase, wish)| Step::EnterAgain { which, phase, wish }),
        1 => which.clone().prop_map(|which| Step::Withdraw { which }),
        2 => which.clone().prop_map(|which| Step::Renew { which }),
        2 => (which, any::<Option<bool>>())
            .prop_map(|(which, gone)| Step::GiveBack { which, gone }),
        1 => (1..20_000i64).prop_map(|ms| Step::Pass { ms }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn pool_and_model_choose_alike(steps in prop::collection::vec(step(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(async {
            let mut both = Both {
                pool: Pool(MemoryPool::new(PoolRules { tickets_per_session: 0, ..rules() })),
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
}
