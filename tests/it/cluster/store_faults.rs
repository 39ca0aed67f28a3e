//! PostgreSQL restarts, freezes, drops connections in the middle of commits and becomes slow, under
//! people who talk across nodes. What was acknowledged is there, once, and sockets stay open.

use std::time::Duration;

use crate::support::cluster::{Cluster, Plan};
use crate::support::tcp_proxy::Mode;

use super::faults::{Load, assert_all_stayed};

const PAIRS: usize = 6;
/// After a fault.
const SOON: Duration = Duration::from_secs(15);
const FREEZE: Duration = Duration::from_secs(10);
const SLOWNESS: Duration = Duration::from_millis(200);
const CUTS: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_may_be_restarted_frozen_and_cut() {
    let mut site = Plan::of(2).own_postgres().start().await;
    let load = Load::begin(&site, PAIRS).await;

    cut_connections(&site).await;
    load.heals("PostgreSQL connections cut 10 times", &site, SOON)
        .await;

    let postgres = site.postgres.as_mut().expect("its own");
    postgres.restart(Duration::ZERO).await;
    load.heals("PostgreSQL restarted", &site, SOON).await;

    let postgres = site.postgres.as_mut().expect("its own");
    postgres.restart(FREEZE).await;
    load.heals("PostgreSQL away 10 s", &site, SOON).await;

    site.postgres.as_ref().expect("its own").freeze();
    load.during(FREEZE).await;
    site.postgres.as_ref().expect("its own").thaw();
    load.heals("PostgreSQL frozen 10 s", &site, SOON).await;

    for node in site.nodes() {
        node.postgres.set(Mode::Frozen);
    }
    load.during(FREEZE).await;
    for node in site.nodes() {
        node.postgres.set(Mode::Pass);
    }
    load.heals("network to PostgreSQL frozen 10 s", &site, SOON)
        .await;

    site.at(1).postgres.set(Mode::Cut);
    site.readyz_says(1, "\"ready\":false").await;
    site.readyz_says(0, "\"ready\":true").await;
    site.at(1).postgres.set(Mode::Pass);
    load.heals("one node cut off from PostgreSQL", &site, SOON)
        .await;

    load.go_on(&site, 4).await;
    let journals = load.finish(&site).await;
    assert_all_stayed(&journals);
    let unavailable: u64 = journals.iter().map(|it| it.unavailable).sum();
    assert!(unavailable > 0, "no fault was felt");
    site.end().await;
}

/// By its own administrator, with commits on their way.
async fn cut_connections(site: &Cluster) {
    let sql = site.sql().await;
    for _ in 0..CUTS {
        let ask = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let cut: i64 = sql.query_one(ask, &[]).await.expect("answers").get(0);
        assert!(cut > 0, "nobody was connected");
        for node in site.nodes() {
            node.postgres.sever();
        }
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_services_may_be_slow() {
    let site = Plan::of(2).start().await;
    let load = Load::begin(&site, PAIRS).await;
    for node in site.nodes() {
        node.redis.set(Mode::Slow(SLOWNESS));
        node.postgres.set(Mode::Slow(SLOWNESS));
    }
    load.heals("both services slow by 200 ms", &site, SOON)
        .await;
    load.go_on(&site, 10).await;
    for node in site.nodes() {
        node.redis.set(Mode::Pass);
        node.postgres.set(Mode::Pass);
    }
    load.heals("both services quick again", &site, SOON).await;
    let journals = load.finish(&site).await;
    assert_all_stayed(&journals);
    let unavailable: u64 = journals.iter().map(|it| it.unavailable).sum();
    assert_eq!(unavailable, 0, "slow is not unavailable");
    site.end().await;
}
