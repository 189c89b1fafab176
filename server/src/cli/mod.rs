//! The command line: one file a subcommand. This one names them, dispatches, and turns errors into exit codes.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod call;
mod client;
mod demo;
mod demo_server;
mod hold;
mod places;
mod serve;
mod show;

/// Decides who gets which seat, and never sells one twice.
#[derive(Debug, Parser)]
#[command(name = "usher", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 it failed; 2 wrong usage; 3 refused by the rules (a seat is taken, a hold expired, ...).

Try it: `usher demo` runs a flash sale on this machine and keeps serving. Then, in another terminal,
`usher show list`, `usher hold demo-1 --seat <SECTION>/<ROW>/<SEAT> --buyer ada`.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the gRPC API from a data directory
    Serve(serve::Serve),
    /// Run a ten-second flash sale in a stadium against a server on this machine, then keep serving
    Demo(demo::Demo),
    /// Import, list and look at shows
    #[command(subcommand)]
    Show(show::Show),
    /// Hold places for a buyer
    Hold(hold::Hold),
    /// Sell the places of a hold
    Confirm(hold::Confirm),
    /// Give the places of a hold back
    Release(hold::Release),
    /// Call any method with JSON, found through server reflection; without a method, list them
    Call(call::Call),
    /// Measure a server under a flash sale
    Bench(bench::Bench),
}

/// Runs a command and says how it ended.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Serve(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Show(command) => command.run(),
        Command::Hold(command) => command.run(),
        Command::Confirm(command) => command.run(),
        Command::Release(command) => command.run(),
        Command::Call(command) => command.run(),
        Command::Bench(command) => command.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let label = console::style("error:").red().bold().for_stderr();
            match error.downcast_ref::<tonic::Status>() {
                Some(status) => eprintln!("{label} {}", client::explain(status)),
                None => eprintln!("{label} {error:#}"),
            }
            ExitCode::from(client::exit_code(&error))
        }
    }
}
