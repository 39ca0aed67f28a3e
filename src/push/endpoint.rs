//! Where a browser wants to be called: an address that a client names, and so one that the server goes to
//! only if it is a push service's.

use std::net::IpAddr;

use hyper::Uri;

/// Push services of the browsers that have one. A name that begins with a dot is of all hosts below it.
const KNOWN: [&str; 5] = [
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    ".push.services.mozilla.com",
    ".notify.windows.com",
    ".push.apple.com",
];

/// Longer addresses than any push service gives.
const MOST_BYTES: usize = 1024;

/// A push service's address of one browser. It is a secret: who knows it may call that browser.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    uri: Uri,
    host: String,
    port: u16,
    own: bool,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Endpoint at {}", self.host)
    }
}

impl Endpoint {
    /// An address of a known push service over https at its usual port; or of one that the operator has named
    /// (`push.allowed_hosts`: `host` or `host:port`), at that port, and over http where that host is this machine.
    /// `None` for all else.
    pub fn parse(text: &str, allowed: &[String]) -> Option<Self> {
        let uri: Uri = (text.len() <= MOST_BYTES).then(|| text.parse().ok())??;
        let authority = uri.authority()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host().to_ascii_lowercase();
        let secure = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let usual = if secure { 443 } else { 80 };
        let port = match authority.port() {
            Some(port) => port.as_str().parse().ok()?,
            None => usual,
        };
        let named = format!("{host}:{port}");
        let own = allowed.iter().any(|it| {
            it.eq_ignore_ascii_case(&named) || port == usual && it.eq_ignore_ascii_case(&host)
        });
        let fits = match own {
            true => secure || is_this_machine(&host),
            false => secure && port == 443 && is_known(&host),
        };
        fits.then_some(Self {
            uri,
            host,
            port,
            own,
        })
    }

    /// The service's name.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether TLS is spoken there.
    pub fn is_secure(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// The path and the query.
    pub fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", |it| it.as_str())
    }

    /// What the service calls itself, for the word that is signed.
    pub fn origin(&self) -> String {
        let scheme = if self.is_secure() { "https" } else { "http" };
        match self.port {
            443 if self.is_secure() => format!("{scheme}://{}", self.host),
            port => format!("{scheme}://{}:{port}", self.host),
        }
    }

    /// Whether the server goes to this address of the service. A name of the internet that leads into a network
    /// of ours is a trap; a host that the operator has named may be anywhere.
    pub fn may_lead_to(&self, address: IpAddr) -> bool {
        self.own || is_public(address)
    }
}

fn is_known(host: &str) -> bool {
    KNOWN.iter().any(|known| match known.strip_prefix('.') {
        Some(_) => host.len() > known.len() && host.ends_with(known),
        None => host == *known,
    })
}

fn is_this_machine(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse();
    host == "localhost" || ip.is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Whether an address is one of the internet's.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(it) => {
            let [a, b, c, _] = it.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let special = a == 0 || a >= 240 || (a, b, c) == (192, 0, 0);
            let testing = a == 198 && (b == 18 || b == 19);
            !(it.is_private()
                || it.is_loopback()
                || it.is_link_local()
                || it.is_documentation()
                || it.is_multicast()
                || shared
                || special
                || testing)
        }
        // Global unicast, without addresses that carry one of IPv4 and those of examples.
        IpAddr::V6(it) => {
            let [a, b, ..] = it.segments();
            let global = a & 0xe000 == 0x2000;
            let carries = a == 0x2002 || (a, b) == (0x2001, 0);
            global && !carries && (a, b) != (0x2001, 0x0db8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, allowed: &[&str]) -> Option<Endpoint> {
        let allowed: Vec<String> = allowed.iter().map(|it| (*it).to_owned()).collect();
        Endpoint::parse(text, &allowed)
    }

    #[test]
    fn known_services_are_taken_and_nothing_else() {
        for good in [
            "https://fcm.googleapis.com/fcm/send/abc:def",
            "https://updates.push.services.mozilla.com/wpush/v2/abc",
            "https://web.push.apple.com/QAbc",
            "https://wns2-par02p.notify.windows.com/w/?token=abc",
            "https://FCM.googleapis.com:443/x",
        ] {
            assert!(at(good, &[]).is_some(), "{good}");
        }
        for bad in [
            "http://fcm.googleapis.com/x",
            "https://fcm.googleapis.com:8443/x",
            "https://fcm.googleapis.com.evil.example/x",
            "https://evilnotify.windows.com/x",
            "https://notify.windows.com/x",
            "https://fcm.googleapis.com@evil.example/x",
            "https://evil.example/https://fcm.googleapis.com/",
            "https://127.0.0.1/x",
            "ftp://fcm.googleapis.com/x",
            "/fcm/send",
            "",
        ] {
            assert_eq!(at(bad, &[]), None, "{bad}");
        }
        let long = format!("https://fcm.googleapis.com/{}", "x".repeat(MOST_BYTES));
        assert_eq!(at(&long, &[]), None);
    }

    #[test]
    fn what_the_operator_names_is_taken_at_its_port() {
        let own = at("http://127.0.0.1:9000/x?y", &["127.0.0.1:9000"]).unwrap();
        assert_eq!(own.origin(), "http://127.0.0.1:9000");
        assert_eq!((own.path(), own.is_secure()), ("/x?y", false));
        assert!(at("http://127.0.0.1:9001/x", &["127.0.0.1:9000"]).is_none());
        assert!(at("https://push.lan/x", &["push.lan"]).is_some());
        assert!(at("https://push.lan:8443/x", &["push.lan"]).is_none());
        // Without TLS only within this machine.
        assert!(at("http://push.lan/x", &["push.lan"]).is_none());
    }

    #[test]
    fn a_name_that_leads_into_our_own_networks_is_a_trap() {
        let known = at("https://fcm.googleapis.com/x", &[]).unwrap();
        for trap in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "255.255.255.255",
        ] {
            assert!(!known.may_lead_to(trap.parse().unwrap()), "{trap}");
        }
        for fine in ["142.250.74.10", "2a00:1450:4001:80b::200a"] {
            assert!(known.may_lead_to(fine.parse().unwrap()), "{fine}");
        }
        let own = at("https://push.lan/x", &["push.lan"]).unwrap();
        assert!(own.may_lead_to("192.168.1.9".parse().unwrap()));
    }

    #[test]
    fn showing_an_address_does_not_tell_it() {
        let secret = at("https://fcm.googleapis.com/fcm/send/secret", &[]).unwrap();
        assert_eq!(format!("{secret:?}"), "Endpoint at fcm.googleapis.com");
    }
}
