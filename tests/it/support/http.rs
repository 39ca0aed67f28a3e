//! An HTTP client of a few lines: one request, one connection, the answer as it came.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Nothing here takes longer unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The `code` of a problem, after checking that it is one.
    pub fn code(&self) -> String {
        let kind = self.header("content-type");
        assert_eq!(kind, Some("application/problem+json"), "{}", self.status);
        let json = self.json();
        assert_eq!(json["status"], self.status);
        json["code"].as_str().unwrap().to_owned()
    }

    /// `name=value` of the cookie that the answer sets.
    pub fn cookie(&self) -> Option<String> {
        let set = self.header("set-cookie")?;
        Some(set.split(';').next()?.to_owned())
    }
}

/// `GET path`.
pub async fn get(address: SocketAddr, path: &str) -> Answer {
    request(address, "GET", path, &[]).await
}

/// `GET path` with more headers.
pub async fn get_with(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    request(address, "GET", path, headers).await
}

/// Any request without a body.
pub async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut text = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        text += &format!("host: {address}\r\n");
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += "\r\n";
    let raw = exchange(address, text.as_bytes()).await;
    let answer = parse(&raw);
    super::schema::answer(method, path, &answer);
    answer
}

/// Sends these bytes and reads until the server closes.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut raw = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut raw)).await;
    // A server that closes with unread bytes resets the connection; what came before counts.
    let _ = read.expect("the server closes the connection");
    raw
}

/// Takes one answer apart.
pub fn parse(raw: &[u8]) -> Answer {
    let end = raw.windows(4).position(|it| it == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no head in {:?}", String::from_utf8_lossy(raw)));
    let head = std::str::from_utf8(&raw[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    });
    let headers: Vec<(String, String)> = headers.collect();
    let body = &raw[end + 4..];
    let chunked = headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    Answer {
        status: status.parse().unwrap(),
        headers,
        body: match chunked && !body.is_empty() {
            true => unchunk(body),
            false => body.to_vec(),
        },
    }
}

/// A body that came in pieces, each behind its length; it must be whole.
pub fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest
            .windows(2)
            .position(|it| it == b"\r\n")
            .expect("a length");
        let length = std::str::from_utf8(&rest[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).expect("a length");
        let piece = &rest[end + 2..];
        body.extend_from_slice(&piece[..length]);
        assert_eq!(&piece[length..length + 2], b"\r\n");
        if length == 0 {
            return body;
        }
        rest = &piece[length + 2..];
    }
}
