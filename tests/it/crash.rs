//! kill -9 of the real executable, again and again, with people talking: what was acknowledged is
//! there, once; rooms stay open; and when neither side comes back, time alone ends and erases them.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use rand::RngExt as _;
use serde_json::json;
use tempfile::TempDir;

use crate::support::binary::{Setup, get_json};
use crate::support::checker::Replay;
use crate::support::driver::{Frame, Lost, Seat, Socket, meet, send};
use crate::support::fixture::Fixture;
use crate::support::scene::{MIYU, assert_kept, progress, said_in_files, talkers, until};
use crate::support::talker::{Journal, opening, words};

const PAIRS: usize = 10;
/// Kills of a server that was serving, and of one that was still starting.
const KILLS: usize = 20;
const KILLS_WHILE_STARTING: usize = 5;
/// Acknowledgements between two kills, at least.
const PROGRESS: u64 = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled_by_kill_9() {
    let home = TempDir::new().unwrap();
    let setup = Setup::new(MIYU, home.path());
    let mut server = setup.spawn();
    let fixture = Fixture::default();
    let talk = talkers(server.ready().await, PAIRS, &fixture).await;
    for _ in 0..KILLS {
        fixture.server_at(Some(server.ready().await));
        progress(&fixture, PROGRESS, &server).await;
        pause(80).await;
        fixture.server_at(None);
        server.kill();
        server = setup.spawn();
    }
    for _ in 0..KILLS_WHILE_STARTING {
        pause(60).await;
        server.kill();
        server = setup.spawn();
    }
    let address = server.ready().await;
    fixture.server_at(Some(address));
    progress(&fixture, PROGRESS, &server).await;
    fixture.stop();
    let journals = talk.join_all().await;
    assert_kept(address, &journals).await;
    let cut_off: usize = journals.iter().map(|it| it.closed.len()).sum();
    assert!(
        cut_off > KILLS * PAIRS,
        "{cut_off} connections were cut off"
    );
    let repeats: u64 = journals.iter().map(|it| it.repeats).sum();
    assert!(repeats > 0, "nothing was said twice");

    let hidden = hide_one(address, &journals[0]).await;
    server.kill();
    let mut server = setup.start().await;
    let address = server.ready().await;
    assert_hidden_from_one(address, &journals, hidden).await;
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
    assert_recalled_text_is_gone(&setup.data, &journals);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_that_neither_side_returns_to_are_closed_and_erased() {
    let home = TempDir::new().unwrap();
    let setup = Setup::new(MIYU, home.path());
    let mut server = setup.spawn();
    let address = server.ready().await;
    // One room where both talked, one where a side never came, one where neither came.
    let talked = meet(address, "talked").await.unwrap();
    let half = meet(address, "half").await.unwrap();
    let empty = meet(address, "empty").await.unwrap();
    let mut sockets = Vec::new();
    for seat in [&talked[0], &talked[1], &half[0]] {
        sockets.push(say_one(address, seat).await);
    }
    server.kill();
    drop(sockets);

    let short = "[chat]\nreconnect_grace = \"1s\"\narrival = \"1s\"\npresence_settle = \"0s\"\n";
    let mut server = setup.clone().with(short).spawn();
    let address = server.ready().await;
    assert_closes(address, &talked[0], "timeout").await;
    assert_closes(address, &half[0], "no_show").await;
    assert_closes(address, &empty[0], "no_show").await;
    assert_eq!(get_json(address, "/api/stats").await.1["rooms"], 0);
    server.kill();

    let brief = "[store]\nretention = \"1s\"\n";
    let mut server = setup.clone().with(brief).spawn();
    let address = server.ready().await;
    for seat in [&talked[0], &half[0], &empty[0]] {
        let erased = async || get_json(address, &seat.api("")).await.0 == 404;
        until("the room is erased", erased, || server.said()).await;
        // A simple client that still tries is told so, and to stop.
        let mut socket = Socket::open(address, &seat.path(0)).await.unwrap();
        let told = socket.hear().await;
        assert!(matches!(&told, Ok(Frame::UserLeft { .. })), "{told:?}");
        let closed = socket.hear().await;
        assert!(matches!(closed, Err(Lost::Closed(4004))), "{closed:?}");
    }
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
    assert_eq!(said_in_files(&setup.data), HashSet::new());
}

async fn pause(most_millis: u64) {
    let millis = rand::rng().random_range(0..most_millis);
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// This side deletes its oldest message for itself; answers which.
async fn hide_one(address: SocketAddr, side: &Journal) -> u64 {
    let kept = |seq: &&u64| !side.recalled.contains(*seq);
    let seqs = side.acked.values().map(|(seq, _)| seq);
    let seq = *seqs.filter(kept).min().expect("it said something");
    let opened = Socket::open(address, &side.seat.path(side.last)).await;
    let mut socket = opened.expect("its room is open");
    let delete = json!({ "action": "delete_message", "message_id": seq.to_string() });
    socket.tell(&delete).await.expect("the socket is open");
    loop {
        match socket.hear().await.expect("an answer") {
            Frame::MessageDeleted { message_id } => {
                assert_eq!(message_id, seq.to_string());
                return seq;
            }
            Frame::Error { code, .. } => panic!("refused: {code}"),
            _ => {}
        }
    }
}

/// The deleter is not sent it any more; the partner is, and cannot tell.
async fn assert_hidden_from_one(address: SocketAddr, journals: &[Journal], seq: u64) {
    let deleter = &journals[0];
    let partner = |it: &&Journal| {
        it.seat.room == deleter.seat.room && it.seat.user_id != deleter.seat.user_id
    };
    let partner = journals.iter().find(partner).expect("there are two");
    let mine = Replay::of(address, &deleter.seat).await;
    let theirs = Replay::of(address, &partner.seat).await;
    assert!(!mine.messages.contains_key(&seq));
    assert!(theirs.messages.contains_key(&seq));
    assert_eq!(mine.frames.len() + 1, theirs.frames.len());
    assert!(mine.active && theirs.active, "a restart closes no room");
}

/// Not only replays forget it: no file holds it.
fn assert_recalled_text_is_gone(data: &Path, journals: &[Journal]) {
    let found = said_in_files(data);
    let mut recalled = 0;
    for side in journals {
        for (seq, content) in side.acked.values() {
            let gone = side.recalled.contains(seq);
            recalled += usize::from(gone);
            // What was not recalled is there, or the search would prove nothing.
            assert_eq!(found.contains(opening(content)), !gone, "{content:?}");
        }
    }
    assert!(recalled > 0, "nothing was recalled");
}

/// Comes to the room and says one thing; answers the socket once it is acknowledged.
async fn say_one(address: SocketAddr, seat: &Seat) -> Socket {
    let mut socket = Socket::open(address, &seat.path(0)).await.unwrap();
    let action = send(&words(1, seat), "m-1", None);
    socket.tell(&action).await.unwrap();
    loop {
        if let Frame::NewMessage { message } = socket.hear().await.unwrap()
            && message.sender_id == seat.user_id
        {
            return socket;
        }
    }
}

/// Time alone closes the room, for this reason. Asking over HTTP does not count as coming back.
async fn assert_closes(address: SocketAddr, seat: &Seat, reason: &str) {
    let closed = async || get_json(address, &seat.api("")).await.1["active"] == false;
    until("the room closes", closed, || seat.room.clone()).await;
    let (_, page) = get_json(address, &seat.api("messages/")).await;
    let last = page["entries"].as_array().and_then(|it| it.last());
    let last = last.expect("a departure");
    assert_eq!(last["action"], "user_left", "{page}");
    assert_eq!(last["reason"], reason, "{page}");
}
