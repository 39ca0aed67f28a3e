//! How Redis servers are named and reached: URLs, TLS, waits, and errors that say what to change.
//! What is said to them is the business of the channel layer and of the waiting pool.

use std::time::Duration;

use redis::aio::AsyncPushSender;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind};
use redis::{
    IntoConnectionInfo as _, ProtocolVersion, RedisError, ServerErrorKind, TlsCertificates,
};

/// How long connecting may take, the name's look-up, TLS and the password included.
pub const CONNECT: Duration = Duration::from_secs(3);
/// How long one command may take.
pub const RESPONSE: Duration = Duration::from_secs(3);
/// Commands that may be written ahead of their answers on one connection.
const AHEAD: usize = 256;
/// More servers than this in one URL are a mistake.
const MOST_SERVERS: usize = 16;

/// After this long without a word the kernel asks whether the other side is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(10);
/// How often it asks.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(5);

/// The servers of `channel.url`, in its order; at least one.
#[derive(Clone, Debug)]
pub struct RedisServers(Vec<RedisServer>);

/// One Redis server and how to log in there. Showing it shows no password.
#[derive(Clone, Debug)]
pub struct RedisServer {
    client: Client,
    shown: String,
}

/// A server cannot be used: why, and what to change.
#[derive(Clone, Debug, thiserror::Error)]
#[error("Redis at {server}: {why}")]
pub struct Unreachable {
    /// Which, without its password.
    pub server: String,
    /// What is wrong.
    pub why: String,
}

impl RedisServers {
    /// Reads `redis://`, `rediss://` (TLS) and `redis+unix://` URLs with commas between them.
    /// `password` is used where the URL has none.
    ///
    /// # Errors
    /// What is wrong with the URL; never the URL itself, which may hold a password.
    pub fn parse(urls: &str, password: Option<&str>) -> Result<Self, String> {
        let servers: Vec<RedisServer> = urls
            .split(',')
            .map(|url| RedisServer::parse(url.trim(), password))
            .collect::<Result<_, _>>()?;
        match servers.len() {
            1..=MOST_SERVERS => Ok(Self(servers)),
            many => Err(format!("names {many} servers; at most {MOST_SERVERS}")),
        }
    }

    /// Trusts these certificates (PEM) instead of this system's, where TLS is spoken.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn trusting(self, pem: &[u8]) -> Result<Self, String> {
        let trusting = self.0.into_iter().map(|server| server.trusting(pem));
        trusting.collect::<Result<_, _>>().map(Self)
    }

    /// Where everything is that is not spread.
    pub fn first(&self) -> &RedisServer {
        &self.0[0]
    }

    /// All of them, in order.
    pub fn all(&self) -> &[RedisServer] {
        &self.0
    }
}

impl RedisServer {
    fn parse(url: &str, password: Option<&str>) -> Result<Self, String> {
        if url.contains('#') {
            return Err("has a `#`; certificates are always checked".to_owned());
        }
        let info = url.into_connection_info().map_err(|error| {
            let why = error.detail().unwrap_or_else(|| plain(&error));
            format!("is no Redis URL such as \"redis://:PASSWORD@host:6379/0\": {why}")
        })?;
        let mut settings = info
            .redis_settings()
            .clone()
            // Subscribing and commands on one connection need RESP3.
            .set_protocol(ProtocolVersion::RESP3)
            .set_skip_set_lib_name();
        if let (None, Some(password)) = (settings.password(), password) {
            settings = settings.set_password(password);
        }
        let shown = shown(&info);
        if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            // The first one stays: an earlier caller has chosen the same.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let info = info.set_redis_settings(settings).set_tcp_settings(tcp());
        let client = Client::open(info).map_err(|error| plain(&error).to_owned())?;
        Ok(Self { client, shown })
    }

    fn trusting(self, pem: &[u8]) -> Result<Self, String> {
        if !self.tls() {
            return Ok(self);
        }
        if !pem.windows(5).any(|it| it == b"BEGIN") {
            return Err("holds no certificate in PEM".to_owned());
        }
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: Some(pem.to_vec()),
        };
        let info = self.client.get_connection_info().clone();
        let client = Client::build_with_tls(info, certificates);
        let client = client.map_err(|error| error.to_string())?;
        Ok(Self { client, ..self })
    }

    /// A connection of one's own. What the server says unasked goes to `pushed`, on the connection's
    /// own task: it must be quick and must not block. Dropping the connection closes it.
    ///
    /// # Errors
    /// After [`CONNECT`] at the latest.
    pub async fn connect(
        &self,
        pushed: impl AsyncPushSender,
    ) -> Result<MultiplexedConnection, Unreachable> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(RESPONSE))
            .set_pipeline_buffer_size(AHEAD)
            .set_push_sender(pushed);
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        match tokio::time::timeout(CONNECT, connecting).await {
            Ok(connected) => connected.map_err(|error| self.unreachable(&error)),
            Err(_) => Err(self.silent()),
        }
    }

    /// What this error of the server means, in words for the operator.
    pub fn unreachable(&self, error: &RedisError) -> Unreachable {
        Unreachable {
            server: self.shown.clone(),
            why: explained(error, self.tls()),
        }
    }

    fn silent(&self) -> Unreachable {
        Unreachable {
            server: self.shown.clone(),
            why: silent(self.tls()),
        }
    }

    /// The database of its keys.
    pub fn database(&self) -> i64 {
        self.client.get_connection_info().redis_settings().db()
    }

    fn tls(&self) -> bool {
        let addr = self.client.get_connection_info().addr();
        matches!(addr, ConnectionAddr::TcpTls { .. })
    }
}

impl std::fmt::Display for RedisServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Small frames must not wait for acknowledgements, and a silent peer must be noticed.
fn tcp() -> TcpSettings {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY);
    TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive)
}

/// Scheme, place and database: nothing secret.
fn shown(info: &ConnectionInfo) -> String {
    let scheme = match info.addr() {
        ConnectionAddr::TcpTls { .. } => "rediss",
        ConnectionAddr::Unix(_) => "redis+unix",
        _ => "redis",
    };
    match info.redis_settings().db() {
        0 => format!("{scheme}://{}", info.addr()),
        db => format!("{scheme}://{}/{db}", info.addr()),
    }
}

/// Whether the server itself said this, over a connection that goes on.
pub fn answered(error: &RedisError) -> bool {
    !(error.is_io_error()
        || error.is_timeout()
        || error.is_connection_dropped()
        || error.is_unrecoverable_error())
}

/// Whether the server cannot serve, so that another connection may do better: it is a replica since the
/// last failover, or still loads.
pub fn cannot_serve(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, ReadOnly};
    [BusyLoading, ClusterDown, MasterDown, ReadOnly]
        .map(ErrorKind::Server)
        .contains(&error.kind())
}

/// The kinds of failure that people meet, with what to do about each.
fn explained(error: &RedisError, tls: bool) -> String {
    let text = error.to_string();
    let has = |word: &str| text.contains(word);
    if has("WRONGPASS") || has("invalid password") || has("invalid username-password") {
        "the user or the password is wrong (channel.url or channel.password_file)".to_owned()
    } else if has("NOAUTH") || error.kind() == ErrorKind::AuthenticationFailed {
        format!("it wants a password (channel.url or channel.password_file): {text}")
    } else if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) {
        format!("this user's rights do not suffice, see docs/OPERATIONS.md: {text}")
    } else if has("corrupt message") || (tls && has("unexpected end of file")) {
        "it does not speak TLS on this port: write redis:// instead of rediss://".to_owned()
    } else if has("certificate") || has("Certificate") {
        format!("its TLS certificate is not accepted: {text}")
    } else if error.kind() == ErrorKind::RESP3NotSupported || has("unknown command 'HELLO'") {
        "it is too old: Redis 6.2 or newer is needed".to_owned()
    } else if error.is_timeout() {
        silent(tls)
    } else if error.is_connection_refusal() {
        "nothing listens there (connection refused)".to_owned()
    } else if !tls && (error.is_unrecoverable_error() || error.kind() == ErrorKind::Parse) {
        format!("{text}; if it speaks only TLS on this port, write rediss:// instead of redis://")
    } else {
        text
    }
}

/// A server that speaks no TLS takes the greeting for a command without an end, and waits for it.
fn silent(tls: bool) -> String {
    match tls {
        true => {
            "it does not answer in time; if it does not speak TLS on this port, write redis:// \
                 instead of rediss://"
                .to_owned()
        }
        false => "it does not answer in time".to_owned(),
    }
}

fn plain(error: &RedisError) -> &'static str {
    match error.kind() {
        ErrorKind::InvalidClientConfig => "it cannot be understood",
        _ => "it cannot be used",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(urls: &str) -> Result<Vec<String>, String> {
        let servers = RedisServers::parse(urls, None)?;
        Ok(servers.all().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn several_servers_are_separated_by_commas() {
        assert_eq!(
            names("redis://a, rediss://user:p%2Cw@b:7000/3,redis+unix:///run/redis.sock").unwrap(),
            [
                "redis://a:6379",
                "rediss://b:7000/3",
                "redis+unix:///run/redis.sock"
            ]
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_being_repeated() {
        for wrong in [
            "",
            "redis://",
            "http://:secret@a",
            "redis://:secret@a/x",
            "rediss://:secret@a/#insecure",
            "redis://a,,redis://b",
            "secret",
        ] {
            let why = names(wrong).unwrap_err();
            assert!(!why.contains("secret"), "{why}");
        }
        let many = vec!["redis://a"; MOST_SERVERS + 1].join(",");
        assert!(names(&many).unwrap_err().contains("17 servers"));
    }

    #[test]
    fn a_password_beside_the_url_is_used_where_the_url_has_none() {
        let servers = RedisServers::parse("redis://a,redis://:own@b", Some("shared")).unwrap();
        let password = |at: usize| {
            let info = servers.all()[at].client.get_connection_info();
            info.redis_settings().password().map(str::to_owned)
        };
        assert_eq!(password(0).as_deref(), Some("shared"));
        assert_eq!(password(1).as_deref(), Some("own"));
        assert!(!format!("{servers:?}").contains("shared"));
    }
}
