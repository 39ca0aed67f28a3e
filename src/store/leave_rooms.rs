//! Closing all rooms of one session.

use super::{Rooms, StoreError};
use crate::domain::LeaveReason;
use crate::domain::id::SessionId;

/// Open rooms are told 32 at a time; no session has more than a few.
const ROUNDS: usize = 8;

/// Leaves every open room that this session has a side in: each closes, and the partner sees that it was left. A room that
/// is opened meanwhile may stay.
///
/// # Errors
/// Those of the store; some rooms may be closed by then. Doing it again goes on.
pub async fn leave_rooms(store: &dyn Rooms, session: SessionId) -> Result<(), StoreError> {
    for _ in 0..ROUNDS {
        let rooms = store.open_rooms(session).await?;
        if rooms.is_empty() {
            break;
        }
        for room in rooms {
            if let Some(side) = room.sides_of(session).next() {
                store.close_room(room.id, side, LeaveReason::Left).await?;
            }
        }
    }
    Ok(())
}
