//! `[channel]`.

use std::path::{Path, PathBuf};

use super::value::ServiceUrl;
use crate::keyfile;
use crate::redis::{RedisServer, RedisServers};

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
        when_unreachable: String = "fail";
    }
}

/// Longest prefix, in bytes.
pub const PREFIX_BYTES: usize = 64;

impl Channel {
    /// The Redis servers to use; `None` when everything stays in this process. Reads the files.
    ///
    /// # Errors
    /// Which key is wrong, and how.
    pub fn servers(&self) -> Result<Option<RedisServers>, (&'static str, String)> {
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
    pub fn pool_server(&self, url: &str) -> Result<Option<RedisServer>, (&'static str, String)> {
        const KEY: &str = "matching.url";
        let servers = self.servers()?;
        if url.is_empty() {
            return Ok(servers.map(|servers| servers.first().clone()));
        }
        if servers.is_none() {
            let why = "needs channel.url: who waits where other nodes can tell it nothing must not be found \
                       by them";
            return Err((KEY, why.to_owned()));
        }
        let own = self.servers_at(KEY, url)?;
        match own.all() {
            [server] => Ok(Some(server.clone())),
            _ => Err((
                KEY,
                "must name one server: all nodes wait in one place".to_owned(),
            )),
        }
    }

    fn servers_at(
        &self,
        key: &'static str,
        url: &str,
    ) -> Result<RedisServers, (&'static str, String)> {
        let password = self.password_file.as_deref().map(keyfile::read).transpose();
        let password = password.map_err(|why| ("channel.password_file", why.to_string()))?;
        let password = password.as_deref().map(str::trim_end);
        let servers = RedisServers::parse(url, password).map_err(|why| match key {
            "channel.url" => (key, format!("{why} (or \"memory:\")")),
            _ => (key, why),
        })?;
        let Some(path) = &self.ca_file else {
            return Ok(servers);
        };
        let trusting = read(path).and_then(|pem| servers.trusting(pem.as_bytes()));
        trusting.map_err(|why| ("channel.ca_file", why))
    }

    /// A node that finds no Redis at start runs alone.
    pub fn standalone(&self) -> bool {
        self.when_unreachable == "standalone"
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path)
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))
}
