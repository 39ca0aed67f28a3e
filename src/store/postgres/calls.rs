//! The store's traits: each call becomes a deed for a batcher, or a look. What a call promises is said
//! at the traits.

use std::sync::Arc;

use super::deed::{Deed, Job, Kind, Outcome};
use super::error::Fault;
use super::shared::Life;
use super::{PostgresStore, closed, reads, rows, upkeep};
use crate::domain::id::{Address, RoomId, Seq, SessionId, Side, StoreId};
use crate::domain::{LeaveReason, MessageRef, Pairing, Position, Room};
use crate::store::{
    Appended, Arrival, Draft, Entries, Hidden, Marks, Page, PageLimit, Pending, Place, Recalled,
    Relations, RelationsOf, RoomPeople, Rooms, StoreError, Swept, Upkeep,
};

const UNEXPECTED: Fault = Fault::Damaged("an answer that does not fit its question");

impl Rooms for PostgresStore {
    fn create_room(&self, pairing: &Pairing) -> Pending<()> {
        let mut deed = Deed::new(Kind::Open, pairing.room, None);
        let people = pairing.parties.each_ref().map(|party| &party.persona);
        let written = serde_json::to_vec(&people).and_then(|people| {
            deed.body = Some(people);
            deed.name = Some(serde_json::to_vec(&pairing.common_tags)?);
            Ok(())
        });
        if written.is_err() {
            let error = StoreError::Corrupt("people that cannot be written".into());
            return Pending::known(Err(error));
        }
        deed.sessions = pairing.parties.each_ref().map(|party| Some(party.session));
        deed.flag = pairing.is_bot;
        let about = pairing.parties.each_ref().map(|party| party.session);
        let about = self.underway.begin(about);
        let made = self.ask(deed, move |line| {
            drop(about);
            Ok(line.outcome != Outcome::Conflict)
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
        let barrier = self.ask(Deed::new(Kind::Barrier, room, None), |_| Ok(()));
        let look = self.look(move |shared| async move { reads::room(&shared, room).await });
        Pending::work(async move {
            barrier.await?;
            look.await
        })
    }

    fn open_rooms(&self, session: SessionId) -> Pending<Vec<Room>> {
        self.look(move |shared| async move { reads::open_rooms(&shared, session).await })
    }

    fn arrive(&self, room: RoomId, place: Place, connection: Address) -> Pending<Option<Arrival>> {
        let mut deed = Deed::new(Kind::Arrive, room, None);
        match place {
            Place::Side(side) => deed.side = Some(side),
            Place::IfFree(side) => {
                deed.side = Some(side);
                deed.flag = true;
            }
            Place::FreeSideOf(session) => deed.sessions[0] = Some(session),
        }
        deed.connection = Some(connection);
        let shared = Arc::clone(&self.shared);
        self.ask(deed, move |line| {
            match (line.outcome, line.room, line.side) {
                (Outcome::Done, Some(room), Some(side)) => {
                    let room = rows::room(room, &shared.rules)?;
                    let people = RoomPeople::of(&room);
                    Ok(Some(Arrival { room, side, people }))
                }
                (Outcome::Nothing, ..) => Ok(None),
                _ => Err(UNEXPECTED),
            }
        })
    }

    fn depart(
        &self,
        room: RoomId,
        side: Side,
        connection: Address,
        marks: Marks,
    ) -> Pending<Option<u64>> {
        let mut deed = Deed::new(Kind::Depart, room, Some(side));
        deed.connection = Some(connection);
        deed.marks = marks;
        self.ask(deed, |line| Ok(line.version.map(i64::cast_unsigned)))
    }

    fn positions(&self, rooms: Vec<RoomId>) -> Pending<Vec<Position>> {
        self.look(move |shared| async move { reads::positions(&shared, &rooms).await })
    }

    fn mark(&self, room: RoomId, side: Side, marks: Marks) {
        let mut deed = Deed::new(Kind::Mark, room, Some(side));
        deed.marks = marks;
        // Losing it costs a little repetition.
        drop(self.entry.push(Job::quiet(deed, self.deadline())));
    }

    fn close_room(&self, room: RoomId, side: Side, reason: LeaveReason) -> Pending<bool> {
        let mut deed = Deed::new(Kind::Close, room, Some(side));
        deed.seq = Some(rows::reason_code(reason));
        self.ask(deed, |line| Ok(line.outcome.is_done()))
    }

    fn count_open_rooms(&self) -> u64 {
        self.shared.open_rooms.get()
    }
}

impl Entries for PostgresStore {
    fn append(&self, draft: Draft) -> Pending<Appended> {
        let mut deed = Deed::new(Kind::Append, draft.room, Some(draft.side));
        if let Some(target) = draft.reply_to {
            deed = deed.about(target);
        }
        deed.name = Some(draft.client_id.into_bytes());
        deed.body = Some(draft.content.into_bytes());
        self.ask(deed, |line| match (line.outcome, line.entry) {
            (Outcome::Done, Some(entry)) => Ok(Appended::Done(entry)),
            (Outcome::Repeat, Some(entry)) => Ok(Appended::Repeat(entry)),
            (Outcome::Refused(why), _) => Ok(Appended::Refused(why)),
            (Outcome::MaxSize, _) => Err(Fault::MaxSize),
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
        let mut deed = Deed::new(Kind::Recall, room, Some(side)).about(target);
        deed.name = client_id.map(String::into_bytes);
        self.ask(deed, |line| match (line.outcome, line.entry) {
            (Outcome::Done, Some(entry)) => Ok(Recalled::Done(entry)),
            (Outcome::Refused(why), _) => Ok(Recalled::Refused(why)),
            _ => Err(UNEXPECTED),
        })
    }

    fn hide(&self, room: RoomId, side: Side, target: MessageRef) -> Pending<Hidden> {
        let deed = Deed::new(Kind::Hide, room, Some(side)).about(target);
        self.ask(deed, |line| match (line.outcome, line.target) {
            (Outcome::Done, Some(seq)) => Ok(Hidden::Done(rows::seq(seq)?)),
            (Outcome::Refused(why), _) => Ok(Hidden::Refused(why)),
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
        let about = self.underway.begin([by, whom]);
        self.look(move |shared| async move {
            let _about = about;
            upkeep::block(&shared, by, whom, room).await
        })
    }

    fn forget(&self, session: SessionId) -> Pending<()> {
        let about = self.underway.begin([session; 2]);
        self.look(move |shared| async move {
            let _about = about;
            upkeep::forget(&shared, session).await
        })
    }

    fn relations(&self, session: SessionId) -> Pending<RelationsOf> {
        let underway = self.underway.clone();
        self.look(move |shared| async move {
            underway.settled(session).await;
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
            let told = |fault: Fault| fault.told();
            let late = upkeep::claim(&shared).await.map_err(told)?;
            let more = late.len() == shared.tuning.close_rooms;
            // Through the batchers, so that a departure is not published before what came earlier.
            let closing = late.into_iter().map(|room| {
                let deed = Deed::new(Kind::Expire, room, None);
                entry.ask(deed, deadline, |line| Ok(line.outcome.is_done()))
            });
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
            probed.map_err(|why| StoreError::Unavailable(why.into()))
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
