//! Debian's reverse proxies in front of a server, with the examples that we ship: only names, ports,
//! files and waits are replaced. Ends TLS with a certificate of its own; a tunnel in front of it lets
//! clients that speak plain HTTP come through TLS all the same.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::ports::free_address;
use super::scene::until;

/// The name in the examples.
pub const NAME: &str = "chat.example";

const NGINX: &str = include_str!("../../../config/proxy/nginx.conf");
const CADDY: &str = include_str!("../../../config/proxy/Caddyfile");

/// A running proxy. Dropping it ends it.
pub struct Proxy {
    child: Child,
    /// Where it speaks plain HTTP, if it does.
    pub plain: Option<SocketAddr>,
    /// Where a client that speaks plain HTTP gets through its TLS.
    pub address: SocketAddr,
    _tunnel: JoinSet<()>,
}

/// Every one of these must be in the example.
fn replaced(example: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(example.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "the example has no {old:?}");
        text.replace(old, new)
    })
}

impl Proxy {
    /// nginx, with its files in `home`, before `server`.
    pub async fn nginx(home: &Path, server: SocketAddr) -> Self {
        let (plain, secure) = (free_address(), free_address());
        let file = |name: &str| home.join(name).display().to_string();
        let (server, log) = (
            format!("server {server};"),
            format!("{} miyu;", file("access.log")),
        );
        let (pem, key) = (certificate(home), file("key.pem"));
        let site = replaced(
            NGINX,
            &[
                ("server 127.0.0.1:8000;", &server),
                ("listen [::]:80;", ""),
                ("listen [::]:443 ssl http2;", ""),
                ("listen 80;", &format!("listen {plain};")),
                (
                    "listen 443 ssl http2;",
                    &format!("listen {secure} ssl http2;"),
                ),
                ("/etc/ssl/chat.example.pem", &pem),
                ("/etc/ssl/chat.example.key", &key),
                ("/var/log/nginx/miyu.log miyu;", &log),
                ("/var/log/nginx/miyu-error.log", &file("error.log")),
                // Silence that is waited for takes seconds here, not minutes.
                ("proxy_read_timeout    2m;", "proxy_read_timeout 3s;"),
            ],
        );
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("{what}_temp_path {};\n", file(what)))
            .concat();
        let main = format!(
            "user root;\ndaemon off;\nmaster_process off;\npid {};\nevents {{}}\nhttp {{\n{temporary}\n{site}\n}}\n",
            file("nginx.pid")
        );
        let path = home.join("nginx.conf");
        std::fs::write(&path, main).expect("the test's folder can be written");
        let mut command = Command::new("nginx");
        command
            .arg("-p")
            .arg(home)
            .arg("-c")
            .arg(path)
            .args(["-e", "stderr"]);
        Self::start(command, home, Some(plain), secure).await
    }

    /// Caddy, with its files in `home`, before `server`.
    pub async fn caddy(home: &Path, server: SocketAddr) -> Self {
        let secure = free_address();
        let (pem, key) = (certificate(home), home.join("key.pem"));
        // No certificate from elsewhere, no port but this one.
        let global = "{\n\tadmin off\n\tauto_https disable_redirects\n\tservers {";
        let site = format!(
            "https://:{} {{\n\tbind 127.0.0.1\n\ttls {pem} {}\n",
            secure.port(),
            key.display()
        );
        let text = replaced(
            CADDY,
            &[
                ("{\n\tservers {", global),
                ("chat.example {\n", &site),
                ("127.0.0.1:8000", &server.to_string()),
            ],
        );
        let path = home.join("Caddyfile");
        std::fs::write(&path, text).expect("the test's folder can be written");
        let mut command = Command::new("caddy");
        command
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(path);
        Self::start(command, home, None, secure).await
    }

    async fn start(
        mut command: Command,
        home: &Path,
        plain: Option<SocketAddr>,
        secure: SocketAddr,
    ) -> Self {
        let log = home.join("proxy.log");
        let said = std::fs::File::create(&log).expect("the test's folder can be written");
        let child = command
            .env("HOME", home)
            .env("XDG_DATA_HOME", home)
            .env("XDG_CONFIG_HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .unwrap_or_else(|error| panic!("{:?} does not start: {error}", command.get_program()));
        let (address, tunnel) = tunnel(secure, home).await;
        let proxy = Self {
            child,
            plain,
            address,
            _tunnel: tunnel,
        };
        let listens = async || TcpStream::connect(secure).await.is_ok();
        let evidence = || std::fs::read_to_string(&log).unwrap_or_default();
        until("the proxy listens", listens, evidence).await;
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

/// Makes a certificate for [`NAME`] and its key in this folder; answers the certificate's path.
fn certificate(home: &Path) -> String {
    let request = format!(
        "[req]\nprompt = no\ndistinguished_name = name\nx509_extensions = leaf\n[name]\nCN = {NAME}\n\
         [leaf]\nsubjectAltName = DNS:{NAME}\nbasicConstraints = critical, CA:FALSE\n"
    );
    std::fs::write(home.join("request.cnf"), request).expect("the test's folder can be written");
    let made = Command::new("openssl")
        .args(
            "req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1".split(' '),
        )
        .args("-config request.cnf -keyout key.pem -out certificate.pem".split(' '))
        .current_dir(home)
        .output()
        .expect("openssl is installed");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    home.join("certificate.pem").display().to_string()
}

/// Takes plain connections and carries each through TLS to `secure`, trusting only the certificate
/// in this folder.
async fn tunnel(secure: SocketAddr, home: &Path) -> (SocketAddr, JoinSet<()>) {
    let certificate = CertificateDer::from_pem_file(home.join("certificate.pem"));
    let mut trusted = rustls::RootCertStore::empty();
    trusted
        .add(certificate.expect("a certificate"))
        .expect("one to trust");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(client));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("its address");
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut carried = JoinSet::new();
        while let Ok((mut client, _)) = listener.accept().await {
            let connector = connector.clone();
            carried.spawn(async move {
                let name = ServerName::try_from(NAME).expect("a name");
                if let Ok(stream) = TcpStream::connect(secure).await
                    && let Ok(mut stream) = connector.connect(name, stream).await
                {
                    // Either end may leave when it likes.
                    let _ = copy_bidirectional(&mut client, &mut stream).await;
                }
            });
        }
    });
    (address, tasks)
}
