//! Opening: waits a while for the server, checks what it is, brings the schema up to date.

use std::time::Duration;

use deadpool_postgres::ClientWrapper;
use tokio::time::{Instant, sleep};

use super::error::{BackendError, OpenError};
use super::link::Pool;
use super::target::Target;

/// The oldest server that will do.
const VERSION: u32 = 14;
/// Between attempts to reach a server that may be starting.
const PAUSE: Duration = Duration::from_millis(500);
/// "Miyu": the node that brings the schema up to date holds this lock.
const LOCK: i64 = 0x4d69_7975;
/// How long the others wait for it.
const LOCK_WAIT: &str = "60s";

mod embedded {
    use refinery::embed_migrations;
    embed_migrations!("src/store/migrations/postgres");
}

/// Brings the database to the schema that this program knows. Waits up to `patience` for a server
/// that is not there yet.
pub(super) async fn prepare(
    pool: &Pool,
    target: &Target,
    patience: Duration,
) -> Result<(), OpenError> {
    let mut client = connect(pool, target, patience).await?;
    check_version(&client, target).await?;
    migrate(&mut client, target).await
    // The connection ends here, and with it the lock and the settings of this work.
}

async fn connect(
    pool: &Pool,
    target: &Target,
    patience: Duration,
) -> Result<ClientWrapper, OpenError> {
    let deadline = Instant::now() + patience;
    let mut said = false;
    loop {
        let error = match pool.own().await {
            Ok(client) => return Ok(client),
            Err(error) => OpenError::of(target, error),
        };
        if !error.passes() || Instant::now() + PAUSE >= deadline {
            return Err(error);
        }
        if !said {
            said = true;
            tracing::warn!(%error, "waiting for PostgreSQL");
        }
        sleep(PAUSE).await;
    }
}

async fn check_version(client: &ClientWrapper, target: &Target) -> Result<(), OpenError> {
    let asked =
        "SELECT current_setting('server_version_num')::int, current_setting('server_version')";
    let row = client.query_one(asked, &[]).await;
    let row = row.map_err(|error| OpenError::of(target, error.into()))?;
    let number: i32 = row.get(0);
    if number / 10_000 < i32::try_from(VERSION).unwrap_or(i32::MAX) {
        return Err(OpenError::TooOld {
            at: target.to_string(),
            found: row.get(1),
            needed: VERSION,
        });
    }
    Ok(())
}

async fn migrate(client: &mut ClientWrapper, target: &Target) -> Result<(), OpenError> {
    // Nodes start together: one does it, the others find it done. A migration may take its time.
    let unhurried = format!(
        "SET lock_timeout = '{LOCK_WAIT}'; SET statement_timeout = 0; \
         SET idle_in_transaction_session_timeout = 0; SELECT pg_advisory_lock({LOCK});"
    );
    let locked = client.batch_execute(&unhurried).await;
    locked.map_err(|error| OpenError::of(target, error.into()))?;
    let runner = embedded::migrations::runner();
    let report = runner.run_async(&mut **client).await;
    let report =
        report.map_err(|error| OpenError::of(target, BackendError::Migration(Box::new(error))))?;
    let applied = report.applied_migrations().len();
    if applied > 0 {
        tracing::info!(database = %target, applied, "the database has the schema of this version now");
    }
    Ok(())
}
