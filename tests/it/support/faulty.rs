//! A store that can be made to lose answers, departures apart from everything else: what the edges do about that, and what they promise.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};

use miyu::domain::id::{Address, RoomId, Seq, SessionId, Side, StoreId};
use miyu::domain::{Call, LeaveReason, MessageRef, Pairing, Position, Room, Subscription};
use miyu::store::{
    Appended, Arrival, Block, CallTurn, Calls, Draft, Entries, Hidden, Page, PageLimit, Pending,
    Reacted, ReactionDraft, ReadState, Recalled, Relations, RelationsOf, Rooms, SideClaim, Store,
    StoreError, Swept, Upkeep,
};

/// What happens to writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// Nothing unusual.
    None = 0,
    /// They are not taken.
    Refused = 1,
    /// They are taken, and the answer is lost.
    AnswerLost = 2,
}

/// The real store behind a switch.
pub struct Faulty {
    inner: Arc<dyn Store>,
    switch: Switch,
}

/// The switch.
#[derive(Clone, Default)]
pub struct Switch(Arc<State>);

#[derive(Default)]
struct State {
    writes: AtomicU8,
    departures: AtomicU8,
    lost: AtomicUsize,
    size: AtomicU64,
}

impl Switch {
    /// From now on, for everything but departures.
    pub fn set(&self, fault: Fault) {
        self.0.writes.store(fault as u8, Ordering::SeqCst);
    }

    /// From now on, for departures: those of every connection that ends.
    pub fn set_departures(&self, fault: Fault) {
        self.0.departures.store(fault as u8, Ordering::SeqCst);
    }

    /// From now on the data seems to have this size; 0: the one it has.
    pub fn pretend_size(&self, size: u64) {
        self.0.size.store(size, Ordering::SeqCst);
    }

    /// Calls so far that were not answered.
    pub fn lost(&self) -> usize {
        self.0.lost.load(Ordering::SeqCst)
    }

    /// Puts the switch before this store.
    pub fn before(&self, inner: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(Faulty {
            inner,
            switch: self.clone(),
        })
    }
}

impl Faulty {
    fn pass<T: Send + 'static>(&self, write: impl FnOnce(&dyn Store) -> Pending<T>) -> Pending<T> {
        self.pass_by(&self.switch.0.writes, write)
    }

    fn pass_by<T: Send + 'static>(
        &self,
        fault: &AtomicU8,
        write: impl FnOnce(&dyn Store) -> Pending<T>,
    ) -> Pending<T> {
        let taken = match fault.load(Ordering::SeqCst) {
            0 => return write(&*self.inner),
            1 => None,
            _ => Some(write(&*self.inner)),
        };
        let switch = self.switch.clone();
        Pending::work(async move {
            if let Some(taken) = taken {
                let _ = taken.await;
            }
            switch.0.lost.fetch_add(1, Ordering::SeqCst);
            Err(StoreError::Unavailable("the answer is lost".into()))
        })
    }
}

impl Rooms for Faulty {
    fn create_room(&self, pairing: &Pairing) -> Pending<()> {
        self.pass(|store| store.create_room(pairing))
    }
    fn room(&self, room: RoomId) -> Pending<Option<Room>> {
        self.inner.room(room)
    }
    fn open_rooms(&self, session: SessionId) -> Pending<Vec<Room>> {
        self.inner.open_rooms(session)
    }
    fn arrive(
        &self,
        room: RoomId,
        place: SideClaim,
        connection: Address,
    ) -> Pending<Option<Arrival>> {
        self.pass(|store| store.arrive(room, place, connection))
    }
    fn depart(
        &self,
        room: RoomId,
        side: Side,
        at: Address,
        read_state: ReadState,
    ) -> Pending<Option<u64>> {
        self.pass_by(&self.switch.0.departures, |store| {
            store.depart(room, side, at, read_state)
        })
    }
    fn positions(&self, rooms: Vec<RoomId>) -> Pending<Vec<Position>> {
        self.inner.positions(rooms)
    }
    fn save_read_state(&self, room: RoomId, side: Side, read_state: ReadState) {
        self.inner.save_read_state(room, side, read_state);
    }
    fn close_room(&self, room: RoomId, side: Side, reason: LeaveReason) -> Pending<bool> {
        self.pass(|store| store.close_room(room, side, reason))
    }
    fn count_open_rooms(&self) -> u64 {
        self.inner.count_open_rooms()
    }
}

impl Entries for Faulty {
    fn append(&self, draft: Draft) -> Pending<Appended> {
        self.pass(|store| store.append(draft))
    }
    fn recall(
        &self,
        room: RoomId,
        side: Side,
        target: MessageRef,
        client_id: Option<String>,
    ) -> Pending<Recalled> {
        self.pass(|store| store.recall(room, side, target, client_id))
    }
    fn hide(&self, room: RoomId, side: Side, target: MessageRef) -> Pending<Hidden> {
        self.pass(|store| store.hide(room, side, target))
    }
    fn react(&self, draft: ReactionDraft) -> Pending<Reacted> {
        self.pass(|store| store.react(draft))
    }
    fn page(
        &self,
        room: RoomId,
        side: Side,
        after: Seq,
        limit: PageLimit,
    ) -> Pending<Option<Page>> {
        self.pass(|store| store.page(room, side, after, limit))
    }
}

impl Relations for Faulty {
    fn block(&self, by: SessionId, whom: SessionId, room: RoomId) -> Pending<()> {
        self.pass(|store| store.block(by, whom, room))
    }
    fn blocks(&self, by: SessionId) -> Pending<Vec<Block>> {
        self.pass(|store| store.blocks(by))
    }
    fn lift(&self, by: SessionId, room: RoomId) -> Pending<()> {
        self.pass(|store| store.lift(by, room))
    }
    fn forget(&self, session: SessionId) -> Pending<()> {
        self.pass(|store| store.forget(session))
    }
    fn note_fresh_session(&self, session: SessionId) {
        self.inner.note_fresh_session(session);
    }
    fn relations(&self, session: SessionId) -> Pending<RelationsOf> {
        self.pass(|store| store.relations(session))
    }
}

impl Calls for Faulty {
    fn subscribe(&self, room: RoomId, side: Side, how: Option<Subscription>) -> Pending<bool> {
        self.pass(|store| store.subscribe(room, side, how))
    }
    fn take_call(&self, room: RoomId, side: Side, call: Call) -> Pending<CallTurn> {
        self.pass(|store| store.take_call(room, side, call))
    }
}

impl Upkeep for Faulty {
    fn sweep(&self) -> Pending<Swept> {
        self.inner.sweep()
    }
    fn ready(&self) -> Pending<()> {
        self.inner.ready()
    }
    fn size(&self) -> Pending<u64> {
        match self.switch.0.size.load(Ordering::SeqCst) {
            0 => self.inner.size(),
            size => Pending::known(Ok(size)),
        }
    }
    fn identity(&self) -> Pending<StoreId> {
        self.inner.identity()
    }
    fn session_key(&self) -> Pending<[u8; 32]> {
        self.inner.session_key()
    }
    fn push_key(&self, fresh: Vec<u8>) -> Pending<Vec<u8>> {
        self.inner.push_key(fresh)
    }
    fn close(&self) -> Pending<()> {
        self.inner.close()
    }
}
