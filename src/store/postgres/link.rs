//! Connections: how they are made, how long anything on them may take, and what is tried again.

use std::time::Duration;

use deadpool_postgres::{
    BuildError, ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, RecyclingMethod,
};
use deadpool_postgres::{Pool as Driver, Runtime};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::error::{BackendError, Cause};
use super::target::{self, Target};
use super::tls::{self, TlsError};
use crate::store::Durability;

/// Between attempts at the same.
pub(super) const PAUSE: Duration = Duration::from_millis(100);
/// How long a connection that was idle may take to prove that it lives.
const RECYCLE: Duration = Duration::from_secs(2);
/// No statement is cut off sooner than this, whatever callers wait.
const STATEMENT: Duration = Duration::from_secs(1);

/// Parameters of a statement.
pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Why connections to an address cannot be made at all.
#[derive(Debug, thiserror::Error)]
pub enum PoolSetupError {
    /// Certificates cannot be had.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The pool refuses its own settings.
    #[error(transparent)]
    Settings(#[from] BuildError),
}

/// A bounded number of connections, made when needed and again when lost.
pub(super) struct Pool(Driver);

impl Pool {
    /// At most `size` connections to that database, on which nothing takes longer than `timeout`
    /// (but at least a second). Connects to nothing yet.
    ///
    /// # Errors
    /// Why the address cannot be used, in words for an operator.
    pub(super) fn new(
        target: &Target,
        size: usize,
        timeout: Duration,
        durability: Durability,
    ) -> Result<Self, PoolSetupError> {
        let config = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let tls = tls::connector(&target.trust)?;
        let manager = Manager::from_config(target.config.clone(), tls, config);
        let set = settings(timeout, durability);
        let prepare = Hook::async_fn(move |client: &mut ClientWrapper, _| {
            let set = set.clone();
            Box::pin(async move { client.batch_execute(&set).await.map_err(HookError::Backend) })
        });
        let pool = Driver::builder(manager)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(timeout))
            .create_timeout(Some(target::CONNECT))
            .recycle_timeout(Some(RECYCLE))
            .post_create(prepare)
            .build();
        Ok(Self(pool?))
    }

    /// A connection to be given back.
    pub(super) async fn get(&self) -> Result<Object, BackendError> {
        Ok(self.0.get().await?)
    }

    /// A connection to be kept.
    pub(super) async fn own(&self) -> Result<ClientWrapper, BackendError> {
        Ok(Object::take(self.get().await?))
    }

    /// One statement, once.
    pub(super) async fn once(
        &self,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, BackendError> {
        let client = self.get().await?;
        let statement = client.prepare_cached(sql).await?;
        Ok(client.query(&statement, params).await?)
    }

    /// One statement that may run twice, until it got through: the caller bounds the time.
    pub(super) async fn query(
        &self,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, BackendError> {
        loop {
            match self.once(sql, params).await {
                Err(error) if matches!(error.cause(), Cause::Lost | Cause::Clash) => {
                    error.count();
                    tokio::time::sleep(PAUSE).await;
                }
                other => return other,
            }
        }
    }

    /// Lets go of every connection.
    pub(super) fn close(&self) {
        self.0.close();
    }
}

/// What each connection is told first.
fn settings(timeout: Duration, durability: Durability) -> String {
    let statement = timeout.max(STATEMENT).as_millis();
    let commit = match durability {
        Durability::Power => "on",
        // The server's crash may take what was said in the last moments; ours does not.
        Durability::Process => "off",
    };
    format!(
        "SET statement_timeout = {statement}; SET lock_timeout = {lock}; \
         SET idle_in_transaction_session_timeout = {statement}; \
         SET synchronous_commit = {commit}; SET jit = off; \
         SET default_transaction_isolation = 'read committed';",
        lock = statement / 2,
    )
}
