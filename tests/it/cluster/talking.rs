//! People at different nodes talk as if they were at one.

use crate::original_client::{RETRY, converse};
use crate::support::client::Browser;
use crate::support::cluster::Plan;
use crate::support::load::{Pace, Plan as Talk, gather, talk};
use crate::support::original::Original;

const PAIRS: usize = 100;
const PLAN: Talk = Talk {
    messages: 20,
    pace: Pace::Window(4),
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_pairs_across_two_nodes_lose_double_and_reorder_nothing() {
    let site = Plan::of(2).unhurried().start().await;
    let (met, failed) = gather(&site.addresses(), PAIRS).await;
    assert_eq!(failed, Vec::<String>::new());
    let (_, tally) = talk(met, PLAN).await;
    assert_eq!(tally.broken, Vec::<String>::new(), "{}", site.evidence());
    let faults = (tally.doubled, tally.reordered, tally.gaps);
    assert_eq!(faults, (0, 0, 0), "doubled, reordered, gaps");
    let all = 2 * PAIRS as u64 * PLAN.messages;
    assert_eq!((tally.acked, tally.delivered), (all, all));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_the_original_talk_across_nodes() {
    let site = Plan::of(2).unhurried().start().await;
    let (here, there) = (site.address(0), site.address(1));
    let mut ann = Original::new(&Browser::at(here), "user_ann", RETRY);
    let mut ben = Original::new(&Browser::at(there), "user_ben", RETRY);
    let (to_ann, to_ben) = tokio::join!(ann.meet(), ben.meet());
    assert_eq!(to_ann["room_id"], to_ben["room_id"]);
    converse(&mut ann, &mut ben).await;
    // The network of one goes, and comes back at the other node; then the other way round.
    for (round, to) in [here, there].into_iter().enumerate() {
        // Without `after` it is not told again what was on its way: that is how these clients are.
        ben.until("its own", Original::all_sent).await;
        ben.lose_network_for(to);
        let text = format!("said while away {round}");
        ann.say(&text, None).await;
        ben.until("what was said", |it| it.shows(&text)).await;
        let text = format!("back {round}");
        ben.say(&text, None).await;
        ann.until("that they are back", |it| it.shows(&text)).await;
        ben.until("its own", Original::all_sent).await;
    }
    ann.until("its own", Original::all_sent).await;
    assert_eq!(ann.texts()[4..], ben.texts()[4..]);
    ann.next().await;
    ann.until("the end", |it| it.left.is_some()).await;
    ben.until("the end", |it| it.left.is_some()).await;
    assert_eq!((&ann.left, &ben.left), (&ben.left, &ann.left));
    site.end().await;
}
