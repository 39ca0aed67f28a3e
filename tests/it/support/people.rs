//! Two people who meet: what most tests of rooms begin with.

use hyper::header::{COOKIE, HeaderMap, HeaderValue};
use miyu::domain::id::SessionId;
use miyu::identity::cookie;
use miyu::identity::jar::Jar;
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::client::{Browser, Socket};
use super::server::TestServer;

/// What a client sends about its person, with these fields changed.
pub fn user_data(changes: Value) -> Value {
    let mut data = json!({
        "nickname": "小明", "avatar": "3", "mood": "happy", "gender": "male",
        "preferredGender": "all", "tags": [],
    });
    let changes = changes.as_object().expect("an object").clone();
    data.as_object_mut().expect("an object").extend(changes);
    data
}

/// `start_matching` with these fields changed.
pub fn start(changes: Value) -> Value {
    json!({"action": "start_matching", "user_data": user_data(changes)})
}

/// A client that was matched.
pub struct Person {
    /// Their browser.
    pub browser: Browser,
    /// The `match_found` frame that it was sent.
    pub found: Value,
}

impl Person {
    /// The same person after the server moved to another port.
    pub fn moved(&self, server: &TestServer) -> Self {
        self.moved_to(server.address)
    }

    /// The same person at another server.
    pub fn moved_to(&self, address: SocketAddr) -> Self {
        Self {
            browser: self.browser.moved_to(address),
            found: self.found.clone(),
        }
    }

    /// Their room.
    pub fn room(&self) -> &str {
        self.found["room_id"].as_str().expect("a room")
    }

    /// Their name in it.
    pub fn user_id(&self) -> &str {
        self.found["user_id"].as_str().expect("a user_id")
    }

    /// Their token.
    pub fn token(&self) -> &str {
        self.found["token"].as_str().expect("a token")
    }

    /// The address of their room's socket.
    pub fn path(&self) -> String {
        format!("/ws/chat/?room={}", self.room())
    }

    /// A socket to their room, with more of a query.
    pub async fn enter(&self, query: &str) -> Socket {
        self.browser.open(&format!("{}{query}", self.path())).await
    }

    /// What the API says of their room's log.
    pub async fn log(&self) -> Vec<Value> {
        let path = format!("/api/rooms/{}/messages/?limit=200", self.room());
        let answer = self.browser.get(&path).await;
        assert_eq!(answer.status, 200);
        let json = answer.json();
        json["entries"].as_array().expect("entries").clone()
    }

    /// What the API says of their room.
    pub async fn state(&self) -> Value {
        let answer = self
            .browser
            .get(&format!("/api/rooms/{}/", self.room()))
            .await;
        assert_eq!(answer.status, 200);
        answer.json()
    }
}

/// Two searches that find each other: who waited first, then who came.
pub async fn pair(first: (&Browser, Value), second: (&Browser, Value)) -> (Person, Person) {
    let mut waiting = first.0.open("/ws/matching/").await;
    waiting.send(start(first.1)).await;
    waiting.expect("waiting_for_match").await;
    let mut coming = second.0.open("/ws/matching/").await;
    coming.send(start(second.1)).await;
    let came = coming.until("match_found").await;
    let waited = waiting.until("match_found").await;
    assert_eq!(came["room_id"], waited["room_id"]);
    waiting.close().await;
    coming.close().await;
    let person = |browser: &Browser, found| Person {
        browser: browser.clone(),
        found,
    };
    (person(first.0, waited), person(second.0, came))
}

/// Two strangers in two browsers.
pub async fn meet(server: &TestServer) -> (Person, Person) {
    meet_at([server.address; 2]).await
}

/// The same, each at a server of their own.
pub async fn meet_at(addresses: [SocketAddr; 2]) -> (Person, Person) {
    let [ming, mei] = addresses.map(Browser::at);
    let mei_data = json!({"nickname": "小美", "avatar": "7", "mood": "sad", "gender": "female"});
    pair((&ming, json!({})), (&mei, mei_data)).await
}

/// Two strangers in their room, with nothing left unread.
pub struct Chatting {
    /// Who waited.
    pub ming: Person,
    /// Who came.
    pub mei: Person,
    /// Ming's socket.
    pub a: Socket,
    /// Mei's socket.
    pub b: Socket,
}

/// Two strangers meet and open their room.
pub async fn chat(server: &TestServer) -> Chatting {
    chat_at([server.address; 2]).await
}

/// The same, each at a server of their own.
pub async fn chat_at(addresses: [SocketAddr; 2]) -> Chatting {
    let (ming, mei) = meet_at(addresses).await;
    let (a, b) = both_enter(&ming, &mei).await;
    Chatting { ming, mei, a, b }
}

/// Both open the room for the first time, one after the other.
pub async fn both_enter(first: &Person, second: &Person) -> (Socket, Socket) {
    let mut a = first.enter("").await;
    let state = a.expect("room_state").await;
    assert_eq!(state["partner"]["online"], false, "{state}");
    let mut b = second.enter("").await;
    let state = b.expect("room_state").await;
    assert_eq!(state["partner"]["online"], true, "{state}");
    let status = a.expect("partner_status").await;
    assert_eq!(status["online"], true);
    (a, b)
}

impl Chatting {
    /// Ming says it; both have heard it when this returns.
    pub async fn a_says(&mut self, content: &str, client_id: &str) -> Value {
        self.a.say(content, client_id).await;
        both_hear(&mut self.a, &mut self.b).await
    }

    /// Mei says it; both have heard it when this returns.
    pub async fn b_says(&mut self, content: &str, client_id: &str) -> Value {
        self.b.say(content, client_id).await;
        both_hear(&mut self.a, &mut self.b).await
    }
}

async fn both_hear(a: &mut Socket, b: &mut Socket) -> Value {
    let here = a.expect("new_message").await;
    let there = b.expect("new_message").await;
    assert_eq!(here, there);
    here["message"].clone()
}

/// The session of this person's cookie.
pub fn session_of(server: &TestServer, person: &Person) -> SessionId {
    let mut headers = HeaderMap::new();
    let cookie = person.browser.cookie().unwrap();
    headers.insert(COOKIE, HeaderValue::from_str(&cookie).unwrap());
    let seen = cookie::read(&server.app.signer, &headers, Jar::of(false, None));
    seen.unwrap().session
}
