//! The chat machine, event by event: no socket, no clock, no store.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

use super::*;
use crate::id::{NodeId, Timestamp};
use crate::model::{Departure, LeaveReason, Profile, RoomSide, UserId};
use crate::protocol::server::EntryTexts;

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
        cursor: Seq::ZERO,
        read: Seq::ZERO,
    }
}

fn room(sessions: [u8; 2]) -> Room {
    Room {
        id: RoomId::fresh(),
        sides: [side("ann", sessions[0]), side("bob", sessions[1])],
        common_tags: vec![],
        is_bot: false,
        opened_at: Timestamp(0),
        departure: None,
        last_seq: Seq::ZERO,
    }
}

struct Bench {
    chat: Chat,
    start: Instant,
    out: Actions<Job>,
}

fn encoder() -> Encoder {
    Encoder::new(TimeZone::UTC)
}

impl Bench {
    fn open(room: Room, provisional: bool) -> Self {
        let rules = ChatRules {
            reconnect_grace: GRACE,
            presence_settle: SETTLE,
        };
        let opening = Opening {
            room,
            side: Side::A,
            connection: address(1),
            provisional,
            after: Some(Seq::ZERO),
        };
        let mut bench = Self {
            chat: Chat::new(encoder(), rules, opening),
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
        let page = Page {
            entries: entries.to_vec(),
            upto: Seq(last),
            last_seq: Seq(last),
            closed: false,
        };
        let now = self.now(Duration::ZERO);
        self.chat
            .on_outcome(Outcome::Paged(Ok(Some(page)), None), now, &mut self.out);
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

    /// The actions of the frames written since the last look.
    fn written(&mut self) -> Vec<String> {
        let texts = self.out.drain(..).filter_map(|action| match action {
            Action::Write(text) => {
                let json: serde_json::Value = serde_json::from_str(&text).unwrap();
                Some(json["action"].as_str().unwrap().to_owned())
            }
            _ => None,
        });
        texts.collect()
    }

    fn jobs(&mut self) -> Vec<Job> {
        let jobs = self.out.drain(..).filter_map(|action| match action {
            Action::Queue(job) | Action::Aside(job) => Some(job),
            _ => None,
        });
        jobs.collect()
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
    encoder().entry_texts(&personas, entry)
}

fn live(seq: u64) -> Frame {
    Frame::Entry {
        seq: Seq(seq),
        by: Side::B,
        closes: false,
        texts: texts(&message(seq)),
    }
}

#[test]
fn opening_tells_the_state_then_reads_the_log() {
    let mut bench = Bench::open(room([1, 2]), false);
    assert!(matches!(
        &bench.out[..],
        [
            Action::Write(_),
            Action::Aside(Job::Page { after: Seq(0), .. })
        ]
    ));
    assert_eq!(bench.written(), ["room_state"]);
    bench.paged(&[message(1), message(2)], 2);
    assert_eq!(bench.written(), ["new_message", "new_message"]);
    bench.frame(&live(2), Duration::ZERO);
    assert_eq!(bench.written(), Vec::<String>::new());
    bench.frame(&live(3), Duration::ZERO);
    assert_eq!(bench.written(), ["new_message"]);
}

#[test]
fn a_closed_room_always_tells_its_end_once() {
    let departure = Departure {
        seq: Seq(3),
        at: Timestamp(0),
        side: Side::B,
        reason: LeaveReason::Left,
    };
    let closed = Room {
        departure: Some(departure),
        last_seq: Seq(3),
        ..room([1, 2])
    };
    let mut bench = Bench::open(closed.clone(), false);
    bench.written();
    bench.paged(&[message(1), departure.entry()], 3);
    assert_eq!(bench.written(), ["new_message", "user_left"]);

    let mut bench = Bench::open(closed, false);
    bench.written();
    bench.paged(&[], 3);
    assert_eq!(bench.written(), ["user_left"]);
}

#[test]
fn a_hole_is_read_after_a_short_wait() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.frame(&live(2), Duration::ZERO);
    assert!(bench.out.is_empty());
    let wait = bench.chat.deadline().unwrap() - bench.start;
    bench.timer(wait);
    assert!(matches!(
        bench.jobs()[..],
        [Job::Page {
            after: Seq(0),
            cause: "hole",
            ..
        }]
    ));
}

#[test]
fn a_store_that_does_not_answer_is_asked_again() {
    let mut bench = Bench::open(room([1, 2]), false);
    bench.out.clear();
    let error = StoreError::Unavailable("test".into());
    let now = bench.now(Duration::ZERO);
    bench
        .chat
        .on_outcome(Outcome::Paged(Err(error), None), now, &mut bench.out);
    assert!(bench.out.is_empty());
    bench.timer(stream::RETRY);
    assert!(matches!(bench.jobs()[..], [Job::Page { .. }]));
}

#[test]
fn somebody_elses_user_id_is_refused() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.input(r#"{"action":"find_next","user_id":"bob"}"#);
    assert_eq!(bench.written(), ["error"]);
    bench.input(r#"{"action":"find_next","user_id":"ann"}"#);
    assert!(matches!(
        bench.jobs()[..],
        [Job::Leave {
            side: Side::A,
            block: None
        }]
    ));
}

#[test]
fn a_guessed_side_is_corrected_by_the_first_user_id() {
    let mut bench = Bench::live(room([1, 1]), true);
    bench.input(r#"{"action":"find_next","user_id":"bob"}"#);
    assert!(matches!(
        bench.jobs()[..],
        [
            Job::Publish(Frame::Swapped { .. }),
            Job::Arrive {
                side: Side::B,
                instead_of: Some(Side::A)
            },
            Job::Leave { side: Side::B, .. }
        ]
    ));
}

#[test]
fn the_other_guessed_side_swaps_as_well() {
    let session = SessionId([1; 16]);
    let by = address(2);
    let mut bench = Bench::live(room([1, 1]), true);
    bench.frame(&Frame::Swapped { session, by }, Duration::ZERO);
    assert!(matches!(
        bench.jobs()[..],
        [Job::Arrive {
            side: Side::B,
            instead_of: Some(Side::A)
        }]
    ));
    let mut sure = Bench::live(room([1, 1]), false);
    sure.frame(&Frame::Swapped { session, by }, Duration::ZERO);
    assert!(sure.out.is_empty());
}

#[test]
fn a_replaced_connection_is_silent_until_it_is_the_newest_again() {
    let mut bench = Bench::live(room([1, 2]), false);
    let opened = Frame::Opened {
        side: Side::A,
        connection: address(2),
    };
    bench.frame(&opened, Duration::ZERO);
    assert_eq!(bench.written(), ["replaced"]);
    bench.frame(&live(1), Duration::ZERO);
    assert!(bench.out.is_empty());
    bench.input(r#"{"action":"send_message","message":{"content":"x","client_id":"c"}}"#);
    assert!(matches!(bench.jobs()[..], [Job::Append(_)]));
    let closed = Frame::Closed {
        side: Side::A,
        connection: address(2),
        away: true,
    };
    bench.frame(&closed, Duration::ZERO);
    assert!(matches!(
        bench.jobs()[..],
        [
            Job::Arrive {
                side: Side::A,
                instead_of: None
            },
            Job::Page { after: Seq(0), .. }
        ]
    ));
}

#[test]
fn an_older_connection_that_comes_back_replaces_nobody() {
    let mut bench = Bench::live(room([1, 2]), false);
    let back = Frame::Opened {
        side: Side::A,
        connection: address(0),
    };
    bench.frame(&back, Duration::ZERO);
    assert!(bench.out.is_empty());
    // The store believed that one last: without it the side would be away.
    let closed = |away| Frame::Closed {
        side: Side::A,
        connection: address(0),
        away,
    };
    bench.frame(&closed(false), Duration::ZERO);
    assert!(bench.out.is_empty());
    bench.frame(&closed(true), Duration::ZERO);
    let arrives = Job::Arrive {
        side: Side::A,
        instead_of: None,
    };
    assert_eq!(format!("{:?}", bench.jobs()), format!("{:?}", [arrives]));
}

#[test]
fn one_replaced_connection_too_many_is_closed() {
    let mut bench = Bench::live(room([1, 2]), false);
    for number in 2..=4 {
        let opened = Frame::Opened {
            side: Side::A,
            connection: address(number),
        };
        bench.frame(&opened, Duration::ZERO);
    }
    let last = bench.out.pop();
    assert!(matches!(last, Some(Action::Close(CloseReason::Replaced))));
    assert_eq!(bench.written(), ["replaced"]);
}

#[test]
fn an_absence_is_told_after_it_settled() {
    let mut online = room([1, 2]);
    online.sides[1].connection = Some(address(9));
    let mut bench = Bench::live(online, false);
    let closed = Frame::Closed {
        side: Side::B,
        connection: address(9),
        away: true,
    };
    bench.frame(&closed, Duration::ZERO);
    assert!(bench.out.is_empty());
    bench.timer(SETTLE);
    let Some(Action::Write(text)) = bench.out.pop() else {
        panic!("nothing told")
    };
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["action"], "partner_status");
    assert_eq!(json["grace_ends_ms"], 298_000);
    let opened = Frame::Opened {
        side: Side::B,
        connection: address(10),
    };
    bench.frame(&opened, SETTLE);
    assert_eq!(bench.written(), ["partner_status"]);
}

#[test]
fn nobody_is_watched_in_a_closed_room() {
    let departure = Departure {
        seq: Seq(1),
        at: Timestamp(0),
        side: Side::B,
        reason: LeaveReason::Left,
    };
    let closed = Room {
        departure: Some(departure),
        last_seq: Seq(1),
        ..room([1, 2])
    };
    let mut bench = Bench::open(closed, false);
    bench.paged(&[departure.entry()], 1);
    bench.out.clear();
    let (side, connection) = (Side::B, address(9));
    bench.frame(&Frame::Opened { side, connection }, Duration::ZERO);
    let seq = Seq(1);
    bench.frame(&Frame::Read { side, seq }, Duration::ZERO);
    let away = true;
    bench.frame(
        &Frame::Closed {
            side,
            connection,
            away,
        },
        Duration::ZERO,
    );
    bench.timer(SETTLE);
    assert!(bench.out.is_empty());
}

#[test]
fn the_cursor_is_what_reached_the_socket() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.frame(&live(1), Duration::ZERO);
    bench.chat.on_flushed();
    bench.frame(&live(2), Duration::ZERO);
    let Some(Job::Depart { marks, .. }) = bench.chat.farewell() else {
        panic!("no departure")
    };
    assert_eq!(marks.cursor, Seq(1));
}

#[test]
fn an_arrival_that_was_not_written_is_written_later() {
    let mut bench = Bench::live(room([1, 2]), false);
    let now = bench.now(Duration::ZERO);
    bench
        .chat
        .on_outcome(Outcome::NotArrived, now, &mut bench.out);
    bench.timer(stream::RETRY);
    assert!(matches!(bench.jobs()[..], [Job::Arrive { .. }]));
}

#[test]
fn typing_expires_and_ends_with_a_message() {
    let mut bench = Bench::live(room([1, 2]), false);
    let typing = Frame::Typing {
        side: Side::B,
        is_typing: true,
    };
    bench.frame(&typing, Duration::ZERO);
    assert_eq!(bench.written(), ["partner_typing"]);
    bench.timer(Duration::from_secs(6));
    assert_eq!(bench.written(), ["partner_typing"]);
    bench.frame(&typing, Duration::from_secs(7));
    bench.frame(&live(1), Duration::from_secs(8));
    assert_eq!(
        bench.written(),
        ["partner_typing", "partner_typing", "new_message"]
    );
}

#[test]
fn own_typing_is_passed_on_sparingly() {
    let mut bench = Bench::live(room([1, 2]), false);
    let typing = r#"{"action":"typing","is_typing":true}"#;
    bench.input(typing);
    bench.input(typing);
    assert_eq!(bench.jobs().len(), 1);
    bench.input(r#"{"action":"typing","is_typing":false}"#);
    bench.input(r#"{"action":"typing","is_typing":false}"#);
    assert_eq!(bench.jobs().len(), 1);
}

#[test]
fn reading_ahead_of_the_log_counts_as_reading_all_of_it() {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.frame(&live(1), Duration::ZERO);
    bench.out.clear();
    bench.input(r#"{"action":"read","seq":999}"#);
    assert!(matches!(
        bench.jobs()[..],
        [
            Job::Mark { .. },
            Job::Publish(Frame::Read { seq: Seq(1), .. })
        ]
    ));
    bench.input(r#"{"action":"read","seq":1}"#);
    assert!(bench.out.is_empty());
}

#[test]
fn clients_of_the_original_are_not_shown_recalled_messages() {
    let mut recalled = message(1);
    let EntryKind::Message { content, .. } = &mut recalled.kind else {
        panic!("a message")
    };
    *content = None;
    let rules = ChatRules {
        reconnect_grace: GRACE,
        presence_settle: SETTLE,
    };
    for (after, told) in [(None, 1), (Some(Seq::ZERO), 2)] {
        let opening = Opening {
            room: room([1, 2]),
            side: Side::A,
            connection: address(1),
            provisional: false,
            after,
        };
        let mut bench = Bench {
            chat: Chat::new(encoder(), rules.clone(), opening),
            start: Instant::now(),
            out: Vec::new(),
        };
        let now = bench.now(Duration::ZERO);
        bench.chat.open(now, &mut bench.out);
        bench.out.clear();
        bench.paged(&[recalled.clone(), message(2)], 2);
        assert_eq!(bench.written().len(), told);
    }
}

#[test]
fn a_room_that_is_gone_lets_its_client_go() {
    let mut bench = Bench::open(room([1, 2]), false);
    bench.out.clear();
    let now = bench.now(Duration::ZERO);
    bench
        .chat
        .on_outcome(Outcome::Paged(Ok(None), None), now, &mut bench.out);
    let last = bench.out.pop();
    assert!(matches!(last, Some(Action::Close(CloseReason::RoomGone))));
    assert_eq!(bench.written(), ["user_left"]);
}
