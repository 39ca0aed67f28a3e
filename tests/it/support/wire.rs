//! HTTP/1 by hand: what a well-behaved client would never send, and answers read to the byte.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::http::unchunk;
pub use super::http::{Answer, PATIENCE};
use super::schema;

/// A GET of this path with these header lines besides `Host`.
pub async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    exchange(address, request("GET", path, address, headers).as_bytes()).await
}

/// The head of a request.
pub fn request(method: &str, path: &str, address: SocketAddr, headers: &[(&str, &str)]) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        text += &format!("Host: {address}\r\n");
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text + "\r\n"
}

/// The headers of a WebSocket handshake.
pub const HANDSHAKE: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// Sends these bytes on a fresh connection and reads one answer.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = dial(address).await;
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let answer = answer(&mut stream).await.expect("an answer").0;
    let head = std::str::from_utf8(bytes.split(|it| *it == b'\r').next().unwrap_or_default());
    if let [method, path, _] = head.unwrap_or_default().split(' ').collect::<Vec<_>>()[..] {
        schema::answer(method, path, &answer);
    }
    answer
}

/// A connection to this address.
pub async fn dial(address: SocketAddr) -> TcpStream {
    let stream = timeout(PATIENCE, TcpStream::connect(address)).await;
    let stream = stream.expect("connected in time").expect("connected");
    stream.set_nodelay(true).expect("no delay");
    stream
}

/// Connects from another address of this machine.
pub async fn dial_from(source: [u8; 4], to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((source, 0)))?;
    socket.connect(to).await
}

/// Reads one answer, and what came after its end (nothing may follow one that comes in pieces); `None` when the connection ends before it.
pub async fn answer(stream: &mut TcpStream) -> Option<(Answer, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break at + 4;
        }
        if more(stream, &mut bytes).await == 0 {
            return None;
        }
    };
    let (status, headers) = head(&bytes[..end]);
    let mut answer = Answer {
        status,
        headers,
        body: Vec::new(),
    };
    let length = answer.header("content-length");
    let length: usize = length.map_or(0, |it| it.parse().expect("a length"));
    let mut rest = bytes.split_off(end);
    if answer.header("transfer-encoding") == Some("chunked") {
        while !rest.ends_with(b"0\r\n\r\n") {
            assert!(more(stream, &mut rest).await > 0, "the body was cut short");
        }
        answer.body = unchunk(&rest);
        return Some((answer, Vec::new()));
    }
    while rest.len() < length {
        assert!(more(stream, &mut rest).await > 0, "the body was cut short");
    }
    let after = rest.split_off(length);
    answer.body = rest;
    Some((answer, after))
}

/// Reads until the other end closes (or resets); what it said before.
pub async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    while more(stream, &mut bytes).await > 0 {}
    bytes
}

/// Reads what is there; 0 at the end or at a reset.
pub async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> usize {
    let read = timeout(PATIENCE, stream.read_buf(bytes)).await;
    read.expect("bytes, or the end, in time").unwrap_or(0)
}

fn head(bytes: &[u8]) -> (u16, Vec<(String, String)>) {
    let text = std::str::from_utf8(bytes).expect("an ASCII head");
    let mut lines = text.trim_end().split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status = status
        .and_then(|it| it.parse().ok())
        .expect("a status line");
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(k, v)| (k.to_ascii_lowercase(), v.trim().to_owned()));
    (status, headers.collect())
}

/// Looks again and again until it is so.
pub async fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let looking = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let seen = timeout(PATIENCE, looking).await;
    seen.unwrap_or_else(|_| panic!("not in time: {what}"));
}
