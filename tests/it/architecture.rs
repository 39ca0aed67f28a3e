//! What the design forbids, read from the source: arrows that point outwards, files without an
//! opening, JSON or SQL or tasks in the wrong place.

use self::sources::{is_test, sources};

mod bounds;
mod rooms;
mod sources;

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
    let rules: [(&[&str], &[&str], &str); 10] = [
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
            &["catch_unwind"],
            &["tasks.rs"],
            "what a panic ends is decided once: use tasks::supervised or tasks::restarted",
        ),
        (
            &["println!", "print!", "dbg!"],
            &[],
            "it panics where nothing can be written: use tracing, or telemetry::log::say",
        ),
        (
            &["io::stderr()", "stdio::stderr"],
            &["telemetry/", "cli/announcement.rs", "boot/descriptors.rs"],
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
        "ws/charging.rs",
        "ws/heartbeat.rs",
        "admission/abuse.rs",
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
    // What the machines of a feature ask for is done beside them.
    let effects = [
        "lobby/effects",
        "lobby/figures",
        "chat/effects",
        "chat/access",
    ];
    for source in sources().iter().filter(|it| !is_test(&it.path)) {
        let among = |places: &[&str]| places.iter().any(|it| source.path.starts_with(it));
        if among(&pure) && !among(&effects) {
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
fn errors_have_types_and_keep_their_causes() {
    let files = sources();
    let files = files.iter().filter(|it| !is_test(&it.path));
    let found: Vec<String> = files
        .flat_map(|source| {
            textual_errors(&source.code).map(|it| format!("src/{}: {it}", source.path))
        })
        .collect();
    assert!(
        found.is_empty(),
        "a text cannot be told from another one and has lost its cause: make the error a type\n{}",
        found.join("\n")
    );
}

/// Heads of functions whose error is a text.
fn textual_errors(code: &str) -> impl Iterator<Item = &str> {
    let heads = code.match_indices("fn ").map(|(at, _)| {
        let head = &code[at..];
        &head[..head.find(['{', ';']).unwrap_or(head.len())]
    });
    heads.filter(|head| {
        let answer = head.rsplit_once("->").map_or("", |(_, answer)| answer);
        let answer: String = answer.split_whitespace().collect();
        let error = answer.trim_end_matches('>');
        answer.contains("Result<")
            && [",String", ",String)", ",&'staticstr", ",Cow<'static,str"]
                .iter()
                .any(|text| error.ends_with(text))
    })
}

#[test]
fn the_reader_sees_an_error_that_is_a_text() {
    let code = "pub fn a(it: &str) -> Result<(), String> {}\n    pub(super) async fn b(\n        &self,\n    ) -> \
                RedisResult<Result<u8, String>> {\n}\nfn c() -> Result<String, Typed>;\n    fn d(&self) -> \
                Result<Option<u8>, (&'static str, String)> {}\n fn e() -> Result<Map<u8, String>, Typed> {}\n";
    assert_eq!(textual_errors(code).count(), 3);
}
