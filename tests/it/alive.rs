//! Signs of life: who asks is told that the server is there, at once and whenever it would otherwise be
//! silent for as long as a heartbeat; who never asked is told nothing.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::client::{Browser, Socket, keys};
use crate::support::people::{meet, start};
use crate::support::server::TestServer;

const HEARTBEAT: Duration = Duration::from_millis(400);
/// What a busy machine may take on top.
const SLACK: Duration = Duration::from_millis(800);

async fn server() -> TestServer {
    TestServer::start(|config| config.limits.heartbeat = HEARTBEAT).await
}

fn question() -> Value {
    json!({"action": "are_you_there"})
}

/// Asks, and checks the answer.
async fn ask(socket: &mut Socket) {
    socket.send(question()).await;
    let alive = socket.until("alive").await;
    assert_eq!(keys(&alive), ["action", "heartbeat_ms"]);
    assert_eq!(alive["heartbeat_ms"], 400);
}

/// Nothing else is said; the signs of life come in time, again and again.
async fn lives(socket: &mut Socket) {
    for _ in 0..4 {
        let before = Instant::now();
        socket.until("alive").await;
        let silent = before.elapsed();
        assert!(silent <= HEARTBEAT + SLACK, "{silent:?}");
    }
}

#[tokio::test]
async fn a_search_hears_that_the_server_is_there() {
    let server = server().await;
    let mut socket = Browser::new(&server).open("/ws/matching/").await;
    ask(&mut socket).await;
    lives(&mut socket).await;
    socket.send(start(json!({}))).await;
    socket.until("waiting_for_match").await;
    ask(&mut socket).await;
    lives(&mut socket).await;
}

#[tokio::test]
async fn a_room_hears_it_on_each_of_its_connections() {
    let server = server().await;
    let (ming, _) = meet(&server).await;
    let mut first = ming.enter("&after=0").await;
    first.expect("room_state").await;
    ask(&mut first).await;
    let mut second = ming.enter("&after=0").await;
    second.expect("room_state").await;
    // A replaced one is told nothing of the room. Were it told nothing at all, its page would take it for dead
    // and take the room back.
    first.until("replaced").await;
    ask(&mut first).await;
    ask(&mut second).await;
    // Both at once: what is not read answers no ping.
    tokio::join!(lives(&mut first), lives(&mut second));
}

#[tokio::test]
async fn who_talks_and_is_told_nothing_hears_it_too() {
    let server = server().await;
    let (ming, _) = meet(&server).await;
    let mut socket = ming.enter("&after=0").await;
    socket.expect("room_state").await;
    ask(&mut socket).await;
    // Frames without an answer, more often than a ping would be due.
    let before = Instant::now();
    let heard = loop {
        socket.send(json!({"action": "read", "seq": 0})).await;
        match timeout(HEARTBEAT / 8, socket.next()).await {
            Ok(frame) => break frame,
            Err(_) => assert!(before.elapsed() < HEARTBEAT + SLACK, "silent"),
        }
    };
    assert_eq!(heard["action"], "alive");
}

#[tokio::test]
async fn who_never_asked_is_told_nothing_new() {
    let server = server().await;
    let (ming, _) = meet(&server).await;
    let mut room = ming.enter("").await;
    room.expect("room_state").await;
    let mut search = Browser::new(&server).open("/ws/matching/").await;
    let silent = async |socket: &mut Socket| {
        let silent = timeout(4 * HEARTBEAT, socket.arrived()).await;
        assert!(silent.is_err(), "{silent:?}");
        socket.nothing_more().await;
    };
    tokio::join!(silent(&mut room), silent(&mut search));
}
