//! Reports and what follows against a simple model: whatever people, operators and time do in whatever order,
//! crashes included, the queue, the verdicts and what holds are what the model says.

use std::time::Duration;

use miyu::domain::Pairing;
use miyu::domain::id::{SessionId, Side};
use miyu::domain::safety::report::Chosen;
use miyu::domain::safety::{
    Actor, CaseState, DecisionDraft, Finding, OperatorDraft, OperatorId, OperatorName, Reason,
    ReportDraft, ReportId, Role, SanctionDraft, SanctionId, SanctionKind, SanctionTarget,
};
use miyu::store::safety::{Acted, OperatorMade, Reported, Withdrawn};
use proptest::prelude::*;

use self::model::{Model, ROOMS, SUBJECTS};
use crate::support::postgres::Postgres;
use crate::support::store::{Backend, Sqlite, World, pairing_of};

mod model;

const OPERATORS: usize = 2;
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What may happen. Numbers name rooms, subjects, operators and cases in the order of the queue.
#[derive(Clone, Debug)]
enum Op {
    /// The stranger of this room reports its subject.
    Report(usize, Reason),
    Withdraw(usize),
    Claim(usize, usize),
    Next(usize),
    Decide(usize, usize, bool),
    Skip(usize, usize),
    Escalate(usize, usize),
    Reopen(usize),
    Invalidate(usize),
    /// So many minutes pass.
    Wait(u64),
    Sweep,
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    let reason = prop::sample::select(Reason::ALL.to_vec());
    prop_oneof![
        6 => (0..ROOMS, reason).prop_map(|(room, reason)| Op::Report(room, reason)),
        2 => (0..ROOMS).prop_map(Op::Withdraw),
        2 => (0..OPERATORS, 0..SUBJECTS).prop_map(|(by, at)| Op::Claim(by, at)),
        2 => (0..OPERATORS).prop_map(Op::Next),
        3 => (0..OPERATORS, 0..SUBJECTS, any::<bool>())
            .prop_map(|(by, at, found)| Op::Decide(by, at, found)),
        1 => (0..OPERATORS, 0..SUBJECTS).prop_map(|(by, at)| Op::Skip(by, at)),
        1 => (0..OPERATORS, 0..SUBJECTS).prop_map(|(by, at)| Op::Escalate(by, at)),
        1 => (0..SUBJECTS * 2).prop_map(Op::Reopen),
        1 => (0..ROOMS).prop_map(Op::Invalidate),
        2 => (1_u64..30).prop_map(Op::Wait),
        1 => Just(Op::Sweep),
        1 => Just(Op::Crash),
    ]
}

/// A store and what it should be.
struct Pair<X> {
    world: World<X>,
    rooms: Vec<Pairing>,
    operators: Vec<OperatorId>,
    model: Model,
}

impl<X: Backend> Pair<X> {
    async fn new() -> Self {
        let world = World::<X>::new().await;
        let subjects: Vec<_> = (0..SUBJECTS).map(|_| SessionId::fresh()).collect();
        let mut rooms = Vec::new();
        for room in 0..ROOMS {
            let pairing = pairing_of(SessionId::fresh(), subjects[room % SUBJECTS]);
            world.store().create_room(&pairing).await.unwrap();
            world.say(pairing.room, Side::B, "b", "said").await;
            rooms.push(pairing);
        }
        let mut operators = Vec::new();
        for (number, role) in [Role::Moderator, Role::Administrator]
            .into_iter()
            .enumerate()
        {
            let draft = OperatorDraft {
                name: OperatorName::parse(&format!("operator {number}")).unwrap(),
                role,
                password: String::new(),
            };
            let made = world
                .safety()
                .make_operator(draft, Actor::Local)
                .await
                .unwrap();
            let OperatorMade::Done(id) = made else {
                panic!("not made: {made:?}");
            };
            operators.push(id);
        }
        let model = Model::new(subjects);
        Self {
            world,
            rooms,
            operators,
            model,
        }
    }

    async fn run(&mut self, op: Op) {
        let now = self.world.setting.now.get();
        match op {
            Op::Report(room, reason) => self.report(room, reason).await,
            Op::Withdraw(room) => {
                let Some(report) = self.model.newest_of(room) else {
                    return;
                };
                let reporter = self.rooms[room].parties[0].session;
                let withdrawn = self
                    .world
                    .safety()
                    .withdraw(reporter, report)
                    .await
                    .unwrap();
                let expected = match self.model.withdraw(report) {
                    true => Withdrawn::Done,
                    false => Withdrawn::Decided,
                };
                assert_eq!(withdrawn, expected);
            }
            Op::Claim(by, at) => {
                let Some(case) = self.model.waiting(at) else {
                    return;
                };
                let claimed = self.world.safety().claim(case, self.operators[by]).await;
                let claimed = matches!(claimed.unwrap(), miyu::store::safety::Claimed::Done(_));
                assert_eq!(claimed, self.model.claim(case, by, now));
            }
            Op::Next(by) => {
                let next = self.world.safety().claim_next(self.operators[by]).await;
                let next = next.unwrap().map(|case| case.id);
                assert_eq!(next, self.model.claim_next(by, now));
            }
            Op::Decide(by, at, found) => self.decide(by, at, found).await,
            Op::Skip(by, at) => {
                let Some(case) = self.model.waiting(at) else {
                    return;
                };
                let actor = Actor::Operator(self.operators[by]);
                let skipped = self
                    .world
                    .safety()
                    .skip(case, actor, String::new(), None)
                    .await
                    .unwrap();
                let may = self.model.may_act(case, by, now);
                assert_eq!(skipped == Acted::Done(()), may);
                if may {
                    self.model.close(case, CaseState::Skipped, None);
                }
            }
            Op::Escalate(by, at) => {
                let Some(case) = self.model.waiting(at) else {
                    return;
                };
                let actor = Actor::Operator(self.operators[by]);
                let done = self
                    .world
                    .safety()
                    .escalate(case, actor, String::new())
                    .await
                    .unwrap();
                assert_eq!(done == Acted::Done(()), self.model.escalate(case, by, now));
            }
            Op::Reopen(at) => {
                let Some(case) = self.model.closed(at) else {
                    return;
                };
                let done = self
                    .world
                    .safety()
                    .reopen(case, Actor::Local)
                    .await
                    .unwrap();
                assert_eq!(done, Acted::Done(()));
                self.model.reopen(case);
            }
            Op::Invalidate(room) => {
                let reporter = self.rooms[room].parties[0].session;
                let done = self
                    .world
                    .safety()
                    .invalidate(reporter, None, None, Actor::Local)
                    .await;
                let Acted::Done(invalid) = done.unwrap() else {
                    panic!("refused");
                };
                let (reports, closed) = self.model.invalidate(room);
                assert_eq!((invalid.reports, invalid.closed), (reports, closed));
            }
            Op::Wait(minutes) => {
                for _ in 0..minutes {
                    self.world.advance(MINUTE);
                }
            }
            Op::Sweep => while self.world.safety().sweep_safety().await.unwrap() {},
            Op::Crash => self.world.crash().await,
        }
    }

    async fn report(&mut self, room: usize, reason: Reason) {
        let pairing = &self.rooms[room];
        let draft = ReportDraft {
            id: ReportId::fresh(),
            reporter: pairing.parties[0].session,
            room: pairing.room,
            side: Side::A,
            reason,
            note: String::new(),
            chosen: Chosen::All,
            claims: Vec::new(),
            networks: None,
        };
        let accuracy = self
            .world
            .safety()
            .accuracy(draft.reporter, None)
            .await
            .unwrap();
        assert_eq!(
            (accuracy.upheld, accuracy.decided),
            self.model.accuracy(room)
        );
        let reported = self.world.safety().report(draft.clone()).await.unwrap();
        match self.model.standing(room) {
            Some(before) => assert_eq!(reported, Reported::Already(before)),
            None => {
                let done = Reported::Done {
                    report: draft.id,
                    automatic: None,
                };
                assert_eq!(reported, done);
                let about = self.world.safety().cases_about(pairing.parties[1].session);
                let about = about.await.unwrap();
                let open = about.iter().rev().find(|case| !case.state.closed());
                self.model.report(room, draft.id, reason, open.unwrap().id);
            }
        }
    }

    async fn decide(&mut self, by: usize, at: usize, found: bool) {
        let Some(case) = self.model.waiting(at) else {
            return;
        };
        let subject = self.model.subject(case);
        let mute = SanctionDraft {
            target: SanctionTarget::Session(subject),
            kind: SanctionKind::Mute,
            length: Some(DAY),
        };
        let decision = DecisionDraft {
            case,
            by: Actor::Operator(self.operators[by]),
            finding: if found {
                Finding::Violation
            } else {
                Finding::NoViolation
            },
            rule: Reason::Other,
            note: String::new(),
            text: "text".into(),
            reporter_text: String::new(),
            seen_reports: None,
            sanctions: found.then_some(mute).into_iter().collect(),
        };
        let decided = self.world.safety().decide(decision).await.unwrap();
        let now = self.world.setting.now.get();
        let may = self.model.may_act(case, by, now);
        assert_eq!(matches!(decided, Acted::Done(_)), may);
        if may {
            self.model.close(case, CaseState::Decided, Some(found));
            self.model.muted += u64::from(found);
        }
    }

    async fn check(&self) {
        let now = self.world.setting.now.get();
        let safety = self.world.safety();
        let queue = safety.queue().await.unwrap();
        let seen: Vec<_> = queue
            .iter()
            .map(|it| (it.id, it.state, it.priority.0, it.reports as usize))
            .collect();
        assert_eq!(seen, self.model.queue());
        for case in &queue {
            let claim = case.claim.map(|claim| claim.by);
            let expected = self
                .model
                .claimed(case.id, now)
                .map(|by| self.operators[by]);
            assert_eq!(claim, expected);
        }
        for (case, verdicts) in self.model.verdicts() {
            let file = safety.case(case).await.unwrap().expect("a case");
            let stored = file
                .reports
                .iter()
                .rev()
                .map(|it| (it.id, it.verdict, it.withdrawn.is_some()));
            assert_eq!(stored.collect::<Vec<_>>(), verdicts);
        }
        let sanctions = safety.sanctions_since(SanctionId(0)).await.unwrap();
        assert_eq!(sanctions.len() as u64, self.model.muted);
        let mut told = 0;
        for subject in &self.model.subjects {
            told += safety.notices(*subject).await.unwrap().len() as u64;
        }
        assert_eq!(told, self.model.muted, "each is told");
    }
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
            pair.check().await;
        }
        pair.world.crash().await;
        pair.check().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_history_of_reports_is_what_the_model_says(ops in proptest::collection::vec(op(), 1..40)) {
        run::<Sqlite>(ops);
    }
}

proptest! {
    // Each step asks a server.
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn any_history_in_postgres_is_what_the_model_says(ops in proptest::collection::vec(op(), 1..40)) {
        run::<Postgres>(ops);
    }
}

/// A case that is opened again beside a newer one of the same person: what stands in either stands.
fn two_open_cases() -> Vec<Op> {
    use Op::{Claim, Decide, Reopen, Report, Sweep, Wait, Withdraw};
    use Reason::{Harassment, Minor, Other, SelfHarm};
    vec![
        Report(4, Harassment),
        Report(0, SelfHarm),
        Report(5, Minor),
        Withdraw(5),
        Decide(1, 0, true),
        Report(2, Other),
        Reopen(1),
        Sweep,
        Withdraw(5),
        Report(4, SelfHarm),
        Claim(0, 0),
        Wait(16),
        Decide(0, 0, true),
        Report(2, SelfHarm),
        Decide(0, 2, false),
    ]
}

#[test]
fn a_report_stands_in_any_open_case() {
    run::<Sqlite>(two_open_cases());
}

#[test]
fn a_report_stands_in_any_open_case_in_postgres() {
    run::<Postgres>(two_open_cases());
}
