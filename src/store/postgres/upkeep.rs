//! What goes on besides: the lease of this node, the count of open rooms, what all nodes share, time's
//! work on the data.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::error::BackendError;
use super::rows::{get, millis, size};
use super::shared::Shared;
use crate::domain::Mark;
use crate::domain::id::{RoomId, SessionId, Side, StoreId};
use crate::store::{BRIEF_BLOCK, Swept};

/// After a renewal that failed.
const SOON: Duration = Duration::from_millis(500);

/// Keeps this node's lease until the store closes.
pub(super) async fn keep_lease(shared: Arc<Shared>, closing: CancellationToken) {
    let every = shared.tuning.renewal;
    let mut pause = every;
    loop {
        tokio::select! {
            () = closing.cancelled() => return,
            () = sleep(pause) => {}
        }
        let renewed = timeout(every, shared.renew());
        pause = match renewed.await.unwrap_or(Err(BackendError::Silent)) {
            Ok(()) => {
                shared.succeeded();
                every
            }
            Err(error) => {
                shared.failed(&error);
                every.min(SOON)
            }
        };
    }
}

/// Keeps the count of open rooms near what other nodes do, until the store closes.
pub(super) async fn keep_count(shared: Arc<Shared>, closing: CancellationToken) {
    loop {
        tokio::select! {
            () = closing.cancelled() => return,
            () = sleep(shared.tuning.count) => {}
        }
        if let Err(error) = shared.count().await {
            // A write says so itself; the count stays what it was.
            error.count();
        }
    }
}

/// Rooms in which an absence may have lasted too long; for a while they are ours alone.
pub(super) async fn claim(shared: &Shared) -> Result<Vec<RoomId>, BackendError> {
    let tuning = &shared.tuning;
    let (lease, claim) = (millis(tuning.lease), millis(tuning.claim));
    let (_, grace) = shared.patience();
    let (now, node, most) = (
        shared.true_now().await?,
        shared.node(),
        size(tuning.close_rooms),
    );
    let (longest, notice) = shared.longest();
    let told = longest
        .zip(notice)
        .map(|(longest, notice)| longest - notice);
    let sql = "SELECT * FROM claim($1, $2, $3, $4, $5, $6, $7)";
    let params: super::link::Params<'_> = &[&now, &node, &lease, &grace, &claim, &most, &told];
    let rows = shared.pool.query(sql, params).await?;
    rows.iter()
        .map(|row| Ok(RoomId(get::<Uuid>(row, "claim")?)))
        .collect()
}

/// Erases what has been kept for long enough: one small step.
pub(super) async fn erase(shared: &Shared) -> Result<Swept, BackendError> {
    let rules = &shared.rules;
    let (retention, lifetime) = (millis(rules.retention), millis(rules.block_lifetime));
    let tuning = &shared.tuning;
    let (rooms, budget) = (size(tuning.erase_rooms), size(tuning.erase_rows));
    let now = shared.true_now().await?;
    let sql = "SELECT * FROM erase($1, $2, $3, $4, $5)";
    let params: super::link::Params<'_> = &[&now, &retention, &lifetime, &rooms, &budget];
    let rows = shared.pool.query(sql, params).await?;
    let row = rows
        .first()
        .ok_or(BackendError::Damaged("no answer to a sweep"))?;
    let forgotten = forget_blocks(shared, budget).await?;
    Ok(Swept {
        closed: 0,
        erased: usize::try_from(get::<i64>(row, "o_erased")?).unwrap_or(0),
        more: get::<bool>(row, "o_more")? || forgotten == tuning.erase_rows,
    })
}

/// Forgets the oldest of too many blocks; answers how many. The newest has the largest number, so no
/// counting is needed.
async fn forget_blocks(shared: &Shared, most: i64) -> Result<usize, BackendError> {
    let sql = "DELETE FROM blocks WHERE no IN (SELECT no FROM blocks \
         WHERE no <= (SELECT max(no) FROM blocks) - $1 LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING no";
    let forgotten = shared
        .pool
        .query(sql, &[&shared.tuning.blocks, &most])
        .await?;
    Ok(forgotten.len())
}

/// Why the server is not ready for writes.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProbeError {
    #[error("{at} is a standby, which only reads")]
    Standby { at: String },
    #[error("{at} does not answer: {error}")]
    Silent {
        at: String,
        #[source]
        error: BackendError,
    },
    #[error("{at} takes no writes: {error}")]
    NoWrites {
        at: String,
        #[source]
        error: BackendError,
    },
}

/// Writes something, and asks whether the server takes writes at all.
pub(super) async fn probe(shared: &Shared) -> Result<(), ProbeError> {
    let at = shared.target.to_string();
    let asked = shared
        .pool
        .once("SELECT pg_is_in_recovery() AS standby", &[])
        .await;
    let standby = asked.and_then(|rows| {
        let row = rows.first().ok_or(BackendError::Damaged("no answer"))?;
        get::<bool>(row, "standby")
    });
    match standby {
        Ok(true) => return Err(ProbeError::Standby { at }),
        Ok(false) => {}
        Err(error) => return Err(ProbeError::Silent { at, error }),
    }
    let renewed = shared.renew().await;
    renewed.map_err(|error| ProbeError::NoWrites { at, error })
}

/// A value that the first node makes and all read.
async fn common(shared: &Shared, name: &str, fresh: &[u8]) -> Result<Vec<u8>, BackendError> {
    let make = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    shared.pool.query(make, &[&name, &fresh]).await?;
    let read = "SELECT value FROM meta WHERE name = $1";
    let rows = shared.pool.query(read, &[&name]).await?;
    let row = rows
        .first()
        .ok_or(BackendError::Damaged("a common value that is missing"))?;
    get(row, "value")
}

/// See [`crate::store::Upkeep::session_key`].
pub(super) async fn session_key(shared: &Shared) -> Result<[u8; 32], BackendError> {
    let fresh: [u8; 32] = rand::random();
    let value = common(shared, "session_key", &fresh).await?;
    let key = <[u8; 32]>::try_from(value);
    key.map_err(|_| BackendError::Damaged("a session key of another length"))
}

/// See [`crate::store::safety::SafetyUpkeep::installation_key`].
pub(super) async fn installation_key(shared: &Shared) -> Result<[u8; 32], BackendError> {
    let fresh: [u8; 32] = rand::random();
    let value = common(shared, "installation_key", &fresh).await?;
    let key = <[u8; 32]>::try_from(value);
    key.map_err(|_| BackendError::Damaged("an installation key of another length"))
}

/// See [`crate::store::Upkeep::push_key`].
pub(super) async fn push_key(shared: &Shared, fresh: &[u8]) -> Result<Vec<u8>, BackendError> {
    common(shared, "push_key", fresh).await
}

/// See [`crate::store::Upkeep::identity`].
pub(super) async fn identity(shared: &Shared) -> Result<StoreId, BackendError> {
    let fresh = (rand::random::<u64>() >> 1).to_be_bytes();
    let value = common(shared, "identity", &fresh).await?;
    let bytes = <[u8; 8]>::try_from(value);
    let bytes = bytes.map_err(|_| BackendError::Damaged("an identity of another length"))?;
    Ok(StoreId(u64::from_be_bytes(bytes)))
}

/// Writes by what the people of a room would be known.
pub(super) async fn mark(
    shared: &Shared,
    room: RoomId,
    marks: [Vec<Mark>; 2],
) -> Result<(), BackendError> {
    let (mut sides, mut all) = (Vec::new(), Vec::new());
    for side in Side::BOTH {
        for mark in &marks[side.index()] {
            sides.push(super::rows::side_code(side));
            all.push(mark.0.cast_signed());
        }
    }
    let sql = "SELECT mark_people($1, $2, $3, $4)";
    let params: super::link::Params<'_> = &[&shared.now(), &room.0, &sides, &all];
    shared.pool.query(sql, params).await?;
    Ok(())
}

/// See [`crate::store::Relations::block`].
pub(super) async fn block(
    shared: &Shared,
    by: SessionId,
    whom: SessionId,
    room: RoomId,
) -> Result<(), BackendError> {
    let (by, whom) = (super::rows::session(by), super::rows::session(whom));
    let most = size(shared.rules.blocks_per_session);
    let sql = "SELECT block($1, $2, $3, $4, $5, $6)";
    let (now, brief) = (shared.now(), millis(BRIEF_BLOCK));
    let params: super::link::Params<'_> = &[&now, &by, &whom, &room.0, &most, &brief];
    shared.pool.query(sql, params).await?;
    Ok(())
}

/// See [`crate::store::Relations::lift`].
pub(super) async fn lift(shared: &Shared, by: SessionId, room: RoomId) -> Result<(), BackendError> {
    let by = super::rows::session(by);
    let sql = "WITH held AS (DELETE FROM holds WHERE by = $1 AND room = $2) \
         DELETE FROM blocks WHERE by = $1 AND room = $2";
    shared.pool.query(sql, &[&by, &room.0]).await?;
    Ok(())
}

/// See [`crate::store::Relations::forget`].
pub(super) async fn forget(shared: &Shared, by: SessionId) -> Result<(), BackendError> {
    let by = super::rows::session(by);
    let sql = "WITH held AS (DELETE FROM holds WHERE by = $1) DELETE FROM blocks WHERE by = $1";
    shared.pool.query(sql, &[&by]).await?;
    Ok(())
}
