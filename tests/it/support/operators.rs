//! A browser at the operators' console: its cookies, and requests as its pages make them.

use std::net::SocketAddr;

use miyu::domain::safety::{Actor, OperatorDraft, OperatorId, OperatorName, Role};
use miyu::operators::Passwords;
use miyu::operators::passwords::Password;
use miyu::store::safety::{OperatorMade, SafetyStore};
use serde_json::{Value, json};

use super::wire::{self, Answer};

/// The password of operators that a test makes.
pub const PASSWORD: &str = "a lantern in the rain";

/// Makes an operator of this name and role with [`PASSWORD`].
pub async fn operator(safety: &dyn SafetyStore, name: &str, role: Role) -> OperatorId {
    let hash = Passwords::default().hash(Password::typed(PASSWORD)).await;
    let draft = OperatorDraft {
        name: OperatorName::parse(name).unwrap(),
        role,
        password: hash.unwrap(),
    };
    match safety.make_operator(draft, Actor::Local).await.unwrap() {
        OperatorMade::Done(id) => id,
        other => panic!("not made: {other:?}"),
    }
}

/// One browser.
#[derive(Clone)]
pub struct Desk {
    pub address: SocketAddr,
    /// The address of a machine of 127.0.0.0/8 that it comes from.
    pub from: [u8; 4],
    pub cookie: Option<String>,
    /// In the place of what a page of the site sends, or beside it.
    pub headers: Vec<(String, String)>,
}

impl Desk {
    /// One that is not logged in.
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            from: [127, 0, 0, 1],
            cookie: None,
            headers: Vec::new(),
        }
    }

    /// One that is logged in.
    pub async fn logged_in(address: SocketAddr, name: &str) -> Self {
        let mut desk = Self::at(address);
        let answer = desk.log_in(name, PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        desk
    }

    /// The same, with this header in the place of its own.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut desk = self.clone();
        desk.headers.push((name.to_owned(), value.to_owned()));
        desk
    }

    /// Logs in, and keeps the cookie.
    pub async fn log_in(&mut self, name: &str, password: &str) -> Answer {
        self.post("session/", &json!({"name": name, "password": password}))
            .await
    }

    /// `GET /admin/api/…`.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, None).await
    }

    /// `POST /admin/api/…`.
    pub async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, Some(body.to_string())).await
    }

    /// Any request under `/admin/api/`. A header with an empty value is left out.
    pub async fn ask(&mut self, method: &str, path: &str, body: Option<String>) -> Answer {
        let origin = format!("http://{}", self.address);
        let mut headers = vec![("Connection", "close"), ("Sec-Fetch-Site", "same-origin")];
        if method != "GET" {
            headers.push(("Origin", &origin));
        }
        let length = body.as_ref().map(|it| it.len().to_string());
        if let Some(length) = &length {
            headers.push(("Content-Length", length));
            headers.push(("Content-Type", "application/json"));
        }
        let cookie = self.cookie.clone();
        headers.extend(cookie.as_deref().map(|it| ("Cookie", it)));
        for (name, value) in &self.headers {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            if !value.is_empty() {
                headers.push((name, value));
            }
        }
        let path = format!("/admin/api/{path}");
        let head = wire::request(method, &path, self.address, &headers);
        let bytes = [head.as_bytes(), body.unwrap_or_default().as_bytes()].concat();
        let answer = self.send(&bytes).await;
        if let Some(set) = answer.cookie() {
            self.cookie = (!set.ends_with('=')).then_some(set);
        }
        answer
    }

    async fn send(&self, bytes: &[u8]) -> Answer {
        use tokio::io::AsyncWriteExt as _;
        let stream = wire::dial_from(self.from, self.address).await;
        let mut stream = stream.expect("connected");
        let _ = stream.write_all(bytes).await;
        wire::answer(&mut stream).await.expect("an answer").0
    }
}

/// Status and code of a refusal.
pub fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

/// What [`refused`] is to be.
pub fn with(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
