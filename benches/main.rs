//! What the parts cost without sockets: `cargo bench`, or `cargo bench -- pool` for one of them.
//!
//! Every benchmark also checks what it did (each message stored once and in order, each pairing made
//! once). `cargo test --benches` runs each once, on little data, for those checks alone: it measures
//! nothing. What is reached end to end is measured by `examples/load`.

mod frames;
mod hub;
mod pool;
mod postgres;
mod rooms;
mod store;

use std::time::Duration;

use criterion::Criterion;

/// As the executable's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Only the checks: as criterion decides it.
fn short() -> bool {
    let given = |name: &str| std::env::args().any(|it| it == name);
    given("--test") || !given("--bench")
}

/// A size, or a smaller one for the checks alone.
fn sized(full: usize, for_checks: usize) -> usize {
    if short() { for_checks } else { full }
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .sample_size(20)
        .configure_from_args();
    frames::all(&mut criterion);
    hub::all(&mut criterion);
    pool::all(&mut criterion);
    store::all(&mut criterion);
    postgres::all(&mut criterion);
    criterion.final_summary();
}
