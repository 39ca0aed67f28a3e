//! What the design forbids, read from the source: arrows that point outwards, files without an
//! opening, JSON or SQL or tasks in the wrong place.

use std::fs;
use std::path::{Path, PathBuf};

/// Rings, inside first. A module may use those of its own ring and of rings before it.
const RINGS: [&[&str]; 4] = [
    &["clock", "domain", "protocol"],
    &["channel", "keyfile", "matching", "redis", "store", "trim"],
    &[
        "admission",
        "config",
        "delivery",
        "identity",
        "machine",
        "tasks",
        "telemetry",
    ],
    &[
        "assets", "boot", "chat", "cli", "http", "lib", "lobby", "main", "state", "ws",
    ],
];

/// Arrows that point outwards on purpose.
const ALLOWED: [(&str, &str, &str); 4] = [
    (
        "protocol",
        "matching",
        "the lobby's frames say which phase of matching somebody is in: a pure enum",
    ),
    ("store", "telemetry", "names of metrics are constants"),
    ("channel", "telemetry", "names of metrics are constants"),
    ("matching", "telemetry", "names of metrics are constants"),
];

/// One source file: path below `src/`, text without the tests at its end.
struct Source {
    path: String,
    text: String,
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let sources = files.into_iter().map(|file| {
        let text = fs::read_to_string(&file).unwrap();
        let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
        let path = file.strip_prefix(&root).unwrap().to_str().unwrap();
        Source {
            path: path.to_owned(),
            code: without_comments(&text[..tests]),
            text,
        }
    });
    sources.collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
}

fn without_comments(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect()
}

/// Files of unit tests, which may reach anywhere.
fn is_test(path: &str) -> bool {
    path.ends_with("tests.rs") || path.contains("/tests/")
}

fn module(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap()
}

fn ring(module: &str) -> usize {
    RINGS
        .iter()
        .position(|ring| ring.contains(&module))
        .unwrap_or_else(|| panic!("module `{module}` belongs to no ring: add it to RINGS"))
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
    assert!(ring("http") > ring("store") && ring("store") > ring("domain"));
}

#[test]
fn arrows_point_inwards() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|it| !is_test(&it.path)) {
        let from = module(&source.path);
        if ["lib", "main"].contains(&from) {
            continue;
        }
        for to in named(&source.code) {
            let allowed = ALLOWED.iter().any(|(a, b, _)| *a == from && *b == to);
            if ring(&to) > ring(from) && !allowed {
                wrong.push(format!("{}: {from} uses {to}", source.path));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(
        wrong.is_empty(),
        "arrows that point outwards:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_file_says_what_it_is() {
    for source in sources() {
        let opens = source.text.starts_with("//! ");
        assert!(opens, "src/{} does not open with `//! `", source.path);
    }
}

#[test]
fn words_stay_where_they_belong() {
    // What must not be written, where it may be all the same, and why.
    let rules: [(&[&str], &[&str], &str); 9] = [
        (
            &["\"action\"", "\\\"action\\\""],
            &["protocol/"],
            "the JSON of the sockets is known to protocol/ only",
        ),
        (
            &["SELECT ", "INSERT INTO", "DELETE FROM", "CREATE TABLE"],
            &["store/"],
            "SQL is known to store/ only",
        ),
        (
            &["rusqlite"],
            &["store/sqlite"],
            "driver types never leave their backend",
        ),
        (
            &["tokio_postgres", "deadpool"],
            &["store/postgres"],
            "driver types never leave their backend",
        ),
        (
            &["use redis::", "redis::aio", "RedisError"],
            &["redis", "channel/redis", "matching/redis"],
            "driver types never leave their backend",
        ),
        (
            &["tokio::spawn(", "task::spawn("],
            &["tasks.rs"],
            "every task is tracked: use tasks::Drain::spawn",
        ),
        (
            &["println!", "print!", "dbg!"],
            &[],
            "it panics where nothing can be written: use tracing, or telemetry::log::say",
        ),
        (
            &["io::stderr()", "stdio::stderr"],
            &["telemetry/", "cli.rs", "boot/descriptors.rs"],
            "it may be closed, full or not read: use tracing, or telemetry::log::say",
        ),
        (
            &["unbounded_channel", "mpsc::channel()"],
            &[],
            "every queue has a bound",
        ),
    ];
    for source in sources().iter().filter(|it| !is_test(&it.path)) {
        for (words, places, why) in rules {
            if places.iter().any(|place| source.path.starts_with(place)) {
                continue;
            }
            for word in words {
                assert!(
                    !source.code.contains(word),
                    "src/{} has {word}: {why}",
                    source.path
                );
            }
        }
    }
}

#[test]
fn the_core_reads_no_clock_and_does_no_io() {
    let pure = [
        "domain/",
        "protocol/",
        "matching/rule",
        "lobby/",
        "chat/",
        "ws/heartbeat.rs",
        "admission/conduct.rs",
    ];
    let banned = [
        "tokio::",
        "std::fs",
        // Addresses are values; sockets and names that are looked up are not.
        "TcpListener",
        "TcpStream",
        "UdpSocket",
        "ToSocketAddrs",
        "Instant::now",
        "SystemTime",
        "clock::now",
        "Now::read",
    ];
    for source in sources().iter().filter(|it| !is_test(&it.path)) {
        if pure.iter().any(|place| source.path.starts_with(place)) {
            for word in banned {
                assert!(
                    !source.code.contains(word),
                    "src/{} has {word}",
                    source.path
                );
            }
        }
    }
}

#[test]
fn every_bound_says_its_bytes() {
    use miyu::admission::holdings::BOUNDS;
    let text = include_str!("../../docs/ARCHITECTURE.md");
    let (_, table) = text
        .split_once("| what | bound | when it is full | bytes |\n")
        .unwrap();
    let rows = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    let mut said = std::collections::HashMap::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(
            cells.len(),
            4,
            "say in a fourth column what this comes to in bytes, or – when another row or the budget \
             holds it: {row}"
        );
        said.insert(cells[0], cells[3]);
    }
    for bound in &BOUNDS {
        let bytes = said.remove(bound.what);
        assert_eq!(bytes, Some(bound.shown().as_str()), "{}", bound.what);
    }
    said.retain(|_, bytes| *bytes != "–");
    assert!(
        said.is_empty(),
        "admission/holdings.rs does not add up {said:?}"
    );
}

#[test]
fn what_can_be_held_is_as_documented() {
    use miyu::admission::holdings::{CONNECTION, holdings};
    use miyu::admission::machine::Machine;
    const MIB: u64 = 1 << 20;
    let machine = Machine {
        memory: 2048 * MIB,
        said_by: "test",
    };
    let held = holdings(&miyu::config::Limits::default(), machine);
    let text = include_str!("../../docs/ARCHITECTURE.md");
    let share = machine.budget(0) / 8 / MIB;
    for figure in [
        format!("counts with {} KiB", CONNECTION / 1024),
        format!("one address can hold {} MiB", held.address / MIB),
        format!("a share of {share} MiB"),
        format!(
            "can hold {} MiB. The kernel",
            thousands(held.everything / MIB)
        ),
    ] {
        assert!(
            text.contains(&figure),
            "ARCHITECTURE.md should say: {figure}"
        );
    }
}

fn thousands(n: u64) -> String {
    match n {
        0..1000 => n.to_string(),
        _ => format!("{},{:03}", n / 1000, n % 1000),
    }
}
