//! What requests show to be missing in the configuration, here or of a proxy: said once in the log, and in
//! `/readyz`.

use std::net::IpAddr;
use std::sync::OnceLock;

use tracing::warn;

use crate::config;

/// The first of each kind is remembered.
#[derive(Default)]
pub struct Notices {
    forwarded: OnceLock<String>,
    misnamed: OnceLock<()>,
    stripped: OnceLock<()>,
}

const MISNAMED: &str = "a request for a name that is not ours was refused; if this site has that \
    name, set it: public_url = \"https://YOUR.NAME\"";

const STRIPPED: &str = "a page of this site asked for a WebSocket, and the request arrived without its \
    upgrade: a proxy on the way does not pass it, and its people cannot chat; if that proxy is yours, let it \
    speak HTTP/1.1 to this server and pass the headers Upgrade and Connection (nginx: proxy_http_version 1.1; \
    proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";)";

impl Notices {
    /// What the operator should mend: the key or what it is about, and why.
    pub fn all(&self) -> Vec<(&'static str, String)> {
        let forwarded = self.forwarded.get().cloned();
        let forwarded = forwarded.map(|why| ("server.trusted_proxies", why));
        let misnamed = self.misnamed.get();
        let misnamed = misnamed.map(|()| ("server.public_url", MISNAMED.to_owned()));
        let stripped = self.stripped.get();
        let stripped = stripped.map(|()| ("websocket", STRIPPED.to_owned()));
        forwarded
            .into_iter()
            .chain(misnamed)
            .chain(stripped)
            .collect()
    }

    /// A forwarded header came from an address that is not trusted.
    pub fn forwarded(&self, server: &config::Server, address: IpAddr) {
        if self.forwarded.get().is_some() {
            return;
        }
        let text = forwarded(server, address);
        if self.forwarded.set(text.clone()).is_ok() {
            warn!("{text}");
        }
    }

    /// A foreign name was asked for. Where the site's own is configured this is a stray visitor, and
    /// nothing to tell; where it is not, it may be how this site is known.
    pub fn misnamed(&self, server: &config::Server) {
        if server.public_url.is_none() && self.misnamed.set(()).is_ok() {
            warn!("{MISNAMED}");
        }
    }

    /// A handshake of one of our pages lost its upgrade on the way.
    pub fn stripped(&self) {
        if self.stripped.set(()).is_ok() {
            warn!("{STRIPPED}");
        }
    }
}

/// The line to add, with all that is trusted already.
fn forwarded(server: &config::Server, address: IpAddr) -> String {
    // A private address is most likely the operator's own proxy, so it can be named. A public
    // one may be any visitor's, and full addresses of visitors are never logged.
    let network = match address {
        address if address.is_loopback() => "127.0.0.0/8\", \"::1/128".to_owned(),
        address if is_private(address) => address.to_string(),
        _ => "ADDRESS OF YOUR PROXY".to_owned(),
    };
    let known = server.trusted_proxies.iter();
    let known: String = known.map(|network| format!("\"{network}\", ")).collect();
    format!(
        "a forwarded header was ignored, because it came from an address that is not in \
         server.trusted_proxies; if a proxy of yours sent it, add: \
         trusted_proxies = [{known}\"{network}\"]"
    )
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::origin;

    fn told(trusted: &[&str], address: &str) -> String {
        let server = config::Server {
            trusted_proxies: trusted.iter().map(|it| it.parse().unwrap()).collect(),
            ..config::Server::default()
        };
        let notices = Notices::default();
        notices.forwarded(&server, address.parse().unwrap());
        notices.forwarded(&server, "10.9.9.9".parse().unwrap());
        let all = notices.all();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].0, "server.trusted_proxies");
        all[0].1.clone()
    }

    #[test]
    fn the_line_to_add_is_whole() {
        let own = told(&[], "127.0.0.1");
        assert!(
            own.ends_with("trusted_proxies = [\"127.0.0.0/8\", \"::1/128\"]"),
            "{own}"
        );
        let near = told(&["127.0.0.0/8"], "10.1.2.3");
        assert!(
            near.ends_with("trusted_proxies = [\"127.0.0.0/8\", \"10.1.2.3\"]"),
            "{near}"
        );
        let visitor = told(&[], "192.0.2.9");
        assert!(!visitor.contains("192.0.2.9"), "{visitor}");
    }

    #[test]
    fn a_configured_name_needs_no_notice() {
        let (notices, mut server) = (Notices::default(), config::Server::default());
        server.public_url = origin::Origin::parse("https://chat.example").ok();
        notices.misnamed(&server);
        assert!(notices.all().is_empty());
        server.public_url = None;
        notices.misnamed(&server);
        assert_eq!(notices.all()[0].0, "server.public_url");
    }
}
