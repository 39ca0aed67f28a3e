//! Operators and their log-ins.

use miyu::domain::safety::operator::{OWN_SESSIONS, SESSIONS};
use miyu::domain::safety::{Actor, AuditAct, OperatorSession, Reason, Role};
use miyu::store::safety::{OperatorChange as Change, OperatorChanged, OperatorMade};

use super::*;

super::for_each_backend! {
    there_is_no_operator_at_first
    names_are_one_whatever_their_case
    a_set_up_link_makes_one_administrator
    operators_change_themselves_and_administrators_everything
    the_last_administrator_stays_one
    of_several_changes_all_take_effect_or_none
    a_code_is_used_once
    a_session_ends_by_idleness_age_and_change
    only_the_newest_sessions_are_kept
}

const IDLE: Duration = Duration::from_secs(1800);
const LONGEST: Duration = Duration::from_secs(12 * 3600);

fn session(number: u8, operator: OperatorId) -> OperatorSession {
    OperatorSession {
        hash: hash(number),
        operator,
        since: Default::default(),
        used: Default::default(),
        visitor: None,
    }
}

async fn is_in<X: Backend>(world: &World<X>, number: u8) -> bool {
    let session = world.safety().session(hash(number), IDLE, LONGEST);
    session.await.unwrap().is_some()
}

async fn there_is_no_operator_at_first<X: Backend>() {
    let mut world = World::<X>::new().await;
    assert!(!world.safety().operator_exists().await.unwrap());
    let mei = operator(&world, "Mei", Role::Administrator).await;
    world.crash().await;
    let safety = world.safety();
    assert!(safety.operator_exists().await.unwrap());
    let all = safety.operators().await.unwrap();
    assert_eq!(
        (all.len(), all[0].id, all[0].role),
        (1, mei, Role::Administrator)
    );
    assert_eq!(all[0].password, "$argon2id$of Mei");
    assert_eq!(
        (all[0].since, all[0].disabled),
        (world.setting.now.get(), None)
    );
    assert_eq!((all[0].totp.as_deref(), all[0].recovery_codes), (None, 0));
}

async fn names_are_one_whatever_their_case<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mei = operator(&world, "Mei", Role::Moderator).await;
    let again = operator_draft("MEI", Role::Moderator);
    let made = safety
        .make_operator(again.clone(), Actor::Local)
        .await
        .unwrap();
    assert_eq!(made, OperatorMade::NameTaken);
    let found = safety.operator_named(again.name).await.unwrap().unwrap();
    assert_eq!((found.id, found.name.as_str()), (mei, "Mei"));
    let other = OperatorName::parse("Ken").unwrap();
    assert_eq!(safety.operator_named(other).await.unwrap(), None);
    let ken = operator_draft("Ken", Role::Moderator);
    for by in [Actor::Operator(mei), Actor::Operator(OperatorId(99))] {
        let made = safety.make_operator(ken.clone(), by).await.unwrap();
        assert_eq!(made, OperatorMade::NotAllowed);
    }
}

async fn a_set_up_link_makes_one_administrator<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let until = || world.setting.now.get().plus(30 * MINUTE);
    let draft = operator_draft("Mei", Role::Moderator);
    let set_up = async |number| safety.set_up(hash(number), draft.clone()).await.unwrap();
    assert_eq!(set_up(1).await, OperatorMade::NotAllowed);
    safety.put_setup_link(hash(1), until()).await.unwrap();
    safety.put_setup_link(hash(2), until()).await.unwrap();
    assert_eq!(
        set_up(1).await,
        OperatorMade::NotAllowed,
        "a newer one is in its place"
    );
    world.advance(30 * MINUTE);
    assert_eq!(set_up(2).await, OperatorMade::NotAllowed, "it is too old");
    safety.put_setup_link(hash(3), until()).await.unwrap();
    let OperatorMade::Done(mei) = set_up(3).await else {
        panic!("not made");
    };
    let all = safety.operators().await.unwrap();
    assert_eq!((all[0].id, all[0].role), (mei, Role::Administrator));
    safety.put_setup_link(hash(4), until()).await.unwrap();
    assert_eq!(set_up(4).await, OperatorMade::NotAllowed, "there is one");
}

async fn operators_change_themselves_and_administrators_everything<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let boss = operator(&world, "boss", Role::Administrator).await;
    let mei = operator(&world, "Mei", Role::Moderator).await;
    let ken = operator(&world, "Ken", Role::Moderator).await;
    let change = async |of, change, by| safety.change_operator(of, vec![change], by).await.unwrap();
    let by = Actor::Operator;
    let password = || Change::Password("new".into());
    let totp = || Change::Totp(Some((vec![1, 2, 3], vec![hash(1), hash(2)])));
    for (of, what, by, expected) in [
        (mei, password(), by(mei), OperatorChanged::Done),
        (mei, totp(), by(mei), OperatorChanged::Done),
        (mei, password(), by(ken), OperatorChanged::NotAllowed),
        (mei, totp(), by(ken), OperatorChanged::NotAllowed),
        (
            mei,
            Change::Role(Role::Administrator),
            by(mei),
            OperatorChanged::NotAllowed,
        ),
        (
            mei,
            Change::Disabled(true),
            by(mei),
            OperatorChanged::NotAllowed,
        ),
        (ken, Change::Disabled(true), by(boss), OperatorChanged::Done),
        (ken, password(), by(ken), OperatorChanged::NotAllowed),
        (
            OperatorId(99),
            password(),
            by(boss),
            OperatorChanged::Unknown,
        ),
        (
            mei,
            Change::Role(Role::Administrator),
            Actor::Local,
            OperatorChanged::Done,
        ),
        (
            boss,
            Change::Role(Role::Moderator),
            by(mei),
            OperatorChanged::Done,
        ),
    ] {
        assert_eq!(change(of, what.clone(), by).await, expected, "{what:?}");
    }
    let all = safety.operators().await.unwrap();
    assert_eq!(all[1].password, "new");
    assert_eq!(
        (all[1].totp.as_deref(), all[1].recovery_codes),
        (Some(&[1, 2, 3][..]), 2)
    );
    assert_eq!(all[2].disabled, Some(world.setting.now.get()));
    let roles: Vec<_> = all.iter().map(|it| it.role).collect();
    assert_eq!(
        roles,
        [Role::Moderator, Role::Administrator, Role::Moderator]
    );
    assert_eq!(
        change(mei, Change::Totp(None), by(mei)).await,
        OperatorChanged::Done
    );
    let all = safety.operators().await.unwrap();
    assert_eq!((all[1].totp.as_deref(), all[1].recovery_codes), (None, 0));
    let log = safety.audit(0).await.unwrap();
    let changes = log
        .iter()
        .filter(|row| row.what.act == AuditAct::OperatorChanged);
    let said: Vec<_> = changes.map(|row| row.what.details.as_str()).collect();
    let expected = [
        format!("operator {mei} password"),
        format!("operator {mei} second factor"),
        format!("operator {ken} disabled"),
        format!("operator {mei} administrator"),
        format!("operator {boss} moderator"),
        format!("operator {mei} no second factor"),
    ];
    assert_eq!(said, expected, "the console reads this form alone");
}

async fn the_last_administrator_stays_one<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let boss = operator(&world, "boss", Role::Administrator).await;
    operator(&world, "Mei", Role::Moderator).await;
    for change in [Change::Role(Role::Moderator), Change::Disabled(true)] {
        for by in [Actor::Local, Actor::Operator(boss)] {
            let changed = safety.change_operator(boss, vec![change.clone()], by).await;
            assert_eq!(changed.unwrap(), OperatorChanged::LastAdministrator);
        }
    }
    let second = operator(&world, "Ken", Role::Administrator).await;
    let disable = Change::Disabled(true);
    let changed = safety
        .change_operator(second, vec![disable.clone()], Actor::Operator(boss))
        .await;
    assert_eq!(changed.unwrap(), OperatorChanged::Done);
    let changed = safety
        .change_operator(boss, vec![disable], Actor::Local)
        .await;
    assert_eq!(changed.unwrap(), OperatorChanged::LastAdministrator);
}

async fn of_several_changes_all_take_effect_or_none<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let boss = operator(&world, "boss", Role::Administrator).await;
    let mei = operator(&world, "Mei", Role::Moderator).await;
    let before = safety.operators().await.unwrap();
    let rows = safety.audit_head().await.unwrap();
    let password = || Change::Password("new".into());
    for (of, more, by, expected) in [
        (
            boss,
            Change::Disabled(true),
            Actor::Local,
            OperatorChanged::LastAdministrator,
        ),
        (
            boss,
            Change::Role(Role::Moderator),
            Actor::Operator(boss),
            OperatorChanged::LastAdministrator,
        ),
        (
            mei,
            Change::Role(Role::Administrator),
            Actor::Operator(mei),
            OperatorChanged::NotAllowed,
        ),
    ] {
        for changes in [
            vec![password(), more.clone()],
            vec![more.clone(), password()],
        ] {
            let changed = safety.change_operator(of, changes, by).await.unwrap();
            assert_eq!(changed, expected, "{more:?}");
        }
    }
    assert_eq!(safety.operators().await.unwrap(), before);
    assert_eq!(safety.audit_head().await.unwrap(), rows, "nothing was said");
    let changes = vec![
        password(),
        Change::Role(Role::Administrator),
        Change::Totp(None),
    ];
    let changed = safety.change_operator(mei, changes, Actor::Local).await;
    assert_eq!(changed.unwrap(), OperatorChanged::Done);
    let all = safety.operators().await.unwrap();
    assert_eq!(
        (&*all[1].password, all[1].role),
        ("new", Role::Administrator)
    );
    // A row for each that was needed.
    assert_eq!(safety.audit_head().await.unwrap().0, rows.0 + 2);
}

async fn a_code_is_used_once<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mei = operator(&world, "Mei", Role::Administrator).await;
    let totp = Change::Totp(Some((vec![9], vec![hash(1), hash(2)])));
    safety
        .change_operator(mei, vec![totp], Actor::Local)
        .await
        .unwrap();
    let step = async |step| safety.use_totp_step(mei, step).await.unwrap();
    assert!(step(100).await);
    assert!(!step(100).await);
    assert!(!step(99).await);
    assert!(step(101).await);
    let code = async |number| safety.use_recovery_code(mei, hash(number)).await.unwrap();
    assert!(code(1).await);
    assert!(!code(1).await);
    assert!(!code(3).await);
    assert_eq!(safety.operators().await.unwrap()[0].recovery_codes, 1);
    assert!(!safety.use_totp_step(OperatorId(99), 1).await.unwrap());
}

async fn a_session_ends_by_idleness_age_and_change<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mei = operator(&world, "Mei", Role::Administrator).await;
    let begin = async |number| safety.begin_session(session(number, mei)).await.unwrap();
    assert!(begin(1).await);
    assert!(
        !safety
            .begin_session(session(9, OperatorId(99)))
            .await
            .unwrap()
    );
    assert!(is_in(&world, 1).await && !is_in(&world, 2).await);
    let found = safety
        .session(hash(1), IDLE, LONGEST)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.0.operator, found.1.id), (mei, mei));
    assert_eq!(found.0.since, world.setting.now.get());
    // Being used keeps it, until it is old.
    for _ in 0..24 {
        world.advance(IDLE - MINUTE);
        assert!(is_in(&world, 1).await);
        // The note of its use is written beside the answer.
        safety.audit_head().await.unwrap();
        let name = OperatorName::parse("x").unwrap();
        safety.operator_named(name).await.unwrap();
        safety.note_visitor(mei, SessionId::fresh()).await.unwrap();
    }
    world.advance(LONGEST - 24 * (IDLE - MINUTE));
    assert!(!is_in(&world, 1).await);
    assert!(begin(2).await);
    world.advance(IDLE);
    assert!(!is_in(&world, 2).await);
    for (number, change) in [
        (3, Change::Password("new".into())),
        (4, Change::Role(Role::Moderator)),
        (5, Change::Disabled(true)),
    ] {
        operator(&world, &format!("boss {number}"), Role::Administrator).await;
        assert!(begin(number).await);
        safety
            .change_operator(mei, vec![change], Actor::Local)
            .await
            .unwrap();
        assert!(!is_in(&world, number).await);
    }
    assert!(!begin(6).await, "disabled");
}

async fn only_the_newest_sessions_are_kept<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mei = operator(&world, "Mei", Role::Administrator).await;
    let visitor = SessionId::fresh();
    for number in 0..=u8::try_from(SESSIONS).unwrap() {
        let new = OperatorSession {
            visitor: Some(visitor),
            ..session(number, mei)
        };
        assert!(safety.begin_session(new).await.unwrap());
    }
    let sessions = safety.sessions(mei).await.unwrap();
    assert_eq!((sessions.len(), sessions[0].hash), (SESSIONS, hash(20)));
    assert!(!is_in(&world, 0).await);
    safety.end_sessions(mei, Some(hash(7))).await.unwrap();
    assert!(!is_in(&world, 7).await && is_in(&world, 8).await);
    safety.end_sessions(mei, None).await.unwrap();
    assert_eq!(safety.sessions(mei).await.unwrap(), []);
    let log = safety.audit(0).await.unwrap();
    let logins = log.iter().filter(|row| row.what.act == AuditAct::LoggedIn);
    assert_eq!(logins.count(), SESSIONS + 1);
    // What is noted with a session counts, until enough others were.
    let pairing = room_with(&world, visitor).await;
    report(&world, &draft(&pairing, Reason::Spam)).await;
    assert_eq!(safety.claim_next(mei).await.unwrap(), None);
    for _ in 0..OWN_SESSIONS {
        safety.note_visitor(mei, SessionId::fresh()).await.unwrap();
    }
    assert!(safety.claim_next(mei).await.unwrap().is_some());
}
