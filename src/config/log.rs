//! `[log]`.

use super::LogFormat;

section! {
    /// What is written to stderr.
    Log = "log" {
        /// "auto" (pretty on a terminal, JSON otherwise), "pretty" or "json".
        format: LogFormat = "auto";
        /// A level or tracing filter, such as "info" or "miyu=debug".
        filter: String = "info";
    }
}
