//! Configuration: layers, units, messages that help, and the sample file that cannot go stale.

use std::path::PathBuf;
use std::time::Duration;

use miyu::config::{self, ConfigProblems, Given, Loaded, SECTIONS, sample};

mod site;

/// Loads from a file's text and variables, without this machine's own.
fn load(toml: &str, variables: &[(&str, &str)]) -> Result<Loaded, ConfigProblems> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("test.toml");
    std::fs::write(&path, toml).unwrap();
    let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    config::load(Given {
        file: Some(path),
        environment: variables.iter().map(own).collect(),
        flags: Vec::new(),
    })
}

/// The problems as one text.
fn refused(toml: &str, variables: &[(&str, &str)]) -> String {
    load(toml, variables).unwrap_err().to_string()
}

#[test]
fn the_sample_is_generated_and_changes_nothing() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/miyu.toml");
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(
        kept == sample::sample(),
        "config/miyu.toml is stale: run `cargo run -- default-config > config/miyu.toml`"
    );
    let as_it_is = load(&kept, &[]).unwrap();
    assert_eq!(
        sample::effective(&as_it_is),
        sample::effective(&load("", &[]).unwrap())
    );
}

#[test]
fn every_key_of_the_sample_can_be_uncommented() {
    let uncommented: String = sample::sample()
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key) if is_key(key) => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let loaded = load(&uncommented, &[]).unwrap();
    for section in &SECTIONS {
        for key in section.keys {
            let (value, source) = loaded.effective(section.name, key);
            assert!(
                source.ends_with("test.toml"),
                "{}.{}: {source}",
                section.name,
                key.name
            );
            assert!(!value.is_empty());
            assert!(!key.doc.is_empty(), "{} has no doc", key.name);
        }
    }
}

fn is_key(line: &str) -> bool {
    line.split_once(" = ")
        .is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
}

#[test]
fn each_layer_overrides_the_one_below() {
    let toml =
        "[server]\nlisten = \"127.0.0.1:1\"\n[chat]\narrival = \"30s\"\n[limits]\nmailbox = 64\n";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("test.toml");
    std::fs::write(&path, toml).unwrap();
    let loaded = config::load(Given {
        file: Some(path.clone()),
        environment: vec![
            ("MIYU_SERVER__LISTEN".into(), "127.0.0.1:2".into()),
            ("MIYU_LIMITS__MAILBOX".into(), "128".into()),
        ],
        flags: vec![("server.listen", "127.0.0.1:3".into())],
    })
    .unwrap();
    assert_eq!(loaded.config.server.listen.port(), 3);
    assert_eq!(loaded.config.limits.mailbox, 128);
    assert_eq!(loaded.config.chat.arrival, Duration::from_secs(30));
    assert_eq!(loaded.config.limits.in_flight, 16);
    let effective = sample::effective(&loaded);
    assert!(
        effective.contains("listen = \"127.0.0.1:3\"  # flag"),
        "{effective}"
    );
    assert!(effective.contains("mailbox = 128  # MIYU_LIMITS__MAILBOX"));
    assert!(effective.contains(&format!("arrival = \"30s\"  # {}", path.display())));
    assert!(effective.contains("in_flight = 16  # default"));
}

#[test]
fn variables_take_raw_text() {
    let secret = "5f".repeat(16) + &"a1".repeat(16);
    let loaded = load(
        "",
        &[
            ("MIYU_SITE__NAME", "123"),
            ("MIYU_SITE__TAGLINE", "[\"not a list\"]"),
            ("MIYU_SESSION__KEY", &("0123".repeat(15) + "9876")),
            ("MIYU_SERVER__TRUSTED_PROXIES", "10.0.0.0/8,192.0.2.1"),
            ("MIYU_MATCHING__SAME_SESSION", "false"),
            ("MIYU_SERVER__PUBLIC_URL", ""),
            ("MIYU_HOME", "somebody else's"),
            ("OTHER__THING", "x"),
        ],
    );
    drop(secret);
    let config = loaded.unwrap().config;
    assert_eq!(config.site.name, "123");
    assert_eq!(config.site.tagline, "[\"not a list\"]");
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert!(!config.matching.same_session);
    assert_eq!(config.server.public_url, None);
}

#[test]
fn what_stands_around_a_variable_is_no_part_of_it() {
    for around in ["\r", " ", "\t\r\n"] {
        let value = |text: &str| format!("{text}{around}");
        let url = value("sqlite:other.db");
        let (listen, name) = (value("127.0.0.1:8123"), value("Talk"));
        let (durability, longest) = (value("process"), value("2h"));
        let variables = [
            ("MIYU_STORE__URL", &*url),
            ("MIYU_SERVER__LISTEN", &*listen),
            ("MIYU_SITE__NAME", &*name),
            ("MIYU_STORE__DURABILITY", &*durability),
            ("MIYU_CHAT__LONGEST", &*longest),
        ];
        let loaded = load("", &variables).unwrap();
        let effective = sample::effective(&loaded);
        for shown in [
            "url = \"sqlite:other.db\"",
            "listen = \"127.0.0.1:8123\"",
            "name = \"Talk\"",
            "durability = \"process\"",
            "longest = \"2h\"",
        ] {
            assert!(effective.contains(shown), "{around:?}: {effective}");
        }
    }
}

#[test]
fn a_public_url_of_any_script_is_the_name_that_browsers_ask_for() {
    let set = |url: &str| load("", &[("MIYU_SERVER__PUBLIC_URL", url)]);
    let loaded = set("https://聊天.example").unwrap();
    let url = loaded.config.server.public_url.as_deref();
    assert_eq!(url, Some("https://xn--rss932g.example"));
    assert!(sample::effective(&loaded).contains("public_url = \"https://xn--rss932g.example\""));
    for (never, why) in [
        ("https://chat.example/talk", "host name of its own"),
        ("https://*.example", "list each name"),
        ("wss://chat.example", "write that of the page, https://"),
        (
            "capacitor://localhost",
            "must begin with https:// or http://",
        ),
    ] {
        let refused = set(never).unwrap_err().to_string();
        assert!(
            refused.contains("server.public_url") && refused.contains(why),
            "{refused}"
        );
    }
}

#[test]
fn operators_have_an_address_a_neighbour_or_none() {
    let of = |text: &str| {
        let loaded = load("", &[("MIYU_SERVER__OPERATOR_LISTEN", text)]);
        loaded.map(|it| it.config.server.operator_address().map(|it| it.to_string()))
    };
    assert_eq!(of("").unwrap().as_deref(), Some("127.0.0.1:8001"));
    assert_eq!(of("off").unwrap(), None);
    assert_eq!(of("[::1]:9").unwrap().as_deref(), Some("[::1]:9"));
    let refused = of("on").unwrap_err().to_string();
    assert!(refused.contains("\"off\" or empty"), "{refused}");
}

#[test]
fn everything_wrong_is_told_at_once_with_its_source() {
    let toml = "
[server]
listn = \"127.0.0.1:8000\"
public_url = \"https://a/b\"
[chat]
arrival = 20
time_zone = \"Mars/Olympus\"
[limit]
mailbox = 3
[limits]
mailbox = 3
max_frame = \"64\"
";
    let text = refused(
        toml,
        &[("MIYU_LOG__FORMAT", "xml"), ("MIYU_LIMITS__LISTEN", "1")],
    );
    for part in [
        "has 9 problems",
        "server.listn (",
        "did you mean `server.listen`?",
        "server.public_url (",
        "chat.arrival (",
        "must be a duration with its unit",
        "chat.time_zone (",
        "[limit] (",
        "did you mean `limits`?",
        "limits.mailbox (",
        "must be from 8 to 65536",
        "limits.max_frame (",
        "must be a size with its unit",
        "log.format (MIYU_LOG__FORMAT)",
        "limits.listen (MIYU_LIMITS__LISTEN): is unknown; did you mean `server.listen`?",
        "test.toml",
    ] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

#[test]
fn an_address_of_the_pool_needs_a_channel_and_names_one_server() {
    let alone = refused("[matching]\nurl = \"redis://localhost\"\n", &[]);
    assert!(
        alone.contains("matching.url") && alone.contains("needs channel.url"),
        "{alone}"
    );
    let channel = "[channel]\nurl = \"redis://localhost\"\n[matching]\nurl = ";
    for (url, why) in [
        ("redis://a,redis://b", "one server"),
        ("memory:", "matching.url"),
    ] {
        let text = refused(&format!("{channel}\"{url}\"\n"), &[]);
        assert!(text.contains(why), "{url}: {text}");
    }
    load(&format!("{channel}\"redis://elsewhere/3\"\n"), &[]).unwrap();
}

#[test]
fn keys_that_do_not_fit_each_other_are_refused() {
    let text = refused(
        "[matching]\ntag_patience = \"30s\"\nrepeat_patience = \"20s\"\n\
         [server]\noperator_listen = \"127.0.0.1:8000\"\ntrusted_proxies = [\"0.0.0.0/0\"]\n\
         [session]\nkey_file = \"/nowhere/key\"\n[assets]\ndir = \"/nowhere\"\n",
        &[],
    );
    for key in [
        "matching.repeat_patience",
        "server.operator_listen",
        "server.trusted_proxies",
        "session.key_file",
        "assets.dir",
    ] {
        assert!(text.contains(&format!("{key} (")), "no {key} in:\n{text}");
    }
    let both = refused("[session]\nkey = \"00\"\nkey_file = \"x\"\n", &[]);
    assert!(both.contains("keep one of them"), "{both}");
}

#[test]
fn keys_that_anybody_knows_are_refused_and_never_shown() {
    for weak in [
        "00".repeat(32),
        "ab".repeat(32),
        "0f1e2d3c4b5a69788796a5b4c3d2e1f000112233445566778899aabbccddeeff".into(),
    ] {
        let text = refused("", &[("MIYU_SESSION__KEY", &weak)]);
        assert!(text.contains("anybody could know this key"), "{text}");
        assert!(!text.contains(&weak));
    }
    let good = "8e2f0c4b7d19a365".repeat(3) + "00aa11bb22cc33dd";
    let loaded = load("", &[("MIYU_SESSION__KEY", &good)]).unwrap();
    assert!(!sample::effective(&loaded).contains(&good));
    assert!(!format!("{:?}", loaded.config).contains(&good));
}

#[test]
fn a_file_that_is_named_must_be_there_and_be_toml() {
    let missing = config::load(Given {
        file: Some(PathBuf::from("/nowhere/miyu.toml")),
        ..Given::default()
    });
    let text = missing.unwrap_err().to_string();
    assert!(text.contains("/nowhere/miyu.toml"), "{text}");
    let broken = refused("[server\nlisten = ", &[]);
    assert!(broken.contains("is not TOML"), "{broken}");
    let flat = refused("server = 3\n", &[]);
    assert!(flat.contains("must be a section"), "{flat}");
}

/// Each key with bounds, and values just outside of them.
const OUT_OF_BOUNDS: &str = "
server.drain_timeout 999us 3601s
server.keep_alive 999ms 3601s
site.minimum_age 121
store.timeout 9ms 301s
store.retention 999ms 366days
store.max_size 63MiB
matching.tag_patience 25h
matching.repeat_patience 25h
matching.lease 9999ms 3601s
chat.reconnect_grace 9ms 8days
chat.arrival 9ms 3601s
chat.longest 999ms 366days
session.lifetime 999ms 401days
session.longest 999ms 4001days
limits.max_frame 31KiB 1025KiB
limits.in_flight 0 257
limits.mailbox 7 65537
limits.messages_per_second 1000001
limits.message_burst 0 1000001
limits.message_bytes_per_second 1025GiB
limits.message_bytes_burst 7KiB 1025GiB
limits.signals_per_second 1000001
limits.sessions_per_minute 1000001
limits.matches_per_minute 1000001
limits.requests_per_minute 1000001
limits.address_factor 0 1000001
limits.memory 4095KiB 1025GiB
limits.room_entries 0 1000001
limits.room_bytes 15KiB 1025GiB
limits.blocks_per_session 0 10001
limits.page_entries 0 1001
limits.page_bytes 15KiB 17MiB
limits.bad_frames 0 1000001
limits.flood 99ms 3601s
limits.header_timeout 9ms 301s
limits.write_timeout 9ms 301s
limits.heartbeat 9ms 3601s
";

#[test]
fn what_is_out_of_bounds_is_refused_with_its_bounds() {
    for line in OUT_OF_BOUNDS.trim().lines() {
        let mut words = line.split(' ');
        let key = words.next().unwrap();
        let variable = format!("MIYU_{}", key.replacen('.', "__", 1).to_ascii_uppercase());
        for value in words {
            let text = refused("", &[(&variable, value)]);
            assert!(
                text.contains(&format!("{key} ({variable}): is ")) && text.contains("; must be "),
                "{key} = {value}: {text}"
            );
        }
    }
    let none = "[chat]\nlongest = \"0s\"\n[limits]\nmemory = \"0B\"\n[store]\nmax_size = \"0B\"\n";
    load(none, &[]).unwrap();
}

#[test]
fn durations_that_contradict_each_other_are_refused() {
    for (toml, key, other) in [
        (
            "[server]\ndrain_jitter = \"16s\"",
            "server.drain_jitter",
            "server.drain_timeout",
        ),
        (
            "[matching]\nrepeat_patience = \"9s\"",
            "matching.repeat_patience",
            "matching.tag_patience",
        ),
        (
            "[chat]\npresence_settle = \"6m\"",
            "chat.presence_settle",
            "chat.reconnect_grace",
        ),
    ] {
        let text = refused(toml, &[]);
        assert!(
            text.contains(&format!("{key} (")) && text.contains(other),
            "{text}"
        );
    }
}
