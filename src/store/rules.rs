//! What the configuration asks of any store: times, numbers, sizes, and what follows from them.

use std::time::Duration;

use crate::domain::Departure;
use crate::domain::id::Timestamp;

/// The rules of time and number that a backend applies; the composition root takes them from the
/// configuration.
#[derive(Clone, Debug)]
pub struct StoreRules {
    /// How long an away side's place is kept (`chat.reconnect_grace`).
    pub reconnect_grace: Duration,
    /// How long a side has to come to a new room (`chat.arrival`).
    pub arrival: Duration,
    /// How long a closed room is kept (`store.retention`).
    pub retention: Duration,
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
}
