//! Data that has nearly the size it may have: no new pairs are made, and searchers are told why; people in open
//! rooms go on; when closed rooms are erased, searches go on. On the real executable, and in this process where
//! the moment matters.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use miyu::config::Limits;
use tempfile::TempDir;

use crate::support::binary::{Server, Setup, get, get_json};
use crate::support::client::Browser;
use crate::support::driver::{self, Frame, Socket, meet, recall, send};
use crate::support::faulty::Switch;
use crate::support::fixture::Fixture;
use crate::support::people::{chat, start};
use crate::support::scene::{MIYU, assert_kept, progress, talkers, until};
use crate::support::server::TestServer;

/// Characters of four bytes: the longest message.
const LONGEST: usize = 2000;
/// Bytes of messages from which on the filler waits for the size to be measured: far enough below the
/// mark that what is said in two seconds does not reach the whole.
const SLOWLY_FROM: usize = 40 << 20;
/// Messages on their way at once.
const AT_ONCE: usize = 15;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_data_refuses_new_rooms_until_old_ones_are_erased() {
    let home = TempDir::new().unwrap();
    let mut setup =
        Setup::new(MIYU, home.path()).with("[store]\nmax_size = \"64MiB\"\nretention = \"1s\"\n");
    // The last section is that of the limits.
    setup.config.push_str("room_bytes = \"1GiB\"\n");
    let mut server = setup.spawn();
    let address = server.ready().await;
    let fixture = Fixture::default();
    fixture.server_at(Some(address));
    let talk = talkers(address, 2, &fixture).await;
    progress(&fixture, 50, &server).await;

    let mut filler = fill(address, &server).await;
    assert_refused(address).await;
    let operators = server.operators().unwrap();
    let notice = async || {
        let (status, ready) = get_json(operators, "/readyz").await;
        let notice = ready["notices"].to_string();
        status == 200 && notice.contains("store.max_size") && notice.contains("store.retention")
    };
    until("/readyz says what to do", notice, || server.said()).await;
    let (_, metrics) = get(operators, "/metrics").await.unwrap();
    for name in [
        "miyu_store_bytes",
        "miyu_store_max_bytes 67108864",
        "miyu_site_full_total",
    ] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
    // Who talks goes on talking, comes back, and takes back what was said.
    progress(&fixture, 50, &server).await;
    filler.tell(&recall("1", "undo")).await.unwrap();
    while !matches!(filler.hear().await.unwrap(), Frame::MessageRecalled { .. }) {}

    filler
        .tell(&serde_json::json!({"action": "find_next"}))
        .await
        .unwrap();
    let again = async || can_search(address).await;
    until("searches go on", again, || server.said()).await;
    meet(address, "after all").await.unwrap();
    progress(&fixture, 50, &server).await;
    fixture.stop();
    let journals = talk.join_all().await;
    assert_kept(address, &journals).await;
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
    let said = server.said();
    // Each beginning and each end is said once, and perhaps that messages are refused; the log of changes may
    // make it more than one.
    let counts = ["of store.max_size", "small enough again"].map(|it| said.matches(it).count());
    assert!(counts[1] >= 1 && counts[0] >= counts[1], "{said}");
}

/// Two people whose one room takes most of the space, until searches are refused; answers one of them.
async fn fill(address: SocketAddr, server: &Server) -> Socket {
    let [seat, other] = meet(address, "talkative").await.unwrap();
    let mut socket = Socket::open(address, &seat.path(0)).await.unwrap();
    // The other one came, and is away for less than the grace.
    let other = Socket::open(address, &other.path(0)).await.unwrap();
    other.close().await;
    let text = "\u{1f600}".repeat(LONGEST);
    let mut said = 0;
    // The mark is at 57.6 MiB, and the log of changes is at times a large part of what there is.
    loop {
        let names = (said..said + AT_ONCE).map(|n| format!("fill-{n}"));
        let names: Vec<String> = names.collect();
        for name in &names {
            socket.say(&send(&text, name, None)).await.unwrap();
        }
        socket.flush().await.unwrap();
        acknowledged(&mut socket, names, &text).await;
        said += AT_ONCE;
        assert!(said < 20_000, "never full: {}", server.said());
        if said.is_multiple_of(10 * AT_ONCE) {
            // The size is measured every two seconds: near the mark nothing is added before it was.
            let bytes = said * 4 * LONGEST;
            if bytes > SLOWLY_FROM {
                let measured = async || store_bytes(server).await >= bytes as f64;
                until("the size is measured", measured, || server.said()).await;
            }
            if !can_search(address).await {
                return socket;
            }
        }
    }
}

/// What the server says that its data takes.
async fn store_bytes(server: &Server) -> f64 {
    let (_, metrics) = get(server.operators().unwrap(), "/metrics").await.unwrap();
    let line = metrics
        .lines()
        .find_map(|it| it.strip_prefix("miyu_store_bytes "));
    line.map_or(0.0, |bytes| bytes.parse().unwrap())
}

/// Waits for all of them, and asks again when the data had the size it may have at that moment.
async fn acknowledged(socket: &mut Socket, names: Vec<String>, text: &str) {
    let mut waiting: HashSet<String> = names.into_iter().collect();
    while !waiting.is_empty() {
        match socket.hear().await.unwrap() {
            Frame::NewMessage { message } => {
                waiting.remove(&message.client_id);
            }
            Frame::Error { code, client_id } => {
                assert_eq!(code, "unavailable");
                let name = client_id.expect("about a message");
                tokio::time::sleep(Duration::from_millis(50)).await;
                socket.tell(&send(text, &name, None)).await.unwrap();
            }
            _ => {}
        }
    }
}

/// What a search is answered first.
async fn search(address: SocketAddr) -> serde_json::Value {
    let mut socket = Socket::open(address, "/ws/matching/").await.unwrap();
    socket
        .tell(&driver::start("new", &["nobody else"]))
        .await
        .unwrap();
    let text = socket.hear_text().await.unwrap();
    socket.close().await;
    serde_json::from_str(&text).unwrap()
}

async fn can_search(address: SocketAddr) -> bool {
    search(address).await["action"] == "waiting_for_match"
}

async fn assert_refused(address: SocketAddr) {
    let told = search(address).await;
    assert_eq!(told["code"], "site_full", "{told}");
    let wait = told["retry_after_ms"].as_u64().unwrap();
    assert!((10_000..=30_000).contains(&wait), "{wait}");
}

/// A server whose store says of itself how large it is.
async fn measured(limits: impl FnOnce(&mut Limits)) -> (TestServer, Switch) {
    let switch = Switch::default();
    let before = switch.clone();
    let server = TestServer::start_on(
        |config| {
            config.limits.matches_per_minute = 0;
            limits(&mut config.limits);
        },
        |backends| miyu::boot::backends::Backends {
            store: before.before(backends.store),
            ..backends
        },
    )
    .await;
    (server, switch)
}

#[tokio::test]
async fn a_search_that_waits_already_is_told_too() {
    let (server, switch) = measured(|_| {}).await;
    let waiting = Browser::new(&server);
    let mut waiting = waiting.open("/ws/matching/").await;
    waiting.send(start(serde_json::json!({}))).await;
    waiting.expect("waiting_for_match").await;
    switch.pretend_size(u64::MAX);
    let error = waiting.until("error").await;
    assert_eq!(error["code"], "site_full");
    assert!(error["retry_after_ms"].as_u64().is_some());
    // No ticket is left in the pool to be found, and the next search is refused at once.
    let other = Browser::new(&server);
    let mut other = other.open("/ws/matching/").await;
    other.send(start(serde_json::json!({}))).await;
    other.expect_error("site_full").await;
    assert_eq!(server.app.pool.stats().total(), 0);
    // As soon as there is room both find each other over the sockets they have.
    switch.pretend_size(0);
    loop {
        other.send(start(serde_json::json!({}))).await;
        if other.next().await["action"] == "waiting_for_match" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    waiting.send(start(serde_json::json!({}))).await;
    let found = waiting.until("match_found").await;
    assert_eq!(
        other.until("match_found").await["room_id"],
        found["room_id"]
    );
}

/// One client writes as fast as it may: while there is no room for new people, a tenth as fast, so that the rest
/// is not used up in one evening; and each of its messages is taken all the same.
#[tokio::test]
async fn what_is_left_is_written_a_tenth_as_fast() {
    let (server, switch) = measured(|limits| {
        limits.messages_per_second = 0;
        limits.message_bytes_per_second = 40_000;
        limits.message_bytes_burst = 8192;
    })
    .await;
    let mut talking = chat(&server).await;
    let mut said = 0;
    let mut writes = async |count: usize| {
        let began = Instant::now();
        for n in said..said + count {
            let text = "x".repeat(300);
            talking.a.say(&text, &format!("c-{n}")).await;
        }
        for seq in said + 1..=said + count {
            let heard = talking.b.expect("new_message").await;
            assert_eq!(heard["message"]["seq"], seq);
        }
        said += count;
        began.elapsed()
    };
    // About 400 bytes each, of 40,000 a second.
    writes(25).await;
    switch.pretend_size(u64::MAX);
    while !server.app.capacity.full() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = writes(25).await;
    assert!(took >= Duration::from_secs(1), "too fast: {took:?}");
    switch.pretend_size(0);
    while server.app.capacity.full() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    writes(1).await;
}
