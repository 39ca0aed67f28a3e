//! Accepting connections and speaking HTTP/1 on them, with a bound on everything a client can hold:
//! how many, how long a request head may take and be, how long a connection lives.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::Audience;
use super::request::{Peer, is_trusted};
use crate::admission::{ConnectionGuard, ConnectionRefused, PermitSlot};
use crate::http::dispatch::{self, Routes};
use crate::state::AppState;
use crate::telemetry;
use crate::transport::paced::Paced;
use crate::transport::turns::{ConnectionTimeouts, Turns};

/// Most header lines of a request.
const HEADERS: usize = 64;
/// Largest request head, and hyper's buffer of one connection.
const HEAD_BYTES: usize = 16 * 1024;
/// What the kernel may hold for a connection that does not read, in bytes that we ask for: Linux doubles it, and
/// counts what it needs itself. Its own choice grows to 4 MiB.
const SEND_BUFFER: u32 = 32 * 1024;
/// The same for one that is not read, since its client is over its rate.
const RECEIVE_BUFFER: u32 = 32 * 1024;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// An HTTP connection is told to finish after this long, however busy: no client keeps one by reading
/// slowly. Upgraded sockets are not HTTP connections any more.
const LIFETIME: Duration = Duration::from_secs(300);
/// How long accepting rests after the system refused a descriptor or memory.
const REST: Duration = Duration::from_millis(100);

const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\n\
    connection: close\r\ncontent-length: 0\r\n\r\n";

/// Binds an address. Its connections inherit the bound on what the kernel holds for each.
///
/// # Errors
/// The system's: most often that the port is in use, or needs more rights.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // A restart must not wait for connections of the last run to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts until the drain begins. Dropping the listener then frees the port at once.
pub async fn run(app: Arc<AppState>, routes: Arc<Routes>, listener: TcpListener) {
    let mut listener = Listener::new(listener);
    let stop = app.shutdown.token().clone();
    loop {
        let (stream, address) = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        if let Some(guard) = admit(&app, &stream, address) {
            let edge = Edge::new(&app, &routes, Audience::Site);
            let task = connection(edge, stream, address, guard);
            app.shutdown.spawn(task);
        }
    }
}

/// Accepts on the operators' own port for as long as it is polled, the drain included: a caller
/// there is told why this node takes no clients any more. Its connections hold no shutdown up, and end
/// when this is dropped.
pub async fn run_to_the_end(app: Arc<AppState>, routes: Arc<Routes>, listener: TcpListener) -> ! {
    // Where it does not say where it listens, it is taken for one that others reach.
    let audience = listener.local_addr().map_or(
        Audience::Operator { loopback: false },
        Audience::of_operators,
    );
    let mut listener = Listener::new(listener);
    // As many as `limits.connections` admits.
    let mut tasks = JoinSet::new();
    loop {
        let (stream, address) = tokio::select! {
            Some(ended) = tasks.join_next() => {
                if ended.is_err() {
                    metrics::counter!(telemetry::PANICS).increment(1);
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        if let Some(guard) = admit(&app, &stream, address) {
            let edge = Edge::new(&app, &routes, audience);
            tasks.spawn(connection(edge, stream, address, guard));
        }
    }
}

/// A listener that goes on whatever happens.
struct Listener {
    inner: TcpListener,
    troubled: bool,
}

impl Listener {
    fn new(inner: TcpListener) -> Self {
        Self {
            inner,
            troubled: false,
        }
    }

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.inner.accept().await {
                Ok(accepted) => {
                    self.troubled = false;
                    return accepted;
                }
                Err(error) if is_about_one_connection(&error) => {}
                Err(error) => {
                    // Once for each spell of trouble: this would come ten times a second.
                    if !self.troubled {
                        warn!(%error, "cannot accept connections; trying on (raise the descriptor limit?)");
                    }
                    self.troubled = true;
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }
}

/// Counts the connection in, or sends it away.
fn admit(app: &AppState, stream: &TcpStream, address: SocketAddr) -> Option<ConnectionGuard> {
    let ip = address.ip().to_canonical();
    // A proxy's connections belong to many people, who are counted when they open a socket.
    let counted = (!is_trusted(&app.config.server, ip)).then_some(ip);
    match app.limits.accepted(counted) {
        Ok(guard) => Some(guard),
        Err(refused) => {
            let why = match refused {
                ConnectionRefused::Address => "address",
                ConnectionRefused::Full => "full",
            };
            metrics::counter!(telemetry::REFUSED, "why" => why).increment(1);
            // Best effort: a fresh socket's buffer has room for it.
            let _ = stream.try_write(BUSY);
            None
        }
    }
}

/// What answers on a connection.
struct Edge {
    app: Arc<AppState>,
    routes: Arc<Routes>,
    audience: Audience,
}

impl Edge {
    fn new(app: &Arc<AppState>, routes: &Arc<Routes>, audience: Audience) -> Self {
        Self {
            app: Arc::clone(app),
            routes: Arc::clone(routes),
            audience,
        }
    }
}

async fn connection(edge: Edge, stream: TcpStream, address: SocketAddr, guard: ConnectionGuard) {
    let Edge {
        app,
        routes,
        audience,
    } = edge;
    // Frames and answers are small and complete: waiting to merge them only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "no TCP_NODELAY");
    }
    let timeouts = ConnectionTimeouts {
        idle: guard.timeout(app.config.server.keep_alive),
        head: guard.timeout(app.config.limits.header_timeout),
    };
    let turns = Turns::begin();
    let slot = PermitSlot::holding(guard);
    let service = service_fn(|request: Request<Incoming>| {
        let (app, routes) = (Arc::clone(&app), Arc::clone(&routes));
        let slot = slot.clone();
        let answering = turns.answer();
        async move {
            let (server, notices) = (&app.config.server, &app.notices);
            let peer = Peer::resolve(server, notices, audience, address, &request, slot);
            let mut answer = dispatch::handle(&app, &routes, audience, peer, request).await;
            answer.body_mut().end(answering);
            Ok::<_, Infallible>(answer)
        }
    });
    let stream = Paced::new(stream, app.config.limits.write_timeout).telling(turns.clone());
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        // It would give a client that has nothing to ask the time of one that asks: see `turns`.
        .header_read_timeout(None)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    let leaving = async {
        match audience {
            // Answered to the end.
            Audience::Operator { .. } => std::future::pending().await,
            Audience::Site | Audience::Control => app.shutdown.token().cancelled().await,
        }
    };
    tokio::select! {
        biased;
        _ = serving.as_mut() => return,
        () = turns.overdue(timeouts) => return,
        () = leaving => {}
        () = tokio::time::sleep(LIFETIME) => {}
    }
    // Finishes the request in progress and takes no other. Errors are the client's own affair.
    serving.as_mut().graceful_shutdown();
    let _ = timeout(app.config.limits.write_timeout, serving).await;
}

/// The client was gone before we took its connection.
fn is_about_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    )
}
