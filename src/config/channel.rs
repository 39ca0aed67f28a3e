//! `[channel]`.

use std::path::PathBuf;

use super::problem::KeyError;
use super::value::{ServiceUrl, Words};
use crate::keyfile;
use crate::redis::{CertificatesError, RedisServer, RedisServers, RedisUrlError};

section! {
    /// How frames travel between connections, and where people wait for each other.
    Channel = "channel" {
        /// "memory:", which reaches the connections of this process. Or a Redis that all nodes
        /// name: "redis://:PASSWORD@HOST:6379/0", "rediss://…" with TLS, "redis+unix:///PATH".
        /// Several with commas between them share the rooms.
        url: String as ServiceUrl = "memory:";
        /// A file that holds the password of Redis, for URLs that have none. Only its owner may read
        /// it (mode 0600).
        password_file: Option<PathBuf> = "";
        /// A file with the certificates (PEM) that "rediss://" trusts instead of this system's.
        ca_file: Option<PathBuf> = "";
        /// Begins every name in Redis. Sites that share a Redis need one each.
        prefix: String = "miyu:";
        /// When Redis does not answer at start: "fail", or "standalone" (with SQLite only):
        /// run alone, and say so. A Redis that goes away later is waited for either way.
        when_unreachable: WhenUnreachable = "fail";
    }
}

/// What a node does that finds no Redis at its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenUnreachable {
    /// It does not start.
    #[default]
    Fail,
    /// It runs alone.
    Standalone,
}

impl Words for WhenUnreachable {
    const KIND: &'static str = "\"fail\" or \"standalone\"";
    const WORDS: &'static [(&'static str, Self)] =
        &[("fail", Self::Fail), ("standalone", Self::Standalone)];
}

/// Longest prefix, in bytes.
pub const PREFIX_BYTES: usize = 64;

impl Channel {
    /// The Redis servers to use; `None` when everything stays in this process. Reads the files.
    ///
    /// # Errors
    /// Which key is wrong, and how.
    pub fn servers(&self) -> Result<Option<RedisServers>, KeyError> {
        if self.url == "memory:" {
            return Ok(None);
        }
        self.servers_at("channel.url", &self.url).map(Some)
    }

    /// The Redis server where people wait for each other: the one of `matching.url`, else the first of these.
    /// `None` when everything stays in this process. Reads the files.
    ///
    /// # Errors
    /// Which key is wrong, and how.
    pub fn pool_server(&self, url: &str) -> Result<Option<RedisServer>, KeyError> {
        const KEY: &str = "matching.url";
        let servers = self.servers()?;
        if url.is_empty() {
            return Ok(servers.map(|servers| servers.first().clone()));
        }
        if servers.is_none() {
            let why = "needs channel.url: who waits where other nodes can tell it nothing must not be found \
                       by them";
            return Err(KeyError::new(KEY, why));
        }
        let own = self.servers_at(KEY, url)?;
        match own.all() {
            [server] => Ok(Some(server.clone())),
            _ => {
                let why = "must name one server: all nodes wait in one place";
                Err(KeyError::new(KEY, why))
            }
        }
    }

    fn servers_at(&self, key: &'static str, url: &str) -> Result<RedisServers, KeyError> {
        let password = self.password_file.as_deref().map(keyfile::read).transpose();
        let password = password.map_err(|why| KeyError::new("channel.password_file", why))?;
        let password = password.as_deref().map(str::trim_end);
        let servers = RedisServers::parse(url, password).map_err(|why| match key {
            "channel.url" => KeyError::new(key, OrMemory(why)),
            _ => KeyError::new(key, why),
        })?;
        let Some(path) = &self.ca_file else {
            return Ok(servers);
        };
        let wrong = |why| KeyError::new("channel.ca_file", why);
        let pem = std::fs::read(path).map_err(|error| {
            let path = path.clone();
            wrong(CaFileError::Unreadable { path, error })
        })?;
        let trusting = servers.trusting(&pem);
        trusting.map_err(|why| wrong(CaFileError::Certificates(why)))
    }
}

/// `channel.url` has one more form than other addresses of Redis.
#[derive(Debug, thiserror::Error)]
#[error("{0} (or \"memory:\")")]
struct OrMemory(#[source] RedisUrlError);

#[derive(Debug, thiserror::Error)]
enum CaFileError {
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        error: std::io::Error,
    },
    #[error(transparent)]
    Certificates(CertificatesError),
}
