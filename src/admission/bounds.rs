//! What one address, and all clients together, can make us hold, added up from every bound there is. The
//! rows are those of the table in docs/internals/bounds.md with bytes; a test compares them.

use super::host::HostMemory;
use crate::admission::memory_budget::FREE;
use crate::channel::mailbox;
use crate::config::Limits;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Most that one connection holds without a reservation, in bytes: the machine must have room for so
/// many of it as there may be connections. A test compares it with [`BOUNDS`].
pub const CONNECTION: u64 = 56 * KIB;

/// What such a bound is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// Each connection that speaks HTTP.
    Request,
    /// Each connection that is a socket.
    Socket,
    /// The process.
    Process,
}

/// One bound in bytes.
pub struct Bound {
    /// Its row in the table.
    pub what: &'static str,
    /// What it is counted by.
    pub per: Per,
    /// How much, in bytes.
    pub bytes: u64,
}

const fn bound(what: &'static str, per: Per, bytes: u64) -> Bound {
    Bound { what, per, bytes }
}

/// Every bound that is not reserved from the budget.
pub const BOUNDS: [Bound; 26] = [
    bound("request head", Per::Request, 16 * KIB),
    bound("an answer over HTTP, beside files", Per::Request, 32 * KIB),
    bound("a silent socket", Per::Socket, 5 * KIB),
    bound("frame from a client", Per::Socket, FREE as u64),
    bound("read and not looked at", Per::Socket, 8 * KIB),
    bound("jobs in flight of a connection", Per::Socket, 4 * KIB),
    bound("chat actions", Per::Socket, 8 * KIB),
    bound("mailbox", Per::Socket, mailbox::FREE as u64),
    bound("parked frames", Per::Socket, 16 * KIB),
    bound(
        "frames that a client does not take",
        Per::Socket,
        FREE as u64,
    ),
    bound(
        "all mailboxes together",
        Per::Process,
        mailbox::TOGETHER as u64,
    ),
    bound("writer's queue, readers' queue", Per::Process, 64 * MIB),
    bound(
        "rooms that SQLite's writer remembers",
        Per::Process,
        104 * MIB,
    ),
    bound(
        "sessions remembered to have met nobody",
        Per::Process,
        3 * MIB,
    ),
    bound("sessions remembered to be forgotten", Per::Process, 4 * MIB),
    bound("rows behind", Per::Process, 2 * MIB),
    bound(
        "what holds against people, and who has a notice to read",
        Per::Process,
        12 * MIB,
    ),
    bound(
        "networks whose budget is remembered",
        Per::Process,
        17 * MIB,
    ),
    bound("frames waiting for Redis", Per::Process, 32 * MIB),
    bound("lines of the log that wait for stderr", Per::Process, MIB),
    bound("clean-ups of connections that ended", Per::Process, 5 * MIB),
    bound(
        "departures owed to a store that does not answer",
        Per::Process,
        10 * MIB,
    ),
    bound("keys of the rates", Per::Process, 4 * MIB),
    bound("passwords that are compared", Per::Process, 38 * MIB),
    bound("tries to log in", Per::Process, 2 * MIB),
    bound("the program, SQLite's caches", Per::Process, 64 * MIB),
];

impl Bound {
    /// As the table has it.
    pub fn shown(&self) -> String {
        match self.per {
            Per::Request => format!("{} KiB a request", self.bytes / KIB),
            Per::Socket => format!("{} KiB a socket", self.bytes / KIB),
            Per::Process => format!("{} MiB", self.bytes / MIB),
        }
    }
}

/// The sum of what there is for each.
pub fn sum(per: Per) -> u64 {
    let bounds = BOUNDS.iter().filter(|bound| bound.per == per);
    bounds.map(|bound| bound.bytes).sum()
}

/// What can be held, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// For one address (IPv6: one /64).
    pub address: u64,
    /// For all clients together, with everything that the process holds for itself.
    pub everything: u64,
}

/// Adds up what can be held with these limits on a machine that also bounds the number of connections.
pub fn holdings(limits: &Limits, host: HostMemory) -> Holdings {
    let budget = host.budget(limits.memory);
    let connections = match limits.connections {
        0 => host.connections() as u64,
        set => set as u64,
    };
    let of_one = match limits.connections_per_address {
        0 => connections,
        set => connections.min(set as u64),
    };
    Holdings {
        address: of_one * CONNECTION
            + crate::admission::memory_budget::MemoryBudget::new(budget).share(),
        everything: connections * CONNECTION + budget + sum(Per::Process),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_holds_no_more_than_is_counted_for_it() {
        assert!(sum(Per::Request) <= CONNECTION, "{}", sum(Per::Request));
        assert!(sum(Per::Socket) <= CONNECTION, "{}", sum(Per::Socket));
    }

    #[test]
    fn everything_fits_into_the_memory_that_it_is_derived_from() {
        let limits = Limits::default();
        for gib in [1, 2, 4, 16] {
            let host = HostMemory {
                bytes: gib * 1024 * MIB,
                said_by: "test",
            };
            let all = holdings(&limits, host).everything;
            // Allocators round up and keep a little: a ninth is left for that.
            assert!(all <= host.bytes / 9 * 8, "{} MiB of {gib} GiB", all / MIB);
        }
    }
}
