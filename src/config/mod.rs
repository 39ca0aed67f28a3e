//! The configuration tree: every key with its meaning and its default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Everything an operator can set.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Listening, proxies, draining.
    pub server: Server,
    /// What visitors read about this site.
    pub site: Site,
    /// Where rooms are kept.
    pub store: Store,
    /// How frames travel between connections.
    pub channel: Channel,
    /// Who meets whom.
    pub matching: Matching,
    /// What happens in a room.
    pub chat: Chat,
    /// Cookies and tokens.
    pub session: Session,
    /// Every numeric bound.
    pub limits: Limits,
    /// Pages.
    pub assets: Assets,
    /// What is written to stderr.
    pub log: Log,
}

/// Listening, proxies, draining.
#[derive(Clone, Debug)]
pub struct Server {
    /// Address and port of the site.
    pub listen: SocketAddr,
    /// Where `/healthz`, `/readyz` and `/metrics` are served; none: on `listen`, to loopback only.
    pub operator_listen: Option<SocketAddr>,
    /// Scheme and host that people see, such as `https://chat.example`; none: from the request.
    pub public_url: Option<String>,
    /// Networks whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Origins besides our own whose pages may connect.
    pub allowed_origins: Vec<String>,
    /// How long a shutdown waits for connections and the store.
    pub drain_timeout: Duration,
    /// Over how long the closing of sockets is spread at shutdown.
    pub drain_jitter: Duration,
}

/// What visitors read about this site.
#[derive(Clone, Debug)]
pub struct Site {
    /// The name in titles.
    pub name: String,
    /// One line under the headline; empty: the built-in one.
    pub tagline: String,
    /// House rules as plain text; empty: the built-in ones.
    pub rules: String,
    /// How to reach the operator.
    pub contact: String,
    /// Age asked for once at first Start; 0: not asked.
    pub minimum_age: u8,
    /// `auto` (by browser), `zh-TW` or `en`.
    pub default_language: String,
}

/// Where rooms are kept.
#[derive(Clone, Debug)]
pub struct Store {
    /// `sqlite:PATH`.
    pub url: String,
    /// `power` or `process`: what an acknowledged message survives.
    pub durability: Durability,
    /// How long an action waits for the store.
    pub timeout: Duration,
    /// How long a closed room is kept.
    pub retention: Duration,
}

/// What an acknowledged message survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A power cut.
    #[default]
    Power,
    /// A crash of the process, not of the machine.
    Process,
}

/// How frames travel between connections.
#[derive(Clone, Debug)]
pub struct Channel {
    /// `memory:`.
    pub url: String,
}

/// Who meets whom.
#[derive(Clone, Debug)]
pub struct Matching {
    /// How long only somebody with a shared tag will do.
    pub tag_patience: Duration,
    /// After how long a recent partner will do again.
    pub repeat_patience: Duration,
    /// Two tabs of one browser may meet when nobody else fits.
    pub same_session: bool,
    /// How long a ticket outlives its node.
    pub lease: Duration,
}

/// What happens in a room.
#[derive(Clone, Debug)]
pub struct Chat {
    /// How long the place of somebody away is kept.
    pub reconnect_grace: Duration,
    /// How long somebody has to come to a new room.
    pub arrival: Duration,
    /// How long an absence lasts before the partner is told.
    pub presence_settle: Duration,
    /// Zone of `sent_at`.
    pub time_zone: String,
}

/// Cookies and tokens.
#[derive(Clone, Debug)]
pub struct Session {
    /// Signs cookies and tokens: 64 hexadecimal digits; none: the store keeps a generated one.
    pub key: Option<String>,
    /// A file that holds the key instead.
    pub key_file: Option<PathBuf>,
    /// How long an unused browser is remembered.
    pub lifetime: Duration,
}

/// Every numeric bound. 0 means "none" for rates and counts of people only.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest frame a client may send, in bytes.
    pub max_frame: u64,
    /// Appends of one connection that may wait for the store.
    pub in_flight: usize,
    /// Frames a mailbox holds before its owner pages the store instead.
    pub mailbox: usize,
    /// Chat actions a second and session.
    pub messages_per_second: u32,
    /// Chat actions at once.
    pub message_burst: u32,
    /// Searches a minute and session.
    pub matches_per_minute: u32,
    /// API requests a minute and session.
    pub requests_per_minute: u32,
    /// How many times a session's rate one address may use.
    pub address_factor: u32,
    /// Open sockets of one address (IPv6: one /64).
    pub connections_per_address: usize,
    /// Open sockets altogether; 0: what the descriptor limit leaves.
    pub connections: usize,
    /// Searches of one session at the same time.
    pub tickets_per_session: usize,
    /// Entries of one room.
    pub room_entries: u64,
    /// Blocks one session keeps.
    pub blocks_per_session: usize,
    /// Entries read from the store at once.
    pub page_entries: usize,
    /// Frames in a row that cannot be understood before the socket is closed.
    pub bad_frames: u32,
    /// How long a socket may stay over its message rate before it is closed.
    pub flood: Duration,
    /// How long a client may take to send its request head.
    pub header_timeout: Duration,
    /// How long a write may take before the connection cannot keep up.
    pub write_timeout: Duration,
    /// How often a silent socket is asked whether it is there; twice this without a sign closes it.
    pub heartbeat: Duration,
}

/// Pages.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    /// A folder laid over the embedded files.
    pub dir: Option<PathBuf>,
}

/// What is written to stderr.
#[derive(Clone, Debug)]
pub struct Log {
    /// `auto` (pretty on a terminal, JSON otherwise), `pretty` or `json`.
    pub format: String,
    /// A level or tracing filter, such as `info` or `miyu=debug`.
    pub filter: String,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            operator_listen: None,
            public_url: None,
            trusted_proxies: vec![
                "127.0.0.0/8".parse().expect("a network"),
                "::1/128".parse().expect("a network"),
            ],
            allowed_origins: Vec::new(),
            drain_timeout: Duration::from_secs(15),
            drain_jitter: Duration::from_secs(1),
        }
    }
}

impl Default for Site {
    fn default() -> Self {
        Self {
            name: "秘語 Miyu".into(),
            tagline: String::new(),
            rules: String::new(),
            contact: String::new(),
            minimum_age: 18,
            default_language: "auto".into(),
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self {
            url: "sqlite:data/miyu.db".into(),
            durability: Durability::Power,
            timeout: Duration::from_secs(5),
            retention: Duration::from_secs(24 * 3600),
        }
    }
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            url: "memory:".into(),
        }
    }
}

impl Default for Matching {
    fn default() -> Self {
        Self {
            tag_patience: Duration::from_secs(10),
            repeat_patience: Duration::from_secs(20),
            same_session: true,
            lease: Duration::from_secs(30),
        }
    }
}

impl Default for Chat {
    fn default() -> Self {
        Self {
            reconnect_grace: Duration::from_secs(300),
            arrival: Duration::from_secs(20),
            presence_settle: Duration::from_secs(2),
            time_zone: "Asia/Taipei".into(),
        }
    }
}

impl Default for Session {
    fn default() -> Self {
        Self {
            key: None,
            key_file: None,
            lifetime: Duration::from_secs(30 * 24 * 3600),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame: 64 * 1024,
            in_flight: 16,
            mailbox: 256,
            messages_per_second: 5,
            message_burst: 20,
            matches_per_minute: 20,
            requests_per_minute: 120,
            address_factor: 100,
            connections_per_address: 1000,
            connections: 0,
            tickets_per_session: 4,
            room_entries: 20_000,
            blocks_per_session: 200,
            page_entries: 200,
            bad_frames: 20,
            flood: Duration::from_secs(30),
            header_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            heartbeat: Duration::from_secs(25),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: "auto".into(),
            filter: "info".into(),
        }
    }
}
