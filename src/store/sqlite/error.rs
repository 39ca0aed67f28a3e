//! What can go wrong inside this backend, and what each caller is told of it. Driver errors end here.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::store::StoreError;

/// Why a store could not be opened; the text tells the operator what to do.
#[derive(Debug, thiserror::Error)]
pub enum SqliteOpenError {
    /// The folder or a file in it cannot be created or written.
    #[error(
        "cannot write to {path}: {why}; give it to the user that runs miyu, or point store.url elsewhere"
    )]
    Unwritable {
        /// What could not be written.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// The file belongs to another program.
    #[error(
        "{path} is no Miyu database ({what}); it was left as it is: point store.url elsewhere or move it away"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        what: String,
    },
    /// A newer program wrote it.
    #[error("{path} was written by a newer miyu ({why}); run that version or restore a backup")]
    Newer {
        /// The file.
        path: PathBuf,
        /// How it shows.
        why: String,
    },
    /// It is ours, but broken.
    #[error(
        "{path} is damaged ({why}); restore a backup, or move it away together with its -wal file to start empty"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The database's words.
        why: String,
    },
    /// Another process uses it.
    #[error("another process uses this store: it holds {lock}; stop that one first")]
    Locked {
        /// The lock file.
        lock: PathBuf,
    },
    /// The file system does not do what a database needs of it.
    #[error(
        "the file system of {path} does not keep locks or shared memory as a local disk does ({why}); network \
         shares (NFS, SMB) and some folders of virtual machines and containers do not. Put the database on a \
         local disk, or use PostgreSQL"
    )]
    FileSystem {
        /// The file.
        path: PathBuf,
        /// How it shows.
        why: String,
    },
    /// A program that is no Miyu has it open, or locks do not work.
    #[error(
        "{path} is locked ({why}): another program uses the database, or its file system keeps no locks, as \
         network shares may not; close that program, or put the database on a local disk"
    )]
    Busy {
        /// The file.
        path: PathBuf,
        /// The database's words.
        why: String,
    },
    /// There is no space left. It may come back: trying again makes sense.
    #[error("no space left on the disk of {path}; free some")]
    DiskFull {
        /// The file or folder that needed space.
        path: PathBuf,
    },
    /// Anything else.
    #[error("cannot open {path}: {why}")]
    Failed {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
}

impl SqliteOpenError {
    /// What a failed file operation means for a caller that opens `path`.
    pub(super) fn from_io(path: &Path, error: &std::io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path }
            }
            std::io::ErrorKind::ReadOnlyFilesystem => Self::Unwritable {
                path,
                why: "its file system is mounted read-only".to_owned(),
            },
            _ => Self::Unwritable {
                path,
                why: error.to_string(),
            },
        }
    }

    /// What a failed statement means for a caller that opens `path`.
    pub(super) fn from_sql(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        let why = error.to_string();
        if is_about_the_file_system(error) {
            return Self::FileSystem { path, why };
        }
        match SqliteCause::of(error) {
            SqliteCause::Full => Self::DiskFull { path },
            SqliteCause::Other if is_busy(error) => Self::Busy { path, why },
            SqliteCause::Damaged | SqliteCause::Constraint => Self::Damaged { path, why },
            SqliteCause::Unwritable => Self::Unwritable { path, why },
            SqliteCause::Other => Self::Failed { path, why },
        }
    }

    /// The same for what the writer's own code found.
    pub(super) fn from_fault(path: &Path, fault: &SqliteError) -> Self {
        match fault {
            SqliteError::Sql(error) => Self::from_sql(path, error),
            SqliteError::Conflict | SqliteError::MaxSize => Self::Damaged {
                path: path.to_owned(),
                why: "two rows of one name".into(),
            },
            SqliteError::Damaged(why) => Self::Damaged {
                path: path.to_owned(),
                why: (*why).to_owned(),
            },
            SqliteError::BatchAborted(fault) => Self::from_fault(path, fault),
            SqliteError::Gone => Self::Failed {
                path: path.to_owned(),
                why: GONE.to_owned(),
            },
        }
    }

    /// What a lock that cannot be had for another reason than its holder means.
    pub(super) fn from_lock(path: &Path, error: &std::io::Error) -> Self {
        use rustix::io::Errno;
        let none = [Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP, Errno::INVAL];
        let code = error.raw_os_error();
        match none.iter().any(|errno| Some(errno.raw_os_error()) == code) {
            true => Self::FileSystem {
                path: path.to_owned(),
                why: error.to_string(),
            },
            false => Self::from_io(path, error),
        }
    }
}

fn extended_code(error: &rusqlite::Error) -> Option<i32> {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => Some(failure.extended_code),
        _ => None,
    }
}

fn is_about_the_file_system(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi;
    let codes = [
        ffi::SQLITE_IOERR_LOCK,
        ffi::SQLITE_IOERR_RDLOCK,
        ffi::SQLITE_IOERR_UNLOCK,
        ffi::SQLITE_IOERR_CHECKRESERVEDLOCK,
        ffi::SQLITE_IOERR_SHMOPEN,
        ffi::SQLITE_IOERR_SHMLOCK,
        ffi::SQLITE_IOERR_SHMMAP,
        ffi::SQLITE_PROTOCOL,
    ];
    extended_code(error).is_some_and(|code| codes.contains(&code))
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(failure, _)
        if matches!(failure.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// What callers and operators are told when the file is not there any more.
const GONE: &str = "the database file or its -wal was removed or replaced while the server runs; put it \
    back, or restart the server";

/// Why one job failed.
#[derive(Debug)]
pub(super) enum SqliteError {
    /// The database said no.
    Sql(rusqlite::Error),
    /// A row is not what we wrote. Fixed words only: they reach the log.
    Damaged(&'static str),
    /// The id names something else.
    Conflict,
    /// The data has the size that `store.max_size` allows.
    MaxSize,
    /// The files that are written to have no name any more: what is written there is lost with this process.
    Gone,
    /// It cannot be taken back alone: rows of other jobs are written together with it, or some of its own
    /// are written.
    BatchAborted(Box<SqliteError>),
}

impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl SqliteError {
    /// Whether only the job that met it has failed; everything else fails its whole transaction.
    pub(super) fn is_private(&self) -> bool {
        match self {
            Self::Sql(error) => {
                matches!(
                    SqliteCause::of(error),
                    SqliteCause::Damaged | SqliteCause::Constraint
                )
            }
            Self::Damaged(_) | Self::Conflict | Self::MaxSize => true,
            Self::BatchAborted(_) | Self::Gone => false,
        }
    }

    /// For the operator's graphs.
    pub(super) fn count(&self) {
        let kind = match self {
            Self::Sql(error) => match SqliteCause::of(error) {
                SqliteCause::Full => "full",
                SqliteCause::Damaged => "damaged",
                SqliteCause::Constraint => "constraint",
                SqliteCause::Unwritable => "unwritable",
                SqliteCause::Other => "other",
            },
            Self::Damaged(_) => "damaged",
            Self::Conflict => "conflict",
            Self::MaxSize => "max_size",
            Self::Gone => "gone",
            Self::BatchAborted(fault) => return fault.count(),
        };
        metrics::counter!("miyu_store_errors_total", "kind" => kind).increment(1);
    }

    /// What the caller can do about it. Driver texts name tables and codes, never values.
    pub(super) fn to_store_error(&self) -> StoreError {
        match self {
            Self::Sql(error) => match SqliteCause::of(error) {
                SqliteCause::Full => StoreError::Unavailable("the disk is full".into()),
                SqliteCause::Damaged | SqliteCause::Constraint => {
                    StoreError::Corrupt(error.to_string().into())
                }
                SqliteCause::Unwritable | SqliteCause::Other => {
                    StoreError::Unavailable(error.to_string().into())
                }
            },
            Self::Damaged(what) => StoreError::Corrupt((*what).into()),
            Self::Conflict => StoreError::Conflict,
            Self::MaxSize => crate::store::at_max_size(),
            Self::Gone => StoreError::Unavailable(GONE.into()),
            Self::BatchAborted(fault) => fault.to_store_error(),
        }
    }
}

/// The driver's many codes, as far as they ask for different answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SqliteCause {
    Full,
    Damaged,
    Constraint,
    Unwritable,
    Other,
}

impl SqliteCause {
    /// Sorts a driver's error.
    pub(super) fn of(error: &rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        match error {
            E::SqliteFailure(failure, _) => Self::of_code(*failure),
            E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::Utf8Error(..)
            | E::InvalidColumnType(..)
            | E::QueryReturnedNoRows => Self::Damaged,
            _ => Self::Other,
        }
    }

    fn of_code(failure: rusqlite::ffi::Error) -> Self {
        match failure.code {
            ErrorCode::DiskFull => Self::Full,
            // The shared-memory file beside the WAL could not grow.
            _ if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => Self::Full,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged,
            ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch => Self::Constraint,
            ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
                Self::Unwritable
            }
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_locks_or_shared_memory_is_named_as_the_trouble() {
        let path = Path::new("data/miyu.db");
        for errno in [rustix::io::Errno::NOLCK, rustix::io::Errno::OPNOTSUPP] {
            let error = std::io::Error::from_raw_os_error(errno.raw_os_error());
            let why = SqliteOpenError::from_lock(path, &error).to_string();
            assert!(why.contains("network shares"), "{why}");
        }
        let refused = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let why = SqliteOpenError::from_lock(path, &refused).to_string();
        assert!(why.contains("give it to the user"), "{why}");
        for (code, words) in [
            (rusqlite::ffi::SQLITE_IOERR_SHMMAP, "network"),
            (rusqlite::ffi::SQLITE_IOERR_LOCK, "network"),
            (rusqlite::ffi::SQLITE_BUSY, "network"),
            (rusqlite::ffi::SQLITE_READONLY, "give it to the user"),
            (rusqlite::ffi::SQLITE_FULL, "no space"),
        ] {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            let why = SqliteOpenError::from_sql(path, &error).to_string();
            assert!(why.contains(words), "{code}: {why}");
        }
    }
}
