//! `[admin]`.

use std::path::{Path, PathBuf};

use super::{Config, StorePlace};

/// Where the control socket is when nothing says where, and the data is on another machine.
const DATA: &str = "data";

section! {
    /// The operators' console at /admin/, and the commands for operators. docs/OPERATIONS.md says how the first
    /// operator is made.
    Admin = "admin" {
        /// Let operators use the console over plain http from elsewhere than this machine. What they type, their
        /// password too, can then be read on the way: only for a network of one's own.
        allow_plain_http: bool = false;
        /// The folder of the control socket (miyu.sock) and of the link for the first operator (setup-link). Empty: that
        /// of the database; with PostgreSQL `data`.
        dir: String = "";
    }
}

impl Config {
    /// The folder of the control socket and of the link for the first operator.
    pub fn admin_dir(&self) -> PathBuf {
        if !self.admin.dir.is_empty() {
            return PathBuf::from(&self.admin.dir);
        }
        let folder = match self.store.place() {
            Ok(StorePlace::Sqlite(path)) => path.parent().map(Path::to_owned),
            _ => Some(PathBuf::from(DATA)),
        };
        let named = folder.filter(|it| !it.as_os_str().is_empty());
        named.unwrap_or_else(|| PathBuf::from("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_where_the_data_is_unless_it_is_said_where() {
        let dir = |url: &str, set: &str| {
            let mut config = Config::default();
            config.store.url = url.to_owned();
            config.admin.dir = set.to_owned();
            config.admin_dir().display().to_string()
        };
        assert_eq!(dir("sqlite:/srv/miyu/miyu.db", ""), "/srv/miyu");
        assert_eq!(dir("sqlite:miyu.db", ""), ".");
        assert_eq!(dir("postgres://me@db/talk", ""), "data");
        assert_eq!(dir("postgres://me@db/talk", "/run/miyu"), "/run/miyu");
    }
}
