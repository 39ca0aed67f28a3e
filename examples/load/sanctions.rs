//! Sanctions in a server's store before it starts: what a large set of them costs everyone else.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use miyu::boot::backends::store_rules;
use miyu::clock::Steady;
use miyu::config::Config;
use miyu::domain::id::{RoomId, SessionId, Timestamp};
use miyu::domain::safety::{Actor, Reason, SanctionDraft, SanctionKind, SanctionTarget};
use miyu::store::safety::Sanctions as _;
use miyu::store::sqlite::SqliteStore;
use miyu::store::{CommitSink, Committed, Durability, Upkeep as _};

/// So many are asked for at once.
const BATCH: usize = 500;

/// What is committed here no one waits for.
struct Unheard;

impl CommitSink for Unheard {
    fn committed(&self, _: &[Committed]) {}
    fn closing(&self, _: RoomId, _: Timestamp) {}
}

/// Puts so many bans and mutes of sessions that are not there into the store of this folder.
pub async fn fill(data: &Path, count: usize) {
    std::fs::create_dir_all(data).expect("a folder");
    let path = data.join("miyu.db");
    let rules = store_rules(&Config::default());
    let (sink, clock) = (Arc::new(Unheard), Arc::new(Steady));
    let store = SqliteStore::open(&path, Durability::Process, rules, sink, clock);
    let store = store.expect("a new database");
    let month = Duration::from_secs(30 * 24 * 3600);
    let imposing = stream::iter(0..count).map(|number| {
        let draft = SanctionDraft {
            target: SanctionTarget::Session(SessionId::fresh()),
            kind: [SanctionKind::Ban, SanctionKind::Mute][number % 2],
            length: Some(month),
        };
        store.impose(draft, Reason::Spam, String::new(), Actor::Local)
    });
    let mut imposed = imposing.buffer_unordered(BATCH);
    while let Some(imposed) = imposed.next().await {
        imposed.expect("imposed");
    }
    drop(imposed);
    store.close().await.expect("closed");
    // Else the disk is busy with them while the server is measured.
    let written = File::open(&path).and_then(|it| it.sync_all());
    written.expect("on the disk");
}
