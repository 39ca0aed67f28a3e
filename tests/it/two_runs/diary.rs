//! What one person was sent, written down so that two runs can be compared: everything but ids and
//! times, which differ between any two runs.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::support::wire::Answer;

/// What a person was sent, in order.
pub(super) struct Diary {
    site: String,
    names: HashMap<String, usize>,
    lines: Vec<String>,
}

impl Diary {
    /// Of a run at this server.
    pub(super) fn new(site: SocketAddr) -> Self {
        Self {
            site: site.to_string(),
            names: HashMap::new(),
            lines: Vec::new(),
        }
    }

    /// Keeps the ids of a text without writing it down: should one come back, it has its old name.
    pub(super) fn remember(&mut self, text: &str) {
        self.plain(text);
    }

    /// A frame.
    pub(super) fn frame(&mut self, text: &str) {
        let line = self.plain(text);
        self.lines.push(line);
    }

    /// An answer, with its head.
    pub(super) fn answer(&mut self, path: &str, answer: &Answer) {
        let path = self.plain(path);
        self.lines.push(format!("{path} {}", answer.status));
        for (name, value) in &answer.headers {
            let value = match name.as_str() {
                "date" => "now".to_owned(),
                // Numbers of milliseconds are of any length.
                "content-length" if *value == answer.body.len().to_string() => "right".to_owned(),
                _ => self.plain(value),
            };
            self.lines.push(format!("{path} {name}: {value}"));
        }
        let body = self.plain(&String::from_utf8_lossy(&answer.body));
        self.lines.push(format!("{path} {body}"));
    }

    /// All of it.
    pub(super) fn lines(self) -> Vec<String> {
        self.lines
    }

    /// The text with ids named by their first use, and without times.
    fn plain(&mut self, text: &str) -> String {
        let text = text.replace(&self.site, "SITE");
        let mut plain = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(start) = rest.find(is_of_word) {
            plain.push_str(&rest[..start]);
            rest = &rest[start..];
            let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
            let word = &rest[..end];
            rest = &rest[end..];
            if is_time(&plain, word) {
                plain.push_str("TIME");
            } else if is_id(word) || plain.ends_with("\"proof\":\"") {
                let count = self.names.len();
                let number = *self.names.entry(word.to_owned()).or_insert(count);
                plain.push_str(&format!("ID{number}"));
            } else {
                plain.push_str(word);
            }
        }
        plain + rest
    }
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// A number that follows the name of a time, or the hour and minute of a message.
fn is_time(before: &str, word: &str) -> bool {
    let named = before.ends_with("_ms\":") && !before.ends_with("retention_ms\":");
    let hour = before.ends_with("\"sent_at\":\"");
    let minute = before.ends_with("\"sent_at\":\"TIME:");
    word.bytes().all(|b| b.is_ascii_digit()) && (named || hour || minute)
}

/// Nothing that people or programs write is like it: a UUID, a `user_id` made up by the server, a
/// token, a cookie. A proof depends on the room and the time, and stands where its name is.
fn is_id(word: &str) -> bool {
    uuid::Uuid::parse_str(word).is_ok()
        || (word.len() == 34 && word.starts_with("u-"))
        || word.len() >= 60
}

#[test]
fn a_diary_keeps_everything_but_ids_and_times() {
    let mut diary = Diary::new(([127, 0, 0, 1], 80).into());
    let room = uuid::Uuid::new_v4().to_string();
    diary.remember(&room);
    let user = format!("u-{}", uuid::Uuid::new_v4().simple());
    diary.frame(&format!(
        r#"{{"room":"{room}","user":"{user}","waiting":1,"sent_at":"03:55","sent_at_ms":17,"unfit":true}}"#
    ));
    assert_eq!(
        diary.lines(),
        [
            r#"{"room":"ID0","user":"ID1","waiting":1,"sent_at":"TIME:TIME","sent_at_ms":TIME,"unfit":true}"#
        ]
    );
}
