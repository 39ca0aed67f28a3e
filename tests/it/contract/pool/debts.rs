//! What a network owes when patient people meet it, how often two networks meet, and how those of one
//! network share what it has.

use std::sync::Arc;
use std::time::Duration;

use miyu::domain::wish::Phase;
use miyu::domain::{Gender, PreferredGender};
use miyu::matching::memory::MemoryPool;
use miyu::matching::redis::RedisPoolConfig;
use miyu::matching::{Ticket, WaitingPool};

use super::shares::{PATIENCE, from, meets, network, stranger};
use super::{Factory, for_each_backend, usual};
use crate::support::pool::{Pool, With, at, redis_config, redis_pool_at, rules};
use crate::support::redis::shared_url;

for_each_backend! {
    patience_begins_when_a_search_is_open_to_anyone
    patient_people_meet_a_crowd_within_one_more_window
    a_network_that_owes_all_it_may_meets_not_even_patient_people
    two_networks_meet_twice_and_then_only_when_both_are_patient
    who_goes_back_is_given_back_what_it_cost
    an_outsider_pays_also_for_those_who_went_back
    who_has_stood_in_the_front_for_long_yields_to_one_of_the_crowd
    a_search_that_looks_again_stands_in_the_front_no_longer_for_it
    an_arrival_leaves_to_its_elders_the_partners_they_could_take
    of_a_network_with_little_left_the_oldest_is_met
}

fn man(ticket: Ticket) -> Ticket {
    ticket.gender(Gender::Male, PreferredGender::Female)
}

fn woman(ticket: Ticket) -> Ticket {
    ticket.gender(Gender::Female, PreferredGender::Male)
}

async fn patience_begins_when_a_search_is_open_to_anyone(factory: Factory) {
    let pool = usual(factory);
    let crowd = man(from(1, 1));
    assert_eq!(meets(&pool, 0, 100..115, &[network(1)]).await, 10);
    pool.wait(&crowd).await;
    let lonely = woman(stranger(200)).tags(&["my own word"]);
    let lonely = lonely.phase(Phase::SharedTags);
    pool.wait(&lonely).await;
    for (ms, strangers) in [(PATIENCE, 300..303), (2 * PATIENCE - 1, 310..313)] {
        // What came back is spent again.
        meets(&pool, ms, strangers, &[network(1)]).await;
        let open = lonely.again().phase(Phase::Anyone);
        assert_eq!(pool.enter_at(&open, ms).await, None, "{ms}");
    }
    let open = lonely.again().phase(Phase::Anyone);
    let pairing = pool.enter_at(&open, 2 * PATIENCE).await;
    assert_eq!(pairing.expect("nobody else").parties[1].ticket, crowd.id);
}

/// How many of these women, who have waited for long, meet one of the men who wait.
async fn patient_women_meet(pool: &Pool, ms: i64, women: std::ops::Range<u32>) -> usize {
    let mut met = 0;
    for n in women {
        let woman = woman(stranger(n)).since(ms - PATIENCE);
        match pool.enter_at(&woman, ms).await {
            Some(_) => met += 1,
            None => assert!(pool.withdraw(&woman).await),
        }
    }
    met
}

async fn patient_people_meet_a_crowd_within_one_more_window(factory: Factory) {
    let pool = usual(factory);
    for n in 0..60 {
        pool.wait(&man(from(n, 1))).await;
    }
    assert_eq!(patient_women_meet(&pool, 0, 100..140).await, 20);
    assert_eq!(patient_women_meet(&pool, 12_000, 200..210).await, 2);
    // Another crowd is met all the same.
    for n in 60..64 {
        pool.wait(&man(from(n, 2))).await;
    }
    assert_eq!(patient_women_meet(&pool, 12_000, 300..310).await, 4);
}

async fn a_network_that_owes_all_it_may_meets_not_even_patient_people(factory: Factory) {
    let pool = usual(factory);
    for n in 0..25 {
        pool.wait(&man(from(n, 1))).await;
    }
    assert_eq!(patient_women_meet(&pool, 0, 100..140).await, 20);
    let patient = woman(stranger(200)).since(-PATIENCE);
    pool.wait(&patient).await;
    pool.wait(&man(from(300, 1))).await;
    // Its own people meet it as ever.
    assert!(pool.enter(&woman(from(301, 1))).await.is_some());
    // When one has come back, it is met again.
    let pairing = pool.enter_at(&patient.again(), 6_000).await;
    assert!(pairing.is_some(), "one came back");
}

async fn two_networks_meet_twice_and_then_only_when_both_are_patient(factory: Factory) {
    let pool = usual(factory);
    for n in 0..2 {
        let (a, b) = (from(10 + n, 1), from(20 + n, 2));
        pool.wait(&a).await;
        pool.meet(&b, &a).await;
    }
    let early = from(30, 1).since(-PATIENCE);
    pool.wait(&early).await;
    let late = from(31, 2);
    pool.wait(&late).await;
    assert!(pool.withdraw(&late).await);
    let both = from(32, 2).since(-PATIENCE);
    pool.meet(&both, &early).await;
    // Either meets others, and in half a minute one pairing has come back.
    assert_eq!(meets(&pool, 1_000, 100..110, &[network(3)]).await, 10);
    let (a, b) = (from(40, 4), from(41, 5));
    for ms in [0, 0, 31_000] {
        let (a, b) = (a.again().since(ms), b.again().since(ms));
        assert_eq!(pool.enter_at(&a, ms).await, None);
        let pairing = pool.enter_at(&b, ms).await.expect("within what they have");
        pool.0
            .give_back(pairing.room, Some(a.id), at(ms))
            .await
            .unwrap();
        assert!(pool.withdraw(&b).await);
    }
}

async fn who_goes_back_is_given_back_what_it_cost(factory: Factory) {
    let pool = usual(factory);
    let waiting = man(from(1, 1));
    pool.wait(&waiting).await;
    for n in 100..130 {
        let outsider = woman(stranger(n));
        let pairing = pool.meet(&outsider, &waiting).await;
        pool.give_back(pairing.room, Some(&outsider)).await;
    }
    // Neither side is gone: no network pays, also not the pair.
    for _ in 0..12 {
        let other = woman(from(200, 2));
        let pairing = pool.meet(&other, &waiting).await;
        pool.give_back(pairing.room, None).await;
        assert!(pool.withdraw(&other).await);
    }
    assert!(pool.withdraw(&waiting).await);
    assert_eq!(meets(&pool, 0, 300..330, &[network(1)]).await, 10);
    assert_eq!(meets(&pool, 0, 400..430, &[network(2)]).await, 10);
}

async fn an_outsider_pays_also_for_those_who_went_back(factory: Factory) {
    let pool = usual(factory);
    let mut met = 0;
    for n in 100..130 {
        let waiting = man(stranger(n));
        pool.wait(&waiting).await;
        let outsider = woman(from(500 + n, 1));
        if let Some(pairing) = pool.enter(&outsider).await {
            pool.give_back(pairing.room, Some(&outsider)).await;
            met += 1;
        }
        pool.withdraw(&outsider).await;
        assert!(pool.withdraw(&waiting).await);
    }
    assert_eq!(met, 10);
}

/// Not for every backend alike: the stats of a pool in Redis go by the latest clock that it was handed.
#[tokio::test]
async fn a_clock_set_back_gives_every_network_its_budget() {
    let config = RedisPoolConfig {
        stats_every: Duration::from_secs(3600),
        ..redis_config(rules())
    };
    let in_redis: Arc<dyn WaitingPool> = redis_pool_at(&shared_url(), config);
    for pool in [MemoryPool::new(rules()) as Arc<dyn WaitingPool>, in_redis] {
        let pool = Pool(pool);
        assert_eq!(meets(&pool, 3_600_000, 100..115, &[network(1)]).await, 10);
        assert_eq!(meets(&pool, 0, 200..215, &[network(1)]).await, 10);
    }
}

/// A stranger who comes at this moment meets exactly this one, or waits and goes.
async fn is_met(pool: &Pool, number: u32, ms: i64, waiting: &Ticket) -> bool {
    let stranger = stranger(number).gender(Gender::Other, PreferredGender::All);
    let stranger = stranger.since(ms);
    match pool.enter_at(&stranger, ms).await {
        Some(pairing) => pairing.parties[1].ticket == waiting.id,
        None => !pool.withdraw(&stranger).await,
    }
}

async fn who_has_stood_in_the_front_for_long_yields_to_one_of_the_crowd(factory: Factory) {
    let pool = usual(factory);
    for n in 0..5 {
        pool.wait(&man(from(n, 1))).await;
    }
    let [early, late] = [10, 11].map(|n| from(n, 1).gender(Gender::Other, PreferredGender::Other));
    pool.wait(&early).await;
    for ms in [0, 5_000, PATIENCE - 1] {
        pool.renew_at(&early, ms).await;
        assert!(!is_met(&pool, 100, ms, &early).await, "{ms}");
    }
    pool.renew_at(&early, PATIENCE).await;
    assert!(is_met(&pool, 101, PATIENCE, &early).await);
    // Its place is free; the next is taken by one who has only just come.
    let guest = man(from(12, 1)).since(PATIENCE);
    assert_eq!(pool.enter_at(&guest, PATIENCE).await, None);
    let late = late.since(PATIENCE);
    assert_eq!(pool.enter_at(&late, PATIENCE).await, None);
    assert!(is_met(&pool, 102, PATIENCE, &late).await);
}

async fn a_search_that_looks_again_stands_in_the_front_no_longer_for_it(factory: Factory) {
    let pool = usual(factory);
    let men: Vec<Ticket> = (0..5).map(|n| man(from(n, 1))).collect();
    for ms in [0, 5_000, PATIENCE - 1] {
        for man in &men {
            assert_eq!(pool.enter_at(&man.again(), ms).await, None);
        }
    }
    let waiting = from(10, 1).gender(Gender::Other, PreferredGender::Other);
    assert_eq!(pool.enter_at(&waiting, PATIENCE).await, None);
    assert!(is_met(&pool, 100, PATIENCE, &waiting).await);
}

/// Network 1 has spent everything; one of its people waits in the crowd, and a stranger who would fit.
async fn one_of_a_crowd_and_a_stranger(pool: &Pool, elder: &Ticket) -> Ticket {
    assert_eq!(meets(pool, 0, 100..115, &[network(1)]).await, 10);
    pool.wait(elder).await;
    let stranger = man(stranger(200));
    pool.wait(&stranger).await;
    stranger
}

async fn an_arrival_leaves_to_its_elders_the_partners_they_could_take(factory: Factory) {
    let pool = usual(factory);
    let elder = woman(from(1, 1));
    let stranger = one_of_a_crowd_and_a_stranger(&pool, &elder).await;
    let young = woman(from(2, 1)).since(6_000);
    assert_eq!(pool.enter_at(&young, 6_000).await, None);
    let pairing = pool.enter_at(&elder.again(), 6_000).await;
    assert_eq!(
        pairing.expect("one came back").parties[1].ticket,
        stranger.id
    );

    // An elder that could not take the stranger keeps no other from it.
    let pool = usual(factory);
    let elder = from(1, 1).gender(Gender::Female, PreferredGender::Female);
    let stranger = one_of_a_crowd_and_a_stranger(&pool, &elder).await;
    let pairing = pool.enter_at(&young.again(), 6_000).await;
    assert_eq!(
        pairing.expect("one came back").parties[1].ticket,
        stranger.id
    );
}

async fn of_a_network_with_little_left_the_oldest_is_met(factory: Factory) {
    let pool = usual(factory);
    let elder = woman(from(1, 1));
    assert_eq!(meets(&pool, 0, 100..115, &[network(1)]).await, 10);
    pool.wait(&elder).await;
    let young = woman(from(2, 1)).since(6_000);
    assert_eq!(pool.enter_at(&young, 6_000).await, None);
    let pairing = pool.enter_at(&man(stranger(200)).since(6_000), 6_000).await;
    assert_eq!(pairing.expect("one came back").parties[1].ticket, elder.id);
}
