//! A store and a pool that answer nothing but "unavailable": what an edge does about that.

use std::sync::Arc;

use miyu::domain::id::{Address, RoomId, Seq, SessionId, Side, StoreId, TicketId, Timestamp};
use miyu::domain::{Call, LeaveReason, MessageRef, Pairing, Position, Room, Subscription};
use miyu::matching::{Entered, PoolError, PoolFuture, PoolStats, Renewed, Ticket, WaitingPool};
use miyu::store::{
    Appended, Arrival, Block, CallTurn, Calls, Draft, Entries, Hidden, Page, PageLimit, Pending,
    Reacted, ReactionDraft, ReadState, Recalled, Relations, RelationsOf, Rooms, SideClaim,
    StoreError, Swept, Upkeep,
};

/// Takes nothing, gives nothing, but has a session key.
pub struct UnavailableStore;

/// What it answers.
pub fn no<T>() -> Pending<T> {
    Pending::known(Err(StoreError::Unavailable("the disk is full".into())))
}

impl Rooms for UnavailableStore {
    fn create_room(&self, _: &Pairing) -> Pending<()> {
        no()
    }
    fn room(&self, _: RoomId) -> Pending<Option<Room>> {
        no()
    }
    fn open_rooms(&self, _: SessionId) -> Pending<Vec<Room>> {
        no()
    }
    fn arrive(&self, _: RoomId, _: SideClaim, _: Address) -> Pending<Option<Arrival>> {
        no()
    }
    fn depart(&self, _: RoomId, _: Side, _: Address, _: ReadState) -> Pending<Option<u64>> {
        no()
    }
    fn positions(&self, _: Vec<RoomId>) -> Pending<Vec<Position>> {
        no()
    }
    fn save_read_state(&self, _: RoomId, _: Side, _: ReadState) {}
    fn close_room(&self, _: RoomId, _: Side, _: LeaveReason) -> Pending<bool> {
        no()
    }
    fn count_open_rooms(&self) -> u64 {
        0
    }
}

impl Entries for UnavailableStore {
    fn append(&self, _: Draft) -> Pending<Appended> {
        no()
    }
    fn recall(&self, _: RoomId, _: Side, _: MessageRef, _: Option<String>) -> Pending<Recalled> {
        no()
    }
    fn hide(&self, _: RoomId, _: Side, _: MessageRef) -> Pending<Hidden> {
        no()
    }
    fn react(&self, _: ReactionDraft) -> Pending<Reacted> {
        no()
    }
    fn page(&self, _: RoomId, _: Side, _: Seq, _: PageLimit) -> Pending<Option<Page>> {
        no()
    }
}

impl Relations for UnavailableStore {
    fn block(&self, _: SessionId, _: SessionId, _: RoomId) -> Pending<()> {
        no()
    }
    fn blocks(&self, _: SessionId) -> Pending<Vec<Block>> {
        no()
    }
    fn lift(&self, _: SessionId, _: RoomId) -> Pending<()> {
        no()
    }
    fn forget(&self, _: SessionId) -> Pending<()> {
        no()
    }
    fn relations(&self, _: SessionId) -> Pending<RelationsOf> {
        no()
    }
}

impl Calls for UnavailableStore {
    fn subscribe(&self, _: RoomId, _: Side, _: Option<Subscription>) -> Pending<bool> {
        no()
    }
    fn take_call(&self, _: RoomId, _: Side, _: Call) -> Pending<CallTurn> {
        no()
    }
}

impl Upkeep for UnavailableStore {
    fn sweep(&self) -> Pending<Swept> {
        no()
    }
    fn ready(&self) -> Pending<()> {
        no()
    }
    fn size(&self) -> Pending<u64> {
        no()
    }
    fn identity(&self) -> Pending<StoreId> {
        no()
    }
    fn session_key(&self) -> Pending<[u8; 32]> {
        Pending::known(Ok(*b"a key that only these tests know"))
    }
    fn push_key(&self, fresh: Vec<u8>) -> Pending<Vec<u8>> {
        Pending::known(Ok(fresh))
    }
    fn close(&self) -> Pending<()> {
        Pending::known(Ok(()))
    }
}

/// A pool that answers nothing.
pub struct UnavailablePool;

fn closed<'a, T: Send + 'a>() -> PoolFuture<'a, T> {
    Box::pin(async { Err(PoolError::Unavailable(Arc::from("closed"))) })
}

impl WaitingPool for UnavailablePool {
    fn enter(&self, _: Ticket, _: Timestamp) -> PoolFuture<'_, Entered> {
        closed()
    }
    fn withdraw(&self, _: TicketId) -> PoolFuture<'_, bool> {
        closed()
    }
    fn renew(&self, _: TicketId, _: Timestamp) -> PoolFuture<'_, Renewed> {
        closed()
    }
    fn give_back(&self, _: RoomId, _: Option<TicketId>, _: Timestamp) -> PoolFuture<'_, ()> {
        closed()
    }
    fn stats(&self) -> PoolStats {
        PoolStats::default()
    }
    fn close(&self) -> PoolFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}
