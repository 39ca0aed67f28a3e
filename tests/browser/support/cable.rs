//! A cable between a browser and the server that can be pulled, put back, left silent, and made to
//! answer in the server's place: a small TCP relay.
//! Chromium's own "offline" leaves open WebSockets alone; a pulled cable does not.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// A relay to a port of this machine; ends with its owner.
pub struct Cable {
    /// Where browsers connect.
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    target: SocketAddr,
    pulled: AtomicBool,
    // Takes the upgrade out of handshakes, as a proxy does that does not know WebSocket.
    downgrades: AtomicBool,
    ended: AtomicBool,
    // Both ends of every relayed connection, to be shut when the cable is pulled.
    open: Mutex<Vec<TcpStream>>,
    // How many connections were made, and how many of these are open without another end.
    made: AtomicU64,
    forgotten: AtomicU64,
    // How long everything is on its way, in milliseconds.
    delay: AtomicU64,
    // What new connections are answered instead of being relayed.
    answer: Mutex<Option<String>>,
    // While it is true, connections stay open and nothing comes through.
    silent: Mutex<bool>,
    spoken: Condvar,
}

impl Cable {
    /// A cable to `port`.
    pub fn to(port: u16) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = TcpListener::bind(any).expect("a free port");
        let own = listener.local_addr().expect("a bound address").port();
        let shared = Arc::new(Shared {
            target: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            pulled: AtomicBool::new(false),
            downgrades: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            open: Mutex::new(Vec::new()),
            made: AtomicU64::new(0),
            forgotten: AtomicU64::new(0),
            delay: AtomicU64::new(0),
            answer: Mutex::new(None),
            silent: Mutex::new(false),
            spoken: Condvar::new(),
        });
        let inside = Arc::clone(&shared);
        thread::spawn(move || inside.accept(&listener));
        Self { port: own, shared }
    }

    /// Ends every connection and lets no new one through.
    pub fn pull(&self) {
        self.shared.pulled.store(true, Ordering::SeqCst);
        self.shared.shut_all();
    }

    /// Keeps every connection open and lets nothing through, as a dead mobile network does; what
    /// was said meanwhile arrives with `silence(false)`.
    pub fn silence(&self, silent: bool) {
        self.shared.silence(silent);
    }

    /// Forgets the connections there are, as a mobile network does: both ends believe that they are open, and
    /// nothing that is said on them arrives, ever. New ones come through.
    pub fn forget(&self) {
        let made = self.shared.made.load(Ordering::SeqCst);
        self.shared.forgotten.store(made, Ordering::SeqCst);
    }

    /// From now on a proxy that does not pass the upgrade to WebSocket, or one that does.
    pub fn downgrade(&self, downgrades: bool) {
        self.shared.downgrades.store(downgrades, Ordering::SeqCst);
    }

    /// Lets no new connection through; those that are open stay.
    pub fn close_door(&self) {
        self.shared.pulled.store(true, Ordering::SeqCst);
    }

    /// Makes everything come so much later, each way.
    pub fn delay(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).expect("a short time");
        self.shared.delay.store(by, Ordering::SeqCst);
    }

    /// Ends every connection and answers each new request itself, as a proxy does whose server is being
    /// replaced: with this status line and body, in plain text.
    pub fn answers(&self, status: &str, body: &str) {
        let length = body.len();
        *self.shared.answer.lock() = Some(format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ));
        self.shared.shut_all();
    }

    /// Lets connections through again.
    pub fn plug_in(&self) {
        *self.shared.answer.lock() = None;
        self.shared.pulled.store(false, Ordering::SeqCst);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.shared.silence(false);
        self.shared.shut_all();
        // The accepting thread notices when a connection comes.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.ended.load(Ordering::SeqCst) {
                return;
            }
            if let Ok(near) = stream {
                // A refused or broken connection is what a browser then sees.
                let _ = Arc::clone(&self).relay(near);
            }
        }
    }

    fn relay(self: Arc<Self>, near: TcpStream) -> io::Result<()> {
        if self.pulled.load(Ordering::SeqCst) {
            return near.shutdown(Shutdown::Both);
        }
        if let Some(answer) = self.answer.lock().clone() {
            thread::spawn(move || answered(near, &answer));
            return Ok(());
        }
        let far = TcpStream::connect(self.target)?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let mut open = self.open.lock();
        open.push(near.try_clone()?);
        open.push(far.try_clone()?);
        drop(open);
        // Pulled between the look above and the entry in the list: shut it like the others.
        if self.pulled.load(Ordering::SeqCst) {
            self.shut_all();
        }
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        let back = Arc::clone(&self);
        let (near_again, far_again) = (near.try_clone()?, far.try_clone()?);
        thread::spawn(move || self.copy(number, near_again, far_again));
        thread::spawn(move || back.copy(number, far, near));
        Ok(())
    }

    fn silence(&self, silent: bool) {
        *self.silent.lock() = silent;
        self.spoken.notify_all();
    }

    /// Passes on what comes, until either end is shut.
    fn copy(&self, number: u64, mut from: TcpStream, mut to: TcpStream) {
        let mut part = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut part) {
            let mut silent = self.silent.lock();
            while *silent {
                self.spoken.wait(&mut silent);
            }
            drop(silent);
            if number < self.forgotten.load(Ordering::SeqCst) {
                continue;
            }
            thread::sleep(Duration::from_millis(self.delay.load(Ordering::SeqCst)));
            let part = &mut part[..length];
            if self.downgrades.load(Ordering::SeqCst) {
                rename(part, b"\r\nUpgrade: ", b"\r\nX-Taken: ");
            }
            if to.write_all(part).is_err() {
                break;
            }
        }
        // The end of one that is forgotten does not arrive either.
        if number >= self.forgotten.load(Ordering::SeqCst) {
            let _ = to.shutdown(Shutdown::Both);
        }
    }

    fn shut_all(&self) {
        for stream in self.open.lock().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Another name of the same length instead of this one.
fn rename(bytes: &mut [u8], from: &[u8; 11], to: &[u8; 11]) {
    let found = bytes.windows(from.len()).position(|window| window == from);
    if let Some(at) = found {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
}

/// Waits for the end of a request's head, answers, and lets go.
fn answered(mut near: TcpStream, answer: &str) -> io::Result<()> {
    let (mut head, mut part) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match near.read(&mut part)? {
            0 => return Ok(()),
            length => head.extend_from_slice(&part[..length]),
        }
    }
    near.write_all(answer.as_bytes())?;
    near.shutdown(Shutdown::Both)
}
