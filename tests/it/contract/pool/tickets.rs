//! A ticket while it waits: replaced, withdrawn, renewed, counted.

use miyu::domain::wish::Phase;
use miyu::domain::{Gender, PreferredGender};
use miyu::matching::{Entered, PoolError, PoolRules, PoolStats, Renewed, Ticket};

use super::{Factory, for_each_backend, lease_ms, usual};
use crate::support::pool::{Pool, With, rules, ticket};

for_each_backend! {
    one_name_waits_once
    a_name_replaced_by_a_pairing_is_told
    a_later_phase_replaces_the_ticket
    an_earlier_since_stays
    withdrawn_tickets_are_not_paired
    an_unrenewed_ticket_is_not_paired
    a_renewed_ticket_is_paired
    an_expired_ticket_enters_again
    a_session_waits_in_so_many_windows
    expired_tickets_of_a_session_do_not_count
    a_full_pool_takes_no_more
    the_stats_count_by_gender_and_wish
    a_closed_pool_takes_nothing
}

async fn one_name_waits_once(factory: Factory) {
    let pool = usual(factory);
    let (old, new) = (ticket(1), ticket(1));
    let waiting = |replaced| {
        Ok::<_, ()>(Entered::Waiting {
            replaced,
            resume: None,
        })
    };
    assert_eq!(pool.try_enter(&old, 0).await.map_err(drop), waiting(None));
    let replaced = pool.try_enter(&new, 0).await.map_err(drop);
    assert_eq!(replaced, waiting(Some((old.id, old.address))));
    assert_eq!(pool.try_enter(&new, 0).await.map_err(drop), waiting(None));
    pool.waiting_are(1).await;
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
    pool.waiting_are(0).await;
}

async fn a_later_phase_replaces_the_ticket(factory: Factory) {
    let pool = usual(factory);
    let strict = ticket(1).tags(&["音樂"]).phase(Phase::SharedTags);
    let second = ticket(2).tags(&["電影"]).phase(Phase::SharedTags);
    pool.wait(&strict).await;
    pool.wait(&second).await;
    pool.wait(&strict.again().phase(Phase::Anyone)).await;
    pool.waiting_are(2).await;
    pool.meet(&ticket(3), &strict).await;
}

async fn an_earlier_since_stays(factory: Factory) {
    let pool = usual(factory);
    let first = ticket(1).gender(Gender::Female, PreferredGender::Male);
    let second = ticket(2)
        .since(9_999_999)
        .gender(Gender::Female, PreferredGender::Male);
    let late = 10_000_000;
    for waiting in [&first, &second, &first.again().since(late)] {
        assert_eq!(pool.enter_at(waiting, late).await, None);
    }
    // By the draw, ten million to one.
    let man = ticket(3).gender(Gender::Male, PreferredGender::All);
    let pairing = pool.enter_at(&man.since(late), late).await;
    assert_eq!(pairing.expect("women wait").parties[1].ticket, first.id);
}

async fn withdrawn_tickets_are_not_paired(factory: Factory) {
    let pool = usual(factory);
    let a = ticket(1).tags(&["音樂", "電影", "旅行"]);
    pool.wait(&a).await;
    assert!(pool.withdraw(&a).await);
    assert!(!pool.withdraw(&a).await);
    assert_eq!(pool.renew_at(&a, 0).await, Renewed::Gone);
    pool.wait(&ticket(2).tags(&["音樂", "電影", "旅行"])).await;
    pool.waiting_are(1).await;
}

async fn an_unrenewed_ticket_is_not_paired(factory: Factory) {
    let pool = usual(factory);
    let a = ticket(1).tags(&["音樂"]);
    pool.wait(&a).await;
    let late = lease_ms();
    assert_eq!(pool.enter_at(&ticket(2).tags(&["音樂"]), late).await, None);
    assert_eq!(pool.renew_at(&a, late).await, Renewed::Gone);
    pool.waiting_are(1).await;
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
    pool.waiting_are(1).await;
    let pairing = pool.enter_at(&ticket(2), 2 * lease_ms() - 1).await;
    assert_eq!(pairing.expect("entered again").parties[1].ticket, a.id);
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
    pool.waiting_are(4).await;
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

async fn the_stats_count_by_gender_and_wish(factory: Factory) {
    let pool = usual(factory);
    let man = ticket(1).gender(Gender::Male, PreferredGender::Female);
    pool.wait(&man).await;
    pool.wait(&ticket(2).gender(Gender::Other, PreferredGender::Female))
        .await;
    pool.waiting_are(2).await;
    let stats = pool.0.stats();
    let count = |gender: Gender| stats.waiting[gender.index()][PreferredGender::Female.index()];
    assert_eq!((count(Gender::Male), count(Gender::Other)), (1, 1));
    // The same search with another wish moves on.
    pool.wait(&man.again().gender(Gender::Male, PreferredGender::Male))
        .await;
    let moved = |stats: &PoolStats| stats.waiting[Gender::Male.index()] == [0, 1, 0, 0];
    pool.stats_show(moved).await;
}

async fn a_closed_pool_takes_nothing(factory: Factory) {
    let pool = usual(factory);
    let a = ticket(1);
    pool.wait(&a).await;
    pool.0.close().await.expect("closes");
    pool.0.close().await.expect("closes twice");
    let refused = pool.try_enter(&ticket(2), 0).await;
    assert!(matches!(refused, Err(PoolError::Unavailable(_))));
    pool.waiting_are(0).await;
    assert!(!pool.withdraw(&a).await);
    assert_eq!(pool.renew_at(&a, 0).await, Renewed::Gone);
    pool.give_back(a.room, None).await;
}

/// Tabs of one session that cannot meet.
fn apart(n: u32) -> Ticket {
    ticket(n)
        .tab_of(1)
        .gender(Gender::Male, PreferredGender::Female)
}
