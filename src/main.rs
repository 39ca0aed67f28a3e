//! The executable: arguments in, exit code out. Everything else is in the library.

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;
use miyu::cli::{self, Cli};

/// What is allocated by a socket's thread is freed by the store's, and the other way round, all the
/// time: the system's allocator spends a sixth of a message's processor time on that, and musl's more.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::run(Cli::parse())
}
