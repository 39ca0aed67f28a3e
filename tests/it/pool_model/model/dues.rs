//! What the networks of the model have paid, and which partners they can still afford.

use miyu::domain::id::{TicketId, Timestamp};
use miyu::matching::Ticket;

use super::{Model, PER_MINUTE, network, one_network, patient};

/// How long one pairing of a pair of networks takes to come back: they have one at once.
const PAIR_EACH: i64 = 60_000;

/// How long one pairing of a network of that length takes to come back.
fn each(level: usize) -> i64 {
    60_000 / (PER_MINUTE << (2 * level))
}

/// The two networks, when they are known and differ.
fn pair(a: &Ticket, b: &Ticket) -> Option<(u64, u64)> {
    let (a, b) = (network(a), network(b));
    (a != 0 && b != 0 && a != b).then_some((a.min(b), a.max(b)))
}

impl Model {
    /// What the network has left goes to its longest waiting tickets, and there are some.
    pub(super) fn behind_elders(&self, t: &Ticket, now: Timestamp) -> bool {
        let own = self.waiting.iter().filter(|w| one_network(&w.ticket, t));
        let full_at = self.full_at.get(&network(t)).copied().unwrap_or(0);
        own.count() > 0 && full_at >= now.0 + 30_000
    }

    pub(super) fn affordable(&self, a: &Ticket, b: &Ticket, now: Timestamp) -> bool {
        let lets = |a, b| match self.standing(a, Some(b), now) {
            0 => true,
            1 => patient(b, now),
            _ => false,
        };
        let met_often = pair(a, b).is_some_and(|pair| self.pair_after(pair, now) > now.0 + 60_000);
        lets(a, b) && lets(b, a) && (!met_often || patient(a, now) && patient(b, now))
    }

    /// When a network of that length has its budget back after one more pairing.
    fn after(&self, level: usize, network: u64, now: Timestamp) -> i64 {
        let full_at = self.full_at.get(&network).copied();
        full_at.unwrap_or(now.0).max(now.0) + each(level)
    }

    fn pair_after(&self, pair: (u64, u64), now: Timestamp) -> i64 {
        let full_at = self.pair_full_at.get(&pair).copied();
        full_at.unwrap_or(now.0).max(now.0) + PAIR_EACH
    }

    fn paying(a: &Ticket, b: Option<&Ticket>) -> Vec<(usize, u64)> {
        let levels = a.prefixes.0.into_iter().enumerate();
        let apart = |(level, network): &(usize, u64)| {
            *network != 0 && b.is_none_or(|b| b.prefixes.0[*level] != *network)
        };
        levels.filter(apart).collect()
    }

    /// How many windows the networks of `a` would owe after a pairing: 0, 1, or too many.
    fn standing(&self, a: &Ticket, b: Option<&Ticket>, now: Timestamp) -> usize {
        let paying = Self::paying(a, b).into_iter();
        let owed = paying.map(|(level, network)| self.after(level, network, now) - now.0);
        match owed.max().unwrap_or(0) {
            ..=60_000 => 0,
            60_001..=120_000 => 1,
            _ => 2,
        }
    }

    /// A network of `a` has no pairing left with one that does not hold `b`.
    pub(super) fn spent(&self, a: &Ticket, b: Option<&Ticket>, now: Timestamp) -> bool {
        self.standing(a, b, now) > 0
    }

    pub(super) fn pay(&mut self, a: &Ticket, b: &Ticket, now: Timestamp) {
        if a.session == b.session {
            return;
        }
        for (level, network) in Self::paying(a, Some(b))
            .into_iter()
            .chain(Self::paying(b, Some(a)))
        {
            let after = self.after(level, network, now);
            self.full_at.insert(network, after);
        }
        if let Some(pair) = pair(a, b) {
            let after = self.pair_after(pair, now);
            if after <= now.0 + 120_000 {
                self.pair_full_at.insert(pair, after);
            }
        }
    }

    pub(super) fn refund(&mut self, [a, b]: [&Ticket; 2], gone: Option<TicketId>) {
        if a.session == b.session {
            return;
        }
        for (own, other) in [(a, b), (b, a)] {
            if gone != Some(own.id) {
                for (level, network) in Self::paying(own, Some(other)) {
                    *self.full_at.entry(network).or_default() -= each(level);
                }
            }
        }
        if let Some(pair) = pair(a, b).filter(|_| gone.is_none()) {
            *self.pair_full_at.entry(pair).or_default() -= PAIR_EACH;
        }
    }
}
