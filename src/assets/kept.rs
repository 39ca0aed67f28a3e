//! How long things are kept, as the privacy page says it: exact, and in the words of a language.

use std::time::Duration;

use super::language::Language;
use crate::config::Config;

/// What the configuration says about how long something is kept.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// A conversation after its end.
    pub retention: Duration,
    /// An open conversation at most; `None`: as long as its people like.
    pub longest: Option<Duration>,
    /// The place of a client that lost its connection.
    pub grace: Duration,
    /// A browser that does not come back.
    pub session: Duration,
    /// A browser that comes back.
    pub session_longest: Duration,
    /// How long two searches look for others before they lead to each other again.
    pub repeats: Duration,
}

impl Kept {
    /// As this server keeps them.
    pub fn of(config: &Config) -> Self {
        Self {
            retention: config.store.retention,
            longest: Some(config.chat.longest).filter(|it| !it.is_zero()),
            grace: config.chat.reconnect_grace,
            session: config.session.lifetime,
            session_longest: config.session.longest,
            repeats: config.matching.repeat_patience,
        }
    }
}

/// In words: one or two numbers with their units, as `assets/js/lib/time.js` says it. Never shorter than it
/// is, and not much longer: minutes count below ten hours, hours below ten days.
pub fn words(duration: Duration, language: &Language) -> String {
    let minutes = duration.as_millis().div_ceil(60_000).max(1);
    let hours = minutes.div_ceil(60);
    let parts = match (minutes, hours) {
        (..600, _) => [(minutes / 60, "time.hours"), (minutes % 60, "time.minutes")],
        (_, ..48) => [(hours, "time.hours"), (0, "")],
        (_, ..240) => [(hours / 24, "time.days"), (hours % 24, "time.hours")],
        _ => [(hours.div_ceil(24), "time.days"), (0, "")],
    };
    let said = parts.iter().filter(|(count, _)| *count > 0);
    let said: Vec<_> = said
        .map(|(count, key)| counted(language.word(key).unwrap_or("{n}"), *count))
        .collect();
    said.join(" ")
}

/// A text with `{n}` and `{n|one|many}` in it, of this number.
fn counted(text: &str, n: u128) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{n") {
        out.push_str(before);
        let (inside, behind) = after.split_once('}').unwrap_or((after, ""));
        let mut forms = inside.split('|').skip(1);
        match (forms.next(), forms.next()) {
            (Some(one), Some(many)) => out.push_str(if n == 1 { one } else { many }),
            _ => out.push_str(&n.to_string()),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::language::read_all;

    #[test]
    fn a_duration_is_never_shorter_than_it_is() {
        let texts = r#"{"time.minutes":"{n} {n|minute|minutes}","time.hours":"{n} {n|hour|hours}",
            "time.days":"{n} {n|day|days}"}"#;
        let files = |name: &str| (name == "words/en.json").then_some(texts.as_bytes());
        let all = read_all(&files, std::iter::empty()).unwrap();
        let english = all.iter().find(|it| it.tag() == "en").unwrap();
        let (minute, hour) = (60, 3600);
        for (seconds, wanted) in [
            (0, "1 minute"),
            (1, "1 minute"),
            (5 * minute, "5 minutes"),
            (5 * minute + 1, "6 minutes"),
            (hour, "1 hour"),
            (80 * minute, "1 hour 20 minutes"),
            (600 * minute - 1, "10 hours"),
            (24 * hour, "24 hours"),
            (47 * hour + 1, "2 days"),
            (73 * hour, "3 days 1 hour"),
            (30 * 24 * hour, "30 days"),
            (30 * 24 * hour + 1, "31 days"),
        ] {
            assert_eq!(words(Duration::from_secs(seconds), english), wanted);
        }
        assert_eq!(counted("{n", 3), "3");
    }
}
