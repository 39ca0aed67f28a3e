//! When the answer to a batch is lost: did it happen? The database remembers each shard's last batch,
//! and the one that asks makes sure at the same time that nothing sent before can happen any more. So it is
//! known: what happened is published and answered, what did not is done again.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::ClientWrapper;

use super::error::BackendError;
use super::rows::{self, get};
use super::shared::Shared;
use super::write_op::{Done, Job, WriteOp};
use super::write_shard::WriteShard;
use crate::backoff::Backoff;
use crate::store::StoreError;

/// The first pause between attempts to learn what an op came to.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What the database remembers of a shard.
pub(super) struct Last {
    /// From now on only batches of this epoch happen.
    pub(super) epoch: i64,
    /// The last batch that happened; 0 for none.
    pub(super) batch: i64,
    /// The seq that each of its ops took; 0 for none.
    seqs: Vec<i64>,
}

/// Takes a shard over: waits for what is going on in it, and refuses what comes later.
pub(super) async fn take(
    client: &ClientWrapper,
    node: i64,
    shard: i16,
) -> Result<Last, BackendError> {
    let row = client
        .query_one("SELECT * FROM take_lane($1, $2)", &[&node, &shard])
        .await?;
    Ok(Last {
        epoch: get(&row, "o_epoch")?,
        batch: get(&row, "o_batch")?,
        seqs: get(&row, "o_seqs")?,
    })
}

impl WriteShard {
    /// Finds out what became of the batch just sent. Answers the jobs that are to be done again.
    /// Takes as long as the server is away: meanwhile callers stop waiting by themselves, but what
    /// happened must still be published.
    pub(super) async fn settle(&mut self, jobs: Vec<Job>) -> Vec<Job> {
        self.link = None;
        let last = loop {
            if let Some(last) = self.connect().await {
                break last;
            }
        };
        if last.batch == self.batch {
            self.found(jobs, &last.seqs).await;
            return Vec::new();
        }
        if last.epoch == 1 {
            // Forgotten: we were away for so long that others cleaned up after us.
            let why: Arc<str> = "it is not known whether this was stored".into();
            for job in jobs {
                job.answer(Err(StoreError::Unavailable(Arc::clone(&why))));
            }
            return Vec::new();
        }
        tracing::info!(ops = jobs.len(), "a batch did not happen; doing it again");
        jobs
    }

    /// The batch happened: publishes its entries and answers those that made one. The others'
    /// outcomes are lost; asking again tells them.
    async fn found(&mut self, jobs: Vec<Job>, seqs: &[i64]) {
        tracing::info!(ops = jobs.len(), "a batch whose answer was lost did happen");
        let mut dones = Vec::with_capacity(jobs.len());
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        for (n, job) in jobs.iter().enumerate() {
            let seq = seqs.get(n).copied().unwrap_or(0);
            let done = loop {
                match made(&self.shared, &job.op, seq).await {
                    Err(error @ BackendError::Damaged(_)) => break Err(error),
                    Err(error) => {
                        self.shared.failed(&error);
                        backoff.pause().await;
                    }
                    Ok(done) => break done.ok_or(BackendError::Silent),
                }
            };
            dones.push(done);
        }
        self.publish(&jobs, &dones);
        self.shared.succeeded();
        for (job, done) in jobs.into_iter().zip(dones) {
            let outcome = done.map(|done| done.outcome);
            job.answer(outcome.map_err(|error| error.to_store_error()));
        }
    }
}

/// What an op came to by the entry that it made; `None` when it made none, or it is erased already.
async fn made(shared: &Shared, op: &WriteOp, seq: i64) -> Result<Option<Done>, BackendError> {
    if seq == 0 {
        return Ok(None);
    }
    let sql = format!(
        "SELECT r.no, r.people, r.call_for_a IS NOT NULL OR r.call_for_b IS NOT NULL AS callable, {} FROM rooms r JOIN entries e ON e.room = r.no AND e.seq = $2 {} \
         WHERE r.id = $1 AND NOT r.erasing",
        rows::ENTRY,
        rows::TARGET
    );
    let room = op.room();
    let found = shared.pool.query(&sql, &[&room.0, &seq]).await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    let entry = Arc::new(rows::entry(row)?);
    let people = rows::people(room, get(row, "people")?)?;
    Ok(Some(Done {
        made: Some(Arc::clone(&entry)),
        hearing: rows::hearing(row, entry.kind.side())?,
        people: Some((get(row, "no")?, people)),
        // Whose turn it is says the store.
        calls: get(row, "callable")?,
        ..op.found(entry).into()
    }))
}
