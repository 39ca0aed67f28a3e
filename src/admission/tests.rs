//! Rates and counts of people, through the one door that edges use.

use super::*;

fn limits(change: impl FnOnce(&mut Limits)) -> RateLimits {
    let mut limits = Limits::default();
    change(&mut limits);
    RateLimits::new(&limits, 1000)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

const ONE: FrameCost = FrameCost {
    messages: 1,
    signals: 0,
    bytes: 0,
};

#[test]
fn sessions_and_addresses_are_counted() {
    let limits = limits(|l| {
        l.matches_per_minute = 2;
        l.address_factor = 2;
    });
    let at = |text: &str| limits.caller(Some(SessionId::fresh()), ip(text));
    let me = at("2001:db8::1");
    assert!(limits.search(&me).is_ok());
    assert!(limits.search(&me).is_ok());
    let wait = limits.search(&me).unwrap_err();
    assert!(wait > Duration::from_secs(20) && wait <= Duration::from_secs(30));
    // What was refused was not charged: the household has two left.
    assert!(limits.search(&at("2001:db8::2")).is_ok());
    assert!(limits.search(&at("2001:db8::2")).is_ok());
    assert!(limits.search(&at("2001:db8::2")).is_err());
    assert!(limits.search(&at("192.0.2.1")).is_ok());
}

#[test]
fn each_wider_network_has_four_times_as_much() {
    let limits = limits(|l| {
        l.matches_per_minute = 1;
        l.address_factor = 2;
    });
    let taken = |addresses: &mut dyn Iterator<Item = String>| {
        addresses
            .filter(|text| {
                let caller = limits.caller(Some(SessionId::fresh()), ip(text));
                limits.search(&caller).is_ok()
            })
            .count()
    };
    let same = &mut (0..50).map(|n| format!("2001:db8:0:100::{n:x}"));
    assert_eq!(taken(same), 2, "a /64");
    let site = &mut (1..50).map(|n| format!("2001:db8:0:1{n:02x}::1"));
    assert_eq!(taken(site), 6, "eight in a /56");
    let all = &mut (2..200).map(|n| format!("2001:db8:0:{n:x}00::1"));
    assert_eq!(taken(all), 24, "32 in a /48");
    assert_eq!(taken(&mut (0..50).map(|n| format!("192.0.2.{n}"))), 8);
    assert_eq!(taken(&mut (0..50).map(|n| format!("192.0.{n}.1"))), 49);
}

#[test]
fn zero_means_no_limit() {
    let limits = limits(|l| {
        l.messages_per_second = 0;
        l.message_bytes_per_second = 0;
    });
    let me = limits.caller(Some(SessionId::fresh()), ip("192.0.2.1"));
    let frames = FrameCost {
        bytes: 1 << 30,
        ..ONE
    };
    let now = Instant::now();
    assert!((0..10_000).all(|_| limits.frames(&me, frames, now).is_ok()));
}

#[test]
fn bytes_are_counted_beside_messages() {
    let limits = limits(|l| l.messages_per_second = 0);
    let start = Instant::now();
    let me = limits.caller(Some(SessionId::fresh()), ip("192.0.2.1"));
    let frames = FrameCost { bytes: 8192, ..ONE };
    let taken = (0..100).filter(|_| limits.frames(&me, frames, start).is_ok());
    assert_eq!(taken.count(), 8, "64 KiB at once");
    let over = limits.frames(&me, frames, start).unwrap_err();
    assert!(over.own);
    assert_eq!(over.wait, Duration::from_secs(1));
    assert!(limits.frames(&me, frames, start + over.wait).is_ok());
    // A frame larger than all that may come at once waits for all of it, and is taken.
    let large = FrameCost {
        bytes: 1 << 20,
        ..ONE
    };
    assert!(limits.frames(&me, large, start + over.wait).is_err());
    assert!(
        limits
            .frames(&me, large, start + Duration::from_secs(60))
            .is_ok()
    );
}

#[test]
fn who_is_over_for_the_sake_of_neighbours_is_told_apart() {
    let limits = limits(|l| l.address_factor = 1);
    let now = Instant::now();
    let caller = || limits.caller(Some(SessionId::fresh()), ip("192.0.2.1"));
    let loud = caller();
    while limits.frames(&loud, ONE, now).is_ok() {}
    assert!(limits.frames(&loud, ONE, now).unwrap_err().own);
    assert!(!limits.frames(&caller(), ONE, now).unwrap_err().own);
}

#[test]
fn what_comes_from_a_watched_network_counts_eight_times_there_and_no_more_around_it() {
    let limits = limits(|l| {
        l.matches_per_minute = 16;
        l.message_burst = 16;
        l.address_factor = 1;
    });
    let session = || Some(SessionId::fresh());
    let near = |text: &str| {
        let caller = limits.caller(session(), ip(text));
        caller.watched(Some(sanctions::Watched::Near))
    };
    let searches = |caller: &Caller| (0..100).filter(|_| limits.search(caller).is_ok()).count();
    assert_eq!(searches(&near("192.0.2.1")), 2, "of sixteen");
    assert_eq!(searches(&near("192.0.2.1")), 0, "another browser there");
    // The /24 has paid for two: its 64 are for its other addresses.
    let others = (2..10).map(|n| limits.caller(session(), ip(&format!("192.0.2.{n}"))));
    assert_eq!(others.map(|it| searches(&it)).sum::<usize>(), 62);
    // Who writes there as others do is slowed, and does not flood.
    let (now, writer) = (Instant::now(), near("198.51.100.1"));
    let taken = (0..100).filter(|_| limits.frames(&writer, ONE, now).is_ok());
    assert_eq!(taken.count(), 2);
    assert!(!limits.frames(&writer, ONE, now).unwrap_err().own);
}

#[test]
fn a_hasty_search_costs_double() {
    let limits = limits(|l| l.matches_per_minute = 4);
    let me = limits.caller(Some(SessionId::fresh()), ip("192.0.2.1"));
    let now = Instant::now();
    assert!(limits.search(&me).is_ok());
    limits.withdrawn(&me, now);
    assert!(limits.search(&me).is_ok());
    let long_ago = now.checked_sub(Duration::from_secs(3)).unwrap();
    limits.withdrawn(&me, long_ago);
    assert!(limits.search(&me).is_ok());
    assert!(limits.search(&me).is_err());
}

/// The flood that made the limiter of before refuse all clients for 13 s.
#[test]
fn a_flood_of_networks_is_refused_and_strangers_elsewhere_are_not() {
    let limits = limits(|_| {});
    let bytes = limits.ledger.bytes();
    let known = limits.caller(Some(SessionId::fresh()), ip("198.51.100.7"));
    assert!(limits.search(&known).is_ok());
    let mut taken = 0;
    let began = Instant::now();
    for n in 0..300_000_u32 {
        // Spread over the /56s of one /48.
        let link = u128::from(n % 65_536) << 64;
        let address =
            std::net::Ipv6Addr::from_bits((0x2001_0db8_0001 << 80) | link | u128::from(n));
        let caller = limits.caller(Some(SessionId::fresh()), address.into());
        taken += u32::from(limits.search(&caller).is_ok());
    }
    let quota = 20 * 100 * 16;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few units in a short test"
    )]
    let refilled = (began.elapsed().as_secs_f64() * f64::from(quota) / 60.0) as u32;
    assert!((quota..=quota + refilled + 1).contains(&taken), "{taken}");
    assert_eq!(limits.ledger.bytes(), bytes, "memory is what it was");
    assert!(bytes <= 4 << 20, "{bytes}: more than the holdings say");
    for n in 0..1000 {
        let text = format!("2001:db8:{:x}:1::1", n + 2);
        let stranger = limits.caller(Some(SessionId::fresh()), ip(&text));
        assert!(limits.search(&stranger).is_ok(), "stranger {n}");
    }
    assert!(limits.search(&known).is_ok());
}

#[test]
fn sessions_are_made_at_a_rate() {
    let limits = limits(|l| l.sessions_per_minute = 2);
    let made = |text: &str| {
        (0..100)
            .filter(|_| limits.newcomer(&limits.caller(None, ip(text))).is_ok())
            .count()
    };
    assert_eq!(made("192.0.2.1"), 10);
    assert_eq!(made("192.0.2.2"), 10, "a neighbour");
    assert_eq!(made("198.51.100.1"), 10);
}

fn accepted(limits: &RateLimits, text: &str) -> Result<ConnectionGuard, ConnectionRefused> {
    limits.accepted(Some(ip(text)))
}

#[test]
fn connections_are_counted_by_address_and_altogether() {
    let limits = limits(|l| {
        l.connections_per_address = 2;
        l.connections = 3;
    });
    let first = accepted(&limits, "2001:db8::1").unwrap();
    let _second = accepted(&limits, "2001:db8::2").unwrap();
    assert_eq!(
        accepted(&limits, "2001:db8::1").err(),
        Some(ConnectionRefused::Address)
    );
    let _third = limits.accepted(None).unwrap();
    assert_eq!(limits.accepted(None).err(), Some(ConnectionRefused::Full));
    drop(first);
    assert!(accepted(&limits, "2001:db8::1").is_ok());
    assert_eq!(limits.open_connections(), 2);
}

#[test]
fn a_wider_network_has_a_share_of_all_places() {
    let limits = limits(|l| {
        l.connections_per_address = 100;
        l.connections = 800;
    });
    let mut held = Vec::new();
    let mut open = |texts: &mut dyn Iterator<Item = String>| {
        let before = held.len();
        held.extend(texts.filter_map(|text| accepted(&limits, &text).ok()));
        held.len() - before
    };
    // 400 and 1,600 would be their multiples; a quarter of 800 is less.
    let site = &mut (0..1000).map(|n| format!("2001:db8:0:{n:x}::1"));
    assert_eq!(open(site), 200, "a /48");
    assert_eq!(open(&mut (0..250).map(|n| format!("192.0.2.{n}"))), 200);
    assert_eq!(open(&mut (0..250).map(|_| "203.0.113.1".to_owned())), 100);
}

#[test]
fn the_last_tenth_is_kept() {
    let limits = limits(|l| l.connections = 100);
    let held: Vec<_> = (0..90).map(|_| limits.accepted(None).unwrap()).collect();
    assert!(held.iter().all(|guard| !guard.is_kept()));
    let home = ip("192.0.2.1");
    let late = || PermitSlot::holding(limits.accepted(None).unwrap());
    let slot = late();
    let other = limits.request_on(&slot, home, Purpose::Other);
    assert_eq!(other, Err(ConnectionRefused::Full));
    let other = limits.connection(&slot, home, Purpose::Other).err();
    assert_eq!(other, Some(ConnectionRefused::Full));
    let talking = limits.connection(&slot, home, Purpose::Kept).unwrap();
    assert_eq!(limits.open_connections(), 91);
    // A place of before is a place.
    drop(held);
    let slot = late();
    assert!(limits.connection(&slot, home, Purpose::Other).is_ok());
    drop(talking);
}

#[test]
fn a_network_has_a_tenth_of_its_share_of_the_last_places() {
    let limits = limits(|l| {
        l.connections = 1000;
        l.connections_per_address = 50;
    });
    let _held: Vec<_> = (0..900).map(|_| limits.accepted(None).unwrap()).collect();
    let flood: Vec<_> = (0..50)
        .filter_map(|_| accepted(&limits, "192.0.2.1").ok())
        .collect();
    assert_eq!(flood.len(), 5);
    assert!(accepted(&limits, "198.51.100.1").is_ok());
}

#[test]
fn a_proxys_connection_counts_under_its_latest_client() {
    let limits = limits(|l| l.connections_per_address = 1);
    let (here, there) = (ip("192.0.2.1"), ip("198.51.100.1"));
    let slot = || PermitSlot::holding(limits.accepted(None).unwrap());
    let (one, two) = (slot(), slot());
    let ask = |slot: &PermitSlot, address| limits.request_on(slot, address, Purpose::Other);
    assert_eq!(ask(&one, here), Ok(()));
    assert_eq!(ask(&one, here), Ok(()));
    assert_eq!(ask(&two, here), Err(ConnectionRefused::Address));
    assert_eq!(ask(&one, there), Ok(()));
    assert_eq!(ask(&two, here), Ok(()));
    drop((one, two));
    assert_eq!(limits.open_connections(), 0);
    assert_eq!(ask(&slot(), there), Ok(()));
}
