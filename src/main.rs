//! The executable: arguments in, exit code out. Everything else is in the library.

use std::process::ExitCode;

use clap::Parser as _;
use miyu::cli::{self, Cli};

fn main() -> ExitCode {
    cli::run(Cli::parse())
}
