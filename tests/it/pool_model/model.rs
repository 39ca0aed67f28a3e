//! The model of waiting pools: lists, searched from end to end. A pool draws among those who are as
//! good, and may overlook who stands in a network's crowd; so the model says which answers are right.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use miyu::domain::id::{RoomId, TicketId, Timestamp};
use miyu::domain::topics::built_in_topics;
use miyu::domain::wish::Phase;
use miyu::domain::{Gender, Pairing, PreferredGender};
use miyu::matching::Ticket;

use crate::support::pool::{LEASE, rules};

mod dues;

/// How often a network meets others in a minute, in these tests.
pub(super) const PER_MINUTE: i64 = 2;

/// A ticket of the model.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    until: Timestamp,
    /// It may stand in its network's crowd.
    crowd: bool,
    /// Since when it is in the pool.
    queued: Timestamp,
}

/// A pairing of the model.
pub(super) struct Made {
    pub(super) room: RoomId,
    pub(super) sides: [Waiting; 2],
    until: Timestamp,
}

/// Those who wait and those who met, in lists.
#[derive(Default)]
pub(super) struct Model {
    pub(super) waiting: Vec<Waiting>,
    pub(super) made: Vec<Made>,
    /// When each network's budget is full again.
    full_at: HashMap<u64, i64>,
    /// When that of each pair of narrow ones is.
    pair_full_at: HashMap<(u64, u64), i64>,
}

/// What a call should answer.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Paired(RoomId, TicketId, TicketId),
    Waiting,
    Gone,
}

pub(super) fn answer(pairing: &Arc<Pairing>) -> Answer {
    let [a, b] = &pairing.parties;
    Answer::Paired(pairing.room, a.ticket, b.ticket)
}

fn lower(t: &Ticket) -> Vec<String> {
    let tags = t.wish.tags.as_slice().iter();
    tags.map(|tag| tag.to_lowercase()).collect()
}

fn network(t: &Ticket) -> u64 {
    t.prefixes.0[0]
}

fn one_network(a: &Ticket, b: &Ticket) -> bool {
    network(a) != 0 && network(a) == network(b)
}

fn wide(t: &Ticket) -> u64 {
    let mut all = t.prefixes.0.into_iter();
    all.rfind(|network| *network != 0).unwrap_or(0)
}

/// It has been open to anyone for long.
fn patient(t: &Ticket, now: Timestamp) -> bool {
    let closed = if t.wish.tags.is_empty() { 0 } else { 1 };
    t.since.plus(rules().tag_patience * (1 + closed)) <= now
}

/// Rules 1 to 3 of the wire contract's section 2.
fn may_meet(a: &Ticket, b: &Ticket, shared: usize) -> bool {
    let wishes = |a: &Ticket, b: &Ticket| match a.wish.gender {
        PreferredGender::All => true,
        PreferredGender::Male => b.persona.profile.gender == Gender::Male,
        PreferredGender::Female => b.persona.profile.gender == Gender::Female,
        PreferredGender::Other => b.persona.profile.gender == Gender::Other,
    };
    if a.id == b.id || !wishes(a, b) || !wishes(b, a) {
        return false;
    }
    let insists = |t: &Ticket| t.phase == Phase::SharedTags && !t.wish.tags.as_slice().is_empty();
    if shared == 0 && (insists(a) || insists(b)) {
        return false;
    }
    let named = |t: &Ticket| t.wish.languages.bits();
    let alike = named(a) == 0 || named(b) == 0 || named(a) & named(b) > 0;
    if !alike && (a.phase == Phase::SharedTags || b.phase == Phase::SharedTags) {
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

    pub(super) fn renew(&mut self, id: TicketId, now: Timestamp) -> Answer {
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
                self.let_yield(now);
                Answer::Waiting
            }
            None => Answer::Gone,
        }
    }

    pub(super) fn withdraw(&mut self, id: TicketId) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|w| w.ticket.id != id);
        self.waiting.len() < before
    }

    /// Checks an answer of `enter`, and follows it; answers which ticket was replaced.
    pub(super) fn enter(
        &mut self,
        mut ticket: Ticket,
        now: Timestamp,
        answer: &Answer,
    ) -> Option<TicketId> {
        let known = self.renew(ticket.id, now);
        if matches!(known, Answer::Paired(..)) {
            assert_eq!(*answer, known);
            return None;
        }
        let mut queued = now;
        if let Some(former) = self.waiting.iter().find(|w| w.ticket.id == ticket.id) {
            ticket.since = ticket.since.min(former.ticket.since);
            queued = former.queued;
        }
        self.withdraw(ticket.id);
        let duplicate = self.waiting.iter().find(|w| same_name(&w.ticket, &ticket));
        let replaced = duplicate.map(|w| w.ticket.id);
        self.waiting.retain(|w| !same_name(&w.ticket, &ticket));
        self.check(&ticket, now, answer);
        for index in 0..self.waiting.len() {
            let spent = self.spent(&self.waiting[index].ticket, Some(&ticket), now);
            self.waiting[index].crowd |= spent;
        }
        let Answer::Paired(room, _, partner) = *answer else {
            self.queue(ticket, queued, now);
            return replaced;
        };
        let of_partner = |w: &Waiting| w.ticket.id == partner;
        let partner = self.waiting.iter().position(of_partner);
        let partner = self.waiting.remove(partner.expect("it was checked"));
        self.pay(&ticket, &partner.ticket, now);
        let until = now.plus(LEASE);
        let arrived = Waiting {
            ticket,
            until,
            crowd: false,
            queued,
        };
        let sides = [arrived, partner];
        self.made.push(Made { room, sides, until });
        replaced
    }

    fn queue(&mut self, ticket: Ticket, queued: Timestamp, now: Timestamp) {
        let of_network = |w: &&Waiting| one_network(&w.ticket, &ticket);
        let many = self.waiting.iter().filter(of_network).count() >= 5;
        let crowd = many || self.spent(&ticket, None, now);
        let until = now.plus(LEASE);
        self.waiting.push(Waiting {
            ticket,
            until,
            crowd,
            queued,
        });
        self.let_yield(now);
    }

    /// Of a network of which more wait than stand in the front, those who have been there for long may
    /// have yielded their place.
    fn let_yield(&mut self, now: Timestamp) {
        for index in 0..self.waiting.len() {
            let one = &self.waiting[index];
            let all = self.waiting.iter();
            let own = all.filter(|w| one_network(&w.ticket, &one.ticket));
            let long = one.queued.plus(rules().tag_patience) <= now;
            let yields = long && own.count() > 5;
            self.waiting[index].crowd |= yields;
        }
    }

    /// Whether this is a right answer, for a ticket that arrives.
    fn check(&self, me: &Ticket, now: Timestamp, answer: &Answer) {
        let others = || {
            self.waiting
                .iter()
                .filter(|w| w.ticket.session != me.session)
        };
        let tabs = || {
            self.waiting
                .iter()
                .filter(|w| w.ticket.session == me.session)
        };
        let in_common = |t: &Ticket| me.wish.tags.common(&t.wish.tags).len();
        let certain = |w: &&Waiting| self.must_be_seen(me, w, now);
        let tab = |w: &&Waiting| may_meet(me, &w.ticket, in_common(&w.ticket));
        let Answer::Paired(room, arrived, partner) = *answer else {
            assert_eq!(*answer, Answer::Waiting);
            let overlooked = others().find(certain).or_else(|| tabs().find(tab));
            assert!(overlooked.is_none(), "{me:?} overlooked {overlooked:?}");
            return;
        };
        assert_eq!((room, arrived), (me.room, me.id));
        let partner = self.waiting.iter().find(|w| w.ticket.id == partner);
        let partner = &partner.expect("the partner waits").ticket;
        if partner.session == me.session {
            assert_eq!(others().filter(certain).count(), 0, "before another tab");
            let most = tabs().filter(tab).map(|w| in_common(&w.ticket)).max();
            assert_eq!(Some(in_common(partner)), most);
            return;
        }
        let [_, most] = self.shared(me, partner);
        assert!(may_meet(me, partner, most), "{me:?} met {partner:?}");
        assert!(self.affordable(me, partner, now), "{me:?} met {partner:?}");
        if !self.spent(me, None, now) {
            // Whose network has spent its budget comes after the others, also for the patient.
            let in_front = others().filter(certain).filter(|w| {
                let spent = self.spent(&w.ticket, Some(me), now);
                !w.crowd && !spent
            });
            let best = in_front.max_by_key(|w| self.shared(me, &w.ticket)[0]);
            let least = best.map_or(0, |w| self.shared(me, &w.ticket)[0]);
            assert!(least <= most, "{me:?} met {partner:?}, not {best:?}");
        }
    }

    /// They fit, and neither a crowd nor a budget lets a pool overlook it.
    fn must_be_seen(&self, me: &Ticket, other: &Waiting, now: Timestamp) -> bool {
        let [least, _] = self.shared(me, &other.ticket);
        if !may_meet(me, &other.ticket, least) || !self.affordable(me, &other.ticket, now) {
            return false;
        }
        let near = !self.spent(me, None, now) || patient(&other.ticket, now);
        let near = near && !self.behind_elders(me, now);
        one_network(me, &other.ticket) || near && (!other.crowd || patient(me, now))
    }

    /// How many tags both named that count: at least and at most.
    fn shared(&self, me: &Ticket, other: &Ticket) -> [usize; 2] {
        let theirs = lower(other);
        let both = lower(me).into_iter().filter(|tag| theirs.contains(tag));
        let counts = |tag: &String, sure: bool| {
            let with_it = self.waiting.iter().filter(|w| {
                let seen = !sure || !w.crowd || one_network(me, &w.ticket);
                w.ticket.session != me.session && seen && lower(&w.ticket).contains(tag)
            });
            let people: HashSet<_> = match one_network(me, other) {
                true => with_it
                    .filter(|w| one_network(me, &w.ticket))
                    .map(|w| (0, Some(w.ticket.session)))
                    .collect(),
                false => with_it
                    .filter(|w| wide(&w.ticket) == 0 || wide(&w.ticket) != wide(me))
                    .map(|w| match wide(&w.ticket) {
                        0 => (0, Some(w.ticket.session)),
                        network => (network, None),
                    })
                    .collect(),
            };
            built_in_topics().any(|topic| topic == *tag) || people.len() >= 3
        };
        let both: Vec<String> = both.collect();
        [true, false].map(|sure| both.iter().filter(|tag| counts(tag, sure)).count())
    }

    pub(super) fn give_back(&mut self, room: RoomId, gone: Option<TicketId>, now: Timestamp) {
        self.expire(now);
        let Some(index) = self.made.iter().position(|m| m.room == room) else {
            return;
        };
        let made = self.made.remove(index);
        self.refund(made.sides.each_ref().map(|side| &side.ticket), gone);
        for side in made.sides {
            let anew = |w: &Waiting| same_name(&w.ticket, &side.ticket);
            if gone != Some(side.ticket.id) && !self.waiting.iter().any(anew) {
                self.queue(side.ticket, now, now);
            }
        }
    }
}

fn same_name(a: &Ticket, b: &Ticket) -> bool {
    a.session == b.session && a.persona.user_id == b.persona.user_id
}
