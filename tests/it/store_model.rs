//! The room log against a simple model: whatever is done to two rooms in whatever order, restarts
//! and evictions included, every outcome and both sides' replays are what the model says.

use std::time::Duration;

use miyu::domain::id::{RoomId, Seq, Side};
use miyu::domain::{Entry, EntryKind, LeaveReason, Reaction};
use miyu::store::{
    Appended, Draft, Hidden, PageLimit, Reacted, ReactionDraft, ReadState, Recalled, SideClaim,
};
use proptest::prelude::*;

use self::model::{Line, Model, Outcome};
use self::ops::{Op, Target, client_id, op};
use crate::support::postgres::Postgres;
use crate::support::store::{Backend, Sqlite, World, rules};

mod model;
mod ops;

/// So few that a sequence fills a room.
const ROOM_ENTRIES: u64 = 8;
/// So few that some sequences fill a room by them first.
const ROOM_BYTES: u64 = 60;
/// More than the tiny store remembers.
const ROOMS: usize = 4;

/// A store and what it should be.
struct Pair<X> {
    world: World<X>,
    rooms: Vec<(RoomId, Model)>,
    published: usize,
}

impl<X: Backend> Pair<X> {
    async fn new() -> Self {
        let mut rules = rules();
        rules.room_entries = ROOM_ENTRIES;
        rules.room_bytes = ROOM_BYTES;
        let world = World::with(rules).await;
        let mut rooms = Vec::new();
        for _ in 0..ROOMS {
            rooms.push((world.room().await.room, Model::default()));
        }
        Self {
            world,
            rooms,
            published: 0,
        }
    }

    async fn run(&mut self, op: Op) {
        match op {
            Op::Append {
                room,
                side,
                name,
                text,
                reply,
            } => self.append(room, side, name, text, reply.as_ref()).await,
            Op::Recall {
                room,
                side,
                target,
                named,
            } => self.recall(room, side, &target, named).await,
            Op::Hide { room, side, target } => self.hide(room, side, &target).await,
            Op::React {
                room,
                side,
                target,
                reaction,
            } => self.react(room, side, &target, reaction).await,
            Op::Close { room, side } => self.close(room, side).await,
            Op::Page {
                room,
                side,
                after,
                limit,
            } => self.page(room, side, after, limit).await,
            Op::SaveReadState { room, side, cursor } => {
                let (cursor, read) = (Seq(cursor), Seq(cursor / 2));
                let room = self.rooms[room].0;
                self.world
                    .store()
                    .save_read_state(room, side, ReadState { cursor, read });
            }
            Op::Sweep => self.sweep().await,
            Op::Reopen => self.world.reopen().await,
            Op::Crash => self.world.crash().await,
        }
    }

    async fn append(
        &mut self,
        room: usize,
        side: Side,
        name: u8,
        text: u8,
        reply: Option<&Target>,
    ) {
        let (id, model) = &mut self.rooms[room];
        let draft = Draft {
            unheard: false,
            room: *id,
            side,
            client_id: client_id(name),
            content: format!("text {text}"),
            reply_to: reply.map(Target::reference),
        };
        let outcome = match self.world.store().append(draft).await.unwrap() {
            Appended::Done(entry) => Outcome::Done(entry.kind.clone()),
            Appended::Repeat(entry) => Outcome::Repeat(entry.kind.clone()),
            Appended::Refused(why) => Outcome::Refused(why),
        };
        assert_eq!(outcome, model.append(side, name, text, reply));
        self.published += usize::from(matches!(outcome, Outcome::Done(_)));
    }

    async fn recall(&mut self, room: usize, side: Side, target: &Target, named: bool) {
        let (id, model) = &mut self.rooms[room];
        let name = named.then(|| "recall".to_owned());
        let store = self.world.store();
        let recalled = store.recall(*id, side, target.reference(), name).await;
        let outcome = match recalled.unwrap() {
            Recalled::Done(entry) => Outcome::Done(entry.kind.clone()),
            Recalled::Refused(why) => Outcome::Refused(why),
        };
        assert_eq!(outcome, model.recall(side, target, named));
        self.published += usize::from(matches!(outcome, Outcome::Done(_)));
    }

    async fn hide(&mut self, room: usize, side: Side, target: &Target) {
        let (id, model) = &mut self.rooms[room];
        let hidden = self.world.store().hide(*id, side, target.reference()).await;
        let outcome = match hidden.unwrap() {
            Hidden::Done(seq) => Ok(seq),
            Hidden::Refused(why) => Err(why),
        };
        assert_eq!(outcome, model.hide(side, target));
    }

    async fn react(
        &mut self,
        room: usize,
        side: Side,
        target: &Target,
        reaction: Option<Reaction>,
    ) {
        let (id, model) = &mut self.rooms[room];
        let store = self.world.store();
        let draft = ReactionDraft::heard(*id, side, target.reference(), reaction);
        let reacted = store.react(draft).await;
        let outcome = match reacted.unwrap() {
            Reacted::Done(entry) => Ok(entry.kind.clone()),
            Reacted::Same(..) => Err(None),
            Reacted::Refused(why) => Err(Some(why)),
        };
        assert_eq!(outcome, model.react(side, target, reaction));
        self.published += usize::from(outcome.is_ok());
    }

    async fn close(&mut self, room: usize, side: Side) {
        let (id, model) = &mut self.rooms[room];
        let store = self.world.store();
        let won = store
            .close_room(*id, side, LeaveReason::Left)
            .await
            .unwrap();
        assert_eq!(won, !model.closed);
        if won {
            model.closed = true;
            model.log.push(Line::Left { side });
            self.published += 1;
        }
    }

    async fn page(&mut self, room: usize, side: Side, after: u64, limit: usize) {
        let (id, model) = &self.rooms[room];
        let page = self
            .world
            .store()
            .page(*id, side, Seq(after), PageLimit::entries(limit))
            .await;
        let Some(page) = page.unwrap() else {
            assert!(model.erased);
            return;
        };
        assert!(!model.erased);
        let from = usize::try_from(after).unwrap();
        assert_eq!(plain(&page.entries), model.part(side, from, limit));
        let upto = (from + limit).min(model.log.len()) as u64;
        assert_eq!(page.upto, Seq(upto));
        assert_eq!(page.last_seq, Seq(model.log.len() as u64));
        assert_eq!(page.closed, model.closed);
    }

    async fn sweep(&mut self) {
        let day = self.world.setting.rules.retention;
        self.world.advance(day + Duration::from_secs(1));
        // No side is away here: after a restart all come back first.
        self.come_back().await;
        while self.world.store().sweep().await.unwrap().more {}
        for (_, model) in &mut self.rooms {
            model.erased |= model.closed;
        }
    }

    async fn come_back(&self) {
        for (id, _) in &self.rooms {
            for side in Side::BOTH {
                let address = crate::support::store::address(side);
                let arriving = self
                    .world
                    .store()
                    .arrive(*id, SideClaim::Side(side), address);
                arriving.await.unwrap();
            }
        }
    }

    async fn check(&mut self) {
        for (id, model) in &self.rooms {
            let known = self.world.store().positions(vec![*id]).await.unwrap();
            let room = self.world.store().room(*id).await.unwrap();
            assert_eq!(room.is_none(), model.erased);
            if model.erased {
                assert!(known.is_empty());
                continue;
            }
            let known: Vec<Seq> = known.iter().map(|it| it.last_seq).collect();
            assert_eq!(known, [Seq(model.log.len() as u64)]);
            assert_eq!(room.unwrap().active(), !model.closed);
            for side in Side::BOTH {
                let replay = self.world.replay(*id, side).await;
                assert_eq!(plain(&replay), model.replay(side));
            }
        }
        assert_eq!(self.world.sink().count(), self.published);
    }
}

fn plain(entries: &[Entry]) -> Vec<(Seq, EntryKind)> {
    let plain = entries.iter().map(|entry| (entry.seq, entry.kind.clone()));
    plain.collect()
}

fn run<X: Backend>(ops: Vec<Op>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut pair = Pair::<X>::new().await;
        for op in ops {
            pair.run(op).await;
        }
        pair.check().await;
        pair.world.crash().await;
        pair.check().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_history_is_what_the_model_says(ops in proptest::collection::vec(op(), 1..80)) {
        run::<Sqlite>(ops);
    }
}

proptest! {
    // Each step asks a server.
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn any_history_in_postgres_is_what_the_model_says(ops in proptest::collection::vec(op(), 1..80)) {
        run::<Postgres>(ops);
    }
}
