//! How far the life of the room has come for this connection.

use crate::domain::{Entry, Room};

/// A room never opens again.
#[derive(Debug)]
pub(super) enum RoomPhase {
    /// Nothing was said yet: the state of the room comes first.
    Opening(Box<Room>),
    Open,
    /// It had closed before this connection opened, by this departure, which the client was not told yet.
    ClosedBefore(Box<Entry>),
    Closed,
}

impl RoomPhase {
    /// Something may still be said in it.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// The room whose state is told first; from then on it is what that says.
    pub(super) fn begin(&mut self) -> Option<Box<Room>> {
        match std::mem::replace(self, Self::Open) {
            Self::Opening(room) => {
                if let Some(departure) = room.departure {
                    *self = Self::ClosedBefore(Box::new(departure.entry()));
                }
                Some(room)
            }
            begun => {
                *self = begun;
                None
            }
        }
    }

    /// The room is closed now. A departure that was not told yet stays to be told.
    pub(super) fn close(&mut self) {
        if self.is_open() {
            *self = Self::Closed;
        }
    }

    /// The client is being told the departure.
    pub(super) fn departure_told(&mut self) {
        *self = Self::Closed;
    }

    /// The departure that the client was not told yet; from now on it was.
    pub(super) fn untold_departure(&mut self) -> Option<Box<Entry>> {
        match std::mem::replace(self, Self::Closed) {
            Self::ClosedBefore(departure) => Some(departure),
            other => {
                *self = other;
                None
            }
        }
    }
}
