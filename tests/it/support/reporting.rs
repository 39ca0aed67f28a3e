//! Reports over HTTP.

use serde_json::{Value, json};

use super::client::Browser;
use super::people::Person;
use super::wire::{self, Answer};

/// The body of a report of this person's room.
pub fn about(person: &Person) -> Value {
    json!({"room": person.room(), "reason": "harassment"})
}

/// `POST /api/reports/` with this body, by this browser.
pub async fn post_report(browser: &Browser, body: &Value) -> Answer {
    post(browser, body.to_string().as_bytes(), &[]).await
}

/// The same with any body and more headers.
pub async fn post(browser: &Browser, body: &[u8], more: &[(&str, &str)]) -> Answer {
    let (length, cookie) = (body.len().to_string(), browser.cookie().unwrap_or_default());
    let mut headers = vec![("Content-Length", length.as_str()), ("Connection", "close")];
    if !cookie.is_empty() {
        headers.push(("Cookie", &cookie));
    }
    headers.extend(more);
    let head = wire::request("POST", "/api/reports/", browser.address(), &headers);
    wire::exchange(browser.address(), &[head.as_bytes(), body].concat()).await
}

/// Status and code of a refusal.
pub fn refusal(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}
