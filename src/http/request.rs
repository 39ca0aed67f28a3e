//! Who really asks, and under which name we were asked: through trusted proxies only.

use std::net::{IpAddr, SocketAddr};

use hyper::HeaderMap;
use hyper::header::{AsHeaderName, FORWARDED, HOST, HeaderName, ORIGIN, VIA};
use parking_lot::Mutex;
use tracing::warn;

use crate::admission::Slot;
use crate::app::App;
use crate::config::{self, origin};

/// The other end of a request.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The real client, as far as trusted proxies tell.
    pub address: IpAddr,
    /// The browser talks https (to us or to a proxy).
    pub scheme_https: bool,
    /// The host the browser asked for, lower case, without the scheme's own port.
    pub host: Option<String>,
    /// The request comes from this machine, through no proxy that says so, and means this machine:
    /// a name of somewhere else that points here could be a page that reads what it must not.
    pub loopback: bool,
    /// The count of the connection it came on; an upgrade takes it over.
    pub slot: Slot,
}

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
/// More addresses than this in `X-Forwarded-For` are not walked.
const HOPS: usize = 16;

impl Peer {
    /// Reads the request's headers as far as the configuration trusts who sent them.
    pub fn resolve(
        server: &config::Server,
        notice: &ProxyNotice,
        socket: SocketAddr,
        uri_host: Option<&str>,
        headers: &HeaderMap,
        slot: Slot,
    ) -> Self {
        let direct = socket.ip().to_canonical();
        let forwarded = added_by_proxies().any(|name| headers.contains_key(name));
        let trusted = forwarded && is_trusted(server, direct);
        if forwarded && !trusted {
            notice.saw(direct);
        }
        let told = |name| trusted.then(|| last_value(headers, name)).flatten();
        let (https, host) = match server.public_url.as_deref().and_then(origin::split) {
            Some((https, host)) => (https, Some(host)),
            None => {
                let https = told(&X_FORWARDED_PROTO)
                    .is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
                let host = told(&X_FORWARDED_HOST)
                    .or_else(|| uri_host.map(str::to_owned))
                    .or_else(|| last_value(headers, &HOST));
                (https, host.map(|host| origin::plain_host(&host, https)))
            }
        };
        let address = match trusted {
            true => client_behind(server, headers, direct),
            false => direct,
        };
        Self {
            address,
            scheme_https: https,
            host,
            loopback: direct.is_loopback() && !forwarded && names_this_machine(uri_host, headers),
            slot,
        }
    }

    /// Our own origin as this client sees it; `None` when it named no host.
    pub fn origin(&self) -> Option<String> {
        let scheme = if self.scheme_https { "https" } else { "http" };
        Some(format!("{scheme}://{}", self.host.as_deref()?))
    }
}

/// Whether a page that made this request may: no `Origin` (not a browser), our own, or an allowed one.
pub fn origin_allowed(app: &App, peer: &Peer, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(header) = origins.next() else {
        return true;
    };
    if origins.next().is_some() {
        return false;
    }
    let Some((https, host)) = header.to_str().ok().and_then(origin::split) else {
        return false;
    };
    let own = peer.scheme_https == https && peer.host.as_deref() == Some(host.as_str());
    own || app
        .config
        .server
        .allowed_origins
        .iter()
        .any(|allowed| origin::split(allowed) == Some((https, host.clone())))
}

/// Remembers the first forwarded header from somebody who is not trusted, and says so once.
#[derive(Default)]
pub struct ProxyNotice {
    hint: Mutex<Option<String>>,
}

impl ProxyNotice {
    /// What the operator should add to the configuration, if anything.
    pub fn hint(&self) -> Option<String> {
        self.hint.lock().clone()
    }

    fn saw(&self, address: IpAddr) {
        let mut hint = self.hint.lock();
        if hint.is_some() {
            return;
        }
        // A private address is most likely the operator's own proxy, so it can be named. A public
        // one may be any visitor's, and full addresses of visitors are never logged.
        let network = match is_private(address) {
            true => address.to_string(),
            false => "ADDRESS OF YOUR PROXY".to_owned(),
        };
        let text = format!(
            "a forwarded header was ignored, because it came from an address that is not in \
             server.trusted_proxies; if a proxy of yours sent it, add: \
             trusted_proxies = [\"127.0.0.0/8\", \"::1/128\", \"{network}\"]"
        );
        warn!("{text}");
        *hint = Some(text);
    }
}

/// The host asked for is `localhost` or an address of the loopback network.
fn names_this_machine(uri_host: Option<&str>, headers: &HeaderMap) -> bool {
    let header = || headers.get(HOST).and_then(|host| host.to_str().ok());
    let Some(host) = uri_host.or_else(header) else {
        return true;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|it| it.is_loopback())
}

/// Headers that only a proxy adds. Any of them makes a request not local. As names, not texts: those
/// are read anew for each look.
fn added_by_proxies() -> impl Iterator<Item = &'static HeaderName> {
    let names = [
        &X_FORWARDED_FOR,
        &X_FORWARDED_PROTO,
        &X_FORWARDED_HOST,
        &X_REAL_IP,
        &FORWARDED,
        &VIA,
    ];
    names.into_iter()
}

/// The nearest proxy's word: the last element of the last header of that name.
fn last_value(headers: &HeaderMap, name: impl AsHeaderName) -> Option<String> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    let last = value.rsplit(',').next()?.trim();
    (!last.is_empty()).then(|| last.to_owned())
}

/// Walks `X-Forwarded-For` from our end: the first address that is not a trusted proxy is the
/// client; what stands before it, the client may have made up.
fn client_behind(server: &config::Server, headers: &HeaderMap, direct: IpAddr) -> IpAddr {
    let mut client = direct;
    let values = headers.get_all(&X_FORWARDED_FOR).iter().rev();
    let hops = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.rsplit(','))
        .take(HOPS);
    for hop in hops {
        let Some(address) = parse_hop(hop.trim()) else {
            break;
        };
        client = address;
        if !is_trusted(server, address) {
            break;
        }
    }
    client
}

/// An address, with or without a port and brackets.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let address = text
        .parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())?;
    Some(address.to_canonical())
}

/// Whether this address is a proxy of ours.
pub fn is_trusted(server: &config::Server, address: IpAddr) -> bool {
    server
        .trusted_proxies
        .iter()
        .any(|network| network.contains(&address))
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(server: &config::Server, socket: &str, headers: &[(&str, &str)]) -> Peer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = hyper::header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, value.parse().unwrap());
        }
        let socket = socket.parse().unwrap();
        Peer::resolve(
            server,
            &ProxyNotice::default(),
            socket,
            None,
            &map,
            Slot::default(),
        )
    }

    #[test]
    fn a_stranger_cannot_forward() {
        let server = config::Server::default();
        let headers = [
            ("host", "Chat.Example:80"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
        ];
        let peer = peer(&server, "192.0.2.7:999", &headers);
        assert_eq!(peer.address.to_string(), "192.0.2.7");
        assert_eq!(peer.origin().unwrap(), "http://chat.example");
        assert!(!peer.loopback);
    }

    #[test]
    fn a_trusted_proxy_is_believed_up_to_the_first_stranger() {
        let mut server = config::Server::default();
        server.trusted_proxies.push("10.0.0.0/8".parse().unwrap());
        let headers = [
            ("host", "internal:8000"),
            ("x-forwarded-for", "6.6.6.6, 192.0.2.7:1234"),
            ("x-forwarded-for", "10.1.2.3"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "chat.example"),
        ];
        let peer = peer(&server, "127.0.0.1:999", &headers);
        assert_eq!(peer.address.to_string(), "192.0.2.7");
        assert_eq!(peer.origin().unwrap(), "https://chat.example");
        assert!(!peer.loopback, "forwarded is not local");
    }

    #[test]
    fn local_is_who_means_this_machine() {
        let server = config::Server::default();
        for (host, local) in [
            ("localhost:8000", true),
            ("127.0.0.1:8000", true),
            ("[::1]:8000", true),
            ("[::1]", true),
            ("rebound.example:8000", false),
            ("10.0.0.1", false),
        ] {
            let peer = peer(&server, "127.0.0.1:9", &[("host", host)]);
            assert_eq!(peer.loopback, local, "{host}");
        }
        assert!(!peer(&server, "192.0.2.1:9", &[("host", "localhost")]).loopback);
    }

    #[test]
    fn public_url_overrides() {
        let server = config::Server {
            public_url: Some("https://Chat.Example/".into()),
            ..config::Server::default()
        };
        let peer = peer(&server, "127.0.0.1:9", &[("host", "localhost:8000")]);
        assert_eq!(peer.origin().unwrap(), "https://chat.example");
        assert!(peer.loopback);
    }
}
