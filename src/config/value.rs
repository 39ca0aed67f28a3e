//! The types that keys have: how each is read from TOML or text, and how it is written again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use figment::value::Value;
use jiff::tz::TimeZone;

use super::problem::ValueError;
use super::{Durability, LogFormat, Secret};

/// A type that a key can have.
pub trait Setting: Sized {
    /// What to write, for people: "must be …".
    const KIND: &'static str;
    /// The value is never shown.
    const SECRET: bool = false;

    /// Reads a TOML value.
    ///
    /// # Errors
    /// What it must be instead; never the value itself, which may be secret.
    fn parse(value: &Value) -> Result<Self, ValueError>;

    /// Writes it as TOML.
    fn show(&self) -> String;

    /// Reads the text of an environment variable or flag: as it is.
    fn from_text(text: &str) -> Value {
        Value::from(text)
    }
}

/// Types that are written as TOML strings.
macro_rules! textual {
    ($($type:ty, $kind:literal, |$text:ident| $parse:expr, |$it:ident| $show:expr;)*) => { $(
        impl Setting for $type {
            const KIND: &'static str = $kind;
            fn parse(value: &Value) -> Result<Self, ValueError> {
                let $text = value.as_str().ok_or_else(|| must_be::<Self>())?;
                $parse
            }
            fn show(&self) -> String {
                let $it = self;
                quote(&$show)
            }
        }
    )* };
}

textual! {
    String, "text in quotes", |text| Ok(text.to_owned()), |it| it.clone();
    PathBuf, "a path in quotes", |text| Ok(PathBuf::from(text)), |it| it.display().to_string();
    SocketAddr, "an address and port such as \"0.0.0.0:8000\" or \"[::]:8000\"",
        |text| text.parse().map_err(|_| must_be::<Self>()), |it| it.to_string();
    ipnet::IpNet, "a network such as \"10.0.0.0/8\" or an address",
        |text| network(text).ok_or_else(must_be::<Self>), |it| it.to_string();
    Duration, "a duration with its unit, such as \"500ms\", \"10s\", \"5m\" or \"24h\"",
        |text| duration(text), |it| humantime::format_duration(*it).to_string().replace(' ', "");
    Size, "a size with its unit, such as \"64KiB\" or \"1MiB\"",
        |text| size(text), |it| shown_size(it.0);
    TimeZone, "an IANA name such as \"Asia/Taipei\" or \"UTC\"",
        |text| Self::get(text).map_err(|_| must_be::<Self>()),
        |it| it.iana_name().map_or_else(|| "UTC".to_owned(), str::to_owned);
}

/// A choice among words.
pub trait Words: Copy + PartialEq + 'static {
    /// All of them, for people: "must be …".
    const KIND: &'static str;
    /// Each with what it means.
    const WORDS: &'static [(&'static str, Self)];

    /// The word of this choice.
    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, meaning)| *meaning == self);
        found.expect("every choice has a word").0
    }
}

impl<T: Words> Setting for T {
    const KIND: &'static str = <T as Words>::KIND;

    fn parse(value: &Value) -> Result<Self, ValueError> {
        let text = value.as_str().ok_or_else(must_be::<Self>)?;
        let found = Self::WORDS.iter().find(|(word, _)| *word == text);
        found
            .map(|(_, meaning)| *meaning)
            .ok_or_else(must_be::<Self>)
    }

    fn show(&self) -> String {
        quote(self.word())
    }
}

impl Words for Durability {
    const KIND: &'static str = "\"power\" or \"process\"";
    const WORDS: &'static [(&'static str, Self)] =
        &[("power", Self::Power), ("process", Self::Process)];
}

impl Words for LogFormat {
    const KIND: &'static str = "\"auto\", \"pretty\" or \"json\"";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("pretty", Self::Pretty),
        ("json", Self::Json),
    ];
}

/// The address of a service: shown without the password in it.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceUrl(String);

impl From<ServiceUrl> for String {
    fn from(url: ServiceUrl) -> String {
        url.0
    }
}

impl Setting for ServiceUrl {
    const KIND: &'static str = "an address in quotes";

    fn parse(value: &Value) -> Result<Self, ValueError> {
        let text = value.as_str().ok_or_else(must_be::<Self>)?;
        Ok(Self(text.to_owned()))
    }

    fn show(&self) -> String {
        quote(&without_password(&self.0))
    }
}

fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    let rest = match rest.rsplit_once('@') {
        Some((person, place)) => {
            let user = person.split_once(':').map(|(user, _)| format!("{user}:…"));
            format!("{}@{place}", user.as_deref().unwrap_or(person))
        }
        None => rest.to_owned(),
    };
    let query = query.map_or_else(String::new, |query| {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some(("password", _)) => "password=…",
            _ => pair,
        });
        format!("?{}", pairs.collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}://{rest}{query}")
}

/// Numbers; underscores are welcome, as in TOML.
macro_rules! numeric {
    ($($type:ty),*) => { $(
        impl Setting for $type {
            const KIND: &'static str = "a whole number from 0 up";
            fn parse(value: &Value) -> Result<Self, ValueError> {
                let number = value.to_i128().or_else(|| value.to_u128()?.try_into().ok());
                number
                    .and_then(|number| number.try_into().ok())
                    .ok_or_else(must_be::<Self>)
            }
            fn show(&self) -> String {
                self.to_string()
            }
            fn from_text(text: &str) -> Value {
                match text.trim().parse::<u64>() {
                    Ok(number) => Value::from(number),
                    Err(_) => Value::from(text),
                }
            }
        }
    )* };
}

numeric!(u8, u32, u64, usize);

impl Setting for bool {
    const KIND: &'static str = "true or false";

    fn parse(value: &Value) -> Result<Self, ValueError> {
        value.to_bool().ok_or_else(must_be::<Self>)
    }

    fn show(&self) -> String {
        self.to_string()
    }

    fn from_text(text: &str) -> Value {
        match text.trim() {
            "true" => Value::from(true),
            "false" => Value::from(false),
            _ => Value::from(text),
        }
    }
}

/// Empty text means "not set".
impl<T: Setting> Setting for Option<T> {
    const KIND: &'static str = T::KIND;
    const SECRET: bool = T::SECRET;

    fn parse(value: &Value) -> Result<Self, ValueError> {
        match value.as_str() {
            Some("") => Ok(None),
            _ => T::parse(value).map(Some),
        }
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| quote(""), T::show)
    }

    fn from_text(text: &str) -> Value {
        T::from_text(text)
    }
}

/// A TOML array; as text, its elements with commas between them.
impl<T: Setting> Setting for Vec<T> {
    const KIND: &'static str = "a list in brackets";

    fn parse(value: &Value) -> Result<Self, ValueError> {
        let elements = value.as_array().ok_or_else(must_be::<Self>)?;
        elements
            .iter()
            .map(|element| T::parse(element).map_err(|why| ValueError::Element(Box::new(why))))
            .collect()
    }

    fn show(&self) -> String {
        let elements: Vec<String> = self.iter().map(T::show).collect();
        format!("[{}]", elements.join(", "))
    }

    fn from_text(text: &str) -> Value {
        let text = text.trim();
        let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let elements = bare.unwrap_or(text).split(',');
        let elements = elements.map(|it| it.trim().trim_matches(['"', '\'']));
        Value::from(
            elements
                .filter(|it| !it.is_empty())
                .map(T::from_text)
                .collect::<Vec<_>>(),
        )
    }
}

impl<T: Setting> Setting for Secret<T> {
    const KIND: &'static str = T::KIND;
    const SECRET: bool = true;

    fn parse(value: &Value) -> Result<Self, ValueError> {
        T::parse(value).map(Self::new)
    }

    fn show(&self) -> String {
        quote("(set, not shown)")
    }

    fn from_text(text: &str) -> Value {
        T::from_text(text)
    }
}

/// A number of bytes, written with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(u64);

impl From<Size> for u64 {
    fn from(size: Size) -> u64 {
        size.0
    }
}

pub(super) fn must_be<T: Setting>() -> ValueError {
    ValueError::Kind(T::KIND)
}

fn duration(text: &str) -> Result<Duration, ValueError> {
    let text = text.trim();
    let bare = text.bytes().all(|b| b.is_ascii_digit());
    match humantime::parse_duration(text) {
        // humantime lets a bare 0 pass; "0s" says the same and can be read.
        Ok(duration) if !bare => Ok(duration),
        _ => Err(must_be::<Duration>()),
    }
}

fn size(text: &str) -> Result<Size, ValueError> {
    let text = text.trim();
    let has_unit = text.bytes().any(|b| b.is_ascii_alphabetic());
    match text.parse::<ByteSize>() {
        Ok(size) if has_unit => Ok(Size(size.as_u64())),
        _ => Err(must_be::<Size>()),
    }
}

/// The largest unit that divides it.
fn shown_size(bytes: u64) -> String {
    for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
        if bytes > 0 && bytes.trailing_zeros() >= shift {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    format!("{bytes}B")
}

fn network(text: &str) -> Option<ipnet::IpNet> {
    let text = text.trim();
    let alone = || text.parse::<std::net::IpAddr>().ok().map(Into::into);
    text.parse().ok().or_else(alone)
}

/// A TOML basic string.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_required() {
        assert_eq!(duration("5m").unwrap(), Duration::from_secs(300));
        assert_eq!(duration("1h30m").unwrap(), Duration::from_secs(5400));
        for bad in ["10", "0", "", "m", "5 parsecs"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert_eq!(size("64KiB").unwrap(), Size(65536));
        assert!(size("65536").is_err());
        assert!(Duration::parse(&Value::from(10)).is_err());
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        for seconds in [1, 60, 300, 5400, 86_400, 2_592_000] {
            let it = Duration::from_secs(seconds);
            let shown = it.show();
            assert_eq!(duration(shown.trim_matches('"')).unwrap(), it, "{shown}");
        }
        for bytes in [1, 1000, 1024, 65_536, 3 << 20] {
            assert_eq!(size(&shown_size(bytes)).unwrap(), Size(bytes));
        }
        assert_eq!(quote("a\"b\\c\n\u{1}"), "\"a\\\"b\\\\c\\n\\u0001\"");
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (address, shown) in [
            ("sqlite:data/miyu.db", "sqlite:data/miyu.db"),
            ("postgres://me@h/d", "postgres://me@h/d"),
            ("postgres://me:p@ss@h:1/d", "postgres://me:…@h:1/d"),
            ("redis://:secret@h", "redis://:…@h"),
            (
                "postgres://me@h/d?password=x&sslmode=require",
                "postgres://me@h/d?password=…&sslmode=require",
            ),
        ] {
            assert_eq!(without_password(address), shown);
        }
    }

    #[test]
    fn lists_are_read_from_text() {
        let value = Vec::<ipnet::IpNet>::from_text("10.0.0.0/8, 192.0.2.1");
        let networks = Vec::<ipnet::IpNet>::parse(&value).unwrap();
        assert_eq!(networks.show(), "[\"10.0.0.0/8\", \"192.0.2.1/32\"]");
        let value = Vec::<String>::from_text("[\"a\", 'b']");
        assert_eq!(Vec::<String>::parse(&value).unwrap(), ["a", "b"]);
    }
}
