//! How a node gets into Redis: passwords, TLS, rights, and what it says when it does not.

use std::time::{Duration, Instant};

use miyu::channel::{ChannelLayer, Frame, GroupId, Received};
use miyu::domain::id::{RoomId, Seq, Side};
use tempfile::TempDir;

use crate::support::ports::free_address;
use crate::support::redis::{OwnRedis, Site};

/// A frame goes from one node of this site to another.
async fn crosses(site: &Site) {
    let (here, there) = (site.announced(1).await, site.announced(1).await);
    let group = GroupId::Room(RoomId::fresh());
    let (mine, mut mailbox) = here.open();
    let _member = here.join(group, &mine).await;
    let frame = Frame::Read {
        side: Side::A,
        seq: Seq(7),
    };
    there.publish(group, frame.clone());
    let received = tokio::time::timeout(Duration::from_secs(10), mailbox.recv()).await;
    let Received::Frame(received) = received.expect("a frame in time") else {
        panic!("lagged");
    };
    assert_eq!(*received, frame);
    here.close().await;
    there.close().await;
}

#[tokio::test]
async fn tls_is_spoken_and_the_certificate_checked() {
    let folder = TempDir::new().unwrap();
    let (redis, authority) = OwnRedis::with_tls(folder.path());
    let place = format!("127.0.0.1:{}", redis.port());
    let site = Site::at(&format!("rediss://{place}"));
    crosses(&site.clone().trusting(&authority)).await;
    let why = site
        .try_node()
        .await
        .err()
        .expect("nobody we know signed it");
    assert!(why.contains("certificate"), "{why}");
    let other = site.on(&format!("rediss://localhost:{}", redis.port()));
    let why = other
        .trusting(&authority)
        .try_node()
        .await
        .err()
        .expect("not its name");
    assert!(why.contains("certificate"), "{why}");
    let plain = Site::at(&format!("redis://{place}")).try_node().await;
    let why = plain.err().expect("it speaks TLS only");
    assert!(why.contains("rediss://"), "{why}");
}

#[tokio::test]
async fn the_rights_that_the_documentation_names_suffice() {
    let text = include_str!("../../docs/OPERATIONS.md");
    let line = text.lines().find(|it| it.starts_with("ACL SETUSER miyu"));
    let line = line.expect("docs/OPERATIONS.md names the rights");
    let redis = OwnRedis::start();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(redis.cli(&words).trim(), "OK", "{line}");
    let login = format!("miyu:PASSWORD@127.0.0.1:{}", redis.port());
    crosses(&Site::at(&format!("redis://{login}")).prefixed("miyu:")).await;
    // And not more than that prefix.
    let why = Site::at(&format!("redis://{login}")).try_node().await;
    let why = why.err().expect("another prefix");
    assert!(why.contains("rights do not suffice"), "{why}");
}

#[tokio::test]
async fn what_cannot_be_reached_is_said_clearly() {
    let redis = OwnRedis::with_password("right");
    let place = format!("127.0.0.1:{}", redis.port());
    let free = free_address();
    for (url, part) in [
        (format!("redis://:wrong@{place}"), "password is wrong"),
        (format!("redis://{place}"), "wants a password"),
        (format!("rediss://:right@{place}"), "instead of rediss://"),
        (format!("redis://{free}"), "connection refused"),
        ("redis://no-such-host.invalid".to_owned(), "no-such-host"),
    ] {
        let asked = Instant::now();
        let why = Site::at(&url)
            .try_node()
            .await
            .err()
            .expect("nobody is there");
        assert!(why.contains(part), "{part:?} in: {why}");
        assert!(!why.contains("right"), "no password in: {why}");
        assert!(asked.elapsed() < Duration::from_secs(10));
    }
    Site::at(&format!("redis://:right@{place}")).node().await;
}

#[tokio::test]
async fn a_port_that_says_nothing_is_given_up_in_time() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let asked = Instant::now();
    let why = Site::at(&url)
        .try_node()
        .await
        .err()
        .expect("nobody answers");
    assert!(
        why.contains("no answer within") || why.contains("in time"),
        "{why}"
    );
    assert!(asked.elapsed() < Duration::from_secs(10));
}
