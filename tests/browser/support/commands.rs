//! Commands ChromeDriver knows beside the standard's: its logs, and Chromium's own protocol.

use fantoccini::Client;
use fantoccini::wd::WebDriverCompatibleCommand;
use hyper::Method;
use serde_json::{Value, json};

/// A POST below the session's address.
#[derive(Debug)]
struct Post {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Post {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        let session = session.expect("a session has begun");
        base.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _url: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// Asks Chromium by its DevTools protocol.
pub async fn devtools(client: &Client, command: &str, parameters: Value) -> Value {
    let body = json!({ "cmd": command, "params": parameters });
    let post = Post {
        path: "goog/cdp/execute",
        body,
    };
    let answer = client.issue_cmd(post).await;
    answer.unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// Takes what a log (`browser` or `performance`) holds since it was last taken.
pub async fn take_log(client: &Client, kind: &str) -> Vec<Value> {
    let post = Post {
        path: "se/log",
        body: json!({ "type": kind }),
    };
    match client.issue_cmd(post).await {
        Ok(Value::Array(entries)) => entries,
        Ok(other) => panic!("the {kind} log is not a list: {other}"),
        Err(error) => panic!("the {kind} log: {error}"),
    }
}
