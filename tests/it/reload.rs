//! SIGHUP at the real executable: it goes on serving, takes what can change, and says what cannot.

use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::binary::{Server, Setup};
use crate::support::driver::meet;
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
