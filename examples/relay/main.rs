//! The least that two people at a WebSocket need, on the same crates as Miyu: what its cost is compared
//! with (`cargo run --release --example load -- --bare`). Not a server for use.
//!
//! Pairs the first that searches with the next one and relays what they say, in memory. It stores
//! nothing, checks nothing, has no rates, heartbeats, limits or timeouts, and forgets a room with its
//! people. One task a socket, one lock a message, a frame encoded once for both sides and sent to each,
//! small buffers.
//!
//! `--tuned` makes it write everything that waits for a socket with one flush, accept in a task of the
//! runtime, and make the kernel's table of descriptors at the start, as Miyu does: nothing that a relay
//! needs, and the stricter thing to be compared with. Its allocator is the C library's either way.

#![expect(
    clippy::disallowed_methods,
    reason = "nothing here is drained: the process is simply ended"
)]

#[path = "../load/descriptors.rs"]
mod descriptors;
mod json;
mod room;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper::{Request, Response, StatusCode};
use hyper_tungstenite::WebSocketStream;
use hyper_tungstenite::tungstenite::Message;
use hyper_tungstenite::tungstenite::protocol::WebSocketConfig;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use room::{Rooms, Seat};

/// Small, and so that most frames need one call to the kernel.
const READ_BUFFER: usize = 1024;
/// The same for what is written.
const WRITE_BUFFER: usize = 4096;

/// An open WebSocket.
type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Everything there is.
#[derive(Default)]
struct Relay {
    tuned: bool,
    rooms: Rooms,
    /// The search that waits: how to tell it of its seat.
    waiting: Mutex<Option<oneshot::Sender<Seat>>>,
    people: AtomicU64,
}

fn main() -> std::io::Result<()> {
    let tuned = std::env::args().any(|it| it == "--tuned");
    let address = std::env::args().skip_while(|it| it != "--listen").nth(1);
    let address = address.unwrap_or_else(|| "127.0.0.1:0".to_owned());
    descriptors::raise_limit();
    if tuned {
        descriptors::make_room();
    }
    let runtime = tokio::runtime::Runtime::new()?;
    match tuned {
        true => runtime.block_on(async { tokio::spawn(run(address, true)).await? }),
        false => runtime.block_on(run(address, false)),
    }
}

async fn run(address: String, tuned: bool) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    // As Miyu says it, for who started this.
    let address = listener.local_addr()?;
    eprintln!("{{\"message\":\"serving\",\"address\":\"{address}\"}}");
    let relay = Arc::new(Relay {
        tuned,
        ..Relay::default()
    });
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(Arc::clone(&relay), stream));
    }
}

async fn connection(relay: Arc<Relay>, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let relay = Arc::clone(&relay);
        async move { Ok::<_, Infallible>(answer(relay, request)) }
    });
    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // Errors are the client's own affair.
    let _ = serving.with_upgrades().await;
}

/// A handshake becomes a socket with a task of its own; everything else is told that we are here.
fn answer(relay: Arc<Relay>, mut request: Request<Incoming>) -> Response<Full<Bytes>> {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER);
    if !hyper_tungstenite::is_upgrade_request(&request) {
        return Response::new(Full::default());
    }
    let seat = Seat::parse(request.uri().query().unwrap_or_default());
    match hyper_tungstenite::upgrade(&mut request, Some(config)) {
        Ok((response, socket)) => {
            tokio::spawn(async move {
                if let Ok(socket) = socket.await {
                    serve(&relay, seat, socket).await;
                }
            });
            response
        }
        Err(_) => {
            let mut refusal = Response::new(Full::default());
            *refusal.status_mut() = StatusCode::BAD_REQUEST;
            refusal
        }
    }
}

async fn serve(relay: &Relay, seat: Option<Seat>, mut socket: Socket) {
    match seat {
        Some(seat) => {
            if let Some(room) = relay.rooms.find(seat.room) {
                room::talk(&room, seat, &mut socket, relay.tuned).await;
                relay.rooms.forget(&room, seat);
            }
        }
        None => search(relay, &mut socket).await,
    }
    // Answers a goodbye, too.
    let _ = socket.close(None).await;
    while let Some(Ok(_)) = socket.next().await {}
}

/// Waits for `start_matching`, then for another search.
async fn search(relay: &Relay, socket: &mut Socket) {
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        if !json::is_start(&text) {
            continue;
        }
        let met = match pair(relay) {
            Ok(seat) => Some(seat),
            Err(told) => tokio::select! {
                seat = told => seat.ok(),
                // Closed or impatient.
                _ = socket.next() => None,
            },
        };
        let Some(seat) = met else {
            return;
        };
        let found = json::match_found(seat);
        if socket.send(Message::text(found)).await.is_err() {
            return;
        }
    }
}

/// A seat in a room with the search that waits; else where one is told.
fn pair(relay: &Relay) -> Result<Seat, oneshot::Receiver<Seat>> {
    let mut waiting = relay.waiting.lock();
    let first = relay.people.fetch_add(2, Ordering::Relaxed);
    if let Some(other) = waiting.take() {
        let [here, there] = relay.rooms.make(first);
        // The search that waited may have ended meanwhile.
        if other.send(there).is_ok() {
            return Ok(here);
        }
        relay.rooms.drop_unused(here);
    }
    let (tell, told) = oneshot::channel();
    *waiting = Some(tell);
    Err(told)
}
