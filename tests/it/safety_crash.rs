//! kill -9 of a process that decides case after case: each decision is there with its verdicts, sanction, notices and
//! audit rows, or nothing of it is.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use miyu::domain::id::{SessionId, Side};
use miyu::domain::safety::chain::{Head, Verifier};
use miyu::domain::safety::report::Chosen;
use miyu::domain::safety::{
    Actor, Case, CaseState, DecisionDraft, Finding, Reason, ReportDraft, ReportId, SanctionDraft,
    SanctionKind, SanctionTarget, Verdict,
};
use miyu::store::safety::{Acted, Audit as _, Cases as _, Reported, Reports as _, Sanctions as _};
use miyu::store::sqlite::SqliteStore;
use miyu::store::{Durability, Rooms as _, Upkeep as _};

use crate::support::store::{Now, Recorder, pairing_of, rules};

/// Says to this executable that it is the process to be killed, and where its data is.
const PLACE: &str = "MIYU_TEST_SAFETY_CRASH";
const KILLS: usize = 6;

fn open(path: &Path) -> Arc<SqliteStore> {
    let sink = Arc::new(Recorder::default());
    let clock = Now::default().clock();
    SqliteStore::open(path, Durability::Process, rules(), sink, clock).unwrap()
}

/// Not a test of its own: what the killed process does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decides_until_it_is_killed() {
    let Some(place) = std::env::var_os(PLACE) else {
        return;
    };
    let store = open(Path::new(&place));
    loop {
        let case = reported(&store).await;
        let decision = DecisionDraft {
            case: case.id,
            by: Actor::Local,
            finding: Finding::Violation,
            rule: Reason::Spam,
            note: String::new(),
            text: "text".into(),
            reporter_text: String::new(),
            seen_reports: None,
            sanctions: vec![SanctionDraft {
                target: SanctionTarget::Session(case.subject),
                kind: SanctionKind::Ban,
                length: None,
            }],
        };
        let decided = store.decide(decision).await.unwrap();
        assert!(matches!(decided, Acted::Done(_)), "{decided:?}");
        // What the other process waits for.
        println!("decided {}", case.id);
    }
}

/// A new report on a new person, as its case.
async fn reported(store: &SqliteStore) -> Case {
    let pairing = pairing_of(SessionId::fresh(), SessionId::fresh());
    store.create_room(&pairing).await.unwrap();
    let draft = ReportDraft {
        id: ReportId::fresh(),
        reporter: pairing.parties[0].session,
        room: pairing.room,
        side: Side::A,
        reason: Reason::Spam,
        note: String::new(),
        chosen: Chosen::All,
        claims: Vec::new(),
        networks: None,
    };
    let reported = store.report(draft).await.unwrap();
    assert!(matches!(reported, Reported::Done { .. }), "{reported:?}");
    let about = store.cases_about(pairing.parties[1].session).await;
    about.unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_that_kill_9_cuts_off_is_whole_or_nothing() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("miyu.db");
    let mut acknowledged = Vec::new();
    for round in 1..=KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "safety_crash::decides_until_it_is_killed",
                "--nocapture",
            ])
            .env(PLACE, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let cases = said.filter_map(|line| line.unwrap().strip_prefix("decided ")?.parse().ok());
        let mut cases = cases.peekable();
        assert!(cases.peek().is_some(), "it decides");
        // Anywhere within a decision.
        std::thread::sleep(Duration::from_millis(37 * round as u64));
        child.kill().unwrap();
        acknowledged.extend(cases.map(miyu::domain::safety::CaseId));
        child.wait().unwrap();
    }
    let store = open(&path);
    for case in acknowledged {
        let file = store.case(case).await.unwrap().expect("acknowledged");
        assert_eq!(file.case.state, CaseState::Decided);
    }
    let mut cases = store.queue().await.unwrap();
    assert!(cases.len() <= KILLS, "one each was cut off at most");
    cases.extend(store.closed_cases().await.unwrap());
    for case in cases {
        assert_whole(&store, &case).await;
    }
    let mut verifier = Verifier::default();
    let mut after = 0;
    loop {
        let rows = store.audit(after).await.unwrap();
        let Some(last) = rows.last() else {
            break;
        };
        after = last.no;
        rows.iter().for_each(|row| verifier.row(row));
    }
    let (no, hash) = store.audit_head().await.unwrap();
    assert_eq!(verifier.end(Head { no, hash }).faults, []);
    store.close().await.unwrap();
}

/// Everything that a decision does was done, or nothing.
async fn assert_whole(store: &SqliteStore, case: &Case) {
    let decided = case.state == CaseState::Decided;
    let count = usize::from(decided);
    let file = store.case(case.id).await.unwrap().expect("a case");
    assert_eq!(file.decisions.len(), count);
    assert_eq!(file.sanctions.len(), count);
    let verdict = decided.then_some(Verdict::Upheld);
    assert_eq!(
        file.reports.iter().map(|it| it.verdict).collect::<Vec<_>>(),
        [verdict]
    );
    assert_eq!(store.notices(case.subject).await.unwrap().len(), count);
    let reporter = file.reports[0].reporter;
    assert_eq!(store.notices(reporter).await.unwrap().len(), count);
}
