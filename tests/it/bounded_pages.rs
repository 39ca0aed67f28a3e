//! Attacks on memory by what the server sends: rooms full of what is longest on the wire, clients that ask for it and
//! do not read.

use std::time::Duration;

use miyu::config::Config;
use miyu::domain::entry::CONTENT_CHARS;
use miyu::domain::id::{Address, NodeId, RoomId, Seq, SessionId, Side, TicketId};
use miyu::domain::{MessageRef, Pairing, Party, Persona, Profile, UserId};
use miyu::identity::jar::Jar;
use miyu::identity::{cookie, token};
use miyu::store::{Appended, Draft};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::support::client::Browser;
use crate::support::http::{get, get_with, parse, request};
use crate::support::people::chat;
use crate::support::server::TestServer;
use crate::support::wire::{self, HANDSHAKE, eventually};

/// Entries of the room: as many as a page holds.
const ENTRIES: u64 = 200;
/// What stands around the entries of a page.
const ENVELOPE: usize = 100;
/// No entry is longer.
const LARGEST: usize = 16 * 1024;

/// A server with a room of the worst that two people can say, and the query that opens it.
struct Scene {
    server: TestServer,
    room: RoomId,
    token: String,
}

async fn scene(change: impl FnOnce(&mut Config)) -> Scene {
    let server = TestServer::start(change).await;
    let room = new_room(&server, [SessionId::fresh(), SessionId::fresh()]).await;
    for n in 1..=ENTRIES {
        let draft = Draft {
            unheard: false,
            room,
            side: Side::BOTH[usize::from(n % 2 == 0)],
            client_id: "\u{1}".repeat(90) + &n.to_string(),
            content: "\u{1}".repeat(CONTENT_CHARS),
            reply_to: (n > 1).then_some(MessageRef::Seq(Seq(n - 1))),
        };
        let appended = server.app.store.append(draft).await.unwrap();
        assert!(matches!(appended, Appended::Done(_)));
    }
    let token = token::sign(&server.app.signer, room, Side::B);
    Scene {
        server,
        room,
        token,
    }
}

/// A room of these two sessions, with the longest names.
async fn new_room(server: &TestServer, sessions: [SessionId; 2]) -> RoomId {
    let room = RoomId::fresh();
    let party = |session| Party {
        marks: Vec::new(),
        ticket: TicketId::fresh(),
        session,
        persona: Persona {
            user_id: UserId::fresh(),
            profile: Profile::parse(&"\\".repeat(50), "3", "happy", "female"),
        },
        address: Address {
            node: NodeId::fresh(),
            number: 1,
        },
    };
    let pairing = Pairing {
        room,
        parties: sessions.map(party),
        common_tags: (0..3).map(|n| "字".repeat(19) + &n.to_string()).collect(),
        is_bot: false,
    };
    server.app.store.create_room(&pairing).await.unwrap();
    room
}

impl Scene {
    fn messages(&self, after: u64) -> String {
        let (room, token) = (self.room, &self.token);
        format!("/api/rooms/{room}/messages/?after={after}&limit=200&token={token}")
    }

    /// A connection whose own kernel takes next to nothing, on which this was sent.
    async fn narrow(&self, path: &str, headers: &[(&str, &str)]) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(self.server.address).await.unwrap();
        let head = wire::request("GET", path, self.server.address, headers);
        stream.write_all(head.as_bytes()).await.unwrap();
        // The answer has begun.
        let mut first = [0];
        let begun = timeout(wire::PATIENCE, stream.peek(&mut first)).await;
        begun.expect("an answer in time").unwrap();
        stream
    }

    /// Nothing of a connection is held any more.
    async fn let_go(&self) {
        let limits = &self.server.app.limits;
        eventually("the connection is given up", || {
            limits.open_connections() == 0
        })
        .await;
    }
}

fn seq(frame: &Value) -> u64 {
    assert_eq!(frame["action"], "new_message");
    let message = &frame["message"];
    let quoted = message["replied_to_content"].as_str();
    assert_eq!(quoted.map(str::len), (message["seq"] != 1).then_some(200));
    assert_eq!(message["replied_to_cut"] == true, quoted.is_some());
    message["seq"].as_u64().unwrap()
}

#[tokio::test]
async fn the_worst_page_is_bounded_and_the_pages_are_the_log() {
    let scene = scene(|_| {}).await;
    let most = usize::try_from(scene.server.app.config.limits.page_bytes).unwrap();
    let address = scene.server.address;
    let (mut seqs, mut after) = (Vec::new(), 0);
    while after < ENTRIES {
        let answer = wire::get(address, &scene.messages(after), &[("Connection", "close")]).await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let body = answer.body.len();
        assert!(body <= most + ENVELOPE, "{body} bytes");
        let page = answer.json();
        let entries = page["entries"].as_array().unwrap();
        seqs.extend(entries.iter().map(seq));
        after = page["upto"].as_u64().unwrap();
        // Full pages: the bound is not met by sending little.
        assert!(after == ENTRIES || body > most - LARGEST, "{body} bytes");
    }
    assert_eq!(seqs, (1..=ENTRIES).collect::<Vec<_>>());
    let head = request(address, "HEAD", &scene.messages(0), &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    let (room, token) = (scene.room, &scene.token);
    let path = format!("/ws/chat/?room={room}&token={token}&after=0");
    let mut socket = Browser::forgetful(&scene.server).open(&path).await;
    socket.expect("room_state").await;
    for expected in 1..=ENTRIES {
        assert_eq!(seq(&socket.expect("new_message").await), expected);
    }
    socket.nothing_more().await;
}

#[tokio::test]
async fn a_client_that_asks_and_never_reads_is_let_go() {
    let scene = scene(|config| config.limits.write_timeout = Duration::from_millis(300)).await;
    let (room, token) = (scene.room, &scene.token);
    let chat = format!("/ws/chat/?room={room}&token={token}&after=0");
    let requests: [(String, &[(&str, &str)]); 2] = [(scene.messages(0), &[]), (chat, &HANDSHAKE)];
    for (path, headers) in requests {
        let mut stream = scene.narrow(&path, headers).await;
        scene.let_go().await;
        // Of what it did not take, it is sent nothing more.
        let mut got = Vec::new();
        let _ = stream.read_to_end(&mut got).await;
        assert!(got.starts_with(b"HTTP/1.1 "));
        assert!(got.len() < 128 * 1024, "{} bytes", got.len());
    }
}

#[tokio::test]
async fn a_client_that_takes_a_byte_now_and_then_is_let_go() {
    let scene = scene(|config| config.limits.write_timeout = Duration::from_millis(300)).await;
    let mut stream = scene.narrow(&scene.messages(0), &[]).await;
    let limits = &scene.server.app.limits;
    let began = tokio::time::Instant::now();
    while limits.open_connections() > 0 {
        let _ = stream.read(&mut [0; 16]).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(began.elapsed() < wire::PATIENCE, "it is held for ever");
    }
}

#[tokio::test]
async fn a_client_that_reads_slowly_but_steadily_gets_its_page() {
    let scene = scene(|config| config.limits.write_timeout = Duration::from_millis(1500)).await;
    let headers = [("Connection", "close")];
    let mut stream = scene.narrow(&scene.messages(0), &headers).await;
    let (mut got, mut part) = (Vec::new(), [0; 2048]);
    let began = tokio::time::Instant::now();
    loop {
        let count = stream.read(&mut part).await.unwrap();
        if count == 0 {
            break;
        }
        got.extend_from_slice(&part[..count]);
        // In all it takes longer than a wait without progress may.
        let pace = Duration::from_millis(got.len() as u64 / 64);
        tokio::time::sleep_until(began + pace).await;
    }
    let page = parse(&got).json();
    assert_eq!(page["last_seq"], ENTRIES);
    let upto = page["upto"].as_u64().unwrap();
    assert_eq!(page["entries"].as_array().unwrap().len() as u64, upto);
    assert!(began.elapsed() > scene.server.app.config.limits.write_timeout);
}

#[tokio::test]
async fn many_open_rooms_are_a_bounded_list() {
    let server = TestServer::start(|_| {}).await;
    let me = SessionId::fresh();
    let mut newest = Vec::new();
    for _ in 0..40 {
        newest.push(new_room(&server, [me, me]).await.to_string());
    }
    newest.reverse();
    let set = cookie::set_cookie(
        &server.app.signer,
        me,
        miyu::clock::now(),
        Jar::of(false, None),
    );
    let cookie = set.to_str().unwrap().split(';').next().unwrap();
    let answer = get_with(server.address, "/api/rooms/", &[("cookie", cookie)]).await;
    assert!(answer.body.len() < 64 * 1024, "{} bytes", answer.body.len());
    let rooms = answer.json()["rooms"].as_array().unwrap().clone();
    // Both sides of each are mine.
    let told: Vec<_> = rooms
        .iter()
        .step_by(2)
        .map(|it| it["room_id"].as_str().unwrap())
        .collect();
    assert_eq!(told, newest[..32]);
}

#[tokio::test]
async fn no_refusal_says_again_what_it_was_sent() {
    const LONG: usize = 12_000;
    let server = TestServer::start(|_| {}).await;
    let long = "x".repeat(LONG);
    let paths = [
        format!("/{long}"),
        format!("/api/rooms/{long}/"),
        format!("/api/rooms/{}/messages/?after={long}", RoomId::fresh()),
        format!(
            "/api/rooms/{}/?token={long}&user_id={long}",
            RoomId::fresh()
        )[..LONG]
            .to_owned(),
        format!("/ws/chat/?room={long}"),
        format!("/static/{long}"),
    ];
    for path in paths {
        let answer = get(server.address, &path).await;
        assert!(answer.status >= 400, "{}", answer.status);
        let head = answer
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.len());
        let bytes = head.sum::<usize>() + answer.body.len();
        assert!(bytes < 4096, "{bytes} bytes for {}", &path[..30]);
    }
    let mut talking = chat(&server).await;
    let frames = [
        json!({"action": long}),
        json!({"action": "recall_message", "message_id": long, "client_id": "c"}),
        json!({"action": "recall_message", "message_id": "1", "client_id": long}),
        json!({"action": "send_message", "message": {"content": long, "client_id": "c"}}),
        json!({"action": "send_message", "message": {"content": "x", "client_id": long}}),
    ];
    for frame in frames {
        talking.a.send(frame).await;
        let error = talking.a.expect("error").await.to_string();
        assert!(error.len() < 512, "{} bytes", error.len());
    }
}
