//! A real PostgreSQL for the store's tests: each test has a database of its own on one server, which
//! `MIYU_TEST_POSTGRES` names (`scripts/test` starts it).

use std::sync::Arc;
use std::time::Duration;

use miyu::domain::id::NodeId;
use miyu::store::postgres::{PostgresStore, Setup, Target, Tuning};
use miyu::store::{Durability, Store, Upkeep as _};
use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

use super::store::{Backend, Recorder, Setting, Whole};

/// Databases that tests have left, to be used again: making one takes longer than emptying it.
static FREE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Where people's words may be.
const TEXTS: [&str; 10] = [
    "entries",
    "rooms",
    "lanes",
    "cases",
    "reports",
    "evidence",
    "evidence_entries",
    "decisions",
    "notices",
    "audit",
];

/// A database of one test.
pub struct Postgres {
    name: String,
}

/// The server's address, which ends where a database's name is to stand.
pub fn server() -> String {
    let server = std::env::var("MIYU_TEST_POSTGRES").expect(
        "MIYU_TEST_POSTGRES must name a PostgreSQL whose user may make databases, such as \
         postgres://user@127.0.0.1:5432; scripts/test starts one",
    );
    format!("{}/", server.trim_end_matches('/'))
}

/// A connection to this database, for what no store does.
#[expect(
    clippy::disallowed_methods,
    reason = "the connection's task ends with its client"
)]
pub async fn connect(database: &str) -> Client {
    let url = format!("{}{database}", server());
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A name that no other run uses.
pub fn fresh_name(kind: &str) -> String {
    format!("miyu_{kind}_{:x}", rand::random::<u64>())
}

/// The database that all others are copies of.
async fn template() -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let make = async || {
        let name = fresh_name("template");
        let admin = connect("postgres").await;
        let sql = format!("CREATE DATABASE {name}");
        admin.batch_execute(&sql).await.unwrap();
        let store = open(&name, setup(&Setting::default())).await;
        store.close().await.unwrap();
        let client = connect(&name).await;
        empty(&client).await;
        name
    };
    TEMPLATE.get_or_init(make).await.clone()
}

async fn empty(client: &Client) {
    let sql = "TRUNCATE meta, nodes, lanes, rooms, subscriptions, entries, blocks, machines, room_networks, audit, \
             report_months, cases, reports, evidence, evidence_entries, decisions, sanctions, notices, operators, \
             recovery_codes, operator_sessions, operator_visitors, setup_link, settings; \
         UPDATE audit_head SET no = 0, hash = decode(repeat('00', 32), 'hex'); \
         UPDATE service SET since = 0, clock_ahead = 0, clock_steps = 0";
    client.batch_execute(sql).await.unwrap();
}

/// Sizes at which a handful of rooms makes many batches and steps. No node's lease ends by itself:
/// tests move the clock by days.
pub fn tiny() -> Tuning {
    Tuning {
        batch: 4,
        connections: 3,
        lease: Duration::from_secs(10 * 365 * 24 * 3600),
        erase_rows: 3,
        blocks: 20,
        erase_rooms: 2,
        close_rooms: 2,
        ..Tuning::default()
    }
}

/// A new process with these rules.
pub fn setup(setting: &Setting) -> Setup {
    Setup {
        node: NodeId::fresh(),
        durability: Durability::Power,
        rules: setting.rules.clone(),
        sink: Arc::clone(&setting.sink) as Arc<Recorder>,
        clock: Some(setting.now.clock()),
        tuning: tiny(),
    }
}

/// Opens a store on this database.
pub async fn open(database: &str, setup: Setup) -> Arc<PostgresStore> {
    let target = Target::parse(&format!("{}{database}", server()), None).unwrap();
    PostgresStore::open(target, setup).await.unwrap()
}

impl Postgres {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where a server finds it.
    pub fn url(&self) -> String {
        format!("{}{}", server(), self.name)
    }

    /// A connection to it.
    pub async fn client(&self) -> Client {
        connect(&self.name).await
    }

    /// One more node on it.
    pub async fn node(&self, setup: Setup) -> Arc<PostgresStore> {
        open(&self.name, setup).await
    }

    /// Ends every connection to it but the one that asks; answers how many.
    pub async fn cut(&self, by: &Client) -> i64 {
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()";
        by.query_one(sql, &[]).await.unwrap().get(0)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        FREE.lock().push(std::mem::take(&mut self.name));
    }
}

impl Backend for Postgres {
    async fn fresh() -> Self {
        let free = FREE.lock().pop();
        if let Some(name) = free {
            let used = Self { name };
            let client = used.client().await;
            used.cut(&client).await;
            empty(&client).await;
            return used;
        }
        let (template, name) = (template().await, fresh_name("test"));
        let admin = connect("postgres").await;
        let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
        admin.batch_execute(&sql).await.unwrap();
        Self { name }
    }

    async fn open(&self, setting: &Setting) -> Arc<dyn Store> {
        self.open_whole(setting).await.store
    }

    async fn open_whole(&self, setting: &Setting) -> Whole {
        // No other process has it open, so the node that had it is dead; in production that shows when the
        // lease ends. There a process that starts again is another node, too; tests' connections
        // always name the same.
        let sql = "DELETE FROM nodes; \
             UPDATE rooms SET node_a = node_a + (1::bigint << 40), node_b = node_b + (1::bigint << 40)";
        self.client().await.batch_execute(sql).await.unwrap();
        let store = self.node(setup(setting)).await;
        Whole {
            safety: Some(store.clone()),
            store,
        }
    }

    async fn holds(&self, text: &str) -> bool {
        // What SQL can see: the files keep what was erased until they are vacuumed.
        let client = self.client().await;
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        for table in TEXTS {
            let sql =
                format!("SELECT EXISTS (SELECT FROM {table} t WHERE position($1 IN t::text) > 0)");
            if client.query_one(&sql, &[&hex]).await.unwrap().get(0) {
                return true;
            }
        }
        false
    }

    async fn run(&self, sql: &str) {
        self.client().await.batch_execute(sql).await.unwrap();
    }
}
