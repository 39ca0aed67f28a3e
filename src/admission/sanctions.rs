//! The sanctions that hold now, in memory on each node: asked for each handshake and each message, so that the
//! store need not be. The store is the truth: the set is filled from it at the start and goes on from the rows that
//! it has added since, whatever told this node that there are some.

mod held;

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::RwLock;

use self::held::{Held, Standing};
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::{
    NetworkKey, Networks, Reason, Sanction, SanctionId, SanctionKind, SanctionTarget,
};
use crate::state_machine::Voice;

#[cfg(test)]
mod tests;

/// So many have their memory counted.
pub const COUNTED: usize = 100_000;

/// The set of one node.
///
/// None is left out, however many there are: a ban that was forgotten, and a decision that was refused because there are
/// many already, would both be a gift to those who can cause many. What that costs is counted for [`COUNTED`] in
/// [`bounds`](super::bounds), and said where there are more.
#[derive(Default)]
pub struct SanctionSet {
    /// How many there are: most sites have none most of the time, and then this is all that is looked at.
    all: AtomicUsize,
    /// How many of them are on networks: only then the networks of a client are hashed.
    on_networks: AtomicUsize,
    /// Hashes networks; `None`: those of networks are not looked for.
    key: Option<NetworkKey>,
    held: RwLock<Held>,
}

/// What a set is to hold, while it is read stretch by stretch.
pub struct Filling(Held);

impl Filling {
    /// Of what was in force when this was the newest row of the store.
    pub fn from(newest: SanctionId) -> Self {
        Self(Held {
            newest,
            ..Held::default()
        })
    }

    /// These are in force.
    pub fn add(&mut self, in_force: &[Sanction]) {
        in_force.iter().for_each(|row| self.0.add(row));
    }
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

    /// From now on it holds these, and nothing else. In one step: where the store falls silent while they are read, what was
    /// known before goes on to hold.
    pub fn fill(&self, filling: Filling) {
        let mut held = self.held.write();
        *held = filling.0;
        self.note(&held);
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
                Some(lifted) => held.remove(row.target, lifted),
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
        let before = held.networks.count();
        held.sessions.forget_ended(now);
        held.networks.forget_ended(now);
        self.note(&held);
        held.networks.count() < before
    }

    /// Whether this sanction holds now, among those on this target that matter to connections.
    pub fn holds(&self, target: SanctionTarget, id: SanctionId, now: Timestamp) -> bool {
        let held = self.held.read();
        let mut all = held.of(target).iter();
        all.any(|standing| standing.id == id && standing.holds(now))
    }

    /// How many it holds: on sessions, and on networks.
    pub fn counts(&self) -> [usize; 2] {
        let on_networks = self.on_networks.load(Ordering::Relaxed);
        let all = self.all.load(Ordering::Relaxed);
        [all.saturating_sub(on_networks), on_networks]
    }

    /// What operators should know of how many there are.
    pub fn hint(&self) -> Option<String> {
        let all = self.all.load(Ordering::Relaxed);
        (all > COUNTED).then(|| {
            format!(
                "{all} sanctions hold, and all of them do; memory is counted for {COUNTED}, each more takes some \
                 100 bytes of it on each node; lift what need not hold any more"
            )
        })
    }

    /// Whether any sanction is on a network.
    pub fn on_networks(&self) -> bool {
        self.on_networks.load(Ordering::Relaxed) > 0
    }

    /// What holds now against this session at this address, as [`SanctionSet::against`].
    pub fn at(
        &self,
        session: Option<SessionId>,
        address: IpAddr,
        now: impl FnOnce() -> Timestamp,
    ) -> Against {
        if self.is_empty() {
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
        if self.is_empty() {
            return against;
        }
        let held = self.held.read();
        let of_session = session.map(|session| held.sessions.of(&session));
        for standing in of_session.into_iter().flatten() {
            against.add(standing, None, now);
        }
        let networks = networks.map(|it| [(it.near, Watched::Near), (it.wide, Watched::Wide)]);
        for (network, size) in networks.into_iter().flatten() {
            for standing in held.networks.of(&network) {
                against.add(standing, Some(size), now);
            }
        }
        against
    }

    fn is_empty(&self) -> bool {
        self.all.load(Ordering::Relaxed) == 0
    }

    fn note(&self, held: &Held) {
        let (sessions, networks) = (held.sessions.count(), held.networks.count());
        self.on_networks.store(networks, Ordering::Relaxed);
        self.all.store(sessions + networks, Ordering::Relaxed);
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
        if place.is_none_or(|known| end(known.until) < end(standing.until())) {
            *place = Some(Holding {
                id: standing.id,
                rule: standing.rule,
                until: standing.until(),
            });
        }
    }
}
