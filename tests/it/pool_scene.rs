//! How many of the people who arrive one address meets, however it goes about it. A scene in the time
//! that the pool is handed: 240 people from networks of their own come over a minute, and each meets
//! the partner that the pool gives them; some sockets of one address, or of one /24, search all the time.
//! A pool in Redis plays fewer of the scenes: each call takes its way there and back.

use miyu::matching::PoolRules;
use miyu::matching::memory::MemoryPool;

use crate::support::pool::redis_pool;
use scene::{AFTER, BEGIN, MINUTE, Made, PEOPLE, People, Scene, Sockets};

mod scene;

const MEMORY: Made = |rules: PoolRules| MemoryPool::new(rules);
const REDIS: Made = redis_pool;

const EVERYONE: [People; 3] = [People::Plain, People::Tagged, People::Choosy];

const NONE: Sockets = Sockets {
    count: 0,
    ring: false,
    one_id: false,
    addresses: 1,
    tags: false,
};

/// All ways of these many sockets.
fn attacks(count: u32) -> Vec<Sockets> {
    let mut all = Vec::new();
    for (ring, one_id, tags) in [
        (false, false, false),
        (false, true, false),
        (true, true, false),
        (true, false, true),
        (false, true, true),
    ] {
        all.push(Sockets {
            count,
            ring,
            one_id,
            tags,
            addresses: 1,
        });
    }
    all
}

/// At most so many in a hundred of the people meet a socket, and they wait no longer than twice as long.
async fn holds(made: Made, people: &[People], attacks: &[Sockets], percent: u32) {
    for &people in people {
        let alone = Scene::play(made, people, NONE, 10).await;
        assert!(alone.matched > 200, "{alone:?}");
        for &sockets in attacks {
            let outcome = Scene::play(made, people, sockets, 10).await;
            println!("{people:?} {sockets:?}: {outcome:?}, alone {alone:?}");
            assert!(
                outcome.met * 100 <= percent * PEOPLE,
                "{people:?} {sockets:?}: {outcome:?}"
            );
            // Two arrivals are a quarter of a second apart: less is no wait.
            let most = 2 * alone.median.max(250);
            assert!(
                outcome.median <= most,
                "{people:?} {sockets:?}: {outcome:?}, alone {alone:?}"
            );
        }
    }
}

#[tokio::test]
async fn thirty_sockets_of_one_address_meet_few() {
    holds(MEMORY, &EVERYONE, &attacks(30), 12).await;
}

#[tokio::test]
async fn thirty_sockets_of_one_address_meet_few_in_redis() {
    holds(REDIS, &EVERYONE, &attacks(30)[2..], 12).await;
}

#[tokio::test]
async fn nine_hundred_sockets_of_one_address_meet_few() {
    holds(MEMORY, &EVERYONE, &attacks(900), 15).await;
}

#[tokio::test]
async fn nine_hundred_sockets_of_one_address_meet_few_in_redis() {
    holds(REDIS, &[People::Tagged], &attacks(900)[2..3], 15).await;
}

/// Who names a word of their own is open to anyone after ten seconds only, and then to those who wait: a
/// crowd of one address meets them as often as its budget and one more window say.
async fn own_words(made: Made, attacks: &[Sockets]) {
    let (coming, span) = People::OwnWords.coming();
    let alone = Scene::play(made, People::OwnWords, NONE, 10).await;
    assert!(alone.matched * 10 >= coming as usize * 9, "{alone:?}");
    let most = 2 * 10 + u32::try_from(10 * (BEGIN + span + AFTER) / MINUTE).unwrap();
    for &sockets in attacks {
        let outcome = Scene::play(made, People::OwnWords, sockets, 10).await;
        println!("{sockets:?}: {outcome:?}, alone {alone:?}");
        assert!(outcome.met <= most, "{sockets:?}: {outcome:?}");
        assert!(
            outcome.matched + 8 >= alone.matched,
            "{sockets:?}: {outcome:?}"
        );
    }
    let unbounded = Scene::play(made, People::OwnWords, attacks[0], 0).await;
    assert!(unbounded.met > 2 * most, "{unbounded:?}");
}

#[tokio::test]
async fn sixty_sockets_of_one_address_meet_people_with_words_of_their_own_within_their_budget() {
    let mut attacks = attacks(60);
    attacks.swap(0, 2);
    own_words(MEMORY, &attacks).await;
}

#[tokio::test]
async fn sixty_sockets_meet_people_with_words_of_their_own_within_their_budget_in_redis() {
    own_words(REDIS, &attacks(60)[2..3]).await;
}

async fn a_24_meets_four_times_as_many(made: Made, attacks: &[Sockets]) {
    for sockets in attacks {
        let sockets = Sockets {
            addresses: 250,
            ..*sockets
        };
        let outcome = Scene::play(made, People::Plain, sockets, 10).await;
        println!("{sockets:?}: {outcome:?}");
        assert!(outcome.met * 100 <= 45 * PEOPLE, "{sockets:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_whole_24_meets_four_times_as_many() {
    a_24_meets_four_times_as_many(MEMORY, &attacks(250)).await;
}

#[tokio::test]
async fn a_whole_24_meets_four_times_as_many_in_redis() {
    a_24_meets_four_times_as_many(REDIS, &attacks(250)[2..3]).await;
}

#[tokio::test]
async fn without_budgets_the_same_sockets_would_meet_most() {
    let ring = attacks(900)[2];
    let outcome = Scene::play(MEMORY, People::Plain, ring, 0).await;
    println!("{outcome:?}");
    assert!(outcome.met * 100 >= 50 * PEOPLE, "{outcome:?}");
}
