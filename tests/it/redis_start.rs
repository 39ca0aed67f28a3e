//! The real executable on a real Redis: when it starts, when it refuses, and what it says.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::binary::{Server, Setup, get_json};
use crate::support::driver::meet;
use crate::support::ports::free_address;
use crate::support::redis::{OwnRedis, fresh_prefix, shared_cli, shared_url};
use crate::support::scene::MIYU;

/// "Redis is not reached, or other nodes there do not fit", as `miyu --help` says.
const CHANNEL: Option<i32> = Some(6);
/// "The configuration is wrong".
const CONFIG: Option<i32> = Some(2);

fn channel(url: &str, more: &str) -> String {
    format!("[channel]\nurl = \"{url}\"\n{more}\n")
}

/// An address at which nothing listens.
fn unused_url() -> String {
    format!("redis://{}", free_address())
}

/// What `/readyz` says about the channel layer.
async fn notices(server: &Server) -> Vec<String> {
    let operators = server.operators().unwrap();
    let (status, json) = get_json(operators, "/readyz").await;
    assert_eq!(
        status, 200,
        "a channel layer that is away is no reason to send no one: {json}"
    );
    let notices = json["notices"].as_array().unwrap().iter();
    let ours = notices.filter(|it| it["part"] == "channel");
    ours.map(|it| it["why"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn people_meet_on_one_node_with_redis_and_it_leaves_nothing_behind() {
    let home = TempDir::new().unwrap();
    let prefix = fresh_prefix();
    let config = channel(&shared_url(), &format!("prefix = \"{prefix}\""));
    let mut server = Setup::new(MIYU, home.path()).with(&config).start().await;
    let address = server.address().unwrap();
    assert_eq!(notices(&server).await, Vec::<String>::new());
    // A pairing is kept for a lease, and expires by itself.
    let names = || {
        let all = shared_cli(&["keys", &format!("{prefix}*")]);
        let lasting = all.lines().filter(|name| !name.contains("{pool:"));
        lasting.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names().trim(), format!("{prefix}nodes"), "the one key");
    let _people = meet(address, "tea").await.unwrap();
    let open = async || get_json(address, "/api/stats").await.1["rooms"] == 1;
    // Sampled every five seconds at the latest.
    let sampled = tokio::time::timeout(Duration::from_secs(10), async {
        while !open().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    sampled.await.expect("the room is counted");
    assert_eq!(names().trim(), format!("{prefix}nodes"), "still");
    assert!(server.stop().await.success());
    assert_eq!(names().trim(), "", "taken back");
}

#[tokio::test]
async fn people_wait_at_the_address_of_matching() {
    let home = TempDir::new().unwrap();
    let (pool, prefix) = (OwnRedis::start(), fresh_prefix());
    let channel = channel(&shared_url(), &format!("prefix = \"{prefix}\""));
    let config = format!("{channel}\n[matching]\nurl = \"{}\"\n", pool.url());
    let mut server = Setup::new(MIYU, home.path()).with(&config).start().await;
    let _people = meet(server.address().unwrap(), "tea").await.unwrap();
    let there = pool.cli(&["keys", &format!("{prefix}*")]);
    assert!(there.contains("pool"), "{there}");
    let here = shared_cli(&["keys", &format!("{prefix}*")]);
    assert_eq!(here.trim(), format!("{prefix}nodes"), "nobody waits there");
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn without_redis_it_refuses_and_says_what_to_do() {
    let home = TempDir::new().unwrap();
    let url = unused_url();
    let setup = Setup::new(MIYU, home.path()).with(&channel(&url, ""));
    let (code, said) = setup.refused().await;
    assert_eq!(code, CHANNEL, "{said}");
    let told: Vec<&str> = said.lines().filter(|it| it.starts_with("miyu:")).collect();
    assert_eq!(told.len(), 1, "{said}");
    for part in [&url, "refused", "channel.url", "memory:"] {
        assert!(told[0].contains(part), "{part} in: {said}");
    }
    assert!(!setup.data.join("miyu.db").exists(), "nothing was touched");
}

#[tokio::test]
async fn without_redis_it_runs_alone_when_told_to_and_says_so() {
    let home = TempDir::new().unwrap();
    let config = channel(&unused_url(), "when_unreachable = \"standalone\"");
    let mut server = Setup::new(MIYU, home.path()).with(&config).start().await;
    let address = server.address().unwrap();
    let notices = notices(&server).await;
    assert!(notices[0].contains("running alone"), "{notices:?}");
    assert!(server.said().contains("running alone"));
    let _people = meet(address, "tea").await.unwrap();
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn a_second_store_beside_the_first_is_refused() {
    let (home, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let prefix = fresh_prefix();
    let config = channel(&shared_url(), &format!("prefix = \"{prefix}\""));
    let first = Setup::new(MIYU, home.path()).with(&config).start().await;
    let second = Setup::new(MIYU, other.path()).with(&config);
    let (code, said) = second.refused().await;
    assert_eq!(code, CHANNEL, "{said}");
    assert!(said.contains("must share a store"), "{said}");
    drop(first);
}

/// What a node of another version goes on working with stays as it is.
#[tokio::test]
async fn a_node_of_another_version_is_refused_before_it_touches_the_store() {
    let home = TempDir::new().unwrap();
    let prefix = fresh_prefix();
    let config = channel(&shared_url(), &format!("prefix = \"{prefix}\""));
    let setup = Setup::new(MIYU, home.path()).with(&config);
    let nodes = format!("{prefix}nodes");
    let announce = |lasts: u64, common: &str| {
        let now: u64 = shared_cli(&["time"])
            .lines()
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let said = format!("{}|{common}|0|other-host", (now + lasts) * 1000);
        shared_cli(&["hset", &nodes, "00000000000000aa", &said]);
    };
    for (common, part) in [
        ("1 1 00000000000000bb", "stop all nodes"),
        ("200 1 00000000000000bb 00000000000000cc", "stop all nodes"),
        ("what comes after us", "unknown version"),
    ] {
        announce(600, common);
        let (code, said) = setup.refused().await;
        assert_eq!(code, CHANNEL, "{said}");
        for part in [part, "00000000000000aa on other-host"] {
            assert!(said.contains(part), "{part} in: {said}");
        }
        assert!(!setup.data.join("miyu.db").exists(), "nothing was touched");
    }
    let left = shared_cli(&["hkeys", &nodes]);
    assert_eq!(
        left.trim(),
        "00000000000000aa",
        "it did not announce itself"
    );
    // One whose time is over does not count.
    announce(0, "1 1 00000000000000bb");
    let mut server = setup.start().await;
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn a_redis_that_goes_away_later_ends_nothing() {
    let home = TempDir::new().unwrap();
    let mut redis = OwnRedis::with_password("p4ssword");
    let file = home.path().join("password");
    std::fs::write(&file, "p4ssword\n").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let config = channel(
        &redis.url(),
        &format!("password_file = \"{}\"", file.display()),
    );
    let mut server = Setup::new(MIYU, home.path()).with(&config).start().await;
    let address = server.address().unwrap();
    redis.kill();
    let mut told = notices(&server).await;
    while told.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        told = notices(&server).await;
    }
    assert!(told[0].contains(&redis.url()), "{told:?}");
    // People of one node wait in Redis as well: they search until it is back.
    let back = async { redis.restart() };
    let (people, ()) = tokio::join!(meet(address, "tea"), back);
    let _people = people.unwrap();
    while !notices(&server).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(server.stop().await.success());
    assert!(!server.said().contains("p4ssword"));
}

#[tokio::test]
async fn what_does_not_fit_together_is_refused_by_the_configuration() {
    let home = TempDir::new().unwrap();
    for (more, part) in [
        (
            "when_unreachable = \"alone\"",
            "must be \"fail\" or \"standalone\"",
        ),
        ("prefix = \"a*b\"", "channel.prefix"),
        ("prefix = \"\"", "channel.prefix"),
        ("password_file = \"/nowhere\"", "channel.password_file"),
        ("ca_file = \"/nowhere\"", "channel.ca_file"),
    ] {
        let setup = Setup::new(MIYU, home.path()).with(&channel("redis://a", more));
        let (code, said) = setup.refused().await;
        assert_eq!(code, CONFIG, "{said}");
        assert!(said.contains(part), "{part} in: {said}");
    }
    let setup = Setup::new(MIYU, home.path()).with(&channel("http://:secret@a", ""));
    let (code, said) = setup.refused().await;
    assert_eq!(code, CONFIG, "{said}");
    assert!(
        said.contains("channel.url") && !said.contains("secret"),
        "{said}"
    );
}

/// Full, and a replica without a master: each answers, and refuses.
const REFUSALS: [(&[&str], &[&str]); 2] = [
    (
        &["config", "set", "maxmemory", "1"],
        &["config", "set", "maxmemory", "0"],
    ),
    (
        &["replicaof", "127.0.0.1", "1"],
        &["replicaof", "no", "one"],
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_refuses_is_told_once_and_steadily() {
    for (refuse, accept) in REFUSALS {
        let home = TempDir::new().unwrap();
        let redis = OwnRedis::start();
        let config = channel(&redis.url(), "");
        let mut server = Setup::new(MIYU, home.path()).with(&config).start().await;
        let before = server.said().lines().count();
        redis.cli(refuse);
        server.says("Redis refuses what nodes tell it").await;
        // Some beats, and as many new connections as a replica is given.
        for _ in 0..120 {
            assert_eq!(notices(&server).await.len(), 1, "{}", server.said());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        redis.cli(accept);
        server.says("Redis takes what nodes tell it again").await;
        assert_eq!(notices(&server).await, Vec::<String>::new());
        let said = server.said();
        let lines: Vec<&str> = said.lines().skip(before).collect();
        assert!(lines.len() <= 4, "{refuse:?}: {lines:#?}");
        assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
    }
}
