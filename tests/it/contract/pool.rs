//! The contract of every waiting pool, one case per behaviour. A case gets a factory, so that it
//! chooses the rules; `now` is handed in, so that nothing sleeps. Speed is not its concern.

use std::sync::Arc;

use miyu::id::RoomId;
use miyu::matching::{
    Entered, Phase, PoolError, PoolRules, Renewed, Ticket, WaitingPool, memory::MemoryPool,
};
use miyu::model::{Gender, PreferredGender};

use crate::support::pool::{LEASE, Pool, With, lease_after, rules, ticket};

/// Makes an empty pool with these rules.
type Factory = fn(PoolRules) -> Arc<dyn WaitingPool>;

fn usual(factory: Factory) -> Pool {
    Pool(factory(rules()))
}

fn lease_ms() -> i64 {
    i64::try_from(LEASE.as_millis()).expect("short")
}

macro_rules! contract {
    ($backend:ident, $factory:expr; $($case:ident)*) => {
        mod $backend {
            use super::*;
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case($factory).await;
                }
            )*
        }
    };
}

contract! { memory, |rules| MemoryPool::new(rules);
    strangers_meet
    side_a_is_who_arrived_and_brings_the_room
    common_tags_are_in_the_spelling_of_side_a
    gender_wishes_hold_on_both_sides
    blocked_either_way_never_meet
    equal_user_ids_never_meet
    nobody_meets_themself_on_one_ticket
    tagged_people_wait_for_a_shared_tag
    relaxing_needs_both
    without_tags_the_first_phase_restricts_nothing
    a_shared_tag_needs_no_relaxing
    recent_partners_meet_when_both_want_repeats
    meeting_again_is_told
    most_shared_tags_come_first
    then_longest_waiting_comes_first
    then_first_come_comes_first
    those_who_insist_on_tags_hide_nobody
    unfit_people_in_front_hide_nobody
    recent_partners_with_ones_tags_hide_nobody
    two_tabs_meet_only_when_nobody_else_fits
    two_tabs_meet_whatever_they_remember
    two_tabs_keep_the_rules_of_tags_and_gender
    two_tabs_never_meet_where_that_is_off
    one_name_waits_once
    a_name_replaced_by_a_pairing_is_told
    a_later_phase_replaces_the_ticket_and_keeps_its_place
    an_earlier_since_stays
    withdrawn_tickets_are_not_paired
    a_paired_ticket_cannot_be_withdrawn
    an_unrenewed_ticket_is_not_paired
    a_renewed_ticket_is_paired
    an_expired_ticket_enters_again
    the_outcome_is_answered_again
    an_outcome_lasts_a_lease_after_it_was_last_asked_for
    given_back_tickets_wait_again
    given_back_tickets_keep_their_waiting_time
    who_is_gone_is_not_given_back
    giving_back_twice_changes_nothing
    an_outcome_past_its_lease_is_not_given_back
    who_waits_anew_is_not_doubled_by_giving_back
    a_session_waits_in_so_many_windows
    expired_tickets_of_a_session_do_not_count
    a_full_pool_takes_no_more
    the_census_counts_by_gender_and_wish
    unfit_is_who_wishes_keep_apart
    a_closed_pool_takes_nothing
}

async fn strangers_meet(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    pool.meet(&b, &a).await;
    assert_eq!(pool.waiting(), 0);
}

async fn side_a_is_who_arrived_and_brings_the_room(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    assert_eq!(pairing.room, b.room);
    for (party, ticket) in pairing.parties.iter().zip([&b, &a]) {
        assert_eq!(party.session, ticket.session);
        assert_eq!(party.persona, ticket.persona);
        assert_eq!(party.address, ticket.address);
    }
    assert!(!pairing.is_bot && !pairing.met_before && !pairing.same_session());
}

async fn common_tags_are_in_the_spelling_of_side_a(factory: Factory) {
    let pool = usual(factory);
    let a = ticket(1).tags(&["rust", "音樂", "Go"]);
    let b = ticket(2).tags(&["音樂", "旅行", "RUST"]);
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    assert_eq!(pairing.common_tags, ["音樂", "RUST"]);
}

/// Whether two people meet, which must not depend on who comes first.
async fn meet(factory: Factory, a: &Ticket, b: &Ticket) -> bool {
    let mut met = Vec::new();
    for (first, second) in [(a, b), (b, a)] {
        let pool = usual(factory);
        pool.wait(first).await;
        met.push(pool.enter(second).await.is_some());
    }
    assert_eq!(met[0], met[1], "the order of arrival decided");
    met[0]
}

async fn gender_wishes_hold_on_both_sides(factory: Factory) {
    for mine in Gender::ALL {
        for theirs in Gender::ALL {
            for my_wish in PreferredGender::ALL {
                for their_wish in PreferredGender::ALL {
                    let a = ticket(1).gender(mine, my_wish);
                    let b = ticket(2).gender(theirs, their_wish);
                    let both = my_wish.accepts(theirs) && their_wish.accepts(mine);
                    assert_eq!(meet(factory, &a, &b).await, both);
                }
            }
        }
    }
}

async fn blocked_either_way_never_meet(factory: Factory) {
    let blocking = ticket(1).blocks(2).phase(Phase::Repeats);
    assert!(!meet(factory, &blocking, &ticket(2).phase(Phase::Repeats)).await);
    assert!(meet(factory, &blocking, &ticket(3)).await);
}

async fn equal_user_ids_never_meet(factory: Factory) {
    let (a, b) = (ticket(1).user("same"), ticket(2).user("same"));
    assert!(!meet(factory, &a, &b).await);
}

async fn nobody_meets_themself_on_one_ticket(factory: Factory) {
    let pool = usual(factory);
    let a = ticket(1);
    pool.wait(&a).await;
    pool.wait(&a.again().user("other-name")).await;
    assert_eq!(pool.waiting(), 1);
}

async fn tagged_people_wait_for_a_shared_tag(factory: Factory) {
    let tagged = |n, tag| ticket(n).tags(&[tag]).phase(Phase::SharedTags);
    assert!(!meet(factory, &tagged(1, "音樂"), &tagged(2, "電影")).await);
    assert!(meet(factory, &tagged(1, "音樂"), &tagged(2, "音樂")).await);
}

async fn relaxing_needs_both(factory: Factory) {
    let strict = ticket(1).tags(&["音樂"]).phase(Phase::SharedTags);
    let relaxed = strict.again().phase(Phase::Anyone);
    let others = [
        ticket(2),
        ticket(2).phase(Phase::SharedTags),
        ticket(2).tags(&["電影"]),
        ticket(2).phase(Phase::Repeats),
    ];
    for other in others {
        assert!(!meet(factory, &strict, &other).await);
        assert!(meet(factory, &relaxed, &other).await);
        let pool = usual(factory);
        pool.wait(&strict).await;
        pool.wait(&other).await;
        pool.meet(&relaxed, &other).await;
    }
}

async fn without_tags_the_first_phase_restricts_nothing(factory: Factory) {
    let (a, b) = (ticket(1), ticket(2));
    let (a, b) = (a.phase(Phase::SharedTags), b.phase(Phase::SharedTags));
    assert!(meet(factory, &a, &b).await);
}

async fn a_shared_tag_needs_no_relaxing(factory: Factory) {
    let strict = ticket(1).tags(&["a", "b"]).phase(Phase::SharedTags);
    assert!(meet(factory, &strict, &ticket(2).tags(&["c", "B"])).await);
}

async fn recent_partners_meet_when_both_want_repeats(factory: Factory) {
    for (mine, theirs) in [
        (Phase::Anyone, Phase::Anyone),
        (Phase::Repeats, Phase::Anyone),
        (Phase::Anyone, Phase::Repeats),
        (Phase::Repeats, Phase::Repeats),
    ] {
        let remembers = ticket(1).met(2).tags(&["a"]).phase(mine);
        let other = ticket(2).tags(&["a"]).phase(theirs);
        let both = mine == Phase::Repeats && theirs == Phase::Repeats;
        assert_eq!(meet(factory, &remembers, &other).await, both);
    }
}

async fn meeting_again_is_told(factory: Factory) {
    let (a, b) = (
        ticket(1).phase(Phase::Repeats),
        ticket(2).phase(Phase::Repeats),
    );
    for (a, b) in [(a.clone().met(2), b.clone()), (a, b.met(1))] {
        let pool = usual(factory);
        pool.wait(&a).await;
        assert!(pool.meet(&b, &a).await.met_before);
    }
}

async fn most_shared_tags_come_first(factory: Factory) {
    let pool = usual(factory);
    let none = ticket(1).since(1);
    // They must not meet each other, so they share nothing or have met.
    let one = ticket(2).tags(&["a"]).since(2).met(1);
    let two = ticket(3).tags(&["a", "b"]).since(3).met(1).met(2);
    let three = ticket(4)
        .tags(&["c", "b", "a"])
        .since(4)
        .met(1)
        .met(2)
        .met(3);
    for waiting in [&none, &one, &two, &three] {
        pool.wait(waiting).await;
    }
    let arriving = |n| ticket(n).tags(&["A", "B", "C"]);
    pool.meet(&arriving(5), &three).await;
    pool.meet(&arriving(6), &two).await;
    pool.meet(&arriving(7), &one).await;
    pool.meet(&arriving(8), &none).await;
}

async fn then_longest_waiting_comes_first(factory: Factory) {
    let pool = usual(factory);
    let woman = |n, since| {
        let wish = PreferredGender::Male;
        ticket(n).gender(Gender::Female, wish).since(since)
    };
    let all = |n, since| {
        let apart = woman(n, since);
        Ticket {
            wish: ticket(n).wish,
            ..apart
        }
        .met(1)
        .met(2)
        .met(3)
    };
    let (later, first, second) = (woman(1, 30), woman(2, 10), all(4, 20));
    for waiting in [&later, &first, &second] {
        pool.wait(waiting).await;
    }
    let man = |n| ticket(n).gender(Gender::Male, PreferredGender::All);
    pool.meet(&man(11), &first).await;
    pool.meet(&man(12), &second).await;
    pool.meet(&man(13), &later).await;
}

async fn then_first_come_comes_first(factory: Factory) {
    let pool = usual(factory);
    let woman = |n| ticket(n).gender(Gender::Female, PreferredGender::Male);
    let (first, second) = (woman(1), woman(2));
    pool.wait(&first).await;
    pool.wait(&second).await;
    pool.wait(&first.again().phase(Phase::Repeats)).await;
    let man = ticket(3).gender(Gender::Male, PreferredGender::All);
    pool.meet(&man, &first).await;
}

async fn those_who_insist_on_tags_hide_nobody(factory: Factory) {
    let pool = usual(factory);
    for n in 0..300 {
        let tag = format!("tag {n}");
        let strict = ticket(1000 + n).tags(&[&tag]).phase(Phase::SharedTags);
        pool.wait(&strict).await;
    }
    let open = ticket(1).since(1);
    pool.wait(&open).await;
    pool.meet(&ticket(2), &open).await;
}

async fn unfit_people_in_front_hide_nobody(factory: Factory) {
    let pool = usual(factory);
    for n in 0..300 {
        pool.wait(&ticket(1000 + n).gender(Gender::Male, PreferredGender::Female))
            .await;
    }
    let open = ticket(1)
        .since(1)
        .gender(Gender::Female, PreferredGender::Female);
    pool.wait(&open).await;
    let arriving = ticket(2).gender(Gender::Female, PreferredGender::All);
    pool.withdraw(&open).await;
    pool.wait(&open).await;
    let pairing = pool.enter(&arriving).await.expect("somebody should fit");
    assert_ne!(pairing.parties[1].ticket, open.id, "others wait longer");
    let other = ticket(3).gender(Gender::Female, PreferredGender::Female);
    pool.meet(&other, &open).await;
}

async fn recent_partners_with_ones_tags_hide_nobody(factory: Factory) {
    let pool = usual(factory);
    let tags = ["a", "b", "c"];
    for n in 0..50 {
        // All of them met the one who comes, and want women, which none of them is.
        let met = ticket(1000 + n).tags(&tags).met(1);
        pool.wait(&met.gender(Gender::Male, PreferredGender::Female))
            .await;
    }
    let stranger = ticket(2).since(1).tags(&["c"]);
    pool.wait(&stranger).await;
    let arriving = ticket(1).tags(&tags);
    let arriving = arriving.gender(Gender::Female, PreferredGender::All);
    pool.meet(&arriving, &stranger).await;
}

async fn two_tabs_meet_only_when_nobody_else_fits(factory: Factory) {
    let pool = usual(factory);
    let tab = ticket(1).tags(&["a"]).since(1);
    let stranger = ticket(2).since(2).met(1);
    pool.wait(&tab).await;
    pool.wait(&stranger).await;
    let other_tab = ticket(3).tab_of(1).tags(&["a"]);
    let pairing = pool.meet(&other_tab, &tab).await;
    assert!(pairing.same_session());

    let pool = usual(factory);
    let stranger = ticket(2)
        .since(2)
        .gender(Gender::Male, PreferredGender::Female);
    pool.wait(&tab).await;
    pool.wait(&stranger).await;
    let other_tab = other_tab.gender(Gender::Female, PreferredGender::All);
    pool.meet(&other_tab, &stranger).await;
}

async fn two_tabs_meet_whatever_they_remember(factory: Factory) {
    let other_tab = ticket(2).tab_of(1).blocks(1);
    assert!(meet(factory, &ticket(1).met(1), &other_tab).await);
}

async fn two_tabs_keep_the_rules_of_tags_and_gender(factory: Factory) {
    let strict = ticket(1).tags(&["a"]).phase(Phase::SharedTags);
    let other_tab = ticket(2).tab_of(1);
    assert!(!meet(factory, &strict, &other_tab).await);
    let woman = other_tab
        .again()
        .gender(Gender::Female, PreferredGender::Male);
    assert!(!meet(factory, &ticket(1), &woman).await);
    assert!(!meet(factory, &ticket(1), &ticket(1)).await);
}

async fn two_tabs_never_meet_where_that_is_off(factory: Factory) {
    let pool = Pool(factory(PoolRules {
        same_session: false,
        ..rules()
    }));
    pool.wait(&ticket(1)).await;
    pool.wait(&ticket(2).tab_of(1)).await;
}

async fn one_name_waits_once(factory: Factory) {
    let pool = usual(factory);
    let (old, new) = (ticket(1), ticket(1));
    let waiting = |replaced| Ok::<_, ()>(Entered::Waiting { replaced });
    assert_eq!(pool.try_enter(&old, 0).await.map_err(drop), waiting(None));
    let replaced = pool.try_enter(&new, 0).await.map_err(drop);
    assert_eq!(replaced, waiting(Some((old.id, old.address))));
    assert_eq!(pool.try_enter(&new, 0).await.map_err(drop), waiting(None));
    assert_eq!(pool.waiting(), 1);
    assert_eq!(pool.renew_at(&old, 0).await, Renewed::Gone);
    assert!(!pool.withdraw(&old).await);
    pool.meet(&ticket(2), &new).await;
}

async fn a_name_replaced_by_a_pairing_is_told(factory: Factory) {
    let pool = usual(factory);
    let old = ticket(1).gender(Gender::Female, PreferredGender::Female);
    let other = ticket(2);
    pool.wait(&old).await;
    pool.wait(&other).await;
    match pool.try_enter(&ticket(1), 0).await {
        Ok(Entered::Paired { pairing, replaced }) => {
            assert_eq!(pairing.parties[1].ticket, other.id);
            assert_eq!(replaced, Some((old.id, old.address)));
        }
        answer => panic!("not paired: {answer:?}"),
    }
    assert_eq!(pool.renew_at(&old, 0).await, Renewed::Gone);
    assert_eq!(pool.waiting(), 0);
}

async fn a_later_phase_replaces_the_ticket_and_keeps_its_place(factory: Factory) {
    let pool = usual(factory);
    let strict = ticket(1).tags(&["a"]).phase(Phase::SharedTags);
    let second = ticket(2).tags(&["b"]).phase(Phase::SharedTags);
    pool.wait(&strict).await;
    pool.wait(&second).await;
    pool.wait(&strict.again().phase(Phase::Anyone)).await;
    assert_eq!(pool.waiting(), 2);
    pool.meet(&ticket(3).tags(&["a", "b"]), &strict).await;
}

async fn an_earlier_since_stays(factory: Factory) {
    let pool = usual(factory);
    let first = ticket(1).gender(Gender::Female, PreferredGender::Male);
    let second = ticket(2)
        .since(5)
        .gender(Gender::Female, PreferredGender::Male);
    pool.wait(&first).await;
    pool.wait(&second).await;
    pool.wait(&first.again().since(10)).await;
    let man = ticket(3).gender(Gender::Male, PreferredGender::All);
    pool.meet(&man, &first).await;
}

async fn withdrawn_tickets_are_not_paired(factory: Factory) {
    let pool = usual(factory);
    let a = ticket(1).tags(&["a", "b", "c"]);
    pool.wait(&a).await;
    assert!(pool.withdraw(&a).await);
    assert!(!pool.withdraw(&a).await);
    assert_eq!(pool.renew_at(&a, 0).await, Renewed::Gone);
    pool.wait(&ticket(2).tags(&["a", "b", "c"])).await;
    assert_eq!(pool.waiting(), 1);
}

async fn a_paired_ticket_cannot_be_withdrawn(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    for one in [&a, &b] {
        assert!(!pool.withdraw(one).await);
        assert_eq!(
            pool.renew_at(one, 0).await,
            Renewed::Paired(pairing.clone())
        );
    }
}

async fn an_unrenewed_ticket_is_not_paired(factory: Factory) {
    let pool = usual(factory);
    let a = ticket(1).tags(&["a"]);
    pool.wait(&a).await;
    let late = lease_ms();
    assert_eq!(pool.enter_at(&ticket(2).tags(&["a"]), late).await, None);
    assert_eq!(pool.renew_at(&a, late).await, Renewed::Gone);
    assert_eq!(pool.waiting(), 1);
}

async fn a_renewed_ticket_is_paired(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    assert_eq!(pool.renew_at(&a, lease_ms() - 1).await, Renewed::Waiting);
    let pairing = pool.enter_at(&b, 2 * lease_ms() - 2).await;
    assert_eq!(pairing.expect("renewed").parties[1].ticket, a.id);
}

async fn an_expired_ticket_enters_again(factory: Factory) {
    let pool = usual(factory);
    let a = ticket(1);
    pool.wait(&a).await;
    assert_eq!(pool.enter_at(&a.again(), lease_ms()).await, None);
    assert_eq!(pool.waiting(), 1);
    let pairing = pool.enter_at(&ticket(2), 2 * lease_ms() - 1).await;
    assert_eq!(pairing.expect("entered again").parties[1].ticket, a.id);
}

async fn the_outcome_is_answered_again(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    pool.wait(&ticket(3)).await;
    for one in [&a, &b, &a] {
        assert_eq!(pool.enter(&one.again()).await, Some(pairing.clone()));
        assert_eq!(
            pool.renew_at(one, 0).await,
            Renewed::Paired(pairing.clone())
        );
    }
    assert_eq!(pool.waiting(), 1);
}

async fn an_outcome_lasts_a_lease_after_it_was_last_asked_for(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    let asked = lease_ms() - 1;
    assert_eq!(
        pool.renew_at(&a, asked).await,
        Renewed::Paired(pairing.clone())
    );
    let asked = 2 * asked;
    assert_eq!(pool.enter_at(&b.again(), asked).await, Some(pairing));
    let late = asked + lease_ms();
    assert_eq!(pool.renew_at(&a, late).await, Renewed::Gone);
    assert_eq!(pool.renew_at(&b, late).await, Renewed::Gone);
}

async fn given_back_tickets_wait_again(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    pool.give_back(pairing.room, None).await;
    for one in [&a, &b] {
        assert_eq!(pool.renew_at(one, 0).await, Renewed::Waiting);
    }
    assert_eq!(pool.waiting(), 2);
    let other = b.again();
    let second = pool.meet(&other, &a).await;
    assert_eq!(second.room, other.room);
}

async fn given_back_tickets_keep_their_waiting_time(factory: Factory) {
    let pool = usual(factory);
    let woman = |n| ticket(n).gender(Gender::Female, PreferredGender::Male);
    let man = |n| ticket(n).gender(Gender::Male, PreferredGender::All);
    let (first, second) = (woman(1), woman(2).since(1));
    let gone = man(3);
    pool.wait(&first).await;
    let pairing = pool.meet(&gone, &first).await;
    pool.wait(&second).await;
    pool.give_back(pairing.room, Some(&gone)).await;
    pool.wait(&woman(4).since(2)).await;
    pool.meet(&man(5), &first).await;
}

async fn who_is_gone_is_not_given_back(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    pool.give_back(pairing.room, Some(&a)).await;
    assert_eq!(pool.renew_at(&a, 0).await, Renewed::Gone);
    assert_eq!(pool.renew_at(&b, 0).await, Renewed::Waiting);
    pool.meet(&ticket(3), &b).await;
}

async fn giving_back_twice_changes_nothing(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    pool.give_back(pairing.room, None).await;
    assert!(pool.withdraw(&a).await);
    pool.give_back(pairing.room, Some(&b)).await;
    pool.give_back(RoomId::fresh(), None).await;
    assert_eq!(pool.renew_at(&a, 0).await, Renewed::Gone);
    assert_eq!(pool.renew_at(&b, 0).await, Renewed::Waiting);
    assert_eq!(pool.waiting(), 1);
}

async fn an_outcome_past_its_lease_is_not_given_back(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    let late = pool.0.give_back(pairing.room, None, lease_after(0));
    late.await.expect("answers");
    assert_eq!(pool.waiting(), 0);
}

async fn who_waits_anew_is_not_doubled_by_giving_back(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    let anew = ticket(1);
    pool.wait(&anew).await;
    pool.give_back(pairing.room, None).await;
    assert_eq!(pool.renew_at(&a, 0).await, Renewed::Gone);
    assert_eq!(pool.renew_at(&anew, 0).await, Renewed::Waiting);
    assert_eq!(pool.renew_at(&b, 0).await, Renewed::Waiting);
    assert_eq!(pool.waiting(), 2);
}

/// Tabs of one session that cannot meet.
fn apart(n: u32) -> Ticket {
    ticket(n)
        .tab_of(1)
        .gender(Gender::Male, PreferredGender::Female)
}

async fn a_session_waits_in_so_many_windows(factory: Factory) {
    let pool = usual(factory);
    for n in 1..=4 {
        pool.wait(&apart(n)).await;
    }
    let fifth = apart(5);
    let refused = pool.try_enter(&fifth, 0).await;
    assert!(matches!(refused, Err(PoolError::TooManyTickets)));
    pool.wait(&apart(4)).await;
    assert_eq!(pool.waiting(), 4);
    pool.wait(&ticket(9).gender(Gender::Male, PreferredGender::Male))
        .await;

    let pool = Pool(factory(PoolRules {
        tickets_per_session: 0,
        ..rules()
    }));
    for n in 1..=20 {
        pool.wait(&apart(n)).await;
    }
}

async fn expired_tickets_of_a_session_do_not_count(factory: Factory) {
    let pool = Pool(factory(PoolRules {
        tickets_per_session: 10,
        ..rules()
    }));
    for n in 1..=10 {
        pool.wait(&apart(n)).await;
    }
    let entered = pool.try_enter(&apart(11), lease_ms()).await;
    assert!(matches!(entered, Ok(Entered::Waiting { .. })));
}

async fn a_full_pool_takes_no_more(factory: Factory) {
    let pool = Pool(factory(PoolRules {
        tickets: 2,
        ..rules()
    }));
    let man = |n| ticket(n).gender(Gender::Male, PreferredGender::Female);
    let (first, second) = (man(1), man(2));
    pool.wait(&first).await;
    pool.wait(&second).await;
    let refused = pool.try_enter(&man(3), 0).await;
    assert!(matches!(refused, Err(PoolError::Full)));
    pool.wait(&second.again()).await;
    assert!(pool.withdraw(&first).await);
    pool.wait(&man(3)).await;
}

async fn the_census_counts_by_gender_and_wish(factory: Factory) {
    let pool = usual(factory);
    let man = ticket(1).gender(Gender::Male, PreferredGender::Female);
    pool.wait(&man).await;
    pool.wait(&ticket(2).gender(Gender::Other, PreferredGender::Female))
        .await;
    let census = pool.0.census();
    assert_eq!(census.total(), 2);
    let count = |gender: Gender| census.waiting[gender.index()][PreferredGender::Female.index()];
    assert_eq!((count(Gender::Male), count(Gender::Other)), (1, 1));
    // The same search with another wish moves on.
    pool.wait(&man.again().gender(Gender::Male, PreferredGender::Male))
        .await;
    let census = pool.0.census();
    assert_eq!(census.waiting[Gender::Male.index()], [0, 1, 0, 0]);
    let others = census.without(Gender::Male, PreferredGender::Male);
    assert_eq!(others.total(), 1);
}

async fn unfit_is_who_wishes_keep_apart(factory: Factory) {
    let pool = usual(factory);
    let unfit = |pool: &Pool, gender, wish| {
        let census = pool.0.census();
        census.without(gender, wish).unfit(gender, wish)
    };
    let man = (Gender::Male, PreferredGender::Female);
    pool.wait(&ticket(1).gender(man.0, man.1)).await;
    assert!(!unfit(&pool, man.0, man.1), "alone is not unfit");
    let other = (Gender::Other, PreferredGender::All);
    pool.wait(&ticket(2).gender(other.0, other.1)).await;
    assert!(unfit(&pool, man.0, man.1));
    assert!(unfit(&pool, other.0, other.1));
    assert!(!unfit(&pool, Gender::Female, PreferredGender::Male));
    let blocked = ticket(3).blocks(2).gender(other.0, other.1);
    pool.wait(&blocked).await;
    assert!(!unfit(&pool, other.0, other.1), "a block is never told");
}

async fn a_closed_pool_takes_nothing(factory: Factory) {
    let pool = usual(factory);
    let a = ticket(1);
    pool.wait(&a).await;
    pool.0.close().await.expect("closes");
    pool.0.close().await.expect("closes twice");
    let refused = pool.try_enter(&ticket(2), 0).await;
    assert!(matches!(refused, Err(PoolError::Unavailable(_))));
    assert_eq!(pool.waiting(), 0);
    assert!(!pool.withdraw(&a).await);
    assert_eq!(pool.renew_at(&a, 0).await, Renewed::Gone);
    pool.give_back(a.room, None).await;
}
