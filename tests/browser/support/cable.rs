//! A cable between a browser and the server that can be pulled and put back: a small TCP relay.
//! Chromium's own "offline" leaves open WebSockets alone; a pulled cable does not.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use parking_lot::Mutex;

/// A relay to a port of this machine; ends with its owner.
pub struct Cable {
    /// Where browsers connect.
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    target: SocketAddr,
    pulled: AtomicBool,
    ended: AtomicBool,
    // Both ends of every relayed connection, to be shut when the cable is pulled.
    open: Mutex<Vec<TcpStream>>,
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
            ended: AtomicBool::new(false),
            open: Mutex::new(Vec::new()),
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

    /// Lets connections through again.
    pub fn plug_in(&self) {
        self.shared.pulled.store(false, Ordering::SeqCst);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.shared.shut_all();
        // The accepting thread notices when somebody knocks.
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
                let _ = self.relay(near);
            }
        }
    }

    fn relay(&self, near: TcpStream) -> io::Result<()> {
        if self.pulled.load(Ordering::SeqCst) {
            return near.shutdown(Shutdown::Both);
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
        copy_in_thread(near.try_clone()?, far.try_clone()?);
        copy_in_thread(far, near);
        Ok(())
    }

    fn shut_all(&self) {
        for stream in self.open.lock().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn copy_in_thread(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}
