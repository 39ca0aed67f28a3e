//! Where the database is, as `store.url` says it: read once, shown without its password.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::string::FromUtf8Error;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::tls::Trust;

/// How long the server may be silent before a connection is asked whether it lives.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// How long what was sent may stay without an acknowledgement.
const USER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long making a connection may take.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// The port when none is named.
const PORT: u16 = 5432;

/// What is wrong with an address. Nothing in it repeats the address, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The driver does not understand it; its words.
    #[error("{0}")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It names no host.
    #[error("names no host")]
    NoHost,
    /// It names no database.
    #[error("names no database: postgres://user@host/DATABASE")]
    NoDatabase,
    /// It names no user.
    #[error("names no user: postgres://USER@host/database")]
    NoUser,
    /// Its `sslmode` is another word.
    #[error("sslmode={0} is none of disable, prefer, require, verify-ca, verify-full")]
    SslMode(String),
    /// Its `sslrootcert` is not encoded as in an address.
    #[error("sslrootcert is not percent-encoded properly")]
    Encoding,
    /// The same, decoded.
    #[error("sslrootcert is not UTF-8")]
    NotUtf8(#[source] FromUtf8Error),
}

/// A parsed `postgres://` address. `Display` shows who, where and which database, never a password.
#[derive(Clone)]
pub struct Target {
    pub(super) config: Config,
    pub(super) trust: Trust,
    shown: String,
}

impl Target {
    /// Reads an address as libpq would: `postgres://user:password@host:port/database?sslmode=…`.
    /// A password given apart takes the place of the one in it.
    ///
    /// # Errors
    /// What is wrong with it, in words for an operator, without the address itself.
    pub fn parse(url: &str, password: Option<&str>) -> Result<Self, TargetError> {
        let (bare, tls) = take_tls(url)?;
        let mut config = Config::from_str(&bare).map_err(|error| {
            let cause = error.into_source();
            TargetError::Unreadable(cause.unwrap_or_else(|| "cannot be read".into()))
        })?;
        if config.get_hosts().is_empty() {
            return Err(TargetError::NoHost);
        }
        if config.get_dbname().is_none() {
            return Err(TargetError::NoDatabase);
        }
        if config.get_user().is_none() {
            return Err(TargetError::NoUser);
        }
        if let Some(password) = password {
            config.password(password);
        }
        config.ssl_mode(tls.mode);
        config
            .connect_timeout(CONNECT)
            .keepalives(true)
            .keepalives_idle(KEEPALIVE)
            .keepalives_interval(KEEPALIVE / 3)
            .keepalives_retries(3)
            .tcp_user_timeout(USER_TIMEOUT);
        if config.get_application_name().is_none() {
            config.application_name("miyu");
        }
        let shown = shown(&config);
        Ok(Self {
            config,
            trust: tls.trust,
            shown,
        })
    }

    /// The database's name.
    pub(super) fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_default()
    }

    /// The user's name.
    pub(super) fn user(&self) -> &str {
        self.config.get_user().unwrap_or_default()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.shown)
    }
}

struct Tls {
    mode: SslMode,
    trust: Trust,
}

/// Takes out what the driver does not know: `sslrootcert`, and modes that check certificates.
fn take_tls(url: &str) -> Result<(String, Tls), TargetError> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut roots, mut rest) = ("prefer".to_owned(), None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = value.to_owned(),
            Some(("sslrootcert", value)) => roots = Some(decoded(value)?),
            _ => rest.push(pair),
        }
    }
    let roots = roots.filter(|roots| roots != "system").map(PathBuf::from);
    let (mode, trust) = match (&*mode, roots) {
        ("disable", _) => (SslMode::Disable, Trust::Anybody),
        ("prefer", _) => (SslMode::Prefer, Trust::Anybody),
        // As libpq: who names an authority wants it asked.
        ("require", None) => (SslMode::Require, Trust::Anybody),
        ("require" | "verify-ca", roots) => (SslMode::Require, Trust::Authority(roots)),
        ("verify-full", roots) => (SslMode::Require, Trust::AuthorityAndName(roots)),
        (other, _) => return Err(TargetError::SslMode(other.to_owned())),
    };
    let rest = rest.join("&");
    let bare = if rest.is_empty() {
        base.to_owned()
    } else {
        format!("{base}?{rest}")
    };
    Ok((bare, Tls { mode, trust }))
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Result<String, TargetError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(|digit| digit.map(char::from));
        let digits = digits.map(|digit| digit.and_then(|digit| digit.to_digit(16)));
        let [Some(high), Some(low)] = digits else {
            return Err(TargetError::Encoding);
        };
        bytes.push(u8::try_from(high * 16 + low).expect("two hexadecimal digits"));
    }
    String::from_utf8(bytes).map_err(TargetError::NotUtf8)
}

fn shown(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(n, host)| {
        let port = ports.get(n).or(ports.first()).copied().unwrap_or(PORT);
        match host {
            Host::Tcp(host) => format!("{host}:{port}"),
            Host::Unix(path) => path.display().to_string(),
        }
    });
    let hosts: Vec<String> = hosts.collect();
    format!(
        "postgres://{}@{}/{}",
        config.get_user().unwrap_or_default(),
        hosts.join(","),
        config.get_dbname().unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let url = "postgres://me:se%40cret@db.example:6543/talk?sslmode=disable&password=other";
        let target = Target::parse(url, Some("third")).unwrap();
        for shown in [target.to_string(), format!("{target:?}")] {
            assert!(shown.contains("postgres://me@db.example:6543/talk"));
            for secret in ["se%40cret", "se@cret", "other", "third"] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
        assert_eq!(target.config.get_password(), Some(&b"third"[..]));
    }

    #[test]
    fn sslmode_means_what_libpq_means() {
        let of = |query: &str| {
            let url = format!("postgres://me@h/d?{query}");
            let target = Target::parse(&url, None).unwrap();
            (target.config.get_ssl_mode(), target.trust)
        };
        let file = || Some(PathBuf::from("/a b.pem"));
        let cases = [
            ("", SslMode::Prefer, Trust::Anybody),
            ("sslmode=disable", SslMode::Disable, Trust::Anybody),
            ("sslmode=require", SslMode::Require, Trust::Anybody),
            (
                "sslmode=require&sslrootcert=/a%20b.pem",
                SslMode::Require,
                Trust::Authority(file()),
            ),
            (
                "sslrootcert=system&sslmode=verify-ca",
                SslMode::Require,
                Trust::Authority(None),
            ),
            (
                "sslmode=verify-full&sslrootcert=/a%20b.pem",
                SslMode::Require,
                Trust::AuthorityAndName(file()),
            ),
        ];
        for (query, mode, trust) in cases {
            assert_eq!(of(query), (mode, trust), "{query}");
        }
    }

    #[test]
    fn a_bad_address_is_refused_without_repeating_it() {
        for bad in [
            "postgres://me:hunter2@/d",
            "postgres://me:hunter2@h",
            "postgres://me:hunter2@h:port/d",
            "postgres://me:hunter2@h/d?sslmode=maybe",
            "postgres://me:hunter2@h/d?sslrootcert=%zz",
            "postgres://me:hunter2@h/d?colour=red",
        ] {
            let why = Target::parse(bad, None).unwrap_err().to_string();
            assert!(!why.contains("hunter2") && !why.is_empty(), "{why}");
        }
    }
}
