//! Logging and the names of metrics. Nothing here decides what is worth recording.

/// Gauge: open sockets, by `kind` (`matching`, `chat`).
pub const CONNECTIONS: &str = "miyu_connections";
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
/// Counter: pages read from the store, by `cause` (`hole`, `lagged`, `open`, `resync`).
pub const PAGES: &str = "miyu_pages_total";
/// Counter: errors told to clients, by `code`.
pub const ERRORS: &str = "miyu_errors_total";
/// Counter: tasks that panicked.
pub const PANICS: &str = "miyu_panics_total";
