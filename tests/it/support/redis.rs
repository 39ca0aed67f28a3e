//! Real Redis servers for tests: the one that `scripts/lib/services` started, shared by all under
//! prefixes of their own, and servers that belong to one test, which may stop and kill them.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use miyu::channel::redis::{RedisLayer, Rules};
use miyu::channel::seal::FrameKey;
use miyu::domain::id::{NodeId, StoreId};
use miyu::redis::RedisServers;
use rustix::process::{Pid, Signal, kill_process};

use super::ports::free_port;

/// The shared server's URL.
pub fn shared_url() -> String {
    std::env::var("MIYU_TEST_REDIS").expect(
        "MIYU_TEST_REDIS is not set: run scripts/test, or `. scripts/lib/services; services_start`",
    )
}

/// A prefix that no other test uses.
pub fn fresh_prefix() -> String {
    format!("test-{:016x}:", NodeId::fresh().0)
}

/// What the nodes of one test have in common.
#[derive(Clone)]
pub struct Site {
    urls: String,
    authority: Option<PathBuf>,
    key: [u8; 32],
    rules: Rules,
}

impl Site {
    /// On the shared server, under a prefix of its own.
    pub fn fresh() -> Self {
        Self::at(&shared_url())
    }

    /// On these servers. Beats are quick, so that tests are.
    pub fn at(urls: &str) -> Self {
        Self {
            urls: urls.to_owned(),
            authority: None,
            key: [7; 32],
            rules: Rules {
                prefix: fresh_prefix(),
                mailbox: 1000,
                beat: Duration::from_millis(200),
                lease: Duration::from_millis(1500),
            },
        }
    }

    /// The same site, reached by other URLs.
    pub fn on(mut self, urls: &str) -> Self {
        self.urls = urls.to_owned();
        self
    }

    /// Trusting this authority.
    pub fn trusting(mut self, authority: &Path) -> Self {
        self.authority = Some(authority.to_owned());
        self
    }

    /// Under another prefix.
    pub fn prefixed(mut self, prefix: &str) -> Self {
        self.rules.prefix = prefix.to_owned();
        self
    }

    /// Begins every name of this test.
    pub fn prefix(&self) -> &str {
        &self.rules.prefix
    }

    /// With another session key.
    pub fn keyed(mut self, key: u8) -> Self {
        self.key = [key; 32];
        self
    }

    /// With the key of servers that have this session key.
    pub fn of_servers(mut self, session_key: &[u8; 32]) -> Self {
        self.key = miyu::identity::frame_key(session_key);
        self
    }

    /// With mailboxes for so many frames.
    pub fn mailbox(mut self, frames: usize) -> Self {
        self.rules.mailbox = frames;
        self
    }

    /// A node that no other knows yet, or why there is none.
    pub async fn try_node(&self) -> Result<Arc<RedisLayer>, String> {
        let said = |error: &dyn std::error::Error| error.to_string();
        let mut servers = RedisServers::parse(&self.urls, None).map_err(|error| said(&error))?;
        if let Some(authority) = &self.authority {
            let pem = std::fs::read(authority).unwrap();
            servers = servers.trusting(&pem).map_err(|error| said(&error))?;
        }
        let layer = RedisLayer::start(servers, NodeId::fresh(), self.rules.clone()).await;
        let layer = layer.map_err(|error| said(&error))?;
        layer.seal_with(self.key());
        Ok(layer)
    }

    /// What its nodes seal frames with.
    pub fn key(&self) -> FrameKey {
        FrameKey::new(&self.key)
    }

    /// A node that no other knows yet.
    pub async fn node(&self) -> Arc<RedisLayer> {
        self.try_node().await.unwrap()
    }

    /// A node that has announced itself with this store.
    pub async fn announced(&self, store: u64) -> Arc<RedisLayer> {
        let node = self.node().await;
        node.announce(StoreId(store)).await.unwrap();
        node
    }
}

/// A server of one test's own.
pub struct OwnRedis {
    child: Child,
    port: u16,
    password: Option<&'static str>,
}

impl OwnRedis {
    /// Starts one on a free port.
    pub fn start() -> Self {
        Self::with(free_port(), None)
    }

    /// Starts one that wants a password.
    pub fn with_password(password: &'static str) -> Self {
        Self::with(free_port(), Some(password))
    }

    fn with(port: u16, password: Option<&'static str>) -> Self {
        let child = spawn(port, password);
        let redis = Self {
            child,
            port,
            password,
        };
        redis.wait();
        redis
    }

    /// Starts one that speaks only TLS, with a certificate for 127.0.0.1 made in this folder. Answers
    /// with it and the file of the authority that signed it.
    pub fn with_tls(folder: &Path) -> (Self, PathBuf) {
        let make = |arguments: &[&str]| {
            let mut openssl = Command::new("openssl");
            let made = openssl.args(arguments).current_dir(folder).output();
            let made = made.expect("openssl is installed");
            assert!(
                made.status.success(),
                "{}",
                String::from_utf8_lossy(&made.stderr)
            );
        };
        let new_key = [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ];
        let authority = [
            "req", "-x509", "-subj", "/CN=test", "-keyout", "ca.key", "-out", "ca.pem",
        ];
        make(&[&authority[..], &new_key[..]].concat());
        std::fs::write(folder.join("san"), "subjectAltName=IP:127.0.0.1\n").unwrap();
        let request = [
            "req",
            "-subj",
            "/CN=redis",
            "-keyout",
            "redis.key",
            "-out",
            "redis.csr",
        ];
        make(&[&request[..], &new_key[..]].concat());
        make(&[
            "x509",
            "-req",
            "-in",
            "redis.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-days",
            "1",
            "-CAcreateserial",
            "-extfile",
            "san",
            "-out",
            "redis.pem",
        ]);
        let port = free_port();
        let path = |name: &str| folder.join(name).display().to_string();
        let child = Command::new("redis-server")
            .args(["--port", "0", "--tls-port", &port.to_string()])
            .args(["--tls-cert-file", &path("redis.pem"), "--tls-key-file"])
            .args([&path("redis.key"), "--tls-ca-cert-file", &path("ca.pem")])
            .args([
                "--tls-auth-clients",
                "no",
                "--bind",
                "127.0.0.1",
                "--save",
                "",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let redis = Self {
            child,
            port,
            password: None,
        };
        for _ in 0..200 {
            if std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return (redis, folder.join("ca.pem"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("redis-server does not listen on port {port}");
    }

    /// Its URL, without a password.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its place.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Says something to it with redis-cli and answers with what it said.
    pub fn cli(&self, arguments: &[&str]) -> String {
        cli(self.port, self.password, arguments)
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was, empty.
    pub fn restart(&mut self) {
        self.child = spawn(self.port, self.password);
        self.wait();
    }

    /// Freezes it: its sockets stay open and are not answered.
    pub fn freeze(&self) {
        kill_process(self.pid(), Signal::STOP).unwrap();
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        kill_process(self.pid(), Signal::CONT).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn wait(&self) {
        for _ in 0..200 {
            if self.cli(&["ping"]).contains("PONG") {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("redis-server does not answer on port {}", self.port);
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says something to the server on this port with redis-cli.
fn cli(port: u16, password: Option<&str>, arguments: &[&str]) -> String {
    let mut command = Command::new("redis-cli");
    command.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    if let Some(password) = password {
        command.env("REDISCLI_AUTH", password);
    }
    let output = command.args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Says something to the shared server.
pub fn shared_cli(arguments: &[&str]) -> String {
    let url = shared_url();
    let output = Command::new("redis-cli")
        .args(["-u", &url])
        .args(arguments)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn spawn(port: u16, password: Option<&str>) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
    command.args(["--save", "", "--appendonly", "no"]);
    if let Some(password) = password {
        command.args(["--requirepass", password]);
    }
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null());
    silent.spawn().expect("redis-server is installed")
}
