//! What the configuration asks of any store: times, numbers, sizes, and what follows from them.

use std::time::Duration;

use super::{Refusal, SideClaim};
use crate::domain::id::{Address, Seq, SessionId, Side, Timestamp};
use crate::domain::{Departure, LeaveReason, REACTION_ENTRIES, Reaction};

/// The rules of time and number that a backend applies; the composition root takes them from
/// the configuration.
#[derive(Clone, Debug)]
pub struct StoreRules {
    /// How long an away side's place is kept (`chat.reconnect_grace`).
    pub reconnect_grace: Duration,
    /// How long a side has to come to a new room (`chat.arrival`).
    pub arrival: Duration,
    /// How long a closed room is kept (`store.retention`).
    pub retention: Duration,
    /// How long at least a side that can be called is waited for (`matching.call_for`).
    pub call_for: Duration,
    /// How long an unused block is kept (`session.lifetime`).
    pub block_lifetime: Duration,
    /// Most entries of one room (`limits.room_entries`); recalls and the departure may exceed it.
    pub room_entries: u64,
    /// Most bytes of a room's texts ([`crate::domain::EntryKind::text_bytes`]; `limits.room_bytes`); recalls may
    /// exceed it.
    pub room_bytes: u64,
    /// How long a room may be open (`chat.longest`); zero: for ever.
    pub longest: Duration,
    /// Bytes from which on no message is taken (`store.max_size`); zero: none.
    pub max_size: u64,
    /// Most blocks a session keeps (`limits.blocks_per_session`).
    pub blocks_per_session: usize,
    /// How long evidence is kept after its case was closed (`safety.evidence_retention`).
    pub evidence_retention: Duration,
    /// How long cases, sanctions and notices are kept after they ended (`safety.record_retention`).
    pub record_retention: Duration,
    /// How long a caller waits before `Unavailable` (`store.timeout`).
    pub timeout: Duration,
}

/// Largest part of `chat.longest` that is left when a room's people are told.
const NOTICE: Duration = Duration::from_secs(600);

impl StoreRules {
    /// How long before it closes by itself a room's people are told: a tenth of `chat.longest`, at most
    /// ten minutes. At least this long passes between being told and the end, by the store's clock,
    /// also when the clock has jumped or nothing was running when it would have been time to tell.
    pub fn notice(&self) -> Duration {
        (self.longest / 10).min(NOTICE)
    }

    /// When a room closes by itself, of which `told` is when its people were told that it would.
    pub fn closes_at(&self, opened_at: Timestamp, told: Option<Timestamp>) -> Option<Timestamp> {
        let limited = !self.longest.is_zero();
        limited.then(|| told.unwrap_or_else(|| opened_at.plus(self.longest)))
    }

    /// When a room that closed so is erased, at the earliest.
    pub fn erases_at(&self, departure: Option<&Departure>) -> Option<Timestamp> {
        departure.map(|departure| departure.at.plus(self.retention))
    }

    /// When the sweeper must look at a room because of its age: to tell its people, or to close it.
    pub(super) fn age_due(
        &self,
        opened_at: Timestamp,
        told: Option<Timestamp>,
    ) -> Option<Timestamp> {
        let limited = !self.longest.is_zero();
        limited.then(|| told.unwrap_or_else(|| opened_at.plus(self.longest - self.notice())))
    }

    /// Why a room with so many entries and bytes of text takes no message with so many bytes more.
    pub(super) fn refusal(&self, last_seq: Seq, bytes: u64, more: u64) -> Option<Refusal> {
        let full = last_seq.0 >= self.room_entries || bytes + more > self.room_bytes;
        full.then_some(Refusal::RoomFull)
    }

    /// Whether a reaction is to be entered, by a side whose reactions to this message are these; false: it is so
    /// already.
    pub(super) fn reacts(
        &self,
        room: ReactionRoom,
        before: SideReactions,
        reaction: Option<Reaction>,
    ) -> Result<bool, Refusal> {
        if before.standing == reaction {
            return Ok(false);
        }
        if room.closed {
            return Err(Refusal::RoomClosed);
        }
        if reaction.is_none() {
            return Ok(true);
        }
        if room.recalled {
            return Err(Refusal::AlreadyRecalled);
        }
        if before.entries + 1 >= REACTION_ENTRIES {
            return Err(Refusal::TooManyReactions);
        }
        match room.last_seq.0 >= self.room_entries {
            true => Err(Refusal::RoomFull),
            false => Ok(true),
        }
    }

    /// What a side that has been away since then may take, if it ever came; one that can be called is waited
    /// for so long at least.
    pub(super) fn absence(
        &self,
        since: Timestamp,
        came: bool,
        call_for: Option<Duration>,
    ) -> Absence {
        let patience = match came {
            true => self.reconnect_grace,
            false => self.arrival,
        };
        let patience = call_for.map_or(patience, |call_for| call_for.max(patience));
        Absence {
            since,
            came,
            until: since.plus(patience),
        }
    }

    /// What is due of an open room because of how long it is open; `told` as in [`Self::closes_at`].
    pub(super) fn age(&self, opened_at: Timestamp, told: Option<Timestamp>, now: Timestamp) -> Age {
        match self.age_due(opened_at, told).filter(|due| *due <= now) {
            None => Age::Fine,
            Some(_) if told.is_some() => Age::Over,
            // Whatever the clock did: people are told the whole notice ahead.
            Some(_) => {
                let earliest = now.plus(self.notice());
                Age::Tell(opened_at.plus(self.longest).max(earliest))
            }
        }
    }
}

/// Where a reaction goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReactionRoom {
    /// The room is.
    pub(super) closed: bool,
    /// How far its log goes.
    pub(super) last_seq: Seq,
    /// The message was.
    pub(super) recalled: bool,
}

/// What one side's reactions to one message come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SideReactions {
    /// What holds.
    pub(super) standing: Option<Reaction>,
    /// The other side was told of what holds.
    pub(super) heard: bool,
    /// How many entries they are.
    pub(super) entries: usize,
}

/// What is due because of a room's age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// Nothing is due.
    Fine,
    /// Its people are to be told that it closes then.
    Tell(Timestamp),
    /// It is to be closed.
    Over,
}

/// A side without a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Absence {
    /// Since when. A side that never came has been away since it could have come.
    pub(super) since: Timestamp,
    /// It was there once.
    pub(super) came: bool,
    /// Then it has lasted too long.
    pub(super) until: Timestamp,
}

/// The side to be named when a room closes by absence: of those away too long, the one longest so. The
/// reason says whether the other was away, too.
pub(super) fn overdue(
    absences: &[Option<Absence>; 2],
    now: Timestamp,
) -> Option<(Side, LeaveReason)> {
    let late = Side::BOTH.into_iter().filter_map(|side| {
        let absence = absences[side.index()].filter(|it| it.until <= now)?;
        Some((absence.since, absence.came, side))
    });
    let (_, came, side) = late.min_by_key(|(since, came, side)| (*since, *came, side.index()))?;
    let reason = match came {
        true => LeaveReason::Timeout,
        false => LeaveReason::NoShow,
    };
    Some(match absences[side.other().index()] {
        Some(_) => (side, reason.of_both()),
        None => (side, reason),
    })
}

/// The side that a connection comes to, in a room of these sessions that these connections speak in.
pub(super) fn side_at(
    place: SideClaim,
    sessions: &[SessionId; 2],
    speakers: &[Option<Address>; 2],
) -> Option<Side> {
    let session = match place {
        SideClaim::Side(side) | SideClaim::IfFree(side) => return Some(side),
        SideClaim::FreeSideOf(session) => session,
    };
    let mut own = Side::BOTH
        .into_iter()
        .filter(|side| sessions[side.index()] == session);
    let first = own.clone().next()?;
    let free = own.find(|side| speakers[side.index()].is_none());
    Some(free.unwrap_or(first))
}
