//! The one client that goes out from this server: a POST to a push service, over TLS, once, within a bounded
//! time. It follows no redirect and reads no body, so that nothing comes in by it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderMap, RETRY_AFTER};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::endpoint::Endpoint;

/// One attempt: the name, the connection, TLS and the answer's head.
const ATTEMPT: Duration = Duration::from_secs(10);
/// Of a service's addresses so many are tried.
const MOST_ADDRESSES: usize = 4;
/// A head that is longer is none of a push service.
const HEAD_BYTES: usize = 16 * 1024;
/// No service is obeyed longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// Goes out. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    tls: TlsConnector,
}

/// What a push service made of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It will deliver it.
    Taken,
    /// It knows no such browser any more.
    Gone,
    /// It may be asked again, not before this has passed if it said so.
    Later(Option<Duration>),
    /// It will never take this.
    Refused(StatusCode),
}

/// No answer came.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// Not in time.
    #[error("no answer in time")]
    Silent,
    /// Its name leads nowhere, or only into networks that are not gone to.
    #[error("its name leads to no address of the internet")]
    Nowhere,
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Connection(#[source] io::Error),
    /// What came was no HTTP.
    #[error("the connection failed: {0}")]
    Http(#[from] hyper::Error),
}

impl Client {
    /// Trusts the certificates that the system trusts, as the other links of this server do: an operator whose
    /// network has an authority of its own has told the system of it.
    pub fn new() -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            tls: TlsConnector::from(Arc::new(config)),
        }
    }

    /// Sends one call; its headers are those of `request`.
    ///
    /// # Errors
    /// No answer came within ten seconds.
    pub async fn send(
        &self,
        to: &Endpoint,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, NoAnswer> {
        let sent = tokio::time::timeout(ATTEMPT, self.attempt(to, request)).await;
        sent.unwrap_or(Err(NoAnswer::Silent))
    }

    async fn attempt(
        &self,
        to: &Endpoint,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Answer, NoAnswer> {
        let host = to.origin();
        let host = host.split_once("://").map_or("", |(_, host)| host);
        let host = host.parse().map_err(|_| NoAnswer::Nowhere)?;
        request.headers_mut().insert(HOST, host);
        *request.uri_mut() = to.path().parse().map_err(|_| NoAnswer::Nowhere)?;
        let plain = connect(to).await?;
        if !to.is_secure() {
            return ask(plain, request).await;
        }
        let name = ServerName::try_from(to.host().to_owned()).map_err(|_| NoAnswer::Nowhere)?;
        let secure = self.tls.connect(name, plain).await;
        ask(secure.map_err(NoAnswer::Connection)?, request).await
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

/// To an address that was looked at: what a name leads to is decided once, and gone to.
async fn connect(to: &Endpoint) -> Result<TcpStream, NoAnswer> {
    let host = to.host().trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((host, to.port())).await;
    let found: Vec<SocketAddr> = found
        .map_err(NoAnswer::Connection)?
        .filter(|it| to.may_lead_to(it.ip()))
        .take(MOST_ADDRESSES)
        .collect();
    let mut failed = NoAnswer::Nowhere;
    for address in found {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = NoAnswer::Connection(error),
        }
    }
    Err(failed)
}

async fn ask<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, NoAnswer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    let answered = sender.send_request(request);
    let mut connection = std::pin::pin!(connection);
    let mut answered = std::pin::pin!(answered);
    // The connection is driven here and ends here: no task outlives the call.
    let answer = tokio::select! {
        biased;
        answer = &mut answered => answer?,
        ended = &mut connection => {
            ended?;
            answered.await?
        }
    };
    Ok(understood(answer.status(), answer.headers()))
}

fn understood(status: StatusCode, headers: &HeaderMap) -> Answer {
    match status {
        _ if status.is_success() => Answer::Taken,
        StatusCode::NOT_FOUND | StatusCode::GONE => Answer::Gone,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Answer::Later(wait(headers)),
        _ if status.is_server_error() => Answer::Later(wait(headers)),
        _ => Answer::Refused(status),
    }
}

/// `Retry-After` in seconds, which is what push services say.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let said = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = said.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}
