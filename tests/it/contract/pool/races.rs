//! Many calls at once: exactly one answer to each question, whichever call comes first.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use miyu::domain::id::TicketId;
use miyu::domain::wish::Phase;
use miyu::domain::{Gender, Pairing, PreferredGender};
use miyu::matching::{Entered, Renewed, Ticket, WaitingPool, rule};
use tokio::sync::Barrier;

use super::{Factory, for_each_backend, usual};
use crate::support::pool::{Pool, With, at, ticket};

for_each_backend! {
    a_thousand_strangers_all_meet
    a_thousand_choosy_people_meet_as_far_as_they_can
    the_same_search_entered_many_times_meets_once
    withdrawing_or_pairing_wins_never_both
}

/// How many threads enter at once.
const THREADS: usize = 8;

/// Enters all tickets from several threads at once, spread evenly; the answers in no order.
async fn enter_at_once(pool: &Pool, tickets: &[Ticket]) -> Vec<(TicketId, Entered)> {
    let start = Arc::new(Barrier::new(THREADS));
    let crowd = (0..THREADS).map(|thread| {
        let pool: Arc<dyn WaitingPool> = Arc::clone(&pool.0);
        let own = tickets.iter().skip(thread).step_by(THREADS);
        let own: Vec<Ticket> = own.cloned().collect();
        let start = Arc::clone(&start);
        on_a_thread(async move {
            start.wait().await;
            let mut answers = Vec::new();
            for ticket in own {
                let id = ticket.id;
                answers.push((id, pool.enter(ticket, at(0)).await.expect("let in")));
            }
            answers
        })
    });
    let mut answers = Vec::new();
    for thread in crowd.collect::<Vec<_>>() {
        answers.extend(thread.await.expect("no panic"));
    }
    answers
}

/// A thread of its own with a runtime of its own, so that calls truly meet.
fn on_a_thread<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    tokio::task::spawn_blocking(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.expect("a runtime").block_on(work)
    })
}

/// Asks about every ticket again. None is in two pairings, both sides agree, and a ticket that was paired
/// on entering has that pairing still. Those who wait come back.
async fn settled(pool: &Pool, tickets: &[Ticket], answers: &[(TicketId, Entered)]) -> Vec<Ticket> {
    let mut pairings: HashMap<TicketId, Arc<Pairing>> = HashMap::new();
    let mut waiting = Vec::new();
    for ticket in tickets {
        match pool.renew_at(ticket, 0).await {
            Renewed::Paired(pairing) => {
                assert!(pairing.side_of(ticket.id).is_some(), "somebody else's");
                pairings.insert(ticket.id, pairing);
            }
            Renewed::Waiting => waiting.push(ticket.clone()),
            Renewed::Gone => panic!("a ticket got lost"),
        }
    }
    for (id, pairing) in &pairings {
        for party in &pairing.parties {
            assert_eq!(pairings.get(&party.ticket), Some(pairing), "{id:?}");
        }
    }
    let rooms: HashSet<_> = pairings.values().map(|pairing| pairing.room).collect();
    assert_eq!(rooms.len() * 2, pairings.len());
    for (id, entered) in answers {
        if let Entered::Paired { pairing, .. } = entered {
            assert_eq!(pairings.get(id), Some(pairing));
        }
    }
    pool.waiting_are(u64::try_from(waiting.len()).expect("few"))
        .await;
    waiting
}

async fn a_thousand_strangers_all_meet(factory: Factory) {
    let pool = usual(factory);
    let tickets: Vec<Ticket> = (0..1000).map(ticket).collect();
    let answers = enter_at_once(&pool, &tickets).await;
    let waiting = settled(&pool, &tickets, &answers).await;
    assert!(waiting.is_empty(), "{} left over", waiting.len());
    let told = |(_, entered): &&(TicketId, Entered)| matches!(entered, Entered::Paired { .. });
    assert_eq!(answers.iter().filter(told).count(), 500, "told by enter");
}

async fn a_thousand_choosy_people_meet_as_far_as_they_can(factory: Factory) {
    let pool = usual(factory);
    let tags = ["音樂", "電影", "旅行", "美食", "運動"];
    let tickets: Vec<Ticket> = (0..1000usize)
        .map(|n| {
            let number = u32::try_from(n).expect("few");
            let wish = PreferredGender::ALL[n / 3 % 4];
            let phase = [Phase::SharedTags, Phase::Anyone][n / 12 % 2];
            let own: Vec<&str> = tags.iter().copied().skip(n % 7).take(n % 4).collect();
            let ticket = ticket(number).gender(Gender::ALL[n % 3], wish);
            ticket
                .phase(phase)
                .tags(&own)
                .blocks(number + 1)
                .met(number + 2)
        })
        .collect();
    let answers = enter_at_once(&pool, &tickets).await;
    let waiting = settled(&pool, &tickets, &answers).await;
    assert!(waiting.len() < 500, "hardly anybody met");
    for (index, a) in waiting.iter().enumerate() {
        for b in &waiting[index + 1..] {
            let shared = a.wish.tags.common(&b.wish.tags).len();
            assert_eq!(rule::fits(a, b, shared, true), None, "two were left apart");
        }
    }
}

async fn the_same_search_entered_many_times_meets_once(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    let again: Vec<Ticket> = (0..200)
        .map(|n| if n % 2 == 0 { a.again() } else { b.again() })
        .collect();
    enter_at_once(&pool, &again).await;
    let waiting = settled(&pool, &[a, b], &[]).await;
    assert!(waiting.is_empty());
}

async fn withdrawing_or_pairing_wins_never_both(factory: Factory) {
    let pool = usual(factory);
    let (mut ours, mut paired) = (0, 0);
    for round in 0..500 {
        let (waits, comes) = (ticket(2 * round), ticket(2 * round + 1));
        pool.wait(&waits).await;
        let start = Arc::new(Barrier::new(2));
        let leaving = {
            let (pool, start, id) = (Arc::clone(&pool.0), Arc::clone(&start), waits.id);
            on_a_thread(async move {
                start.wait().await;
                pool.withdraw(id).await.expect("answers")
            })
        };
        let (inner, coming) = (Arc::clone(&pool.0), comes.clone());
        let coming = on_a_thread(async move {
            start.wait().await;
            inner.enter(coming, at(0)).await.expect("let in")
        });
        let withdrawn = leaving.await.expect("no panic");
        let met = matches!(coming.await.expect("no panic"), Entered::Paired { .. });
        assert_ne!(withdrawn, met, "exactly one of the two");
        ours += u32::from(withdrawn);
        paired += u32::from(met);
        pool.withdraw(&comes).await;
    }
    assert_eq!(ours + paired, 500);
}
