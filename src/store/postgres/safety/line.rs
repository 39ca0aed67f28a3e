//! The line that all changes of people's safety stand in: a transaction that has locked the head of the audit
//! log, so that nothing of it changes beside, on any node. Such changes are rare and short, and one after the
//! other is what makes claims, repeats and the chain simple.

use std::sync::Arc;

use deadpool_postgres::Object;
use tokio::sync::OwnedMutexGuard;
use tokio_postgres::Row;

use super::super::error::{BackendError, Cause};
use super::super::link::{PAUSE, Params};
use super::super::rows::get;
use super::super::shared::Shared;
use super::columns::{self, bytes, number};
use crate::domain::id::Timestamp;
use crate::domain::safety::audit::DETAIL_CHARS;
use crate::domain::safety::chain::{self, Head};
use crate::domain::safety::{AuditDraft, AuditRow};
use crate::store::CommitSink;

/// A place at the head of the line. Dropped without [`Line::commit`], nothing of it has happened.
pub(super) struct Line {
    /// `None` once it is given back.
    client: Option<Object>,
    /// When it came to the head: never before what others did there.
    pub(super) now: Timestamp,
    head: Head,
    said: bool,
    /// Told after the commit: all that is decided has a row of the audit log.
    sink: Arc<dyn CommitSink>,
    /// Those of this node stand in a line of their own, with one connection for all of them.
    _turn: OwnedMutexGuard<()>,
}

/// A node that stands still at the head of the line does not hold it up for longer than this.
const BEGIN: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 2000";

impl Line {
    /// Waits for the head of the line. A connection that was lost before anything was done is made again; the
    /// caller bounds the time.
    pub(super) async fn begin(shared: &Shared) -> Result<Self, BackendError> {
        loop {
            match Self::attempt(shared).await {
                Err(error) if matches!(error.cause(), Cause::Lost | Cause::Clash) => {
                    error.count();
                    tokio::time::sleep(PAUSE).await;
                }
                other => return other,
            }
        }
    }

    async fn attempt(shared: &Shared) -> Result<Self, BackendError> {
        let turn = Arc::clone(&shared.next_in_line).lock_owned().await;
        let mut line = Self {
            client: Some(shared.pool.get().await?),
            now: Timestamp(0),
            head: Head::EMPTY,
            said: false,
            sink: Arc::clone(&shared.sink),
            _turn: turn,
        };
        line.client()?.batch_execute(BEGIN).await?;
        let head = line
            .one("SELECT no, hash FROM audit_head FOR UPDATE", &[])
            .await?;
        line.head = Head {
            no: number(&head, "no")?,
            hash: bytes(&head, "hash")?,
        };
        // Later than the lock: a statement that waited for it has an older one.
        let moment = line
            .one("SELECT moment($1) AS now", &[&shared.now()])
            .await?;
        line.now = Timestamp(get(&moment, "now")?);
        Ok(line)
    }

    fn client(&self) -> Result<&Object, BackendError> {
        let gone = BackendError::Damaged("a transaction without its connection");
        self.client.as_ref().ok_or(gone)
    }

    /// One statement within it.
    pub(super) async fn query(
        &self,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, BackendError> {
        let client = self.client()?;
        let statement = client.prepare_cached(sql).await?;
        Ok(client.query(&statement, params).await?)
    }

    /// A statement that has one row.
    pub(super) async fn one(&self, sql: &str, params: Params<'_>) -> Result<Row, BackendError> {
        let found = self.maybe(sql, params).await?;
        found.ok_or(BackendError::Damaged("a row that is missing"))
    }

    /// A statement that has at most one row.
    pub(super) async fn maybe(
        &self,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Option<Row>, BackendError> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// A statement that changes rows; how many.
    pub(super) async fn change(&self, sql: &str, params: Params<'_>) -> Result<u64, BackendError> {
        let client = self.client()?;
        let statement = client.prepare_cached(sql).await?;
        Ok(client.execute(&statement, params).await?)
    }

    /// Adds a row to the audit log, under the name that its operator has now.
    pub(super) async fn audit(&mut self, mut what: AuditDraft) -> Result<(), BackendError> {
        if let Some((end, _)) = what.details.char_indices().nth(DETAIL_CHARS) {
            what.details.truncate(end);
        }
        let by = what.by.map(|by| columns::int(by.0));
        let name = match by {
            Some(by) => {
                let sql = "SELECT name FROM operators WHERE id = $1";
                let row = self.maybe(sql, &[&by]).await?;
                row.map(|row| columns::text(&row, "name")).transpose()?
            }
            None => None,
        };
        let mut row = AuditRow {
            no: self.head.no + 1,
            at: self.now,
            name,
            what,
            before: self.head.hash,
            hash: chain::ORIGIN,
        };
        row.hash = chain::hash(&row);
        let sql = "INSERT INTO audit (no, at, name, by, act, case_id, sanction, took_ms, details, before, hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let params: Params<'_> = &[
            &columns::int(row.no),
            &row.at.0,
            &row.name.as_deref().map(str::as_bytes),
            &by,
            &i16::from(row.what.act.code()),
            &row.what.case.map(|it| columns::int(it.0)),
            &row.what.sanction.map(|it| columns::int(it.0)),
            &row.what.took_ms,
            &row.what.details.as_bytes(),
            &&row.before[..],
            &&row.hash[..],
        ];
        self.change(sql, params).await?;
        self.head = Head {
            no: row.no,
            hash: row.hash,
        };
        self.said = true;
        Ok(())
    }

    /// Makes it so, and leaves the line.
    pub(super) async fn commit<T>(mut self, outcome: T) -> Result<T, BackendError> {
        let said = self.said;
        if said {
            let (no, hash) = (columns::int(self.head.no), &self.head.hash[..]);
            let sql = "UPDATE audit_head SET no = $1, hash = $2";
            self.change(sql, &[&no, &hash]).await?;
        }
        let committed = self.client()?.batch_execute("COMMIT").await;
        if said {
            // Also where it is not known: looking once too often is no harm.
            self.sink.decided();
        }
        committed?;
        self.client = None;
        Ok(outcome)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // The server ends the transaction with its connection: no one else is to get it as it is.
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}
