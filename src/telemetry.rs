//! The names of all metrics; the log is in [`log`] and [`lines`]. Nothing here decides what is worth
//! recording.

mod causes;
pub mod lines;
pub mod log;

pub use self::causes::causes;

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Gauge: open sockets, by `kind` (`matching`, `chat`).
pub const CONNECTIONS: &str = "miyu_connections";
/// Gauge: open TCP connections, sockets included.
pub const TCP: &str = "miyu_tcp_connections";
/// Counter: TCP connections sent away, by `why` (`address`, `full`).
pub const REFUSED: &str = "miyu_refused_connections_total";
/// Gauge: bytes held for clients now, of `limits.memory`.
pub const MEMORY_USED: &str = "miyu_memory_in_flight_bytes";
/// Gauge: `limits.memory`, as it is in effect.
pub const MEMORY_LIMIT: &str = "miyu_memory_limit_bytes";
/// Counter: what was not begun for want of memory, by `why` (`share`: one network has its share,
/// `total`).
pub const MEMORY_REFUSED: &str = "miyu_memory_refused_total";
/// Counter: HTTP requests refused, handshakes included, by the problem's `code`.
pub const HTTP_REFUSED: &str = "miyu_http_refused_total";
/// Counter: calls by a push service, by `outcome`.
pub const PUSH_CALLS: &str = "miyu_push_calls_total";
/// Gauge: browsers with an open socket.
pub const ONLINE: &str = "miyu_online";
/// Gauge: people waiting for a partner.
pub const WAITING: &str = "miyu_waiting";
/// Gauge: open rooms.
pub const ROOMS: &str = "miyu_rooms";
/// Counter: messages stored.
pub const MESSAGES: &str = "miyu_messages_total";
/// Histogram: seconds from `start_matching` to `match_found`.
pub const TIME_TO_MATCH: &str = "miyu_time_to_match_seconds";
/// Histogram: seconds of one commit; recorded by the store.
pub const COMMIT_TIME: &str = "miyu_store_commit_seconds";
/// Histogram: entries of one commit; recorded by the store.
pub const BATCH_SIZE: &str = "miyu_store_batch_entries";
/// Gauge: bytes on the disk that the data needs.
pub const STORE_BYTES: &str = "miyu_store_bytes";
/// Gauge: `store.max_size`; 0: none.
pub const STORE_MAX: &str = "miyu_store_max_bytes";
/// Counter: searches and rooms refused because the data has nearly the size it may have.
pub const SITE_FULL: &str = "miyu_site_full_total";
/// Counter: reports taken, by `reason`.
pub const REPORTS: &str = "miyu_reports_total";
/// Gauge: sanctions that hold, those aside that concern no connection, by `on` (`session`, `network`).
pub const SANCTIONS: &str = "miyu_sanctions";
/// Counter: pages read from the store, by `cause` (`hole`, `lagged`, `open`, `resync`).
pub const PAGES: &str = "miyu_pages_total";
/// Counter: rooms whose members were told where the room stands, since frames may have been lost.
pub const POSITIONS: &str = "miyu_positions_told_total";
/// Counter: errors told to clients, by `code`.
pub const ERRORS: &str = "miyu_errors_total";
/// Counter: departures that the store did not take and that were too many to go on trying.
pub const DEPARTURES_DROPPED: &str = "miyu_departures_dropped_total";
/// Counter: tasks that panicked.
pub const PANICS: &str = "miyu_panics_total";
/// Gauge: 1 while a Redis server of the channel layer answers, else 0, by `server`.
pub const LINK_UP: &str = "miyu_redis_link_up";
/// Counter: times that the link to a Redis server broke, by `server`.
pub const LINK_BROKE: &str = "miyu_redis_link_broke_total";
/// Counter: frames between nodes, by `what` (`published`, `received`, `dropped`; `refused`: not
/// sealed by this site).
pub const LINK_FRAMES: &str = "miyu_redis_frames_total";
/// Counter: probes that did not come back in time.
pub const PROBES_MISSED: &str = "miyu_redis_canaries_missed_total";
/// Counter: rooms opened before Redis had confirmed that it listens for them.
pub const JOINS_LATE: &str = "miyu_redis_joins_late_total";

/// Counter: times that the machine's clock was set.
pub const CLOCK_STEPS: &str = "miyu_clock_steps_total";
/// Counter: log lines that could not be written.
pub const LOG_LOST: &str = "miyu_log_lines_lost_total";

/// How often histograms are folded; without it they grow.
pub const UPKEEP_EVERY: Duration = Duration::from_secs(5);

const MATCH_SECONDS: [f64; 9] = [0.01, 0.1, 1.0, 5.0, 10.0, 20.0, 60.0, 300.0, 1800.0];
const COMMIT_SECONDS: [f64; 10] = [
    0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1.0, 5.0,
];
const BATCH_ENTRIES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

static PROMETHEUS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Installs the recorder of metrics and describes them, once for the process. A caller of this
/// must also call [`upkeep`] every [`UPKEEP_EVERY`].
pub fn start_metrics() {
    PROMETHEUS.get_or_init(|| {
        let recorder = buckets(PrometheusBuilder::new());
        let handle = recorder
            .and_then(PrometheusBuilder::install_recorder)
            .ok()?;
        describe();
        Some(handle)
    });
}

/// What renders `/metrics`; `None` before [`start_metrics`].
pub fn prometheus() -> Option<&'static PrometheusHandle> {
    PROMETHEUS.get()?.as_ref()
}

/// Folds what histograms collected.
pub fn upkeep() {
    if let Some(handle) = prometheus() {
        handle.run_upkeep();
    }
}

type Built = Result<PrometheusBuilder, metrics_exporter_prometheus::BuildError>;

fn buckets(builder: PrometheusBuilder) -> Built {
    let full = |name: &str| Matcher::Full(name.to_owned());
    builder
        .set_buckets_for_metric(full(TIME_TO_MATCH), &MATCH_SECONDS)?
        .set_buckets_for_metric(full(COMMIT_TIME), &COMMIT_SECONDS)?
        .set_buckets_for_metric(full(BATCH_SIZE), &BATCH_ENTRIES)
}

fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_gauge!(CONNECTIONS, "Open sockets by kind");
    describe_gauge!(TCP, "Open TCP connections, sockets included");
    describe_counter!(REFUSED, "TCP connections sent away, by reason");
    describe_gauge!(MEMORY_USED, "Bytes held for clients");
    describe_gauge!(MEMORY_LIMIT, "Bytes that may be held for clients");
    describe_counter!(MEMORY_REFUSED, "What was not begun for want of memory");
    describe_counter!(HTTP_REFUSED, "HTTP requests refused, by code");
    describe_counter!(PUSH_CALLS, "Calls by a push service, by outcome");
    describe_gauge!(ONLINE, "Browsers with an open socket");
    describe_gauge!(WAITING, "People waiting for a partner");
    describe_gauge!(ROOMS, "Open rooms");
    describe_counter!(MESSAGES, "Messages stored");
    describe_histogram!(TIME_TO_MATCH, "Seconds from start_matching to match_found");
    describe_histogram!(COMMIT_TIME, "Seconds of one commit");
    describe_histogram!(BATCH_SIZE, "Entries of one commit");
    describe_gauge!(STORE_BYTES, "Bytes on the disk that the data needs");
    describe_gauge!(STORE_MAX, "store.max_size in bytes; 0 for none");
    describe_counter!(
        SITE_FULL,
        "Searches refused because of the size of the data"
    );
    describe_gauge!(SANCTIONS, "Sanctions that hold, by what they are on");
    describe_counter!(PAGES, "Pages read from the store, by cause");
    describe_counter!(
        POSITIONS,
        "Rooms whose members were told where the room stands"
    );
    describe_counter!(ERRORS, "Errors told to clients, by code");
    describe_gauge!(LINK_UP, "Whether a Redis server answers, by server");
    describe_counter!(LINK_BROKE, "Broken links to a Redis server");
    describe_counter!(LINK_FRAMES, "Frames between nodes, by what became of them");
    describe_counter!(PROBES_MISSED, "Probes that did not come back in time");
    describe_counter!(JOINS_LATE, "Rooms opened before Redis listened for them");
    describe_counter!(
        DEPARTURES_DROPPED,
        "Departures the store did not take, too many to go on trying"
    );
    describe_counter!(PANICS, "Tasks that panicked");
    describe_counter!(CLOCK_STEPS, "Times that the machine's clock was set");
    describe_counter!(LOG_LOST, "Log lines that could not be written");
}
