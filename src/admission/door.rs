//! The one door: every edge asks here before it does something for a client, and decides nothing itself.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::sanctions::{Against, Holding, SanctionSet};
use super::{Caller, FrameCost, Over, RateLimits};
use crate::admission::memory_budget::{Class, Exhausted, MemoryBudget};
use crate::domain::id::{SessionId, Timestamp};
use crate::state_machine::{Now, Voice};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A page or a file.
    File,
    /// An answer of the API.
    Request,
    /// A session for a browser that has none.
    NewSession,
    /// A WebSocket, and from which part of the memory budget it is to live.
    Connect(Class),
    /// A search for a partner.
    Search,
    /// A report of a person.
    Report,
}

/// Why something is not done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdmissionRefusal {
    /// Too much of it; the same is allowed after this long, if nothing else is asked for meanwhile.
    Rate(Duration),
    /// As a [`AdmissionRefusal::Rate`] of new sessions.
    NewSessions(Duration),
    /// There is no memory for it.
    Memory(Exhausted),
    /// The browser or its network may not come.
    Banned(Holding),
}

/// Answers from memory; what is asked for is counted when it is allowed. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    limits: Arc<RateLimits>,
    memory: Arc<MemoryBudget>,
    sanctions: Arc<SanctionSet>,
}

impl Door {
    /// With these rates, this budget, and what holds against people.
    pub fn new(
        limits: Arc<RateLimits>,
        memory: Arc<MemoryBudget>,
        sanctions: Arc<SanctionSet>,
    ) -> Self {
        Self {
            limits,
            memory,
            sanctions,
        }
    }

    /// Whether a browser at this address may. Without a session only its networks count. Async, so that a
    /// question may once have to be asked elsewhere; today no answer waits.
    ///
    /// # Errors
    /// See [`AdmissionRefusal`].
    pub async fn ask(
        &self,
        session: Option<SessionId>,
        address: IpAddr,
        act: Act,
    ) -> Result<(), AdmissionRefusal> {
        match act {
            Act::File => self.limits.files(address).map_err(AdmissionRefusal::Rate),
            Act::Request => {
                let counted = self.limits.requests(session, address);
                counted.map_err(AdmissionRefusal::Rate)
            }
            Act::NewSession => {
                self.not_banned(None, address)?;
                let counted = self.limits.newcomer(&self.caller(None, address));
                counted.map_err(AdmissionRefusal::NewSessions)
            }
            Act::Connect(class) => {
                self.not_banned(session, address)?;
                let counted = self.limits.requests(session, address);
                counted.map_err(AdmissionRefusal::Rate)?;
                let admitted = self.memory.admits(address, class);
                admitted.map_err(AdmissionRefusal::Memory)
            }
            Act::Search => {
                self.not_banned(session, address)?;
                let caller = self.caller(session, address);
                self.limits.search(&caller).map_err(AdmissionRefusal::Rate)
            }
            Act::Report => {
                let counted = self.limits.report(session, address);
                counted.map_err(AdmissionRefusal::Rate)
            }
        }
    }

    /// Whether this browser at this address may come at all. Nothing is counted.
    ///
    /// # Errors
    /// [`AdmissionRefusal::Banned`].
    pub fn not_banned(
        &self,
        session: Option<SessionId>,
        address: IpAddr,
    ) -> Result<(), AdmissionRefusal> {
        let ban = self.against(session, address).ban;
        ban.map_or(Ok(()), |ban| Err(AdmissionRefusal::Banned(ban)))
    }

    /// The ban of this browser itself, wherever it is now.
    pub fn ban_of(&self, session: SessionId) -> Option<Holding> {
        let now = Now::read().wall;
        self.sanctions.against(Some(session), None, now).ban
    }

    /// What holds now against this browser and its networks.
    pub fn against(&self, session: Option<SessionId>, address: IpAddr) -> Against {
        self.sanctions.at(session, address, || Now::read().wall)
    }

    /// What holds against people, as it is known here.
    pub fn sanctions(&self) -> &SanctionSet {
        &self.sanctions
    }

    /// How this browser may speak now.
    pub fn voice(&self, session: SessionId, now: Timestamp) -> Voice {
        self.sanctions.voice(session, now)
    }

    /// What to count for. Made once for a socket, and again when what holds against its networks has changed.
    pub fn caller(&self, session: Option<SessionId>, address: IpAddr) -> Caller {
        let caller = self.limits.caller(session, address);
        match self.sanctions.on_networks() {
            true => caller.watched(self.against(None, address).watched),
            false => caller,
        }
    }

    /// Whether a client may send what has come on its socket. Asked for each frame or few, within the loop of
    /// the connection: an answer that had to be awaited would stop it.
    ///
    /// # Errors
    /// It is too much for now; nothing was counted.
    pub fn send(&self, caller: &Caller, frames: FrameCost, now: Instant) -> Result<(), Over> {
        self.limits.frames(caller, frames, now)
    }

    /// Counts a session that is forgotten like one that is made, for its browser comes back as a new one. Never
    /// refused: to be forgotten is each person's right, whatever their neighbours did.
    pub fn charge_new_session(&self, address: IpAddr) {
        self.limits.charge_newcomer(address);
    }

    /// Counts what came on a socket and cannot be put off, whether it is too much or not.
    pub fn charge(&self, caller: &Caller, cost: FrameCost, now: Instant) {
        self.limits.charge_frames(caller, cost, now);
    }
}
