//! The waiting pool of one process: everything under one lock that is held for microseconds and
//! never across an await. What outlives the process, or spans several, is another backend's part.

use std::sync::Arc;

use parking_lot::Mutex;

use self::state::PoolState;
use super::{Entered, PoolError, PoolFuture, PoolRules, PoolStats, Renewed, Ticket, WaitingPool};
use crate::domain::id::{RoomId, TicketId, Timestamp};

mod budgets;
mod lease;
mod queue;
mod search;
mod state;
mod tags;
mod ticket_index;
mod ticket_queue;

/// The tickets that wait in this process.
///
/// One lock, not one per queue: a pairing touches up to eight queues of each ticket and several
/// indexes, and has to be atomic towards every other call.
pub struct MemoryPool {
    state: Mutex<PoolState>,
}

impl MemoryPool {
    /// An empty pool.
    pub fn new(rules: PoolRules) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(PoolState::new(rules)),
        })
    }
}

// The blocks are lazy: a future that is dropped before it was polled has done nothing, and one
// poll completes it, so that no outcome gets lost in between.
impl WaitingPool for MemoryPool {
    fn enter(&self, ticket: Ticket, now: Timestamp) -> PoolFuture<'_, Entered> {
        Box::pin(async move { self.state.lock().enter(ticket, now) })
    }

    fn withdraw(&self, id: TicketId) -> PoolFuture<'_, bool> {
        Box::pin(async move { Ok(self.state.lock().withdraw(id)) })
    }

    fn renew(&self, id: TicketId, now: Timestamp) -> PoolFuture<'_, Renewed> {
        Box::pin(async move { Ok(self.state.lock().renew(id, now)) })
    }

    fn give_back(
        &self,
        room: RoomId,
        gone: Option<TicketId>,
        now: Timestamp,
    ) -> PoolFuture<'_, ()> {
        Box::pin(async move {
            self.state.lock().give_back(room, gone, now);
            Ok::<_, PoolError>(())
        })
    }

    fn stats(&self) -> PoolStats {
        self.state.lock().stats()
    }

    fn tidy(&self, now: Timestamp) -> bool {
        self.state.lock().tidy(now)
    }

    fn close(&self) -> PoolFuture<'_, ()> {
        Box::pin(async move {
            // The lock is free again before a large pool is torn down.
            let forgotten = self.state.lock().close();
            drop(forgotten);
            Ok(())
        })
    }
}
