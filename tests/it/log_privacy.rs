//! What the executable's log must never say, whatever an operator's filter asks for: what people
//! write, who they say they are, what they are known by, where they are.

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::support::binary::Setup;
use crate::support::client::{Browser, Socket};
use crate::support::people::start;
use crate::support::scene::MIYU;
use crate::support::wire;

/// Where the two are, as a trusted proxy and the system say.
const FORWARDED: [&str; 2] = ["203.0.113.71", "2001:db8:71:72:73:74:75:76"];
const SOURCE: [u8; 4] = [127, 71, 72, 73];

/// One of the two: a browser far away, behind a proxy that comes from [`SOURCE`].
struct Visitor {
    browser: Browser,
    to: std::net::SocketAddr,
    forwarded: &'static str,
}

impl Visitor {
    async fn open(&self, path: &str) -> Socket {
        let stream: TcpStream = wire::dial_from(SOURCE, self.to)
            .await
            .expect("a connection");
        let headers = [("X-Forwarded-For", self.forwarded)];
        let opened = self.browser.try_open_on(stream, path, &headers).await;
        opened.unwrap_or_else(|refused| panic!("refused: {}", refused.status))
    }

    async fn search(&self, nickname: &str) -> Socket {
        let mut socket = self.open("/ws/matching/").await;
        let person = json!({"nickname": nickname, "tags": ["secret-tag", "攝影"]});
        socket.send(start(person)).await;
        socket
    }
}

#[tokio::test]
async fn not_even_at_trace_does_the_log_say_who_says_what_from_where() {
    let home = TempDir::new().unwrap();
    let setup =
        Setup::new(MIYU, home.path()).with("[server]\ntrusted_proxies = [\"127.0.0.0/8\"]\n[log]\nfilter = \"trace\"\nformat = \"json\"\n");
    let mut server = setup.start().await;
    let to = server.ready().await;
    let [ming, mei] = FORWARDED.map(|forwarded| Visitor {
        browser: Browser::at(to),
        to,
        forwarded,
    });
    let mut secrets = vec!["secret-".to_owned(), "攝影".to_owned()];

    let mut waiting = ming.search("secret-ming").await;
    waiting.expect("waiting_for_match").await;
    let mut coming = mei.search("secret-mei").await;
    let found = [
        waiting.until("match_found").await,
        coming.until("match_found").await,
    ];
    let mut a = ming.open(&chat_path(&found[0])).await;
    let mut b = mei.open(&chat_path(&found[1])).await;
    talk(&mut a, &mut b).await;

    // And what ends badly: a frame that is no JSON, one that is too large, a wrong token.
    b.text("secret-nonsense").await;
    b.until("error").await;
    b.text(format!("\"{}\"", "secret-flood ".repeat(10_000)))
        .await;
    assert_eq!(b.close_code().await, Some(1009));
    let forged = format!("/ws/chat/?room={}&token=secret-token", found[1]["room_id"]);
    let stranger = Browser::at(to)
        .try_open(&forged.replace('"', ""), &[])
        .await;
    assert!(stranger.is_err());
    a.close().await;

    for found in &found {
        secrets.push(found["token"].as_str().unwrap().to_owned());
        secrets.push(found["user_id"].as_str().unwrap().to_owned());
    }
    for visitor in [&ming, &mei] {
        secrets.push(visitor.browser.cookie().unwrap());
        secrets.push(visitor.forwarded.to_owned());
    }
    secrets.push(std::net::Ipv4Addr::from(SOURCE).to_string());
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
    let said = server.said();
    for secret in secrets {
        let line = said.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret:?} is in the log");
    }
}

fn chat_path(found: &Value) -> String {
    let text = |name: &str| found[name].as_str().expect("a text").to_owned();
    format!("/ws/chat/?room={}&token={}", text("room_id"), text("token"))
}

/// A message, an answer to it, and both taken back or hidden.
async fn talk(a: &mut Socket, b: &mut Socket) {
    a.said("secret-message", "secret-id-1").await;
    b.until("new_message").await;
    let reply = json!({"content": "secret-reply", "replied_to": "1", "client_id": "secret-id-2"});
    b.send(json!({"action": "send_message", "message": reply}))
        .await;
    let reply = a.until("new_message").await;
    assert_eq!(reply["message"]["replied_to_content"], "secret-message");
    a.send(json!({"action": "recall_message", "message_id": "1"}))
        .await;
    b.until("message_recalled").await;
    b.send(json!({"action": "delete_message", "message_id": "2"}))
        .await;
    b.until("message_deleted").await;
}
