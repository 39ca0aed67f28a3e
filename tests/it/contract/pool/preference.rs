//! Whom an arrival meets among those who fit.

use miyu::matching::Phase;
use miyu::model::{Gender, PreferredGender};

use super::{Factory, for_each_backend, usual};
use crate::support::pool::{With, ticket};

for_each_backend! {
    most_shared_tags_come_first
    then_longest_waiting_comes_first
    then_first_come_comes_first
    those_who_insist_on_tags_hide_nobody
    unfit_people_in_front_hide_nobody
    recent_partners_with_ones_tags_hide_nobody
    two_tabs_meet_only_when_nobody_else_fits
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
    let woman = |n, wish, since| ticket(n).gender(Gender::Female, wish).since(since);
    let later = woman(1, PreferredGender::Male, 30);
    let first = woman(2, PreferredGender::Male, 10);
    // Another class, hence another queue; she has met the others.
    let second = woman(3, PreferredGender::All, 20).met(1).met(2);
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
    let woman = |n| ticket(n).gender(Gender::Female, PreferredGender::Female);
    for n in 0..300 {
        pool.wait(&ticket(1000 + n).gender(Gender::Male, PreferredGender::Female))
            .await;
    }
    let last = woman(1).since(1);
    pool.wait(&last).await;
    pool.meet(&woman(2), &last).await;
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
