//! The sanctions that hold now, in memory on each node: asked for each handshake and each message, so that the
//! store need not be. The store is the truth: the set is filled from it at the start and goes on from the rows that
//! it has added since, whatever told this node that there are some.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::RwLock;

use crate::domain::id::{IdMap, SessionId, Timestamp};
use crate::domain::safety::{
    NetworkHash, NetworkKey, Networks, Reason, Sanction, SanctionId, SanctionKind, SanctionTarget,
};
use crate::state_machine::Voice;

#[cfg(test)]
mod tests;

/// The set of one node.
#[derive(Default)]
pub struct SanctionSet {
    /// Whether there is any at all: most sites have none most of the time, and then this is all that is looked at.
    any: AtomicBool,
    /// Whether any is on a network: only then the networks of a client are hashed.
    on_networks: AtomicBool,
    /// Hashes networks; `None`: those of networks are not looked for.
    key: Option<NetworkKey>,
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    sessions: IdMap<SessionId, Vec<Standing>>,
    networks: HashMap<NetworkHash, Vec<Standing>>,
    /// Where each of them is: a lifting row names only a number.
    targets: IdMap<SanctionId, SanctionTarget>,
    newest: SanctionId,
}

#[derive(Clone, Copy)]
struct Standing {
    id: SanctionId,
    kind: SanctionKind,
    rule: Reason,
    until: Option<Timestamp>,
}

/// One sanction that holds, as its person may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Its number.
    pub id: SanctionId,
    /// The rule that was broken.
    pub rule: Reason,
    /// Until when; `None`: without an end.
    pub until: Option<Timestamp>,
}

/// What holds against a caller: of each kind the one that lasts longest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Against {
    /// Cannot come.
    pub ban: Option<Holding>,
    /// Cannot speak.
    pub mute: Option<Holding>,
    /// Is heard by no one, and does not know.
    pub shadow_mute: Option<Holding>,
    /// Was warned; whether they have confirmed it the store knows.
    pub warning: Option<Holding>,
    /// Comes from a network that is watched: how much of it.
    pub watched: Option<Watched>,
}

/// How large the network is that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watched {
    /// What counts as one place.
    Near,
    /// What is around it.
    Wide,
}

impl Holding {
    /// How long it lasts from now on.
    pub fn left(&self, now: Timestamp) -> Option<Duration> {
        self.until.map(|until| until.since(now))
    }
}

impl SanctionSet {
    /// An empty set that finds networks by this key.
    pub fn new(key: NetworkKey) -> Self {
        Self {
            key: Some(key),
            ..Self::default()
        }
    }

    /// A set that holds these, which are all that were in force when `newest` was the newest row of the store.
    pub fn fill(&self, in_force: &[Sanction], newest: SanctionId) {
        let mut held = Held::default();
        in_force.iter().for_each(|row| held.add(row));
        held.newest = newest;
        self.put(&mut self.held.write(), held);
    }

    /// Goes on with rows that the store has added, in the order of their numbers. Rows that are known already change
    /// nothing.
    pub fn go_on(&self, rows: &[Sanction]) {
        let mut held = self.held.write();
        for row in rows {
            if row.id <= held.newest {
                continue;
            }
            match row.lifts {
                Some(lifted) => held.remove(lifted),
                None => held.add(row),
            }
            held.newest = row.id;
        }
        self.note(&held);
    }

    /// Up to which row of the store it goes.
    pub fn newest(&self) -> SanctionId {
        self.held.read().newest
    }

    /// Lets go of what has ended, so that it does not add up. Whether any of it was on a network.
    pub fn forget_ended(&self, now: Timestamp) -> bool {
        let mut held = self.held.write();
        let ended: Vec<SanctionId> = held
            .all()
            .filter(|standing| !standing.holds(now))
            .map(|standing| standing.id)
            .collect();
        let networks = held.networks.len();
        ended.into_iter().for_each(|id| held.remove(id));
        self.note(&held);
        held.networks.len() < networks
    }

    /// Whether this sanction holds now, among those that matter to connections.
    pub fn holds(&self, id: SanctionId, now: Timestamp) -> bool {
        let held = self.held.read();
        let standing = held.targets.get(&id).and_then(|target| {
            let all = held.of(target)?;
            all.iter().find(|standing| standing.id == id)
        });
        standing.is_some_and(|standing| standing.holds(now))
    }

    /// Whether any sanction is on a network.
    pub fn on_networks(&self) -> bool {
        self.on_networks.load(Ordering::Relaxed)
    }

    /// What holds now against this session at this address, as [`SanctionSet::against`].
    pub fn at(
        &self,
        session: Option<SessionId>,
        address: IpAddr,
        now: impl FnOnce() -> Timestamp,
    ) -> Against {
        if !self.any.load(Ordering::Relaxed) {
            return Against::default();
        }
        let key = self.key.as_ref().filter(|_| self.on_networks());
        let networks = key.map(|key| key.networks(address));
        self.against(session, networks.as_ref(), now())
    }

    /// How this session may speak now. Costs one relaxed load when nothing holds against any one.
    pub fn voice(&self, session: SessionId, now: Timestamp) -> Voice {
        let against = self.against(Some(session), None, now);
        match (against.mute, against.shadow_mute) {
            (Some(mute), _) => Voice::Muted(mute.until),
            (None, Some(_)) => Voice::Unheard,
            (None, None) => Voice::Free,
        }
    }

    /// What holds now against this session in these networks. Costs one relaxed load when nothing holds against
    /// any one: a row that another thread adds at this moment counts from the next look on.
    pub fn against(
        &self,
        session: Option<SessionId>,
        networks: Option<&Networks>,
        now: Timestamp,
    ) -> Against {
        let mut against = Against::default();
        if !self.any.load(Ordering::Relaxed) {
            return against;
        }
        let held = self.held.read();
        let of_session = session.and_then(|session| held.sessions.get(&session));
        for standing in of_session.into_iter().flatten() {
            against.add(standing, None, now);
        }
        let networks = networks.map(|it| [(it.near, Watched::Near), (it.wide, Watched::Wide)]);
        for (network, size) in networks.into_iter().flatten() {
            for standing in held.networks.get(&network).into_iter().flatten() {
                against.add(standing, Some(size), now);
            }
        }
        against
    }

    fn put(&self, place: &mut Held, held: Held) {
        *place = held;
        self.note(place);
    }

    fn note(&self, held: &Held) {
        let on_networks = !held.networks.is_empty();
        self.on_networks.store(on_networks, Ordering::Relaxed);
        self.any.store(!held.targets.is_empty(), Ordering::Relaxed);
    }
}

impl Held {
    fn add(&mut self, row: &Sanction) {
        // What only operators see, or only reports feel, is nothing to a connection.
        let concerns = !matches!(row.kind, SanctionKind::Note | SanctionKind::ReporterMute);
        if !concerns || row.lifts.is_some() || row.lifted_by.is_some() {
            return;
        }
        let standing = Standing {
            id: row.id,
            kind: row.kind,
            rule: row.rule,
            until: row.until,
        };
        if self.targets.insert(row.id, row.target).is_none() {
            // Hardly any target has two: most lists are as large as they have to be.
            let one = || Vec::with_capacity(1);
            match row.target {
                SanctionTarget::Session(session) => {
                    self.sessions.entry(session).or_insert_with(one)
                }
                SanctionTarget::Network(network) => {
                    self.networks.entry(network).or_insert_with(one)
                }
            }
            .push(standing);
        }
    }

    fn of(&self, target: &SanctionTarget) -> Option<&Vec<Standing>> {
        match target {
            SanctionTarget::Session(session) => self.sessions.get(session),
            SanctionTarget::Network(network) => self.networks.get(network),
        }
    }

    fn remove(&mut self, id: SanctionId) {
        match self.targets.remove(&id) {
            Some(SanctionTarget::Session(session)) => {
                if let Some(all) = self.sessions.get_mut(&session) {
                    all.retain(|standing| standing.id != id);
                    if all.is_empty() {
                        self.sessions.remove(&session);
                    }
                }
            }
            Some(SanctionTarget::Network(network)) => {
                if let Some(all) = self.networks.get_mut(&network) {
                    all.retain(|standing| standing.id != id);
                    if all.is_empty() {
                        self.networks.remove(&network);
                    }
                }
            }
            None => {}
        }
    }

    fn all(&self) -> impl Iterator<Item = &Standing> {
        self.sessions
            .values()
            .chain(self.networks.values())
            .flatten()
    }
}

impl Standing {
    fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Against {
    /// `network`: it is on a network of this size.
    fn add(&mut self, standing: &Standing, network: Option<Watched>, now: Timestamp) {
        if !standing.holds(now) {
            return;
        }
        let place = match standing.kind {
            SanctionKind::Ban => &mut self.ban,
            SanctionKind::Mute => &mut self.mute,
            SanctionKind::ShadowMute => &mut self.shadow_mute,
            SanctionKind::Warning => &mut self.warning,
            SanctionKind::Watch => {
                self.watched = self.watched.max(network);
                return;
            }
            SanctionKind::Note | SanctionKind::ReporterMute => return,
        };
        let end = |until: Option<Timestamp>| until.map_or(i64::MAX, |until| until.0);
        if place.is_none_or(|known| end(known.until) < end(standing.until)) {
            *place = Some(Holding {
                id: standing.id,
                rule: standing.rule,
                until: standing.until,
            });
        }
    }
}
