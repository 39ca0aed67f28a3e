//! Opening: the folder, the lock, whether the file is ours, pragmas, migrations, and what a start
//! must make true before the first job. Everything that can be told to the operator is told here.

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{SqliteError, SqliteOpenError};
use crate::domain::id::Timestamp;
use crate::store::{Durability, StoreRules};

/// "Miyu" in the header of our files.
const APPLICATION_ID: i64 = 0x4d69_7975;
/// The newest migration this program knows.
const SCHEMA: i64 = 11;
/// What every SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The length of its header.
const HEADER: u64 = 100;
/// Distinct statements are about a hundred and fifty.
const STATEMENTS: usize = 256;
/// An operator's shell may hold the database for a moment.
pub(super) const BUSY: Duration = Duration::from_millis(500);

mod embedded {
    refinery::embed_migrations!("src/store/migrations/sqlite");
}

/// The files of a store.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    pub(super) database: PathBuf,
    pub(super) wal: PathBuf,
    pub(super) lock: PathBuf,
    pub(super) key: PathBuf,
}

impl Paths {
    /// Beside the database: `miyu.db.lock` and `session.key`.
    pub(super) fn of(database: &Path) -> Self {
        let beside = |suffix: &str| {
            let mut path = database.as_os_str().to_owned();
            path.push(suffix);
            PathBuf::from(path)
        };
        Self {
            database: database.to_owned(),
            wal: beside("-wal"),
            lock: beside(".lock"),
            key: database.with_file_name("session.key"),
        }
    }
}

/// Makes the folder if it is missing, readable by its owner only.
pub(super) fn prepare_folder(paths: &Paths) -> Result<(), SqliteOpenError> {
    let folder = match paths.database.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => return Ok(()),
    };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| SqliteOpenError::from_io(folder, &error))
}

/// Holds off every other process for as long as it lives.
pub(super) struct Lock(File);

impl Drop for Lock {
    /// Closing the file would do, but for a process forked in this moment: it has the file as well
    /// until it executes something, and the lock would outlive its holder.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Takes the lock. The file itself stays for ever: removing it would let two processes lock two
/// files of one name.
pub(super) fn lock(paths: &Paths) -> Result<Lock, SqliteOpenError> {
    let failed = |error: &std::io::Error| SqliteOpenError::from_io(&paths.lock, error);
    let file = private(&paths.lock).map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(SqliteOpenError::Locked {
            lock: paths.lock.clone(),
        }),
        Err(TryLockError::Error(error)) => Err(SqliteOpenError::from_lock(&paths.lock, &error)),
    }
}

/// A file that only its owner may read, made if missing. SQLite gives the WAL the same rights.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.mode(0o600).open(path)
}

/// Opens the write connection of a file that is ours or new, with the newest schema.
pub(super) fn writer(paths: &Paths, durability: Durability) -> Result<Connection, SqliteOpenError> {
    let path = &paths.database;
    recognise(path)?;
    let sql = |error: rusqlite::Error| SqliteOpenError::from_sql(path, &error);
    let mut conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(sql)?;
    conn.busy_timeout(BUSY).map_err(sql)?;
    plan_once(&conn).map_err(sql)?;
    claim(&conn, path)?;
    set_up(&conn, durability).map_err(sql)?;
    check_journal(&conn, path)?;
    migrate(&mut conn, path)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(conn)
}

/// Refuses what is not ours before SQLite touches it; a missing or empty file is a new database.
fn recognise(path: &Path) -> Result<(), SqliteOpenError> {
    let failed = |error: std::io::Error| SqliteOpenError::from_io(path, &error);
    let file = private(path).map_err(failed)?;
    let mut header = Vec::new();
    file.take(HEADER).read_to_end(&mut header).map_err(failed)?;
    let foreign = |what: &str| SqliteOpenError::Foreign {
        path: path.to_owned(),
        what: what.into(),
    };
    if header.is_empty() {
        return Ok(());
    }
    if !header.starts_with(MAGIC) {
        return Err(foreign("not an SQLite file"));
    }
    // Ours is signed before it has its first table, and not through a WAL.
    if header.get(68..72) != Some(&APPLICATION_ID.to_be_bytes()[4..]) {
        return Err(foreign("another program's SQLite database"));
    }
    Ok(())
}

/// Signs a new database as ours; refuses a newer version's.
fn claim(conn: &Connection, path: &Path) -> Result<(), SqliteOpenError> {
    let sql = |error: rusqlite::Error| SqliteOpenError::from_sql(path, &error);
    let number = |pragma: &str| conn.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let id = number("PRAGMA application_id").map_err(sql)?;
    let schema = number("PRAGMA user_version").map_err(sql)?;
    if id != APPLICATION_ID {
        // Both before the first table; and before WAL, so that they stand in the file itself.
        let sign =
            format!("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = {APPLICATION_ID};");
        return conn.execute_batch(&sign).map_err(sql);
    }
    if schema > SCHEMA {
        return Err(SqliteOpenError::Newer {
            path: path.to_owned(),
            why: format!("its schema is {schema}, this program knows {SCHEMA}"),
        });
    }
    Ok(())
}

fn set_up(conn: &Connection, durability: Durability) -> Result<(), rusqlite::Error> {
    let synchronous = match durability {
        Durability::Power => "FULL",
        Durability::Process => "NORMAL",
    };
    // `secure_delete`: what is erased is overwritten. Free pages of it are given back in steps.
    let pragmas = format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; \
         PRAGMA secure_delete = ON; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;"
    );
    conn.execute_batch(&pragmas)
}

/// Where memory cannot be shared SQLite keeps its former journal, and says nothing.
fn check_journal(conn: &Connection, path: &Path) -> Result<(), SqliteOpenError> {
    let mode = conn.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0));
    let mode = mode.map_err(|error| SqliteOpenError::from_sql(path, &error))?;
    match mode.eq_ignore_ascii_case("wal") {
        true => Ok(()),
        false => Err(SqliteOpenError::FileSystem {
            path: path.to_owned(),
            why: format!("its journal is \"{mode}\" and cannot be a WAL"),
        }),
    }
}

fn migrate(conn: &mut Connection, path: &Path) -> Result<(), SqliteOpenError> {
    let runner = embedded::migrations::runner().set_grouped(true);
    let Err(error) = runner.run(conn) else {
        return Ok(());
    };
    let source = std::error::Error::source(&error);
    if let Some(sql) = source.and_then(|cause| cause.downcast_ref::<rusqlite::Error>()) {
        return Err(SqliteOpenError::from_sql(path, sql));
    }
    // A history that does not match ours.
    Err(SqliteOpenError::Newer {
        path: path.to_owned(),
        why: error.to_string(),
    })
}

/// Keeps the plan of a prepared statement. Otherwise SQLite compiles one anew for each value bound to it
/// that might have led to another plan; with partial indexes that is nearly every use.
/// <https://www.sqlite.org/queryplanner-ng.html#qpstab>
fn plan_once(conn: &Connection) -> Result<(), rusqlite::Error> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Opens a connection that only reads.
pub(super) fn reader(paths: &Paths) -> Result<Connection, SqliteOpenError> {
    beside(paths, OpenFlags::SQLITE_OPEN_READ_ONLY, |conn| {
        conn.busy_timeout(BUSY)?;
        plan_once(conn)?;
        conn.execute_batch("PRAGMA cache_size = -8192; PRAGMA trusted_schema = OFF;")?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(())
    })
}

/// Opens a connection that copies the WAL into the database beside the writer, at least as durably as
/// it does.
pub(super) fn checkpointer(paths: &Paths) -> Result<Connection, SqliteOpenError> {
    beside(paths, OpenFlags::SQLITE_OPEN_READ_WRITE, |conn| {
        conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;")
    })
}

/// Opens a connection beside the writer's.
fn beside(
    paths: &Paths,
    access: OpenFlags,
    set_up: impl FnOnce(&Connection) -> Result<(), rusqlite::Error>,
) -> Result<Connection, SqliteOpenError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(&paths.database, flags);
    let ready = opened.and_then(|conn| set_up(&conn).map(|()| conn));
    ready.map_err(|error| SqliteOpenError::from_sql(&paths.database, &error))
}

/// What the data says at a start.
pub(super) struct Start {
    pub(super) next_id: i64,
    pub(super) open_rooms: u64,
}

/// Makes true what the last process left undone: brings the rooms' rows up to the newest entries,
/// and lets every side of an open room be away since now, for no connection outlives its process.
pub(super) fn recover(
    conn: &mut Connection,
    now: Timestamp,
    rules: &StoreRules,
) -> Result<Start, SqliteError> {
    let tx = conn.transaction()?;
    let mark: i64 = tx.query_row("SELECT value FROM meta WHERE name = 'mark'", [], |r| {
        r.get(0)
    })?;
    let newest = catch_up(&tx, mark)?;
    tx.execute("UPDATE meta SET value = ?1 WHERE name = 'mark'", [newest])?;
    tx.execute(
        "UPDATE rooms SET \
         version_a = version_a + (node_a IS NOT NULL), \
         version_b = version_b + (node_b IS NOT NULL), \
         away_a = CASE WHEN joined_a IS NOT NULL THEN ?1 END, node_a = NULL, number_a = NULL, \
         away_b = CASE WHEN joined_b IS NOT NULL THEN ?1 END, node_b = NULL, number_b = NULL, \
         due_at = min(CASE WHEN joined_a IS NULL THEN ?2 ELSE ?3 END, \
                      CASE WHEN joined_b IS NULL THEN ?2 ELSE ?3 END, \
                      CASE WHEN ?4 THEN ifnull(closes_at, opened_at + ?5) ELSE ?3 END) \
         WHERE closed_at IS NULL",
        [
            now.0,
            now.plus(rules.arrival).0,
            now.plus(rules.reconnect_grace).0,
            i64::from(!rules.longest.is_zero()),
            Timestamp(0).plus(rules.longest - rules.notice()).0,
        ],
    )?;
    let open_rooms: i64 = tx.query_row(
        "SELECT count(*) FROM rooms WHERE closed_at IS NULL AND is_bot = 0",
        [],
        |row| row.get(0),
    )?;
    tx.commit()?;
    Ok(Start {
        next_id: newest + 1,
        open_rooms: open_rooms.cast_unsigned(),
    })
}

/// Reads the entries after the mark; answers the newest row id ever used as far as it matters:
/// a row erased after the mark is named nowhere.
fn catch_up(conn: &Connection, mark: i64) -> Result<i64, SqliteError> {
    let mut newest = mark;
    let mut rooms: HashMap<i64, (i64, i64)> = HashMap::new();
    let mut tail = conn.prepare("SELECT id, room, seq FROM entries WHERE id > ?1 ORDER BY id")?;
    let mut rows = tail.query([mark])?;
    while let Some(row) = rows.next()? {
        newest = row.get(0)?;
        rooms.insert(row.get(1)?, (newest, row.get(2)?));
    }
    let mut update =
        conn.prepare("UPDATE rooms SET head = ?2, last_seq = ?3 WHERE no = ?1 AND head < ?2")?;
    for (room, (head, last_seq)) in rooms {
        update.execute([room, head, last_seq])?;
    }
    Ok(newest)
}
