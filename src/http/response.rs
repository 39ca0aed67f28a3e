//! Answers and the headers that every one of them carries.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
    UPGRADE, VARY,
};
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::ResponseBody;
use super::request::Peer;
use crate::admission::ConnectionRefused;
use crate::admission::memory_budget::Exhausted;
use crate::http::problem::HttpProblem;
use crate::protocol::Replay;
use crate::telemetry;

/// Nothing may be loaded but our own files; no page may frame us; no string becomes markup, and none the address of a
/// script but that of the service worker (`assets/js/lib/worker.js` has the one policy there can be).
const POLICY_HEAD: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types worker; connect-src 'self'";

/// A slow client has lost its place by then.
const MEMORY_RETRY: Duration = Duration::from_secs(5);

/// Headers with the same value on every answer.
const ALWAYS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    ),
    ("x-frame-options", "DENY"),
];

/// A JSON answer that only this browser may keep, no cache on the way.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response<ResponseBody> {
    let body = serde_json::to_vec(value).expect("our types encode");
    with_type(status, "application/json", ResponseBody::new(body))
}

/// [`json`] of a page of a log: an object of `entries` and of `rest`, the text of its other members. It is encoded
/// while it is written.
pub fn json_page(entries: Replay, rest: &str) -> Response<ResponseBody> {
    with_type(
        StatusCode::OK,
        "application/json",
        ResponseBody::page(entries, rest),
    )
}

/// Counts a refusal. Its code is one of ours: nothing that a client says becomes a label.
pub fn count(problem: &HttpProblem) {
    metrics::counter!(telemetry::HTTP_REFUSED, "code" => problem.code).increment(1);
}

/// A refusal, counted.
pub fn problem(problem: &HttpProblem) -> Response<ResponseBody> {
    count(problem);
    let body = ResponseBody::new(problem.json());
    let mut answer = with_type(problem.status, "application/problem+json", body);
    if let Some(after) = problem.retry_after {
        // The header counts whole seconds: round up, so that obeying it is enough.
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        answer
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.status == StatusCode::UPGRADE_REQUIRED {
        // To what, must be said (RFC 9110, 15.5.22).
        let headers = answer.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    answer
}

/// 503: what would have to be held for this client has no room in `limits.memory`.
pub fn exhausted(why: Exhausted) -> HttpProblem {
    let detail = match why {
        Exhausted::Share => {
            "as much is held for clients of your network as may be; read what you asked for, or \
             close connections, and try again"
        }
        Exhausted::Total => "too much is held for slow clients; try again later",
    };
    HttpProblem {
        retry_after: Some(MEMORY_RETRY),
        ..HttpProblem::unavailable(detail)
    }
}

/// 503: there is no place for this connection, which ends with the answer.
pub fn no_place(refused: ConnectionRefused) -> Response<ResponseBody> {
    let mut answer = problem(&HttpProblem::no_place(refused));
    answer
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// 405 with the methods that would do.
pub fn method_not_allowed(allowed: &'static str) -> Response<ResponseBody> {
    let mut answer = problem(&HttpProblem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("this address answers {allowed} only"),
    ));
    let headers = answer.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// Plain text for operators.
pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<ResponseBody> {
    with_type(status, "text/plain; charset=utf-8", ResponseBody::new(body))
}

/// 308: the same thing is there.
pub fn moved(to: &str) -> Response<ResponseBody> {
    let mut answer = text(StatusCode::PERMANENT_REDIRECT, "");
    if let Ok(to) = HeaderValue::from_str(to) {
        answer.headers_mut().insert(LOCATION, to);
    }
    answer
}

/// An answer with a body of this type, not kept by anybody unless the caller says otherwise.
pub fn with_type(
    status: StatusCode,
    content_type: &'static str,
    body: ResponseBody,
) -> Response<ResponseBody> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    answer
}

/// Adds a name to `Vary` without losing those that are there.
pub fn vary(answer: &mut Response<ResponseBody>, name: &'static str) {
    answer
        .headers_mut()
        .append(VARY, HeaderValue::from_static(name));
}

/// What every answer to a request carries. `hsts`: the operator said that this site is https.
pub fn secure(answer: &mut Response<ResponseBody>, peer: &Peer, hsts: bool) {
    let headers = answer.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if is_trustworthy(peer) {
        headers.insert(
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        );
    }
    if let Ok(policy) = HeaderValue::from_str(&policy(peer)) {
        headers.insert(HeaderName::from_static("content-security-policy"), policy);
    }
    if hsts {
        headers.insert(
            HeaderName::from_static("strict-transport-security"),
            HeaderValue::from_static("max-age=31536000"),
        );
    }
}

/// Whether a browser counts the page's origin as trustworthy: https, or this machine's own names.
/// Elsewhere it ignores an opener policy and complains about it on every page.
fn is_trustworthy(peer: &Peer) -> bool {
    let host = peer.host.as_deref().unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
        _ => host,
    };
    let own = name == "localhost" || name.ends_with(".localhost");
    let ip = name.trim_start_matches('[').trim_end_matches(']').parse();
    peer.scheme_https || own || ip.is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Safari before 15.4 does not take `'self'` to include our own sockets, so they are named, when
/// the host is made of nothing but what a host is made of.
fn policy(peer: &Peer) -> String {
    let scheme = if peer.scheme_https { "wss" } else { "ws" };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    match peer.host.as_deref() {
        Some(host) if host.len() <= 255 && host.chars().all(plain) => {
            format!("{POLICY_HEAD} {scheme}://{host}")
        }
        _ => POLICY_HEAD.to_owned(),
    }
}
