//! Something between one node and its Redis: passes everything on, until a test cuts it or has it
//! send astray what is published.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A way to one Redis. Its threads end with their connections, or with the test.
pub struct CutProxy {
    port: u16,
    line: Arc<Line>,
}

#[derive(Default)]
struct Line {
    cut: AtomicBool,
    astray: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl CutProxy {
    /// To the Redis on this port.
    pub fn to(redis: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = Arc::new(Line::default());
        let accepting = Arc::clone(&line);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Accepted and dropped at once when cut: the client sees the connection end.
                if !accepting.cut.load(Ordering::SeqCst) {
                    accepting.pass(client, redis);
                }
            }
        });
        Self { port, line }
    }

    /// Redis by this way.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends every connection and takes no new one, or takes them again.
    pub fn cut(&self, cut: bool) {
        self.line.cut.store(cut, Ordering::SeqCst);
        for stream in self.line.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// What is published goes to channels without subscribers; everything is answered as ever.
    pub fn astray(&self, astray: bool) {
        self.line.astray.store(astray, Ordering::SeqCst);
    }
}

impl Line {
    fn pass(self: &Arc<Self>, client: TcpStream, redis: u16) {
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, redis)) else {
            return;
        };
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
            let stream = stream.try_clone().unwrap();
            self.open.lock().unwrap().push(stream);
        }
        let (line, from, to) = (
            Arc::clone(self),
            client.try_clone().unwrap(),
            server.try_clone().unwrap(),
        );
        std::thread::spawn(move || copy(from, to, |bytes| line.mislead(bytes)));
        std::thread::spawn(move || copy(server, client, |_| {}));
    }

    /// Changes the channel of each PUBLISH; commands come whole, since each is written at once.
    fn mislead(&self, bytes: &mut [u8]) {
        const NAMES: [&[u8]; 2] = [b":node:", b":room:"];
        if !self.astray.load(Ordering::SeqCst) || !bytes.windows(7).any(|it| it == b"PUBLISH") {
            return;
        }
        for at in 0..bytes.len().saturating_sub(6) {
            if NAMES.contains(&&bytes[at..at + 6]) {
                bytes[at + 1] = b'x';
            }
        }
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, change: impl Fn(&mut [u8])) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        change(&mut buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
