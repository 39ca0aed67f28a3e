//! SIGHUP at the real executable: it goes on serving, takes what can change, and says what cannot.

use std::net::SocketAddr;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::binary::{Server, Setup};
use crate::support::driver::{Socket, found, meet, start};
use crate::support::http::get;
use crate::support::scene::MIYU;

/// The events that say this, as they were logged.
fn lines(server: &Server, what: &str) -> Vec<serde_json::Value> {
    let said = server.said();
    let lines = said.lines().filter(|line| line.contains(what));
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hangup_reads_the_configuration_again_and_ends_nothing() {
    let home = TempDir::new().unwrap();
    let setup = Setup::new(MIYU, home.path());
    let mut server = setup.spawn();
    let address = server.ready().await;
    let file = home.path().join("miyu.toml");

    let new = setup
        .clone()
        .with("[log]\nfilter = \"warn\"\n[server]\ndrain_jitter = \"2s\"\n");
    std::fs::write(&file, &new.config).unwrap();
    server.signal(Signal::HUP);
    server.says("take effect at the next start").await;
    let waiting = lines(&server, "at the next start");
    assert_eq!(waiting[0]["keys"], "server.drain_jitter");
    assert!(
        !server.said().contains("was read again"),
        "{}",
        server.said()
    );
    let new = setup.clone().with("[log]\nfilter = \"info,miyu=debug\"\n");
    std::fs::write(&file, &new.config).unwrap();
    server.signal(Signal::HUP);
    server.says("was read again").await;
    let read = lines(&server, "was read again");
    assert_eq!(read[0]["filter"], "info,miyu=debug");

    std::fs::write(&file, "[log]\nfiltre = \"info\"\n").unwrap();
    server.signal(Signal::HUP);
    server.says("nothing was changed").await;
    assert!(server.said().contains("log.filter"), "{}", server.said());
    meet(address, "still here").await.unwrap();
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
}

/// The name that a partner sees of someone who searches under this one.
async fn name_seen(address: SocketAddr, name: &str) -> String {
    let path = "/ws/matching/";
    let mut named = Socket::open(address, path).await.unwrap();
    let mut sees = Socket::open(address, path).await.unwrap();
    named.tell(&start(name, &[])).await.unwrap();
    sees.tell(&start("Calm Boat", &[])).await.unwrap();
    let seen = async {
        loop {
            let heard = sees.hear_text().await.unwrap();
            let heard: serde_json::Value = serde_json::from_str(&heard).unwrap();
            if heard["action"] == "match_found" {
                let seen = heard["matched_user"]["nickname"].as_str();
                return seen.unwrap().to_owned();
            }
        }
    };
    let (seen, met) = tokio::join!(seen, found(&mut named));
    met.unwrap();
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hangup_gives_the_pages_the_sites_new_words() {
    let home = TempDir::new().unwrap();
    let setup = Setup::new(MIYU, home.path()).with("[site]\nname = \"Nightfall\"\n");
    let mut server = setup.spawn();
    let address = server.ready().await;
    let old = get(address, "/").await;
    assert!(old.text().contains("Nightfall"), "{}", old.text());

    let words = "[site]\nname = \"Harbour\"\nrules = \"Be kind.\"\ndefault_language = \"en\"\n";
    let new = Setup::new(MIYU, home.path()).with(words);
    std::fs::write(home.path().join("miyu.toml"), &new.config).unwrap();
    server.signal(Signal::HUP);
    server.says("the new words").await;
    let page = get(address, "/").await;
    assert!(page.text().contains("Harbour"), "{}", page.text());
    assert!(!page.text().contains("Nightfall"), "{}", page.text());
    assert_eq!(page.header("content-language"), Some("en"));
    assert_ne!(page.header("etag"), old.header("etag"));
    let site = get(address, "/api/site").await.json();
    assert_eq!(site["name"], "Harbour");
    assert_eq!(site["rules"], "Be kind.");
    // Its name is its staff's from now on, the former one free, and no key waits.
    assert_eq!(name_seen(address, "Harbour").await, "匿名用戶");
    assert_eq!(name_seen(address, "Nightfall").await, "Nightfall");
    server.says("was read again").await;
    assert!(!server.said().contains("next start"), "{}", server.said());
}
