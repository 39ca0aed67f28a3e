//! A client that knows only what the original's did: the plain actions and the fields marked ° in
//! the contract. It has the original's habits, good and bad, and drops whatever it does not know.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::select_all;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::client::{Arrived, Browser, Socket};
use super::people::user_data;
use super::wire::PATIENCE;

/// One line of its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The id: its own `msg-…` until the acknowledgement gives the server's.
    pub id: String,
    /// Its own name for it.
    pub client_id: String,
    /// What it says; empty once recalled.
    pub content: String,
    /// It said so itself.
    pub mine: bool,
    /// What it shows as quoted.
    pub quote: Option<String>,
    /// The server has it.
    pub acknowledged: bool,
}

/// One tab with the original client.
pub struct Original {
    browser: Browser,
    user_id: String,
    retry: Duration,
    room: String,
    /// Open sockets to the room, newest last; more than one after a late timer.
    sockets: Vec<Socket>,
    sent: u32,
    /// What it shows.
    pub shown: Vec<Line>,
    /// Who it says has left: itself or the partner.
    pub left: Option<String>,
}

impl Original {
    /// A tab of this browser. `retry` is how long it waits before it connects again.
    pub fn new(browser: &Browser, user_id: &str, retry: Duration) -> Self {
        Self {
            browser: browser.clone(),
            user_id: user_id.to_owned(),
            retry,
            room: String::new(),
            sockets: Vec::new(),
            sent: 0,
            shown: Vec::new(),
            left: None,
        }
    }

    /// Searches until it is matched, then opens the room.
    pub async fn meet(&mut self) -> Value {
        let mut search = self.browser.open("/ws/matching/").await;
        let data = json!({"user_id": self.user_id, "session_id": "s-42", "nickname": self.user_id});
        let start = json!({"action": "start_matching", "user_data": user_data(data)});
        search.send(start).await;
        let found = search.until("match_found").await;
        self.room = found["room_id"].as_str().expect("a room").to_owned();
        self.shown.clear();
        self.left = None;
        self.sockets.clear();
        search.close().await;
        self.connect().await;
        found
    }

    /// Opens a socket to the room, also when there is one: a late timer does that.
    pub async fn connect(&mut self) {
        let path = format!("/ws/chat/?room={}", self.room);
        let mut opened = self.browser.open(&path).await;
        // What is said while two sockets change places may reach both: that is not asked for here.
        if let Arrived::Frame(frame) = opened.arrived().await {
            self.show(&frame);
            self.sockets.push(opened);
        }
    }

    /// The network is gone. It connects again on its own.
    pub fn lose_network(&mut self) {
        self.sockets.clear();
    }

    /// The same, and what it connects to from now on is another server.
    pub fn lose_network_for(&mut self, address: SocketAddr) {
        self.browser = self.browser.moved_to(address);
        self.lose_network();
    }

    /// Says something; its own id for it.
    pub async fn say(&mut self, content: &str, replied_to: Option<&str>) -> String {
        self.sent += 1;
        let client_id = format!("msg-{}-{}", self.user_id, self.sent);
        let find = |id: &str| self.shown.iter().find(|line| line.id == id);
        self.shown.push(Line {
            id: client_id.clone(),
            client_id: client_id.clone(),
            content: content.to_owned(),
            mine: true,
            quote: replied_to.and_then(find).map(|line| line.content.clone()),
            acknowledged: false,
        });
        let message = json!({"content": content, "replied_to": replied_to, "client_id": client_id});
        self.act(json!({"action": "send_message", "message": message}))
            .await;
        client_id
    }

    /// Takes a message back, under whichever id it knows.
    pub async fn recall(&mut self, id: &str) {
        self.act(json!({"action": "recall_message", "message_id": id}))
            .await;
    }

    /// Deletes a message for itself.
    pub async fn delete(&mut self, id: &str) {
        self.act(json!({"action": "delete_message", "message_id": id}))
            .await;
    }

    /// Leaves, to be paired again.
    pub async fn next(&mut self) {
        self.act(json!({"action": "find_next"})).await;
    }

    async fn act(&mut self, mut action: Value) {
        action["user_id"] = json!(self.user_id);
        // It keeps the first socket in one variable and the stray one in another.
        let socket = match self.sent % 2 {
            0 => self.sockets.first_mut(),
            _ => self.sockets.last_mut(),
        };
        socket.expect("it is connected").send(action).await;
    }

    /// Reads, and connects again when it must, until it shows this.
    pub async fn until(&mut self, what: &str, so: impl Fn(&Self) -> bool) {
        let reading = async {
            while !so(self) {
                self.step().await;
            }
        };
        let seen = timeout(PATIENCE, reading).await;
        assert!(
            seen.is_ok(),
            "{} never saw: {what}; {:?}",
            self.user_id,
            self.shown
        );
    }

    async fn step(&mut self) {
        if self.sockets.is_empty() {
            tokio::time::sleep(self.retry).await;
            return self.connect().await;
        }
        let all = self.sockets.iter_mut().map(|it| Box::pin(it.arrived()));
        let (arrived, from, _) = select_all(all).await;
        match arrived {
            Arrived::Frame(frame) => self.show(&frame),
            Arrived::End(_) => drop(self.sockets.remove(from)),
        }
    }

    fn show(&mut self, frame: &Value) {
        let text = |name: &str| frame[name].as_str().unwrap_or_default().to_owned();
        match frame["action"].as_str() {
            Some("new_message") => self.show_message(&frame["message"]),
            Some("message_recalled") => {
                let (id, client_id) = (text("message_id"), text("client_id"));
                let mut lines = self.shown.iter_mut();
                if let Some(line) = lines.find(|it| it.id == id || it.client_id == client_id) {
                    line.content.clear();
                }
            }
            Some("message_deleted") => {
                let id = text("message_id");
                self.shown.retain(|line| line.id != id);
            }
            Some("user_left") => self.left = Some(text("user_id")),
            // It never heard of the rest.
            _ => {}
        }
    }

    fn show_message(&mut self, message: &Value) {
        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        let (id, client_id) = (text("id"), text("client_id"));
        let mine = message["sender_id"] == self.user_id.as_str();
        let mut lines = self.shown.iter_mut();
        if let Some(line) = lines.find(|it| mine && it.client_id == client_id) {
            line.id = id;
            line.acknowledged = true;
            return;
        }
        self.shown.push(Line {
            id,
            client_id,
            content: text("content"),
            mine,
            quote: message["replied_to_content"].as_str().map(str::to_owned),
            acknowledged: true,
        });
    }

    /// It shows a line with this content.
    pub fn shows(&self, content: &str) -> bool {
        self.shown.iter().any(|line| line.content == content)
    }

    /// What it shows, as texts.
    pub fn texts(&self) -> Vec<&str> {
        self.shown
            .iter()
            .map(|line| line.content.as_str())
            .collect()
    }

    /// Everything of its own has arrived.
    pub fn all_sent(&self) -> bool {
        self.shown.iter().all(|line| line.acknowledged)
    }
}
