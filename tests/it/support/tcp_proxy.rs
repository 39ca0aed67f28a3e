//! A TCP proxy on loopback that a test can make slow, deaf or dead: what lies between a node and a
//! service. Bounded: it reads no further than it may hold. Dropping it ends every connection.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Bytes read at once.
const CHUNK: usize = 16 * 1024;
/// Chunks that may be on their way in one direction; when there are so many, nothing is read.
const ON_THE_WAY: usize = 256;

/// What it does with what it is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Passes it on.
    Pass,
    /// Passes it on so much later, in each direction.
    Slow(Duration),
    /// Connections stay, new ones are taken, and nothing passes until it thaws.
    Frozen,
    /// Connections are ended and new ones refused.
    Cut,
}

/// Chooses messages of a Redis server that do not arrive.
type Chosen = Box<dyn Fn(&[u8]) -> bool + Send + Sync>;

struct Shared {
    target: SocketAddr,
    /// What comes back are messages of a Redis server, passed on as whole ones.
    redis: bool,
    mode: watch::Sender<Mode>,
    /// Counts up when every connection is to be ended.
    severed: watch::Sender<u64>,
    swallowing: Mutex<Option<Chosen>>,
    swallowed: AtomicU64,
}

/// A proxy to one place.
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    _running: JoinSet<()>,
}

impl Proxy {
    /// To this place, from a port of its own.
    pub fn to(target: SocketAddr) -> Self {
        Self::start(target, false)
    }

    /// The same to a Redis server: its messages can be chosen and swallowed.
    pub fn to_redis(target: SocketAddr) -> Self {
        Self::start(target, true)
    }

    fn start(target: SocketAddr, redis: bool) -> Self {
        let shared = Arc::new(Shared {
            target,
            redis,
            mode: watch::Sender::new(Mode::Pass),
            severed: watch::Sender::new(0),
            swallowing: Mutex::default(),
            swallowed: AtomicU64::new(0),
        });
        let socket = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let address = socket.local_addr().expect("it is bound");
        let listener = socket.listen(1024).expect("a port of ours");
        let mut running = JoinSet::new();
        running.spawn(serve(Arc::clone(&shared), address, listener));
        Self {
            shared,
            address,
            _running: running,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on.
    pub fn set(&self, mode: Mode) {
        self.shared.mode.send_replace(mode);
    }

    /// Ends every connection; new ones are taken.
    pub fn sever(&self) {
        self.shared.severed.send_modify(|count| *count += 1);
    }

    /// Messages that this chooses, by their bytes, do not arrive, while all others do.
    pub fn swallow(&self, chosen: impl Fn(&[u8]) -> bool + Send + Sync + 'static) {
        assert!(self.shared.redis, "only Redis speaks in such messages");
        *self.shared.swallowing.lock() = Some(Box::new(chosen));
    }

    /// How many messages did not arrive.
    pub fn swallowed(&self) -> u64 {
        self.shared.swallowed.load(Ordering::Relaxed)
    }
}

/// A socket that refuses connections until it listens. The port stays ours meanwhile.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn serve(shared: Arc<Shared>, address: SocketAddr, mut listener: TcpListener) {
    let mut mode = shared.mode.subscribe();
    let mut pairs = JoinSet::new();
    loop {
        if *mode.borrow_and_update() == Mode::Cut {
            drop(listener);
            pairs.shutdown().await;
            let reserved = bind(address).expect("the port was ours");
            let _ = mode.wait_for(|it| *it != Mode::Cut).await;
            listener = reserved.listen(1024).expect("the port is ours");
        }
        tokio::select! {
            _ = mode.changed() => {}
            taken = listener.accept() => {
                if let Ok((stream, _)) = taken {
                    pairs.spawn(join(Arc::clone(&shared), stream));
                }
            }
            Some(_) = pairs.join_next() => {}
        }
    }
}

/// One connection through the proxy.
async fn join(shared: Arc<Shared>, client: TcpStream) {
    let mut severed = shared.severed.subscribe();
    severed.mark_unchanged();
    let passing = async {
        let Ok(server) = TcpStream::connect(shared.target).await else {
            return;
        };
        let (_, _) = (client.set_nodelay(true), server.set_nodelay(true));
        let ((from_client, to_client), (from_server, to_server)) =
            (client.into_split(), server.into_split());
        // Either end's end is the other's.
        tokio::select! {
            () = pass(&shared, from_client, to_server, false) => {}
            () = pass(&shared, from_server, to_client, true) => {}
        }
    };
    tokio::select! {
        () = passing => {}
        _ = severed.changed() => {}
    }
}

/// One direction of one connection.
async fn pass(shared: &Shared, from: OwnedReadHalf, to: OwnedWriteHalf, back: bool) {
    let (sender, receiver) = mpsc::channel(ON_THE_WAY);
    tokio::join!(take(shared, from, sender, back), give(shared, to, receiver));
}

type Chunk = (Instant, Vec<u8>);

async fn take(shared: &Shared, mut from: OwnedReadHalf, sender: mpsc::Sender<Chunk>, back: bool) {
    let mut held = Vec::new();
    loop {
        let mut bytes = vec![0; CHUNK];
        let Ok(count @ 1..) = from.read(&mut bytes).await else {
            return;
        };
        bytes.truncate(count);
        if back && shared.redis {
            held.extend(bytes);
            bytes = sift(shared, &mut held);
        }
        if sender.send((Instant::now(), bytes)).await.is_err() {
            return;
        }
    }
}

/// The whole messages of what is held, but those to be swallowed.
fn sift(shared: &Shared, held: &mut Vec<u8>) -> Vec<u8> {
    let swallowing = shared.swallowing.lock();
    let mut passed = Vec::new();
    while let Some(length) = resp_length(held) {
        let message: Vec<u8> = held.drain(..length).collect();
        match swallowing.as_ref().is_some_and(|chosen| chosen(&message)) {
            true => drop(shared.swallowed.fetch_add(1, Ordering::Relaxed)),
            false => passed.extend(message),
        }
    }
    passed
}

/// How many bytes the first message takes, as Redis writes them (RESP 2 and 3); `None` until it is
/// there as a whole.
fn resp_length(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut missing) = (0, 1_usize);
    while missing > 0 {
        let rest = bytes.get(at..)?;
        let line = rest.windows(2).position(|it| it == b"\r\n")?;
        let count = std::str::from_utf8(&rest[1..line]).unwrap_or_default();
        let count = count.parse::<usize>().unwrap_or(0);
        at += line + 2;
        missing -= 1;
        match rest[0] {
            // "$-1" is nothing at all, without a line of its own.
            b'$' | b'=' | b'!' if rest[1] != b'-' => at += count + 2,
            b'*' | b'~' | b'>' => missing += count,
            b'%' => missing += 2 * count,
            // Attributes stand before what they describe.
            b'|' => missing += 2 * count + 1,
            _ => {}
        }
    }
    (at <= bytes.len()).then_some(at)
}

async fn give(shared: &Shared, mut to: OwnedWriteHalf, mut receiver: mpsc::Receiver<Chunk>) {
    let mut mode = shared.mode.subscribe();
    while let Some((since, bytes)) = receiver.recv().await {
        let thawed = mode.wait_for(|it| *it != Mode::Frozen).await;
        let now = thawed.map_or(Mode::Cut, |it| *it);
        let delay = match now {
            Mode::Slow(delay) => delay,
            _ => Duration::ZERO,
        };
        sleep_until(since + delay).await;
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

#[test]
fn messages_of_redis_are_told_apart() {
    let messages: [&[u8]; 6] = [
        b"+OK\r\n",
        b"$-1\r\n",
        b">3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$6\r\n\r\n\r\n>2\r\n",
        b"%1\r\n+a\r\n*2\r\n:1\r\n$0\r\n\r\n",
        b"*0\r\n",
        b"|1\r\n+ttl\r\n:3\r\n#t\r\n",
    ];
    for message in messages {
        let mut more = message.to_vec();
        more.extend(b"+next\r\n");
        assert_eq!(resp_length(&more), Some(message.len()));
        for cut in 0..message.len() {
            assert_eq!(resp_length(&message[..cut]), None, "{message:?} to {cut}");
        }
    }
}
