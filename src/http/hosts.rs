//! Which names are ours. A name of somewhere else that resolves to this machine could be a page that
//! reads what it must not (DNS rebinding), or a proxy that is not configured: neither is answered.

use std::net::{IpAddr, Ipv6Addr};

use hyper::header::{HOST, HeaderMap};
use hyper::http::uri::Authority;
use hyper::{StatusCode, Uri};

use super::Audience;
use crate::config;
use crate::config::origin::{self, Origin};
use crate::http::problem::HttpProblem;

/// Longest name that DNS has.
const NAME_BYTES: usize = 253;
/// Ends of names that only a local network gives away.
const LOCAL_ENDS: [&str; 3] = [".local", ".lan", ".home.arpa"];

/// Why a request is not answered at the name that it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misnamed {
    /// No `Host`, or an empty one.
    Missing,
    /// More than one `Host`: programs on the way may have looked at another than we would.
    Several,
    /// Something that is no name, address or port.
    Malformed,
    /// A name that is not ours.
    Foreign(Audience),
}

impl Misnamed {
    /// What the client is told. The name itself is not said again.
    pub fn problem(self) -> HttpProblem {
        let why = match self {
            Self::Foreign(audience) => return misdirected(audience),
            Self::Missing => "a request needs a Host; send the name and port of this address",
            Self::Several => "a request has one Host; send the name and port of this address once",
            Self::Malformed => {
                "the Host is no name or address; send the name and port of this address"
            }
        };
        HttpProblem::new(StatusCode::BAD_REQUEST, "bad_host", why)
    }
}

fn misdirected(audience: Audience) -> HttpProblem {
    let why = match audience {
        Audience::Site => {
            "this server has another name; the operator can name this one in server.public_url"
        }
        Audience::Operator { .. } | Audience::Control => {
            "operators ask this port by the address of this machine, such as 127.0.0.1"
        }
    };
    HttpProblem::new(StatusCode::MISDIRECTED_REQUEST, "misdirected", why)
}

/// The host that a request asks for, as it was written: the target's, or else that of the one `Host`
/// line that every request must have (RFC 9112, 3.2).
///
/// # Errors
/// What is wrong with it.
pub fn asked(target: &Uri, headers: &HeaderMap) -> Result<String, Misnamed> {
    let mut lines = headers.get_all(HOST).iter();
    let line = lines.next().ok_or(Misnamed::Missing)?;
    if lines.next().is_some() {
        return Err(Misnamed::Several);
    }
    let line = line.to_str().map_err(|_| Misnamed::Malformed)?;
    if line.is_empty() {
        return Err(Misnamed::Missing);
    }
    // Checked even where the target overrules it: whatever is on the way may go by it.
    Host::parse(line).ok_or(Misnamed::Malformed)?;
    let target = target.authority().map(Authority::as_str);
    Ok(target.unwrap_or(line).to_owned())
}

/// Whether this host (with or without a port) may be asked for at this audience.
///
/// # Errors
/// It is no host, or not ours.
pub fn check(server: &config::Server, audience: Audience, host: &str) -> Result<(), Misnamed> {
    let host = Host::parse(host).ok_or(Misnamed::Malformed)?;
    let ours = match audience {
        Audience::Site => is_ours(server, &host),
        Audience::Operator { loopback: true } => host.is_this_machine(),
        Audience::Operator { loopback: false } => host.is_address_or_local(),
        // It has no name by which a page could ask.
        Audience::Control => true,
    };
    ours.then_some(()).ok_or(Misnamed::Foreign(audience))
}

/// Whether a host (with or without a port) names this machine and no other: `localhost`, 127.0.0.1.
pub fn is_this_machine(host: &str) -> bool {
    Host::parse(host).is_some_and(|host| host.is_this_machine())
}

/// The site's names: that of `public_url`, and of origins whose pages may connect anyway. Without a
/// `public_url`, those that only a local network gives away. Addresses and `localhost` always, for no
/// page elsewhere can have them as its own.
fn is_ours(server: &config::Server, host: &Host<'_>) -> bool {
    // The host of an app's pages is no name of the web.
    let named = |origin: &Origin| match origin::split(origin) {
        Some((_, own)) => Host::parse(&own).is_some_and(|own| own.is(host)),
        None => false,
    };
    let named = server
        .public_url
        .iter()
        .chain(&server.allowed_origins)
        .any(named);
    named || host.is_address_or_localhost() || (server.public_url.is_none() && host.is_local())
}

/// A host without its port.
#[derive(Debug, PartialEq, Eq)]
enum Host<'a> {
    Address(IpAddr),
    /// Without a final dot; any case.
    Name(&'a str),
}

impl<'a> Host<'a> {
    /// `None` when it is none.
    fn parse(host: &'a str) -> Option<Self> {
        if let Some(rest) = host.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            let port_follows = port.strip_prefix(':').is_none_or(is_port);
            let end = port.is_empty() || port.starts_with(':');
            let address: Ipv6Addr = address.parse().ok()?;
            return (end && port_follows)
                .then(|| Self::Address(IpAddr::V6(address).to_canonical()));
        }
        let (name, port) = host.split_once(':').unwrap_or((host, ""));
        let name = name.strip_suffix('.').unwrap_or(name);
        if !is_port(port) || name.len() > NAME_BYTES || !name.split('.').all(is_label) {
            return None;
        }
        Some(match name.parse() {
            Ok(address) => Self::Address(IpAddr::V4(address)),
            Err(_) => Self::Name(name),
        })
    }

    fn is(&self, other: &Host<'_>) -> bool {
        match (self, other) {
            (Self::Name(one), Host::Name(two)) => one.eq_ignore_ascii_case(two),
            (one, two) => one == two,
        }
    }

    fn ends(&self, end: &str) -> bool {
        let Self::Name(name) = self else { return false };
        let start = name.len().checked_sub(end.len());
        let tail = start.and_then(|start| name.get(start..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    }

    /// `localhost` and what is below it, which no DNS server gives away (RFC 6761).
    fn is_localhost(&self) -> bool {
        matches!(self, Self::Name(name) if name.eq_ignore_ascii_case("localhost"))
            || self.ends(".localhost")
    }

    fn is_this_machine(&self) -> bool {
        self.is_localhost() || matches!(self, Self::Address(address) if address.is_loopback())
    }

    fn is_address_or_localhost(&self) -> bool {
        self.is_localhost() || matches!(self, Self::Address(_))
    }

    /// A name that only a local network gives away.
    fn is_local(&self) -> bool {
        let no_dot = matches!(self, Self::Name(name) if !name.contains('.'));
        no_dot || LOCAL_ENDS.iter().any(|end| self.ends(end))
    }

    fn is_address_or_local(&self) -> bool {
        self.is_address_or_localhost() || self.is_local()
    }
}

fn is_label(label: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    !label.is_empty() && label.bytes().all(plain)
}

/// A port may be left empty (RFC 3986, 3.2.3).
fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && (text.is_empty() || text.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: Audience = Audience::Site;

    fn server(public_url: &str, origins: &[&str]) -> config::Server {
        config::Server {
            public_url: Origin::parse(public_url).ok(),
            allowed_origins: origins
                .iter()
                .map(|it| Origin::parse(it).unwrap())
                .collect(),
            ..config::Server::default()
        }
    }

    fn split(audience: Audience, server: &config::Server, hosts: &[&str]) -> Vec<bool> {
        let hosts = hosts.iter();
        hosts
            .map(|host| check(server, audience, host).is_ok())
            .collect()
    }

    #[test]
    fn without_a_public_url_only_local_names_are_ours() {
        let plain = server("", &[]);
        let ours = [
            "127.0.0.1:8000",
            "192.0.2.7",
            "[::1]:8000",
            "[2001:db8::1]",
            "localhost",
            "LOCALHOST:1",
            "localhost.",
            "miyu.localhost",
            "pi",
            "pi:8000",
            "pi.local",
            "Pi.LAN:8000",
            "a.home.arpa",
            "pi.local.:80",
            "host:",
        ];
        assert_eq!(split(SITE, &plain, &ours), vec![true; ours.len()]);
        let foreign = [
            "chat.example",
            "evil.example:8000",
            "local.evil.example",
            "evillocal.com",
            "arpa.evil",
            "127.0.0.1.evil.example",
            "1.2.3",
            "home.arpa.evil",
            "lan.evil",
        ];
        for host in foreign {
            let refused = check(&plain, SITE, host);
            assert_eq!(refused, Err(Misnamed::Foreign(SITE)), "{host}");
        }
    }

    #[test]
    fn a_public_url_is_the_name_and_the_operators_other_origins_are_too() {
        let named = server("https://Chat.Example:8443", &["https://www.chat.example"]);
        let ours = [
            "chat.example",
            "chat.example:8443",
            "CHAT.example.:1",
            "www.chat.example",
        ];
        assert_eq!(split(SITE, &named, &ours), [true; 4]);
        let always = ["127.0.0.1", "[::1]:80", "10.0.0.5:8000", "localhost:8000"];
        assert_eq!(split(SITE, &named, &always), [true; 4]);
        let foreign = [
            "pi",
            "pi.local",
            "pi.lan",
            "evil.example",
            "x.chat.example",
            "hat.example",
        ];
        assert_eq!(split(SITE, &named, &foreign), [false; 6]);
        let number = server("http://192.0.2.7:8000", &[]);
        assert_eq!(
            split(SITE, &number, &["192.0.2.7:8000", "pi"]),
            [true, false]
        );
    }

    #[test]
    fn operators_ask_by_this_machine_or_on_their_own_network() {
        let named = server("https://chat.example", &[]);
        let hosts = [
            "127.0.0.1:8001",
            "[::1]",
            "localhost:8001",
            "10.0.0.5",
            "node1",
            "chat.example",
        ];
        let own = Audience::Operator { loopback: true };
        let wide = Audience::Operator { loopback: false };
        assert_eq!(
            split(own, &named, &hosts),
            [true, true, true, false, false, false]
        );
        assert_eq!(
            split(wide, &named, &hosts),
            [true, true, true, true, true, false]
        );
    }

    #[test]
    fn what_is_no_host_is_none() {
        for bad in [
            "",
            ".",
            "a..b",
            ".a",
            "a b",
            "a;script-src *",
            "a@b",
            "a/b",
            "a:b",
            "a:65536",
            "a:80:80",
            "[::1",
            "[::1]x",
            "[::1]:x",
            "[::g]",
            "::1",
            "名字",
            "a,b",
            "a\"b",
            "a%41",
        ] {
            assert_eq!(
                check(&server("", &[]), SITE, bad),
                Err(Misnamed::Malformed),
                "{bad}"
            );
        }
        let long = "a".repeat(NAME_BYTES + 1);
        assert!(Host::parse(&long).is_none());
        assert!(Host::parse(&long[1..]).is_some());
    }

    #[test]
    fn one_host_line_and_the_target_overrules_it() {
        let ask = |target: &'static str, lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(HOST, line.parse().unwrap());
            }
            asked(&Uri::from_static(target), &headers)
        };
        assert_eq!(ask("/", &["a:1"]), Ok("a:1".into()));
        assert_eq!(ask("http://b:2/", &["a:1"]), Ok("b:2".into()));
        assert_eq!(ask("http://b/", &[]), Err(Misnamed::Missing));
        assert_eq!(ask("/", &[""]), Err(Misnamed::Missing));
        assert_eq!(ask("/", &["a", "a"]), Err(Misnamed::Several));
        assert_eq!(ask("http://b/", &["a b"]), Err(Misnamed::Malformed));
    }
}
