//! `[server]`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use figment::value::Value;
use ipnet::IpNet;

use super::origin::Origin;
use super::problem::ValueError;
use super::value::{Setting, must_be, quote};

section! {
    /// Listening, proxies, draining.
    Server = "server" {
        /// Address and port of the site. "0.0.0.0:8000" lets phones of the same network in.
        listen: SocketAddr = "127.0.0.1:8000";
        /// Where `/healthz`, `/readyz` and `/metrics` are served, such as "10.0.0.5:9100". Empty: on
        /// this machine only, at the port after that of `listen`. "off": nowhere.
        operator_listen: OperatorListen = "";
        /// Scheme and host that people see, such as "https://chat.example". Other names are not
        /// answered. Empty: IP addresses, localhost, and names of a local network only (without a
        /// dot, or in .local .lan .home.arpa). Set it behind a proxy: it turns on Secure cookies and
        /// HSTS. The site needs a host name of its own: it cannot be under a path of another.
        public_url: Option<Origin> = "";
        /// Networks whose `X-Forwarded-For`, `-Proto` and `-Host` headers are believed. Empty: this
        /// machine, if public_url is set; else none.
        trusted_proxies: Vec<IpNet> = [];
        /// Origins besides our own whose pages may connect, such as "https://partner.example"; of an
        /// app with pages in a WebView "capacitor://localhost" or what it calls itself.
        allowed_origins: Vec<Origin> = [];
        /// How long an HTTP connection is kept without a request. A balancer or proxy in front that
        /// keeps idle connections must give them up sooner (most do after 60 s), or now and then a
        /// request of it meets a closed one.
        keep_alive: Duration = "75s" from "1s" to "1h";
        /// How long a shutdown waits for connections, and then for each backend.
        drain_timeout: Duration = "15s" from "1ms" to "1h";
        /// Over how long the closing of sockets is spread at shutdown.
        drain_jitter: Duration = "1s";
    }
}

/// Where operators' routes are served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OperatorListen {
    /// On this machine only, at the port after the site's.
    #[default]
    Beside,
    /// They are not served.
    Off,
    /// At this address.
    At(SocketAddr),
}

impl Setting for OperatorListen {
    const KIND: &'static str = "an address and port such as \"127.0.0.1:9100\", \"off\" or empty";

    fn parse(value: &Value) -> Result<Self, ValueError> {
        let at = |text: &str| text.parse().map(Self::At).ok();
        let parsed = value.as_str().and_then(|text| match text.trim() {
            "" => Some(Self::Beside),
            "off" => Some(Self::Off),
            text => at(text),
        });
        parsed.ok_or_else(must_be::<Self>)
    }

    fn show(&self) -> String {
        match self {
            Self::Beside => quote(""),
            Self::Off => quote("off"),
            Self::At(address) => quote(&address.to_string()),
        }
    }
}

impl Server {
    /// Where operators' routes are to be served; `None` when nowhere. Port 0 when the site's is
    /// chosen by the system too.
    pub fn operator_address(&self) -> Option<SocketAddr> {
        match self.operator_listen {
            OperatorListen::Off => None,
            OperatorListen::At(address) => Some(address),
            OperatorListen::Beside => {
                let address = match self.listen {
                    SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                    SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
                };
                let port = match self.listen.port() {
                    0 => 0,
                    port => port.checked_add(1)?,
                };
                Some(SocketAddr::new(address, port))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_have_the_next_port_of_this_machine() {
        let of = |listen: &str, operators: &str| {
            let server = Server {
                listen: listen.parse().unwrap(),
                operator_listen: OperatorListen::parse(&Value::from(operators)).unwrap(),
                ..Server::default()
            };
            server.operator_address().map(|it| it.to_string())
        };
        let is = |address: &str| Some(address.to_owned());
        assert_eq!(of("0.0.0.0:8000", ""), is("127.0.0.1:8001"));
        assert_eq!(of("[::]:8000", ""), is("[::1]:8001"));
        assert_eq!(of("10.0.0.5:65534", ""), is("127.0.0.1:65535"));
        assert_eq!(of("10.0.0.5:65535", ""), None);
        assert_eq!(of("127.0.0.1:0", ""), is("127.0.0.1:0"));
        assert_eq!(of("127.0.0.1:8000", "off"), None);
        assert_eq!(of("127.0.0.1:8000", "10.0.0.5:9100"), is("10.0.0.5:9100"));
        assert!(OperatorListen::parse(&Value::from("on")).is_err());
    }
}
