//! `[limits]`.

use std::time::Duration;

use super::value::Size;

section! {
    /// Every numeric bound. 0 means "none" for rates and counts of people only.
    Limits = "limits" {
        /// Largest frame a client may send.
        max_frame: u64 as Size = "64KiB";
        /// Appends of one connection that may wait for the store.
        in_flight: usize = 16;
        /// Frames a mailbox holds before its owner pages the store instead.
        mailbox: usize = 256;
        /// Chat actions a second and session. 0: none.
        messages_per_second: u32 = 5;
        /// Chat actions at once.
        message_burst: u32 = 20;
        /// Searches a minute and session. 0: none.
        matches_per_minute: u32 = 20;
        /// API requests a minute and session. 0: none.
        requests_per_minute: u32 = 120;
        /// How many times a session's rate one address (IPv6: one /64) may use.
        address_factor: u32 = 100;
        /// Open connections of one address (IPv6: one /64). 0: none.
        connections_per_address: usize = 1000;
        /// Open connections altogether. 0: what descriptors and three eighths of the memory allow.
        connections: usize = 0;
        /// Memory for what is in flight: answers and frames that clients have not taken, or not sent
        /// whole. One address may use an eighth of it. "0B": an eighth of the machine's memory, or of
        /// its control group's, and at least 64MiB.
        memory: u64 as Size = "0B";
        /// Searches of one session at the same time. 0: none.
        tickets_per_session: usize = 4;
        /// Entries of one room.
        room_entries: u64 = 20_000;
        /// Bytes of the texts of one room; what is recalled does not count any more.
        room_bytes: u64 as Size = "2MiB";
        /// Blocks one session keeps.
        blocks_per_session: usize = 200;
        /// Entries read from the store at once.
        page_entries: usize = 200;
        /// Bytes of such a page, as it is sent.
        page_bytes: u64 as Size = "256KiB";
        /// Frames in a row that cannot be understood before the socket is closed.
        bad_frames: u32 = 20;
        /// How long a socket may stay over its message rate before it is closed.
        flood: Duration = "30s";
        /// How long a client may take to send its request head.
        header_timeout: Duration = "10s";
        /// How long a write may wait for a client that takes nothing before the connection cannot
        /// keep up, and how far it may fall behind 2 KiB a second.
        write_timeout: Duration = "10s";
        /// How often a silent socket is asked whether it is there; twice this without a sign
        /// closes it.
        heartbeat: Duration = "25s";
    }
}
