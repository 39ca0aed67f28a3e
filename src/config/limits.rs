//! `[limits]`.

use std::time::Duration;

use super::value::Size;

section! {
    /// Every numeric bound. 0 means "none" for rates and counts of people only.
    Limits = "limits" {
        /// Largest frame a client may send.
        max_frame: u64 as Size = "64KiB" from "32KiB" to "1MiB";
        /// Appends of one connection that may wait for the store.
        in_flight: usize = 16 from 1 to 256;
        /// Frames a mailbox holds before its owner pages the store instead.
        mailbox: usize = 256 from 8 to 65536;
        /// Chat actions a second and session. 0: none.
        messages_per_second: u32 = 5 to 1000000;
        /// Chat actions at once.
        message_burst: u32 = 20 from 1 to 1000000;
        /// Bytes a second and session of what it sends on its sockets. "0B": none. A network has a
        /// tenth of the factor that it has for other rates.
        message_bytes_per_second: u64 as Size = "8KiB" to "1TiB";
        /// Such bytes at once.
        message_bytes_burst: u64 as Size = "64KiB" from "8KiB" to "1TiB";
        /// Typing, reads, pings and other small signs a second and session; twice as many at once.
        /// 0: each connection alone is counted.
        signals_per_second: u32 = 20 to 1000000;
        /// Searches a minute and session; one that is withdrawn within two seconds counts twice.
        /// 0: none.
        matches_per_minute: u32 = 20 to 1000000;
        /// API requests and handshakes a minute and session. 0: none. Pages and files are counted
        /// by address, eight times as many.
        requests_per_minute: u32 = 120 to 1000000;
        /// How many times a session's rate one address (IPv6: one /64) may use. Each wider network
        /// (IPv4 /24; IPv6 /56, /48) may use four times as much as the narrower one.
        address_factor: u32 = 100 from 1 to 1000000;
        /// Browsers a minute and address (IPv6: one /64) that are given a session for the first
        /// time; five times as many at once. Wider networks: four times as many each. One that is
        /// forgotten counts as one more. 0: none.
        sessions_per_minute: u32 = 120 to 1000000;
        /// Open connections of one address (IPv6: one /64). Wider networks: four times as many each,
        /// and at most a quarter of all. 0: none.
        connections_per_address: usize = 1000;
        /// Open connections altogether. 0: what descriptors and three eighths of the memory allow.
        /// The last tenth is for people in open rooms.
        connections: usize = 0;
        /// Memory for what is in flight: answers and frames that clients have not taken, or not sent
        /// whole. One address may use an eighth of it. "0B": an eighth of the machine's memory, or of
        /// its control group's, and at least 64MiB.
        memory: u64 as Size = "0B" from "4MiB" to "1TiB" or "0B";
        /// Open sockets of one session. 0: none.
        sockets_per_session: usize = 32;
        /// Searches of one session at the same time. 0: none.
        tickets_per_session: usize = 4;
        /// Entries of one room.
        room_entries: u64 = 20_000 from 1 to 1000000;
        /// Bytes of the texts of one room; what is recalled does not count any more.
        room_bytes: u64 as Size = "2MiB" from "16KiB" to "1TiB";
        /// Blocks one session keeps.
        blocks_per_session: usize = 200 from 1 to 10000;
        /// Entries read from the store at once.
        page_entries: usize = 200 from 1 to 1000;
        /// Bytes of such a page, as it is sent.
        page_bytes: u64 as Size = "256KiB" from "16KiB" to "16MiB";
        /// Frames in a row that cannot be understood before the socket is closed.
        bad_frames: u32 = 20 from 1 to 1000000;
        /// How long a socket may stay over its message rate before it is closed.
        flood: Duration = "30s" from "100ms" to "1h";
        /// How long a client may take to send its request head.
        header_timeout: Duration = "10s" from "10ms" to "5m";
        /// How long a write may wait for a client that takes nothing before the connection cannot
        /// keep up, and how far it may fall behind 2 KiB a second.
        write_timeout: Duration = "10s" from "10ms" to "5m";
        /// How often a silent socket is asked whether it is there; twice this without a sign
        /// closes it.
        heartbeat: Duration = "25s" from "10ms" to "1h";
    }
}
