//! The room log against a simple model: whatever is done to two rooms in whatever order, restarts
//! and evictions included, every outcome and both sides' replays are what the model says.

use std::time::Duration;

use miyu::id::{RoomId, Seq, Side};
use miyu::model::{Entry, EntryKind, LeaveReason, Quote};
use miyu::store::{Appended, Draft, Hidden, Marks, Place, Recalled, Refusal};
use proptest::prelude::*;

use self::ops::{Op, Target, client_id, op};
use crate::support::store::{Sqlite, World, rules};

mod ops;

/// So few that a sequence fills a room.
const ROOM_ENTRIES: u64 = 8;
/// More than the tiny store remembers.
const ROOMS: usize = 4;

/// What a room is, in the plainest words.
#[derive(Clone, Default)]
struct Model {
    log: Vec<Line>,
    closed: bool,
    erased: bool,
}

#[derive(Clone)]
enum Line {
    Said {
        side: Side,
        name: String,
        text: Option<String>,
        reply: Option<usize>,
        hidden: [bool; 2],
    },
    Recalled {
        side: Side,
        target: usize,
        name: String,
    },
    Left {
        side: Side,
    },
}

impl Model {
    fn entry(&self, at: usize) -> EntryKind {
        match &self.log[at] {
            Line::Said {
                side,
                name,
                text,
                reply,
                ..
            } => EntryKind::Message {
                side: *side,
                client_id: name.clone(),
                content: text.clone(),
                reply: reply.map(|at| self.quote(at)),
            },
            Line::Recalled { side, target, name } => EntryKind::Recall {
                side: *side,
                target: Seq(*target as u64 + 1),
                client_id: name.clone(),
            },
            Line::Left { side } => EntryKind::Departure {
                side: *side,
                reason: LeaveReason::Left,
            },
        }
    }

    fn quote(&self, at: usize) -> Quote {
        let Line::Said { side, text, .. } = &self.log[at] else {
            panic!("a quote of no message");
        };
        Quote {
            seq: Seq(at as u64 + 1),
            side: *side,
            content: text.clone(),
        }
    }

    fn own(&self, of: Side, named: &str) -> Option<usize> {
        self.log.iter().position(
            |line| matches!(line, Line::Said { side, name, .. } if *side == of && name == named),
        )
    }

    fn find(&self, side: Side, target: &Target) -> Option<usize> {
        match target {
            Target::Name(name) => self.own(side, &client_id(*name)),
            Target::Seq(seq) => {
                let at = usize::try_from(seq.checked_sub(1)?).unwrap();
                matches!(self.log.get(at)?, Line::Said { .. }).then_some(at)
            }
        }
    }

    fn replay(&self, side: Side) -> Vec<(Seq, EntryKind)> {
        self.part(side, 0, usize::MAX)
    }

    fn part(&self, side: Side, after: usize, limit: usize) -> Vec<(Seq, EntryKind)> {
        let all = (0..self.log.len()).skip(after).take(limit);
        let shown = all.filter(
            |at| !matches!(&self.log[*at], Line::Said { hidden, .. } if hidden[side.index()]),
        );
        shown
            .map(|at| (Seq(at as u64 + 1), self.entry(at)))
            .collect()
    }

    fn append(&mut self, side: Side, name: u8, text: u8, reply: Option<&Target>) -> Outcome {
        let (name, text) = (client_id(name), format!("text {text}"));
        if self.erased {
            return Outcome::Refused(Refusal::RoomClosed);
        }
        if let Some(at) = self.own(side, &name) {
            let Line::Said { text: stored, .. } = &self.log[at] else {
                panic!("found a message");
            };
            return match stored {
                Some(stored) if *stored != text => Outcome::Refused(Refusal::ClientIdReused),
                _ => Outcome::Repeat(self.entry(at)),
            };
        }
        if self.closed {
            return Outcome::Refused(Refusal::RoomClosed);
        }
        if self.log.len() as u64 >= ROOM_ENTRIES {
            return Outcome::Refused(Refusal::RoomFull);
        }
        let reply = reply.and_then(|target| self.find(side, target));
        self.log.push(Line::Said {
            side,
            name,
            text: Some(text),
            reply,
            hidden: [false; 2],
        });
        Outcome::Done(self.entry(self.log.len() - 1))
    }

    fn recall(&mut self, by: Side, target: &Target, named: bool) -> Outcome {
        if self.erased {
            return Outcome::Refused(Refusal::RoomClosed);
        }
        let Some(at) = self.find(by, target) else {
            return Outcome::Refused(Refusal::NoSuchMessage);
        };
        let Line::Said {
            side, name, text, ..
        } = &mut self.log[at]
        else {
            panic!("found a message");
        };
        if *side != by {
            return Outcome::Refused(Refusal::NotYours);
        }
        if text.take().is_none() {
            return Outcome::Refused(Refusal::AlreadyRecalled);
        }
        let name = if named { "recall".into() } else { name.clone() };
        self.log.push(Line::Recalled {
            side: by,
            target: at,
            name,
        });
        Outcome::Done(self.entry(self.log.len() - 1))
    }

    fn hide(&mut self, by: Side, target: &Target) -> Result<Seq, Refusal> {
        if self.erased {
            return Err(Refusal::RoomClosed);
        }
        let at = self.find(by, target).ok_or(Refusal::NoSuchMessage)?;
        if let Line::Said { hidden, .. } = &mut self.log[at] {
            hidden[by.index()] = true;
        }
        Ok(Seq(at as u64 + 1))
    }
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Done(EntryKind),
    Repeat(EntryKind),
    Refused(Refusal),
}

/// A store and what it should be.
struct Pair {
    world: World<Sqlite>,
    rooms: Vec<(RoomId, Model)>,
    published: usize,
}

impl Pair {
    async fn new() -> Self {
        let mut rules = rules();
        rules.room_entries = ROOM_ENTRIES;
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
            Op::Close { room, side } => self.close(room, side).await,
            Op::Page {
                room,
                side,
                after,
                limit,
            } => self.page(room, side, after, limit).await,
            Op::Mark { room, side, cursor } => {
                let (cursor, read) = (Seq(cursor), Seq(cursor / 2));
                let room = self.rooms[room].0;
                self.world.store().mark(room, side, Marks { cursor, read });
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
            room: *id,
            side,
            client_id: client_id(name),
            content: format!("text {text}"),
            reply_to: reply.map(Target::reference),
        };
        let outcome = match self.world.store().append(draft).await.unwrap() {
            Appended::Done(entry) => Outcome::Done(entry.kind),
            Appended::Repeat(entry) => Outcome::Repeat(entry.kind),
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
            Recalled::Done(entry) => Outcome::Done(entry.kind),
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
        let page = self.world.store().page(*id, side, Seq(after), limit).await;
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
        // Nobody is away here: after a restart everybody comes back first.
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
                let arriving = self.world.store().arrive(*id, Place::Side(side), address);
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_history_is_what_the_model_says(ops in proptest::collection::vec(op(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut pair = Pair::new().await;
            for op in ops {
                pair.run(op).await;
            }
            pair.check().await;
            pair.world.crash().await;
            pair.check().await;
        });
    }
}
