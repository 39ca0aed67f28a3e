//! The executable: arguments in, exit code out. Everything else is in the library.

use std::process::ExitCode;

use clap::Parser as _;
use miyu::cli::{self, Cli};

/// In the static archives: musl's own allocator has one lock, and what a socket's thread allocates the
/// store's thread frees, all the time. Elsewhere the system's costs no more than this (measured).
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(Cli::parse())
}
