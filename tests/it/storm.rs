//! A storm on the real executable: connections that ask for much and never read. What they hold is
//! bounded in bytes, people in rooms go on, and the memory comes back.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};

use crate::support::binary::{PATIENCE, Server, Setup, UNLIMITED};
use crate::support::people::{Chatting, Person, both_enter, meet_at};
use crate::support::scene::MIYU;
use crate::support::wire::{self, HANDSHAKE};

/// `limits.memory` of these tests.
const BUDGET: u64 = 16 << 20;
/// What may be held beside it: some KiB a connection, and a debug build's own.
const ALLOWANCE: u64 = 32 << 20;
/// Connections of each kind.
const CROWD: usize = 150;
/// They come from so many networks: together they may hold more than there is.
const NETWORKS: u8 = 10;

/// Resident memory of a process, in bytes.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.expect("VmRSS").trim().parse::<u64>().unwrap() * 1024
}

/// A room whose log is more than one page of any size: 2,000 control characters a message, each quoting
/// the one before.
async fn long_room(address: SocketAddr) -> Person {
    let (ming, mei) = meet_at([address; 2]).await;
    let (mut a, mut b) = both_enter(&ming, &mei).await;
    let content = format!("a{}z", "\u{1}".repeat(1998));
    for n in 0..60 {
        let quoted = (n > 0).then(|| format!("c-{}", n - 1));
        let message = serde_json::json!({
            "content": content, "client_id": format!("c-{n}"), "replied_to": quoted,
        });
        let frame = serde_json::json!({"action": "send_message", "message": message});
        a.send(frame).await;
        a.expect("new_message").await;
        b.expect("new_message").await;
    }
    ming
}

/// A connection that the kernel reads little for.
async fn narrow(from: [u8; 4], to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    socket.bind(SocketAddr::from((from, 0)))?;
    socket.connect(to).await
}

fn page_of(room: &Person, address: SocketAddr) -> String {
    let path = format!("/api/rooms/{}/messages/?limit=200", room.room());
    let cookie = room.browser.cookie().unwrap();
    wire::request("GET", &path, address, &[("Cookie", &cookie)])
}

fn socket_to(room: &Person, address: SocketAddr) -> String {
    let cookie = room.browser.cookie().unwrap();
    let mut headers = HANDSHAKE.to_vec();
    headers.push(("Cookie", &cookie));
    wire::request(
        "GET",
        &format!("{}&after=0", room.path()),
        address,
        &headers,
    )
}

/// Opens the crowd: each asks once and never reads.
async fn crowd(room: &Person, address: SocketAddr) -> Vec<TcpStream> {
    let (page, socket) = (page_of(room, address), socket_to(room, address));
    let mut open = Vec::new();
    for n in 0..2 * CROWD {
        let network = u8::try_from(n).unwrap_or(0) % NETWORKS + 1;
        let stream = narrow([127, network, 0, 5], address).await;
        // One that is sent away at once is as good as one that stays.
        let Ok(mut stream) = stream else { continue };
        let head = if n % 2 == 0 { &page } else { &socket };
        let _ = stream.write_all(head.as_bytes()).await;
        open.push(stream);
    }
    open
}

/// Asks for a page and reads the answer: its status and, if it is a refusal, when to come again.
async fn asked(room: &Person, address: SocketAddr, from: [u8; 4]) -> (u16, Option<String>) {
    let Ok(mut stream) = wire::dial_from(from, address).await else {
        return (0, None);
    };
    let request = page_of(room, address).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(request.as_bytes()).await;
    let mut bytes = Vec::new();
    while wire::more(&mut stream, &mut bytes).await > 0 {}
    if bytes.is_empty() {
        return (0, None);
    }
    let answer = crate::support::http::parse(&bytes);
    (
        answer.status,
        answer.header("retry-after").map(str::to_owned),
    )
}

async fn goes_on(people: &mut Chatting, round: &str) {
    for n in 0..5 {
        people.a_says("still here", &format!("{round}-a{n}")).await;
        people.b_says("me too", &format!("{round}-b{n}")).await;
    }
}

/// Waits until it is so.
async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !so().await {
        assert!(began.elapsed() < PATIENCE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn clients_that_never_read_are_bounded_in_bytes_and_memory_comes_back() {
    let home = TempDir::new().unwrap();
    let mut setup = Setup::new(MIYU, home.path());
    // Nothing but the budget ends what they hold.
    setup.config = format!("{UNLIMITED}memory = \"16MiB\"\nwrite_timeout = \"2m\"\n");
    let mut server = setup.start().await;
    let address = server.address().unwrap();
    let room = long_room(address).await;
    let (ming, mei) = meet_at([address; 2]).await;
    let (a, b) = both_enter(&ming, &mei).await;
    let mut people = Chatting { ming, mei, a, b };
    goes_on(&mut people, "before").await;
    // A page that is read costs what it costs before as well.
    assert_eq!(asked(&room, address, [127, 0, 0, 9]).await.0, 200);
    let before = resident(&server);

    let open = crowd(&room, address).await;
    let mut refusal = None;
    until("a refusal for want of memory", async || {
        let (status, retry) = asked(&room, address, [127, 1, 0, 5]).await;
        refusal = (status == 503).then_some(retry).flatten();
        refusal.is_some()
    })
    .await;
    assert_eq!(refusal.as_deref(), Some("5"));
    goes_on(&mut people, "storm").await;
    let most = resident(&server);
    assert!(
        most < before + BUDGET + ALLOWANCE,
        "{} MiB, before {} MiB",
        most >> 20,
        before >> 20
    );
    // A person elsewhere is still let in where people are: the crowd's networks have their shares only.
    goes_on(&mut people, "still").await;

    drop(open);
    until("a page for the same network", async || {
        asked(&room, address, [127, 1, 0, 5]).await.0 == 200
    })
    .await;
    until("memory as before", async || {
        resident(&server) <= before + before / 5
    })
    .await;
    goes_on(&mut people, "after").await;
    assert!(server.stop().await.success());
}
