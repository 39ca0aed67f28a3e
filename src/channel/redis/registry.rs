//! Which nodes live: each announces itself in one hash of the first server and renews that while it
//! lives; what is not renewed expires. From it come the count of people online everywhere, and the
//! refusal to run beside a node that keeps its rooms elsewhere or signs with another key.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script};

use crate::channel::wire;
use crate::domain::id::NodeId;

/// Writes one field for as long as `ARGV[2]` ms, drops expired ones and answers with the others.
/// With `ARGV[3]` = "1" it writes only when no other live node announces another `ARGV[4]`, with "2" nothing
/// at all. Idempotent.
/// It writes before it drops: a full server refuses only the first write of a script, and one that dropped
/// something before would be let through, as if the server were full no more.
/// A field: when it expires (ms, by the server's clock), what all must agree on, people, name.
const ANNOUNCE: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer, expired = {ARGV[3] == '2' and '0' or '1'}, {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
    local expires, common = string.match(all[i + 1], '^(%d+)|([^|]*)|')
    if all[i] == ARGV[1] then
        -- It is written anew below.
    elseif not expires or tonumber(expires) <= now then
        expired[#expired + 1] = all[i]
    else
        answer[#answer + 1] = all[i]
        answer[#answer + 1] = all[i + 1]
        if ARGV[3] == '1' and common ~= ARGV[4] then answer[1] = '0' end
    end
end
if ARGV[3] == '2' then return answer end
if answer[1] == '1' then
    local mine = string.format('%.0f|%s|%s|%s', now + ARGV[2], ARGV[4], ARGV[5], ARGV[6])
    redis.call('HSET', KEYS[1], ARGV[1], mine)
    redis.call('PEXPIRE', KEYS[1], 2 * ARGV[2])
end
for i = 1, #expired do
    redis.call('HDEL', KEYS[1], expired[i])
end
return answer
";

/// What every live node must agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Common {
    wire: u8,
    servers: usize,
    store: u64,
    /// Of the key that seals frames; 0 where a version of Miyu had none.
    key: u64,
}

impl Common {
    fn text(self) -> String {
        format!(
            "{} {} {:016x} {:016x}",
            self.wire, self.servers, self.store, self.key
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let common = Self {
            wire: parts.next()?.parse().ok()?,
            servers: parts.next()?.parse().ok()?,
            store: u64::from_str_radix(parts.next()?, 16).ok()?,
            key: parts.next().map_or(Ok(0), hexadecimal).ok()?,
        };
        Some(common)
    }
}

fn hexadecimal(text: &str) -> Result<u64, std::num::ParseIntError> {
    u64::from_str_radix(text, 16)
}

/// When a node writes its announcement.
#[derive(Clone, Copy)]
enum Write {
    Always,
    /// Unless another live node announces something else.
    IfAgreed,
    /// It only reads the others'.
    Never,
}

/// Another live node.
struct Other {
    node: NodeId,
    common: Option<Common>,
    online: u64,
    host: String,
}

impl Other {
    fn parse(node: &str, field: &str) -> Option<Self> {
        let mut parts = field.splitn(4, '|').skip(1);
        Some(Self {
            node: NodeId(u64::from_str_radix(node, 16).ok()?),
            common: Common::parse(parts.next()?),
            online: parts.next()?.parse().ok()?,
            host: parts.next()?.to_owned(),
        })
    }

    /// As operators know it.
    fn name(&self) -> NodeName {
        NodeName {
            node: self.node,
            host: self.host.clone(),
        }
    }
}

/// How another node is called in what is told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeName {
    node: NodeId,
    host: String,
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {:016x} on {}", self.node.0, self.host)
    }
}

/// Why two nodes must not run at the same time, and what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeMismatch {
    /// What it announces is not understood.
    #[error("{other} is of an unknown version of Miyu; stop it first")]
    Unknown {
        /// The other node.
        other: NodeName,
    },
    /// They speak differently.
    #[error(
        "{other} speaks version {theirs} of the language between nodes, this node version {mine}: stop all \
         nodes, then start them with one version of Miyu. A node that is gone is forgotten after {} seconds",
        .forgotten.as_secs()
    )]
    Wire {
        /// The other node.
        other: NodeName,
        /// Its version.
        theirs: u8,
        /// This node's.
        mine: u8,
        /// How long a node that is gone counts.
        forgotten: Duration,
    },
    /// Their rooms are in different places.
    #[error(
        "{other} keeps its rooms in store {theirs:016x}, this node in store {mine:016x}: nodes that share a \
         Redis must share a store, so give all of them the same PostgreSQL store.url; for a site of its own \
         set another channel.prefix. A node that is gone is forgotten after {} seconds",
        .forgotten.as_secs()
    )]
    Store {
        /// The other node.
        other: NodeName,
        /// Its store.
        theirs: u64,
        /// This node's.
        mine: u64,
        /// How long a node that is gone counts.
        forgotten: Duration,
    },
    /// They sign differently.
    #[error(
        "{other} has another session key than this node: neither would believe the other's frames, cookies or \
         tokens. Give all nodes the same session.key_file, or none, so that the store keeps one for all. A \
         node that is gone is forgotten after {} seconds",
        .forgotten.as_secs()
    )]
    Key {
        /// The other node.
        other: NodeName,
        /// How long a node that is gone counts.
        forgotten: Duration,
    },
    /// They spread rooms over different servers.
    #[error(
        "channel.url names {theirs} servers for {other} and {mine} for this node: rooms would be looked for in \
         different places; give all nodes the same channel.url"
    )]
    Servers {
        /// The other node.
        other: NodeName,
        /// How many it has.
        theirs: usize,
        /// How many this node has.
        mine: usize,
    },
    /// It was gone before it could be asked.
    #[error("another node is different")]
    Gone,
}

/// The live nodes as far as this one knows.
pub(super) struct Registry {
    node: NodeId,
    key: String,
    servers: usize,
    lease: Duration,
    host: String,
    /// The store's identity and the key's fingerprint, once announced.
    agreed: OnceLock<(u64, u64)>,
    here: AtomicU64,
    others: Mutex<Others>,
}

#[derive(Default)]
struct Others {
    online: HashMap<NodeId, u64>,
    read: Option<Instant>,
    odd: Option<NodeMismatch>,
}

impl Registry {
    pub(super) fn new(node: NodeId, key: String, servers: usize, lease: Duration) -> Self {
        let host = rustix::system::uname();
        Self {
            node,
            key,
            servers,
            lease,
            host: host.nodename().to_string_lossy().replace('|', "-"),
            agreed: OnceLock::new(),
            here: AtomicU64::new(0),
            others: Mutex::default(),
        }
    }

    /// Before this node has opened its store: whether all live nodes speak as it does. `Err` within: why it
    /// must not run beside another one.
    pub(super) async fn check_versions(
        &self,
        conn: &mut MultiplexedConnection,
    ) -> RedisResult<Result<(), NodeMismatch>> {
        let (_, others) = self.tell(conn, self.common(0, 0), Write::Never).await?;
        let odd = others.iter().find_map(|it| self.other_version(it));
        Ok(odd.map_or(Ok(()), Err))
    }

    /// The first announcement. `Err` within: why this node must not run beside another one.
    pub(super) async fn announce(
        &self,
        conn: &mut MultiplexedConnection,
        store: u64,
        key: u64,
    ) -> RedisResult<Result<(), NodeMismatch>> {
        let common = self.common(store, key);
        let (written, others) = self.tell(conn, common, Write::IfAgreed).await?;
        if !written {
            let odd = others.iter().find_map(|it| self.odds(it, common));
            return Ok(Err(odd.unwrap_or(NodeMismatch::Gone)));
        }
        // A second announcement of one node says the same.
        let _ = self.agreed.set((store, key));
        self.learn(&others, common);
        Ok(Ok(()))
    }

    /// Renews the announcement, once there was one, and learns who else lives.
    pub(super) async fn renew(&self, conn: &mut MultiplexedConnection) -> RedisResult<()> {
        if let Some((store, key)) = self.agreed.get() {
            let common = self.common(*store, *key);
            let (_, others) = self.tell(conn, common, Write::Always).await?;
            self.learn(&others, common);
        }
        Ok(())
    }

    /// Takes the announcement back.
    pub(super) async fn leave(&self, conn: &mut MultiplexedConnection) -> RedisResult<()> {
        let mut command = ::redis::cmd("HDEL");
        command.arg(&self.key).arg(self.field());
        command.query_async(conn).await
    }

    fn common(&self, store: u64, key: u64) -> Common {
        Common {
            wire: wire::VERSION,
            servers: self.servers,
            store,
            key,
        }
    }

    async fn tell(
        &self,
        conn: &mut MultiplexedConnection,
        common: Common,
        write: Write,
    ) -> RedisResult<(bool, Vec<Other>)> {
        let script = Script::new(ANNOUNCE);
        let mut call = script.key(&self.key);
        call.arg(self.field())
            .arg(self.lease.as_millis().to_string())
            .arg(match write {
                Write::Always => "0",
                Write::IfAgreed => "1",
                Write::Never => "2",
            })
            .arg(common.text())
            .arg(self.here.load(Ordering::Relaxed))
            .arg(&self.host);
        let answer: Vec<String> = call.invoke_async(conn).await?;
        let written = answer.first().is_some_and(|it| it == "1");
        let others = answer.get(1..).unwrap_or_default().chunks_exact(2);
        let others = others.filter_map(|it| Other::parse(&it[0], &it[1]));
        Ok((written, others.collect()))
    }

    fn learn(&self, others: &[Other], mine: Common) {
        let odd = others.iter().find_map(|it| self.odds(it, mine));
        let mut known = self.others.lock();
        if let (Some(odd), None) = (&odd, &known.odd) {
            tracing::error!("a node that must not be there: {odd}");
        }
        known.odd = odd;
        known.online = others.iter().map(|it| (it.node, it.online)).collect();
        known.read = Some(Instant::now());
    }

    /// Why that node and this one could not talk to each other.
    fn other_version(&self, other: &Other) -> Option<NodeMismatch> {
        let Some(theirs) = other.common else {
            return Some(NodeMismatch::Unknown {
                other: other.name(),
            });
        };
        (theirs.wire != wire::VERSION).then(|| NodeMismatch::Wire {
            other: other.name(),
            theirs: theirs.wire,
            mine: wire::VERSION,
            forgotten: self.lease,
        })
    }

    /// Why that node and this one must not run at the same time.
    fn odds(&self, other: &Other, mine: Common) -> Option<NodeMismatch> {
        if let Some(odd) = self.other_version(other) {
            return Some(odd);
        }
        let (theirs, forgotten) = (other.common?, self.lease);
        let other = other.name();
        if theirs.store != mine.store {
            Some(NodeMismatch::Store {
                other,
                theirs: theirs.store,
                mine: mine.store,
                forgotten,
            })
        } else if theirs.key != mine.key {
            Some(NodeMismatch::Key { other, forgotten })
        } else if theirs.servers != mine.servers {
            Some(NodeMismatch::Servers {
                other,
                theirs: theirs.servers,
                mine: mine.servers,
            })
        } else {
            None
        }
    }

    /// What is wrong among the live nodes.
    pub(super) fn odd(&self) -> Option<NodeMismatch> {
        self.others.lock().odd.clone()
    }

    /// Notes how many people are online here, for the next announcement; answers with the count of all nodes.
    pub(super) fn online(&self, here: u64) -> u64 {
        self.here.store(here, Ordering::Relaxed);
        let others = self.others.lock();
        let fresh = others.read.is_some_and(|read| read.elapsed() < self.lease);
        let elsewhere = others
            .online
            .values()
            .fold(0_u64, |sum, it| sum.saturating_add(*it));
        if fresh {
            here.saturating_add(elsewhere)
        } else {
            here
        }
    }

    /// Whether that node lives, as far as is known.
    pub(super) fn knows(&self, node: NodeId) -> bool {
        self.others.lock().online.contains_key(&node)
    }

    /// A node said that it is there.
    pub(super) fn came(&self, node: NodeId) {
        self.others.lock().online.entry(node).or_default();
    }

    /// A node said that it ends.
    pub(super) fn went(&self, node: NodeId) {
        self.others.lock().online.remove(&node);
    }

    fn field(&self) -> String {
        format!("{:016x}", self.node.0)
    }
}
