//! The contract of `SafetyStore`, one test per behaviour and backend.

use std::time::Duration;

use miyu::domain::Pairing;
use miyu::domain::id::{RoomId, SessionId, Side};
use miyu::domain::safety::report::Chosen;
use miyu::domain::safety::{
    Actor, Case, CaseId, DecisionDraft, Finding, LoginHash, NetworkKey, Networks, OperatorDraft,
    OperatorId, OperatorName, Reason, ReportDraft, ReportId, Role, Sanction, SanctionDraft,
    SanctionKind, SanctionTarget,
};
use miyu::store::safety::{Acted, CaseFile, OperatorMade, Reported};

use crate::support::store::{Backend, Sqlite, World, pairing_of};

mod appeals;
mod audit;
mod automatic;
mod bad_faith;
mod cases;
mod decisions;
mod evidence;
mod operators;
mod reports;
mod sanctions;
mod settings;
mod steps;
mod upkeep;

/// Runs each behaviour as a test of each backend.
macro_rules! for_each_backend {
    ($($name:ident)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name::<super::Sqlite>().await;
                }
            )*
        }
        mod postgres {
            use crate::support::postgres::Postgres;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name::<Postgres>().await;
                }
            )*
        }
    };
}
use for_each_backend;

const A: Side = Side::A;
const B: Side = Side::B;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The networks of an address.
fn networks(address: &str) -> Networks {
    NetworkKey::new(&[7; 32]).networks(address.parse().unwrap())
}

/// A report by side A about side B.
fn draft(pairing: &Pairing, reason: Reason) -> ReportDraft {
    ReportDraft {
        id: ReportId::fresh(),
        reporter: pairing.parties[0].session,
        room: pairing.room,
        side: A,
        reason,
        note: String::new(),
        chosen: Chosen::All,
        claims: Vec::new(),
        networks: None,
    }
}

/// A room of someone new with this session, on side B, which has said something.
async fn room_with<X: Backend>(world: &World<X>, subject: SessionId) -> Pairing {
    let pairing = room_in_silence(world, subject).await;
    world.say(pairing.room, B, "b", "something rude").await;
    pairing
}

/// The same, where nothing was said.
async fn room_in_silence<X: Backend>(world: &World<X>, subject: SessionId) -> Pairing {
    let pairing = pairing_of(SessionId::fresh(), subject);
    world.store().create_room(&pairing).await.unwrap();
    for side in Side::BOTH {
        let place = miyu::store::SideClaim::Side(side);
        let address = crate::support::store::address(side);
        let arrived = world.store().arrive(pairing.room, place, address).await;
        arrived.unwrap().unwrap();
    }
    pairing
}

/// Reports it; it must be taken. Answers what the automatic step did.
async fn report<X: Backend>(world: &World<X>, draft: &ReportDraft) -> Option<Sanction> {
    match world.safety().report(draft.clone()).await.unwrap() {
        Reported::Done { report, automatic } => {
            assert_eq!(report, draft.id);
            automatic
        }
        other => panic!("not taken: {other:?}"),
    }
}

/// A new stranger meets the subject and reports them.
async fn reported_by_stranger<X: Backend>(
    world: &World<X>,
    subject: SessionId,
    reason: Reason,
) -> ReportDraft {
    let pairing = room_with(world, subject).await;
    let draft = draft(&pairing, reason);
    report(world, &draft).await;
    draft
}

/// The cases that wait.
async fn queue<X: Backend>(world: &World<X>) -> Vec<Case> {
    world.safety().queue().await.unwrap()
}

/// The only case that waits.
async fn only_case<X: Backend>(world: &World<X>) -> Case {
    let mut queue = queue(world).await;
    assert_eq!(queue.len(), 1);
    queue.remove(0)
}

async fn file<X: Backend>(world: &World<X>, case: CaseId) -> CaseFile {
    world.safety().case(case).await.unwrap().expect("a case")
}

/// A new operator.
async fn operator<X: Backend>(world: &World<X>, name: &str, role: Role) -> OperatorId {
    let draft = operator_draft(name, role);
    match world.safety().make_operator(draft, Actor::Local).await {
        Ok(OperatorMade::Done(id)) => id,
        other => panic!("not made: {other:?}"),
    }
}

fn operator_draft(name: &str, role: Role) -> OperatorDraft {
    OperatorDraft {
        name: OperatorName::parse(name).unwrap(),
        role,
        password: format!("$argon2id$of {name}"),
    }
}

fn hash(number: u8) -> LoginHash {
    LoginHash([number; 32])
}

/// A decision that finds a violation, with what follows on the subject.
fn violation(case: &Case, by: Actor, sanctions: &[SanctionDraft]) -> DecisionDraft {
    DecisionDraft {
        case: case.id,
        by,
        finding: Finding::Violation,
        rule: case.reason,
        note: "seen".into(),
        text: "because".into(),
        reporter_text: "thank you".into(),
        seen_reports: None,
        sanctions: sanctions.to_vec(),
    }
}

fn no_violation(case: &Case, by: Actor) -> DecisionDraft {
    DecisionDraft {
        finding: Finding::NoViolation,
        ..violation(case, by, &[])
    }
}

fn on(session: SessionId, kind: SanctionKind, length: Option<Duration>) -> SanctionDraft {
    SanctionDraft {
        target: SanctionTarget::Session(session),
        kind,
        length,
    }
}

/// It took effect.
fn done<T: std::fmt::Debug>(acted: Result<Acted<T>, miyu::store::StoreError>) -> T {
    match acted.unwrap() {
        Acted::Done(done) => done,
        Acted::Refused(why) => panic!("refused: {why:?}"),
    }
}

/// Why it did not.
fn refused<T: std::fmt::Debug>(
    acted: Result<Acted<T>, miyu::store::StoreError>,
) -> miyu::store::safety::ActRefusal {
    match acted.unwrap() {
        Acted::Refused(why) => why,
        Acted::Done(done) => panic!("done: {done:?}"),
    }
}

/// The room of a pairing is closed and erased.
async fn erase_room<X: Backend>(world: &World<X>, room: RoomId) {
    let left = miyu::domain::LeaveReason::Left;
    world.store().close_room(room, A, left).await.unwrap();
    world.advance(world.setting.rules.retention + SECOND);
    while world.store().sweep().await.unwrap().more {}
    assert_eq!(world.store().room(room).await.unwrap(), None);
}
