//! What the set holds against which session and network.

use proptest::prelude::*;

use super::*;
use crate::domain::safety::{NetworkHash, NetworkLength};

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
    let mut filling = Filling::from(SanctionId(6));
    filling.add(&[mute]);
    set.fill(filling);
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
    assert_eq!(set.counts(), [0, 0]);
    assert_eq!(set.newest(), SanctionId(2));
}

#[test]
fn what_ended_is_let_go_and_the_set_is_empty_again() {
    let set = SanctionSet::default();
    set.go_on(&[on_session(1, 7, SanctionKind::Mute, Some(100))]);
    set.forget_ended(Timestamp(99));
    assert_eq!(set.counts(), [1, 0]);
    set.forget_ended(Timestamp(100));
    assert_eq!(set.counts(), [0, 0]);
    assert!(set.is_empty());
}

#[test]
fn of_several_on_one_each_ends_for_itself() {
    let set = SanctionSet::default();
    let all = [
        on_session(1, 7, SanctionKind::Warning, None),
        on_session(2, 7, SanctionKind::Mute, Some(50)),
        on_session(3, 7, SanctionKind::Ban, Some(90)),
    ];
    set.go_on(&all);
    let holding = || {
        let target = SanctionTarget::Session(session(7));
        all.map(|it| set.holds(target, it.id, Timestamp(0)))
    };
    assert_eq!(holding(), [true; 3]);
    set.forget_ended(Timestamp(50));
    assert_eq!((holding(), set.counts()), ([true, false, true], [2, 0]));
    set.go_on(&[lifting(4, &all[0])]);
    assert_eq!((holding(), set.counts()), ([false, false, true], [1, 0]));
    // One that is named for another target is not found, and takes nothing away.
    let elsewhere = SanctionTarget::Session(session(8));
    assert!(!set.holds(elsewhere, SanctionId(3), Timestamp(0)));
    set.forget_ended(Timestamp(90));
    assert_eq!((holding(), set.counts()), ([false; 3], [0, 0]));
}

/// So many bans of networks that end at 100.
fn raid(many: usize) -> Vec<Sanction> {
    let of = |number: usize| {
        let mut hash = [0; 16];
        hash[..8].copy_from_slice(&number.to_le_bytes());
        let network = NetworkHash { hash, ..network(0) };
        let id = u64::try_from(number).unwrap() + 1;
        row(
            id,
            SanctionTarget::Network(network),
            SanctionKind::Ban,
            Some(100),
        )
    };
    (0..many).map(of).collect()
}

fn bytes(set: &SanctionSet) -> usize {
    let held = set.held.read();
    held.sessions.bytes() + held.networks.bytes()
}

#[test]
fn as_many_as_are_counted_fit_and_those_above_are_said() {
    let counted = crate::admission::bounds::BOUNDS
        .iter()
        .find(|it| it.what.starts_with("what holds against people"));
    let counted = usize::try_from(counted.unwrap().bytes).unwrap();
    // Sessions with a notice to read: as many places as their table has, with 17 bytes each.
    let unread = 131_072 * 17;
    let set = SanctionSet::default();
    let rows = raid(COUNTED + 1);
    let mut before = 0;
    for stretch in rows[..COUNTED].chunks(500) {
        set.go_on(stretch);
        let now = bytes(&set);
        // A table that grows is there twice for a moment.
        let moment = if now == before { 0 } else { before };
        assert!(now + moment + unread <= counted, "{now} and {before}");
        before = now;
    }
    assert_eq!((set.counts(), set.hint()), ([0, COUNTED], None));
    set.go_on(&rows[COUNTED..]);
    assert_eq!(set.counts(), [0, COUNTED + 1], "none is left out");
    let hint = set.hint().unwrap();
    assert!(hint.starts_with("100001 sanctions hold"), "{hint}");
}

#[test]
fn what_a_raid_needed_is_given_back_when_it_is_over() {
    let set = SanctionSet::default();
    let rows = raid(20_000);
    set.go_on(&rows);
    let full = bytes(&set);
    assert!(set.forget_ended(Timestamp(100)));
    assert_eq!(set.counts(), [0, 0]);
    assert!(bytes(&set) <= full / 8, "{} of {full}", bytes(&set));
    // And when they are lifted one by one.
    let set = SanctionSet::default();
    set.go_on(&rows);
    let lifts: Vec<Sanction> = rows
        .iter()
        .map(|it| lifting(it.id.0 + 20_000, it))
        .collect();
    set.go_on(&lifts);
    assert_eq!(set.counts(), [0, 0]);
    assert!(bytes(&set) <= full / 8, "{} of {full}", bytes(&set));
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
