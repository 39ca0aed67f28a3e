//! Who really asks, and under which name we were asked: through trusted proxies only.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{AsHeaderName, FORWARDED, HeaderName, ORIGIN, VIA};
use hyper::{HeaderMap, Request};

use super::Audience;
use super::hosts::{self, Misnamed};
use crate::admission::PermitSlot;
use crate::config::notices::Notices;
use crate::config::{self, origin};
use crate::identity::jar::Jar;
use crate::state::AppState;

/// The other end of a request.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The real client, as far as trusted proxies tell.
    pub address: IpAddr,
    /// The browser talks https (to us or to a proxy).
    pub scheme_https: bool,
    /// The host the browser asked for, lower case, without the scheme's own port; `None` when it
    /// asked for none of ours.
    pub host: Option<String>,
    /// Why nothing is answered under the name it asked for.
    pub misnamed: Option<Misnamed>,
    /// The count of the connection it came on; an upgrade takes it over.
    pub slot: PermitSlot,
}

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
/// More addresses than this in `X-Forwarded-For` are not walked.
const HOPS: usize = 16;

impl Peer {
    /// Reads the request's headers as far as the configuration trusts who sent them.
    pub fn resolve<B>(
        server: &config::Server,
        notices: &Notices,
        audience: Audience,
        socket: SocketAddr,
        request: &Request<B>,
        slot: PermitSlot,
    ) -> Self {
        let headers = request.headers();
        let direct = socket.ip().to_canonical();
        let forwarded = added_by_proxies().any(|name| headers.contains_key(name));
        let trusted = forwarded && is_trusted(server, direct);
        if forwarded && !trusted {
            notices.forwarded(server, direct);
        }
        let told = |name| trusted.then(|| last_value(headers, name)).flatten();
        let asked = hosts::asked(request.uri(), headers);
        // A trusted proxy may ask by a name of its own, and say which one the browser asked for.
        let asked = asked.map(|host| told(&X_FORWARDED_HOST).unwrap_or(host));
        let checked = asked.and_then(|host| hosts::check(server, audience, &host).map(|()| host));
        if matches!(checked, Err(Misnamed::Foreign(Audience::Site))) {
            notices.misnamed(server);
        }
        let misnamed = checked.as_ref().err().copied();
        let (https, host) = match server.public_url.as_deref().and_then(origin::split) {
            Some((https, public)) => (https, checked.ok().map(|_| public)),
            None => {
                let https = told(&X_FORWARDED_PROTO).is_some_and(|proto| is_encrypted(&proto));
                let host = checked.ok().map(|host| origin::plain_host(&host, https));
                (https, host)
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
            misnamed,
            slot,
        }
    }

    /// Where this client keeps its session cookie.
    pub fn jar(&self) -> Jar {
        Jar::of(self.scheme_https, self.host.as_deref())
    }

    /// Our own origin as this client sees it; `None` when it named no host.
    pub fn origin(&self) -> Option<String> {
        let scheme = if self.scheme_https { "https" } else { "http" };
        Some(format!("{scheme}://{}", self.host.as_deref()?))
    }
}

/// Whether a page that made this request may: no `Origin` (not a browser), our own, or an allowed one.
pub fn origin_allowed(app: &AppState, peer: &Peer, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(header) = origins.next() else {
        return true;
    };
    if origins.next().is_some() {
        return false;
    }
    let Ok(header) = header.to_str() else {
        return false;
    };
    let allowed = &app.config.server.allowed_origins;
    let Some((https, host)) = origin::split(header) else {
        // The pages of an app: what it says is compared as it is, but for case.
        return allowed.iter().any(|it| it.eq_ignore_ascii_case(header));
    };
    let own = peer.scheme_https == https && peer.host.as_deref() == Some(host.as_str());
    own || allowed
        .iter()
        .any(|it| origin::split(it).is_some_and(|it| it == (https, host.clone())))
}

/// Whether a page of this site itself made this request, as `Origin` says: what operators change is changed from there
/// alone, whatever `server.allowed_origins` lets other pages do.
pub fn origin_own(peer: &Peer, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let (Some(header), None) = (origins.next(), origins.next()) else {
        return false;
    };
    let named = header.to_str().ok().and_then(origin::split);
    named.is_some_and(|(https, host)| {
        peer.scheme_https == https && peer.host.as_deref() == Some(host.as_str())
    })
}

/// Whether this request came straight from a program of this machine, which asked for this machine: by no proxy, as
/// far as its headers tell, and by no name that others reach.
pub fn is_from_this_machine(peer: &Peer, headers: &HeaderMap) -> bool {
    let forwarded = added_by_proxies().any(|name| headers.contains_key(name));
    let here = peer.host.as_deref().is_some_and(hosts::is_this_machine);
    peer.address.is_loopback() && here && !forwarded
}

/// Of a socket some proxies say `wss`.
fn is_encrypted(scheme: &str) -> bool {
    ["https", "wss"]
        .iter()
        .any(|it| scheme.eq_ignore_ascii_case(it))
}

/// Headers that only a proxy adds. As names, not texts: those are read anew for each look.
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

/// Whether this address is a proxy of ours. Without a list, a site that says by which URL it is reached
/// has its proxy on this machine; one that does not say so has none. A forwarder on this machine (`ssh
/// -R`, an onion service) passes on what a visitor made up.
pub fn is_trusted(server: &config::Server, address: IpAddr) -> bool {
    let mut listed = server.trusted_proxies.iter();
    match server.trusted_proxies.is_empty() {
        true => server.public_url.is_some() && address.is_loopback(),
        false => listed.any(|network| network.contains(&address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::origin::Origin;

    fn peer(server: &config::Server, socket: &str, headers: &[(&str, &str)]) -> Peer {
        let mut request = Request::new(());
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let (notices, slot) = (Notices::default(), PermitSlot::default());
        let socket = socket.parse().unwrap();
        Peer::resolve(server, &notices, Audience::Site, socket, &request, slot)
    }

    fn trusting(networks: &[&str]) -> config::Server {
        config::Server {
            trusted_proxies: networks.iter().map(|it| it.parse().unwrap()).collect(),
            ..config::Server::default()
        }
    }

    #[test]
    fn a_stranger_cannot_forward() {
        let headers = [
            ("host", "Pi.local:80"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
        ];
        // Not even from this machine, unless the configuration says that a proxy is there.
        for (server, socket) in [
            (trusting(&[]), "192.0.2.7:999"),
            (trusting(&[]), "127.0.0.1:999"),
            (trusting(&[]), "[::ffff:127.0.0.1]:999"),
            (trusting(&["10.0.0.0/8"]), "127.0.0.1:999"),
        ] {
            let peer = peer(&server, socket, &headers);
            let socket: SocketAddr = socket.parse().unwrap();
            assert_eq!(peer.address, socket.ip().to_canonical());
            assert_eq!(peer.origin().unwrap(), "http://pi.local");
        }
    }

    #[test]
    fn a_trusted_proxy_is_believed_up_to_the_first_stranger() {
        let server = trusting(&["127.0.0.0/8", "10.0.0.0/8"]);
        let headers = [
            ("host", "internal:8000"),
            ("x-forwarded-for", "6.6.6.6, 192.0.2.7:1234"),
            ("x-forwarded-for", "10.1.2.3"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "pi.lan"),
        ];
        let peer = peer(&server, "127.0.0.1:999", &headers);
        assert_eq!(peer.address.to_string(), "192.0.2.7");
        assert_eq!(peer.origin().unwrap(), "https://pi.lan");
    }

    #[test]
    fn a_sockets_scheme_says_as_much_as_that_of_a_page() {
        let server = trusting(&["127.0.0.0/8"]);
        for (said, https) in [
            ("https", true),
            ("wss", true),
            ("WSS", true),
            ("http, wss", true),
            ("ws", false),
            ("http", false),
            ("wss, http", false),
            ("wsss", false),
        ] {
            let headers = [("host", "pi.lan"), ("x-forwarded-proto", said)];
            let peer = peer(&server, "127.0.0.1:999", &headers);
            assert_eq!(peer.scheme_https, https, "{said}");
        }
    }

    #[test]
    fn the_name_that_the_browser_asked_a_proxy_for_must_be_ours() {
        let server = trusting(&["127.0.0.0/8"]);
        let headers = [("host", "internal"), ("x-forwarded-host", "evil.example")];
        let peer = peer(&server, "127.0.0.1:999", &headers);
        assert_eq!(peer.misnamed, Some(Misnamed::Foreign(Audience::Site)));
        assert_eq!(peer.origin(), None);
    }

    #[test]
    fn public_url_overrides_and_says_that_a_proxy_is_here() {
        let server = config::Server {
            public_url: Some(Origin::parse("https://Chat.Example/").unwrap()),
            ..config::Server::default()
        };
        let headers = [("host", "localhost:8000"), ("x-forwarded-for", "192.0.2.7")];
        for socket in ["127.0.0.1:9", "[::1]:9", "127.9.9.9:9"] {
            let peer = peer(&server, socket, &headers);
            assert_eq!(peer.origin().unwrap(), "https://chat.example");
            assert_eq!(peer.address.to_string(), "192.0.2.7");
        }
        let elsewhere = peer(&server, "10.0.0.1:9", &headers);
        assert_eq!(elsewhere.address.to_string(), "10.0.0.1");
        // A list says it all.
        let mut server = server;
        server.trusted_proxies.push("10.0.0.1/32".parse().unwrap());
        let own = peer(&server, "127.0.0.1:9", &headers);
        assert_eq!(own.address.to_string(), "127.0.0.1");
    }
}
