//! The composition root: configuration to backends to a running server, and back down again. It may use
//! every room, and no room uses it.

pub mod backends;
mod calling;
pub mod descriptors;
mod error;
pub mod hardening;
pub mod reload;
mod serve;
pub mod supervisor;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use parking_lot::RwLock;
use tracing::info;

pub use self::error::{BuildError, Part};
pub use self::serve::{Ended, Listeners};

use self::backends::{Backends, Died};
use self::calling::Ready;
use crate::admission::RateLimits;
use crate::admission::door::Door;
use crate::admission::host::HostMemory;
use crate::admission::memory_budget::MemoryBudget;
use crate::admission::sanctions::SanctionSet;
use crate::assets::Assets;
use crate::chat::ChatRules;
use crate::chat::effects::ChatServices;
use crate::config::Config;
use crate::config::notices::Notices;
use crate::console::Console;
use crate::delivery::calls::CallsDue;
use crate::delivery::closing::Closer;
use crate::delivery::online::Online;
use crate::domain::id::NodeId;
use crate::domain::reserved_names::StaffNames;
use crate::domain::safety::NetworkKey;
use crate::http::routes::Route;
use crate::identity::revoked::Revoked;
use crate::identity::{self, Signer};
use crate::lobby::effects::LobbyServices;
use crate::lobby::figures::Figures;
use crate::operators::Operating;
use crate::protocol::ProofKey;
use crate::safety::{Follower, NoticeBoard, Reporting};
use crate::state::AppState;
use crate::store::capacity::Capacity;
use crate::store::safety::SafetyStore;
use crate::tasks::Drain;

/// A server that is put together and not serving yet: see [`serve`](Server::serve).
pub struct Server {
    /// What its edges share.
    pub state: Arc<AppState>,
    /// Addresses beside those of [`crate::http::routes::TABLE`].
    pub routes: Vec<Route>,
    safety: Arc<dyn SafetyStore>,
    follower: Follower,
    store_died: Died,
    calling: Option<(Ready, CallsDue)>,
}

/// Opens the backends and puts everything together.
///
/// # Errors
/// See [`BuildError`].
pub async fn build(config: Config) -> Result<Server, BuildError> {
    let node = NodeId::fresh();
    let backends = backends::open(&config, node).await?;
    with(config, node, backends).await
}

/// Puts a server together on these backends.
///
/// # Errors
/// See [`BuildError`].
pub async fn with(config: Config, node: NodeId, backends: Backends) -> Result<Server, BuildError> {
    let key = backends::signing_key(&config, &*backends.store).await?;
    let proofs = backends.encoder.proofs();
    proofs.start(ProofKey::new(&identity::proof_key(&key)));
    let assets = Assets::load(&config).map_err(BuildError::Assets)?;
    let shutdown = Drain::new();
    let host = HostMemory::read();
    let memory = memory_budget(&config, &host);
    let limits = Arc::new(rate_limits(&config, &host));
    let sanctions = Arc::new(sanction_set(&*backends.safety).await?);
    let door = Door::new(
        Arc::clone(&limits),
        Arc::clone(&memory),
        Arc::clone(&sanctions),
    );
    let board = NoticeBoard::new(backends.safety.clone(), Arc::clone(&sanctions));
    let board = Arc::new(board);
    let reporting = Reporting::new(
        Arc::clone(&backends.safety),
        Arc::clone(&backends.store),
        door.clone(),
        backends.encoder.proofs().clone(),
        shutdown.clone(),
    );
    let reporting = Arc::new(reporting.await.map_err(BuildError::SafetyKey)?);
    let console = Console::new(Arc::clone(&backends.safety)).await;
    let console = Arc::new(console.map_err(BuildError::SafetyKey)?);
    let revoked = Arc::new(Revoked::default());
    let online = Online::new(shutdown.token().clone(), Arc::clone(&revoked));
    let capacity = Arc::new(Capacity::new(config.store.max_size));
    let figures = Arc::new(Figures::new(
        online.clone(),
        Arc::clone(&backends.channel),
        Arc::clone(&backends.pool),
        Arc::clone(&backends.store),
    ));
    let lobby = LobbyServices {
        door: door.clone(),
        store: Arc::clone(&backends.store),
        pool: Arc::clone(&backends.pool),
        channel: Arc::clone(&backends.channel),
        limits: Arc::clone(&limits),
        capacity: Arc::clone(&capacity),
        figures: Arc::clone(&figures),
        calls: backends.calls.clone(),
        board: Arc::clone(&board),
    };
    let reach = chat_services(&config, &backends, &memory, &shutdown, &board, reporting);
    let follower = Follower {
        decided: backends.safety.clone(),
        settings: backends.safety.clone(),
        rooms: backends.store.clone(),
        sanctions,
        board: Arc::clone(&board),
        online: online.clone(),
        drain: shutdown.clone(),
    };
    // Before anything is accepted: a ban holds across a restart.
    follower.fill().await.map_err(BuildError::Sanctions)?;
    let calling = calling::of(&config, &backends.store, &shutdown).await?;
    let operating = operating(&config, Arc::clone(&backends.safety));
    let state = AppState {
        node,
        operating,
        console,
        signer: Signer::new(&key, config.session.lifetime).ending(config.session.longest),
        door,
        limits,
        revoked,
        reach: Arc::new(reach),
        push_key: calling.as_ref().map(|it| it.public.clone()),
        chat_rules: Arc::new(chat_rules(&config)),
        memory,
        assets: Arc::new(assets),
        closer: Closer::new(online.clone(), Arc::clone(&backends.channel)),
        online,
        figures,
        lobby: Arc::new(lobby),
        board,
        notices: Notices::default(),
        staff: RwLock::new(Arc::new(StaffNames::of(&config.site.name))),
        topics: RwLock::new(Arc::new(config.site.own_topics())),
        capacity,
        shutdown,
        config: Arc::new(config),
        store: backends.store,
        pool: backends.pool,
        channel: backends.channel,
        encoder: backends.encoder,
    };
    Ok(Server {
        state: Arc::new(state),
        routes: Vec::new(),
        safety: backends.safety,
        follower,
        store_died: backends.store_died,
        calling: calling.zip(backends.calls_due),
    })
}

/// Where browsers of this machine reach the site, or where all do; it listens at this address.
pub fn site_url(config: &Config, listens: SocketAddr) -> String {
    match &config.server.public_url {
        Some(url) => url.to_string().trim_end_matches('/').to_owned(),
        None => format!("http://{}", reachable(listens)),
    }
}

/// An address that can be connected to: "all of mine" (0.0.0.0) is none.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// How operators log in.
fn operating(config: &Config, safety: Arc<dyn SafetyStore>) -> Arc<Operating> {
    let url = site_url(config, config.server.listen);
    Arc::new(Operating::new(safety, config.admin_dir(), url))
}

/// What holds against people: empty until it is filled. Finds networks by the key that the store keeps.
async fn sanction_set(safety: &dyn SafetyStore) -> Result<SanctionSet, BuildError> {
    let key = safety.installation_key().await;
    let key = key.map_err(BuildError::SafetyKey)?;
    Ok(SanctionSet::new(NetworkKey::new(&key)))
}

fn memory_budget(config: &Config, host: &HostMemory) -> Arc<MemoryBudget> {
    let memory = MemoryBudget::new(host.budget(config.limits.memory));
    info!(
        bytes = memory.limit(),
        of = host.bytes,
        said_by = host.said_by,
        "memory for what is in flight"
    );
    memory
}

/// With as many connections as there are descriptors for; unless the operator says how many, also no more
/// than there is memory for.
fn rate_limits(config: &Config, host: &HostMemory) -> RateLimits {
    let connections = match config.limits.connections {
        0 => descriptors::for_connections().min(host.connections()),
        _ => descriptors::for_connections(),
    };
    RateLimits::new(&config.limits, connections)
}

fn chat_services(
    config: &Config,
    backends: &Backends,
    memory: &Arc<MemoryBudget>,
    shutdown: &Drain,
    board: &Arc<NoticeBoard>,
    reporting: Arc<Reporting>,
) -> ChatServices {
    ChatServices {
        store: Arc::clone(&backends.store),
        channel: Arc::clone(&backends.channel),
        page_entries: config.limits.page_entries,
        memory: Arc::clone(memory),
        page_bytes: usize::try_from(config.limits.page_bytes).unwrap_or(usize::MAX),
        drain: shutdown.clone(),
        reporting,
        push_hosts: calling::hosts(config),
        board: Arc::clone(board),
    }
}

fn chat_rules(config: &Config) -> ChatRules {
    ChatRules {
        reconnect_grace: config.chat.reconnect_grace,
        presence_settle: config.chat.presence_settle,
        call_for: config.matching.call_for,
        closing_notice: backends::store_rules(config).notice(),
    }
}
