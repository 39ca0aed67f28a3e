//! The model of waiting pools: lists, searched from end to end. A pool draws among those who are as
//! good, and may overlook who stands in a network's crowd; so the model says which answers are right.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use miyu::id::{RoomId, TicketId, Timestamp};
use miyu::matching::{Phase, Ticket};
use miyu::model::wish::is_topic;
use miyu::model::{Gender, Pairing, PreferredGender};

use crate::support::pool::{LEASE, rules};

/// How often a network meets others in a minute, in these tests.
pub(super) const PER_MINUTE: i64 = 2;

/// A ticket of the model.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    until: Timestamp,
    /// It may stand in its network's crowd.
    crowd: bool,
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

fn waited(t: &Ticket, now: Timestamp) -> bool {
    t.since.plus(rules().tag_patience) <= now
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
        if let Some(former) = self.waiting.iter().find(|w| w.ticket.id == ticket.id) {
            ticket.since = ticket.since.min(former.ticket.since);
        }
        self.withdraw(ticket.id);
        let namesake = self.waiting.iter().find(|w| same_name(&w.ticket, &ticket));
        let replaced = namesake.map(|w| w.ticket.id);
        self.waiting.retain(|w| !same_name(&w.ticket, &ticket));
        self.check(&ticket, now, answer);
        for index in 0..self.waiting.len() {
            let spent = self.spent(&self.waiting[index].ticket, Some(&ticket), now);
            self.waiting[index].crowd |= spent;
        }
        let Answer::Paired(room, _, partner) = *answer else {
            self.queue(ticket, now);
            return replaced;
        };
        let of_partner = |w: &Waiting| w.ticket.id == partner;
        let partner = self.waiting.iter().position(of_partner);
        let partner = self.waiting.remove(partner.expect("it was checked"));
        for (a, b) in [(&ticket, &partner.ticket), (&partner.ticket, &ticket)] {
            self.pay(a, b, now);
        }
        let until = now.plus(LEASE);
        let arrived = Waiting {
            ticket,
            until,
            crowd: false,
        };
        let sides = [arrived, partner];
        self.made.push(Made { room, sides, until });
        replaced
    }

    fn queue(&mut self, ticket: Ticket, now: Timestamp) {
        let of_network = |w: &&Waiting| one_network(&w.ticket, &ticket);
        let many = self.waiting.iter().filter(of_network).count() >= 5;
        let crowd = many || self.spent(&ticket, None, now);
        let until = now.plus(LEASE);
        self.waiting.push(Waiting {
            ticket,
            until,
            crowd,
        });
    }

    /// Whether this is a right answer, for somebody who arrives.
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
        let near = !self.spent(me, None, now) || waited(&other.ticket, now);
        one_network(me, &other.ticket) || near && (!other.crowd || waited(me, now))
    }

    fn affordable(&self, a: &Ticket, b: &Ticket, now: Timestamp) -> bool {
        let lets = |a, b| !self.spent(a, Some(b), now) || waited(b, now);
        lets(a, b) && lets(b, a)
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
                true => with_it.map(|w| (0, Some(w.ticket.session))).collect(),
                false => with_it
                    .filter(|w| !one_network(me, &w.ticket))
                    .map(|w| match network(&w.ticket) {
                        0 => (0, Some(w.ticket.session)),
                        network => (network, None),
                    })
                    .collect(),
            };
            is_topic(tag) || people.len() >= 2
        };
        let both: Vec<String> = both.collect();
        [true, false].map(|sure| both.iter().filter(|tag| counts(tag, sure)).count())
    }

    /// One more pairing of a network of that length.
    fn after(&self, level: usize, network: u64, now: Timestamp) -> Option<i64> {
        let each = 60_000 / (PER_MINUTE << level);
        let full_at = self
            .full_at
            .get(&network)
            .map_or(now.0, |at| now.0.max(*at))
            + each;
        (full_at <= now.0 + 60_000).then_some(full_at)
    }

    fn paying(a: &Ticket, b: Option<&Ticket>) -> Vec<(usize, u64)> {
        let levels = a.prefixes.0.into_iter().enumerate();
        let apart = |(level, network): &(usize, u64)| {
            *network != 0 && b.is_none_or(|b| b.prefixes.0[*level] != *network)
        };
        levels.filter(apart).collect()
    }

    /// A network of `a` has no pairing left with one that does not hold `b`.
    fn spent(&self, a: &Ticket, b: Option<&Ticket>, now: Timestamp) -> bool {
        let mut paying = Self::paying(a, b).into_iter();
        paying.any(|(level, network)| self.after(level, network, now).is_none())
    }

    fn pay(&mut self, a: &Ticket, b: &Ticket, now: Timestamp) {
        for (level, network) in Self::paying(a, Some(b)) {
            if let Some(full_at) = self.after(level, network, now) {
                self.full_at.insert(network, full_at);
            }
        }
    }

    pub(super) fn give_back(&mut self, room: RoomId, gone: Option<TicketId>, now: Timestamp) {
        self.expire(now);
        let Some(index) = self.made.iter().position(|m| m.room == room) else {
            return;
        };
        for side in self.made.remove(index).sides {
            let anew = |w: &Waiting| same_name(&w.ticket, &side.ticket);
            if gone != Some(side.ticket.id) && !self.waiting.iter().any(anew) {
                self.queue(side.ticket, now);
            }
        }
    }
}

fn same_name(a: &Ticket, b: &Ticket) -> bool {
    a.session == b.session && a.persona.user_id == b.persona.user_id
}
