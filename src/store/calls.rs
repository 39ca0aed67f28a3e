//! Which sides of rooms can be called while their pages are closed, and whose turn it is to be called.

use std::time::Duration;

use super::Pending;
use crate::domain::id::{RoomId, Side, Timestamp};
use crate::domain::{Call, Room, Subscription};

/// Between two calls to one side.
const APART: Duration = Duration::from_secs(60);

/// Calls to the people of rooms. A subscription is kept here alone, is never published, and is erased with its room
/// at the latest: usually with the call that says that the partner has left.
pub trait Calls: Send + Sync {
    /// Keeps how this side of an open room is called, in the place of what was kept before; `None` erases it.
    /// While one is kept, the side is waited for [`super::StoreRules::call_for`] at least, also before it ever came.
    /// True: one is kept. In a closed or unknown room none is.
    fn subscribe(
        &self,
        room: RoomId,
        side: Side,
        subscription: Option<Subscription>,
    ) -> Pending<bool>;

    /// Whether this side is to be called now. [`CallTurn::Now`] is answered once for an occasion, whichever nodes
    /// ask, and counts as the call. Only a side that is away is called: of a found partner before it has come, of
    /// messages once in an absence, of the partner's departure when it was away then, with which all subscriptions
    /// of the room are erased; and not twice within a minute.
    fn take_call(&self, room: RoomId, side: Side, call: Call) -> Pending<CallTurn>;
}

/// Whether a side is to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallTurn {
    /// Now, so.
    Now(Subscription),
    /// It was called a moment ago: after so long it may be asked again.
    Wait(Duration),
    /// No.
    No,
}

/// When a side was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Called {
    /// The last time.
    pub(super) at: Option<Timestamp>,
    /// The last time because of a message.
    pub(super) for_message: Option<Timestamp>,
}

/// What is to be done about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallStep {
    Make,
    Wait(Duration),
    Leave,
}

impl Called {
    /// Whether this side of the room is called now.
    pub(super) fn step(self, call: Call, room: &Room, side: Side, now: Timestamp) -> CallStep {
        let person = room.side(side);
        let away_at = |moment: Timestamp| {
            !person.online() && person.away_since.is_none_or(|since| since <= moment)
        };
        let called_for_message = self.for_message.is_some_and(|at| {
            let absence = person.away_since;
            absence.is_none_or(|since| at >= since)
        });
        let due = match (call, room.departure) {
            (Call::SomeoneCame, None) => !person.online() && person.joined_at.is_none(),
            (Call::NewMessage, None) => !person.online() && !called_for_message,
            (Call::PartnerLeft, Some(departure)) => away_at(departure.at),
            _ => false,
        };
        let next = self.at.map(|at| at.plus(APART)).filter(|next| *next > now);
        match (due, next) {
            (false, _) => CallStep::Leave,
            (true, Some(next)) => CallStep::Wait(next.since(now)),
            (true, None) => CallStep::Make,
        }
    }

    /// After this call.
    pub(super) fn after(self, call: Call, now: Timestamp) -> Self {
        Self {
            at: Some(now),
            for_message: match call {
                Call::NewMessage => Some(now),
                _ => self.for_message,
            },
        }
    }
}
