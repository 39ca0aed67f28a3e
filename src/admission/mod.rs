//! Bounds on people: rates by session and by network, and how many connections may be open.
//! Who the client is was decided in [`crate::http::request`]; how each is counted is in the files
//! beside this one.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::Limits;
use crate::domain::id::SessionId;

pub mod abuse;
pub mod bounds;
mod caller;
pub mod client;
mod connections;
mod counter_table;
pub mod door;
pub mod host;
pub mod memory_budget;
mod rates;
pub mod sanctions;
#[cfg(test)]
mod tests;

pub use caller::Caller;
use caller::Callers;
use connections::Connections;
pub use connections::{ConnectionGuard, ConnectionRefused, PermitSlot, Purpose};
pub use rates::Over;
use rates::{Ledger, Quota, Quotas, RateKind};

/// How often what is owed no more is forgotten; the timer is in [`crate::boot`].
pub const FORGET_EVERY: Duration = Duration::from_secs(15);

/// How many times the share of a network the next wider one has. A wider network holds 256 narrower
/// ones or more: it must not have as many shares, or a site that is given one has them all (a /48 is
/// 65,536 times a /64). Nor a single one, or one bad neighbour uses up the share of all. With 4, three
/// neighbours at their limit leave room for others, and a /48 has 16 times the share of a /64.
const GROWTH: u32 = 4;
/// Bytes come seldom from many people of a network at once, and all of them end on a disk: a network
/// has a tenth of the factor that it has for everything else.
const BYTE_FACTOR_PART: u32 = 10;
/// A page is some sixty files when a browser comes for the first time; requests of the API are few.
const FILES_PER_REQUEST: u32 = 8;
/// A class of pupils arrives within a minute and not again.
const NEWCOMERS_AT_ONCE: u32 = 5;
/// Signals at once, of a session and of a connection alike: two seconds' worth.
const SIGNAL_BURST: u32 = 2;
/// A report copies part of a room and is read by a person: it counts as so many requests.
const REQUESTS_PER_REPORT: u64 = 12;
/// A network's reports in an hour, and how many of them at once. Cookies cost nothing, so it is the network that
/// bounds what one person can lay before operators; a network of many people has so many to report seldom.
const REPORTS_PER_HOUR: u32 = 60;
const REPORTS_AT_ONCE: u32 = 20;
/// A search that is withdrawn sooner than this was no search: it is charged once more. Else a client that
/// looks at each partner on offer and goes on pays no more than people who wait.
const HASTY: Duration = Duration::from_secs(2);

/// What frames of a socket use up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCost {
    /// Chat actions.
    pub messages: u32,
    /// Frames that reach neither the store nor a log.
    pub signals: u32,
    /// Their bytes.
    pub bytes: u64,
}

/// Every rate and count of people.
pub struct RateLimits {
    callers: Callers,
    ledger: Ledger,
    connections: Arc<Connections>,
}

impl RateLimits {
    /// `descriptors` is how many connections the process can hold open (its descriptor limit less a
    /// reserve); it caps `limits.connections`, and stands in for 0.
    pub fn new(limits: &Limits, descriptors: usize) -> Self {
        let total = match limits.connections {
            0 => descriptors,
            n => n.min(descriptors),
        };
        Self {
            callers: Callers::new(),
            ledger: Ledger::new(quotas(limits), Instant::now()),
            connections: Arc::new(Connections::new(total, limits.connections_per_address)),
        }
    }

    /// What to count for. Made once for a socket; it stands for no address outside this process.
    pub fn caller(&self, session: Option<SessionId>, address: IpAddr) -> Caller {
        self.callers.caller(session, address)
    }

    /// Counts what came on a socket.
    ///
    /// # Errors
    /// It is too much for now; nothing was counted.
    pub fn frames(&self, caller: &Caller, frames: FrameCost, now: Instant) -> Result<(), Over> {
        self.ledger.take(caller, &frames.asks(), now)
    }

    /// Counts what came on a socket and cannot be put off, whether it is too much or not.
    pub fn charge_frames(&self, caller: &Caller, frames: FrameCost, now: Instant) {
        self.ledger.charge(caller, &frames.asks(), now);
    }

    /// Counts one `start_matching`; `Err` is `retry_after`.
    pub fn search(&self, caller: &Caller) -> Result<(), Duration> {
        self.take(caller, RateKind::Search)
    }

    /// A search that began then ends without a partner, because its client wants that.
    pub fn withdrawn(&self, caller: &Caller, began: Instant) {
        let now = Instant::now();
        if now.saturating_duration_since(began) < HASTY {
            self.ledger.charge(caller, &[(RateKind::Search, 1)], now);
        }
    }

    /// Counts one API request or handshake; `Err` is `retry_after`. Without a session only the
    /// networks count.
    pub fn requests(&self, session: Option<SessionId>, address: IpAddr) -> Result<(), Duration> {
        self.take(&self.caller(session, address), RateKind::Request)
    }

    /// Counts one report, also as so many requests; `Err` is `retry_after`.
    pub fn report(&self, session: Option<SessionId>, address: IpAddr) -> Result<(), Duration> {
        let caller = self.caller(session, address);
        let asks = [
            (RateKind::Request, REQUESTS_PER_REPORT),
            (RateKind::Report, 1),
        ];
        let taken = self.ledger.take(&caller, &asks, Instant::now());
        taken.map_err(|over| over.wait)
    }

    /// Counts one page or file; `Err` is `retry_after`.
    pub fn files(&self, address: IpAddr) -> Result<(), Duration> {
        self.take(&self.caller(None, address), RateKind::File)
    }

    /// Counts a session that is about to be made; `Err`: how long none is made for this network.
    pub fn newcomer(&self, caller: &Caller) -> Result<(), Duration> {
        self.take(caller, RateKind::Newcomer)
    }

    /// Counts as much as for a session that is made, whether it is too much or not.
    pub fn charge_newcomer(&self, address: IpAddr) {
        let caller = self.caller(None, address);
        let one = [(RateKind::Newcomer, 1)];
        self.ledger.charge(&caller, &one, Instant::now());
    }

    fn take(&self, caller: &Caller, kind: RateKind) -> Result<(), Duration> {
        let taken = self.ledger.take(caller, &[(kind, 1)], Instant::now());
        taken.map_err(|over| over.wait)
    }

    /// Counts a socket under its real client for as long as the guard lives. The connection that
    /// the request came on is counted already; its place is taken over, not taken twice.
    ///
    /// # Errors
    /// There is no place for this; the connection keeps the one that it has.
    pub fn connection(
        &self,
        slot: &PermitSlot,
        address: IpAddr,
        purpose: Purpose,
    ) -> Result<ConnectionGuard, ConnectionRefused> {
        slot.hand_over(&self.connections, address, purpose)
    }

    /// Counts the connection of a request under the request's client, until its next request. One
    /// that comes straight from its client counts under it already.
    ///
    /// # Errors
    /// There is no place for this.
    pub fn request_on(
        &self,
        slot: &PermitSlot,
        address: IpAddr,
        purpose: Purpose,
    ) -> Result<(), ConnectionRefused> {
        slot.admit(address, purpose)
    }

    /// Counts a fresh TCP connection. `None`: one of a trusted proxy, which belongs to many people.
    ///
    /// # Errors
    /// There is no place for it.
    pub fn accepted(&self, address: Option<IpAddr>) -> Result<ConnectionGuard, ConnectionRefused> {
        self.connections.enter(address)
    }

    /// Forgets who owes nothing.
    pub fn forget(&self) {
        self.ledger.forget(Instant::now());
    }

    /// Connections open now.
    pub fn open_connections(&self) -> usize {
        self.connections.open()
    }

    /// How many may be open.
    pub fn max_connections(&self) -> usize {
        self.connections.most()
    }
}

impl FrameCost {
    fn asks(&self) -> [(RateKind, u64); 3] {
        [
            (RateKind::Message, self.messages.into()),
            (RateKind::Signal, self.signals.into()),
            (RateKind::Byte, self.bytes),
        ]
    }
}

/// What the configuration allows of each kind, in the order of [`RateKind`].
fn quotas(limits: &Limits) -> [Quotas; 8] {
    let factor = limits.address_factor.max(1);
    let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
    let hour = 60 * minute;
    let each = |count: u32, period, burst: u32, factors| {
        spread(count.into(), period, burst.into(), factors)
    };
    let requests = limits.requests_per_minute;
    let signals = limits.signals_per_second;
    [
        each(
            limits.messages_per_second,
            second,
            limits.message_burst,
            shared(1, factor),
        ),
        spread(
            limits.message_bytes_per_second,
            second,
            limits.message_bytes_burst,
            shared(1, (factor / BYTE_FACTOR_PART).max(1)),
        ),
        each(
            signals,
            second,
            signals.saturating_mul(SIGNAL_BURST),
            shared(1, factor),
        ),
        each(
            limits.matches_per_minute,
            minute,
            limits.matches_per_minute,
            shared(1, factor),
        ),
        each(requests, minute, requests, shared(1, factor)),
        each(
            requests,
            minute,
            requests,
            shared(0, factor.saturating_mul(FILES_PER_REQUEST)),
        ),
        each(
            limits.sessions_per_minute,
            minute,
            limits.sessions_per_minute.saturating_mul(NEWCOMERS_AT_ONCE),
            shared(0, 1),
        ),
        // Reports are requests: where these have no bound, nor have they.
        each(
            REPORTS_PER_HOUR.saturating_mul(u32::from(requests > 0)),
            hour,
            REPORTS_AT_ONCE,
            shared(1, 1),
        ),
    ]
}

/// How many times one quota each level has: the session, then its networks. 0: not counted there.
fn shared(session: u32, narrowest: u32) -> [u64; caller::KEYS] {
    let mut factor = u64::from(narrowest);
    let mut factors = [session.into(); caller::KEYS];
    for network in &mut factors[1..] {
        *network = factor;
        factor *= u64::from(GROWTH);
    }
    factors
}

/// The quota of each level: so many times the count, and as many at once.
fn spread(count: u64, period: Duration, burst: u64, factors: [u64; caller::KEYS]) -> Quotas {
    factors.map(|factor| {
        Quota::new(
            count.saturating_mul(factor),
            period,
            burst.saturating_mul(factor),
        )
    })
}
