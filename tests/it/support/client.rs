//! A browser, as far as sockets are concerned: a cookie jar, handshakes, frames with a deadline.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use hyper_tungstenite::tungstenite::protocol::{Message, Role};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;

use super::schema;
use super::server::TestServer;
use super::wire::{self, Answer, HANDSHAKE, PATIENCE};

/// One browser: clones share its cookies.
#[derive(Clone)]
pub struct Browser {
    address: SocketAddr,
    jar: Option<Arc<Mutex<Option<String>>>>,
}

impl Browser {
    /// A browser that was never here.
    pub fn new(server: &TestServer) -> Self {
        Self::at(server.address)
    }

    /// The same for any server.
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            jar: Some(Arc::default()),
        }
    }

    /// A program that keeps no cookies.
    pub fn forgetful(server: &TestServer) -> Self {
        Self {
            address: server.address,
            jar: None,
        }
    }

    /// The same browser after the server moved to another port.
    pub fn moved(&self, server: &TestServer) -> Self {
        self.moved_to(server.address)
    }

    /// The same browser at another server.
    pub fn moved_to(&self, address: SocketAddr) -> Self {
        Self {
            address,
            ..self.clone()
        }
    }

    /// The server it goes to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The cookie as it is sent, once there is one.
    pub fn cookie(&self) -> Option<String> {
        self.jar.as_ref()?.lock().clone()
    }

    /// Puts this into the jar instead of what is there.
    pub fn set_cookie(&self, cookie: &str) {
        let jar = self.jar.as_ref().expect("a browser that keeps cookies");
        *jar.lock() = Some(cookie.to_owned());
    }

    /// A page or an API answer.
    pub async fn get(&self, path: &str) -> Answer {
        let cookie = self.cookie();
        let mut headers = vec![("Connection", "close")];
        headers.extend(cookie.as_deref().map(|cookie| ("Cookie", cookie)));
        let answer = wire::get(self.address, path, &headers).await;
        self.keep(&answer);
        answer
    }

    /// A socket; panics when it is refused.
    pub async fn open(&self, path: &str) -> Socket {
        match self.try_open(path, &[]).await {
            Ok(socket) => socket,
            Err(answer) => panic!("refused: {} {:?}", answer.status, answer.json()),
        }
    }

    /// A socket, with more headers, or the refusal.
    pub async fn try_open(&self, path: &str, headers: &[(&str, &str)]) -> Result<Socket, Answer> {
        let stream = wire::dial(self.address).await;
        self.try_open_on(stream, path, headers).await
    }

    /// [`Browser::try_open`] on a connection made before.
    pub async fn try_open_on(
        &self,
        mut stream: TcpStream,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Socket, Answer> {
        let cookie = self.cookie();
        let mut all = HANDSHAKE.to_vec();
        all.extend(cookie.as_deref().map(|cookie| ("Cookie", cookie)));
        all.extend(headers);
        let head = wire::request("GET", path, self.address, &all);
        stream.write_all(head.as_bytes()).await.expect("sent");
        let (answer, early) = wire::answer(&mut stream).await.expect("an answer");
        self.keep(&answer);
        if answer.status != 101 {
            return Err(answer);
        }
        let stream = WebSocketStream::from_partially_read(stream, early, Role::Client, None).await;
        Ok(Socket { stream, answer })
    }

    fn keep(&self, answer: &Answer) {
        if let (Some(jar), Some(cookie)) = (&self.jar, answer.cookie()) {
            *jar.lock() = Some(cookie);
        }
    }
}

/// An open socket. Everything that waits has a deadline and panics after it.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    answer: Answer,
}

/// What arrived.
#[derive(Debug)]
pub enum Arrived {
    /// A text frame.
    Frame(Value),
    /// The end, with its code when there was one.
    End(Option<u16>),
}

impl Socket {
    /// Sends a frame.
    pub async fn send(&mut self, frame: Value) {
        self.text(frame.to_string()).await;
    }

    /// Sends this text as a frame.
    pub async fn text(&mut self, text: impl Into<String>) {
        self.raw(Message::text(text.into())).await;
    }

    /// Sends any message. That the socket was closed meanwhile is found out by reading.
    pub async fn raw(&mut self, message: Message) {
        let sending = timeout(PATIENCE, self.stream.send(message));
        let _ = sending.await.expect("sent in time");
    }

    /// What comes next. Pings are answered by the way.
    pub async fn arrived(&mut self) -> Arrived {
        match self.arrived_text().await {
            Ok(text) => {
                let frame = serde_json::from_str(&text).expect("frames are JSON");
                schema::frame(&frame);
                Arrived::Frame(frame)
            }
            Err(code) => Arrived::End(code),
        }
    }

    /// The same, to the byte: the next frame's text, or the code of the end.
    pub async fn arrived_text(&mut self) -> Result<String, Option<u16>> {
        let reading = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                    Some(Ok(Message::Close(frame))) => {
                        return Err(frame.map(|frame| frame.code.into()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Err(None),
                }
            }
        };
        timeout(PATIENCE, reading).await.expect("something in time")
    }

    /// The next frame.
    pub async fn next(&mut self) -> Value {
        match self.arrived().await {
            Arrived::Frame(frame) => frame,
            Arrived::End(code) => panic!("closed with {code:?} instead of a frame"),
        }
    }

    /// The next frame, which must be of this action.
    pub async fn expect(&mut self, action: &str) -> Value {
        let frame = self.next().await;
        assert_eq!(frame["action"], action, "{frame}");
        frame
    }

    /// The next frame of this action, whatever comes before.
    pub async fn until(&mut self, action: &str) -> Value {
        loop {
            let frame = self.next().await;
            if frame["action"] == action {
                return frame;
            }
        }
    }

    /// The next frame, which must be this error.
    pub async fn expect_error(&mut self, code: &str) -> Value {
        let frame = self.expect("error").await;
        assert_eq!(frame["code"], code, "{frame}");
        assert!(frame["message"].as_str().is_some_and(|it| !it.is_empty()));
        frame
    }

    /// Reads to the end: the frames before it and its code.
    pub async fn read_to_end(&mut self) -> (Vec<Value>, Option<u16>) {
        let mut frames = Vec::new();
        loop {
            match self.arrived().await {
                Arrived::Frame(frame) => frames.push(frame),
                Arrived::End(code) => return (frames, code),
            }
        }
    }

    /// The code of the end.
    pub async fn close_code(&mut self) -> Option<u16> {
        self.read_to_end().await.1
    }

    /// Says something without waiting.
    pub async fn say(&mut self, content: &str, client_id: &str) {
        self.send(json!({"action": "send_message",
            "message": {"content": content, "client_id": client_id}}))
            .await;
    }

    /// Says something and waits for its acknowledgement: the message with its seq.
    pub async fn said(&mut self, content: &str, client_id: &str) -> Value {
        self.say(content, client_id).await;
        loop {
            let frame = self.until("new_message").await;
            if frame["message"]["client_id"] == client_id {
                return frame["message"].clone();
            }
        }
    }

    /// Asks for something unknown and checks that its error is what comes next: so nothing else
    /// was on its way to this socket.
    pub async fn nothing_more(&mut self) {
        self.send(json!({"action": "what is the time"})).await;
        self.expect_error("unknown_action").await;
    }

    /// The 101 that it began with.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Goes away without a word, as a lost network does.
    pub fn lose(self) {
        drop(self);
    }

    /// Goes away properly.
    pub async fn close(mut self) {
        let _ = timeout(PATIENCE, self.stream.close(None)).await;
        self.read_to_end().await;
    }
}

/// The names of a frame's fields, sorted.
pub fn keys(frame: &Value) -> Vec<&str> {
    let fields = frame.as_object().expect("an object").keys();
    let mut keys: Vec<&str> = fields.map(String::as_str).collect();
    keys.sort_unstable();
    keys
}
