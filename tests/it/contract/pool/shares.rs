//! How often one network meets others, and that a crowd hides no other ticket.

use miyu::domain::wish::Phase;
use miyu::domain::{Gender, Mark, Marks, PreferredGender};
use miyu::matching::{Entered, Ticket};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::{Factory, for_each_backend, usual};
use crate::support::pool::{Pool, With, at, ticket, together};

for_each_backend! {
    a_network_meets_others_within_its_budget
    a_wider_network_has_four_times_the_budget
    within_one_network_nothing_is_spent
    who_has_waited_long_meets_also_those_with_a_spent_budget
    an_arrival_with_a_spent_budget_meets_who_has_waited_long
    a_budget_comes_back_with_time
    a_crowd_hides_no_other_ticket
    a_crowd_of_one_network_meets_itself
    a_crowd_moves_up_when_it_renews
    what_networks_are_not_known_has_no_budget
    what_is_held_bars_also_in_a_crowd
    blockers_starve_no_search
    a_crowd_leaves_the_front_bit_by_bit
}

/// After how long people meet crowds: as in `rules()`.
pub(super) const PATIENCE: i64 = 10_000;

/// The network with this number, alone in its wider ones.
pub(super) fn network(number: u32) -> [u64; 3] {
    let number = u64::from(number);
    [number, 1_000_000 + number, 2_000_000 + number]
}

/// A ticket of this network.
pub(super) fn from(number: u32, net: u32) -> Ticket {
    ticket(number).from(network(net))
}

/// A ticket of a network of its own.
pub(super) fn stranger(number: u32) -> Ticket {
    from(number, number)
}

/// How many strangers in a row a ticket of network 1 meets at this moment, of so many.
pub(super) async fn meets(
    pool: &Pool,
    ms: i64,
    strangers: std::ops::Range<u32>,
    nets: &[[u64; 3]],
) -> usize {
    let mut met = 0;
    for n in strangers {
        let stranger = stranger(n).since(ms);
        assert_eq!(pool.enter_at(&stranger, ms).await, None);
        let own = nets[met % nets.len()];
        let arriving = ticket(500_000 + n).from(own).since(ms);
        if pool.enter_at(&arriving, ms).await.is_some() {
            met += 1;
        } else {
            assert!(pool.withdraw(&arriving).await);
            assert!(pool.withdraw(&stranger).await);
        }
    }
    met
}

async fn a_network_meets_others_within_its_budget(factory: Factory) {
    let pool = usual(factory);
    assert_eq!(meets(&pool, 0, 100..130, &[network(1)]).await, 10);
    // Also when the others come to it.
    let waiting = from(1, 1);
    pool.wait(&waiting).await;
    let other = stranger(200);
    pool.wait(&other).await;
    pool.meet(&stranger(201), &other).await;
}

async fn a_wider_network_has_four_times_the_budget(factory: Factory) {
    let pool = usual(factory);
    let nets: Vec<_> = (1..=8).map(|narrow| [narrow, 77, 88]).collect();
    assert_eq!(meets(&pool, 0, 100..150, &nets).await, 40);
    let nets: Vec<_> = (11..=30)
        .map(|narrow| [narrow, 20_000 + narrow, 99])
        .collect();
    assert_eq!(meets(&pool, 0, 200..370, &nets).await, 160);
}

async fn within_one_network_nothing_is_spent(factory: Factory) {
    let pool = usual(factory);
    for n in 0..50 {
        let (a, b) = (from(2 * n, 1), from(2 * n + 1, 1));
        pool.wait(&a).await;
        pool.meet(&b, &a).await;
    }
    assert_eq!(meets(&pool, 0, 200..230, &[network(1)]).await, 10);
    // And afterwards it still meets itself.
    let (a, b) = (from(300, 1), from(301, 1));
    pool.wait(&a).await;
    pool.meet(&b, &a).await;
}

async fn who_has_waited_long_meets_also_those_with_a_spent_budget(factory: Factory) {
    let pool = usual(factory);
    assert_eq!(meets(&pool, 0, 100..115, &[network(1)]).await, 10);
    // The people who spend the budget are nothing to these two.
    let crowd = from(1, 1).gender(Gender::Female, PreferredGender::Female);
    pool.wait(&crowd).await;
    let lonely = stranger(200).gender(Gender::Female, PreferredGender::Female);
    assert_eq!(pool.enter_at(&lonely, 0).await, None);
    // Long before, its budget would have come back by itself: another pairing keeps it spent.
    for ms in (1_000..PATIENCE).step_by(1_000) {
        assert!(meets(&pool, ms, 300..303, &[network(1)]).await <= 1);
        pool.renew_at(&crowd, ms).await;
        pool.renew_at(&lonely, ms).await;
    }
    assert_eq!(pool.enter_at(&lonely.again(), PATIENCE - 1).await, None);
    let pairing = pool.enter_at(&lonely.again(), PATIENCE).await;
    assert_eq!(pairing.expect("nobody else").parties[1].ticket, crowd.id);
}

async fn an_arrival_with_a_spent_budget_meets_who_has_waited_long(factory: Factory) {
    let pool = usual(factory);
    let lonely = stranger(200).gender(Gender::Female, PreferredGender::Female);
    assert_eq!(pool.enter_at(&lonely, 0).await, None);
    assert_eq!(
        meets(&pool, PATIENCE - 1, 100..115, &[network(1)]).await,
        10
    );
    let woman = |n, since| {
        let woman = from(n, 1).gender(Gender::Female, PreferredGender::All);
        woman.since(since)
    };
    let early = woman(1, PATIENCE - 1);
    assert_eq!(pool.enter_at(&early, PATIENCE - 1).await, None);
    assert!(pool.withdraw(&early).await);
    let pairing = pool.enter_at(&woman(2, PATIENCE), PATIENCE).await;
    assert_eq!(pairing.expect("long enough").parties[1].ticket, lonely.id);
}

async fn a_budget_comes_back_with_time(factory: Factory) {
    let pool = usual(factory);
    assert_eq!(meets(&pool, 0, 100..115, &[network(1)]).await, 10);
    assert_eq!(meets(&pool, 12_000, 200..215, &[network(1)]).await, 2);
    assert_eq!(
        meets(&pool, 12_000 + 70_000, 300..315, &[network(1)]).await,
        10
    );
}

async fn a_crowd_hides_no_other_ticket(factory: Factory) {
    let pool = usual(factory);
    // They do not meet each other; the oldest of them stand first.
    let man = |n: u32| from(n, 1).gender(Gender::Male, PreferredGender::Female);
    for n in 0..200 {
        pool.wait(&man(n).tags(&["音樂"])).await;
    }
    let late = 5_000;
    let honest = stranger(300).gender(Gender::Male, PreferredGender::Female);
    let honest = honest.tags(&["音樂"]).since(late);
    assert_eq!(pool.enter_at(&honest, late).await, None);
    // Five of the crowd stand beside him, at most.
    let arriving = stranger(301).gender(Gender::Female, PreferredGender::Male);
    let mut met = Vec::new();
    for n in 0..6 {
        let mut woman = arriving.again().tab_of(301 + n).tags(&["音樂"]).since(late);
        woman = woman.from(network(301 + n));
        woman.id = miyu::domain::id::TicketId::fresh();
        let pairing = pool.enter_at(&woman, late).await.expect("men wait");
        met.push(pairing.parties[1].ticket);
    }
    assert!(met.contains(&honest.id), "hidden behind a crowd");
}

async fn a_crowd_of_one_network_meets_itself(factory: Factory) {
    let pool = usual(factory);
    let man = |n: u32| from(n, 1).gender(Gender::Male, PreferredGender::Female);
    let woman = |n: u32| from(1_000 + n, 1).gender(Gender::Female, PreferredGender::Male);
    for n in 0..60 {
        pool.wait(&man(n).tags(&[["音樂", "電影"][n as usize % 2]]))
            .await;
    }
    for n in 0..60 {
        let woman = woman(n).tags(&["電影"]).phase(match n < 30 {
            true => Phase::SharedTags,
            false => Phase::Anyone,
        });
        let pairing = pool.enter(&woman).await.expect("men of the same network");
        assert_eq!(pairing.common_tags.len(), usize::from(n < 30));
    }
    pool.waiting_are(0).await;
}

async fn a_crowd_moves_up_when_it_renews(factory: Factory) {
    let pool = usual(factory);
    let man = |n: u32| from(n, 1).gender(Gender::Male, PreferredGender::Female);
    let woman = |n: u32| stranger(n).gender(Gender::Female, PreferredGender::Male);
    let men: Vec<Ticket> = (0..8).map(man).collect();
    for man in &men {
        pool.wait(man).await;
    }
    for n in 100..105 {
        assert!(pool.enter(&woman(n)).await.is_some());
    }
    let sixth = woman(105);
    pool.wait(&sixth).await;
    assert!(pool.withdraw(&sixth).await);
    for man in &men {
        pool.renew_at(man, 0).await;
    }
    for n in 106..109 {
        assert!(pool.enter(&woman(n)).await.is_some());
    }
    pool.waiting_are(0).await;
}

async fn what_networks_are_not_known_has_no_budget(factory: Factory) {
    let pool = usual(factory);
    for n in 0..60 {
        let (a, b) = (ticket(2 * n), ticket(2 * n + 1));
        pool.wait(&a).await;
        pool.meet(&b, &a).await;
    }
}

/// What is held against a caller bars them wherever they stand: in the front, in a crowd, and where a
/// network that has spent its budget looks for its own people.
async fn what_is_held_bars_also_in_a_crowd(factory: Factory) {
    for spent in [false, true] {
        let pool = usual(factory);
        if spent {
            assert_eq!(meets(&pool, 0, 100..115, &[network(1)]).await, 10);
        }
        let man = |n: u32, mark| {
            let mut man = from(n, 1).gender(Gender::Male, PreferredGender::Female);
            man.marks = Marks([Some(Mark(mark)), None, None]);
            man.tags(&["音樂"])
        };
        for n in 200..208 {
            pool.wait(&man(n, 7)).await;
        }
        let mut woman = from(300, 1).gender(Gender::Female, PreferredGender::Male);
        woman.held = vec![Mark(7)];
        let woman = woman.tags(&["音樂"]);
        pool.wait(&woman).await;
        assert!(pool.withdraw(&woman).await);
        let other = man(208, 8);
        pool.wait(&other).await;
        pool.meet(&woman.again(), &other).await;
    }
}

/// A woman finds the one man who fits behind a crowd that is barred: `known` by her own ticket, `unknown`
/// only by theirs. Of the latter a caller knows the newest 200 as well, so that few are left.
async fn finds_who_fits(factory: Factory, known: u32, unknown: u32) {
    let pool = usual(factory);
    let man = |n| ticket(n).gender(Gender::Male, PreferredGender::Female);
    let mut woman = ticket(1).gender(Gender::Female, PreferredGender::Male);
    let mut crowd: Vec<Ticket> = (0..unknown).map(|n| man(5_000 + n).blocks(1)).collect();
    for n in 0..known {
        woman = woman.blocks(1_000 + n);
        crowd.push(man(1_000 + n));
    }
    together(&pool.0, &crowd, 0).await;
    let fits = man(9_000).since(1);
    pool.wait(&fits).await;
    let mut met = None;
    // On entering, and at the next two ticks.
    for _look in 0..3 {
        match pool.0.enter(woman.clone(), at(2)).await.expect("let in") {
            Entered::Paired { pairing, .. } => met = Some(pairing.parties[1].ticket),
            Entered::Waiting { resume, .. } => {
                assert!(resume.is_some(), "nothing was left out");
                woman = woman.again();
                woman.resume = resume;
                continue;
            }
        }
        break;
    }
    assert_eq!(met, Some(fits.id), "{known} known and {unknown} unknown");
}

/// However many blockers or blocked sessions wait: within two ticks a search finds who fits.
async fn blockers_starve_no_search(factory: Factory) {
    for (known, unknown) in [(0, 0), (63, 0), (64, 0), (70, 70), (400, 128), (0, 128)] {
        finds_who_fits(factory, known, unknown).await;
    }
    let mut any = TestRunner::default();
    for _case in 0..12 {
        let sizes = (0..=400_u32, 0..=128_u32).new_tree(&mut any);
        let (known, unknown) = sizes.expect("numbers").current();
        finds_who_fits(factory, known, unknown).await;
    }
}

/// Of a wide network whose budget is spent, hundreds may stand in the front: one look moves few of them,
/// and the next goes on behind.
async fn a_crowd_leaves_the_front_bit_by_bit(factory: Factory) {
    let pool = usual(factory);
    let man = |n: u32| ticket(n).gender(Gender::Male, PreferredGender::Female);
    for n in 0..200 {
        pool.wait(&man(n).from([1 + u64::from(n / 5), 77, 0])).await;
    }
    let nets: Vec<_> = (101..=108).map(|narrow| [narrow, 77, 0]).collect();
    assert_eq!(meets(&pool, 0, 1_000..1_050, &nets).await, 40);
    let fits = man(2_000).from(network(2_000)).since(1);
    pool.wait(&fits).await;
    let mut woman = stranger(3_000).gender(Gender::Female, PreferredGender::Male);
    for look in 0..8 {
        match pool.0.enter(woman.clone(), at(2)).await.expect("let in") {
            Entered::Paired { pairing, .. } => {
                assert_eq!(pairing.parties[1].ticket, fits.id);
                assert!(look >= 2, "all at once");
                return;
            }
            Entered::Waiting { resume, .. } => {
                assert!(resume.is_some(), "nothing was left out");
                woman = woman.again();
                woman.resume = resume;
            }
        }
    }
    panic!("hidden behind a crowd");
}
