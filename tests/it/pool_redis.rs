//! What the contract of waiting pools does not say because it holds for Redis alone: several nodes,
//! lost answers, an absent, empty or forgetful Redis, clocks that differ, and nothing left behind.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use miyu::domain::id::TicketId;
use miyu::domain::{Gender, PreferredGender};
use miyu::matching::redis::{LeaseClock, RedisPoolConfig};
use miyu::matching::{Entered, PoolError, PoolRules, Renewed, Ticket, WaitingPool, rule};
use tokio::task::JoinSet;

use crate::support::drop_replies::DropReplies;
use crate::support::pool::{Pool, With, at, redis_config, redis_pool_at, rules, session, ticket};
use crate::support::redis::{OwnRedis, shared_cli, shared_url};
use crate::support::wire::eventually;

/// As a server runs it, under names of its own; with this lease.
fn by_redis_time(lease: Duration) -> RedisPoolConfig {
    RedisPoolConfig {
        clock: LeaseClock::Redis,
        ..redis_config(PoolRules { lease, ..rules() })
    }
}

/// The keys of this pool.
fn keys(config: &RedisPoolConfig) -> Vec<String> {
    let pattern = format!("{}*", config.prefix);
    let found = shared_cli(&["--scan", "--pattern", &pattern]);
    found.lines().map(str::to_owned).collect()
}

fn woman(number: u32) -> Ticket {
    ticket(number).gender(Gender::Female, PreferredGender::Male)
}

fn man(number: u32) -> Ticket {
    ticket(number).gender(Gender::Male, PreferredGender::Female)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_people_of_two_nodes_pair_up_as_far_as_they_can_and_none_twice() {
    let config = redis_config(rules());
    let nodes = [0, 1].map(|_| redis_pool_at(&shared_url(), config.clone()));
    let tickets: Vec<Ticket> = (0..1000usize)
        .map(|n| {
            let number = u32::try_from(n).unwrap();
            let wish = PreferredGender::ALL[n / 3 % 4];
            let own: Vec<&str> = ["音樂", "電影", "旅行"].into_iter().skip(n % 5).collect();
            let ticket = ticket(number).gender(Gender::ALL[n % 3], wish).tags(&own);
            ticket.blocks(number + 1).met(number + 2)
        })
        .collect();
    let mut entering = JoinSet::new();
    for (n, ticket) in tickets.iter().cloned().enumerate() {
        let node = Arc::clone(&nodes[n % 2]);
        entering.spawn(async move { (ticket.id, node.enter(ticket, at(0)).await.unwrap()) });
    }
    let answers = entering.join_all().await;
    let pool = Pool(Arc::clone(&nodes[1]) as Arc<dyn WaitingPool>);
    let mut met = HashMap::new();
    let mut waiting = Vec::new();
    for ticket in &tickets {
        match pool.renew_at(ticket, 0).await {
            Renewed::Paired(pairing) => drop(met.insert(ticket.id, pairing)),
            Renewed::Waiting => waiting.push(ticket),
            Renewed::Gone => panic!("a ticket got lost"),
        }
    }
    for (id, pairing) in &met {
        assert!(pairing.side_of(*id).is_some(), "somebody else's");
        let both = pairing.parties.iter().map(|party| met.get(&party.ticket));
        assert!(both.flatten().all(|known| known == pairing));
    }
    let rooms: HashSet<_> = met.values().map(|pairing| pairing.room).collect();
    assert_eq!(rooms.len() * 2, met.len());
    let told = |(id, entered): &(TicketId, Entered)| match entered {
        Entered::Paired { pairing, .. } => met.get(id) == Some(pairing),
        Entered::Waiting { .. } => true,
    };
    assert!(answers.iter().all(told));
    for (index, a) in waiting.iter().enumerate() {
        for b in &waiting[index + 1..] {
            let shared = a.wish.tags.common(&b.wish.tags).len();
            assert_eq!(rule::fits(a, b, shared, true), None, "two were left apart");
        }
    }
    pool.waiting_are(u64::try_from(waiting.len()).unwrap())
        .await;
}

#[tokio::test]
async fn an_answer_that_got_lost_is_given_again() {
    let drop_replies = DropReplies::before(&shared_url()).await;
    let pool = redis_pool_at(&drop_replies.url(), redis_config(rules()));
    let (old, new, other) = (woman(1), woman(1), man(2));
    let waiting = |replaced| Entered::Waiting {
        replaced,
        resume: None,
    };
    let enter = |ticket: &Ticket| pool.enter(ticket.clone(), at(0));
    assert_eq!(enter(&old).await.unwrap(), waiting(None));

    drop_replies.mute();
    assert!(matches!(enter(&new).await, Err(PoolError::Unavailable(_))));
    let told = Some((old.id, old.address));
    assert_eq!(enter(&new).await.unwrap(), waiting(told));
    assert_eq!(enter(&new).await.unwrap(), waiting(None), "told once");

    drop_replies.mute();
    assert!(matches!(
        enter(&other).await,
        Err(PoolError::Unavailable(_))
    ));
    let Ok(Renewed::Paired(pairing)) = pool.renew(new.id, at(0)).await else {
        panic!("the call whose answer got lost paired them");
    };
    let again = enter(&other).await.unwrap();
    assert!(matches!(again, Entered::Paired { pairing: again, .. } if again == pairing));

    drop_replies.mute();
    let given = pool.give_back(pairing.room, None, at(0));
    assert!(matches!(given.await, Err(PoolError::Unavailable(_))));
    pool.give_back(pairing.room, None, at(0)).await.unwrap();
    for one in [&new, &other] {
        assert_eq!(pool.renew(one.id, at(0)).await.unwrap(), Renewed::Waiting);
    }
}

#[tokio::test]
async fn forgotten_scripts_are_sent_again() {
    let redis = OwnRedis::start();
    let pool = redis_pool_at(&redis.url(), redis_config(rules()));
    let pool = Pool(pool as Arc<dyn WaitingPool>);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    redis.cli(&["script", "flush"]);
    let pairing = pool.meet(&b, &a).await;
    redis.cli(&["script", "flush"]);
    assert_eq!(pool.renew_at(&a, 0).await, Renewed::Paired(pairing.clone()));
    redis.cli(&["script", "flush"]);
    pool.give_back(pairing.room, None).await;
    redis.cli(&["script", "flush"]);
    assert!(pool.withdraw(&a).await);
    pool.waiting_are(1).await;
}

#[tokio::test]
async fn an_absent_redis_fails_calls_soon_and_an_empty_one_takes_all_tickets_again() {
    let mut redis = OwnRedis::start();
    let pool = redis_pool_at(&redis.url(), redis_config(rules()));
    let (a, b) = (ticket(1), ticket(2));
    pool.enter(a.clone(), at(0)).await.unwrap();
    redis.kill();
    for longest in [2500, 1500, 100, 100] {
        let begun = Instant::now();
        let answer = pool.renew(a.id, at(0)).await;
        assert!(
            matches!(answer, Err(PoolError::Unavailable(_))),
            "{answer:?}"
        );
        assert!(begun.elapsed() < Duration::from_millis(longest));
    }
    redis.restart();
    let mut gone = pool.renew(a.id, at(0)).await;
    let begun = Instant::now();
    while gone.is_err() && begun.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        gone = pool.renew(a.id, at(0)).await;
    }
    assert_eq!(gone.unwrap(), Renewed::Gone);
    let pool = Pool(pool as Arc<dyn WaitingPool>);
    pool.wait(&a).await;
    pool.meet(&b, &a).await;
}

#[tokio::test]
async fn a_frozen_redis_fails_calls_within_a_second_each() {
    let redis = OwnRedis::start();
    let pool = redis_pool_at(&redis.url(), redis_config(rules()));
    pool.enter(ticket(1), at(0)).await.unwrap();
    redis.freeze();
    for _ in 0..3 {
        let begun = Instant::now();
        let answer = pool.renew(ticket(1).id, at(0)).await;
        assert!(matches!(answer, Err(PoolError::Unavailable(_))));
        assert!(begun.elapsed() < Duration::from_millis(1500));
    }
    redis.thaw();
}

#[tokio::test]
async fn nothing_stays_when_everything_expired_or_was_withdrawn() {
    let config = by_redis_time(Duration::from_millis(300));
    let pool = redis_pool_at(&shared_url(), config.clone());
    let now = miyu::clock::now();
    for n in 0..30 {
        let tag = format!("tag {n}");
        let lonely = woman(n).tags(&["音樂", "電影", &tag]);
        pool.enter(lonely, now).await.unwrap();
    }
    let (a, b) = (ticket(101), ticket(102));
    pool.enter(a, now).await.unwrap();
    pool.enter(b, now).await.unwrap();
    assert_eq!(keys(&config).len(), 3);
    eventually("everything expired", || keys(&config).is_empty()).await;
    pool.count().await.unwrap();
    assert_eq!(pool.stats().total(), 0);

    let withdrawn = woman(1).tags(&["音樂"]);
    pool.enter(withdrawn.clone(), miyu::clock::now())
        .await
        .unwrap();
    assert!(pool.withdraw(withdrawn.id).await.unwrap());
    assert!(keys(&config).is_empty());
}

#[tokio::test]
async fn what_dead_nodes_leave_expires_by_itself() {
    let config = by_redis_time(Duration::from_secs(30));
    let pool = redis_pool_at(&shared_url(), config.clone());
    let enter = |ticket: Ticket| pool.enter(ticket, miyu::clock::now());
    let (a, b) = (ticket(1).tags(&["音樂"]), ticket(2).tags(&["音樂"]));
    // Each key comes, goes and comes again.
    enter(a.clone()).await.unwrap();
    assert!(matches!(enter(b).await, Ok(Entered::Paired { .. })));
    enter(woman(3)).await.unwrap();
    enter(woman(4)).await.unwrap();
    let kept = keys(&config);
    assert_eq!(kept.len(), 3);
    for key in kept {
        let left: i64 = shared_cli(&["pttl", &key]).trim().parse().unwrap();
        assert!((1..=120_000).contains(&left), "{key} has {left}");
    }
}

#[tokio::test]
async fn clocks_an_hour_apart_change_neither_order_nor_leases() {
    let config = by_redis_time(Duration::from_secs(30));
    let node = || Pool(redis_pool_at(&shared_url(), config.clone()) as Arc<dyn WaitingPool>);
    let (fast, slow) = (node(), node());
    let hour = 3_600_000;
    // The one who waits for so much longer is met first: by the draw, a million to one.
    let (first, second) = (woman(1).since(0), woman(2).since(-hour));
    assert_eq!(fast.enter_at(&first, hour).await, None);
    assert_eq!(slow.enter_at(&second, -hour).await, None);
    for ms in [-hour, 0, hour] {
        assert_eq!(slow.renew_at(&first, ms).await, Renewed::Waiting);
    }
    let met = |number, pool: Pool, ms| async move {
        let pairing = pool.enter_at(&man(number).since(ms), ms).await;
        pairing.expect("women wait").parties[1].ticket
    };
    assert_eq!(met(3, slow, -hour).await, first.id);
    assert_eq!(met(4, fast, hour).await, second.id);
}

#[tokio::test]
async fn the_time_waited_counts_on_whichever_node_and_comes_back_with_the_ticket() {
    let config = by_redis_time(Duration::from_secs(30));
    let pool = redis_pool_at(&shared_url(), config);
    let now = miyu::clock::now();
    let enter = |ticket: Ticket| pool.enter(ticket, now);
    let arrival = Ticket {
        since: now,
        ..woman(1)
    };
    // A person who only changed a wish: another ticket, the same waiting time.
    let patient = Ticket {
        since: now.minus(Duration::from_secs(50_000)),
        ..woman(2)
    };
    enter(arrival.clone()).await.unwrap();
    enter(patient.clone()).await.unwrap();
    for round in 0..2 {
        let Ok(Entered::Paired { pairing, .. }) = enter(Ticket {
            since: now,
            ..man(10 + round)
        })
        .await
        else {
            panic!("women wait");
        };
        assert_eq!(pairing.parties[1].ticket, patient.id);
        let gone = Some(pairing.parties[0].ticket);
        pool.give_back(pairing.room, gone, now).await.unwrap();
    }
}

#[tokio::test]
async fn an_evicted_key_costs_places_not_correctness() {
    for evicted in 0..3 {
        let config = redis_config(rules());
        let redis = redis_pool_at(&shared_url(), config.clone());
        let pool = Pool(Arc::clone(&redis) as Arc<dyn WaitingPool>);
        let (a, b) = (woman(1).tags(&["音樂"]), woman(2).tags(&["音樂"]));
        pool.wait(&a).await;
        pool.wait(&b).await;
        shared_cli(&["del", &config.keys()[evicted]]);
        redis.count().await.unwrap();
        assert_eq!(redis.stats().total(), 0);
        assert_eq!(pool.renew_at(&a, 0).await, Renewed::Gone);
        pool.wait(&a).await;
        redis.count().await.unwrap();
        assert_eq!(redis.stats().total(), 1);
        pool.meet(&man(3).tags(&["音樂"]), &a).await;
        redis.count().await.unwrap();
        assert_eq!(redis.stats().total(), 0);
    }
}

#[tokio::test]
async fn keys_and_queues_name_no_interests_and_no_users() {
    let config = redis_config(rules());
    let pool = redis_pool_at(&shared_url(), config.clone());
    let tagged = woman(1).tags(&["a secret interest"]);
    pool.enter(tagged, at(0)).await.unwrap();
    let names = keys(&config).join(" ");
    assert!(!names.contains("interest") && !names.contains("user-1"));
    let [_, _, lines, _] = config.keys();
    let queued = shared_cli(&["zrange", &lines, "0", "-1"]);
    assert!(!queued.is_empty());
    assert!(!queued.contains("interest") && !queued.contains("user-1"));
}

#[tokio::test]
async fn one_node_that_closes_leaves_the_others_what_they_have() {
    let config = redis_config(rules());
    let node = || redis_pool_at(&shared_url(), config.clone());
    let (leaving, staying) = (node(), node());
    staying.enter(woman(1), at(0)).await.unwrap();
    leaving.enter(woman(2), at(0)).await.unwrap();
    leaving.close().await.unwrap();
    assert_eq!(leaving.stats().total(), 0);
    let staying = Pool(staying as Arc<dyn WaitingPool>);
    staying.waiting_are(2).await;
    assert!(staying.enter(&man(3)).await.is_some());
}

#[tokio::test]
async fn a_list_of_blocks_is_read_entry_by_entry() {
    let pool = Pool(redis_pool_at(&shared_url(), redis_config(rules())) as Arc<dyn WaitingPool>);
    let mut choosy = woman(1);
    choosy.blocked = (100..500).map(session).collect();
    pool.wait(&choosy).await;
    // The bytes of this session stand in the list, across two entries.
    let mut between = man(2);
    let pair = [session(100).0, session(101).0].concat();
    between.session = miyu::domain::id::SessionId(pair[3..19].try_into().unwrap());
    pool.wait(&man(499)).await;
    pool.meet(&between, &choosy).await;
}

#[tokio::test]
async fn the_rights_that_the_documentation_names_suffice() {
    let text = include_str!("../../docs/OPERATIONS.md");
    let line = text.lines().find(|it| it.starts_with("ACL SETUSER miyu"));
    let words: Vec<&str> = line
        .expect("the rights are named")
        .split_whitespace()
        .collect();
    let redis = OwnRedis::start();
    assert_eq!(redis.cli(&words).trim(), "OK");
    let url = format!("redis://miyu:PASSWORD@127.0.0.1:{}", redis.port());
    let config = RedisPoolConfig {
        prefix: "miyu:".to_owned(),
        ..redis_config(PoolRules {
            tickets_per_session: 1,
            ..rules()
        })
    };
    let redis = redis_pool_at(&url, config);
    let pool = Pool(Arc::clone(&redis) as Arc<dyn WaitingPool>);
    // Of networks whose budgets are counted, with a tag whose people are.
    let a = ticket(1).tags(&["rust", "電影"]).from([1, 2, 3]);
    let b = ticket(2).tags(&["電影", "rust"]).from([4, 5, 6]);
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    pool.give_back(pairing.room, None).await;
    pool.renew_at(&a, 29_000).await;
    // Their leases over, the sweep, the limit and the look at heads meet what is left.
    let late = redis_config(rules()).rules.lease.as_millis();
    let late = i64::try_from(late).unwrap() + 1;
    assert!(
        pool.enter_at(&ticket(3).tags(&["電影"]), late)
            .await
            .is_some()
    );
    redis.count().await.unwrap();
    assert!(!pool.withdraw(&a).await);
}
