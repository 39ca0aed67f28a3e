//! Which nodes live: each announces itself in one hash of the first server and renews that while it
//! lives; what is not renewed expires. From it come the count of people online everywhere, and the
//! refusal to run beside a node that keeps its rooms elsewhere or signs with another key.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script};

use super::node_mismatch::{NodeMismatch, NodeName};
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
