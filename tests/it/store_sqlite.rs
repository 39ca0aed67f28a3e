//! What only the embedded store can suffer: other processes, foreign and damaged files, full disks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use miyu::store::Durability;
use miyu::store::sqlite::{OpenError, SqliteStore};

use crate::support::store::{Now, Recorder, rules};

mod files;
mod tidying;
mod trouble;

fn open(path: &Path) -> Result<Arc<SqliteStore>, OpenError> {
    let clock = Now::default().clock();
    SqliteStore::open(
        path,
        Durability::Power,
        rules(),
        Arc::new(Recorder::default()),
        clock,
    )
}

/// A folder that is there and a database path in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("miyu.db");
    (folder, path)
}
