//! Several real processes that are one site: one Redis and one PostgreSQL, shared or the test's own,
//! each node through proxies of its own to both. Knows how to end, freeze and cut off nodes; knows
//! nothing of rooms or messages.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use super::binary::{PATIENCE, Server, Setup, UNLIMITED, get, get_json};
use super::own_postgres::{OwnPostgres, USER};
use super::redis::{OwnRedis, fresh_prefix, shared_url};
use super::scene::{MIYU, until};
use super::tcp_proxy::Proxy;

/// How often nodes compare their rooms with the store, in these tests.
pub const HEARTBEAT: Duration = Duration::from_secs(2);
/// Lines of each node's log that are shown when a test fails.
const SHOWN: usize = 60;

/// What a site rests on.
#[derive(Clone, Default)]
pub struct Plan {
    nodes: usize,
    own_redis: bool,
    own_postgres: bool,
    config: String,
    unhurried: bool,
    through: Vec<(usize, Vec<String>)>,
}

impl Plan {
    /// So many nodes, on the servers that all tests share.
    pub fn of(nodes: usize) -> Self {
        Self {
            nodes,
            ..Self::default()
        }
    }

    /// On a Redis that the test may end and freeze.
    pub fn own_redis(mut self) -> Self {
        self.own_redis = true;
        self
    }

    /// On a PostgreSQL that the test may end and freeze.
    pub fn own_postgres(mut self) -> Self {
        self.own_postgres = true;
        self
    }

    /// With these lines of configuration besides.
    pub fn with(mut self, config: &str) -> Self {
        self.config += config;
        self
    }

    /// No client is asked for a sign of life, nor the store for what was missed, while a test runs:
    /// sockets may be left unread, and what arrives has come through Redis.
    pub fn unhurried(mut self) -> Self {
        self.unhurried = true;
        self
    }

    /// One node is started through this command.
    pub fn through(mut self, node: usize, command: &[&str]) -> Self {
        let words = command.iter().map(ToString::to_string).collect();
        self.through.push((node, words));
        self
    }

    /// Starts everything and waits until every node is ready.
    pub async fn start(self) -> Cluster {
        Cluster::start(self).await
    }
}

/// One process of the site.
pub struct Node {
    setup: Setup,
    server: Option<Server>,
    address: Option<SocketAddr>,
    /// What its earlier processes said.
    before: String,
    /// Its way to Redis.
    pub redis: Proxy,
    /// Its way to PostgreSQL.
    pub postgres: Proxy,
}

impl Node {
    /// It was started and neither ended nor killed.
    pub fn runs(&self) -> bool {
        self.server.is_some()
    }
}

/// The site.
pub struct Cluster {
    nodes: Vec<Node>,
    prefix: String,
    database: String,
    postgres_url: String,
    /// Where the shared or own servers are.
    pub redis: Option<OwnRedis>,
    /// See [`Plan::own_postgres`].
    pub postgres: Option<OwnPostgres>,
    home: TempDir,
}

impl Cluster {
    async fn start(plan: Plan) -> Self {
        let home = TempDir::new().expect("a folder");
        let redis = plan.own_redis.then(OwnRedis::start);
        let redis_url = redis.as_ref().map_or_else(shared_url, OwnRedis::url);
        let postgres = plan.own_postgres.then(OwnPostgres::start);
        let own = |it: &OwnPostgres| format!("postgres://{USER}@{}", it.address());
        let postgres_url = postgres.as_ref().map_or_else(super::postgres::server, own);
        let database = super::postgres::fresh_name("cluster");
        let mut site = Self {
            nodes: Vec::new(),
            prefix: fresh_prefix(),
            database,
            postgres_url: postgres_url.trim_end_matches('/').to_owned(),
            redis,
            postgres,
            home,
        };
        let make = format!("CREATE DATABASE {}", site.database);
        let admin = site.connect("postgres").await;
        admin.batch_execute(&make).await.expect("a database");
        for number in 0..plan.nodes {
            let node = site.node(number, &redis_url, &plan);
            site.nodes.push(node);
        }
        for number in 0..plan.nodes {
            site.spawn(number);
        }
        for number in 0..plan.nodes {
            site.ready(number).await;
        }
        site
    }

    fn node(&self, number: usize, redis_url: &str, plan: &Plan) -> Node {
        let home: PathBuf = self.home.path().join(format!("node{number}"));
        std::fs::create_dir(&home).expect("a folder of the test");
        let redis = Proxy::to_redis(place(redis_url));
        let postgres = Proxy::to(place(&self.postgres_url));
        let mut setup = Setup::new(MIYU, &home);
        setup.store_elsewhere = true;
        let through = plan.through.iter().find(|(node, _)| *node == number);
        setup.through = through.map(|(_, words)| words.clone()).unwrap_or_default();
        let heartbeat = match plan.unhurried {
            true => PATIENCE * 10,
            false => HEARTBEAT,
        };
        let store = self.database_url(postgres.address());
        let (channel, prefix) = (redis.address(), &self.prefix);
        setup.config = format!(
            "[store]\nurl = \"{store}\"\n\
             [channel]\nurl = \"redis://{channel}\"\nprefix = \"{prefix}\"\n\
             {}{UNLIMITED}tickets_per_session = 0\nheartbeat = \"{}ms\"\n",
            plan.config,
            heartbeat.as_millis()
        );
        Node {
            setup,
            server: None,
            address: None,
            before: String::new(),
            redis,
            postgres,
        }
    }

    /// The database's URL, reached at this place.
    fn database_url(&self, place: SocketAddr) -> String {
        let (scheme, rest) = self.postgres_url.split_once("://").expect("a URL");
        let who = rest.rsplit_once('@').map_or(USER, |(who, _)| who);
        format!("{scheme}://{who}@{place}/{}", self.database)
    }

    /// A connection to this database of the store's server, past all proxies.
    pub async fn connect(&self, database: &str) -> Client {
        let url = format!("{}/{database}", self.postgres_url);
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("reached");
        #[expect(clippy::disallowed_methods, reason = "it ends with its client")]
        tokio::spawn(connection);
        client
    }

    /// A connection to the site's database, past all proxies.
    pub async fn sql(&self) -> Client {
        self.connect(&self.database).await
    }

    /// Begins every name of this site in Redis.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// One of its nodes.
    pub fn at(&self, number: usize) -> &Node {
        &self.nodes[number]
    }

    /// All of them.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Where this node listens, which must run.
    pub fn address(&self, number: usize) -> SocketAddr {
        self.nodes[number].address.expect("this node runs")
    }

    /// Where a node's operators ask.
    pub fn operators(&self, number: usize) -> SocketAddr {
        let server = self.nodes[number].server.as_ref();
        let operators = server.and_then(Server::operators);
        operators.expect("this node runs")
    }

    /// The nodes that run and are ready.
    fn running(&self) -> impl Iterator<Item = usize> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter_map(|(number, node)| node.address.map(|_| number))
    }

    /// Where those listen that run.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().filter_map(|it| it.address).collect()
    }

    /// Starts a node that does not run, and waits for nothing.
    pub fn spawn(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        assert!(node.server.is_none(), "it runs");
        node.server = Some(node.setup.spawn());
    }

    /// Waits until a node is ready.
    pub async fn ready(&mut self, number: usize) -> SocketAddr {
        let node = &mut self.nodes[number];
        let address = node.server.as_mut().expect("it runs").ready().await;
        node.address = Some(address);
        address
    }

    /// kill -9.
    pub fn kill(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let mut server = node.server.take().expect("it runs");
        server.kill();
        node.before += &server.said();
        node.address = None;
    }

    /// Stops a node as its operator would. It must end well.
    pub async fn stop(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let mut server = node.server.take().expect("it runs");
        node.address = None;
        let ended = server.stop().await;
        node.before += &server.said();
        assert_eq!(ended.code(), Some(0), "{}", self.evidence());
    }

    /// Stops every node that runs, and forgets the database.
    pub async fn end(mut self) {
        for number in 0..self.nodes.len() {
            if self.nodes[number].server.is_some() {
                self.stop(number).await;
            }
        }
        let forget = format!("DROP DATABASE {} WITH (FORCE)", self.database);
        let admin = self.connect("postgres").await;
        admin.batch_execute(&forget).await.expect("it is ours");
    }

    /// Lets the process stand still.
    pub fn freeze(&self, number: usize) {
        let server = self.nodes[number].server.as_ref();
        server.expect("it runs").signal(Signal::STOP);
    }

    /// Lets the process go on.
    pub fn thaw(&self, number: usize) {
        let server = self.nodes[number].server.as_ref();
        server.expect("it runs").signal(Signal::CONT);
    }

    /// `/api/stats` of a node.
    pub async fn stats(&self, number: usize) -> serde_json::Value {
        get_json(self.address(number), "/api/stats").await.1
    }

    /// A number that a node counts, by its whole name in `/metrics`; 0 before it was counted first.
    pub async fn metric(&self, number: usize, name: &str) -> f64 {
        let asked = get(self.operators(number), "/metrics").await;
        let (_, text) = asked.expect("the node answers");
        let line = text.lines().find_map(|it| it.strip_prefix(name));
        line.and_then(|it| it.trim().parse().ok()).unwrap_or(0.0)
    }

    /// Waits until `/readyz` of this node holds this text.
    pub async fn readyz_says(&self, number: usize, what: &str) {
        let address = self.operators(number);
        let says =
            async || matches!(get(address, "/readyz").await, Ok((_, it)) if it.contains(what));
        let title = format!("/readyz of node {number} says {what:?}");
        until(&title, says, || self.evidence()).await;
    }

    /// Waits until every running node is linked to both services and says so.
    pub async fn is_whole(&self) {
        let whole = async || {
            for number in self.running() {
                let well = get(self.operators(number), "/readyz").await;
                if !matches!(well, Ok((200, body)) if body.contains("\"notices\":[]")) {
                    return false;
                }
            }
            true
        };
        until("all nodes are well", whole, || self.evidence()).await;
    }

    /// The end of every node's log.
    pub fn evidence(&self) -> String {
        let mut all = format!("(waits give up after {PATIENCE:?})");
        for (number, node) in self.nodes.iter().enumerate() {
            let now = node.server.as_ref().map(Server::said).unwrap_or_default();
            let said = format!("{}{now}", node.before);
            let lines: Vec<&str> = said.lines().collect();
            let last = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
            all += &format!("\n-- node {number}:\n{last}");
        }
        all
    }
}

/// The place that a URL names.
fn place(url: &str) -> SocketAddr {
    let rest = url.rsplit(['@', '/']).find(|it| it.contains(':'));
    let place = rest.and_then(|it| it.parse().ok());
    place.unwrap_or_else(|| panic!("{url} names no address of this machine"))
}
