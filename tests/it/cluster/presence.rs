//! Who is there, counted and told over all nodes, the dead ones too.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::json;

use crate::support::client::{Browser, Socket};
use crate::support::cluster::{Cluster, Plan};
use crate::support::people::{chat_at, start};
use crate::support::scene::until;
use crate::support::wire::dial_from;

/// How long all nodes may take to agree; a busy machine was seen to take 15 s.
const AGREED: Duration = Duration::from_secs(25);
/// How long a dead node's people may count: its lease in Redis and a ticket's (10 s each), a beat and a sample
/// (5 s each). As much again for a busy machine.
const EXPIRED: Duration = Duration::from_secs(40);
/// How long a person whose node died may count as there: its lease in the store, a heartbeat, and
/// the time that presence settles.
const NOTICED: Duration = Duration::from_secs(30);

const QUICK_TICKETS: &str = "[matching]\nlease = \"10s\"\ntag_patience = \"10m\"\n\
    repeat_patience = \"20m\"\n";

/// Waits until these nodes all say this.
async fn agree(site: &Cluster, nodes: &[usize], counts: [u64; 3], within: Duration) {
    let [online, waiting, rooms] = counts;
    let expected = json!({"online": online, "waiting": waiting, "rooms": rooms});
    let begun = Instant::now();
    let said = Mutex::new(Vec::new());
    let so = async || {
        let mut all = Vec::new();
        for node in nodes {
            all.push(site.stats(*node).await);
        }
        *said.lock() = all.clone();
        all.iter().all(|it| *it == expected)
    };
    let evidence = || format!("{:?} {}", said.lock(), site.evidence());
    until(&format!("all say {expected}"), so, evidence).await;
    assert!(
        begun.elapsed() < within,
        "agreed after {:?}",
        begun.elapsed()
    );
    println!("{expected} on nodes {nodes:?} after {:?}", begun.elapsed());
}

async fn wait_at(site: &Cluster, node: usize, tag: &str) -> Socket {
    // From an address of its own: the public is told from how many places people are here.
    let source = [127, 0, 0, 10 + u8::try_from(node).unwrap()];
    let stream = dial_from(source, site.address(node)).await.unwrap();
    let browser = Browser::at(site.address(node));
    let socket = browser.try_open_on(stream, "/ws/matching/", &[]).await;
    let mut socket = socket.expect("a socket");
    socket.send(start(json!({"tags": [tag]}))).await;
    socket.expect("waiting_for_match").await;
    socket
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_nodes_count_alike_and_forget_a_dead_one() {
    let mut site = Plan::of(3).unhurried().with(QUICK_TICKETS).start().await;
    agree(&site, &[0, 1, 2], [0, 0, 0], AGREED).await;
    let across = chat_at([site.address(0), site.address(2)]).await;
    let within = chat_at([site.address(1), site.address(1)]).await;
    let mut waiting = Vec::new();
    for node in 0..3 {
        waiting.push(wait_at(&site, node, &format!("only {node}")).await);
    }
    // Six places; what is below five is a few.
    agree(&site, &[0, 1, 2], [5, 1, 1], AGREED).await;
    // One goes properly: at once, as far as anybody can tell.
    waiting.remove(0).close().await;
    agree(&site, &[0, 1, 2], [5, 1, 1], AGREED).await;
    // One node dies with a search that waits and a room that talks. Its room stays.
    site.kill(2);
    agree(&site, &[0, 1], [1, 1, 1], EXPIRED).await;
    drop((across, within, waiting));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_whose_node_was_killed_is_away_until_they_come_back_at_another() {
    let mut site = Plan::of(3).start().await;
    let mut talking = chat_at([site.address(0), site.address(1)]).await;
    talking.a_says("one", "c-1").await;
    site.kill(1);
    let killed = Instant::now();
    let told = tokio::time::timeout(NOTICED, async {
        loop {
            // A silent socket is asked every heartbeat whether it is there; only reading answers.
            if let Ok(frame) = tokio::time::timeout(Duration::from_secs(1), talking.a.next()).await
            {
                return frame;
            }
        }
    });
    let told = told.await.unwrap_or_else(|_| panic!("{}", site.evidence()));
    assert_eq!(told["action"], "partner_status", "{told}");
    assert_eq!(told["online"], false, "{told}");
    println!("told offline {:?} after kill -9", killed.elapsed());
    let mei = talking.mei.moved_to(site.address(2));
    let back = Instant::now();
    let mut b = mei.enter("&after=1").await;
    b.expect("room_state").await;
    let told = talking.a.expect("partner_status").await;
    assert_eq!(told["online"], true, "{told}");
    println!("told online {:?} after coming back", back.elapsed());
    talking.a.say("welcome back", "c-2").await;
    assert_eq!(
        b.expect("new_message").await["message"]["content"],
        "welcome back"
    );
    site.end().await;
}
