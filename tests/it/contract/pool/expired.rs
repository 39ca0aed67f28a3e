//! Tickets of a crowd whose leases end all at once: one look takes a bounded part of them out, and the next
//! goes on. Nothing else may take them out meanwhile, so a pool in Redis counts seldom here.

use std::sync::Arc;
use std::time::Duration;

use miyu::domain::{Gender, PreferredGender};
use miyu::matching::memory::MemoryPool;
use miyu::matching::redis::RedisPoolConfig;
use miyu::matching::{Entered, Ticket};

use super::lease_ms;
use crate::support::pool::{Pool, With, at, redis_config, redis_pool_at, rules, ticket, together};
use crate::support::redis::shared_url;

/// How many leases end at once.
const OVER: u32 = 2_000;
/// Well above what one look takes out.
const ONE_LOOK: usize = 150;

fn man(number: u32) -> Ticket {
    let man = ticket(number).gender(Gender::Male, PreferredGender::Female);
    man.from([1, 1, 0])
}

/// Men of one network whose leases are over stand in its crowd before one who still waits, and people whom no
/// woman looks for fill its front. A woman of the network finds him, after more looks than a few.
async fn it_goes_bit_by_bit(pool: Pool) {
    let over: Vec<Ticket> = (1..=OVER).map(man).collect();
    for entered in together(&pool.0, &over, 0).await {
        assert!(matches!(entered, Ok(Entered::Waiting { .. })));
    }
    for n in 0..5 {
        let other = ticket(10_000 + n).gender(Gender::Other, PreferredGender::Other);
        let before = lease_ms() - 1;
        let other = other.from([1, 1, 0]).since(before);
        // Other people of the network would meet each other.
        let other = (10_000..10_005).fold(other, With::blocks);
        assert_eq!(pool.enter_at(&other, before).await, None);
    }
    let fits = man(20_000).since(lease_ms());
    assert_eq!(pool.enter_at(&fits, lease_ms()).await, None);
    let woman = ticket(20_001).gender(Gender::Female, PreferredGender::Male);
    let mut woman = woman.from([1, 1, 0]).since(lease_ms());
    let fewest = OVER as usize / ONE_LOOK;
    for look in 0..OVER as usize {
        let entered = pool.0.enter(woman.clone(), at(lease_ms())).await;
        match entered.expect("let in") {
            Entered::Paired { pairing, .. } => {
                assert_eq!(pairing.parties[1].ticket, fits.id);
                assert!(look >= fewest, "after {look} looks");
                return;
            }
            Entered::Waiting { resume, .. } => {
                assert!(resume.is_some(), "nothing was left out");
                woman = woman.again();
                woman.resume = resume;
            }
        }
    }
    panic!("hidden behind those whose leases are over");
}

#[tokio::test]
async fn a_crowd_that_is_over_leaves_bit_by_bit_in_memory() {
    it_goes_bit_by_bit(Pool(MemoryPool::new(rules()))).await;
}

#[tokio::test]
async fn a_crowd_that_is_over_leaves_bit_by_bit_in_redis() {
    let config = RedisPoolConfig {
        stats_every: Duration::from_secs(3600),
        ..redis_config(rules())
    };
    let pool = redis_pool_at(&shared_url(), config);
    it_goes_bit_by_bit(Pool(Arc::clone(&pool) as Arc<_>)).await;
}

#[tokio::test]
async fn what_expires_is_forgotten_when_no_call_comes() {
    let pool = Pool(MemoryPool::new(rules()));
    let [one, other] = [1, 2].map(ticket);
    let mut kept = None;
    for ticket in [one, other] {
        if let Entered::Paired { pairing, .. } = pool.0.enter(ticket, at(0)).await.unwrap() {
            kept = Some(Arc::downgrade(&pairing));
        }
    }
    let kept = kept.expect("the two were paired");
    // Men who look for women, with none there.
    let men: Vec<Ticket> = (3..100).map(man).collect();
    together(&pool.0, &men, 0).await;
    let waiting = || pool.0.stats().total();
    while pool.0.tidy(at(lease_ms() - 1)) {}
    assert!(kept.strong_count() > 0, "before its time");
    assert_eq!(waiting(), 97);
    while pool.0.tidy(at(lease_ms())) {}
    assert_eq!(kept.strong_count(), 0, "the pairing is kept");
    assert_eq!(waiting(), 0);
}
