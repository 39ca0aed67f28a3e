//! A pairing after it was made: answered again, given back, forgotten.

use miyu::domain::id::RoomId;
use miyu::domain::{Gender, PreferredGender};
use miyu::matching::Renewed;

use super::{Factory, for_each_backend, lease_ms, usual};
use crate::support::pool::{With, at, lease_after, ticket};

for_each_backend! {
    a_paired_ticket_cannot_be_withdrawn
    the_outcome_is_answered_again
    an_outcome_lasts_a_lease_after_it_was_last_asked_for
    given_back_tickets_wait_again
    given_back_tickets_keep_their_waiting_time
    who_is_gone_is_not_given_back
    giving_back_twice_changes_nothing
    an_outcome_past_its_lease_is_not_given_back
    who_waits_anew_is_not_doubled_by_giving_back
    a_new_ticket_that_is_gone_keeps_no_other_from_going_back
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
    pool.waiting_are(1).await;
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
    pool.waiting_are(2).await;
    let other = b.again();
    let second = pool.meet(&other, &a).await;
    assert_eq!(second.room, other.room);
}

async fn given_back_tickets_keep_their_waiting_time(factory: Factory) {
    let pool = usual(factory);
    let woman = |n| ticket(n).gender(Gender::Female, PreferredGender::Male);
    let man = |n| ticket(n).gender(Gender::Male, PreferredGender::All);
    // By the draw it is a million to one.
    let late = 1_000_000;
    let (first, second) = (woman(1), woman(2).since(late));
    let gone = man(3);
    assert_eq!(pool.enter_at(&first, late).await, None);
    let pairing = pool.enter_at(&gone, late).await.expect("a woman waits");
    assert_eq!(pool.enter_at(&second, late).await, None);
    let given = pool.0.give_back(pairing.room, Some(gone.id), at(late));
    given.await.expect("answers");
    let pairing = pool.enter_at(&man(5), late).await.expect("women wait");
    assert_eq!(pairing.parties[1].ticket, first.id);
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
    pool.waiting_are(1).await;
}

async fn an_outcome_past_its_lease_is_not_given_back(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    let late = pool.0.give_back(pairing.room, None, lease_after(0));
    late.await.expect("answers");
    pool.waiting_are(0).await;
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
    pool.waiting_are(2).await;
}

async fn a_new_ticket_that_is_gone_keeps_no_other_from_going_back(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    // So many leases end at once that not all are noticed by the next call: that of the first one's
    // name is among the last.
    let man = |n| ticket(n).gender(Gender::Male, PreferredGender::Female);
    for n in (10..40).chain([1]) {
        pool.wait(&man(n)).await;
    }
    let asked = pool.renew_at(&a, lease_ms() - 1).await;
    assert_eq!(asked, Renewed::Paired(pairing.clone()));
    let given_back = pool.0.give_back(pairing.room, None, lease_after(0)).await;
    given_back.expect("given back");
    for one in [&a, &b] {
        assert_eq!(pool.renew_at(one, lease_ms()).await, Renewed::Waiting);
    }
}
