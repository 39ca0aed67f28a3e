//! Which partner an arrival meets among those who fit.

use std::collections::HashSet;

use miyu::domain::wish::Phase;
use miyu::domain::{Gender, PreferredGender};

use super::{Factory, for_each_backend, usual};
use crate::support::pool::{With, ticket};

for_each_backend! {
    most_shared_tags_come_first
    then_a_draw_by_the_time_waited_decides
    tickets_that_insist_on_tags_hide_no_other
    gender_mismatches_in_front_hide_no_other
    recent_partners_with_the_same_tags_hide_no_other
    two_tabs_meet_only_when_no_other_ticket_fits
}

async fn most_shared_tags_come_first(factory: Factory) {
    let pool = usual(factory);
    let none = ticket(1).since(1);
    // They must not meet each other, so they share nothing or have met.
    let one = ticket(2).tags(&["音樂"]).since(2).met(1);
    let two = ticket(3).tags(&["音樂", "電影"]).since(3).met(1).met(2);
    let three = ticket(4)
        .tags(&["旅行", "電影", "音樂"])
        .since(4)
        .met(1)
        .met(2)
        .met(3);
    for waiting in [&none, &one, &two, &three] {
        pool.wait(waiting).await;
    }
    let arriving = |n| ticket(n).tags(&["音樂", "電影", "旅行"]);
    pool.meet(&arriving(5), &three).await;
    pool.meet(&arriving(6), &two).await;
    pool.meet(&arriving(7), &one).await;
    pool.meet(&arriving(8), &none).await;
}

async fn then_a_draw_by_the_time_waited_decides(factory: Factory) {
    let mut longest = 0;
    let pool = usual(factory);
    for round in 0..40 {
        let woman = |n, wish, since| ticket(n).gender(Gender::Female, wish).since(since);
        // Each of another class, hence another queue; they have met each other.
        let waits = [
            woman(1, PreferredGender::Male, 0),
            woman(2, PreferredGender::All, 90_000).met(1),
            woman(3, PreferredGender::Male, 99_000),
        ];
        for waiting in &waits {
            assert_eq!(pool.enter_at(waiting, 100_000).await, None);
        }
        let mut met = Vec::new();
        for n in 0..3 {
            let man = ticket(100 + 3 * round + n).gender(Gender::Male, PreferredGender::All);
            let pairing = pool.enter_at(&man.since(100_000), 100_000).await;
            met.push(pairing.expect("women wait").parties[1].ticket);
        }
        longest += usize::from(met[0] == waits[0].id);
        let all: HashSet<_> = met.into_iter().collect();
        assert_eq!(all.len(), 3);
    }
    // Nine in ten, by 100 s against 10 s and 1 s.
    assert!((26..40).contains(&longest), "{longest} of 40");
}

async fn tickets_that_insist_on_tags_hide_no_other(factory: Factory) {
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

async fn gender_mismatches_in_front_hide_no_other(factory: Factory) {
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

async fn recent_partners_with_the_same_tags_hide_no_other(factory: Factory) {
    let pool = usual(factory);
    let tags = ["音樂", "電影", "旅行"];
    for n in 0..50 {
        // All of them met the one who comes, and want women, which none of them is.
        let met = ticket(1000 + n).tags(&tags).met(1);
        pool.wait(&met.gender(Gender::Male, PreferredGender::Female))
            .await;
    }
    let stranger = ticket(2).since(1).tags(&["旅行"]);
    pool.wait(&stranger).await;
    let arriving = ticket(1).tags(&tags);
    let arriving = arriving.gender(Gender::Female, PreferredGender::All);
    pool.meet(&arriving, &stranger).await;
}

async fn two_tabs_meet_only_when_no_other_ticket_fits(factory: Factory) {
    let pool = usual(factory);
    let tab = ticket(1).tags(&["音樂"]).since(1);
    let stranger = ticket(2).since(2).met(1);
    pool.wait(&tab).await;
    pool.wait(&stranger).await;
    let other_tab = ticket(3).tab_of(1).tags(&["音樂"]);
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
