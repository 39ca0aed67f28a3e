//! What a person's pages said to the console and wanted of the network, in words that do not depend
//! on the browser.

use serde_json::Value;

use super::commands::take_log;
use super::person::Person;
use super::session::Protocol;

impl Person {
    /// Takes the warnings and errors in the console since the last look.
    pub async fn take_console(&self) -> Vec<String> {
        let (entries, level, text) = match self.protocol() {
            Protocol::DevTools => (take_log(self.client(), "browser").await, "level", "message"),
            Protocol::Bidi(bidi) => (bidi.take("log.entryAdded").await, "level", "text"),
        };
        let troubling = entries.iter().filter_map(|entry| {
            let level = entry[level].as_str()?.to_lowercase();
            let bad = matches!(&*level, "severe" | "error" | "warning" | "warn");
            bad.then(|| format!("{level}: {}", entry[text].as_str().unwrap_or_default()))
        });
        troubling.collect()
    }

    /// Takes the addresses that were asked for since the last look.
    pub async fn take_requests(&self) -> Vec<String> {
        match self.protocol() {
            Protocol::DevTools => {
                let entries = take_log(self.client(), "performance").await;
                entries.iter().filter_map(requested).collect()
            }
            Protocol::Bidi(bidi) => {
                let sent = bidi.take("network.beforeRequestSent").await;
                let urls = sent.iter().filter_map(|it| it["request"]["url"].as_str());
                urls.map(str::to_owned).collect()
            }
        }
    }
}

/// The address in an entry of Chromium's performance log.
fn requested(entry: &Value) -> Option<String> {
    let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
    let event = &event["message"];
    let url = match event["method"].as_str()? {
        "Network.requestWillBeSent" => &event["params"]["request"]["url"],
        "Network.webSocketCreated" => &event["params"]["url"],
        _ => return None,
    };
    url.as_str().map(str::to_owned)
}
