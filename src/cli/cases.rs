//! `miyu cases`, `miyu sanctions`, `miyu maintenance`: the console's own requests, from the machine.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use clap::Subcommand;
use hyper::Method;
use serde_json::{Value, json};

use super::control::{Control, items, moment, text};
use super::{Exit, Failure, print, shown};
use crate::config::Config;

/// What `miyu cases` does.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Cases {
    /// List the cases that wait, in the order of work
    List,
    /// Show a case: its reports and what is kept of its rooms
    Show {
        /// Its number
        number: u64,
    },
    /// Write a case as JSON, with the SHA-256 of each part
    Export {
        /// Its number
        number: u64,
    },
}

/// What `miyu sanctions` does.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Sanctions {
    /// List those in force, newest first
    List,
    /// Lift one
    Lift {
        /// Its number
        number: u64,
        /// What the person is told
        #[arg(default_value = "")]
        text: String,
    },
}

/// What `miyu maintenance` does.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Maintenance {
    /// No new searches for so long; people in rooms go on talking
    On {
        /// Such as 30m or 2h
        #[arg(value_parser = humantime::parse_duration)]
        length: Duration,
    },
    /// Over
    Off,
}

/// Does what `miyu cases` asks.
pub(super) async fn cases(what: Cases, config: Config) -> Result<(), Exit> {
    let mut control = Control::connect(config).await?;
    let done = match what {
        Cases::List => control
            .get(Method::GET, "queue/", None)
            .await
            .map(|all| rows(&all["cases"], case)),
        Cases::Show { number } => {
            let file = control
                .get(Method::GET, &format!("cases/{number}/"), None)
                .await;
            file.map(|it| readable(&it))
        }
        Cases::Export { number } => {
            let exported = control.bytes(&format!("cases/{number}/export/")).await;
            control.end().await;
            return write(&exported?);
        }
    };
    control.end().await;
    print(&done?)
}

/// Does what `miyu sanctions` asks.
pub(super) async fn sanctions(what: Sanctions, config: Config) -> Result<(), Exit> {
    let mut control = Control::connect(config).await?;
    let done = match what {
        Sanctions::List => control
            .get(Method::GET, "sanctions/", None)
            .await
            .map(|all| rows(&all["sanctions"], sanction)),
        Sanctions::Lift { number, text } => {
            let path = format!("sanctions/{number}/lift/");
            let lifted = control.get(Method::POST, &path, Some(json!({"text": text})));
            lifted
                .await
                .map(|_| format!("Sanction {number} is lifted.\n"))
        }
    };
    control.end().await;
    print(&done?)
}

/// Does what `miyu maintenance` asks.
pub(super) async fn maintenance(what: Maintenance, config: Config) -> Result<(), Exit> {
    let mut control = Control::connect(config).await?;
    let done = match what {
        Maintenance::On { length } => {
            let length_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
            let body = json!({"length_ms": length_ms});
            let on = control.get(Method::PUT, "maintenance/", Some(body)).await;
            on.map(|_| format!("Maintenance for {}.\n", humantime::format_duration(length)))
        }
        Maintenance::Off => {
            let off = control.get(Method::DELETE, "maintenance/", None).await;
            off.map(|_| "Maintenance is over.\n".to_owned())
        }
    };
    control.end().await;
    print(&done?)
}

fn rows(of: &Value, row: fn(&Value) -> String) -> String {
    let lines: String = items(of).map(|it| row(it) + "\n").collect();
    match lines.is_empty() {
        true => "There are none.\n".to_owned(),
        false => lines,
    }
}

fn case(row: &Value) -> String {
    let claim = row["claim"]["name"].as_str().map(shown);
    let claim = claim
        .map(|it| format!("  claimed by {it}"))
        .unwrap_or_default();
    let reports = match row["reports"].as_u64() {
        Some(1) => "1 report".to_owned(),
        _ => format!("{} reports", row["reports"]),
    };
    format!(
        "{}  {}  {}  {reports}  since {}{claim}",
        row["id"],
        text(&row["state"]),
        text(&row["reason"]),
        moment(&row["opened_at_ms"])
    )
}

fn sanction(row: &Value) -> String {
    let until = match row["until_ms"].is_i64() {
        true => format!("until {}", moment(&row["until_ms"])),
        false => "without an end".to_owned(),
    };
    let (kind, rule) = (text(&row["kind"]), text(&row["rule"]));
    format!("{}  {kind}  {rule}  {until}", row["id"])
}

/// JSON for a terminal: what could move its cursor or turn lines round is written as an escape, which JSON has for it.
fn readable(value: &Value) -> String {
    let plain = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut written = String::with_capacity(plain.len() + 1);
    for it in plain.chars() {
        let turns = matches!(it, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
        match turns || (it.is_control() && it != '\n') {
            true => written += &format!("\\u{:04x}", u32::from(it)),
            false => written.push(it),
        }
    }
    written + "\n"
}

/// To the byte, for the hashes in it.
fn write(bytes: &[u8]) -> Result<(), Exit> {
    let mut out = std::io::stdout();
    if out.is_terminal() {
        let why = "a terminal is no place for an export; write it to a file: miyu cases export N > case.json";
        return Err(Exit(Failure::Other, why.to_owned()));
    }
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|error| Exit(Failure::Other, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_moves_nothing_and_stays_json() {
        let file = json!({"text": "a\u{1b}[2J\u{202E}\u{9b}\n語"});
        let shown = readable(&file);
        assert!(shown.contains("語") && !shown.contains(['\u{1b}', '\u{202E}', '\u{9b}']));
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), file);
        assert_eq!(rows(&json!([]), case), "There are none.\n");
        let row = json!({"id": 7, "kind": "ban", "rule": "spam", "until_ms": 0});
        assert_eq!(sanction(&row), "7  ban  spam  until 1970-01-01T00:00:00Z");
    }
}
