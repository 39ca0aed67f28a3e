//! Room for thousands of descriptors. Shared with the relay.

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For how many descriptors the kernel's table is made.
const ROOM: u64 = 65_536;

/// Raises the limit as far as it goes; where that is refused, connecting will say so.
pub fn raise_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    let _ = setrlimit(Resource::Nofile, raised);
}

/// Has the kernel make its table of descriptors now, while there is one thread. With several, growing it
/// stops the program for many milliseconds each time.
pub fn make_room() {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(ROOM);
    if let Ok(last) = i32::try_from(limit.min(ROOM).saturating_sub(1)) {
        drop(fcntl_dupfd_cloexec(std::io::stderr(), last));
    }
}
