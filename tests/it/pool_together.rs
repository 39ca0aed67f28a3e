//! Tickets that enter the pool in Redis by one call: each has its own answer, as if it had come alone
//! in its turn, whatever becomes of the others and of the call.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use miyu::domain::id::TicketId;
use miyu::domain::wish::Phase;
use miyu::domain::{Gender, PreferredGender};
use miyu::matching::redis::{RedisPool, RedisPoolConfig};
use miyu::matching::{Entered, PoolError, PoolRules, Renewed, Ticket, WaitingPool};

use crate::support::drop_replies::DropReplies;
use crate::support::pool::{Pool, With, at, redis_config, redis_pool_at, rules, ticket, together};
use crate::support::redis::{OwnRedis, shared_cli, shared_url};

/// The ticket that this one was paired with when it entered.
fn met(entered: &Result<Entered, PoolError>) -> Option<TicketId> {
    match entered {
        Ok(Entered::Paired { pairing, .. }) => Some(pairing.parties[1].ticket),
        _ => None,
    }
}

fn waits(entered: &Result<Entered, PoolError>) -> bool {
    matches!(entered, Ok(Entered::Waiting { replaced: None, .. }))
}

fn woman(number: u32) -> Ticket {
    ticket(number).gender(Gender::Female, PreferredGender::Male)
}

fn man(number: u32) -> Ticket {
    ticket(number).gender(Gender::Male, PreferredGender::Female)
}

async fn enter_all(pool: &Arc<RedisPool>, tickets: &[Ticket]) -> Vec<Result<Entered, PoolError>> {
    together(&(Arc::clone(pool) as Arc<dyn WaitingPool>), tickets, 0).await
}

#[tokio::test]
async fn they_go_by_few_calls_and_find_those_who_came_just_before() {
    let redis = OwnRedis::start();
    let config = RedisPoolConfig {
        stats_every: Duration::from_secs(3600),
        ..redis_config(rules())
    };
    let pool = redis_pool_at(&redis.url(), config);
    // The script is known and the first count made.
    pool.enter(ticket(1).tags(&["音樂"]).phase(Phase::SharedTags), at(0))
        .await
        .unwrap();
    let calls = || {
        let stats = redis.cli(&["info", "commandstats"]);
        let line = stats.lines().find(|line| line.contains("_evalsha:"));
        let count = line.and_then(|line| line.split(['=', ',']).nth(1));
        count.map_or(0, |count| count.parse::<usize>().unwrap())
    };
    let before = calls();
    let crowd: Vec<Ticket> = (100..120).map(woman).chain((200..220).map(man)).collect();
    let entered = enter_all(&pool, &crowd).await;
    assert!(calls() - before <= 3, "{} calls", calls() - before);
    assert!(entered[..20].iter().all(waits));
    let women: HashSet<TicketId> = entered[20..].iter().filter_map(met).collect();
    assert_eq!(women, crowd[..20].iter().map(|woman| woman.id).collect());
}

#[tokio::test]
async fn each_is_answered_for_itself() {
    let strict = PoolRules {
        tickets_per_session: 1,
        tickets: 3,
        ..rules()
    };
    let pool = redis_pool_at(&shared_url(), redis_config(strict));
    let before = woman(1).tags(&["音樂"]);
    pool.enter(before.clone(), at(0)).await.unwrap();
    let renamed = Ticket {
        id: TicketId::fresh(),
        ..before.again()
    };
    let crowd = [
        woman(2),
        woman(3).tab_of(2),
        renamed.clone(),
        man(4).tags(&["音樂"]),
        man(5),
        woman(6),
        woman(7),
        woman(8),
        woman(9),
        woman(2),
    ];
    let entered = enter_all(&pool, &crowd).await;
    assert!(waits(&entered[0]));
    assert!(matches!(entered[1], Err(PoolError::TooManyTickets)));
    let replaced = Some((before.id, before.address));
    assert_eq!(entered[2].as_ref().unwrap().replaced(), replaced);
    assert_eq!(met(&entered[3]), Some(renamed.id));
    assert_eq!(met(&entered[4]), Some(crowd[0].id));
    assert!(entered[5..8].iter().all(waits));
    for entered in &entered[8..] {
        assert!(matches!(entered, Err(PoolError::Full)));
    }
    let pool = Pool(pool as Arc<dyn WaitingPool>);
    pool.waiting_are(3).await;
    assert_eq!(pool.renew_at(&before, 0).await, Renewed::Gone);
}

#[tokio::test]
async fn answers_that_got_lost_together_are_given_again() {
    let drop_replies = DropReplies::before(&shared_url()).await;
    let pool = redis_pool_at(&drop_replies.url(), redis_config(rules()));
    let old = woman(1).tags(&["音樂"]);
    pool.enter(old.clone(), at(0)).await.unwrap();
    let new = Ticket {
        id: TicketId::fresh(),
        ..old.again()
    };
    let crowd = [
        woman(2).tags(&["電影"]),
        new,
        man(3).tags(&["電影"]),
        man(4).tags(&["音樂"]),
        woman(5),
        man(6),
    ];
    drop_replies.mute();
    let lost = enter_all(&pool, &crowd).await;
    let unheard = |it: &Result<_, _>| matches!(it, Err(PoolError::Unavailable(_)));
    assert!(lost.iter().all(unheard));
    // In another order, some alone and some together, with fresh rooms as callers have.
    let again: Vec<Ticket> = crowd.iter().rev().map(With::again).collect();
    let mut entered = enter_all(&pool, &again[..4]).await;
    for ticket in &again[4..] {
        entered.push(pool.enter(ticket.clone(), at(0)).await);
    }
    entered.reverse();
    let ids = |n: usize| {
        let Ok(Entered::Paired { pairing, .. }) = &entered[n] else {
            panic!("{n} was paired by the call whose answer got lost");
        };
        pairing.parties.each_ref().map(|party| party.ticket)
    };
    assert_eq!(ids(0), [crowd[2].id, crowd[0].id]);
    assert_eq!(ids(1)[1], crowd[1].id);
    let told = entered[1].as_ref().unwrap().replaced();
    assert_eq!(told, Some((old.id, old.address)));
    for n in [2, 3, 4, 5] {
        assert_eq!(entered[n].as_ref().unwrap().replaced(), None);
    }
    let pool = Pool(pool as Arc<dyn WaitingPool>);
    pool.waiting_are(0).await;
}

#[tokio::test]
async fn one_that_redis_cannot_take_is_no_harm_to_the_others() {
    let config = redis_config(rules());
    let pool = redis_pool_at(&shared_url(), config.clone());
    let (good, bad, other) = (woman(1), woman(2), man(3));
    // What only a broken disk or hand would write.
    let write = "local id = string.gsub(ARGV[1], '..', function(hex)
        return string.char(tonumber(hex, 16)) end)
        redis.call('HSET', KEYS[1], 't' .. id, 'W')";
    let hex = bad.id.0.simple().to_string();
    pool.enter(ticket(9).tags(&["音樂"]).phase(Phase::SharedTags), at(0))
        .await
        .unwrap();
    shared_cli(&["eval", write, "1", &config.keys()[0], &hex]);
    let entered = enter_all(&pool, &[good.clone(), bad, other]).await;
    assert!(waits(&entered[0]));
    assert!(matches!(entered[1], Err(PoolError::Unavailable(_))));
    assert_eq!(met(&entered[2]), Some(good.id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gave_up_before_the_answer_is_not_let_in_behind_a_withdrawal() {
    let pool = redis_pool_at(&shared_url(), redis_config(rules()));
    pool.enter(man(0).tags(&["音樂"]), at(0)).await.unwrap();
    for round in 0..200 {
        let given_up = man(1 + round);
        // On its way, and given up by its caller.
        let _ = pool.enter(given_up.clone(), at(0)).now_or_never();
        let _ = pool.withdraw(given_up.id).await.unwrap();
        let renewed = pool.renew(given_up.id, at(0)).await.unwrap();
        assert_eq!(renewed, Renewed::Gone);
    }
    let pool = Pool(pool as Arc<dyn WaitingPool>);
    pool.waiting_are(1).await;
}
