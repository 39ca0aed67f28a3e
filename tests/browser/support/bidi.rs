//! WebDriver BiDi, as far as a Firefox is asked by it: commands that the older protocol lacks, and
//! what pages say to the console and want of the network.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// What a person's pages are heard by.
const EVENTS: [&str; 2] = ["log.entryAdded", "network.beforeRequestSent"];

/// A session's second line. All windows are in one container of cookies and storage at a time.
pub struct Bidi {
    line: Mutex<Line>,
    container: parking_lot::Mutex<Value>,
}

struct Line {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    asked: u64,
    heard: Vec<Value>,
}

impl Bidi {
    /// Opens the line that a session's capabilities name, and listens from then on.
    pub async fn connect(url: &str) -> Self {
        let connected = connect_async(url).await;
        let (socket, _) = connected.unwrap_or_else(|error| panic!("{url}: {error}"));
        let line = Line {
            socket,
            asked: 0,
            heard: Vec::new(),
        };
        let bidi = Self {
            line: Mutex::new(line),
            container: parking_lot::Mutex::default(),
        };
        bidi.ask("session.subscribe", json!({ "events": EVENTS }))
            .await;
        bidi
    }

    /// Asks for something and waits for the answer.
    pub async fn ask(&self, method: &str, parameters: Value) -> Value {
        let mut line = self.line.lock().await;
        let answer = line.ask(method, parameters).await;
        answer.unwrap_or_else(|why| panic!("{method}: {why}"))
    }

    /// Opens a window in a container that is new; the former one is removed with all its windows.
    pub async fn fresh_window(&self) -> String {
        let mut made = self.ask("browser.createUserContext", json!({})).await;
        let fresh = made["userContext"].take();
        let former = std::mem::replace(&mut *self.container.lock(), fresh);
        let window = self.open("window").await;
        if !former.is_null() {
            let gone = json!({ "userContext": former });
            self.ask("browser.removeUserContext", gone).await;
        }
        window
    }

    /// Opens a `tab` or `window` in the container and answers its name, which is the same for WebDriver.
    pub async fn open(&self, kind: &str) -> String {
        let wanted = json!({ "type": kind, "userContext": *self.container.lock() });
        let made = self.ask("browsingContext.create", wanted).await;
        let name = made["context"].as_str();
        name.expect("a window has a name").to_owned()
    }

    /// Runs a script in every page of the container from now on, before the page's own.
    pub async fn before_each_page(&self, script: &str) {
        let function = format!("() => {{ {script} }}");
        let containers = json!([*self.container.lock()]);
        let wanted = json!({ "functionDeclaration": function, "userContexts": containers });
        self.ask("script.addPreloadScript", wanted).await;
    }

    /// Takes the parameters of all events of this name that have come since they were last taken.
    pub async fn take(&self, event: &str) -> Vec<Value> {
        let mut line = self.line.lock().await;
        // Events come before the answer to what was asked after them.
        let done = line.ask("session.status", json!({})).await;
        done.unwrap_or_else(|why| panic!("{event}: {why}"));
        let taken = line.heard.extract_if(.., |it| it["method"] == event);
        taken.map(|mut it| it["params"].take()).collect()
    }

    /// Forgets all events that have come.
    pub async fn forget(&self) {
        for event in EVENTS {
            self.take(event).await;
        }
    }
}

impl Line {
    async fn ask(&mut self, method: &str, parameters: Value) -> Result<Value, String> {
        self.asked += 1;
        let id = self.asked;
        let command = json!({ "id": id, "method": method, "params": parameters });
        let sent = self.socket.send(Message::text(command.to_string())).await;
        sent.map_err(|error| error.to_string())?;
        while let Some(message) = self.socket.next().await {
            let Message::Text(text) = message.map_err(|error| error.to_string())? else {
                continue;
            };
            let mut said: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            if said["type"] == "event" {
                self.heard.push(said);
            } else if said["id"] == id {
                return match said["type"] == "success" {
                    true => Ok(said["result"].take()),
                    false => Err(said.to_string()),
                };
            }
        }
        Err("the line has ended".to_owned())
    }
}
