//! The `usher` binary: one process that decides who gets which seat, and the command line around it.

use std::process::ExitCode;

use usher_server::cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    usher_server::cli::run(Cli::of_arguments())
}
