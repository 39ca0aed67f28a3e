//! What a set holds, by what it is on. Kept small: a raid may bring tens of thousands, and a site that is old has as
//! many bans without an end. Nearly all targets have one sanction, which lies in the table itself.

use std::hash::Hash;

use crate::domain::id::{IdMap, SessionId, Timestamp};
use crate::domain::safety::{
    NetworkHash, Reason, Sanction, SanctionId, SanctionKind, SanctionTarget,
};

/// Tables that are no larger than this are left as they are.
const SMALL: usize = 1024;

/// All that a node holds.
#[derive(Default)]
pub(super) struct Held {
    pub(super) sessions: Targets<SessionId>,
    pub(super) networks: Targets<NetworkHash>,
    /// Up to which row of the store it goes.
    pub(super) newest: SanctionId,
}

/// One sanction of a target.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) id: SanctionId,
    /// The last moment there is: without an end.
    until: Timestamp,
    pub(super) kind: SanctionKind,
    pub(super) rule: Reason,
}

const WITHOUT_END: Timestamp = Timestamp(i64::MAX);

/// What is on one target.
enum On {
    One(Standing),
    More(Box<[Standing]>),
}

/// What is on targets of one sort.
pub(super) struct Targets<K> {
    on: IdMap<K, On>,
    count: usize,
}

impl Held {
    /// Holds what this row imposes, if it concerns connections.
    pub(super) fn add(&mut self, row: &Sanction) {
        // What only operators see, or only reports feel, is nothing to a connection.
        let concerns = !matches!(row.kind, SanctionKind::Note | SanctionKind::ReporterMute);
        if !concerns || row.lifts.is_some() || row.lifted_by.is_some() {
            return;
        }
        let standing = Standing {
            id: row.id,
            until: row.until.unwrap_or(WITHOUT_END),
            kind: row.kind,
            rule: row.rule,
        };
        match row.target {
            SanctionTarget::Session(session) => self.sessions.add(session, standing),
            SanctionTarget::Network(network) => self.networks.add(network, standing),
        }
    }

    /// Holds this one no more.
    pub(super) fn remove(&mut self, target: SanctionTarget, id: SanctionId) {
        match target {
            SanctionTarget::Session(session) => self.sessions.remove(&session, id),
            SanctionTarget::Network(network) => self.networks.remove(&network, id),
        }
    }

    /// What is on this target.
    pub(super) fn of(&self, target: SanctionTarget) -> &[Standing] {
        match target {
            SanctionTarget::Session(session) => self.sessions.of(&session),
            SanctionTarget::Network(network) => self.networks.of(&network),
        }
    }
}

impl Standing {
    /// Whether it has not ended.
    pub(super) fn holds(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// When it ends, if it does.
    pub(super) fn until(&self) -> Option<Timestamp> {
        (self.until != WITHOUT_END).then_some(self.until)
    }
}

impl On {
    fn all(&self) -> &[Standing] {
        match self {
            Self::One(standing) => std::slice::from_ref(standing),
            Self::More(all) => all,
        }
    }

    /// These; `None`: there are none.
    fn of(all: Vec<Standing>) -> Option<Self> {
        match all[..] {
            [] => None,
            [one] => Some(Self::One(one)),
            _ => Some(Self::More(all.into_boxed_slice())),
        }
    }
}

impl<K> Default for Targets<K> {
    fn default() -> Self {
        Self {
            on: IdMap::default(),
            count: 0,
        }
    }
}

impl<K: Copy + Eq + Hash> Targets<K> {
    /// How many sanctions there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// What is on this one.
    pub(super) fn of(&self, target: &K) -> &[Standing] {
        self.on.get(target).map_or(&[], On::all)
    }

    fn add(&mut self, target: K, standing: Standing) {
        let there = self.of(&target);
        if there.iter().any(|it| it.id == standing.id) {
            return;
        }
        let all = [there, &[standing]].concat();
        self.put(target, all);
    }

    fn remove(&mut self, target: &K, id: SanctionId) {
        self.keep(target, |standing| standing.id != id);
        self.shrink();
    }

    /// Lets go of what has ended.
    pub(super) fn forget_ended(&mut self, now: Timestamp) {
        let ended = |on: &On| on.all().iter().any(|it| !it.holds(now));
        let some = self.on.iter().filter(|(_, on)| ended(on));
        let some: Vec<K> = some.map(|(target, _)| *target).collect();
        for target in &some {
            self.keep(target, |standing| standing.holds(now));
        }
        self.shrink();
    }

    fn keep(&mut self, target: &K, keeps: impl Fn(&Standing) -> bool) {
        let there = self.of(target).iter().copied();
        let left = there.filter(keeps).collect();
        self.put(*target, left);
    }

    fn put(&mut self, target: K, all: Vec<Standing>) {
        self.count = self.count + all.len() - self.of(&target).len();
        match On::of(all) {
            Some(on) => drop(self.on.insert(target, on)),
            None => drop(self.on.remove(&target)),
        }
    }

    /// A table keeps the room that it once needed, which may have been that of a raid.
    fn shrink(&mut self) {
        let needed = self.on.len().max(SMALL);
        if self.on.capacity() / 4 > needed {
            self.on.shrink_to(needed * 2);
        }
    }

    /// Bytes that its table takes, without what the few that have several take beside it.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        // Seven eighths of a table are used; each place has a byte of its own beside it.
        self.on.capacity() / 7 * 8 * (size_of::<(K, On)>() + 1)
    }
}
