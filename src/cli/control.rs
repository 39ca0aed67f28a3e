//! A request of a command to the server that has the data: by the control socket; where no server runs, to one that is put
//! together for this command alone, in this process, and takes the lock meanwhile.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

use super::{Exit, Failure};
use crate::boot::{self, BuildError};
use crate::config::{self, Config};
use crate::http::control;
use crate::http::dispatch::Routes;

/// Largest answer that is read.
const ANSWER: usize = 64 * 1024 * 1024;
/// Between this process and the server within it.
const PIPE: usize = 64 * 1024;
/// So long a server may take from the lock on its data to its first answer, or another command with them.
const STARTING: Duration = Duration::from_secs(10);
/// Between two looks at whether it answers.
const AGAIN: Duration = Duration::from_millis(100);

/// What came back.
struct Answer {
    status: u16,
    body: Bytes,
}

/// A way to a server.
pub(super) struct Control {
    sender: SendRequest<Full<Bytes>>,
    own: Option<boot::Server>,
}

impl Control {
    /// To the server that runs, or else to one of our own. A server that has the data and does not answer yet
    /// is starting (or ending, or it is another command): it is waited for, [`STARTING`] long.
    pub(super) async fn connect(config: Config) -> Result<Self, Exit> {
        let path = config.admin_dir().join(control::FILE);
        let begun = Instant::now();
        loop {
            match UnixStream::connect(&path).await {
                Ok(stream) => return Self::running(stream).await,
                Err(error) if no_server(&error) => own_data(&path)?,
                Err(error) => return Err(not_let_in(&path, &error)),
            }
            match boot::build(alone(config.clone())).await {
                Ok(server) => return Self::within(server).await,
                Err(error) if error.is_taken() && begun.elapsed() < STARTING => {
                    tokio::time::sleep(AGAIN).await;
                }
                Err(error) => return Err(not_opened(&path, error)),
            }
        }
    }

    async fn running(stream: UnixStream) -> Result<Self, Exit> {
        let (sender, line) = handshake(TokioIo::new(stream)).await?;
        crate::tasks::Drain::new().spawn(line);
        Ok(Self { sender, own: None })
    }

    async fn within(server: boot::Server) -> Result<Self, Exit> {
        let app = Arc::clone(&server.state);
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let routes = Arc::new(Routes::new(&[]));
        let drain = app.shutdown.clone();
        drain.spawn(control::connection(app, routes, TokioIo::new(theirs)));
        let (sender, line) = handshake(TokioIo::new(ours)).await?;
        drain.spawn(line);
        Ok(Self {
            sender,
            own: Some(server),
        })
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, Exit> {
        let body = body.map(|it| it.to_string()).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("/admin/api/{path}"))
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .context("this cannot be asked for")?;
        // After the answer before this one was taken.
        let ready = self.sender.ready().await;
        ready.context("the server does not answer")?;
        let answer = self.sender.send_request(request).await;
        let (head, body) = answer.context("the server does not answer")?.into_parts();
        let body = Limited::new(body, ANSWER).collect().await;
        let body = body.map_err(|error| Exit(Failure::Other, error.to_string()))?;
        Ok(Answer {
            status: head.status.as_u16(),
            body: body.to_bytes(),
        })
    }

    /// Asks under `/admin/api/` for JSON; a refusal is told as it was said.
    pub(super) async fn get(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Exit> {
        let answer = self.ask(method, path, body).await?;
        refused(&answer)?;
        Ok(json(&answer.body))
    }

    /// An answer to the byte; a refusal is told as it was said.
    pub(super) async fn bytes(&mut self, path: &str) -> Result<Bytes, Exit> {
        let answer = self.ask(Method::GET, path, None).await?;
        refused(&answer)?;
        Ok(answer.body)
    }

    /// What was done is kept, and the lock is given back.
    pub(super) async fn end(self) {
        drop(self.sender);
        if let Some(server) = self.own {
            server.close().await;
        }
    }
}

/// Nothing but the store: other nodes, if there are any, find out by the store.
fn alone(mut config: Config) -> Config {
    config.channel = config::Channel::default();
    config.matching.url = config::Matching::default().url;
    config.push.enabled = false;
    config
}

fn not_let_in(path: &Path, error: &std::io::Error) -> Exit {
    let path = path.display();
    let why =
        format!("{path}: {error}. Run this as the user that the server runs as (or as root).");
    Exit(Failure::Other, why)
}

fn not_opened(path: &Path, error: BuildError) -> Exit {
    let Exit(failure, why) = Exit::from(error);
    let path = path.display();
    let why = format!("{why}. (No server answers at {path}, so the store was to be opened.)");
    Exit(failure, why)
}

fn refused(answer: &Answer) -> Result<(), Exit> {
    if (200..=299).contains(&answer.status) {
        return Ok(());
    }
    let problem = json(&answer.body);
    let detail = problem["detail"].as_str();
    let status = answer.status;
    let why = detail.map_or_else(|| format!("refused with {status}"), str::to_owned);
    Err(Exit(Failure::Other, why))
}

fn json(bytes: &Bytes) -> Value {
    serde_json::from_slice(bytes).unwrap_or_default()
}

/// The items of an answer's list.
pub(super) fn items(of: &Value) -> impl Iterator<Item = &Value> {
    of.as_array().into_iter().flatten()
}

/// A text of an answer.
pub(super) fn text(of: &Value) -> &str {
    of.as_str().unwrap_or_default()
}

/// A time of an answer, as it is printed.
pub(super) fn moment(at: &Value) -> String {
    let at = at.as_i64().unwrap_or_default();
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    format!("{at:.0}")
}

/// Files that root makes here could not be written by the server's own user afterwards.
fn own_data(path: &Path) -> Result<(), Exit> {
    let folder = path.parent().unwrap_or(path);
    let owner = std::fs::metadata(folder)
        .map(|it| it.uid())
        .unwrap_or_default();
    let root = rustix::process::geteuid().is_root();
    match root && owner != 0 {
        false => Ok(()),
        true => Err(Exit(
            Failure::Other,
            format!(
                "no server answers at {}, and {} belongs to the user {owner}: run this as that user \
                 (sudo -u '#{owner}' miyu …), or start the server first",
                path.display(),
                folder.display()
            ),
        )),
    }
}

type Line = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

async fn handshake<S>(stream: S) -> Result<(SendRequest<Full<Bytes>>, Line), Exit>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let made = http1::handshake(stream).await;
    let (sender, line) = made.context("the server does not answer")?;
    let line = async move {
        // The request itself says why it was not answered.
        let _ = line.await;
    };
    Ok((sender, Box::pin(line)))
}

fn no_server(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::ConnectionRefused
    )
}
