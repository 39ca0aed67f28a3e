//! The rooms of the house and the arrows between them.

use super::sources::{is_test, sources};

/// Every room of the house and the rooms that its files may use, from the pure ones to the one that starts
/// it all. A new arrow is a decision: write it here with its reason if it is not plain.
const ROOMS: [(&str, &[&str]); 31] = [
    ("domain", &[]),
    ("protocol", &["domain"]),
    ("clock", &["domain"]),
    // What the process is made of. Names of metrics are constants of telemetry.
    ("telemetry", &[]),
    ("tasks", &["telemetry"]),
    ("release_memory", &[]),
    ("keyfile", &[]),
    ("invitation", &[]),
    ("redis", &[]),
    ("backoff", &[]),
    // The only room that goes out by itself.
    ("push", &["backoff", "domain", "tasks", "telemetry"]),
    // A contract each, its backends beside it. What they run in the background is begun again after a panic.
    (
        "channel",
        &[
            "backoff",
            "domain",
            "protocol",
            "redis",
            "tasks",
            "telemetry",
        ],
    ),
    ("matching", &["backoff", "domain", "redis", "tasks"]),
    // How long a frame will be decides where a page ends: protocol::size.
    (
        "store",
        &[
            "backoff",
            "clock",
            "domain",
            "keyfile",
            "protocol",
            "release_memory",
            "telemetry",
        ],
    ),
    // What is configured is parsed once, to what the rooms below take.
    (
        "config",
        &[
            "domain",
            "identity",
            "keyfile",
            "redis",
            "store",
            "telemetry",
        ],
    ),
    ("identity", &["clock", "domain", "store"]),
    // How large a mailbox is belongs to what one client can make us hold.
    (
        "admission",
        &["channel", "config", "domain", "state_machine", "telemetry"],
    ),
    // To end the connections of a session is to revoke it.
    (
        "delivery",
        &[
            "channel",
            "domain",
            "identity",
            "protocol",
            "push",
            "store",
            "telemetry",
        ],
    ),
    // Reports, from whichever edge they come; and what was decided, to every connection that it concerns.
    (
        "safety",
        &[
            "admission",
            "channel",
            "delivery",
            "domain",
            "protocol",
            "state_machine",
            "store",
            "tasks",
            "telemetry",
        ],
    ),
    // How operators log in, from whichever edge they come.
    ("operators", &["clock", "domain", "store"]),
    // What operators see and do, for whichever edge asks.
    ("console", &["clock", "domain", "store"]),
    ("state_machine", &["channel", "clock", "domain", "protocol"]),
    ("transport", &[]),
    // Features.
    (
        "chat",
        &[
            "admission",
            "backoff",
            "channel",
            "domain",
            "identity",
            "protocol",
            "push",
            "safety",
            "state_machine",
            "store",
            "tasks",
            "telemetry",
        ],
    ),
    (
        "lobby",
        &[
            "admission",
            "backoff",
            "channel",
            "clock",
            "delivery",
            "domain",
            "matching",
            "protocol",
            "push",
            "safety",
            "state_machine",
            "store",
        ],
    ),
    // Edges. What they share is a plain struct.
    ("assets", &["config"]),
    (
        "state",
        &[
            "admission",
            "assets",
            "channel",
            "chat",
            "config",
            "console",
            "delivery",
            "domain",
            "identity",
            "lobby",
            "matching",
            "operators",
            "protocol",
            "safety",
            "store",
            "tasks",
        ],
    ),
    (
        "ws",
        &[
            "admission",
            "channel",
            "chat",
            "config",
            "delivery",
            "domain",
            "identity",
            "lobby",
            "protocol",
            "state",
            "state_machine",
            "telemetry",
            "transport",
        ],
    ),
    // To `ws` only for what is upgraded.
    (
        "http",
        &[
            "admission",
            "assets",
            "channel",
            "chat",
            "clock",
            "config",
            "console",
            "domain",
            "identity",
            "invitation",
            "operators",
            "protocol",
            "safety",
            "state",
            "state_machine",
            "store",
            "telemetry",
            "transport",
            "ws",
        ],
    ),
    // Puts everything together: it may use all, and only the command line uses it.
    ("boot", &[EVERY_ROOM]),
    (
        "cli",
        &[
            "boot",
            "channel",
            "config",
            "domain",
            "http",
            "invitation",
            "release_memory",
            "state",
            "tasks",
            "telemetry",
        ],
    ),
];

/// Stands for all rooms but `cli`.
const EVERY_ROOM: &str = "*";

/// Files that are no room: they name all of them.
const ROOTS: [&str; 2] = ["lib", "main"];

fn module(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap()
}

/// The rooms that this one may use.
fn may_use(room: &str) -> &'static [&'static str] {
    let row = ROOMS.iter().find(|(name, _)| *name == room);
    row.unwrap_or_else(|| panic!("room `{room}` is not in ROOMS: say what it may use"))
        .1
}

/// Every arrow of the source: from which room to which, and a file that has it.
fn arrows() -> Vec<(String, String, String)> {
    let sources = sources();
    let files = sources.iter().filter(|it| !is_test(&it.path));
    let mut arrows = Vec::new();
    for source in files {
        let from = module(&source.path);
        let named = named(&source.code).into_iter();
        let others = named.filter(|to| to != from && !ROOTS.contains(&from));
        arrows.extend(others.map(|to| (from.to_owned(), to, source.path.clone())));
    }
    arrows.sort();
    arrows.dedup();
    arrows
}

/// A way along these arrows from a room back to itself, if there is one.
fn circle(arrows: &[(String, String, String)]) -> Option<Vec<String>> {
    fn walk(
        arrows: &[(String, String, String)],
        way: &mut Vec<String>,
        done: &mut Vec<String>,
    ) -> bool {
        let here = way.last().expect("begun").clone();
        for (_, to, _) in arrows.iter().filter(|(from, ..)| *from == here) {
            if let Some(begin) = way.iter().position(|room| room == to) {
                way.drain(..begin);
                way.push(to.clone());
                return true;
            }
            if done.contains(to) {
                continue;
            }
            way.push(to.clone());
            if walk(arrows, way, done) {
                return true;
            }
            way.pop();
        }
        done.push(here);
        false
    }
    let mut done = Vec::new();
    for (from, ..) in arrows {
        let mut way = vec![from.clone()];
        if !done.contains(from) && walk(arrows, &mut way, &mut done) {
            return Some(way);
        }
    }
    None
}

/// Modules of this crate that a text names, as `crate::NAME` or in `use crate::{NAME…`.
fn named(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate` in a macro is as much an arrow as any.
        let rest = &code[at + "crate::".len()..];
        let group = rest
            .strip_prefix('{')
            .map(|it| it.split_once("};").map_or(it, |it| it.0));
        let names: Vec<&str> = match group {
            Some(group) => top_level(group),
            None => vec![rest],
        };
        for name in names {
            let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let name = &name[..end.unwrap_or(name.len())];
            if name.starts_with(|c: char| c.is_ascii_lowercase()) {
                found.push(name.to_owned());
            }
        }
    }
    found
}

/// The parts of `a::b, c::{d, e}` that are not within inner braces.
fn top_level(group: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(group[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(group[start..].trim());
    parts
}

#[test]
fn the_reader_sees_every_arrow() {
    let code = "use crate::domain::id::RoomId;\nuse crate::{http::limit::{self, X}, store::{a, b}};\n\
                fn f() { crate::telemetry::upkeep() }";
    assert_eq!(named(code), ["domain", "http", "store", "telemetry"]);
}

#[test]
fn the_reader_sees_a_circle() {
    let arrow = |from: &str, to: &str| (from.to_owned(), to.to_owned(), String::new());
    let line = [
        arrow("a", "b"),
        arrow("a", "c"),
        arrow("b", "c"),
        arrow("c", "d"),
    ];
    assert_eq!(circle(&line), None);
    let ring = [&line[..], &[arrow("d", "b")]].concat();
    assert_eq!(circle(&ring).expect("b, c, d, b").len(), 4);
}

#[test]
fn rooms_use_only_what_they_may() {
    let wrong: Vec<String> = arrows()
        .into_iter()
        .filter(|(from, to, _)| {
            let may = may_use(from);
            let every = may.contains(&EVERY_ROOM) && to != "cli";
            !may.contains(&to.as_str()) && !every
        })
        .map(|(from, to, file)| format!("src/{file}: {from} uses {to}"))
        .collect();
    assert!(
        wrong.is_empty(),
        "arrows that are not in ROOMS:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn rooms_stand_in_no_circle() {
    let found = circle(&arrows());
    assert_eq!(found, None, "rooms that need each other are one room");
}

#[test]
fn no_arrow_is_allowed_that_is_not_there() {
    let arrows = arrows();
    for (from, may) in ROOMS {
        for to in may.iter().filter(|to| **to != EVERY_ROOM) {
            let there = arrows.iter().any(|(a, b, _)| a == from && b == to);
            assert!(
                there,
                "{from} may use {to} and does not: take it from ROOMS"
            );
        }
    }
}

#[test]
fn the_rooms_are_as_documented() {
    let text = include_str!("../../../docs/ARCHITECTURE.md");
    let (_, table) = text
        .split_once("| room | what it is | may use |\n")
        .unwrap();
    let rows = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    let said: Vec<(&str, &str)> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            (cells[0], cells[2])
        })
        .collect();
    let uses = ROOMS.map(|(_, may)| match may {
        [] => "nothing".to_owned(),
        [room] if *room == EVERY_ROOM => "every room but `cli`".to_owned(),
        rooms => rooms.join(", "),
    });
    let rooms = ROOMS.iter().zip(&uses);
    let wanted: Vec<(&str, &str)> = rooms.map(|((room, _), it)| (*room, it.as_str())).collect();
    assert_eq!(said, wanted, "the table of rooms in docs/ARCHITECTURE.md");
}
