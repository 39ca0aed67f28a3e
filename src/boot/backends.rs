//! Chooses backends by URL. A new backend is one more arm here.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tracing::{error, warn};

use crate::channel::ChannelLayer;
use crate::channel::memory::MemoryLayer;
use crate::channel::redis::{self, RedisLayer};
use crate::channel::seal::FrameKey;
use crate::clock::Steady;
use crate::config::Config;
use crate::config::check::configured_key;
use crate::delivery::publish::Publisher;
use crate::domain::id::NodeId;
use crate::identity::{self, KEY_BYTES};
use crate::matching::memory::MemoryPool;
use crate::matching::redis::{RedisPool, RedisPoolConfig};
use crate::matching::{Budget, PoolRules, Randomness, WaitingPool};
use crate::protocol::Encoder;
use crate::store::postgres::{self, PostgresStore, Target};
use crate::store::sqlite::{SqliteOpenError, SqliteStore};
use crate::store::{Store, StoreRules};

/// What the running server rests on.
pub struct Backends {
    /// The truth about rooms.
    pub store: Arc<dyn Store>,
    /// Who waits.
    pub pool: Arc<dyn WaitingPool>,
    /// Frames between connections.
    pub channel: Arc<dyn ChannelLayer>,
    /// Encodes what clients are sent.
    pub encoder: Encoder,
    /// Resolves when the store's writer is gone: the process cannot go on.
    pub store_died: Died,
}

/// Resolves, with the reason, when something is gone that the process cannot do without.
pub type Died = Pin<Box<dyn Future<Output = String> + Send>>;

/// Why a backend cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BackendSetupError {
    /// The configuration names what does not exist here.
    #[error("{0}")]
    Config(String),
    /// The store cannot be opened.
    #[error("{0}")]
    Store(String),
    /// The channel layer cannot be had, or other nodes are not to be joined.
    #[error("{0}")]
    Channel(String),
}

/// Opens everything that the configuration names. While the disk is full it waits for space.
///
/// # Errors
/// See [`BackendSetupError`].
pub async fn open(config: &Config, node: NodeId) -> Result<Backends, BackendSetupError> {
    let zone = TimeZone::get(&config.chat.time_zone)
        .map_err(|error| BackendSetupError::Config(format!("chat.time_zone: {error}")))?;
    let encoder = Encoder::new(zone);
    let (channel, redis) = channel(config, node).await?;
    if let Some(redis) = &redis {
        // A database that is brought to a new schema cannot be taken back: nodes of another version go on with
        // the one that they know.
        let checked = redis.check_versions().await;
        checked.map_err(BackendSetupError::Channel)?;
    }
    let sink = Publisher::new(Arc::clone(&channel), encoder.clone());
    let (store, store_died) = store(config, node, sink).await?;
    if let Some(redis) = &redis
        && let Err(error) = announce(config, redis, &*store).await
    {
        // Nothing happened in it yet; it is left as orderly as after a day's work all the same.
        let _ = store.close().await;
        return Err(error);
    }
    Ok(Backends {
        store,
        pool: pool(config, redis.is_some())?,
        channel,
        encoder,
        store_died,
    })
}

async fn store(
    config: &Config,
    node: NodeId,
    sink: Arc<Publisher>,
) -> Result<(Arc<dyn Store>, Died), BackendSetupError> {
    let target = config.store.target();
    let target = target.map_err(|(key, why)| BackendSetupError::Config(format!("{key} {why}")))?;
    let Some(target) = target else {
        let store = sqlite(config, sink).await?;
        let died = store.writer_died();
        return Ok((
            store,
            died_of(died, "the thread that writes to the database panicked"),
        ));
    };
    let store = postgres(config, target, node, sink).await?;
    let died = store.batcher_died();
    Ok((
        store,
        died_of(died, "the task that writes to the database panicked"),
    ))
}

fn died_of(died: impl Future<Output = ()> + Send + 'static, why: &'static str) -> Died {
    Box::pin(async move {
        died.await;
        why.to_owned()
    })
}

/// How often a full disk is looked at again.
const FULL_DISK_PAUSE: Duration = Duration::from_secs(2);

async fn sqlite(
    config: &Config,
    sink: Arc<Publisher>,
) -> Result<Arc<SqliteStore>, BackendSetupError> {
    let path = config
        .store
        .url
        .split_once(':')
        .map_or("", |(_, path)| path);
    let path = PathBuf::from(path);
    let rules = store_rules(config);
    let durability = config.store.durability;
    let mut said = false;
    loop {
        let (path, rules, sink) = (path.clone(), rules.clone(), Arc::clone(&sink));
        let opened = tokio::task::spawn_blocking(move || {
            SqliteStore::open(&path, durability, rules, sink, Arc::new(Steady))
        });
        match opened.await {
            Ok(Ok(store)) => return Ok(store),
            // A supervisor would only start us again: wait for what a restart cannot mend.
            Ok(Err(error)) if matches!(error, SqliteOpenError::DiskFull { .. }) => {
                if !said {
                    warn!(%error, "waiting for space");
                }
                said = true;
                tokio::time::sleep(FULL_DISK_PAUSE).await;
            }
            Ok(Err(error)) => return Err(BackendSetupError::Store(error.to_string())),
            Err(error) => return Err(BackendSetupError::Store(format!("opening failed: {error}"))),
        }
    }
}

async fn postgres(
    config: &Config,
    target: Target,
    node: NodeId,
    sink: Arc<Publisher>,
) -> Result<Arc<PostgresStore>, BackendSetupError> {
    // PostgreSQL measures what lasts: ours is to be near its clock again once this machine's is right.
    Steady.follow();
    let setup = postgres::Setup {
        node,
        durability: config.store.durability,
        rules: store_rules(config),
        sink,
        clock: None,
        tuning: postgres::Tuning::default(),
    };
    let opened = PostgresStore::open(target, setup).await;
    opened.map_err(|error| BackendSetupError::Store(error.to_string()))
}

/// The rules that the configuration sets for any store.
pub fn store_rules(config: &Config) -> StoreRules {
    StoreRules {
        reconnect_grace: config.chat.reconnect_grace,
        arrival: config.chat.arrival,
        retention: config.store.retention,
        block_lifetime: config.session.lifetime,
        room_entries: config.limits.room_entries,
        room_bytes: config.limits.room_bytes,
        longest: config.chat.longest,
        max_size: config.store.max_size,
        blocks_per_session: config.limits.blocks_per_session,
        timeout: config.store.timeout,
    }
}

/// A pool shared with other nodes only where the channel layer is: a node that peers cannot reach must not
/// appear in a shared pool.
fn pool(config: &Config, shared: bool) -> Result<Arc<dyn WaitingPool>, BackendSetupError> {
    let rules = pool_rules(config);
    let server = config.channel.pool_server(&config.matching.url);
    let server = server.map_err(|(key, why)| BackendSetupError::Config(format!("{key}: {why}")))?;
    Ok(match server {
        Some(server) if shared => {
            RedisPool::start(server, RedisPoolConfig::new(rules, &config.channel.prefix))
        }
        _ => MemoryPool::new(rules),
    })
}

fn pool_rules(config: &Config) -> PoolRules {
    PoolRules {
        same_session: config.matching.same_session,
        lease: config.matching.lease,
        tickets_per_session: config.limits.tickets_per_session,
        tickets: MOST_TICKETS,
        budget: Budget::per_minute(config.matching.prefix_pairings_per_minute),
        tag_patience: config.matching.tag_patience,
        randomness: Randomness::System,
    }
}

/// Sockets are bounded first; this only keeps a mistake from eating all memory.
const MOST_TICKETS: usize = 2_000_000;

/// How often links to Redis are proven, and this node's announcement there is renewed.
const BEAT: Duration = Duration::from_secs(2);
/// How long a node counts as living after its last announcement.
const NODE_LEASE: Duration = Duration::from_secs(10);

/// The channel layer; and itself once more when it is Redis, to be announced there.
type Channel = (Arc<dyn ChannelLayer>, Option<Arc<RedisLayer>>);

async fn channel(config: &Config, node: NodeId) -> Result<Channel, BackendSetupError> {
    let mailbox = config.limits.mailbox;
    let servers = config.channel.servers();
    let servers =
        servers.map_err(|(key, why)| BackendSetupError::Config(format!("{key}: {why}")))?;
    let Some(servers) = servers else {
        return Ok((MemoryLayer::new(node, mailbox), None));
    };
    let rules = redis::Rules {
        prefix: config.channel.prefix.clone(),
        mailbox,
        beat: BEAT,
        lease: NODE_LEASE,
    };
    match RedisLayer::start(servers, node, rules).await {
        Ok(layer) => Ok((Arc::clone(&layer) as _, Some(layer))),
        Err(why) if config.channel.standalone() => {
            let why = format!(
                "running alone, since Redis was not reached at start ({why}); restart to join others"
            );
            error!("{why}");
            Ok((MemoryLayer::instead(node, mailbox, why), None))
        }
        Err(why) => Err(BackendSetupError::Channel(format!(
            "{why}. To run one node without Redis, set channel.url = \"memory:\""
        ))),
    }
}

/// Makes this node known to the others, unless its rooms or its key are not theirs.
async fn announce(
    config: &Config,
    redis: &RedisLayer,
    store: &dyn Store,
) -> Result<(), BackendSetupError> {
    let key = signing_key(config, store).await?;
    redis.seal_with(FrameKey::new(&identity::frame_key(&key)));
    let identity = store.identity().await;
    let identity = identity.map_err(|error| BackendSetupError::Store(error.to_string()))?;
    let announced = redis.announce(identity).await;
    announced.map_err(BackendSetupError::Channel)
}

/// The configured key, or the one that the store keeps.
///
/// # Errors
/// [`BackendSetupError::Config`] for a key that cannot be used, [`BackendSetupError::Store`] when the store does
/// not give its own.
pub async fn signing_key(
    config: &Config,
    store: &dyn Store,
) -> Result<[u8; KEY_BYTES], BackendSetupError> {
    let configured = configured_key(config)
        .map_err(|why| BackendSetupError::Config(format!("the session key: {why}")))?;
    if let Some(key) = configured {
        return Ok(key);
    }
    // Bounded by the store's own timeout.
    let key = store.session_key().await;
    key.map_err(|error| BackendSetupError::Store(format!("the session key cannot be had: {error}")))
}
