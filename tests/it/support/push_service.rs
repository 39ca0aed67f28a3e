//! A push service on a port of this machine: it notes each request and answers as it was told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::ports::free_address;

/// What it was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The request's line and headers, as they came.
    pub head: String,
    /// Its body.
    pub body: Vec<u8>,
    /// When it was whole.
    pub at: Instant,
}

impl Asked {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// A push service that ends with its owner.
pub struct PushService {
    /// Where it listens.
    pub address: SocketAddr,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Inner {
    asked: Mutex<Vec<Asked>>,
    answers: Mutex<VecDeque<String>>,
}

impl PushService {
    /// One that gives these answers (status lines with headers), and then takes everything. An empty one is
    /// silence: the connection stays open.
    #[expect(
        clippy::disallowed_methods,
        reason = "its tasks end with the test's runtime"
    )]
    pub async fn start(answers: &[&str]) -> Self {
        let address = free_address();
        let listener = TcpListener::bind(address).await.unwrap();
        let inner = Arc::new(Inner::default());
        *inner.answers.lock() = answers.iter().map(|it| (*it).to_owned()).collect();
        let shared = Arc::clone(&inner);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(Arc::clone(&shared), stream));
            }
        });
        Self {
            address,
            inner,
            task,
        }
    }

    /// The address of one browser there.
    pub fn endpoint(&self) -> String {
        format!("http://{}/browser/1", self.address)
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.asked.lock().clone()
    }

    /// Waits until it was asked so often.
    pub async fn until_asked(&self, times: usize) -> Vec<Asked> {
        let begun = Instant::now();
        loop {
            let asked = self.asked();
            if asked.len() >= times {
                return asked;
            }
            assert!(
                begun.elapsed().as_secs() < 20,
                "asked {} times",
                asked.len()
            );
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

impl Drop for PushService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(inner: Arc<Inner>, mut stream: TcpStream) -> Option<()> {
    let mut got = Vec::new();
    let (head, length) = loop {
        let mut part = [0; 2048];
        let count = stream.read(&mut part).await.ok().filter(|it| *it > 0)?;
        got.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&got).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            break (text[..end].to_owned(), end + 4);
        }
    };
    let mut asked = Asked {
        head,
        body: got.split_off(length),
        at: Instant::now(),
    };
    let whole: usize = asked.header("content-length")?.parse().ok()?;
    let missing = whole - asked.body.len();
    let mut rest = vec![0; missing];
    stream.read_exact(&mut rest).await.ok()?;
    asked.body.extend_from_slice(&rest);
    asked.at = Instant::now();
    inner.asked.lock().push(asked);
    let answer = inner.answers.lock().pop_front();
    let answer = answer.unwrap_or_else(|| "201 Created".to_owned());
    if answer.is_empty() {
        std::future::pending::<()>().await;
    }
    let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.ok()
}
