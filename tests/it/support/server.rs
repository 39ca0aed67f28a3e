//! The real server in this process: port 0, a database of its own, stopped like a real one.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::tz::TimeZone;
use miyu::app::{self, App, Ended, Listeners};
use miyu::backends::Backends;
use miyu::channel::memory::MemoryLayer;
use miyu::config::Config;
use miyu::id::NodeId;
use miyu::protocol::Encoder;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::dead::{DeadPool, DeadStore};

/// A running server. Dropping it leaves its tasks to the test's runtime; [`TestServer::stop`]
/// drains it.
pub struct TestServer {
    pub app: Arc<App>,
    pub address: SocketAddr,
    /// Where operators ask, when the configuration gave them a port of their own.
    pub operator: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Ended>,
    _data: TempDir,
}

impl TestServer {
    /// Starts on SQLite in a fresh folder.
    pub async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let config = Self::config(&data, change);
        let app = App::build(config).await.unwrap();
        Self::serve(app, data).await
    }

    /// Starts on a store that answers nothing.
    pub async fn start_dead(change: impl FnOnce(&mut Config)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let config = Self::config(&data, change);
        let node = NodeId::fresh();
        let backends = Backends {
            store: Arc::new(DeadStore),
            pool: Arc::new(DeadPool),
            channel: MemoryLayer::new(node, config.limits.mailbox),
            encoder: Encoder::new(TimeZone::UTC),
            store_died: Box::pin(std::future::pending()),
        };
        let app = App::with(config, node, backends).await.unwrap();
        Self::serve(app, data).await
    }

    fn config(data: &TempDir, change: impl FnOnce(&mut Config)) -> Config {
        let mut config = Config::default();
        config.server.listen = ([127, 0, 0, 1], 0).into();
        config.server.drain_jitter = std::time::Duration::ZERO;
        config.store.url = format!("sqlite:{}/miyu.db", data.path().display());
        change(&mut config);
        config
    }

    async fn serve(app: Arc<App>, data: TempDir) -> Self {
        miyu::telemetry::start_metrics();
        let site = TcpListener::bind(app.config.server.listen).await.unwrap();
        let operator = match app.config.server.operator_listen {
            Some(address) => Some(TcpListener::bind(address).await.unwrap()),
            None => None,
        };
        let address = site.local_addr().unwrap();
        let operator_address = operator.as_ref().map(|it| it.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let listeners = Listeners { site, operator };
        let shutdown = async {
            let _ = stopped.await;
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "the server under test, awaited by stop"
        )]
        let serving = tokio::spawn(app::serve(Arc::clone(&app), listeners, shutdown));
        Self {
            app,
            address,
            operator: operator_address,
            stop,
            serving,
            _data: data,
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Drains it and answers how it ended.
    pub async fn stop(self) -> Ended {
        let _ = self.stop.send(());
        self.serving.await.unwrap()
    }
}
