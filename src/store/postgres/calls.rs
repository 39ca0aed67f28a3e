//! The store's traits: each call becomes a write for a batcher, or a look. What a call promises is said
//! at the traits.

use std::sync::Arc;

use super::error::BackendError;
use super::shared::Life;
use super::write_op::{Job, NewRoom, Outcome, WriteOp};
use super::{PostgresStore, closed, reads, upkeep};
use crate::domain::id::{Address, RoomId, Seq, SessionId, Side, StoreId};
use crate::domain::{LeaveReason, MessageRef, Pairing, Position, Room};
use crate::store::{
    Appended, Arrival, Block, Draft, Entries, Hidden, Page, PageLimit, Pending, Reacted,
    ReactionDraft, ReadState, Recalled, Relations, RelationsOf, Rooms, SideClaim, StoreError,
    Swept, Upkeep,
};

const UNEXPECTED: BackendError = BackendError::Damaged("an answer that does not fit its question");

/// Whether this op closed its room.
fn closed_by(outcome: Outcome) -> Result<bool, BackendError> {
    match outcome {
        Outcome::Closed(closed) => Ok(closed),
        _ => Err(UNEXPECTED),
    }
}

impl Rooms for PostgresStore {
    fn create_room(&self, pairing: &Pairing) -> Pending<()> {
        let people = pairing.parties.each_ref().map(|party| &party.persona);
        let written = serde_json::to_vec(&people)
            .and_then(|people| Ok((people, serde_json::to_vec(&pairing.common_tags)?)));
        let Ok((people, common_tags)) = written else {
            let error = StoreError::Corrupt("people that cannot be written".into());
            return Pending::known(Err(error));
        };
        let op = WriteOp::Open(Box::new(NewRoom {
            room: pairing.room,
            people,
            common_tags,
            sessions: pairing.parties.each_ref().map(|party| party.session),
            is_bot: pairing.is_bot,
        }));
        let about = pairing.parties.each_ref().map(|party| party.session);
        let about = self.pending_writes.begin(about);
        let made = self.ask(op, move |outcome| {
            drop(about);
            match outcome {
                Outcome::Opened => Ok(true),
                Outcome::Conflict => Ok(false),
                _ => Err(UNEXPECTED),
            }
        });
        // Few rooms have any. The room is asked for already: what follows it keeps its order.
        let marks = pairing.parties.each_ref().map(|party| party.marks.clone());
        let marked = marks.iter().any(|marks| !marks.is_empty()).then(|| {
            let room = pairing.room;
            self.look(move |shared| async move { upkeep::mark(&shared, room, marks).await })
        });
        Pending::work(async move {
            if !made.await? {
                return Err(StoreError::Conflict);
            }
            match marked {
                Some(marked) => marked.await,
                None => Ok(()),
            }
        })
    }

    fn room(&self, room: RoomId) -> Pending<Option<Room>> {
        // Behind every earlier call.
        let barrier = self.ask(WriteOp::Barrier { room }, |_| Ok(()));
        let look = self.look(move |shared| async move { reads::room(&shared, room).await });
        Pending::work(async move {
            barrier.await?;
            look.await
        })
    }

    fn open_rooms(&self, session: SessionId) -> Pending<Vec<Room>> {
        self.look(move |shared| async move { reads::open_rooms(&shared, session).await })
    }

    fn arrive(
        &self,
        room: RoomId,
        place: SideClaim,
        connection: Address,
    ) -> Pending<Option<Arrival>> {
        let op = WriteOp::Arrive {
            room,
            place,
            connection,
        };
        self.ask(op, |outcome| match outcome {
            Outcome::Arrived(arrival) => Ok(arrival.map(|arrival| *arrival)),
            _ => Err(UNEXPECTED),
        })
    }

    fn depart(
        &self,
        room: RoomId,
        side: Side,
        connection: Address,
        read_state: ReadState,
    ) -> Pending<Option<u64>> {
        let op = WriteOp::Depart {
            room,
            side,
            connection,
            read_state,
        };
        self.ask(op, |outcome| match outcome {
            Outcome::Departed(version) => Ok(version),
            _ => Err(UNEXPECTED),
        })
    }

    fn positions(&self, rooms: Vec<RoomId>) -> Pending<Vec<Position>> {
        self.look(move |shared| async move { reads::positions(&shared, &rooms).await })
    }

    fn save_read_state(&self, room: RoomId, side: Side, read_state: ReadState) {
        let op = WriteOp::SaveReadState {
            room,
            side,
            read_state,
        };
        // Losing it costs a little repetition.
        drop(self.entry.push(Job::quiet(op, self.deadline())));
    }

    fn close_room(&self, room: RoomId, side: Side, reason: LeaveReason) -> Pending<bool> {
        let op = WriteOp::Close { room, side, reason };
        self.ask(op, closed_by)
    }

    fn count_open_rooms(&self) -> u64 {
        self.shared.open_rooms.get()
    }
}

impl Entries for PostgresStore {
    fn append(&self, draft: Draft) -> Pending<Appended> {
        self.ask(WriteOp::Append(draft), |outcome| match outcome {
            Outcome::Appended(appended) => Ok(appended),
            Outcome::MaxSize => Err(BackendError::MaxSize),
            _ => Err(UNEXPECTED),
        })
    }

    fn recall(
        &self,
        room: RoomId,
        side: Side,
        target: MessageRef,
        client_id: Option<String>,
    ) -> Pending<Recalled> {
        let op = WriteOp::Recall {
            room,
            side,
            target,
            client_id,
        };
        self.ask(op, |outcome| match outcome {
            Outcome::Recalled(recalled) => Ok(recalled),
            _ => Err(UNEXPECTED),
        })
    }

    fn hide(&self, room: RoomId, side: Side, target: MessageRef) -> Pending<Hidden> {
        let op = WriteOp::Hide { room, side, target };
        self.ask(op, |outcome| match outcome {
            Outcome::Hidden(hidden) => Ok(hidden),
            _ => Err(UNEXPECTED),
        })
    }

    fn react(&self, draft: ReactionDraft) -> Pending<Reacted> {
        self.ask(WriteOp::React(draft), |outcome| match outcome {
            Outcome::Reacted(reacted) => Ok(reacted),
            Outcome::MaxSize => Err(BackendError::MaxSize),
            _ => Err(UNEXPECTED),
        })
    }

    fn page(
        &self,
        room: RoomId,
        side: Side,
        after: Seq,
        limit: PageLimit,
    ) -> Pending<Option<Page>> {
        self.look(move |shared| async move { reads::page(&shared, room, side, after, limit).await })
    }
}

impl Relations for PostgresStore {
    fn block(&self, by: SessionId, whom: SessionId, room: RoomId) -> Pending<()> {
        if by == whom {
            return Pending::known(Ok(()));
        }
        let about = self.pending_writes.begin([by, whom]);
        self.look(move |shared| async move {
            let _about = about;
            upkeep::block(&shared, by, whom, room).await
        })
    }

    fn blocks(&self, by: SessionId) -> Pending<Vec<Block>> {
        let pending_writes = self.pending_writes.clone();
        self.look(move |shared| async move {
            pending_writes.settled(by).await;
            reads::blocks(&shared, by).await
        })
    }

    fn lift(&self, by: SessionId, room: RoomId) -> Pending<()> {
        let about = self.pending_writes.begin([by; 2]);
        self.look(move |shared| async move {
            let _about = about;
            upkeep::lift(&shared, by, room).await
        })
    }

    fn forget(&self, session: SessionId) -> Pending<()> {
        let about = self.pending_writes.begin([session; 2]);
        self.look(move |shared| async move {
            let _about = about;
            upkeep::forget(&shared, session).await
        })
    }

    fn relations(&self, session: SessionId) -> Pending<RelationsOf> {
        let pending_writes = self.pending_writes.clone();
        self.look(move |shared| async move {
            pending_writes.settled(session).await;
            reads::relations(&shared, session).await
        })
    }
}

impl Upkeep for PostgresStore {
    fn sweep(&self) -> Pending<Swept> {
        if self.entry.closing.is_cancelled() {
            return Pending::known(Err(closed()));
        }
        let (shared, entry, deadline) = (
            Arc::clone(&self.shared),
            self.entry.clone(),
            self.deadline(),
        );
        Pending::bounded(deadline, async move {
            let told = |error: BackendError| error.to_store_error();
            let late = upkeep::claim(&shared).await.map_err(told)?;
            let more = late.len() == shared.tuning.close_rooms;
            // Through the batchers, so that a departure is not published before what came earlier.
            let closing = late
                .into_iter()
                .map(|room| entry.ask(WriteOp::Expire { room }, deadline, closed_by));
            let mut closed = 0;
            for done in closing.collect::<Vec<_>>() {
                closed += usize::from(done.await?);
            }
            let swept = upkeep::erase(&shared).await.map_err(told)?;
            Ok(Swept {
                closed,
                more: more || swept.more,
                ..swept
            })
        })
    }

    fn ready(&self) -> Pending<()> {
        let probe = self.look(move |shared| async move { Ok(upkeep::probe(&shared).await) });
        Pending::work(async move {
            let probed = probe.await?;
            probed.map_err(|why| StoreError::Unavailable(why.to_string().into()))
        })
    }

    fn size(&self) -> Pending<u64> {
        self.look(move |shared| async move { shared.size().await })
    }

    fn identity(&self) -> Pending<StoreId> {
        self.look(move |shared| async move { upkeep::identity(&shared).await })
    }

    fn session_key(&self) -> Pending<[u8; 32]> {
        self.look(move |shared| async move { upkeep::session_key(&shared).await })
    }

    fn push_key(&self, fresh: Vec<u8>) -> Pending<Vec<u8>> {
        self.look(move |shared| async move { upkeep::push_key(&shared, &fresh).await })
    }

    fn close(&self) -> Pending<()> {
        self.entry.closing.cancel();
        let mut life = self.shared.life.subscribe();
        Pending::bounded(self.deadline(), async move {
            let ended = life.wait_for(|life| *life != Life::Working).await;
            match ended.as_deref() {
                Ok(Life::Closed) => Ok(()),
                _ => Err(StoreError::Unavailable("a batcher died".into())),
            }
        })
    }
}
