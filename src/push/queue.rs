//! Calls on their way: a bounded number of them, few at once, each for as long as it is worth anything.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::warn;

use super::client::{Answer, Client};
use super::payload;
use super::recipient::Recipient;
use super::vapid::SenderKey;
use crate::backoff::Backoff;
use crate::domain::Call;
use crate::tasks::Drain;
use crate::telemetry;

/// Calls that are not delivered yet, some 400 bytes each and what their subscription holds. One more is not made:
/// the person finds out when they look.
const MOST_CALLS: usize = 1_000;
/// Attempts under way at once; a call that waits for its next one is none.
const ATTEMPTS_AT_ONCE: usize = 8;
/// Attempts at one call.
const MOST_ATTEMPTS: u32 = 5;
/// Before the second attempt, and the longest between two that the service did not ask for.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// All calls to a browser have one topic: of those that it has not heard, the newest is delivered.
const TOPIC: &str = "miyu";

/// Makes calls. Cheap to clone.
#[derive(Clone)]
pub struct Caller(Arc<Sender>);

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The push service will deliver it.
    Taken,
    /// It knows that browser no more: its subscription is worth nothing.
    Gone,
    /// It was not taken, or not in time.
    Not,
}

struct Sender {
    drain: Drain,
    client: Client,
    key: SenderKey,
    contact: String,
    places: Arc<Semaphore>,
    attempts: Semaphore,
}

impl Caller {
    /// `contact` says where the people of a push service may write about this site.
    pub fn new(drain: Drain, client: Client, key: SenderKey, contact: String) -> Self {
        Self(Arc::new(Sender {
            drain,
            client,
            key,
            contact,
            places: Arc::new(Semaphore::new(MOST_CALLS)),
            attempts: Semaphore::new(ATTEMPTS_AT_ONCE),
        }))
    }

    /// Lets this call be made beside the others, ended by a shutdown: none waits for push services. False: there
    /// are too many, and it is not made.
    pub fn begin<F>(&self, call: impl FnOnce(Self) -> F) -> bool
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Ok(place) = Arc::clone(&self.0.places).try_acquire_owned() else {
            count("dropped");
            return false;
        };
        let (call, token) = (call(self.clone()), self.0.drain.token().clone());
        self.0.drain.spawn(async move {
            let _ = token.run_until_cancelled(call).await;
            drop(place);
        });
        true
    }

    /// Tries until the call is taken, refused, or worth nothing any more, which it is after `worth`.
    pub async fn deliver(&self, to: &Recipient, call: Call, worth: Duration) -> Delivered {
        let until = Instant::now() + worth;
        let (outcome, delivered) = self.0.deliver(to, call, until).await;
        count(outcome);
        delivered
    }
}

impl Sender {
    /// What is counted, and what became of it.
    async fn deliver(
        &self,
        to: &Recipient,
        call: Call,
        until: Instant,
    ) -> (&'static str, Delivered) {
        let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE).spread();
        for _ in 0..MOST_ATTEMPTS {
            let left = until.saturating_duration_since(Instant::now());
            let Some(request) = self.request(to, call, left).filter(|_| !left.is_zero()) else {
                break;
            };
            let attempt = self.attempts.acquire().await;
            let answer = self.client.send(&to.endpoint, request).await;
            drop(attempt);
            let wait = match answer {
                Ok(Answer::Taken) => return ("taken", Delivered::Taken),
                Ok(Answer::Gone) => return ("gone", Delivered::Gone),
                Ok(Answer::Refused(status)) => {
                    warn!(service = to.endpoint.host(), %status, "a push service refuses a call");
                    return ("refused", Delivered::Not);
                }
                Ok(Answer::Later(said)) => said,
                Err(_) => None,
            };
            let pause = pauses.next_pause();
            let pause = wait.map_or(pause, |wait| wait.max(pause));
            if pause >= until.saturating_duration_since(Instant::now()) {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        ("given_up", Delivered::Not)
    }

    /// Encrypted and signed anew for each attempt: neither may be used twice.
    fn request(&self, to: &Recipient, call: Call, left: Duration) -> Option<Request<Full<Bytes>>> {
        let body = payload::encrypt(call, &to.keys).ok()?;
        let now = std::time::SystemTime::now();
        let now = now.duration_since(std::time::UNIX_EPOCH).ok()?;
        let origin = to.endpoint.origin();
        let signed = self.key.authorization(&origin, &self.contact, now).ok()?;
        Request::post(to.endpoint.path())
            .header(AUTHORIZATION, signed)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("ttl", left.as_secs())
            .header("urgency", urgency(call))
            .header("topic", TOPIC)
            .body(Full::new(body.into()))
            .ok()
    }
}

/// A person who waits is woken; the rest can wait until the device is awake.
fn urgency(call: Call) -> &'static str {
    match call {
        Call::SomeoneCame => "high",
        Call::NewMessage => "normal",
        Call::PartnerLeft => "low",
    }
}

fn count(outcome: &'static str) {
    metrics::counter!(telemetry::PUSH_CALLS, "outcome" => outcome).increment(1);
}
