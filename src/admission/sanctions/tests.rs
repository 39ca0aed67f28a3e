//! What the set holds against which session and network.

use proptest::prelude::*;

use super::*;
use crate::domain::safety::NetworkLength;

fn session(number: u8) -> SessionId {
    SessionId([number; 16])
}

fn network(number: u8) -> NetworkHash {
    NetworkHash {
        length: NetworkLength::V4Address,
        hash: [number; 16],
    }
}

fn networks(near: u8, wide: u8) -> Networks {
    Networks {
        near: network(near),
        wide: network(wide),
    }
}

fn row(id: u64, target: SanctionTarget, kind: SanctionKind, until: Option<i64>) -> Sanction {
    Sanction {
        id: SanctionId(id),
        target,
        kind,
        rule: Reason::Spam,
        at: Timestamp(0),
        until: until.map(Timestamp),
        lifts: None,
        lifted_by: None,
        automatic: false,
        by: None,
        case: None,
    }
}

fn on_session(id: u64, of: u8, kind: SanctionKind, until: Option<i64>) -> Sanction {
    row(id, SanctionTarget::Session(session(of)), kind, until)
}

fn lifting(id: u64, lifted: &Sanction) -> Sanction {
    Sanction {
        id: SanctionId(id),
        lifts: Some(lifted.id),
        ..*lifted
    }
}

fn against(set: &SanctionSet, of: u8, now: i64) -> Against {
    set.against(Some(session(of)), None, Timestamp(now))
}

#[test]
fn what_is_added_holds_until_it_ends_or_is_lifted() {
    let set = SanctionSet::default();
    let ban = on_session(1, 7, SanctionKind::Ban, None);
    let mute = on_session(2, 7, SanctionKind::Mute, Some(100));
    set.go_on(&[ban, mute]);
    let now = against(&set, 7, 99);
    assert_eq!(now.ban.map(|it| it.until), Some(None));
    assert_eq!(now.mute.map(|it| it.until), Some(Some(Timestamp(100))));
    assert_eq!(against(&set, 8, 0), Against::default());
    assert_eq!(against(&set, 7, 100).mute, None);
    set.go_on(&[lifting(3, &ban)]);
    assert_eq!(against(&set, 7, 100), Against::default());
    assert_eq!(set.newest(), SanctionId(3));
}

#[test]
fn rows_that_are_known_change_nothing() {
    let set = SanctionSet::default();
    let ban = on_session(1, 7, SanctionKind::Ban, None);
    let rows = [ban, lifting(2, &ban)];
    set.go_on(&rows);
    set.go_on(&rows);
    set.go_on(&rows[..1]);
    assert_eq!(against(&set, 7, 0), Against::default());
}

#[test]
fn what_was_filled_is_gone_on_from() {
    let set = SanctionSet::default();
    set.go_on(&[on_session(1, 7, SanctionKind::Ban, None)]);
    let mute = on_session(4, 8, SanctionKind::Mute, None);
    set.fill(&[mute], SanctionId(6));
    assert_eq!(against(&set, 7, 0), Against::default(), "not in force");
    set.go_on(&[lifting(6, &mute)]);
    assert!(against(&set, 8, 0).mute.is_some(), "before what was filled");
    set.go_on(&[lifting(7, &mute)]);
    assert!(against(&set, 8, 0).mute.is_none());
}

#[test]
fn both_networks_count_and_the_longest_is_told() {
    let set = SanctionSet::default();
    let of = |number| SanctionTarget::Network(network(number));
    set.go_on(&[
        row(1, of(1), SanctionKind::Ban, Some(50)),
        row(2, of(2), SanctionKind::Ban, Some(70)),
        on_session(3, 7, SanctionKind::Ban, Some(60)),
    ]);
    let found = |near, wide| {
        let ban = set.against(Some(session(7)), Some(&networks(near, wide)), Timestamp(0));
        ban.ban.map(|it| it.id.0)
    };
    assert_eq!(found(1, 9), Some(3));
    assert_eq!(found(1, 2), Some(2));
    assert_eq!(found(2, 1), Some(2));
    let place = set.against(None, Some(&networks(9, 1)), Timestamp(0));
    assert_eq!(place.ban.map(|it| it.id.0), Some(1));
}

#[test]
fn a_network_is_watched_as_widely_as_it_is_said() {
    let set = SanctionSet::default();
    let watch = |id, of| {
        row(
            id,
            SanctionTarget::Network(network(of)),
            SanctionKind::Watch,
            Some(50),
        )
    };
    set.go_on(&[watch(1, 1)]);
    let watched = |near, wide| {
        let networks = networks(near, wide);
        set.against(None, Some(&networks), Timestamp(0)).watched
    };
    assert_eq!(
        [watched(1, 9), watched(9, 1), watched(8, 9)],
        [Some(Watched::Near), Some(Watched::Wide), None]
    );
    set.go_on(&[watch(2, 2)]);
    assert_eq!(watched(1, 2), Some(Watched::Wide), "the wider one counts");
    assert!(set.on_networks());
    assert!(set.forget_ended(Timestamp(50)), "some were on a network");
    assert!(!set.on_networks() && !set.forget_ended(Timestamp(50)));
}

#[test]
fn what_concerns_no_connection_is_not_held() {
    let set = SanctionSet::default();
    set.go_on(&[
        on_session(1, 7, SanctionKind::Note, None),
        on_session(2, 7, SanctionKind::ReporterMute, None),
    ]);
    assert!(!set.any.load(Ordering::Relaxed));
    assert_eq!(set.newest(), SanctionId(2));
}

#[test]
fn what_ended_is_let_go_and_the_set_is_empty_again() {
    let set = SanctionSet::default();
    set.go_on(&[on_session(1, 7, SanctionKind::Mute, Some(100))]);
    set.forget_ended(Timestamp(99));
    assert!(set.any.load(Ordering::Relaxed));
    set.forget_ended(Timestamp(100));
    assert!(!set.any.load(Ordering::Relaxed));
    let held = set.held.read();
    assert!(held.sessions.is_empty() && held.targets.is_empty());
}

fn some_rows() -> impl Strategy<Value = Vec<Sanction>> {
    let one = (0..4_u8, 0..7_usize, 0..4_i64, any::<bool>(), 0..20_usize);
    proptest::collection::vec(one, 0..30).prop_map(|all| {
        let mut rows: Vec<Sanction> = Vec::new();
        for (at, (of, kind, until, lifts, which)) in all.into_iter().enumerate() {
            let id = at as u64 + 1;
            let until = (until > 0).then_some(until);
            let fresh = on_session(id, of, SanctionKind::ALL[kind], until);
            let lifted = rows.get(which).filter(|it| lifts && it.lifts.is_none());
            let next = lifted.map_or(fresh, |lifted| lifting(id, lifted));
            rows.push(next);
        }
        rows
    })
}

proptest! {
    #[test]
    fn it_holds_what_the_rows_say(rows in some_rows(), split in 0..30_usize, now in 0..4_i64) {
        let lifted = |row: &Sanction| rows.iter().any(|it| it.lifts == Some(row.id));
        let in_force: Vec<&Sanction> = rows
            .iter()
            .filter(|row| row.lifts.is_none() && !lifted(row) && row.in_force(Timestamp(now)))
            .collect();
        let set = SanctionSet::default();
        let (first, second) = rows.split_at(split.min(rows.len()));
        set.go_on(first);
        set.forget_ended(Timestamp(now));
        set.go_on(second);
        for of in 0..4 {
            let has = |kind| in_force.iter().any(|row| {
                row.target == SanctionTarget::Session(session(of)) && row.kind == kind
            });
            let told = against(&set, of, now);
            prop_assert_eq!(told.ban.is_some(), has(SanctionKind::Ban));
            prop_assert_eq!(told.mute.is_some(), has(SanctionKind::Mute));
            prop_assert_eq!(told.shadow_mute.is_some(), has(SanctionKind::ShadowMute));
            prop_assert_eq!(told.warning.is_some(), has(SanctionKind::Warning));
        }
    }
}
