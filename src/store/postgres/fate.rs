//! When the answer to a batch is lost: did it happen? The database remembers each lane's last batch,
//! and whoever asks makes sure at the same time that nothing sent before can happen any more. So it is
//! known: what happened is published and answered, what did not is done again.

use deadpool_postgres::ClientWrapper;

use super::deed::{Job, Line};
use super::error::Fault;
use super::lane::Lane;
use super::rows::{self, get};
use super::shared::Backoff;
use crate::domain::id::RoomId;
use crate::store::StoreError;

/// What the database remembers of a lane.
pub(super) struct Last {
    /// From now on only batches of this epoch happen.
    pub(super) epoch: i64,
    /// The last batch that happened; 0 for none.
    pub(super) batch: i64,
    /// The seq that each of its deeds took; 0 for none.
    seqs: Vec<i64>,
}

/// Takes a lane over: waits for what is going on in it, and refuses what comes later.
pub(super) async fn take(client: &ClientWrapper, node: i64, lane: i16) -> Result<Last, Fault> {
    let row = client
        .query_one("SELECT * FROM take_lane($1, $2)", &[&node, &lane])
        .await?;
    Ok(Last {
        epoch: get(&row, "o_epoch")?,
        batch: get(&row, "o_batch")?,
        seqs: get(&row, "o_seqs")?,
    })
}

impl Lane {
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
            let why: std::sync::Arc<str> = "it is not known whether this was stored".into();
            for job in jobs {
                job.answer(Err(StoreError::Unavailable(std::sync::Arc::clone(&why))));
            }
            return Vec::new();
        }
        tracing::info!(deeds = jobs.len(), "a batch did not happen; doing it again");
        jobs
    }

    /// The batch happened: publishes its entries and answers those that made one. The others'
    /// outcomes are lost; asking again tells them.
    async fn found(&mut self, jobs: Vec<Job>, seqs: &[i64]) {
        tracing::info!(
            deeds = jobs.len(),
            "a batch whose answer was lost did happen"
        );
        let mut lines = Vec::with_capacity(jobs.len());
        let mut backoff = Backoff::new();
        let rooms: Vec<RoomId> = jobs.iter().map(|job| job.deed.room).collect();
        for (n, room) in rooms.into_iter().enumerate() {
            let seq = seqs.get(n).copied().unwrap_or(0);
            let line = loop {
                match self.made(room, seq).await {
                    Err(fault @ Fault::Damaged(_)) => break Err(fault),
                    Err(fault) => {
                        self.shared.failed(&fault);
                        backoff.pause().await;
                    }
                    Ok(line) => break line.ok_or(Fault::Silent),
                }
            };
            lines.push(line);
        }
        self.publish(&jobs, &mut lines);
        self.shared.succeeded();
        for (job, line) in jobs.into_iter().zip(lines) {
            job.answer(line.map_err(|fault| fault.told()));
        }
    }

    /// The entry that this deed made; `None` when it made none, or it is erased already.
    async fn made(&self, room: RoomId, seq: i64) -> Result<Option<Line>, Fault> {
        if seq == 0 {
            return Ok(None);
        }
        let sql = format!(
            "SELECT r.people, {} FROM rooms r JOIN entries e ON e.room = r.no AND e.seq = $2 {} \
             WHERE r.id = $1 AND NOT r.erasing",
            rows::ENTRY,
            rows::TARGET
        );
        let found = self.shared.pool.query(&sql, &[&room.0, &seq]).await?;
        let Some(row) = found.first() else {
            return Ok(None);
        };
        let mut line = Line::made(rows::entry(row)?);
        line.people = Some(get(row, "people")?);
        Ok(Some(line))
    }
}
