//! Scenes that several tests of the executable play: people paired and talking, waiting for
//! something to become true, every promise checked at the end.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::binary::{PATIENCE, Server};
use super::checker;
use super::driver::meet_across;
use super::fixture::Fixture;
use super::talker::{Journal, Talker, opening, violations};

/// The executable under test.
pub const MIYU: &str = env!("CARGO_BIN_EXE_miyu");

/// Pairs up so many, and lets them talk.
pub async fn talkers(address: SocketAddr, pairs: usize, fixture: &Fixture) -> JoinSet<Journal> {
    talkers_across(&[address], pairs, fixture).await
}

/// The same at several addresses: the sides of a pair begin at different ones.
pub async fn talkers_across(
    addresses: &[SocketAddr],
    pairs: usize,
    fixture: &Fixture,
) -> JoinSet<Journal> {
    let mut talk = JoinSet::new();
    for pair in 0..pairs {
        let both = [pair, pair + 1].map(|spot| addresses[spot % addresses.len()]);
        let seats = meet_across(both, &format!("pair{pair}")).await;
        for (side, seat) in seats.expect("both find each other").into_iter().enumerate() {
            let talker = Talker::new(seat, fixture.clone()).at(pair + side);
            talk.spawn(talker.run());
        }
    }
    talk
}

/// Waits until this many more messages were acknowledged.
pub async fn progress(fixture: &Fixture, more: u64, server: &Server) {
    progress_or(fixture, more, || server.said()).await;
}

/// The same, with other evidence when it does not come.
pub async fn progress_or(fixture: &Fixture, more: u64, evidence: impl Fn() -> String) {
    let before = fixture.acked();
    let enough = async || fixture.acked() >= before + more;
    until("more is acknowledged", enough, evidence).await;
}

/// Waits until it is true; complains with what `evidence` says otherwise.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool, evidence: impl Fn() -> String) {
    let started = Instant::now();
    while !is_so().await {
        let patient = started.elapsed() < PATIENCE;
        assert!(patient, "waited in vain until {what}: {}", evidence());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Every promise made to every talker holds.
pub async fn assert_kept(address: SocketAddr, journals: &[Journal]) {
    assert_eq!(violations(journals), HashSet::new());
    let wrong = checker::check_all(address, journals).await;
    assert_eq!(wrong, Vec::<String>::new());
}

/// The openings of everything that talkers said and that any file of this folder holds.
pub fn said_in_files(folder: &Path) -> HashSet<String> {
    let mut found = HashSet::new();
    for file in std::fs::read_dir(folder).expect("the data folder") {
        let path = file.expect("a file").path();
        // A socket holds nothing.
        if !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file of ours");
        let text = String::from_utf8_lossy(&bytes);
        let starts = text.match_indices("word ");
        // The schema lies there, too, with a column for passwords.
        let starts = starts.filter(|(at, _)| !text[..*at].ends_with("pass"));
        let starts = starts.map(|(at, _)| &text[at..]);
        found.extend(starts.map(|it| opening(it).to_owned()));
    }
    found
}
