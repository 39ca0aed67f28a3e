//! Origins as browsers write them: scheme and host, nothing else. What is configured is brought into that
//! form once, or refused with the reason: an origin that no browser ever sends would match nothing, and
//! say nothing.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Deref;

use figment::value::Value;

use super::problem::ValueError;
use super::value::{Setting, must_be, quote};

/// Longest name that DNS has.
const NAME_BYTES: usize = 253;
/// Longest part of it.
const LABEL_BYTES: usize = 63;
/// Schemes whose pages have no origin of their own, or that no page is loaded by.
const WITHOUT_ORIGIN: [&str; 7] = [
    "about",
    "blob",
    "data",
    "file",
    "filesystem",
    "ftp",
    "javascript",
];

/// Why no browser would ever send such an origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// It has no scheme.
    #[error("must be scheme and host, such as \"https://chat.example\"")]
    NoScheme,
    /// It goes on behind the host.
    #[error(
        "must be scheme and host only. A site cannot be under a path of its host: it needs a host name of its own"
    )]
    Path,
    /// It names a user.
    #[error("must be scheme and host only, without a user")]
    User,
    /// It is the address of a socket; the scheme of its page.
    #[error("is the scheme of a socket; write that of the page, {0}://")]
    Socket(String),
    /// Pages of this scheme have no origin.
    #[error("pages of {0}: have no origin that a browser would say; serve them by https")]
    Opaque(String),
    /// What stands for the scheme is none.
    #[error("has no scheme before its \"://\"")]
    Scheme,
    /// Its port is none.
    #[error("has no port after its \":\"; ports are from 1 to 65535")]
    Port,
    /// What stands in brackets is no address.
    #[error("has no IPv6 address in its brackets")]
    Brackets,
    /// Browsers write this IPv4 address otherwise.
    #[error("is an IPv4 address in disguise; write {0}")]
    Mapped(Ipv4Addr),
    /// It is meant for many names.
    #[error("has a *, which stands for nothing here; list each name")]
    Wildcard,
    /// Browsers take no such name.
    #[error("has no host name that browsers take")]
    Host,
    /// DNS has no such name.
    #[error("has no host name that DNS could have")]
    Dns,
    /// It ends as an address does, and is none.
    #[error(
        "ends in a number, so browsers take it for an IPv4 address, but is none; write all four numbers"
    )]
    Numbers,
    /// The pages of an app of this scheme have a host.
    #[error("needs the host that the app's pages have, such as \"{0}://localhost\"")]
    AppHost(String),
}

/// An origin that was configured, as browsers write it. Of http and https by a name that can be asked
/// for; of any other scheme as the pages in an app have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Brings it into the form that browsers send.
    ///
    /// # Errors
    /// Why no browser would ever send it.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").ok_or(OriginError::NoScheme)?;
        let scheme = scheme.to_ascii_lowercase();
        let host = rest.strip_suffix('/').unwrap_or(rest);
        if host.contains(['/', '?', '#']) {
            return Err(OriginError::Path);
        }
        if host.contains('@') {
            return Err(OriginError::User);
        }
        match scheme.as_str() {
            "http" | "https" => web_host(host, scheme == "https"),
            "ws" | "wss" => Err(OriginError::Socket(scheme.replacen("ws", "http", 1))),
            _ if WITHOUT_ORIGIN.contains(&&*scheme) => Err(OriginError::Opaque(scheme.clone())),
            _ => app_host(&scheme, host),
        }
        .map(|host| Self(format!("{scheme}://{host}")))
    }
}

impl Deref for Origin {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Setting for Origin {
    const KIND: &'static str = "scheme and host in quotes, such as \"https://chat.example\"";

    fn parse(value: &Value) -> Result<Self, ValueError> {
        let text = value.as_str().ok_or_else(must_be::<Self>)?;
        Ok(Self::parse(text)?)
    }

    fn show(&self) -> String {
        quote(&self.0)
    }
}

/// Host and port as browsers write them for http and https.
fn web_host(host: &str, https: bool) -> Result<String, OriginError> {
    let (name, port) = match host.rfind(':').filter(|_| !host.ends_with(']')) {
        Some(colon) => (&host[..colon], &host[colon + 1..]),
        None => (host, ""),
    };
    let usual = if https { 443 } else { 80 };
    let port = match port {
        "" => usual,
        digits => match digits.parse::<u16>() {
            Ok(port) if port > 0 && digits.bytes().all(|b| b.is_ascii_digit()) => port,
            _ => return Err(OriginError::Port),
        },
    };
    let name = name_of(name)?;
    Ok(match port == usual {
        true => name,
        false => format!("{name}:{port}"),
    })
}

/// A host name or address as browsers write it: of other scripts than Latin, the name that DNS has.
fn name_of(name: &str) -> Result<String, OriginError> {
    if let Some(address) = name.strip_prefix('[') {
        let address = address.strip_suffix(']').unwrap_or(address);
        let address: Ipv6Addr = address.parse().map_err(|_| OriginError::Brackets)?;
        return match address.to_ipv4_mapped() {
            Some(v4) => Err(OriginError::Mapped(v4)),
            None => Ok(format!("[{address}]")),
        };
    }
    if name.contains('*') {
        return Err(OriginError::Wildcard);
    }
    let ascii = idna::domain_to_ascii_cow(name.as_bytes(), idna::AsciiDenyList::URL)
        .map_err(|_| OriginError::Host)?;
    let ascii = ascii.strip_suffix('.').unwrap_or(&ascii);
    if ascii.len() > NAME_BYTES || !ascii.split('.').all(is_label) {
        return Err(OriginError::Dns);
    }
    let last = ascii.rsplit('.').next().unwrap_or_default();
    let number = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    if number && ascii.parse::<Ipv4Addr>().is_err() {
        return Err(OriginError::Numbers);
    }
    Ok(ascii.to_owned())
}

fn is_label(label: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (1..=LABEL_BYTES).contains(&label.len()) && label.bytes().all(plain)
}

/// The host of pages in an app, such as `localhost` of `capacitor://localhost`: no name that is looked
/// up, and an origin only together with its scheme.
fn app_host(scheme: &str, host: &str) -> Result<String, OriginError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.bytes().all(plain) {
        return Err(OriginError::Scheme);
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:".contains(&b);
    match !host.is_empty() && host.bytes().all(plain) {
        true => Ok(host.to_ascii_lowercase()),
        false => Err(OriginError::AppHost(scheme.to_owned())),
    }
}

/// True for https, and the host in lower case without the port that the scheme has anyway;
/// `None` when it is no origin of the web. A final slash is forgiven.
pub fn split(origin: &str) -> Option<(bool, String)> {
    let (scheme, host) = origin.split_once("://")?;
    let host = host.strip_suffix('/').unwrap_or(host);
    let https = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let bad = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '@' | '\\' | ',');
    (!host.is_empty() && !host.contains(bad)).then(|| (https, plain_host(host, https)))
}

/// Lower case, without the port that the scheme has anyway.
pub fn plain_host(host: &str, https: bool) -> String {
    let host = host.trim().to_ascii_lowercase();
    let usual = if https { ":443" } else { ":80" };
    match host.strip_suffix(usual) {
        Some(bare) => bare.to_owned(),
        None => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_scheme_and_host() {
        assert_eq!(
            split("http://A.example:80/"),
            Some((false, "a.example".into()))
        );
        for bad in [
            "null",
            "",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://u@a",
        ] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_configured_is_written_as_browsers_do() {
        for (written, sent) in [
            ("https://Chat.Example/", "https://chat.example"),
            ("https://chat.example.:443", "https://chat.example"),
            ("http://chat.example:08000", "http://chat.example:8000"),
            ("https://聊天.example", "https://xn--rss932g.example"),
            (
                "https://聊天。example:8443",
                "https://xn--rss932g.example:8443",
            ),
            ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
            ("https://straße.example", "https://xn--strae-oqa.example"),
            ("http://[2001:DB8:0::1]:80", "http://[2001:db8::1]"),
            ("http://192.0.2.7:8000", "http://192.0.2.7:8000"),
            ("http://my_pi", "http://my_pi"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("Ionic://LocalHost/", "ionic://localhost"),
            ("app://lantern", "app://lantern"),
            ("chrome-extension://abcdefgh", "chrome-extension://abcdefgh"),
        ] {
            let origin = Origin::parse(written).map(|it| it.0);
            assert_eq!(origin.as_deref(), Ok(sent), "{written}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_refused_in_words() {
        let long = format!("https://{}.example", "a".repeat(64));
        for (written, word) in [
            ("chat.example", "scheme and host"),
            ("https://", "host"),
            ("https://a/b", "host name of its own"),
            ("https://a?b", "scheme and host only"),
            ("https://me@a", "without a user"),
            ("https://*.example", "list each name"),
            ("https://a b", "browsers take"),
            ("https://a,b", "DNS"),
            ("https://a%2eb", "browsers take"),
            ("https://xn--a", "browsers take"),
            ("https://a..b", "DNS"),
            (&long, "DNS"),
            ("https://a:0", "ports"),
            ("https://a:65536", "ports"),
            ("https://a:+1", "ports"),
            ("http://192.168.1", "four numbers"),
            ("http://1.2.3.256", "four numbers"),
            ("http://a.0x7f", "four numbers"),
            ("http://[::1", "brackets"),
            ("http://[::ffff:192.0.2.7]", "192.0.2.7"),
            ("wss://chat.example", "https://"),
            ("file://", "no origin"),
            ("capacitor://", "localhost"),
            ("1app://a", "scheme"),
        ] {
            let why = Origin::parse(written).unwrap_err().to_string();
            assert!(why.contains(word), "{written}: {why}");
        }
    }
}
