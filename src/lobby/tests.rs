//! The lobby machine, event by event: each answer of the pool, each race.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

use super::*;
use crate::domain::id::{NodeId, RoomId, TicketId, Timestamp};
use crate::domain::reserved_names::StaffNames;
use crate::domain::wish::Phase;
use crate::domain::{Marks, Party};
use crate::lobby::figures::Company;
use crate::matching::{Entered, Renewed, Ticket};
use crate::push::recipient::PushHosts;
use crate::store::RelationsOf;

mod absence;
mod ending;
mod full;
mod looks;
mod notices;
mod outage;
mod pairing;
mod silence;

const TAGS: Duration = Duration::from_secs(10);
const REPEATS: Duration = Duration::from_secs(20);
const CALL_FOR: Duration = Duration::from_secs(900);

fn address(number: u64) -> Address {
    Address {
        node: NodeId(1),
        number,
    }
}

struct Bench {
    lobby: Lobby,
    start: Instant,
    at: Duration,
    out: Actions<LobbyJob>,
}

impl Bench {
    fn new() -> Self {
        let rules = LobbyRules {
            tag_patience: TAGS,
            repeat_patience: REPEATS,
            push_hosts: Some(Arc::new(PushHosts::default())),
            call_for: CALL_FOR,
            staff: Arc::new(StaffNames::of("秘語 Miyu")),
            topics: Arc::default(),
        };
        Self {
            lobby: Lobby::new(
                Encoder::new(TimeZone::UTC),
                rules,
                SessionId([1; 16]),
                PrefixHashes::default(),
                address(1),
                Box::new(|_, _| "token".into()),
                Box::new(|_| Marks::default()),
            ),
            start: Instant::now(),
            at: Duration::ZERO,
            out: Vec::new(),
        }
    }

    /// Started and prepared; the pool has not answered yet.
    fn entered(tags: &str) -> (Self, Ticket) {
        let mut bench = Self::new();
        bench.input(&start(tags));
        bench.outcome(LobbyOutcome::Prepared(Prepared::Ready(
            RelationsOf::default(),
        )));
        let ticket = bench.entering();
        (bench, ticket)
    }

    /// Started, prepared, and waiting in the pool; what that wrote is forgotten.
    fn waiting(tags: &str) -> (Self, Ticket) {
        let (mut bench, ticket) = Self::entered(tags);
        let queued = Entered::Waiting {
            replaced: None,
            resume: None,
        };
        bench.outcome(LobbyOutcome::Entered(Ok(queued), None));
        bench.out.clear();
        (bench, ticket)
    }

    fn now(&self) -> Now {
        Now {
            instant: self.start + self.at,
            wall: Timestamp(0).plus(self.at),
        }
    }

    fn input(&mut self, json: &str) {
        let action = Lobby::decode(json).unwrap();
        let now = self.now();
        self.lobby.on_input(action, now, &mut self.out);
    }

    fn outcome(&mut self, outcome: LobbyOutcome) {
        let now = self.now();
        self.lobby.on_outcome(outcome, now, &mut self.out);
    }

    fn frame(&mut self, frame: &Frame) {
        let now = self.now();
        self.lobby.on_frame(frame, now, &mut self.out);
    }

    /// What it asks for, in order.
    fn jobs(&mut self) -> Vec<LobbyJob> {
        let jobs = self.out.drain(..).filter_map(|action| match action {
            Action::Queue(job) => Some(job),
            _ => None,
        });
        jobs.collect()
    }

    /// Lets time pass until the machine's own deadline.
    fn ring(&mut self) {
        self.at = self.lobby.deadline().expect("a deadline") - self.start;
        let now = self.now();
        self.lobby.on_timer(now, &mut self.out);
    }

    fn entering(&mut self) -> Ticket {
        let ticket = self.out.drain(..).find_map(|action| match action {
            Action::Queue(LobbyJob::Enter(ticket)) => Some(*ticket),
            _ => None,
        });
        ticket.expect("entering the pool")
    }

    fn written(&mut self) -> Vec<serde_json::Value> {
        let texts = self.out.drain(..).filter_map(|action| match action {
            Action::Write(text) => serde_json::from_str(&text).ok(),
            _ => None,
        });
        texts.collect()
    }
}

fn start(tags: &str) -> String {
    format!(r#"{{"action":"start_matching","user_data":{{"user_id":"ann","tags":[{tags}]}}}}"#)
}

const CANCEL: &str = r#"{"action":"cancel_matching"}"#;

fn party(ticket: &Ticket) -> Party {
    Party {
        ticket: ticket.id,
        session: ticket.session,
        persona: ticket.persona.clone(),
        marks: Vec::new(),
        address: ticket.address,
    }
}

/// A pairing in which `ticket` is on that side, opposite another ticket.
fn pairing(ticket: &Ticket, side: Side) -> Arc<Pairing> {
    let mut other = party(ticket);
    other.ticket = TicketId::fresh();
    other.address = address(2);
    let parties = match side {
        Side::A => [party(ticket), other],
        Side::B => [other, party(ticket)],
    };
    Arc::new(Pairing {
        room: ticket.room,
        parties,
        common_tags: vec![],
        is_bot: false,
    })
}

#[test]
fn patience_relaxes_step_by_step() {
    let (mut bench, ticket) = Bench::waiting(r#""音樂""#);
    assert_eq!(ticket.phase, Phase::SharedTags);
    let mut phases = vec![];
    while bench.at < REPEATS + TAGS {
        bench.ring();
        for action in std::mem::take(&mut bench.out) {
            match action {
                Action::Queue(LobbyJob::Enter(again)) => {
                    assert_eq!((again.id, again.since), (ticket.id, ticket.since));
                    phases.push((bench.at, again.phase));
                    let queued = Entered::Waiting {
                        replaced: None,
                        resume: None,
                    };
                    bench.outcome(LobbyOutcome::Entered(Ok(queued), None));
                }
                Action::Queue(LobbyJob::Renew(_)) => {
                    bench.outcome(LobbyOutcome::Renewed(Ok(Renewed::Waiting), None));
                }
                _ => {}
            }
        }
    }
    // And a patient search looks again and again.
    let (last, again) = (REPEATS, REPEATS + TAGS);
    let relaxed = [(TAGS, Phase::Anyone), (last, Phase::Repeats)];
    assert_eq!(phases, [&relaxed[..], &[(again, Phase::Repeats)]].concat());
}

#[test]
fn what_is_told_while_waiting_changes_only_with_the_numbers() {
    let (mut bench, _) = Bench::waiting("");
    let few = Company {
        waiting: 1,
        unfit: false,
    };
    // Twice the same is told once; no word of the others changes nothing.
    let mut told = 0;
    for company in [None, Some(few), Some(few), None, Some(Company::default())] {
        bench.outcome(LobbyOutcome::Renewed(Ok(Renewed::Waiting), company));
        for frame in bench.written() {
            told += 1;
            assert_eq!(frame["waiting"], company.unwrap().waiting);
            assert_eq!(frame["unfit"], false);
        }
    }
    assert_eq!(told, 2);
}

#[test]
fn when_a_number_is_told_does_not_say_when_it_changed() {
    let (mut bench, _) = Bench::waiting("");
    let mut pauses = std::collections::BTreeSet::new();
    while bench.at < REPEATS {
        let before = bench.at;
        bench.ring();
        if let [LobbyJob::Renew(_)] = bench.jobs()[..] {
            let pause = bench.at - before;
            assert!((TICK..TICK + JITTER).contains(&pause), "{pause:?}");
            pauses.insert(pause);
            bench.outcome(LobbyOutcome::Renewed(Ok(Renewed::Waiting), None));
        } else {
            let queued = Entered::Waiting {
                replaced: None,
                resume: None,
            };
            bench.outcome(LobbyOutcome::Entered(Ok(queued), None));
        }
    }
    assert!(pauses.len() > 1, "{pauses:?}");
}

#[test]
fn a_newer_connection_under_the_same_name_ends_the_search() {
    let (mut bench, ticket) = Bench::waiting("");
    bench.frame(&Frame::TicketReplaced(TicketId::fresh()));
    assert!(bench.out.is_empty());
    bench.frame(&Frame::TicketReplaced(ticket.id));
    let withdraws =
        |action: &Action<LobbyJob>| matches!(action, Action::Queue(LobbyJob::Withdraw(_)));
    assert!(bench.out.iter().any(withdraws));
    assert_eq!(bench.written()[0]["action"], "replaced");
    assert!(bench.lobby.farewell().is_none());
}

#[test]
fn a_room_the_user_is_in_is_waited_for_then_named() {
    let mut bench = Bench::new();
    let room = RoomId::fresh();
    bench.input(&start(""));
    let mut looks = 0;
    loop {
        bench.out.clear();
        bench.outcome(LobbyOutcome::Prepared(Prepared::InRoom(room)));
        if bench.lobby.deadline().is_none() {
            break;
        }
        bench.ring();
        looks += 1;
    }
    assert_eq!(looks, 25);
    assert_eq!(bench.written()[0]["action"], "in_room");
}

#[test]
fn too_many_searches_are_told_when_to_come_back() {
    let mut bench = Bench::new();
    bench.input(&start(""));
    bench.outcome(LobbyOutcome::Prepared(Prepared::Limited(
        Duration::from_secs(3),
    )));
    let told = bench.written();
    assert_eq!(told[0]["code"], "rate_limited");
    assert_eq!(told[0]["retry_after_ms"], 3000);
}

#[test]
fn an_expired_ticket_is_entered_again() {
    let (mut bench, ticket) = Bench::waiting("");
    bench.ring();
    bench.out.clear();
    bench.outcome(LobbyOutcome::Renewed(Ok(Renewed::Gone), None));
    assert_eq!(bench.entering().id, ticket.id);
}
