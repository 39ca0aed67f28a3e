//! `[chat]`.

use std::time::Duration;

use jiff::tz::TimeZone;

section! {
    /// What happens in a room.
    Chat = "chat" {
        /// How long the side of a client that lost its connection is kept.
        reconnect_grace: Duration = "5m" from "10ms" to "7days";
        /// How long each client of a new room has to come to it.
        arrival: Duration = "20s" from "10ms" to "1h";
        /// How long a room may be open before it closes by itself. Its people are told ahead: a tenth of
        /// this, at most ten minutes. "0s": as long as they like.
        longest: Duration = "24h" from "1s" to "365days" or "0s";
        /// How long an absence lasts before the partner is told.
        presence_settle: Duration = "2s";
        /// Zone of the times beside messages and of `site.hours`, by its IANA name.
        time_zone: TimeZone = "Asia/Taipei";
    }
}
