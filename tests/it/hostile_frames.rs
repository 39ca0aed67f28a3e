//! Frames that no client of ours sends. Each ends the socket or is answered; the server and
//! all others go on as before. Frames are made here and never printed.

use std::time::Duration;

use bytes::Bytes;
use hyper_tungstenite::tungstenite::protocol::Message;
use hyper_tungstenite::tungstenite::protocol::frame::Frame;
use hyper_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::support::client::{Browser, Socket};
use crate::support::people::{chat, start};
use crate::support::server::TestServer;
use crate::support::wire::{self, HANDSHAKE, PATIENCE};

/// A connection after its handshake, for bytes.
async fn upgraded(server: &TestServer) -> TcpStream {
    let mut stream = wire::dial(server.address).await;
    let head = wire::request("GET", "/ws/matching/", server.address, &HANDSHAKE);
    stream.write_all(head.as_bytes()).await.unwrap();
    let (answer, _) = wire::answer(&mut stream).await.unwrap();
    assert_eq!(answer.status, 101);
    stream
}

/// The code of the close frame at the end of what the server says, if it says one.
async fn end_of(mut stream: TcpStream) -> Option<u16> {
    let bytes = wire::read_to_end(&mut stream).await;
    let at = bytes.iter().position(|byte| *byte == 0x88)?;
    Some(u16::from_be_bytes([
        *bytes.get(at + 2)?,
        *bytes.get(at + 3)?,
    ]))
}

async fn still_serves(server: &TestServer) {
    let mut socket = Browser::new(server).open("/ws/matching/").await;
    socket.nothing_more().await;
}

#[tokio::test]
async fn frames_that_break_the_protocol_end_the_socket() {
    let server = TestServer::start(|_| {}).await;
    let masked = |head: [u8; 2]| [head[0], head[1] | 0x80, 0, 0, 0, 0, b'x', b'x'].to_vec();
    let mut endless_ping = vec![0x89, 0xFE, 0x01, 0x00, 0, 0, 0, 0];
    endless_ping.resize(8 + 256, b'x');
    let cases = [
        ("unmasked", vec![0x81, 0x02, b'{', b'}'], 1008),
        ("reserved bit", masked([0xC1, 2]), 1008),
        ("reserved opcode", masked([0x83, 2]), 1008),
        ("reserved control", masked([0x8B, 2]), 1008),
        ("fragmented ping", masked([0x09, 2]), 1008),
        ("long ping", endless_ping, 1008),
        ("continuation of nothing", masked([0x80, 2]), 1008),
        ("bad UTF-8", vec![0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28], 1008),
        (
            "surrogate",
            vec![0x81, 0x83, 0, 0, 0, 0, 0xED, 0xA0, 0x80],
            1008,
        ),
        (
            "half a gigabyte",
            vec![0x81, 0xFF, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0],
            1009,
        ),
        (
            "all there is",
            vec![
                0x81, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0,
            ],
            1009,
        ),
    ];
    for (name, bytes, code) in cases {
        let mut stream = upgraded(&server).await;
        stream.write_all(&bytes).await.unwrap();
        assert_eq!(end_of(stream).await, Some(code), "{name}");
    }
    still_serves(&server).await;
}

#[tokio::test]
async fn fragments_larger_than_a_frame_may_be_end_the_socket() {
    let server = TestServer::start(|_| {}).await;
    let mut socket = Browser::new(&server).open("/ws/matching/").await;
    let part = Bytes::from(vec![b'x'; 16 * 1024]);
    for n in 0..5 {
        let kind = if n == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message(part.clone(), OpCode::Data(kind), false);
        socket.raw(Message::Frame(frame)).await;
    }
    assert_eq!(socket.close_code().await, Some(1009));
}

#[tokio::test]
async fn deep_and_wide_json_is_only_json() {
    let server = TestServer::start(|config| config.limits.message_bytes_per_second = 0).await;
    let mut socket = Browser::new(&server).open("/ws/matching/").await;
    let (open, close) = ("[".repeat(30_000), "]".repeat(30_000));
    let objects = "{\"a\":".repeat(10_000);
    let wide: Vec<String> = (0..4000).map(|n| format!("\"k{n}\":{n}")).collect();
    for text in [
        open.clone(),
        format!("{open}{close}"),
        objects.clone(),
        format!("{{\"action\":\"x\",\"y\":{open}{close}}}"),
        format!("{{\"action\":\"x\",\"user_data\":{open}{close}}}"),
        format!("{{\"action\":\"x\",\"user_data\":{{\"tags\":{open}{close}}}}}"),
        format!("{{\"action\":\"x\",{}}}", wide.join(",")),
        "{\"action\":\"x\",\"action\":\"y\",\"action\":\"z\"}".to_owned(),
        format!("{{\"action\":\"x\",\"n\":1{}}}", "0".repeat(50_000)),
        format!("{{\"action\":\"{}\"}}", "\\u0000".repeat(10_000)),
        "{\"action\":\"\\ud800\"}".to_owned(),
    ] {
        socket.text(text).await;
        let code = socket.expect("error").await["code"].clone();
        assert!(code == "bad_json" || code == "unknown_action", "{code}");
    }
    let tags: Vec<String> = (0..5000).map(|n| format!("t{n}")).collect();
    socket.send(start(json!({"tags": tags}))).await;
    assert_eq!(
        socket.expect("waiting_for_match").await["phase"],
        "shared_tags"
    );
}

/// Sends these again and again until the socket ends; whether it did.
async fn flood(mut socket: Socket, message: Message, batch: usize) -> Option<u16> {
    let flooding = async {
        loop {
            for _ in 0..batch {
                socket.raw(message.clone()).await;
            }
            let brief = timeout(Duration::from_millis(1), socket.close_code()).await;
            if let Ok(code) = brief {
                return code;
            }
        }
    };
    timeout(PATIENCE, flooding)
        .await
        .expect("an end of the flood")
}

#[tokio::test]
async fn floods_of_every_kind_end_the_socket() {
    let server = TestServer::start(|config| {
        config.limits.flood = Duration::from_millis(500);
        config.limits.bad_frames = 1_000_000;
    })
    .await;
    let talking = chat(&server).await;
    let fresh = || async { talking.ming.enter("").await };
    let text = |json: serde_json::Value| Message::text(json.to_string());
    let empty = json!({"action": "send_message", "message": {"content": " "}});
    let floods = [
        ("pings", Message::Ping(Bytes::from_static(b"x"))),
        ("pongs", Message::Pong(Bytes::new())),
        (
            "typing",
            text(json!({"action": "typing", "is_typing": true})),
        ),
        ("reading", text(json!({"action": "read", "seq": 1}))),
        ("nonsense", Message::text("nonsense")),
        ("empty messages", text(empty)),
    ];
    for (name, message) in floods {
        assert_eq!(
            flood(fresh().await, message, 50).await,
            Some(1008),
            "{name}"
        );
    }
    still_serves(&server).await;
}

/// Short of a flood, a client that sends what asks for nothing is simply read more slowly.
#[tokio::test]
async fn refused_frames_and_pings_leave_the_socket_unread_for_a_while() {
    let server = TestServer::start(|config| config.limits.bad_frames = 1_000_000).await;
    for (name, idle) in [
        ("nonsense", Message::text("nonsense")),
        ("pings", Message::Ping(Bytes::from_static(b"x"))),
    ] {
        let mut socket = Browser::new(&server).open("/ws/matching/").await;
        let began = Instant::now();
        for _ in 0..120 {
            socket.raw(idle.clone()).await;
        }
        socket.text(r#"{"action":"cancel_matching"}"#).await;
        socket.until("matching_cancelled").await;
        // Forty are free; the others are paid for with at least half of 50 ms each, or all of them
        // where the session has used up its share.
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(1500), "{name}: {took:?}");
    }
}

#[tokio::test]
async fn a_flood_of_tiny_fragments_ends_the_socket() {
    let server = TestServer::start(|_| {}).await;
    for content in ["", "x"] {
        let mut socket = Browser::new(&server).open("/ws/matching/").await;
        let part = |kind| {
            let payload = Bytes::from_static(content.as_bytes());
            Message::Frame(Frame::message(payload, OpCode::Data(kind), false))
        };
        socket.raw(part(Data::Text)).await;
        let code = flood(socket, part(Data::Continue), 500).await;
        assert!(matches!(code, Some(1008 | 1009)), "{code:?}");
    }
    still_serves(&server).await;
}

#[tokio::test]
async fn a_flood_in_a_room_does_not_hold_up_the_partner() {
    let server = TestServer::start(|config| {
        config.limits.messages_per_second = 10;
        config.limits.message_burst = 5;
    })
    .await;
    let mut talking = chat(&server).await;
    for n in 0..400 {
        talking.a.say("flood", &format!("f-{n}")).await;
    }
    talking.b.say("let me speak", "c-1").await;
    let heard = loop {
        let heard = talking.b.expect("new_message").await;
        if heard["message"]["client_id"] == "c-1" {
            break heard["message"]["seq"].as_u64().unwrap();
        }
    };
    assert!(heard < 100, "{heard}");
}
