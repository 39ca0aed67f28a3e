//! A small WebSocket client of the public protocol, made to be run by the thousand: connect, meet,
//! say, hear. Keeps no state of a conversation; used by the tests of the executable and by the load
//! example.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message as Raw, Utf8Bytes};

/// Longest silence of a server that is asked something.
pub const SILENCE: Duration = Duration::from_secs(60);

/// Why a socket is of no more use.
#[derive(Debug)]
pub enum Lost {
    /// Closed with this code; 1006 when it just broke.
    Closed(u16),
    /// Not even opened.
    Refused(String),
    /// No frame within [`SILENCE`].
    Silent,
    /// A frame that the protocol does not know.
    PacketDecodeError(String),
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed(code) => write!(f, "closed with {code}"),
            Self::Refused(why) => write!(f, "not opened: {why}"),
            Self::Silent => write!(f, "no answer"),
            Self::PacketDecodeError(what) => write!(f, "not understood: {what}"),
        }
    }
}

/// What the server says, as far as a load or a checker cares.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Frame {
    /// The search found a partner.
    MatchFound {
        room_id: String,
        user_id: String,
        token: String,
    },
    /// The first frame of a chat.
    RoomState { last_seq: u64, active: bool },
    /// An entry, or the answer to a repeat.
    NewMessage { message: Message },
    /// An entry.
    MessageRecalled {
        message_id: String,
        client_id: String,
        seq: u64,
    },
    /// An entry.
    UserLeft { seq: u64 },
    /// To the deleter alone.
    MessageDeleted { message_id: String },
    /// An action had no effect.
    Error {
        code: String,
        client_id: Option<String>,
    },
    /// Everything else.
    #[serde(other)]
    Other,
}

/// A message as delivered.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Message {
    pub seq: u64,
    pub sender_id: String,
    pub content: Option<String>,
    pub recalled: bool,
    pub replied_to: Option<String>,
    pub replied_to_content: Option<String>,
    /// The quoted text goes on.
    #[serde(default)]
    pub replied_to_cut: bool,
    pub client_id: String,
    #[serde(default)]
    pub repeat: bool,
}

/// One side of a room: what a client must keep to come back.
#[derive(Clone, Debug)]
pub struct Seat {
    pub room: String,
    pub user_id: String,
    pub token: String,
}

impl Seat {
    /// The chat socket's path, for what comes after this entry.
    pub fn path(&self, after: u64) -> String {
        let Self { room, token, .. } = self;
        format!("/ws/chat/?room={room}&after={after}&token={token}")
    }

    /// An API path of this room, with who asks.
    pub fn api(&self, rest: &str) -> String {
        let Self { room, token, .. } = self;
        let joint = if rest.contains('?') { '&' } else { '?' };
        format!("/api/rooms/{room}/{rest}{joint}token={token}")
    }
}

/// One open WebSocket.
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Opens one; small buffers, since there may be thousands.
    pub async fn open(address: SocketAddr, path: &str) -> Result<Self, Lost> {
        let refused = |error: &dyn std::fmt::Display| Lost::Refused(error.to_string());
        let opening = async {
            let stream = TcpStream::connect(address).await.map_err(|e| refused(&e))?;
            stream.set_nodelay(true).map_err(|e| refused(&e))?;
            let config = WebSocketConfig::default().read_buffer_size(4096);
            let url = format!("ws://{address}{path}");
            let upgraded =
                tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await;
            upgraded.map(|(ws, _)| Self(ws)).map_err(|e| refused(&e))
        };
        timeout(SILENCE, opening).await.unwrap_or(Err(Lost::Silent))
    }

    /// The next frame.
    pub async fn hear(&mut self) -> Result<Frame, Lost> {
        let text = self.hear_text().await?;
        serde_json::from_str(&text)
            .map_err(|error| Lost::PacketDecodeError(format!("{error}: {text}")))
    }

    /// The next frame as it was sent.
    pub async fn hear_text(&mut self) -> Result<String, Lost> {
        let next = poll_fn(|cx| self.poll_text(cx));
        let text = timeout(SILENCE, next).await.map_err(|_| Lost::Silent)??;
        Ok(text.as_str().to_owned())
    }

    /// The next frame as it was sent, if it is here; the task is woken when one is.
    pub fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Result<Utf8Bytes, Lost>> {
        loop {
            let lost = match ready!(self.0.poll_next_unpin(cx)) {
                Some(Ok(Raw::Text(text))) => return Poll::Ready(Ok(text)),
                Some(Ok(Raw::Close(frame))) => {
                    Lost::Closed(frame.map_or(1005, |it| it.code.into()))
                }
                Some(Ok(_)) => continue,
                Some(Err(Error::Capacity(error))) => Lost::PacketDecodeError(error.to_string()),
                Some(Err(_)) | None => Lost::Closed(1006),
            };
            return Poll::Ready(Err(lost));
        }
    }

    /// Queues an action; [`Socket::flush`] sends what is queued.
    pub async fn say(&mut self, action: &serde_json::Value) -> Result<(), Lost> {
        self.say_text(action.to_string()).await
    }

    /// The same of one that is JSON already.
    pub async fn say_text(&mut self, action: String) -> Result<(), Lost> {
        let text = Raw::text(action);
        self.0.feed(text).await.map_err(|_| Lost::Closed(1006))
    }

    /// Sends what is queued.
    pub async fn flush(&mut self) -> Result<(), Lost> {
        self.0.flush().await.map_err(|_| Lost::Closed(1006))
    }

    /// Queues an action and sends it.
    pub async fn tell(&mut self, action: &serde_json::Value) -> Result<(), Lost> {
        self.say(action).await?;
        self.flush().await
    }

    /// Says goodbye and waits for nothing.
    pub async fn close(mut self) {
        let _ = self.0.close(None).await;
    }
}

/// A `send_message` frame.
pub fn send(content: &str, client_id: &str, replied_to: Option<u64>) -> serde_json::Value {
    let replied_to = replied_to.map(|seq| seq.to_string());
    let message = json!({ "content": content, "client_id": client_id, "replied_to": replied_to });
    json!({ "action": "send_message", "message": message })
}

/// A `recall_message` frame.
pub fn recall(message_id: &str, client_id: &str) -> serde_json::Value {
    json!({ "action": "recall_message", "message_id": message_id, "client_id": client_id })
}

/// The topics of our pages. One of them is enough for two people to meet by.
pub const TOPICS: [&str; 9] = [
    "音樂", "電影", "旅行", "美食", "運動", "遊戲", "閱讀", "攝影", "藝術",
];

/// Two people who meet each other, as long as no other client searches there. `pair` names them should they not.
pub async fn meet(address: SocketAddr, pair: &str) -> Result<[Seat; 2], Lost> {
    meet_across([address; 2], pair).await
}

/// The same, each searching at an address of their own.
pub async fn meet_across(addresses: [SocketAddr; 2], pair: &str) -> Result<[Seat; 2], Lost> {
    let [here, there] = addresses;
    let topic = TOPICS[0];
    let (one, two) = tokio::try_join!(search(here, topic, 0), search(there, topic, 1))?;
    match one.room == two.room {
        true => Ok([one, two]),
        false => Err(Lost::PacketDecodeError(format!(
            "{pair}: paired with somebody else"
        ))),
    }
}

/// Searches with this topic until paired: half 0 meets half 1, and no other half 0.
pub async fn search(address: SocketAddr, topic: &str, half: usize) -> Result<Seat, Lost> {
    let mut socket = Socket::open(address, "/ws/matching/").await?;
    let (name, gender, wish) = [("a", "male", "female"), ("b", "female", "male")][half];
    let user =
        json!({ "nickname": name, "gender": gender, "preferredGender": wish, "tags": [topic] });
    let start = json!({ "action": "start_matching", "user_data": user });
    socket.tell(&start).await?;
    let seat = found(&mut socket).await?;
    socket.close().await;
    Ok(seat)
}

/// `start_matching`, of a search that takes anyone.
pub fn start(name: &str, tags: &[&str]) -> serde_json::Value {
    let user = json!({ "nickname": name, "gender": "other", "tags": tags });
    json!({ "action": "start_matching", "user_data": user })
}

/// Waits on a socket that searches until a partner is found.
pub async fn found(socket: &mut Socket) -> Result<Seat, Lost> {
    loop {
        match socket.hear().await? {
            Frame::MatchFound {
                room_id,
                user_id,
                token,
            } => {
                return Ok(Seat {
                    room: room_id,
                    user_id,
                    token,
                });
            }
            Frame::Other => {}
            other => {
                return Err(Lost::PacketDecodeError(format!(
                    "while searching: {other:?}"
                )));
            }
        }
    }
}
