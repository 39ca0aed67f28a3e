//! Nodes die, freeze and have their clocks wrong. Their people go on, here or at another node.

use std::time::Duration;

use crate::support::cluster::Plan;
use crate::support::wrong_clock::faketime;

use super::faults::{Load, assert_all_stayed};

const PAIRS: usize = 6;
/// After a fault.
const SOON: Duration = Duration::from_secs(15);
/// Longer than any lease of a node.
const STANDSTILL: Duration = Duration::from_secs(30);
const KILLS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_a_killed_node_go_on_at_another() {
    let mut site = Plan::of(3).start().await;
    let load = Load::begin(&site, PAIRS).await;
    for round in 0..KILLS {
        let node = round % 3;
        site.kill(node);
        load.fixture.servers_at(&site.addresses());
        load.heals("a node killed", &site, SOON).await;
        load.go_on(&site, 4).await;
        site.spawn(node);
        site.ready(node).await;
        load.fixture.servers_at(&site.addresses());
    }
    let journals = load.finish(&site).await;
    let cut_off: usize = journals.iter().map(|it| it.closed.len()).sum();
    assert!(cut_off >= KILLS, "nobody was at the node that died");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stood_still_goes_on() {
    let site = Plan::of(2).start().await;
    let load = Load::begin(&site, PAIRS).await;
    site.freeze(0);
    load.during(STANDSTILL).await;
    site.thaw(0);
    load.heals("a node stopped 30 s", &site, SOON).await;
    load.go_on(&site, 4).await;
    load.finish(&site).await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_may_be_an_hour_apart() {
    // Not the `faketime` command: it stays as a parent, and signals would be for it. Only what tells
    // the time of day is wrong, as on a machine whose clock was set wrong.
    let preload = faketime();
    let wrong = [
        "env",
        &*preload,
        "FAKETIME=+1h",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
    ];
    let site = Plan::of(2).through(1, &wrong).start().await;
    let load = Load::begin(&site, PAIRS).await;
    load.heals("clocks an hour apart", &site, SOON).await;
    // Longer than a lease of a node and of a ticket: neither takes the other for dead.
    load.during(STANDSTILL).await;
    load.go_on(&site, 4).await;
    assert_all_stayed(&load.finish(&site).await);
    site.end().await;
}
