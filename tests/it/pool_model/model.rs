//! The model of waiting pools: lists, searched from end to end.

use std::sync::Arc;

use miyu::id::{RoomId, TicketId, Timestamp};
use miyu::matching::{Phase, Ticket};
use miyu::model::{Gender, Pairing, PreferredGender};

use crate::support::pool::LEASE;

/// A ticket of the model, in order of arrival.
#[derive(Clone)]
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    arrival: u64,
    until: Timestamp,
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
    arrivals: u64,
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

    pub(super) fn enter(
        &mut self,
        mut ticket: Ticket,
        now: Timestamp,
    ) -> (Answer, Option<TicketId>) {
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

    pub(super) fn give_back(&mut self, room: RoomId, gone: Option<TicketId>, now: Timestamp) {
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
