//! What only the embedded store can suffer: other processes, foreign and damaged files, full disks.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use miyu::domain::id::{RoomId, Side};
use miyu::store::sqlite::{SqliteOpenError, SqliteStore, SqliteTuning};
use miyu::store::{Appended, Durability, Entries as _, Pending};

use crate::support::store::{Now, Recorder, Setting, draft, rules, tiny};

mod damaged;
mod files;
mod making;
mod tidying;
mod trouble;

fn open(path: &Path) -> Result<Arc<SqliteStore>, SqliteOpenError> {
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

fn setting() -> Setting {
    Setting {
        rules: rules(),
        sink: Arc::default(),
        now: Now::default(),
    }
}

/// Says "x" as "a0", and holds the writer while it publishes that: what follows is one batch.
async fn hold(setting: &Setting, store: &SqliteStore, room: RoomId) -> Pending<Appended> {
    setting.sink.hold();
    let first = store.append(draft(room, Side::A, "a0", "x"));
    while setting.sink.count() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    first
}

/// A transaction that takes all that is asked for while the writer is held.
fn one_batch() -> SqliteTuning {
    SqliteTuning {
        batch: 16,
        ..tiny()
    }
}
