//! The log is another one than a client knows: an older copy of the data was restored. The client is told,
//! and sent what there is, also when the log has grown as long again meanwhile.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::Socket;
use crate::support::people::{Person, meet};
use crate::support::server::TestServer;

fn copy_files(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

fn restore(copy: &Path, data: &Path) {
    for file in fs::read_dir(data).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    copy_files(copy, data);
}

/// A room whose log was longer once.
struct Scene {
    /// It runs for as long.
    _server: TestServer,
    ming: Person,
    mei: Person,
    /// The last message that both were sent: the fifth. The log ends with the second.
    lost: Value,
    /// The second.
    kept: Value,
}

async fn scene() -> Scene {
    let server = TestServer::start(|config| config.limits.messages_per_second = 0).await;
    let (ming, mei) = meet(&server).await;
    let mut a = ming.enter("&after=0").await;
    a.said("text 1", "c-1").await;
    let kept = a.said("text 2", "c-2").await;
    let copy = TempDir::new().unwrap();
    let server = server
        .restart_after(|data| copy_files(data, copy.path()))
        .await;
    let (ming, mei) = (ming.moved(&server), mei.moved(&server));
    let mut a = ming.enter("&after=2").await;
    for n in 3..5 {
        a.said(&format!("text {n}"), &format!("c-{n}")).await;
    }
    let lost = a.said("text 5", "c-5").await;
    let server = server
        .restart_after(|data| restore(copy.path(), data))
        .await;
    Scene {
        ming: ming.moved(&server),
        mei: mei.moved(&server),
        _server: server,
        lost,
        kept,
    }
}

impl Scene {
    /// Ming makes the log longer than it was.
    async fn grow(&self) -> Socket {
        let mut a = self.ming.enter("&after=2").await;
        for n in 3..7 {
            a.said(&format!("other {n}"), &format!("d-{n}")).await;
        }
        a
    }

    /// Mei comes with this message as the last that she has.
    async fn enter(&self, seq: u64, sent_at: &Value) -> Socket {
        let mut socket = self.mei.browser.open("/ws/chat/").await;
        let enter = json!({"action": "enter", "room": self.mei.room(), "after": seq,
            "after_sent_at_ms": sent_at});
        socket.send(enter).await;
        socket
    }
}

/// These are the next messages, and there is none after them.
async fn is_sent(socket: &mut Socket, texts: &[&str]) {
    for text in texts {
        assert_eq!(
            socket.until("new_message").await["message"]["content"],
            *text
        );
    }
    socket.send(json!({"action": "is that all"})).await;
    loop {
        let frame = socket.next().await;
        assert_ne!(frame["action"], "new_message", "{frame}");
        if frame["action"] == "error" {
            return;
        }
    }
}

#[tokio::test]
async fn who_has_more_than_the_log_is_sent_all_of_it() {
    let scene = scene().await;
    for sent_at in [&scene.lost["sent_at_ms"], &Value::Null] {
        let mut socket = scene.enter(5, sent_at).await;
        let state = socket.expect("room_state").await;
        let said = (&state["anew"], &state["last_seq"]);
        assert_eq!(said, (&json!(true), &json!(2)));
        is_sent(&mut socket, &["text 1", "text 2"]).await;
        socket.close().await;
    }
}

#[tokio::test]
async fn what_is_not_there_has_not_been_read() {
    let scene = scene().await;
    let mut socket = scene.enter(5, &scene.lost["sent_at_ms"]).await;
    is_sent(&mut socket, &["text 1", "text 2"]).await;
    socket.send(json!({"action": "read", "seq": 5})).await;
    is_sent(&mut socket, &[]).await;
    let mut a = scene.grow().await;
    is_sent(&mut socket, &["other 3", "other 4", "other 5", "other 6"]).await;
    assert_eq!(scene.ming.state().await["partner_read"], 2);
    socket.send(json!({"action": "read", "seq": 6})).await;
    while a.until("partner_read").await["seq"] != 6 {}
}

#[tokio::test]
async fn a_log_that_has_grown_as_long_again_is_told_from_the_one_that_was() {
    let scene = scene().await;
    let _a = scene.grow().await;
    let mut socket = scene.enter(5, &scene.lost["sent_at_ms"]).await;
    let first = socket.expect("room_state").await;
    assert_eq!(first["anew"], Value::Null, "not known yet");
    let state = socket.expect("room_state").await;
    assert_eq!(state["anew"], true);
    let all = [
        "text 1", "text 2", "other 3", "other 4", "other 5", "other 6",
    ];
    is_sent(&mut socket, &all).await;
}

#[tokio::test]
async fn who_has_what_the_log_has_goes_on_from_there() {
    let scene = scene().await;
    let _a = scene.grow().await;
    let mut socket = scene.enter(2, &scene.kept["sent_at_ms"]).await;
    assert_eq!(socket.expect("room_state").await["anew"], Value::Null);
    let later = ["other 3", "other 4", "other 5", "other 6"];
    is_sent(&mut socket, &later).await;
    // Also where that entry is hidden from its side, and cannot be compared.
    socket
        .send(json!({"action": "delete_message", "message_id": "2"}))
        .await;
    socket.until("message_deleted").await;
    let mut again = scene.enter(2, &scene.kept["sent_at_ms"]).await;
    again.expect("room_state").await;
    is_sent(&mut again, &later).await;
}

#[tokio::test]
async fn the_api_says_it_as_well() {
    let scene = scene().await;
    let ask = async |after: u64| {
        let path = format!("/api/rooms/{}/messages/?after={after}", scene.mei.room());
        scene.mei.browser.get(&path).await.json()
    };
    let anew = ask(5).await;
    assert_eq!((&anew["anew"], &anew["upto"]), (&json!(true), &json!(2)));
    assert_eq!(anew["entries"].as_array().unwrap().len(), 2);
    let end = ask(2).await;
    assert_eq!((&end["anew"], &end["last_seq"]), (&Value::Null, &json!(2)));
    assert_eq!(end["entries"], json!([]));
}

#[tokio::test]
async fn a_time_that_is_none_is_refused() {
    let scene = scene().await;
    for wrong in [json!("5"), json!(-1), json!(1.5), json!([])] {
        let mut socket = scene.enter(2, &wrong).await;
        socket.expect_error("invalid_after").await;
        assert_eq!(socket.close_code().await, Some(4101));
    }
}
