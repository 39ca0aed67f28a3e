//! The control socket: HTTP over a socket in the data folder, for commands on the machine. It answers the operators' API
//! alone, by the same handlers as the console, and only to the user that this process runs as, and to root.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tracing::{debug, warn};

use super::Audience;
use super::dispatch::{self, Routes};
use super::request::Peer;
use crate::admission::PermitSlot;
use crate::state::AppState;

/// The socket's file.
pub const FILE: &str = "miyu.sock";
/// Connections at once; others wait to be accepted.
const CONNECTIONS: usize = 16;
/// How long a request may take to come.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A command asks once or a few times.
const LIFETIME: Duration = Duration::from_secs(300);
/// How long accepting rests after the system refused a descriptor.
const REST: Duration = Duration::from_millis(100);
/// Longest name of a socket that systems take, in bytes.
const NAME_BYTES: usize = 103;

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum NoSocket {
    /// Another process answers there.
    #[error("another Miyu answers at {0}; give each its own folder with admin.dir")]
    Taken(PathBuf),
    /// The path is longer than sockets' may be.
    #[error(
        "{0} is too long for a socket (103 bytes at most); choose a shorter folder with admin.dir"
    )]
    TooLong(PathBuf),
    /// The system refuses it.
    #[error("{path}: {error}; choose another folder with admin.dir", path = path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
}

/// A socket that listens. Its file goes when this does.
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl ControlSocket {
    /// Listens in this folder. A file that a process of before left behind is replaced.
    ///
    /// # Errors
    /// See [`NoSocket`].
    pub fn bind(dir: &Path) -> Result<Self, NoSocket> {
        let path = dir.join(FILE);
        if path.as_os_str().len() > NAME_BYTES {
            return Err(NoSocket::TooLong(path));
        }
        if std::os::unix::net::UnixStream::connect(&path).is_ok() {
            return Err(NoSocket::Taken(path));
        }
        let listener = listen(dir, &path);
        let listener = listener.map_err(|error| NoSocket::Io {
            path: path.clone(),
            error,
        })?;
        Ok(Self { listener, path })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Under its name the socket is its owner's alone from the first moment: it is made under another.
fn listen(dir: &Path, path: &Path) -> std::io::Result<UnixListener> {
    let mut folder = std::fs::DirBuilder::new();
    folder.recursive(true).mode(0o700).create(dir)?;
    let beside = dir.join(".sock");
    let _ = std::fs::remove_file(&beside);
    let listener = UnixListener::bind(&beside)?;
    std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&beside, path)?;
    Ok(listener)
}

/// Answers until the drain begins.
pub async fn run(app: Arc<AppState>, routes: Arc<Routes>, socket: ControlSocket) {
    let stop = app.shutdown.token().clone();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let place = place.expect("never closed");
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            accepted = socket.listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                warn!(%error, "the control socket cannot accept; trying on");
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        if !is_ours(&stream) {
            warn!("the control socket was asked by another user, and did not answer");
            continue;
        }
        let (edge, routes) = (Arc::clone(&app), Arc::clone(&routes));
        app.shutdown.spawn(async move {
            connection(edge, routes, TokioIo::new(stream)).await;
            drop(place);
        });
    }
}

/// Whether the process at the other end is of our user, or of root, who may do everything anyway.
fn is_ours(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream
        .peer_cred()
        .is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

/// Answers what comes by this connection, which was made on the machine.
pub async fn connection<S>(app: Arc<AppState>, routes: Arc<Routes>, stream: S)
where
    S: Read + Write + Unpin + Send + 'static,
{
    let stop = app.shutdown.token().clone();
    let service = service_fn(|request: Request<Incoming>| {
        let (app, routes) = (Arc::clone(&app), Arc::clone(&routes));
        async move {
            let answer = dispatch::handle(&app, &routes, Audience::Control, peer(), request);
            Ok::<_, Infallible>(answer.await)
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(stream, service);
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        biased;
        ended = serving.as_mut() => {
            if let Err(error) = ended {
                debug!(%error, "a connection of the control socket broke");
            }
            return;
        }
        () = stop.cancelled() => {}
        () = tokio::time::sleep(LIFETIME) => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(HEAD_TIMEOUT, serving).await;
}

/// A command on this machine.
fn peer() -> Peer {
    Peer {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        scheme_https: false,
        host: Some("localhost".to_owned()),
        misnamed: None,
        slot: PermitSlot::default(),
    }
}
