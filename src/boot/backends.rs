//! Chooses backends by URL. A new backend is one more arm here.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tracing::{error, warn};

use super::BuildError;
use crate::channel::ChannelLayer;
use crate::channel::memory::MemoryLayer;
use crate::channel::redis::{self, RedisLayer};
use crate::channel::seal::FrameKey;
use crate::clock::Steady;
use crate::config::check::configured_key;
use crate::config::{Config, StorePlace, WhenUnreachable};
use crate::delivery::calls::{CallQueue, CallsDue};
use crate::delivery::publish::Publisher;
use crate::domain::id::NodeId;
use crate::identity::{self, KEY_BYTES};
use crate::matching::memory::MemoryPool;
use crate::matching::redis::{RedisPool, RedisPoolConfig};
use crate::matching::{Budget, PoolRules, Randomness, WaitingPool};
use crate::protocol::Encoder;
use crate::store::postgres::{self, PostgresStore, Target};
use crate::store::safety::SafetyStore;
use crate::store::sqlite::{SqliteOpenError, SqliteStore};
use crate::store::{Store, StoreRules};

/// What the running server rests on.
pub struct Backends {
    /// The truth about rooms.
    pub store: Arc<dyn Store>,
    /// Reports and what follows from them, in the same data.
    pub safety: Arc<dyn SafetyStore>,
    /// Who waits.
    pub pool: Arc<dyn WaitingPool>,
    /// Frames between connections.
    pub channel: Arc<dyn ChannelLayer>,
    /// Encodes what clients are sent.
    pub encoder: Encoder,
    /// Where the store says who is to be called, and others may.
    pub calls: CallQueue,
    /// Where that comes out; `None`: people are not called.
    pub calls_due: Option<CallsDue>,
    /// Resolves when the store's writer is gone: the process cannot go on.
    pub store_died: Died,
}

/// Resolves, with the reason, when something is gone that the process cannot do without.
pub type Died = Pin<Box<dyn Future<Output = String> + Send>>;

/// Opens everything that the configuration names. While the disk is full it waits for space.
///
/// # Errors
/// See [`BuildError`].
pub async fn open(config: &Config, node: NodeId) -> Result<Backends, BuildError> {
    let encoder = Encoder::new(config.chat.time_zone.clone());
    let (channel, redis) = channel(config, node).await?;
    if let Some(redis) = &redis {
        // A database that is brought to a new schema cannot be taken back: nodes of another version go on with
        // the one that they know.
        redis.check_versions().await?;
    }
    let (calls, calls_due) = match config.push.enabled {
        true => {
            let (calls, due) = CallQueue::new();
            (calls, Some(due))
        }
        false => (CallQueue::default(), None),
    };
    let sink = Publisher::new(Arc::clone(&channel), encoder.clone(), calls.clone());
    let Opened {
        store,
        safety,
        died: store_died,
    } = open_store(config, node, sink).await?;
    if let Some(redis) = &redis
        && let Err(error) = announce(config, redis, &*store).await
    {
        // Nothing happened in it yet; it is left as orderly as after a day's work all the same.
        let _ = store.close().await;
        return Err(error);
    }
    Ok(Backends {
        store,
        safety,
        pool: pool(config, redis.is_some())?,
        channel,
        encoder,
        calls,
        calls_due,
        store_died,
    })
}

/// One store, by what it keeps.
struct Opened {
    store: Arc<dyn Store>,
    safety: Arc<dyn SafetyStore>,
    died: Died,
}

async fn open_store(
    config: &Config,
    node: NodeId,
    sink: Arc<Publisher>,
) -> Result<Opened, BuildError> {
    match config.store.place()? {
        StorePlace::Sqlite(path) => {
            let store = sqlite(config, path, sink).await?;
            let died = store.writer_died();
            let why = "the thread that writes to the database panicked";
            Ok(Opened {
                safety: Arc::clone(&store) as _,
                store,
                died: died_of(died, why),
            })
        }
        StorePlace::Postgres(target) => {
            let store = postgres(config, *target, node, sink).await?;
            let died = store.batcher_died();
            let why = "the task that writes to the database panicked";
            Ok(Opened {
                safety: Arc::clone(&store) as _,
                store,
                died: died_of(died, why),
            })
        }
    }
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
    path: PathBuf,
    sink: Arc<Publisher>,
) -> Result<Arc<SqliteStore>, BuildError> {
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
            Ok(Err(error)) => return Err(error.into()),
            Err(error) => return Err(BuildError::OpeningDied(error)),
        }
    }
}

async fn postgres(
    config: &Config,
    target: Target,
    node: NodeId,
    sink: Arc<Publisher>,
) -> Result<Arc<PostgresStore>, BuildError> {
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
    Ok(PostgresStore::open(target, setup).await?)
}

/// The rules that the configuration sets for any store.
pub fn store_rules(config: &Config) -> StoreRules {
    StoreRules {
        reconnect_grace: config.chat.reconnect_grace,
        arrival: config.chat.arrival,
        call_for: config.matching.call_for,
        retention: config.store.retention,
        block_lifetime: config.session.lifetime,
        room_entries: config.limits.room_entries,
        room_bytes: config.limits.room_bytes,
        longest: config.chat.longest,
        max_size: config.store.max_size,
        blocks_per_session: config.limits.blocks_per_session,
        evidence_retention: config.safety.evidence_retention,
        record_retention: config.safety.record_retention,
        timeout: config.store.timeout,
    }
}

/// A pool shared with other nodes only where the channel layer is: a node that peers cannot reach must not
/// appear in a shared pool.
fn pool(config: &Config, shared: bool) -> Result<Arc<dyn WaitingPool>, BuildError> {
    let rules = pool_rules(config);
    let server = config.channel.pool_server(&config.matching.url)?;
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

async fn channel(config: &Config, node: NodeId) -> Result<Channel, BuildError> {
    let mailbox = config.limits.mailbox;
    let Some(servers) = config.channel.servers()? else {
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
        Err(why) if config.channel.when_unreachable == WhenUnreachable::Standalone => {
            let why = format!(
                "running alone, since Redis was not reached at start ({why}); restart to join others"
            );
            error!("{why}");
            Ok((MemoryLayer::instead(node, mailbox, why), None))
        }
        Err(why) => Err(BuildError::Redis(why)),
    }
}

/// Makes this node known to the others, unless its rooms or its key are not theirs.
async fn announce(
    config: &Config,
    redis: &RedisLayer,
    store: &dyn Store,
) -> Result<(), BuildError> {
    let key = signing_key(config, store).await?;
    redis.seal_with(FrameKey::new(&identity::frame_key(&key)));
    let identity = store.identity().await;
    let identity = identity.map_err(BuildError::Identity)?;
    Ok(redis.announce(identity).await?)
}

/// The configured key, or the one that the store keeps.
///
/// # Errors
/// [`BuildError::ConfiguredKey`] for a key that cannot be used, [`BuildError::StoredKey`] when the store does
/// not give its own.
pub async fn signing_key(
    config: &Config,
    store: &dyn Store,
) -> Result<[u8; KEY_BYTES], BuildError> {
    if let Some(key) = configured_key(config)? {
        return Ok(key);
    }
    // Bounded by the store's own timeout.
    let key = store.session_key().await;
    key.map_err(BuildError::StoredKey)
}
