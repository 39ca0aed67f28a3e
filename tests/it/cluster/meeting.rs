//! People at different nodes are paired by one set of rules, once, and both learn of it.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::client::{Browser, Socket};
use crate::support::cluster::Plan;
use crate::support::driver::TOPICS;
use crate::support::people::start;

const PEOPLE: usize = 600;
/// Handshakes at the same time.
const AT_THE_DOOR: usize = 32;
/// No search relaxes while this runs.
const PATIENT: &str = "[matching]\ntag_patience = \"10m\"\nrepeat_patience = \"20m\"\n";

/// What a person is and wants. Each has a fit, and only within their own kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish {
    gender: &'static str,
    preferred: &'static str,
    tag: &'static str,
}

fn wish(number: usize) -> Wish {
    let (gender, preferred) = match number % 6 {
        0 => ("male", "female"),
        1 => ("female", "male"),
        2 | 3 => ("other", "other"),
        _ => ("male", "male"),
    };
    let tag = if (number / 6).is_multiple_of(2) {
        "音樂"
    } else {
        "電影"
    };
    Wish {
        gender,
        preferred,
        tag,
    }
}

/// At which node this person is: scattered, so that neighbours, who come at the same time and fit, are mostly
/// at different ones.
fn node(number: usize, nodes: usize) -> usize {
    (number.wrapping_mul(2_654_435_761) >> 16) % nodes
}

/// A person who was paired: their room, and under which name.
struct Found {
    number: usize,
    room: String,
    user_id: String,
    socket: Socket,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_hundred_people_over_three_nodes_are_paired_by_the_rules_and_once() {
    let site = Plan::of(3).unhurried().with(PATIENT).start().await;
    let addresses = site.addresses();
    let door = Arc::new(Semaphore::new(AT_THE_DOOR));
    let mut searching = JoinSet::new();
    for number in 0..PEOPLE {
        let address = addresses[node(number, addresses.len())];
        let door = Arc::clone(&door);
        searching.spawn(async move {
            let browser = Browser::at(address);
            let place = door.acquire().await.expect("never closed");
            let mut socket = browser.open("/ws/matching/").await;
            drop(place);
            let Wish {
                gender,
                preferred,
                tag,
            } = wish(number);
            let who = json!({"user_id": format!("p-{number}"), "gender": gender,
                "preferredGender": preferred, "tags": [tag]});
            socket.send(start(who)).await;
            let found = socket.until("match_found").await;
            let text = |name: &str| found[name].as_str().expect("a text").to_owned();
            assert_eq!(found["common_tags"], json!([tag]));
            Found {
                number,
                room: text("room_id"),
                user_id: text("user_id"),
                socket,
            }
        });
    }
    let mut rooms: HashMap<String, Vec<Found>> = HashMap::new();
    for mut found in searching.join_all().await {
        assert_eq!(found.user_id, format!("p-{}", found.number));
        // Matched once: nothing more comes.
        found.socket.nothing_more().await;
        rooms.entry(found.room.clone()).or_default().push(found);
    }
    assert_eq!(rooms.len(), PEOPLE / 2);
    let mut across = 0;
    for pair in rooms.values() {
        let [one, two] = &pair[..] else {
            panic!("{} people in one room", pair.len());
        };
        let (one_wants, two_wants) = (wish(one.number), wish(two.number));
        assert_eq!(one_wants.preferred, two_wants.gender);
        assert_eq!(two_wants.preferred, one_wants.gender);
        assert_eq!(one_wants.tag, two_wants.tag);
        let node = |it: &Found| node(it.number, addresses.len());
        across += usize::from(node(one) != node(two));
    }
    assert!(across > PEOPLE / 8, "only {across} pairs across nodes");
    drop(rooms);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_that_races_a_match_at_another_node_is_answered_by_one_of_them() {
    let site = Plan::of(2).unhurried().start().await;
    let (one, two) = (Browser::at(site.address(0)), Browser::at(site.address(1)));
    let mut cancelled = 0;
    // Not the topic of the round before, of which a ticket may still wait.
    for (round, topic) in (0..30_u64).zip(TOPICS.iter().copied().cycle()) {
        let data = |who: &str| json!({"user_id": format!("{who}-{round}"), "tags": [topic]});
        let mut ming = one.open("/ws/matching/").await;
        ming.send(start(data("ming"))).await;
        ming.expect("waiting_for_match").await;
        let mut mei = two.open("/ws/matching/").await;
        mei.send(start(data("mei"))).await;
        tokio::time::sleep(std::time::Duration::from_millis(round)).await;
        ming.send(json!({"action": "cancel_matching"})).await;
        let answer = ming.next().await;
        match answer["action"].as_str().expect("an action") {
            "matching_cancelled" => {
                mei.expect("waiting_for_match").await;
                cancelled += 1;
            }
            "match_found" => {
                let other = mei.until("match_found").await;
                assert_eq!(other["room_id"], answer["room_id"]);
            }
            other => panic!("{other}"),
        }
        ming.nothing_more().await;
        ming.close().await;
        mei.close().await;
    }
    assert!(cancelled < 30, "no race was lost");
    site.end().await;
}
