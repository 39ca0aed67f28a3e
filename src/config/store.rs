//! `[store]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Durability;
use super::problem::KeyError;
use super::value::{ServiceUrl, Size};
use crate::keyfile::{self, KeyFileError};
use crate::store::postgres::Target;

section! {
    /// Where rooms are kept.
    Store = "store" {
        /// "sqlite:PATH"; a relative path starts at the folder that miyu was started in. Or
        /// "postgres://user@host:5432/database?sslmode=verify-full" for several nodes; sslmode and
        /// sslrootcert mean what they mean to psql.
        url: String as ServiceUrl = "sqlite:data/miyu.db";
        /// A file that holds the password of the PostgreSQL user, so that `url` need not. Only its
        /// owner may read it (mode 0600).
        password_file: Option<PathBuf> = "";
        /// What an acknowledged message survives: "power" (a power cut) or "process" (a crash of
        /// miyu, not of the machine, or of PostgreSQL; faster on slow disks).
        durability: Durability = "power";
        /// How long an action waits for the store before it is answered `unavailable`.
        timeout: Duration = "5s" from "10ms" to "5m";
        /// How long a closed room is kept before it is erased.
        retention: Duration = "24h" from "1s" to "365days";
        /// How large the data may become on the disk. From nine tenths of it on no new pairs are made,
        /// until erasure has made room; people in open rooms go on, and bytes of messages count
        /// tenfold. At the whole of it messages are answered `unavailable`, as with a full disk.
        /// "0B": as large as the disk.
        max_size: u64 as Size = "8GiB" from "64MiB" or "0B";
    }
}

/// Where rooms are kept.
#[derive(Clone, Debug)]
pub enum StorePlace {
    /// In this SQLite file.
    Sqlite(PathBuf),
    /// In this PostgreSQL database.
    Postgres(Box<Target>),
}

impl Store {
    /// Where rooms are kept. Reads the file of the password.
    ///
    /// # Errors
    /// Which key is wrong, and how.
    pub fn place(&self) -> Result<StorePlace, KeyError> {
        let (scheme, rest) = self.url.split_once(':').unwrap_or_default();
        let path = self.password_file.as_deref();
        match scheme {
            "postgres" | "postgresql" => {
                let password = path.map(password).transpose();
                let password = password.map_err(|why| KeyError::new("store.password_file", why))?;
                let target = Target::parse(&self.url, password.as_deref());
                target
                    .map(|it| StorePlace::Postgres(Box::new(it)))
                    .map_err(|why| KeyError::new("store.url", why))
            }
            "sqlite" if path.is_some() => {
                let why = "is for PostgreSQL; SQLite has no password";
                Err(KeyError::new("store.password_file", why))
            }
            "sqlite" if !rest.is_empty() => Ok(StorePlace::Sqlite(PathBuf::from(rest))),
            _ => {
                let why = "must be \"sqlite:PATH\" or \"postgres://user@host/database\"";
                Err(KeyError::new("store.url", why))
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum PasswordError {
    #[error(transparent)]
    File(#[from] KeyFileError),
    #[error("{} is empty", .0.display())]
    Empty(PathBuf),
}

fn password(path: &Path) -> Result<String, PasswordError> {
    let text = keyfile::read(path)?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(PasswordError::Empty(path.to_owned())),
        password => Ok(password.to_owned()),
    }
}
