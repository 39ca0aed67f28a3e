//! The chat machine, event by event: no socket, no clock, no store. Here is the scene that all of
//! them play on.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

use super::*;
use crate::domain::id::{NodeId, RoomId, Timestamp};
use crate::domain::{
    Departure, Entry, EntryKind, LeaveReason, Persona, Profile, Room, RoomSide, UserId,
};
use crate::protocol::CloseReason;
use crate::protocol::server::EntryTexts;
use crate::store::{Page, StoreError};

mod calls;
mod closing;
mod crossing;
mod hushed;
mod log;
mod presence;
mod seats;

const GRACE: Duration = Duration::from_secs(300);
const SETTLE: Duration = Duration::from_secs(2);

fn address(number: u64) -> Address {
    Address {
        node: NodeId(1),
        number,
    }
}

fn side(name: &str, session: u8) -> RoomSide {
    RoomSide {
        session: SessionId([session; 16]),
        persona: Persona {
            user_id: UserId::parse(name).unwrap(),
            profile: Profile::parse(name, "1", "", ""),
        },
        joined_at: None,
        connection: None,
        away_since: None,
        version: 0,
        cursor: Seq::ZERO,
        read: Seq::ZERO,
        call_for: None,
    }
}

fn room(sessions: [u8; 2]) -> Room {
    Room {
        id: RoomId::fresh(),
        sides: [side("ann", sessions[0]), side("bob", sessions[1])],
        common_tags: vec![],
        is_bot: false,
        opened_at: Timestamp(0),
        closes_at: None,
        erases_at: None,
        departure: None,
        last_seq: Seq::ZERO,
    }
}

/// A room that Bob left, and the entry that says so.
fn closed_at(seq: u64) -> (Room, Entry) {
    let departure = Departure {
        seq: Seq(seq),
        at: Timestamp(0),
        side: Side::B,
        reason: LeaveReason::Left,
    };
    let closed = Room {
        departure: Some(departure),
        last_seq: Seq(seq),
        ..room([1, 2])
    };
    (closed, departure.entry())
}

/// As the store answers the arrival: this side's first, unless the scene says otherwise.
fn arrived(mut room: Room) -> Room {
    let mine = &mut room.sides[0];
    mine.connection = Some(address(1));
    mine.version = mine.version.max(1);
    room
}

struct Bench {
    chat: Chat,
    start: Instant,
    out: Actions<ChatJob>,
}

fn encoder() -> Encoder {
    Encoder::new(TimeZone::UTC)
}

impl Bench {
    fn open(room: Room, provisional: bool) -> Self {
        Self::open_as(room, provisional, Some(Seq::ZERO))
    }

    /// By a client that says it has seen this much; `None`: by one that cannot say.
    fn open_after(room: Room, after: Option<Seq>) -> Self {
        Self::open_as(room, false, after)
    }

    fn open_as(room: Room, provisional: bool, after: Option<Seq>) -> Self {
        Self::open_told(room, provisional, after, false)
    }

    /// `together`: by a client that takes many entries in a frame.
    fn open_told(room: Room, provisional: bool, after: Option<Seq>, together: bool) -> Self {
        let rules = ChatRules {
            reconnect_grace: GRACE,
            call_for: 3 * GRACE,
            presence_settle: SETTLE,
            closing_notice: Duration::from_secs(600),
        };
        let room = arrived(room);
        let opening = Opening {
            people: RoomPeople::of(&room),
            room,
            side: Side::A,
            connection: address(1),
            provisional,
            after: after.map(KnownEntry::from),
            together,
        };
        let mut bench = Self {
            chat: Chat::new(encoder(), Arc::new(rules), opening),
            start: Instant::now(),
            out: Vec::new(),
        };
        let now = bench.now(Duration::ZERO);
        bench.chat.open(now, &mut bench.out);
        bench
    }

    /// Opened, paged, nothing said yet.
    fn live(room: Room, provisional: bool) -> Self {
        let mut bench = Self::open(room, provisional);
        bench.paged(&[], 0);
        bench.out.clear();
        bench
    }

    fn now(&self, after: Duration) -> Now {
        Now {
            instant: self.start + after,
            wall: Timestamp(0).plus(after),
        }
    }

    fn paged(&mut self, entries: &[Entry], last: u64) {
        self.outcome(ChatOutcome::Paged(Ok(Some(page(entries, last))), None));
    }

    /// The rest of the log, and the room as it was when that was read.
    fn paged_with(&mut self, room: Room, entries: &[Entry]) {
        let page = Page {
            closed: !room.active(),
            ..page(entries, room.last_seq.0)
        };
        self.outcome(ChatOutcome::Paged(Ok(Some(page)), Some(Box::new(room))));
    }

    fn outcome(&mut self, outcome: ChatOutcome) {
        let now = self.now(Duration::ZERO);
        self.chat.on_outcome(outcome, now, &mut self.out);
    }

    fn input(&mut self, json: &str) {
        let frame = Chat::decode(json).unwrap();
        let now = self.now(Duration::ZERO);
        self.chat.on_input(frame, now, &mut self.out);
    }

    fn frame(&mut self, frame: &Frame, after: Duration) {
        let now = self.now(after);
        self.chat.on_frame(frame, now, &mut self.out);
    }

    fn timer(&mut self, after: Duration) {
        let now = self.now(after);
        self.chat.on_timer(now, &mut self.out);
    }

    /// The frames written since the last look.
    fn frames(&mut self) -> Vec<Text> {
        let texts = self.out.drain(..).flat_map(|action| match action {
            Action::Write(text) => vec![text],
            Action::Replay(replay) => replay.collect(),
            _ => vec![],
        });
        texts.collect()
    }

    /// Their actions.
    fn written(&mut self) -> Vec<String> {
        let actions = self.frames().into_iter().map(|text| {
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            json["action"].as_str().unwrap().to_owned()
        });
        actions.collect()
    }

    fn jobs(&mut self) -> Vec<ChatJob> {
        let jobs = self.out.drain(..).filter_map(|action| match action {
            Action::Queue(job) | Action::Background(job) => Some(job),
            _ => None,
        });
        jobs.collect()
    }
}

fn page(entries: &[Entry], last: u64) -> Page {
    Page {
        entries: entries.to_vec(),
        upto: Seq(last),
        last_seq: Seq(last),
        closed: false,
    }
}

fn message(seq: u64) -> Entry {
    Entry {
        seq: Seq(seq),
        at: Timestamp(0),
        kind: EntryKind::Message {
            side: Side::B,
            client_id: format!("c{seq}"),
            content: Some("hi".into()),
            reply: None,
        },
    }
}

fn texts(entry: &Entry) -> EntryTexts {
    let room = room([1, 2]);
    let personas = room.sides.map(|side| side.persona);
    encoder().entry_texts(room.id, &personas, entry)
}

fn live(seq: u64) -> Frame {
    Frame::Entry {
        seq: Seq(seq),
        by: Side::B,
        role: EntryRole::Word,
        texts: texts(&message(seq)),
    }
}
