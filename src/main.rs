//! The executable: arguments in, exit code out. Everything else is in the library.

#![deny(clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro)]

use std::process::ExitCode;

use clap::Parser as _;
use miyu::boot::hardening;
use miyu::cli::{self, Cli};

/// What a socket's thread allocates the store's thread frees, and the other way round, all the time:
/// with the C library's own a message costs a sixth more, with musl's (which has one lock) much more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    hardening::close_memory();
    cli::run(Cli::parse())
}
