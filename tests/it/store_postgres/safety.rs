//! People's safety where several nodes write it at once: one line for all changes, one chain of the audit log, and
//! nothing left behind by a caller who went away.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use miyu::domain::id::{RoomId, SessionId, Side};
use miyu::domain::safety::chain::{Head, Verifier};
use miyu::domain::safety::{
    Actor, AuditAct, AuditDraft, Chosen, OperatorDraft, OperatorId, OperatorName, Reason,
    ReportDraft, ReportId, Role, SanctionId, SanctionKind,
};
use miyu::store::Rooms as _;
use miyu::store::postgres::PostgresStore;
use miyu::store::safety::{
    About, Acted, Audit as _, Cases as _, Claimed, HandDraft, OperatorMade, Operators as _,
    Reported, Reports as _, Sanctions as _,
};
use tokio::task::JoinSet;

use super::{new_room, two_nodes};
use crate::support::safety::{impose, on_session};
use crate::support::store::pairing;

async fn operator(store: &PostgresStore, name: &str, role: Role) -> OperatorId {
    let draft = OperatorDraft {
        name: OperatorName::parse(name).unwrap(),
        role,
        password: "a hash".into(),
    };
    match store.make_operator(draft, Actor::Local).await.unwrap() {
        OperatorMade::Done(operator) => operator,
        other => panic!("not made: {other:?}"),
    }
}

async fn case(store: &PostgresStore) {
    let draft = HandDraft {
        by: Actor::Local,
        about: About::Session(SessionId::fresh()),
        reason: Reason::Spam,
        note: String::new(),
    };
    let opened = store.open_by_hand(draft).await.unwrap();
    assert!(matches!(opened, Acted::Done(_)), "{opened:?}");
}

/// The sessions of a room, by side.
async fn sessions(store: &PostgresStore, room: RoomId) -> [SessionId; 2] {
    let room = store.room(room).await.unwrap().expect("a room");
    Side::BOTH.map(|side| room.side(side).session)
}

fn report(room: RoomId, reporter: SessionId) -> ReportDraft {
    ReportDraft {
        id: ReportId::fresh(),
        reporter,
        room,
        side: Side::A,
        reason: Reason::Harassment,
        note: "rude".into(),
        chosen: Chosen::All,
        claims: Vec::new(),
        networks: None,
    }
}

/// Reads the whole audit log and verifies it; how many rows it has.
async fn verified(store: &PostgresStore) -> u64 {
    let (no, hash) = store.audit_head().await.unwrap();
    let (mut verifier, mut after) = (Verifier::default(), 0);
    loop {
        let rows = store.audit(after).await.unwrap();
        let Some(last) = rows.last() else { break };
        after = last.no;
        rows.iter().for_each(|row| verifier.row(row));
    }
    let verdict = verifier.end(Head { no, hash });
    assert_eq!(verdict.faults, []);
    verdict.rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_operators_on_two_nodes_never_get_one_case() {
    let (_database, nodes, _) = two_nodes().await;
    for _ in 0..12 {
        case(&nodes[0]).await;
    }
    let mut claiming = JoinSet::new();
    for number in 0..6 {
        let name = format!("moderator {number}");
        let me = operator(&nodes[0], &name, Role::Moderator).await;
        let store = Arc::clone(&nodes[number % 2]);
        claiming.spawn(async move {
            // Their own come first, so each is escalated before the next is asked for.
            let mut mine = Vec::new();
            while let Some(case) = store.claim_next(me).await.unwrap() {
                assert_eq!(case.claim.map(|it| it.by), Some(me));
                mine.push(case.id);
                let left = store
                    .escalate(case.id, Actor::Operator(me), String::new())
                    .await
                    .unwrap();
                assert_eq!(left, Acted::Done(()));
            }
            mine
        });
    }
    let given: Vec<_> = claiming.join_all().await.concat();
    let different: BTreeSet<_> = given.iter().collect();
    assert_eq!((given.len(), different.len()), (12, 12));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_claim_one_case_at_once_one_gets_it() {
    let (_database, nodes, _) = two_nodes().await;
    let first = operator(&nodes[0], "first", Role::Moderator).await;
    let second = operator(&nodes[0], "second", Role::Moderator).await;
    for _ in 0..5 {
        case(&nodes[0]).await;
    }
    for case in nodes[0].queue().await.unwrap() {
        let (one, two) = tokio::join!(
            nodes[0].claim(case.id, first),
            nodes[1].claim(case.id, second)
        );
        let got = [one.unwrap(), two.unwrap()].map(|it| matches!(it, Claimed::Done(_)));
        assert_ne!(got[0], got[1], "exactly one has it");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_two_nodes_make_one_chain() {
    let (_database, nodes, _) = two_nodes().await;
    let before = verified(&nodes[0]).await;
    let mut writing = JoinSet::new();
    for number in 0..40_usize {
        let store = Arc::clone(&nodes[number % 2]);
        writing.spawn(async move {
            let row = AuditDraft {
                by: None,
                act: AuditAct::Other,
                case: None,
                sanction: None,
                took_ms: None,
                details: format!("row {number} \0 秘語"),
            };
            store.record(row).await.unwrap();
        });
    }
    writing.join_all().await;
    assert_eq!(verified(&nodes[1]).await, before + 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_changed_in_the_database_is_named() {
    let (database, nodes, _) = two_nodes().await;
    for _ in 0..3 {
        case(&nodes[0]).await;
    }
    let sql = "UPDATE audit SET details = 'other' WHERE no = 2";
    database.client().await.batch_execute(sql).await.unwrap();
    let (no, hash) = nodes[0].audit_head().await.unwrap();
    let mut verifier = Verifier::default();
    let rows = nodes[0].audit(0).await.unwrap();
    rows.iter().for_each(|row| verifier.row(row));
    let faults = verifier.end(Head { no, hash }).faults;
    assert_eq!(faults, [miyu::domain::safety::chain::Fault::Changed(2)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_is_sent_to_two_nodes_at_once_is_one() {
    let (_database, nodes, _) = two_nodes().await;
    for _ in 0..5 {
        let room = new_room(&nodes[0]).await;
        let [reporter, reported] = sessions(&nodes[0], room).await;
        let draft = report(room, reporter);
        let (one, two) = tokio::join!(
            nodes[0].report(draft.clone()),
            nodes[1].report(draft.clone())
        );
        let taken = Reported::Done {
            report: draft.id,
            automatic: None,
        };
        assert_eq!([one.unwrap(), two.unwrap()], [taken, taken]);
        let cases = nodes[0].cases_about(reported).await.unwrap();
        assert_eq!(cases.len(), 1);
        assert_eq!(cases[0].reports, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_of_one_person_on_two_nodes_are_one_case() {
    let (_database, nodes, _) = two_nodes().await;
    let reported = SessionId::fresh();
    let mut reporting = JoinSet::new();
    for number in 0..8_usize {
        let mut pairing = pairing();
        pairing.parties[1].session = reported;
        nodes[0].create_room(&pairing).await.unwrap();
        let store = Arc::clone(&nodes[number % 2]);
        reporting.spawn(async move {
            let draft = report(pairing.room, pairing.parties[0].session);
            let taken = store.report(draft).await.unwrap();
            assert!(matches!(taken, Reported::Done { .. }), "{taken:?}");
        });
    }
    reporting.join_all().await;
    let cases = nodes[1].cases_about(reported).await.unwrap();
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].reports, 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_goes_away_leaves_nothing_behind() {
    let (database, nodes, _) = two_nodes().await;
    let room = new_room(&nodes[0]).await;
    let [reporter, reported] = sessions(&nodes[0], room).await;
    let admin = database.client().await;
    let hold = "BEGIN; SELECT FROM audit_head FOR UPDATE";
    admin.batch_execute(hold).await.unwrap();
    let waiting = nodes[0].report(report(room, reporter));
    let gone = tokio::time::timeout(Duration::from_millis(300), waiting).await;
    assert!(gone.is_err(), "the line is held up");
    admin.batch_execute("COMMIT").await.unwrap();
    // What it had begun ends with its connection, and the next one is taken.
    let draft = report(room, reporter);
    let taken = nodes[0].report(draft.clone()).await.unwrap();
    let wanted = Reported::Done {
        report: draft.id,
        automatic: None,
    };
    assert_eq!(taken, wanted);
    assert_eq!(nodes[1].cases_about(reported).await.unwrap().len(), 1);
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
         AND state LIKE 'idle in transaction%'";
    let idle: i64 = admin.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(idle, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_held_up_keeps_no_reader_waiting() {
    let (database, nodes, _) = two_nodes().await;
    let mut rooms = Vec::new();
    for _ in 0..8 {
        let room = new_room(&nodes[0]).await;
        rooms.push((room, sessions(&nodes[0], room).await));
    }
    let admin = database.client().await;
    let hold = "BEGIN; SELECT FROM audit_head FOR UPDATE";
    admin.batch_execute(hold).await.unwrap();
    // More than there are connections.
    let mut reporting = JoinSet::new();
    for (room, [reporter, _]) in rooms.clone() {
        let store = Arc::clone(&nodes[0]);
        reporting.spawn(async move { store.report(report(room, reporter)).await.unwrap() });
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let look = nodes[0].room(rooms[0].0);
    let seen = tokio::time::timeout(Duration::from_secs(2), look).await;
    assert!(seen.expect("a reader waits for no one").unwrap().is_some());
    admin.batch_execute("COMMIT").await.unwrap();
    for taken in reporting.join_all().await {
        assert!(matches!(taken, Reported::Done { .. }), "{taken:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_cannot_be_read_keeps_no_report_back() {
    let (database, nodes, _) = two_nodes().await;
    let room = new_room(&nodes[0]).await;
    let said = super::say_all(Arc::clone(&nodes[0]), room, Side::B, "b".into(), 5).await;
    assert_eq!(said.len(), 5);
    let sql = "UPDATE entries SET kind = 99 WHERE seq = 2; DELETE FROM entries WHERE seq = 4";
    database.client().await.batch_execute(sql).await.unwrap();
    let [reporter, reported] = sessions(&nodes[0], room).await;
    nodes[0].report(report(room, reporter)).await.unwrap();
    let cases = nodes[0].cases_about(reported).await.unwrap();
    let evidence = nodes[0].evidence(cases[0].id, room).await.unwrap();
    let evidence = evidence.expect("evidence");
    assert!(evidence.damaged);
    let seqs: Vec<u64> = evidence.entries.iter().map(|it| it.seq.0).collect();
    assert_eq!(seqs, [1, 3, 5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_cannot_be_read_keeps_no_decision_from_being_followed() {
    let (database, nodes, _) = two_nodes().await;
    let them = SessionId::fresh();
    for _ in 0..2 {
        let mute = on_session(them, SanctionKind::Mute, None);
        impose(&*nodes[0], mute).await;
    }
    let sql = "UPDATE sanctions SET kind = 99 WHERE id = (SELECT min(id) FROM sanctions); \
         UPDATE notices SET kind = 99 WHERE no = (SELECT max(no) FROM notices)";
    database.client().await.batch_execute(sql).await.unwrap();
    let force = nodes[1].sanctions_in_force(SanctionId(0)).await.unwrap();
    assert_eq!((force.sanctions.len(), force.more), (1, false));
    let since = nodes[1].sanctions_since(SanctionId(0)).await.unwrap();
    assert_eq!(since, force.sanctions);
    assert_eq!(nodes[1].notices(them).await.unwrap().len(), 1);
}
