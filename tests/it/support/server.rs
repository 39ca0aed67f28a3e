//! The real server in this process: port 0, a database of its own, stopped like a real one.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use miyu::boot::backends::{self, Backends};
use miyu::boot::{self, Ended, Listeners};
use miyu::channel::memory::MemoryLayer;
use miyu::config::Config;
use miyu::delivery::calls::CallQueue;
use miyu::domain::id::NodeId;
use miyu::http::accept;
use miyu::http::control::ControlSocket;
use miyu::http::routes::Route;
use miyu::protocol::Encoder;
use miyu::state::AppState;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::unavailable::{UnavailablePool, UnavailableStore};
use super::unavailable_safety::UnavailableSafety;

/// What an operator writes whose proxy is on this machine.
pub fn proxy_here(config: &mut Config) {
    let networks = ["127.0.0.0/8", "::1/128"];
    config.server.trusted_proxies = networks.map(|it| it.parse().unwrap()).to_vec();
}

/// A running server. Dropping it leaves its tasks to the test's runtime; [`TestServer::stop`]
/// drains it.
pub struct TestServer {
    pub app: Arc<AppState>,
    pub address: SocketAddr,
    /// Where operators ask.
    pub operator: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<Ended>,
    config: Config,
    data: Arc<TempDir>,
}

/// Beside a database in a folder of the test; other data has none, unless the test says where.
fn control_socket(config: &Config) -> Option<ControlSocket> {
    let own = config.store.url.starts_with("sqlite:") || !config.admin.dir.is_empty();
    own.then(|| ControlSocket::bind(&config.admin_dir()).expect("a control socket"))
}

impl TestServer {
    /// Starts on SQLite in a fresh folder.
    pub async fn start(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_on(change, |backends| backends).await
    }

    /// The same, with something between the server and its backends.
    pub async fn start_on(
        change: impl FnOnce(&mut Config),
        wrap: impl FnOnce(Backends) -> Backends,
    ) -> Self {
        let data = Arc::new(tempfile::tempdir().unwrap());
        let config = Self::config(&data, change);
        Self::open(config, data, wrap).await
    }

    /// The same as [`start`](Self::start), with these addresses beside its own.
    pub async fn start_with_routes(routes: Vec<Route>) -> Self {
        let data = Arc::new(tempfile::tempdir().unwrap());
        let config = Self::config(&data, |_| {});
        let node = NodeId::fresh();
        let backends = backends::open(&config, node).await.unwrap();
        Self::serve_with(config, data, node, backends, routes).await
    }

    /// Starts on a store that answers nothing.
    pub async fn start_dead(change: impl FnOnce(&mut Config)) -> Self {
        let data = Arc::new(tempfile::tempdir().unwrap());
        let config = Self::config(&data, change);
        let node = NodeId::fresh();
        let backends = Backends {
            store: Arc::new(UnavailableStore),
            safety: Arc::new(UnavailableSafety),
            pool: Arc::new(UnavailablePool),
            channel: MemoryLayer::new(node, config.limits.mailbox),
            encoder: Encoder::new(TimeZone::UTC),
            calls: CallQueue::default(),
            calls_due: None,
            store_died: Box::pin(std::future::pending()),
        };
        Self::serve(config, data, node, backends).await
    }

    /// Drains it and starts another one on the same data, on another port.
    pub async fn restart(self) -> Self {
        self.restart_after(|_| {}).await
    }

    /// The same, configured otherwise and with something between the new one and its backends.
    pub async fn restart_on(
        self,
        change: impl FnOnce(&mut Config),
        wrap: impl FnOnce(Backends) -> Backends,
    ) -> Self {
        let (mut config, data) = (self.config.clone(), Arc::clone(&self.data));
        change(&mut config);
        assert_eq!(self.stop().await, Ended::Drained);
        Self::open(config, data, wrap).await
    }

    /// The same, with something done to the folder of the data in between.
    pub async fn restart_after(self, change: impl FnOnce(&Path)) -> Self {
        let (config, data) = (self.config.clone(), Arc::clone(&self.data));
        assert_eq!(self.stop().await, Ended::Drained);
        change(data.path());
        Self::open(config, data, |backends| backends).await
    }

    fn config(data: &TempDir, change: impl FnOnce(&mut Config)) -> Config {
        let mut config = Config::default();
        config.server.listen = ([127, 0, 0, 1], 0).into();
        config.server.drain_jitter = std::time::Duration::ZERO;
        config.store.url = format!("sqlite:{}/miyu.db", data.path().display());
        change(&mut config);
        config
    }

    async fn open(
        config: Config,
        data: Arc<TempDir>,
        wrap: impl FnOnce(Backends) -> Backends,
    ) -> Self {
        let node = NodeId::fresh();
        let backends = backends::open(&config, node).await.unwrap();
        Self::serve(config, data, node, wrap(backends)).await
    }

    async fn serve(config: Config, data: Arc<TempDir>, node: NodeId, backends: Backends) -> Self {
        Self::serve_with(config, data, node, backends, Vec::new()).await
    }

    async fn serve_with(
        config: Config,
        data: Arc<TempDir>,
        node: NodeId,
        backends: Backends,
        routes: Vec<Route>,
    ) -> Self {
        miyu::telemetry::start_metrics();
        let mut server = boot::with(config.clone(), node, backends).await.unwrap();
        server.routes = routes;
        let app = Arc::clone(&server.state);
        let site = accept::listen(app.config.server.listen).unwrap();
        let operator = app
            .config
            .server
            .operator_address()
            .expect("a test has one");
        let operator = accept::listen(operator).unwrap();
        let address = site.local_addr().unwrap();
        let operator_address = operator.local_addr().unwrap();
        let stop = CancellationToken::new();
        let listeners = Listeners {
            site,
            operator: Some(operator),
            control: control_socket(&app.config),
        };
        let shutdown = stop.clone().cancelled_owned();
        #[expect(
            clippy::disallowed_methods,
            reason = "the server under test, awaited by stop"
        )]
        let serving = tokio::spawn(server.serve(listeners, shutdown));
        Self {
            app,
            address,
            operator: operator_address,
            stop,
            serving,
            config,
            data,
        }
    }

    /// The site's address, as `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Begins the drain.
    pub fn begin_drain(&self) {
        self.stop.cancel();
    }

    /// Drains it and answers how it ended.
    pub async fn stop(self) -> Ended {
        self.stop.cancel();
        self.serving.await.unwrap()
    }
}
