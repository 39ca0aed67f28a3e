//! The composition root: configuration to backends to a running server, and back down again.

pub mod backends;
pub mod descriptors;
pub mod hardening;
pub mod reload;
pub mod supervisor;

use std::sync::Arc;
use std::time::Instant;

use hyper::HeaderMap;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{interval, timeout};
use tracing::{error, info, warn};

use self::backends::{BackendError, Backends, Died};
use crate::admission::machine::Machine;
use crate::admission::memory::Budget;
use crate::admission::{FORGET_EVERY, RateLimits};
use crate::assets::Assets;
use crate::channel::ChannelLayer;
use crate::chat::ChatRules;
use crate::chat::effects::Reach;
use crate::config::Config;
use crate::config::notices::Notices;
use crate::delivery::online::Online;
use crate::delivery::positions;
use crate::domain::id::NodeId;
use crate::domain::staff::StaffNames;
use crate::http::accept;
use crate::identity::Signer;
use crate::identity::cookie;
use crate::lobby::figures::{Figures, Sample};
use crate::matching::WaitingPool;
use crate::protocol::Encoder;
use crate::store::capacity::{self, Capacity};
use crate::store::{Store, sweeper};
use crate::tasks::Drain;
use crate::telemetry;
use crate::trim;

/// Everything a connection or a request may need.
pub struct App {
    /// What the operator set.
    pub config: Arc<Config>,
    /// This run of this process.
    pub node: NodeId,
    /// The truth about rooms.
    pub store: Arc<dyn Store>,
    /// Who waits.
    pub pool: Arc<dyn WaitingPool>,
    /// Frames between connections.
    pub channel: Arc<dyn ChannelLayer>,
    /// Encodes what clients are sent.
    pub encoder: Encoder,
    /// Signs cookies and tokens.
    pub signer: Signer,
    /// Rates and counts of people.
    pub limits: RateLimits,
    /// What is held for clients, in bytes.
    pub memory: Arc<Budget>,
    /// Pages and files.
    pub assets: Arc<Assets>,
    /// Browsers with an open socket.
    pub online: Online,
    /// How many are here, as everyone is told.
    pub figures: Figures,
    /// What requests show to be missing in the configuration.
    pub notices: Notices,
    /// Whether there is room for new people.
    pub capacity: Arc<Capacity>,
    /// The way out.
    pub shutdown: Drain,
    /// Names that only the site's staff may have.
    pub staff: Arc<StaffNames>,
    /// What chat connections share: each holds one pointer to it.
    pub reach: Arc<Reach>,
    /// The same for what their machines need to know.
    pub chat_rules: Arc<ChatRules>,
    store_died: Mutex<Option<Died>>,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The configuration is to blame.
    #[error("{0}")]
    Config(String),
    /// The store is to blame.
    #[error("{0}")]
    Store(String),
    /// The channel layer is to blame, or nodes that do not fit.
    #[error("{0}")]
    Channel(String),
}

impl From<BackendError> for BuildError {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Config(why) => Self::Config(why),
            BackendError::Store(why) => Self::Store(why),
            BackendError::Channel(why) => Self::Channel(why),
        }
    }
}

/// Bound sockets. Bound before [`serve`] is called, so that nobody has to wait for readiness.
pub struct Listeners {
    /// The site.
    pub site: TcpListener,
    /// Operators' own, unless it is off or its port was taken.
    pub operator: Option<TcpListener>,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As asked.
    Drained,
    /// The store's writer is gone; what was acknowledged is safe.
    StoreDied,
}

impl App {
    /// From how many networks people are here, over all nodes as far as known; a network at two nodes
    /// counts twice. Tells other nodes how many are at this one.
    pub fn places(&self) -> u64 {
        self.channel.online(self.online.places() as u64)
    }

    /// How many are here, as everyone is told.
    pub fn figures(&self) -> Sample {
        self.figures.now(Instant::now(), || Sample {
            places: self.places(),
            census: self.pool.census(),
            rooms: self.store.count_open_rooms(),
        })
    }

    /// Opens the backends and puts everything together.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub async fn build(config: Config) -> Result<Arc<Self>, BuildError> {
        let node = NodeId::fresh();
        let backends = backends::open(&config, node).await?;
        Self::with(config, node, backends).await
    }

    /// The session of a request's cookie, unless it was forgotten a moment ago.
    pub fn session(&self, headers: &HeaderMap, jar: cookie::Jar) -> Option<cookie::Seen> {
        let seen = cookie::read(&self.signer, headers, jar)?;
        (!self.online.forgot(seen.session)).then_some(seen)
    }

    /// Puts a server together on these backends.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub async fn with(
        config: Config,
        node: NodeId,
        backends: Backends,
    ) -> Result<Arc<Self>, BuildError> {
        let key = backends::signing_key(&config, &*backends.store).await?;
        let assets = Assets::load(&config)
            .map_err(|error| BuildError::Config(format!("assets.dir: {error}")))?;
        let shutdown = Drain::new();
        let machine = Machine::read();
        let memory = Budget::new(machine.budget(config.limits.memory));
        info!(
            bytes = memory.limit(),
            of = machine.memory,
            said_by = machine.said_by,
            "memory for what is in flight"
        );
        let connections = match config.limits.connections {
            0 => descriptors::for_connections().min(machine.connections()),
            _ => descriptors::for_connections(),
        };
        let reach = Reach {
            store: Arc::clone(&backends.store),
            channel: Arc::clone(&backends.channel),
            page_entries: config.limits.page_entries,
            memory: Arc::clone(&memory),
            page_bytes: usize::try_from(config.limits.page_bytes).unwrap_or(usize::MAX),
            drain: shutdown.clone(),
        };
        let chat_rules = ChatRules {
            reconnect_grace: config.chat.reconnect_grace,
            presence_settle: config.chat.presence_settle,
            closing_notice: backends::store_rules(&config).notice(),
        };
        Ok(Arc::new(Self {
            node,
            signer: Signer::new(&key, config.session.lifetime).ending(config.session.longest),
            limits: RateLimits::new(&config.limits, connections),
            memory,
            assets: Arc::new(assets),
            online: Online::new(shutdown.token().clone()),
            figures: Figures::default(),
            notices: Notices::default(),
            staff: Arc::new(StaffNames::of(&config.site.name)),
            capacity: Arc::new(Capacity::new(config.store.max_size)),
            shutdown,
            reach: Arc::new(reach),
            chat_rules: Arc::new(chat_rules),
            config: Arc::new(config),
            store: backends.store,
            pool: backends.pool,
            channel: backends.channel,
            encoder: backends.encoder,
            store_died: Mutex::new(Some(backends.store_died)),
        }))
    }
}

/// Serves until `shutdown` resolves or the store dies, then drains: readiness off, no new
/// connections, every socket closed, every task and errand finished, backends closed.
pub async fn serve(
    app: Arc<App>,
    listeners: Listeners,
    shutdown: impl Future<Output = ()>,
) -> Ended {
    app.shutdown
        .spawn(accept::run(Arc::clone(&app), listeners.site));
    let operators = async {
        match listeners.operator {
            Some(listener) => accept::run_to_the_end(Arc::clone(&app), listener).await,
            None => std::future::pending().await,
        }
    };
    app.shutdown.spawn(housekeeping(Arc::clone(&app)));
    let stop = app.shutdown.token().clone();
    app.shutdown
        .spawn(sweeper::run(Arc::clone(&app.store), stop));
    let stop = app.shutdown.token().clone();
    let (store, capacity) = (Arc::clone(&app.store), Arc::clone(&app.capacity));
    app.shutdown.spawn(capacity::run(store, capacity, stop));
    app.shutdown.spawn(compare_positions(Arc::clone(&app)));
    app.shutdown.spawn(hear_forgotten(Arc::clone(&app)));
    let died = app.store_died.lock().take();
    let died = async {
        match died {
            Some(died) => died.await,
            None => std::future::pending().await,
        }
    };
    let serving = async {
        let ended = tokio::select! {
            () = shutdown => Ended::Drained,
            why = died => {
                error!(why, "the store is gone; leaving");
                Ended::StoreDied
            }
        };
        drain(&app).await;
        ended
    };
    tokio::select! {
        ended = serving => ended,
        never = operators => never,
    }
}

async fn drain(app: &App) {
    let wait = app.config.server.drain_timeout;
    let left = app.shutdown.finish(wait).await;
    if left > 0 {
        warn!(left, "connections did not close in time");
    }
    if timeout(wait, app.pool.close()).await.is_err() {
        warn!("the waiting pool did not close in time");
    }
    if timeout(wait, app.channel.close()).await.is_err() {
        warn!("the channel layer did not close in time");
    }
    match timeout(wait, app.store.close()).await {
        Ok(Ok(())) => info!("closed"),
        Ok(Err(error)) => warn!(%error, "the store did not close cleanly"),
        Err(_) => warn!("the store did not close in time"),
    }
}

async fn compare_positions(app: Arc<App>) {
    let every = app.config.limits.heartbeat;
    positions::run(&*app.store, &*app.channel, every, app.shutdown.token()).await;
}

/// Ends here what other nodes were asked to forget.
async fn hear_forgotten(app: Arc<App>) {
    let Some(mut forgotten) = app.channel.forgotten() else {
        return;
    };
    let stop = app.shutdown.token();
    loop {
        let heard = tokio::select! {
            () = stop.cancelled() => return,
            heard = forgotten.recv() => heard,
        };
        match heard {
            Ok(session) => app.online.forget(session),
            // Their sockets stay until they close; the rooms are closed by the store.
            Err(RecvError::Lagged(missed)) => warn!(missed, "sessions forgotten unheard"),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Folds metrics, tells other nodes how many are here, and lets limiters forget.
async fn housekeeping(app: Arc<App>) {
    let mut upkeep = interval(telemetry::UPKEEP_EVERY);
    let mut forget = interval(FORGET_EVERY);
    let mut trimming = interval(trim::EVERY);
    let stop = app.shutdown.token();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = upkeep.tick() => {
                telemetry::upkeep();
                app.places();
            }
            _ = trimming.tick() => wake_to_trim(&app),
            _ = forget.tick() => app.limits.forget(),
        }
    }
}

/// Lets every thread of the runtime give back what it does not need. One that sleeps would go on sleeping:
/// a few tasks with nothing to do wake it.
fn wake_to_trim(app: &App) {
    trim::begin();
    for _ in 0..2 * tokio::runtime::Handle::current().metrics().num_workers() {
        app.shutdown.spawn(async { trim::if_due() });
    }
}
