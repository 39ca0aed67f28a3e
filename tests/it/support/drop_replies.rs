//! A way to a server on which answers can get lost: what was asked arrives and is done, and the
//! client does not hear of it. Connections made later are not affected, so that a client can recover.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A port that leads to a server.
pub struct DropReplies {
    port: u16,
    /// Connections below this number get no answers any more.
    mute_below: Arc<AtomicU64>,
    next: Arc<AtomicU64>,
    _passing: JoinSet<()>,
}

impl DropReplies {
    /// Before the server of this `redis://HOST:PORT` URL.
    pub async fn before(url: &str) -> Self {
        let server = url.trim_start_matches("redis://").trim_end_matches('/');
        let server = server.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (mute_below, next) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let mut passing = JoinSet::new();
        let (mute, numbers) = (Arc::clone(&mute_below), Arc::clone(&next));
        passing.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                let number = numbers.fetch_add(1, Ordering::SeqCst);
                connections.spawn(pass(client, server, number, Arc::clone(&mute)));
            }
        });
        Self {
            port,
            mute_below,
            next,
            _passing: passing,
        }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// From now on the present connections get no answers.
    pub fn mute(&self) {
        let next = self.next.load(Ordering::SeqCst);
        self.mute_below.store(next, Ordering::SeqCst);
    }
}

async fn pass(client: TcpStream, server: TcpStream, number: u64, mute_below: Arc<AtomicU64>) {
    let (mut asked, mut heard) = client.into_split();
    let (mut answers, mut server) = server.into_split();
    let asking = tokio::io::copy(&mut asked, &mut server);
    let answering = async {
        let mut bytes = [0; 4096];
        loop {
            let read = answers.read(&mut bytes).await.unwrap_or(0);
            if read == 0 {
                return;
            }
            let muted = number < mute_below.load(Ordering::SeqCst);
            if !muted && heard.write_all(&bytes[..read]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = asking => {}
        () = answering => {}
    }
}
