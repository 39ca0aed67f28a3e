//! Connections that are ended together, on every node: those of a session, those to a room, all.

use std::time::Duration;

use miyu::boot::backends::Backends;
use miyu::channel::GroupId;
use miyu::domain::id::RoomId;
use miyu::protocol::CloseReason;
use serde_json::json;
use tokio::time::timeout;

use crate::support::client::Socket;
use crate::support::people::{chat, session_of, start};
use crate::support::redis::Site;
use crate::support::server::TestServer;

/// A node that was asked tells the others at once: long before anything is found by itself.
const SOON: Duration = Duration::from_secs(8);

/// Two nodes on one store, one channel layer over Redis.
async fn two_nodes() -> [TestServer; 2] {
    let site = Site::fresh();
    let [first, second] = [site.announced(1).await, site.announced(1).await];
    let on = |channel| {
        move |backends| Backends {
            channel,
            ..backends
        }
    };
    let here = TestServer::start_on(|_| {}, on(first)).await;
    let store = std::sync::Arc::clone(&here.app.store);
    let with_store = |backends| Backends {
        store,
        channel: second,
        store_died: Box::pin(std::future::pending()),
        ..backends
    };
    let there = TestServer::start_on(|_| {}, with_store).await;
    [here, there]
}

async fn closed_with(socket: &mut Socket) -> u16 {
    let code = timeout(SOON, socket.close_code()).await;
    code.expect("closed in time").expect("a close code")
}

/// Its connection answers.
async fn is_alive(socket: &mut Socket) {
    socket.send(json!({"action": "what is the time"})).await;
    socket.until("error").await;
}

#[tokio::test]
async fn a_session_is_closed_on_both_nodes_with_a_code_and_may_come_again() {
    let [here, there] = two_nodes().await;
    let mut talking = chat(&here).await;
    let elsewhere = talking.ming.browser.moved(&there);
    let mut search = elsewhere.open("/ws/matching/").await;
    search.send(start(json!({}))).await;
    search.expect("waiting_for_match").await;
    let session = session_of(&here, &talking.ming);
    let group = GroupId::Session(session);
    there.app.closer.close(group, CloseReason::Policy);
    assert_eq!(closed_with(&mut talking.a).await, 1008);
    assert_eq!(closed_with(&mut search).await, 1008);
    // Those of others stay, and what comes afterwards is not concerned.
    talking.a = talking.ming.enter("").await;
    talking.a.until("room_state").await;
    is_alive(&mut talking.a).await;
    is_alive(&mut talking.b).await;
}

#[tokio::test]
async fn the_connections_to_a_room_are_closed_wherever_they_are() {
    let [here, there] = two_nodes().await;
    let mut talking = chat(&here).await;
    talking.b.close().await;
    let mei = talking.mei.moved(&there);
    let mut b = mei.enter("").await;
    b.until("room_state").await;
    let mut others = chat(&there).await;
    let room = RoomId::parse(talking.ming.room()).unwrap();
    here.app
        .closer
        .close(GroupId::Room(room), CloseReason::RoomGone);
    assert_eq!(closed_with(&mut talking.a).await, 4004);
    assert_eq!(closed_with(&mut b).await, 4004);
    is_alive(&mut others.a).await;
    is_alive(&mut others.b).await;
}

#[tokio::test]
async fn all_connections_are_closed() {
    let [here, there] = two_nodes().await;
    let (mut talking, mut others) = (chat(&here).await, chat(&there).await);
    here.app
        .closer
        .close(GroupId::Everybody, CloseReason::GoingAway);
    for socket in [&mut talking.a, &mut talking.b, &mut others.a, &mut others.b] {
        assert_eq!(closed_with(socket).await, 1001);
    }
}
