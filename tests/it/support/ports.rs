//! Ports for servers that are told where to listen.
//!
//! A port that the kernel picks (`bind` to port 0) is one it may give to the next connection that leaves
//! this machine as soon as it is closed again, and the tests open thousands. So these come from below the
//! range that Linux picks from (32768 and up, `net.ipv4.ip_local_port_range`), and from below the one that
//! the scripts use for their services.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 10_000;
const PAIRS: u16 = 5_000;

/// A port of 127.0.0.1 on which nothing listens, as little as on the next one (where a server serves its
/// operators). This process is given it once.
///
/// # Panics
/// When nothing is free in the whole range.
pub fn free_port() -> u16 {
    free_port_of(Ipv4Addr::LOCALHOST.into())
}

/// [`free_port`] of another address of this machine.
///
/// # Panics
/// When nothing is free in the whole range.
pub fn free_port_of(host: IpAddr) -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    // Two processes of tests begin at places of their own.
    let begin = std::process::id().wrapping_mul(97) % u32::from(PAIRS);
    for _ in 0..PAIRS {
        let given = u32::from(GIVEN.fetch_add(1, Ordering::Relaxed));
        let pair =
            u16::try_from((begin + given) % u32::from(PAIRS)).expect("it is less than 5,000");
        let port = FIRST + 2 * pair;
        let is_free = |port| TcpListener::bind(SocketAddr::new(host, port)).is_ok();
        if is_free(port) && is_free(port + 1) {
            return port;
        }
    }
    panic!("no free port of {host} from {FIRST} on");
}

/// [`free_port`] with its host.
pub fn free_address() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()))
}
