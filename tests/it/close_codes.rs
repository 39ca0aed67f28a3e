//! Every close code, and that it comes for its reason only (contract, section 5). 4000 is in
//! `chat_presence`, 4004 in `chat_leaving`.

use std::time::Duration;

use hyper_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use hyper_tungstenite::tungstenite::protocol::{CloseFrame, Message};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;

use crate::support::client::{Browser, Socket};
use crate::support::people::{chat, start};
use crate::support::server::TestServer;
use crate::support::wire::{self, HANDSHAKE};

/// One socket of each kind.
async fn both_kinds(server: &TestServer) -> [Socket; 2] {
    let talking = chat(server).await;
    [Browser::new(server).open("/ws/matching/").await, talking.a]
}

#[tokio::test]
async fn a_server_that_goes_away_says_so() {
    let server = TestServer::start(|config| config.limits.messages_per_second = 0).await;
    let mut talking = chat(&server).await;
    let mut waiting = Browser::new(&server).open("/ws/matching/").await;
    waiting.send(start(json!({}))).await;
    waiting.expect("waiting_for_match").await;
    for n in 0..50 {
        talking.a.say("before the end", &format!("c-{n}")).await;
    }
    talking.a.expect("new_message").await;
    server.begin_drain();
    let (frames, code) = waiting.read_to_end().await;
    assert_eq!((frames.len(), code), (0, Some(1001)));
    let (said, code) = talking.a.read_to_end().await;
    assert_eq!(code, Some(1001));
    let (_, code) = talking.b.read_to_end().await;
    assert_eq!(code, Some(1001));
    // What was acknowledged is there, and nothing was acknowledged that is not.
    let server = server.restart().await;
    let log = talking.mei.moved(&server).log().await;
    assert!(log.len() > said.len(), "{} of {}", log.len(), said.len());
    for (n, frame) in said.iter().enumerate() {
        assert_eq!(&log[n + 1], frame);
    }
}

#[tokio::test]
async fn a_goodbye_is_answered() {
    let server = TestServer::start(|_| {}).await;
    for mut socket in both_kinds(&server).await {
        let goodbye = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        socket.raw(Message::Close(Some(goodbye))).await;
        assert_eq!(socket.close_code().await, Some(1000));
    }
}

#[tokio::test]
async fn a_binary_frame_ends_the_socket() {
    let server = TestServer::start(|_| {}).await;
    for mut socket in both_kinds(&server).await {
        socket.raw(Message::binary(vec![1, 2, 3])).await;
        assert_eq!(socket.close_code().await, Some(1008));
    }
}

#[tokio::test]
async fn repeated_bad_frames_end_the_socket_and_good_ones_pardon() {
    let server = TestServer::start(|config| config.limits.bad_frames = 4).await;
    let good = [
        json!({"action": "cancel_matching"}),
        json!({"action": "find_next"}),
    ];
    let answers = ["matching_cancelled", "user_left"];
    let mut sockets = both_kinds(&server).await;
    for ((socket, good), answer) in sockets.iter_mut().zip(good).zip(answers) {
        for n in 0..7 {
            match n {
                3 => {
                    socket.send(good.clone()).await;
                    socket.expect(answer).await;
                }
                _ => {
                    socket.text("nonsense").await;
                    socket.expect_error("bad_json").await;
                }
            }
        }
        socket.text("nonsense").await;
        let (frames, code) = socket.read_to_end().await;
        assert_eq!(
            (frames.len(), code),
            (1, Some(1008)),
            "it was answered first"
        );
    }
}

#[tokio::test]
async fn what_a_person_can_run_into_is_no_bad_frame() {
    let server = TestServer::start(|config| {
        config.limits.bad_frames = 3;
        config.limits.messages_per_second = 0;
    })
    .await;
    let mut talking = chat(&server).await;
    for _ in 0..10 {
        talking.a.say(" ", "empty").await;
        talking.a.expect_error("empty").await;
        talking.a.say(&"x".repeat(2001), "long").await;
        talking.a.expect_error("too_long").await;
    }
}

#[tokio::test]
async fn a_frame_that_is_too_large_ends_the_socket() {
    let server = TestServer::start(|_| {}).await;
    for mut socket in both_kinds(&server).await {
        socket.text("x".repeat(64 * 1024)).await;
        socket.expect_error("bad_json").await;
        socket.text("x".repeat(64 * 1024 + 1)).await;
        assert_eq!(socket.close_code().await, Some(1009));
    }
}

#[tokio::test]
async fn over_the_message_rate_a_socket_is_read_later() {
    let server = TestServer::start(|config| {
        config.limits.messages_per_second = 20;
        config.limits.message_burst = 5;
    })
    .await;
    let mut talking = chat(&server).await;
    let began = tokio::time::Instant::now();
    for n in 0..20 {
        talking.a.say("quick", &format!("c-{n}")).await;
    }
    for n in 1..=20 {
        assert_eq!(talking.b.expect("new_message").await["message"]["seq"], n);
    }
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(600),
        "15 of them at 20 a second: {took:?}"
    );
}

#[tokio::test]
async fn a_flood_of_messages_ends_the_socket_and_what_was_acknowledged_stays() {
    let server = TestServer::start(|config| {
        config.limits.messages_per_second = 20;
        config.limits.message_burst = 5;
        config.limits.flood = Duration::from_millis(500);
    })
    .await;
    let mut talking = chat(&server).await;
    for n in 0..200 {
        talking.a.say("quick", &format!("c-{n}")).await;
    }
    let (said, code) = talking.a.read_to_end().await;
    assert_eq!(code, Some(1008));
    assert!((5..100).contains(&said.len()), "{}", said.len());
    let log = talking.mei.log().await;
    assert_eq!(log, said);
}

#[tokio::test]
async fn a_client_that_cannot_keep_up_is_let_go() {
    let server = TestServer::start(|config| {
        config.limits.messages_per_second = 0;
        config.limits.message_bytes_per_second = 0;
        // Giving up takes as long as it takes: more may be said meanwhile than a room usually holds.
        config.limits.room_bytes = 1 << 30;
        config.limits.write_timeout = Duration::from_millis(300);
        config.chat.presence_settle = Duration::from_millis(10);
    })
    .await;
    let mut talking = chat(&server).await;
    talking.b.close().await;
    talking.a.expect("partner_status").await;
    // A receive buffer this small holds but a few of what comes.
    let narrow = TcpSocket::new_v4().unwrap();
    narrow.set_recv_buffer_size(4096).unwrap();
    let stream = narrow.connect(server.address).await.unwrap();
    let entered = talking
        .mei
        .browser
        .try_open_on(stream, &talking.mei.path(), &[])
        .await;
    let mut slow = entered.unwrap();
    slow.expect("room_state").await;
    talking.a.expect("partner_status").await;
    let sent = fill(&mut talking.a).await;
    let (seen, code) = slow.read_to_end().await;
    assert_eq!(code, Some(4001));
    // What it did get is whole and in order; the rest is there for its next connection.
    let last = seen.len();
    assert!(last < sent, "{last}");
    for (n, frame) in seen.iter().enumerate() {
        assert_eq!(frame["message"]["seq"], n + 1);
    }
    let mut back = talking.mei.enter(&format!("&after={last}")).await;
    back.expect("room_state").await;
    for seq in last + 1..=sent {
        assert_eq!(back.expect("new_message").await["message"]["seq"], seq);
    }
}

/// Says long things with long quotes until the partner is given up; how many.
async fn fill(socket: &mut Socket) -> usize {
    let long = "字".repeat(2000);
    for round in 1..=200 {
        for n in 0..16 {
            let message = json!({"content": long, "client_id": format!("{round}-{n}"),
                "replied_to": "1"});
            socket
                .send(json!({"action": "send_message", "message": message}))
                .await;
        }
        let mut heard = 0;
        let mut gone = false;
        while heard < 16 {
            let frame = socket.next().await;
            assert_ne!(frame["action"], "error", "{frame}");
            heard += usize::from(frame["action"] == "new_message");
            gone |= frame["action"] == "partner_status";
        }
        if gone {
            return round * 16;
        }
        // Once the kernel is full, giving up takes time, not more messages.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the kernel took everything");
}

#[tokio::test]
async fn a_client_that_is_not_there_misses_its_heartbeat() {
    let server = TestServer::start(|config| {
        config.limits.heartbeat = Duration::from_millis(300);
    })
    .await;
    let mut stream = wire::dial(server.address).await;
    let head = wire::request("GET", "/ws/matching/", server.address, &HANDSHAKE);
    stream.write_all(head.as_bytes()).await.unwrap();
    let (answer, mut bytes) = wire::answer(&mut stream).await.unwrap();
    assert_eq!(answer.status, 101);
    bytes.extend(wire::read_to_end(&mut stream).await);
    // An empty ping, then a close with its code.
    assert_eq!(bytes[..2], [0x89, 0]);
    assert_eq!(bytes[2], 0x88);
    assert_eq!(u16::from_be_bytes([bytes[4], bytes[5]]), 4002);
}

#[tokio::test]
async fn a_client_that_only_answers_pings_stays() {
    let server = TestServer::start(|config| {
        config.limits.heartbeat = Duration::from_millis(200);
    })
    .await;
    let mut socket = Browser::new(&server).open("/ws/matching/").await;
    let silent = tokio::time::timeout(Duration::from_millis(1500), socket.arrived());
    assert!(silent.await.is_err(), "nothing but pings came");
    socket.nothing_more().await;
}
