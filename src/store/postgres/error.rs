//! What can go wrong inside this backend, and what each caller is told of it. Driver errors end here.

use std::fmt;

use deadpool_postgres::PoolError;
use tokio_postgres::error::{DbError, Severity, SqlState};

use super::link::PoolSetupError;
use super::target::Target;
use crate::store::StoreError;

/// What `begin_batch` raises when its epoch is over.
const LATE: &str = "MY001";

/// Why the store could not be opened; the text tells the operator what to do. Never a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is wrong.
    #[error("store.url {0}")]
    Address(#[source] PoolSetupError),
    /// There is no answer at that address.
    #[error(
        "cannot reach PostgreSQL at {at}: {why}; check that it runs, that host and port of store.url \
         are right, and that nothing between keeps us away"
    )]
    Unreachable {
        /// Whose address.
        at: String,
        /// The system's words.
        #[source]
        why: BackendError,
    },
    /// It does not let us in.
    #[error(
        "PostgreSQL at {at} refuses user `{user}`: {why}; check the user and the password \
         (in store.url or store.password_file) and the server's pg_hba.conf"
    )]
    Refused {
        /// Whose address.
        at: String,
        /// Who we said we are.
        user: String,
        /// The server's words.
        #[source]
        why: BackendError,
    },
    /// The database is not there.
    #[error(
        "PostgreSQL at {at} has no database `{database}`; make it (createdb -O {user} {database}) or \
         name another in store.url"
    )]
    NoDatabase {
        /// Whose address.
        at: String,
        /// Its name.
        database: String,
        /// Who should own it.
        user: String,
    },
    /// We may not make our tables.
    #[error(
        "user `{user}` may not make tables in {at}: {why}; let it own the database \
         (ALTER DATABASE … OWNER TO {user})"
    )]
    Forbidden {
        /// Whose address.
        at: String,
        /// Who we are.
        user: String,
        /// The server's words.
        #[source]
        why: BackendError,
    },
    /// The server is older than what we rely on.
    #[error("PostgreSQL at {at} is version {found}; miyu needs {needed} or newer")]
    TooOld {
        /// Whose address.
        at: String,
        /// Its version.
        found: String,
        /// The oldest that will do.
        needed: u32,
    },
    /// Its encoding cannot hold what we write.
    #[error(
        "the database of {at} has an encoding that cannot hold every text ({why}); miyu needs UTF8: make another one \
         (createdb --encoding UTF8 --template template0 …) and name it in store.url"
    )]
    Encoding {
        /// Whose address.
        at: String,
        /// The server's words.
        #[source]
        why: BackendError,
    },
    /// A newer program wrote the data.
    #[error("the data of {at} was written by a newer miyu ({why}); run that version")]
    Newer {
        /// Whose address.
        at: String,
        /// How it shows.
        #[source]
        why: BackendError,
    },
    /// Anything else.
    #[error("cannot open the store at {at}: {why}")]
    Failed {
        /// Whose address.
        at: String,
        /// What was said.
        #[source]
        why: BackendError,
    },
}

impl OpenError {
    /// What a failure means when this address is opened.
    pub(super) fn of(target: &Target, why: BackendError) -> Self {
        let (at, user) = (target.to_string(), target.user().to_owned());
        match Obstacle::of(&why) {
            Obstacle::Unreachable => Self::Unreachable { at, why },
            Obstacle::Refused => Self::Refused { at, user, why },
            Obstacle::NoDatabase => Self::NoDatabase {
                at,
                database: target.database().to_owned(),
                user,
            },
            Obstacle::Forbidden => Self::Forbidden { at, user, why },
            Obstacle::Encoding => Self::Encoding { at, why },
            Obstacle::Newer => Self::Newer { at, why },
            Obstacle::Other => Self::Failed { at, why },
        }
    }

    /// Whether waiting may help: containers start together.
    pub(super) fn passes(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// The kinds of [`OpenError`] that come from the server.
enum Obstacle {
    Unreachable,
    Refused,
    NoDatabase,
    Forbidden,
    Encoding,
    Newer,
    Other,
}

impl Obstacle {
    fn of(error: &BackendError) -> Self {
        match error {
            BackendError::Pool(_) | BackendError::Silent => Self::Unreachable,
            _ => match (error.driver(), error) {
                (Some(driver), _) => Self::of_driver(driver),
                // The history of the schema is not the one that this program knows.
                (None, BackendError::Migration(error)) if lost(error).is_none() => Self::Newer,
                _ => Self::Other,
            },
        }
    }

    fn of_driver(error: &tokio_postgres::Error) -> Self {
        let passes = cause_of(error) == Cause::Lost;
        let Some(db) = error.as_db_error() else {
            let why = words(error);
            return if why.starts_with("authentication error") {
                Self::Refused
            } else if !passes || why.starts_with("error performing TLS") {
                Self::Other
            } else {
                Self::Unreachable
            };
        };
        let code = db.code();
        if *code == SqlState::INVALID_CATALOG_NAME {
            Self::NoDatabase
        } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
            Self::Forbidden
        } else if *code == SqlState::UNTRANSLATABLE_CHARACTER {
            Self::Encoding
        } else if code.code().starts_with("28") {
            Self::Refused
        } else if passes || *code == SqlState::TOO_MANY_CONNECTIONS {
            Self::Unreachable
        } else {
            Self::Other
        }
    }
}

/// Why something failed. It shows in words for an operator and has no source: the driver's own texts, and
/// those of the server behind them, may quote what was to be stored.
#[derive(Debug)]
pub enum BackendError {
    /// The server or the way to it.
    Sql(tokio_postgres::Error),
    /// No connection to be had.
    Pool(PoolError),
    /// No answer in time; what was asked may have happened.
    Silent,
    /// A row is not what we wrote. Fixed words only: they reach the log.
    Damaged(&'static str),
    /// The data has the size that `store.max_size` allows.
    MaxSize,
    /// The same id names something else already.
    Conflict,
    /// The server's clock was set: nothing happened, and the step is to be left out of the time first.
    ClockSet,
    /// The schema was not brought up to date.
    Migration(Box<refinery::Error>),
}

impl std::error::Error for BackendError {}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why())
    }
}

impl From<tokio_postgres::Error> for BackendError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<PoolError> for BackendError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => Self::Sql(error),
            other => Self::Pool(other),
        }
    }
}

/// The driver's many codes, as far as they ask for different answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The connection is gone; what was asked may have happened.
    Lost,
    /// Nothing happened, and the same may work now.
    Clash,
    /// The shard was taken over, or forgotten.
    Late,
    /// Nothing happened; some row cannot be stored, or is not ours.
    Damaged,
    /// Nothing happened; the server has no space.
    Full,
    /// Nothing happened, for another reason.
    Other,
}

impl BackendError {
    /// Sorts it.
    pub(super) fn cause(&self) -> Cause {
        match self {
            Self::Silent | Self::Pool(_) => Cause::Lost,
            Self::Damaged(_) => Cause::Damaged,
            Self::MaxSize => Cause::Full,
            Self::Conflict => Cause::Other,
            Self::ClockSet => Cause::Clash,
            Self::Sql(_) | Self::Migration(_) => self.driver().map_or(Cause::Other, cause_of),
        }
    }

    /// In words for an operator. Never values: the server's details, which may have them, are left out.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Silent => "no answer in time".into(),
            Self::Pool(PoolError::Timeout(_)) => "no connection in time".into(),
            Self::Pool(PoolError::Closed) => "the store is closed".into(),
            Self::Pool(_) => "no connection".into(),
            Self::Damaged(what) => (*what).into(),
            Self::ClockSet => "the server's clock was set".into(),
            Self::MaxSize => "the data has the size that store.max_size allows".into(),
            Self::Conflict => "the id names something else already".into(),
            Self::Sql(error) => words(error),
            Self::Migration(error) => match (self.driver(), lost(error)) {
                (Some(driver), _) => words(driver),
                (None, Some(cause)) => cause.to_string(),
                (None, None) => error.to_string(),
            },
        }
    }

    /// What the driver said, if it was the driver.
    fn driver(&self) -> Option<&tokio_postgres::Error> {
        match self {
            Self::Sql(error) => Some(error),
            Self::Migration(error) => lost(error)?.downcast_ref(),
            _ => None,
        }
    }

    /// For the operator's graphs.
    pub(super) fn count(&self) {
        let kind = match self.cause() {
            Cause::Lost => "connection",
            Cause::Clash => "clash",
            Cause::Late => "late",
            Cause::Damaged => "damaged",
            Cause::Full => "full",
            Cause::Other => "other",
        };
        metrics::counter!("miyu_store_errors_total", "kind" => kind).increment(1);
    }

    /// What the caller can do about it.
    pub(super) fn to_store_error(&self) -> StoreError {
        if matches!(self, Self::MaxSize) {
            return crate::store::at_max_size();
        }
        if matches!(self, Self::Conflict) {
            return StoreError::Conflict;
        }
        let why = self.why().into();
        match self.cause() {
            Cause::Damaged => StoreError::Corrupt(why),
            Cause::Full => StoreError::Unavailable("the database server's disk is full".into()),
            _ => StoreError::Unavailable(why),
        }
    }
}

/// What came between a migration and the server.
fn lost(error: &refinery::Error) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
    match error.kind() {
        refinery::error::Kind::Connection(_, cause) => Some(&**cause),
        _ => None,
    }
}

fn cause_of(error: &tokio_postgres::Error) -> Cause {
    match error.as_db_error() {
        Some(db) => of_server(db),
        // What could not even be written was not sent.
        None if unsent(error) => Cause::Other,
        None => Cause::Lost,
    }
}

fn words(error: &tokio_postgres::Error) -> String {
    let Some(db) = error.as_db_error() else {
        let cause = std::error::Error::source(error);
        return cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
    };
    let code = db.code().code();
    // Texts of these classes may quote what was to be stored.
    if code.starts_with("22") || code.starts_with("23") {
        format!("a row was refused (SQLSTATE {code})")
    } else {
        format!("{} (SQLSTATE {code})", db.message())
    }
}

fn of_server(db: &DbError) -> Cause {
    let code = db.code();
    if code.code() == LATE {
        return Cause::Late;
    }
    // It ends the connection, in the middle of whatever it did.
    let fatal = matches!(
        db.parsed_severity(),
        Some(Severity::Fatal | Severity::Panic)
    );
    match code.code().get(..2) {
        Some("08" | "57") if fatal => Cause::Lost,
        _ if *code == SqlState::DISK_FULL => Cause::Full,
        Some("40") => Cause::Clash,
        Some("22" | "23" | "42" | "XX" | "P0") => Cause::Damaged,
        _ if fatal && !code.code().starts_with("28") && !code.code().starts_with("3D") => {
            Cause::Lost
        }
        _ => Cause::Other,
    }
}

/// The driver's words for what it could not send.
fn unsent(error: &tokio_postgres::Error) -> bool {
    let said = error.to_string();
    let words = ["error serializing", "error encoding", "expected "];
    words.iter().any(|word| said.starts_with(word))
}
