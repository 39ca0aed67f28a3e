//! `[server]`.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;

section! {
    /// Listening, proxies, draining.
    Server = "server" {
        /// Address and port of the site. "0.0.0.0:8000" lets phones of the same network in.
        listen: SocketAddr = "127.0.0.1:8000";
        /// Where `/healthz`, `/readyz` and `/metrics` are served. Empty: on `listen`, to requests
        /// from this machine that come through no proxy. Set it when a proxy on this machine adds
        /// no forwarded header: its requests look local.
        operator_listen: Option<SocketAddr> = "";
        /// Scheme and host that people see, such as "https://chat.example". Empty: as each request
        /// says. Set it behind a proxy that ends TLS: it turns on Secure cookies and HSTS.
        public_url: Option<String> = "";
        /// Networks whose `X-Forwarded-For`, `-Proto` and `-Host` headers are believed.
        trusted_proxies: Vec<IpNet> = ["127.0.0.0/8", "::1/128"];
        /// Origins besides our own whose pages may connect, such as "https://partner.example".
        allowed_origins: Vec<String> = [];
        /// How long a shutdown waits for connections, and then for each backend.
        drain_timeout: Duration = "15s";
        /// Over how long the closing of sockets is spread at shutdown.
        drain_jitter: Duration = "1s";
    }
}
