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
    #[source]
    pub why: RedisTrouble,
}

/// What is wrong with a server, as far as people can do different things about it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RedisTrouble {
    /// It knows no such user and password.
    #[error("the user or the password is wrong (channel.url or channel.password_file)")]
    WrongPassword,
    /// It lets no client in without a password.
    #[error("it wants a password (channel.url or channel.password_file): {0}")]
    WantsPassword(#[source] RedisError),
    /// The user may not do what is needed.
    #[error("this user's rights do not suffice, see docs/OPERATIONS.md: {0}")]
    Forbidden(#[source] RedisError),
    /// It was greeted with TLS.
    #[error("it does not speak TLS on this port: write redis:// instead of rediss://")]
    NoTls,
    /// Its certificate is not one that is trusted.
    #[error("its TLS certificate is not accepted: {0}")]
    Certificate(#[source] RedisError),
    /// It has no RESP3.
    #[error("it is too old: Redis 6.2 or newer is needed")]
    TooOld,
    /// No answer came.
    #[error("it does not answer in time")]
    Silent,
    /// The same over TLS: a server that speaks none takes the greeting for a command without an end, and
    /// waits for it.
    #[error(
        "it does not answer in time; if it does not speak TLS on this port, write redis:// instead of rediss://"
    )]
    SilentOverTls,
    /// Nothing listens.
    #[error("nothing listens there (connection refused)")]
    Refused,
    /// It was greeted without TLS, and what it said is not understood.
    #[error("{0}; if it speaks only TLS on this port, write rediss:// instead of redis://")]
    PerhapsTls(#[source] RedisError),
    /// The connection ended.
    #[error("the connection was closed")]
    Closed,
    /// This process has ended the link.
    #[error("closed")]
    Ended,
    /// A probe that was published did not come back.
    #[error("it takes what is published and tells nothing")]
    Deaf,
    /// Anything else.
    #[error(transparent)]
    Other(RedisError),
}

/// What is wrong with a URL of Redis. Nothing in it repeats the URL, which may hold a password; so it has not
/// the driver's error either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedisUrlError {
    /// It names too many servers.
    #[error("names {0} servers; at most {MOST_SERVERS}")]
    Servers(usize),
    /// Behind a `#` the driver takes a word that turns the check of certificates off.
    #[error("has a `#`; certificates are always checked")]
    Fragment,
    /// It is no such URL.
    #[error("is no Redis URL such as \"redis://:PASSWORD@host:6379/0\": {0}")]
    Unreadable(String),
    /// The driver does not take it.
    #[error("{0}")]
    Unusable(&'static str),
}

/// What is wrong with the certificates that are to be trusted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CertificatesError {
    /// There are none.
    #[error("holds no certificate in PEM")]
    None,
    /// They are not understood.
    #[error(transparent)]
    Unusable(RedisError),
}

impl RedisServers {
    /// Reads `redis://`, `rediss://` (TLS) and `redis+unix://` URLs with commas between them.
    /// `password` is used where the URL has none.
    ///
    /// # Errors
    /// What is wrong with the URL; never the URL itself, which may hold a password.
    pub fn parse(urls: &str, password: Option<&str>) -> Result<Self, RedisUrlError> {
        let servers: Vec<RedisServer> = urls
            .split(',')
            .map(|url| RedisServer::parse(url.trim(), password))
            .collect::<Result<_, _>>()?;
        match servers.len() {
            1..=MOST_SERVERS => Ok(Self(servers)),
            many => Err(RedisUrlError::Servers(many)),
        }
    }

    /// Trusts these certificates (PEM) instead of this system's, where TLS is spoken.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn trusting(self, pem: &[u8]) -> Result<Self, CertificatesError> {
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
    fn parse(url: &str, password: Option<&str>) -> Result<Self, RedisUrlError> {
        if url.contains('#') {
            return Err(RedisUrlError::Fragment);
        }
        let info = url.into_connection_info().map_err(|error| {
            let why = error.detail().unwrap_or_else(|| plain(&error));
            RedisUrlError::Unreadable(why.to_owned())
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
        let client = Client::open(info).map_err(|error| RedisUrlError::Unusable(plain(&error)))?;
        Ok(Self { client, shown })
    }

    fn trusting(self, pem: &[u8]) -> Result<Self, CertificatesError> {
        if !self.tls() {
            return Ok(self);
        }
        if !pem.windows(5).any(|it| it == b"BEGIN") {
            return Err(CertificatesError::None);
        }
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: Some(pem.to_vec()),
        };
        let info = self.client.get_connection_info().clone();
        let client = Client::build_with_tls(info, certificates);
        let client = client.map_err(CertificatesError::Unusable)?;
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
            Ok(connected) => connected.map_err(|error| self.unreachable(error)),
            Err(_) => Err(self.silent()),
        }
    }

    /// What this error of the server means, in words for the operator.
    pub fn unreachable(&self, error: RedisError) -> Unreachable {
        self.with(explained(error, self.tls()))
    }

    /// It does not answer.
    pub fn silent(&self) -> Unreachable {
        self.with(silent(self.tls()))
    }

    /// It has this trouble.
    pub fn with(&self, why: RedisTrouble) -> Unreachable {
        Unreachable {
            server: self.shown.clone(),
            why,
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

/// The kinds of failure that people meet.
fn explained(error: RedisError, tls: bool) -> RedisTrouble {
    let text = error.to_string();
    let has = |word: &str| text.contains(word);
    if has("WRONGPASS") || has("invalid password") || has("invalid username-password") {
        RedisTrouble::WrongPassword
    } else if has("NOAUTH") || error.kind() == ErrorKind::AuthenticationFailed {
        RedisTrouble::WantsPassword(error)
    } else if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) {
        RedisTrouble::Forbidden(error)
    } else if has("corrupt message") || (tls && has("unexpected end of file")) {
        RedisTrouble::NoTls
    } else if has("certificate") || has("Certificate") {
        RedisTrouble::Certificate(error)
    } else if error.kind() == ErrorKind::RESP3NotSupported || has("unknown command 'HELLO'") {
        RedisTrouble::TooOld
    } else if error.is_timeout() {
        silent(tls)
    } else if error.is_connection_refusal() {
        RedisTrouble::Refused
    } else if !tls && (error.is_unrecoverable_error() || error.kind() == ErrorKind::Parse) {
        RedisTrouble::PerhapsTls(error)
    } else {
        RedisTrouble::Other(error)
    }
}

fn silent(tls: bool) -> RedisTrouble {
    match tls {
        true => RedisTrouble::SilentOverTls,
        false => RedisTrouble::Silent,
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

    fn names(urls: &str) -> Result<Vec<String>, RedisUrlError> {
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
            let why = names(wrong).unwrap_err().to_string();
            assert!(!why.contains("secret"), "{why}");
        }
        let many = vec!["redis://a"; MOST_SERVERS + 1].join(",");
        assert_eq!(names(&many), Err(RedisUrlError::Servers(17)));
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
