//! Rules that one key's type and bounds cannot say: keys that must fit each other, texts that must show
//! something, files that must be there.

use std::collections::HashSet;

use tracing_subscriber::EnvFilter;

use super::channel::PREFIX_BYTES;
use super::load::Layers;
use super::problem::{ConfigProblems, KeyError};
use super::push;
use super::{Config, Site, StorePlace, Topic, WhenUnreachable, origin};
use crate::domain::visible;
use crate::identity::{KEY_BYTES, key_weakness};
use crate::keyfile::{self, KeyFileError};
use crate::telemetry::causes;

/// More topics than these are no choice but a search.
const MOST_TOPICS: usize = 12;
/// More first sentences than these are read by no one.
const MOST_STARTERS: usize = 24;
/// They stand on buttons, above a phone's keyboard.
const STARTER_CHARS: usize = 80;

/// How to make a key, for messages.
const KEY_ADVICE: &str = "make one with `openssl rand -hex 32`";

/// Notes everything that is wrong with these values.
pub fn check(config: &Config, layers: &Layers, problems: &mut ConfigProblems) {
    let mut checker = Checker { layers, problems };
    server(config, &mut checker);
    site(config, &mut checker);
    backends(config, &mut checker);
    session(config, &mut checker);
    checker.that(
        !config.push.enabled || push::contact(config).is_some(),
        "push.contact",
        "push services want to know where they can write: set it, or site.contact, or an https:// server.public_url",
    );
    checker.that(
        !config.push.enabled || config.assets.service_worker,
        "push.enabled",
        "browsers are called by the service worker: set assets.service_worker = true, or leave push off",
    );
    durations(config, &mut checker);
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
    ];
    for (key, text, most) in texts {
        checker.that(
            text.chars().count() <= most,
            key,
            format!("must be at most {most} characters"),
        );
    }
    checker.that(
        site.starters.len() <= MOST_STARTERS,
        "site.starters",
        format!("must be at most {MOST_STARTERS} sentences"),
    );
    for (_, text) in site.starters() {
        checker.that(
            visible::shows(text) && text.chars().count() <= STARTER_CHARS && !text.contains(char::is_control),
            "site.starters",
            format!("must be sentences of one line, each of at most {STARTER_CHARS} characters: {text:?}"),
        );
    }
    topics(site, checker);
    if let Some(dir) = &config.assets.dir {
        checker.that(
            dir.is_dir(),
            "assets.dir",
            format!("{} is no folder that can be read", dir.display()),
        );
    }
}

fn topics(site: &Site, checker: &mut Checker<'_>) {
    checker.that(
        site.topics.len() <= MOST_TOPICS,
        "site.topics",
        format!("must be at most {MOST_TOPICS} topics"),
    );
    let words = site.topics.iter().flat_map(Topic::words);
    let mut seen = HashSet::new();
    for word in words {
        checker.that(
            seen.insert(word.to_lowercase()),
            "site.topics",
            format!("must be words of one topic each; {word:?} stands there twice"),
        );
    }
}

fn backends(config: &Config, checker: &mut Checker<'_>) {
    let place = config.store.place();
    checker.that(
        config.channel.when_unreachable == WhenUnreachable::Fail
            || !matches!(place, Ok(StorePlace::Postgres(_))),
        "channel.when_unreachable",
        "\"standalone\" is for SQLite only: with another store, other nodes may be running, and this one \
         would not hear them",
    );
    checker.fits(place);
    channel(config, checker);
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

/// Durations that another one bounds. What bounds each alone stands beside its key.
fn durations(config: &Config, checker: &mut Checker<'_>) {
    let Config {
        server,
        matching,
        chat,
        ..
    } = config;
    let shown = |it| humantime::format_duration(it);
    checker.that(
        server.drain_jitter <= server.drain_timeout,
        "server.drain_jitter",
        format!(
            "is {}; must be at most server.drain_timeout, which is {}",
            shown(server.drain_jitter),
            shown(server.drain_timeout)
        ),
    );
    checker.that(
        matching.repeat_patience >= matching.tag_patience,
        "matching.repeat_patience",
        format!(
            "is {}; must be at least matching.tag_patience, which is {}",
            shown(matching.repeat_patience),
            shown(matching.tag_patience)
        ),
    );
    checker.that(
        chat.presence_settle <= chat.reconnect_grace,
        "chat.presence_settle",
        format!(
            "is {}; must be at most chat.reconnect_grace, which is {}",
            shown(chat.presence_settle),
            shown(chat.reconnect_grace)
        ),
    );
}

fn log(config: &Config, checker: &mut Checker<'_>) {
    checker.that(
        EnvFilter::try_new(&config.log.filter).is_ok(),
        "log.filter",
        "must be a level such as \"info\" or a filter such as \"miyu=debug\"",
    );
}
