//! The audit log: a chain without a gap, whoever acts at once, and the figures that are made of it.

use miyu::domain::id::Timestamp;
use miyu::domain::safety::chain::{self, Head, Verifier};
use miyu::domain::safety::{
    Actor, AppealDecision, AppealOutcome, AuditAct, AuditDraft, MonthFigures, Reason, Role,
    SanctionKind as Kind,
};

use super::*;

super::for_each_backend! {
    the_log_is_a_chain
    a_refused_act_is_not_in_the_log
    that_a_case_changes_hands_is_in_the_log
    a_claim_that_ends_with_its_operator_is_in_the_log
    acts_of_the_machine_are_counted_however_many_rows_came_since
    the_log_is_read_in_stretches
    figures_are_by_month
}

fn other(details: &str) -> AuditDraft {
    AuditDraft {
        by: None,
        act: AuditAct::Other,
        case: None,
        sanction: None,
        took_ms: None,
        details: details.into(),
    }
}

/// Reads and verifies all of it.
async fn verified<X: Backend>(world: &World<X>) -> usize {
    let mut verifier = Verifier::default();
    let (mut after, mut count) = (0, 0);
    loop {
        let rows = world.safety().audit(after).await.unwrap();
        let Some(last) = rows.last() else {
            break;
        };
        after = last.no;
        count += rows.len();
        rows.iter().for_each(|row| verifier.row(row));
    }
    let (no, hash) = world.safety().audit_head().await.unwrap();
    let verdict = verifier.end(Head { no, hash });
    assert_eq!(verdict.faults, []);
    count
}

async fn the_log_is_a_chain<X: Backend>() {
    let mut world = World::<X>::new().await;
    assert_eq!(
        world.safety().audit_head().await.unwrap(),
        (0, chain::ORIGIN)
    );
    let mei = operator(&world, "Mei", Role::Moderator).await;
    let writing: Vec<_> = (0..20)
        .map(|number| {
            let row = AuditDraft {
                by: (number % 2 == 0).then_some(mei),
                ..other(&format!("row {number}"))
            };
            world.safety().record(row)
        })
        .collect();
    for written in writing {
        written.await.unwrap();
    }
    assert_eq!(verified(&world).await, 21);
    world.crash().await;
    world.safety().record(other("after")).await.unwrap();
    assert_eq!(verified(&world).await, 22);
    let newest = world.safety().newest_audit().await.unwrap();
    assert_eq!(
        (newest[0].no, newest[0].what.details.as_str()),
        (22, "after")
    );
    assert_eq!(newest[0].at, world.setting.now.get());
    let names: Vec<_> = newest.iter().filter_map(|it| it.name.clone()).collect();
    assert_eq!(names, vec!["Mei"; 10]);
    // What is too long is cut, and the row is whole all the same.
    let long = "語".repeat(miyu::domain::safety::audit::DETAIL_CHARS + 1);
    world.safety().record(other(&long)).await.unwrap();
    let newest = world.safety().newest_audit().await.unwrap().remove(0);
    assert_eq!(
        newest.what.details.chars().count(),
        miyu::domain::safety::audit::DETAIL_CHARS
    );
    assert_eq!(verified(&world).await, 23);
}

async fn a_refused_act_is_not_in_the_log<X: Backend>() {
    let world = World::<X>::new().await;
    let before = verified(&world).await;
    refused(
        world
            .safety()
            .skip(CaseId(1), Actor::Local, String::new(), None)
            .await,
    );
    let draft = on(SessionId::fresh(), Kind::ShadowMute, None);
    let imposed = world
        .safety()
        .impose(draft, Reason::Spam, String::new(), Actor::Local);
    refused(imposed.await);
    assert_eq!(verified(&world).await, before);
}

async fn that_a_case_changes_hands_is_in_the_log<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let [mei, ken] = [
        operator(&world, "Mei", Role::Moderator).await,
        operator(&world, "Ken", Role::Moderator).await,
    ];
    reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
    let case = only_case(&world).await.id;
    // Kept for longer, or given back by one who has it not: nothing changes hands.
    safety.claim_next(mei).await.unwrap().unwrap();
    safety.claim(case, mei).await.unwrap();
    safety.claim_next(mei).await.unwrap().unwrap();
    safety.release(case, ken).await.unwrap();
    for _ in 0..2 {
        safety.release(case, mei).await.unwrap();
    }
    safety.claim(case, ken).await.unwrap();
    let log = safety.audit(2).await.unwrap();
    let acts = log.iter().map(|it| (it.what.act, it.what.by, it.what.case));
    let expected = [
        (AuditAct::Claimed, mei),
        (AuditAct::Released, mei),
        (AuditAct::Claimed, ken),
    ];
    let expected = expected.map(|(act, by)| (act, Some(by), Some(case)));
    assert_eq!(acts.collect::<Vec<_>>(), expected);
}

async fn the_log_is_read_in_stretches<X: Backend>() {
    let world = World::<X>::new().await;
    let most = miyu::store::safety::LISTED;
    let writing: Vec<_> = (0..=most)
        .map(|_| world.safety().record(other("row")))
        .collect();
    for written in writing {
        written.await.unwrap();
    }
    let first = world.safety().audit(0).await.unwrap();
    assert_eq!((first.len(), first[0].no), (most, 1));
    let rest = world.safety().audit(most as u64).await.unwrap();
    assert_eq!((rest.len(), rest[0].no), (1, most as u64 + 1));
    assert_eq!(verified(&world).await, most + 1);
}

async fn figures_are_by_month<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    assert_eq!(safety.figures(Timestamp(0)).await.unwrap(), []);
    // The tests' clock begins on 2027-01-15.
    let mut told = Vec::new();
    for (wait, finding) in [(1, true), (2, true), (9, false)] {
        reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
        let case = only_case(&world).await;
        world.advance(wait * MINUTE);
        let decision = match finding {
            true => violation(&case, Actor::Local, &[on(case.subject, Kind::Ban, None)]),
            false => no_violation(&case, Actor::Local),
        };
        done(safety.decide(decision).await);
        told.extend(safety.notices(case.subject).await.unwrap());
    }
    let january = MonthFigures {
        year: 2027,
        month: 1,
        reports: 3,
        decisions: 3,
        violations: 2,
        median_ms: Some(120_000),
        ..MonthFigures::default()
    };
    assert_eq!(safety.figures(Timestamp(0)).await.unwrap(), [january]);
    world.advance(31 * DAY);
    for (notice, outcome) in told
        .iter()
        .zip([AppealOutcome::Uphold, AppealOutcome::Overturn])
    {
        safety
            .appeal(notice.to, notice.id, "no".into())
            .await
            .unwrap();
        let decision = AppealDecision {
            case: only_case(&world).await.id,
            by: Actor::Local,
            outcome,
            note: String::new(),
            text: "so".into(),
        };
        done(safety.decide_appeal(decision).await);
    }
    let february = MonthFigures {
        year: 2027,
        month: 2,
        appeals: 2,
        overturned: 1,
        ..MonthFigures::default()
    };
    assert_eq!(
        safety.figures(Timestamp(0)).await.unwrap(),
        [january, february]
    );
    let now = world.setting.now.get();
    assert_eq!(safety.figures(now).await.unwrap(), [february]);
    // They outlive what they count.
    world.advance(500 * DAY);
    while safety.sweep_safety().await.unwrap() {}
    assert_eq!(
        safety.figures(Timestamp(0)).await.unwrap(),
        [january, february]
    );
}

async fn a_claim_that_ends_with_its_operator_is_in_the_log<X: Backend>() {
    use miyu::store::safety::{OperatorChange as Change, OperatorChanged};
    let world = World::<X>::new().await;
    let safety = world.safety();
    let boss = operator(&world, "boss", Role::Administrator).await;
    let mei = operator(&world, "Mei", Role::Moderator).await;
    let by = Actor::Operator(boss);
    for _ in 0..2 {
        reported_by_stranger(&world, SessionId::fresh(), Reason::Spam).await;
    }
    let cases: Vec<_> = queue(&world).await.iter().map(|it| it.id).collect();
    safety.claim(cases[0], mei).await.unwrap();
    // This claim is over by itself before.
    world.advance(miyu::domain::safety::case::CLAIM);
    safety.claim(cases[1], mei).await.unwrap();
    for (change, ends) in [
        (Change::Totp(Some((vec![1], Vec::new()))), false),
        (Change::Password("new".into()), true),
        (Change::Role(Role::Administrator), true),
        (Change::Disabled(true), true),
    ] {
        safety.claim(cases[1], mei).await.unwrap();
        let (head, _) = safety.audit_head().await.unwrap();
        let changed = safety.change_operator(mei, vec![change.clone()], by).await;
        assert_eq!(changed.unwrap(), OperatorChanged::Done);
        let rows = safety.audit(head).await.unwrap();
        let said: Vec<_> = rows
            .iter()
            .map(|it| (it.what.act, it.what.by, it.what.case))
            .collect();
        let mut expected = vec![(AuditAct::OperatorChanged, Some(boss), None)];
        if ends {
            let released = (AuditAct::Released, Some(boss), Some(cases[1]));
            expected.push(released);
            assert_eq!(rows[1].what.details, format!("operator {mei}"));
        }
        assert_eq!(said, expected, "{change:?}");
        let row = file(&world, cases[1]).await.case;
        assert_eq!(row.claim.is_none(), ends, "{change:?}");
    }
    verified(&world).await;
}

async fn acts_of_the_machine_are_counted_however_many_rows_came_since<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let automatic = || AuditDraft {
        act: AuditAct::Automatic,
        ..other("the machine")
    };
    safety.record(automatic()).await.unwrap();
    world.advance(MINUTE);
    let later = world.setting.now.get();
    for _ in 0..2 {
        safety.record(automatic()).await.unwrap();
    }
    let writing: Vec<_> = (0..miyu::store::safety::LISTED)
        .map(|_| safety.record(other("row")))
        .collect();
    for written in writing {
        written.await.unwrap();
    }
    assert_eq!(safety.automatic_since(Timestamp(0)).await.unwrap(), 3);
    assert_eq!(safety.automatic_since(later).await.unwrap(), 2);
    assert_eq!(safety.automatic_since(later.plus(SECOND)).await.unwrap(), 0);
}
