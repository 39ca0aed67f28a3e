//! Whether the files that are written to are still those of their names. They may be removed or replaced while
//! the server runs: SQLite would go on writing into files that cannot be opened any more, and all of it
//! would be lost with the process.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::error::SqliteError;
use super::open::Paths;

/// A file by what the system calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId(u64, u64);

fn id_of(path: &Path) -> Option<FileId> {
    let file = std::fs::metadata(path).ok()?;
    Some(FileId(file.dev(), file.ino()))
}

/// The files as they were when they were opened.
#[derive(Debug)]
pub(super) struct Files {
    database: Option<FileId>,
    /// `None` until there is one.
    wal: Option<FileId>,
}

impl Files {
    /// To be called once the database is open.
    pub(super) fn of(paths: &Paths) -> Self {
        Self {
            database: id_of(&paths.database),
            wal: id_of(&paths.wal),
        }
    }

    /// Whether what is written now can be read by another process.
    pub(super) fn check(&mut self, paths: &Paths) -> Result<(), SqliteError> {
        let wal = id_of(&paths.wal);
        self.wal = self.wal.or(wal);
        match id_of(&paths.database) == self.database && wal == self.wal {
            true => Ok(()),
            false => Err(SqliteError::Gone),
        }
    }
}
