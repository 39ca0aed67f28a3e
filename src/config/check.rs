//! Rules that one key's type cannot say: bounds, and keys that must fit each other.

use std::time::Duration;

use jiff::tz::TimeZone;
use tracing_subscriber::EnvFilter;

use super::channel::PREFIX_BYTES;
use super::load::Layers;
use super::problem::{ConfigProblems, KeyError};
use super::{Config, origin};
use crate::domain::visible;
use crate::identity::{KEY_BYTES, key_weakness};
use crate::keyfile::{self, KeyFileError};
use crate::telemetry::causes;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// One address' share, an eighth, holds a page.
const LEAST_MEMORY: u64 = 4 << 20;
const MOST_MEMORY: u64 = 1 << 40;
/// The smallest `store.max_size`: the log of changes alone takes half of it at times.
const LEAST_MAX_SIZE: u64 = 64 << 20;

/// How to make a key, for messages.
const KEY_ADVICE: &str = "make one with `openssl rand -hex 32`";

/// Notes everything that is wrong with these values.
pub fn check(config: &Config, layers: &Layers, problems: &mut ConfigProblems) {
    let mut checker = Checker { layers, problems };
    server(config, &mut checker);
    site(config, &mut checker);
    backends(config, &mut checker);
    session(config, &mut checker);
    durations(config, &mut checker);
    numbers(config, &mut checker);
    log(config, &mut checker);
}

struct Checker<'a> {
    layers: &'a Layers,
    problems: &'a mut ConfigProblems,
}

impl Checker<'_> {
    /// Notes a problem of `section.key` unless it holds.
    fn that(&mut self, holds: bool, key: &str, why: impl Into<String>) {
        if !holds {
            let (section, name) = key.split_once('.').unwrap_or((key, ""));
            self.problems
                .add(key, self.layers.source(section, name), why);
        }
    }

    /// Notes what is wrong with a key.
    fn fits<T>(&mut self, parsed: Result<T, KeyError>) {
        if let Err(KeyError { key, why }) = parsed {
            self.that(false, key, causes(&*why));
        }
    }
}

fn server(config: &Config, checker: &mut Checker<'_>) {
    let server = &config.server;
    if let Some(url) = &server.public_url {
        checker.that(
            origin::split(url).is_some(),
            "server.public_url",
            "must begin with https:// or http://",
        );
    }
    for network in &server.trusted_proxies {
        checker.that(
            network.prefix_len() > 0,
            "server.trusted_proxies",
            format!("{network} trusts everybody, so anybody could pretend to be anybody"),
        );
    }
    checker.that(
        server.operator_address() != Some(server.listen) || server.listen.port() == 0,
        "server.operator_listen",
        "is the same as server.listen; choose another port, or leave it empty",
    );
}

fn site(config: &Config, checker: &mut Checker<'_>) {
    let site = &config.site;
    checker.that(
        visible::shows(&site.name),
        "site.name",
        "must show something",
    );
    checker.that(
        site.tagline.is_empty() || visible::shows(&site.tagline),
        "site.tagline",
        "must show something, or be empty",
    );
    let texts = [
        ("site.name", &site.name, 60),
        ("site.tagline", &site.tagline, 200),
        ("site.rules", &site.rules, 10_000),
        ("site.contact", &site.contact, 500),
    ];
    for (key, text, most) in texts {
        checker.that(
            text.chars().count() <= most,
            key,
            format!("must be at most {most} characters"),
        );
    }
    checker.that(
        ["auto", "zh-TW", "en"].contains(&&*site.default_language),
        "site.default_language",
        "must be \"auto\", \"zh-TW\" or \"en\"",
    );
    if let Some(dir) = &config.assets.dir {
        checker.that(
            dir.is_dir(),
            "assets.dir",
            format!("{} is no folder that can be read", dir.display()),
        );
    }
}

fn backends(config: &Config, checker: &mut Checker<'_>) {
    checker.fits(config.store.target());
    channel(config, checker);
    checker.that(
        TimeZone::get(&config.chat.time_zone).is_ok(),
        "chat.time_zone",
        "must be an IANA name such as \"Asia/Taipei\" or \"UTC\"",
    );
}

fn channel(config: &Config, checker: &mut Checker<'_>) {
    let channel = &config.channel;
    checker.fits(channel.pool_server(&config.matching.url));
    let prefix = &channel.prefix;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b":_-.".contains(&b);
    checker.that(
        (1..=PREFIX_BYTES).contains(&prefix.len()) && prefix.bytes().all(plain),
        "channel.prefix",
        format!("must be 1 to {PREFIX_BYTES} of A-Z a-z 0-9 : _ - ."),
    );
    checker.that(
        ["fail", "standalone"].contains(&&*channel.when_unreachable),
        "channel.when_unreachable",
        "must be \"fail\" or \"standalone\"",
    );
    checker.that(
        !channel.standalone() || config.store.url.starts_with("sqlite:"),
        "channel.when_unreachable",
        "\"standalone\" is for SQLite only: with another store, other nodes may be running, and \
         this one would not hear them",
    );
}

fn session(config: &Config, checker: &mut Checker<'_>) {
    let session = &config.session;
    checker.that(
        session.key.is_none() || session.key_file.is_none(),
        "session.key_file",
        "session.key is set as well; keep one of them",
    );
    if let Err(why) = configured_key(config) {
        let key = match session.key {
            Some(_) => "session.key",
            None => "session.key_file",
        };
        checker.that(false, key, causes(&why));
    }
}

/// Why the configured key cannot be used. Never the key.
#[derive(Debug, thiserror::Error)]
pub enum SessionKeyError {
    /// Its file is not taken.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// It is not written as a key.
    #[error("must be {} hexadecimal digits; {KEY_ADVICE}", 2 * KEY_BYTES)]
    Digits,
    /// It is not made at random.
    #[error("anybody could know this key: {0}; {KEY_ADVICE}")]
    Weak(&'static str),
}

/// The key that the configuration gives, itself or by a file; `None` when it gives none.
///
/// # Errors
/// Why it cannot be used.
pub fn configured_key(config: &Config) -> Result<Option<[u8; KEY_BYTES]>, SessionKeyError> {
    let session = &config.session;
    if let Some(key) = &session.key {
        return parse_key(key.expose()).map(Some);
    }
    let Some(path) = &session.key_file else {
        return Ok(None);
    };
    let text = keyfile::read(path)?;
    parse_key(text.trim()).map(Some)
}

/// A key made at random, as hexadecimal digits.
fn parse_key(text: &str) -> Result<[u8; KEY_BYTES], SessionKeyError> {
    let mut key = [0; KEY_BYTES];
    let digits = text.len() == 2 * KEY_BYTES && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !digits {
        return Err(SessionKeyError::Digits);
    }
    for (index, byte) in key.iter_mut().enumerate() {
        let pair = &text[2 * index..2 * index + 2];
        *byte = u8::from_str_radix(pair, 16).expect("two hexadecimal digits");
    }
    match key_weakness(&key) {
        Some(why) => Err(SessionKeyError::Weak(why)),
        None => Ok(key),
    }
}

fn durations(config: &Config, checker: &mut Checker<'_>) {
    let Config {
        server,
        store,
        matching,
        chat,
        session,
        limits,
        ..
    } = config;
    let bounds = [
        ("server.drain_timeout", server.drain_timeout, MILLI, HOUR),
        (
            "server.drain_jitter",
            server.drain_jitter,
            Duration::ZERO,
            server.drain_timeout,
        ),
        ("server.keep_alive", server.keep_alive, SECOND, HOUR),
        ("store.timeout", store.timeout, 10 * MILLI, 5 * MINUTE),
        ("store.retention", store.retention, SECOND, 365 * DAY),
        (
            "matching.tag_patience",
            matching.tag_patience,
            Duration::ZERO,
            DAY,
        ),
        (
            "matching.repeat_patience",
            matching.repeat_patience,
            matching.tag_patience,
            DAY,
        ),
        ("matching.lease", matching.lease, 100 * MILLI, HOUR),
        (
            "chat.reconnect_grace",
            chat.reconnect_grace,
            10 * MILLI,
            7 * DAY,
        ),
        ("chat.arrival", chat.arrival, 10 * MILLI, HOUR),
        ("chat.longest", chat.longest, Duration::ZERO, 365 * DAY),
        (
            "chat.presence_settle",
            chat.presence_settle,
            Duration::ZERO,
            chat.reconnect_grace,
        ),
        ("session.lifetime", session.lifetime, SECOND, 400 * DAY),
        ("session.longest", session.longest, SECOND, 4000 * DAY),
        ("limits.flood", limits.flood, 100 * MILLI, HOUR),
        (
            "limits.header_timeout",
            limits.header_timeout,
            10 * MILLI,
            5 * MINUTE,
        ),
        (
            "limits.write_timeout",
            limits.write_timeout,
            10 * MILLI,
            5 * MINUTE,
        ),
        ("limits.heartbeat", limits.heartbeat, 10 * MILLI, HOUR),
    ];
    checker.that(
        chat.longest.is_zero() || chat.longest >= SECOND,
        "chat.longest",
        "must be at least 1s, or \"0s\" for no limit",
    );
    for (key, value, least, most) in bounds {
        let shown = |it| humantime::format_duration(it);
        checker.that(
            least <= value && value <= most,
            key,
            format!(
                "is {}; must be from {} to {}",
                shown(value),
                shown(least),
                shown(most)
            ),
        );
    }
}

fn numbers(config: &Config, checker: &mut Checker<'_>) {
    let limits = &config.limits;
    let bounds = [
        ("site.minimum_age", config.site.minimum_age.into(), 0, 120),
        ("limits.max_frame", limits.max_frame, 32 * 1024, 1 << 20),
        ("limits.in_flight", limits.in_flight as u64, 1, 256),
        ("limits.mailbox", limits.mailbox as u64, 8, 65_536),
        (
            "limits.messages_per_second",
            limits.messages_per_second.into(),
            0,
            1_000_000,
        ),
        (
            "limits.message_burst",
            limits.message_burst.into(),
            1,
            1_000_000,
        ),
        (
            "limits.message_bytes_per_second",
            limits.message_bytes_per_second,
            0,
            1 << 40,
        ),
        (
            "limits.message_bytes_burst",
            limits.message_bytes_burst,
            8 * 1024,
            1 << 40,
        ),
        (
            "limits.signals_per_second",
            limits.signals_per_second.into(),
            0,
            1_000_000,
        ),
        (
            "limits.sessions_per_minute",
            limits.sessions_per_minute.into(),
            0,
            1_000_000,
        ),
        (
            "limits.matches_per_minute",
            limits.matches_per_minute.into(),
            0,
            1_000_000,
        ),
        (
            "limits.requests_per_minute",
            limits.requests_per_minute.into(),
            0,
            1_000_000,
        ),
        (
            "limits.address_factor",
            limits.address_factor.into(),
            1,
            1_000_000,
        ),
        ("limits.room_entries", limits.room_entries, 1, 1_000_000),
        (
            "limits.blocks_per_session",
            limits.blocks_per_session as u64,
            1,
            10_000,
        ),
        ("limits.room_bytes", limits.room_bytes, 16 << 10, 1 << 40),
        ("limits.page_entries", limits.page_entries as u64, 1, 1_000),
        ("limits.page_bytes", limits.page_bytes, 16 << 10, 16 << 20),
        ("limits.bad_frames", limits.bad_frames.into(), 1, 1_000_000),
    ];
    let memory = limits.memory;
    checker.that(
        memory == 0 || (LEAST_MEMORY..=MOST_MEMORY).contains(&memory),
        "limits.memory",
        "must be from 4MiB to 1TiB, or \"0B\" for an eighth of what the machine has",
    );
    let max_size = config.store.max_size;
    checker.that(
        max_size == 0 || max_size >= LEAST_MAX_SIZE,
        "store.max_size",
        "must be at least 64MiB, or \"0B\" for no limit",
    );
    for (key, value, least, most) in bounds {
        checker.that(
            (least..=most).contains(&value),
            key,
            format!("is {value}; must be from {least} to {most}"),
        );
    }
}

fn log(config: &Config, checker: &mut Checker<'_>) {
    checker.that(
        EnvFilter::try_new(&config.log.filter).is_ok(),
        "log.filter",
        "must be a level such as \"info\" or a filter such as \"miyu=debug\"",
    );
}
