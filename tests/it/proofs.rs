//! `proof` of a message over real sockets: it comes with each message, is the same wherever the message is read,
//! holds for what was said and nothing else, and is gone where the text is.

use miyu::domain::id::{RoomId, Seq, Side, Timestamp};
use miyu::protocol::proof::{ProofKey, Said};
use serde_json::{Value, json};

use crate::support::client::keys;
use crate::support::cluster::Plan;
use crate::support::people::{Chatting, Person, chat, chat_at};
use crate::support::server::TestServer;

fn key(server: &TestServer) -> ProofKey {
    let key = server.app.encoder.proofs().key();
    key.expect("a server that serves has a key").clone()
}

/// What the message says, as said by this side.
fn said<'a>(room: &Person, message: &'a Value, side: Side) -> Said<'a> {
    Said {
        room: RoomId::parse(room.room()).unwrap(),
        seq: Seq(message["seq"].as_u64().unwrap()),
        side,
        at: Timestamp(message["sent_at_ms"].as_i64().unwrap()),
        content: message["content"].as_str().unwrap(),
    }
}

fn proof(message: &Value) -> &str {
    message["proof"].as_str().expect("a proof")
}

#[tokio::test]
async fn each_message_carries_the_proof_of_what_it_says() {
    let server = TestServer::start(|_| {}).await;
    let Chatting {
        ming,
        mei,
        mut a,
        mut b,
    } = chat(&server).await;
    let mine = a.said("晚安 \"quoted\"", "a-1").await;
    let theirs = b.until("new_message").await["message"].clone();
    assert_eq!(mine, theirs, "both are sent the same");
    assert_eq!(proof(&mine).len(), 22);
    // Mei came, so side A is hers.
    let key = key(&server);
    assert!(key.verify(&said(&ming, &mine, Side::B), proof(&mine)));
    assert!(!key.verify(&said(&ming, &mine, Side::A), proof(&mine)));
    let other = b.said("晚安 \"quoted\"", "b-1").await;
    assert!(key.verify(&said(&mei, &other, Side::A), proof(&other)));
    assert!(!key.verify(&said(&mei, &other, Side::A), proof(&mine)));
    // A repeat and the log say the same proof.
    let again = a.said("晚安 \"quoted\"", "a-1").await;
    assert_eq!(again["repeat"], true);
    assert_eq!(proof(&again), proof(&mine));
    assert_eq!(mei.log().await[0]["message"], mine);
}

#[tokio::test]
async fn a_recalled_message_has_no_proof_any_more_and_the_old_one_still_holds() {
    let server = TestServer::start(|_| {}).await;
    let Chatting {
        ming,
        mei,
        mut a,
        mut b,
    } = chat(&server).await;
    let message = a.said("I take it back", "a-1").await;
    a.send(json!({"action": "recall_message", "message_id": "a-1"}))
        .await;
    let recalled = b.until("message_recalled").await;
    assert_eq!(
        keys(&recalled),
        ["action", "client_id", "message_id", "seq"]
    );
    let there = mei.log().await[0]["message"].clone();
    assert_eq!(there["recalled"], true);
    assert!(there.get("proof").is_none(), "{there}");
    assert!(
        !mei.log()
            .await
            .iter()
            .any(|it| it.to_string().contains("take it back"))
    );
    assert!(key(&server).verify(&said(&ming, &message, Side::B), proof(&message)));
    // Its time and place stay in the log: what a claim is checked against.
    assert_eq!(there["sent_at_ms"], message["sent_at_ms"]);
}

#[tokio::test]
async fn proofs_hold_across_a_restart_and_not_under_another_key() {
    let server = TestServer::start(|_| {}).await;
    let Chatting {
        ming,
        mut a,
        b,
        mei: _,
    } = chat(&server).await;
    let message = a.said("hello", "a-1").await;
    let before = key(&server);
    a.close().await;
    b.close().await;
    let server = server.restart().await;
    assert_eq!(ming.moved(&server).log().await[0]["message"], message);
    let said = said(&ming, &message, Side::B);
    assert!(key(&server).verify(&said, proof(&message)));
    assert!(before.verify(&said, proof(&message)));
    let elsewhere = TestServer::start(|_| {}).await;
    assert!(!key(&elsewhere).verify(&said, proof(&message)));
}

#[tokio::test]
async fn every_node_of_a_site_proves_alike() {
    let site = Plan::of(2).unhurried().start().await;
    let mut room = chat_at([site.address(0), site.address(1)]).await;
    let told = room.a_says("hello", "a-1").await;
    assert_eq!(proof(&told).len(), 22);
    // Each log is encoded by the node that is asked.
    assert_eq!(room.ming.log().await[0]["message"], told);
    assert_eq!(room.mei.log().await[0]["message"], told);
    site.end().await;
}
