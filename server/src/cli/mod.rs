//! The command line: one file a subcommand. This one names them, dispatches, and turns errors into exit codes.

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory as _, Parser, Subcommand};

// First, for its macro.
#[macro_use]
mod output;

mod advice;
mod apart;
mod ask;
mod audit;
mod backup;
mod bench;
mod best;
mod booking;
mod call;
mod calm;
mod client;
mod config;
mod confirm;
mod credentials;
mod demo;
mod demo_server;
mod doctor;
mod format;
mod health;
mod hold;
mod holds;
mod key;
mod log;
mod manual;
mod matching;
mod owner;
mod places;
mod print;
mod reshard;
mod restore;
mod serve;
mod show;
mod snapshot;
mod terms;
mod top;
mod waitlist;
mod watch;
mod when;

/// Decides who gets which seat, and never sells one twice.
#[derive(Debug, Parser)]
#[command(name = "usher", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 it failed; 2 wrong usage (a flag is missing, the request is malformed); 3
refused by the rules (a seat is taken, a hold expired, ...).

Try it: `usher demo` runs a flash sale on this machine and keeps serving. Then, in another
terminal, `usher show list`, `usher hold demo-1 --seat <SECTION>/<ROW>/<SEAT> --buyer ada`.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the gRPC API from a data directory
    Serve(serve::Serve),
    /// Run a ten-second flash sale in a stadium against a server on this machine, then keep serving
    Demo(demo::Demo),
    /// Create, change, organise and look at shows
    #[command(subcommand)]
    Show(show::Show),
    /// Hold places that are named
    Hold(hold::Hold),
    /// Hold the best places that meet a wish
    Best(best::Best),
    /// Give a hold more time
    Extend(hold::Extend),
    /// Sell the places of a hold
    Confirm(confirm::Confirm),
    /// Give the places of a hold back
    Release(hold::Release),
    /// Keep a hold from expiring while the outcome of its payment is unknown
    Pin(confirm::Pin),
    /// Give a pinned hold its deadline back
    Unpin(confirm::Unpin),
    /// Sell places without a hold before it
    Sell(confirm::Sell),
    /// Cancel, transfer or exchange a booking
    #[command(subcommand)]
    Booking(booking::Booking),
    /// Wait for places to come back
    #[command(subcommand)]
    Waitlist(waitlist::Waitlist),
    /// Print one hold, booking or waiting entry
    Get(hold::Get),
    /// Show the seats of a show while they are sold
    Watch(watch::Watch),
    /// Show what a server does while it does it: shards, latencies, hot shows, refusals
    Top(top::Top),
    /// List the holds and bookings of a buyer, of an order or of a show
    Holds(holds::Holds),
    /// Call any method with JSON, found through server reflection; without a method, list them
    Call(call::Call),
    /// Measure a server under a flash sale
    Bench(bench::Bench),
    /// Take snapshots now, and trim the logs below the ones before
    Snapshot(snapshot::Snapshot),
    /// Read the log of a data directory: what is in it, what happened, is it sound
    #[command(subcommand)]
    Log(log::Log),
    /// Change the number of shards of a data directory, or put shows on other shards
    Reshard(reshard::Reshard),
    /// Back up data directories, also while a server runs on them
    #[command(subcommand)]
    Backup(backup::Backup),
    /// Make a data directory as it was at an LSN or a time, and say what that undoes
    Restore(restore::Restore),
    /// Look over a data directory, and say what is wrong and what to do
    Doctor(doctor::Doctor),
    /// Make, list, rotate and revoke API keys
    Key(key::Key),
    /// Export and verify the audit trail
    Audit(audit::Audit),
    /// Print, check and explain the settings of a server
    Config(config::Config),
    /// Ask a server whether it serves
    Health(health::Health),
    /// Print a script that completes commands in a shell
    Completions(manual::Completions),
    /// Print the manual page, or write all of them into a directory
    Man(manual::Man),
}

impl Cli {
    /// The command line of this process. Ends it where that is wrong, or asks for help.
    #[must_use]
    pub fn of_arguments() -> Self {
        Self::parse_from(without_help_of_help(std::env::args_os().collect()))
    }
}

/// `usher show help --help` asks for what `usher show help` prints: clap knows no help of its help.
fn without_help_of_help(arguments: Vec<OsString>) -> Vec<OsString> {
    let root = Cli::command();
    let mut command = &root;
    for (position, word) in arguments.iter().enumerate().skip(1) {
        if word == "help" && command.has_subcommands() {
            let (path, behind) = arguments.split_at(position + 1);
            let behind = behind.iter().filter(|word| *word != "--help" && *word != "-h");
            return path.iter().chain(behind).cloned().collect();
        }
        match word.to_str().and_then(|word| command.find_subcommand(word)) {
            Some(next) => command = next,
            None => break,
        }
    }
    arguments
}

/// Runs a command and says how it ended.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Serve(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Show(command) => command.run(),
        Command::Hold(command) => command.run(),
        Command::Best(command) => command.run(),
        Command::Extend(command) => command.run(),
        Command::Confirm(command) => command.run(),
        Command::Release(command) => command.run(),
        Command::Pin(command) => command.run(),
        Command::Unpin(command) => command.run(),
        Command::Sell(command) => command.run(),
        Command::Booking(command) => command.run(),
        Command::Waitlist(command) => command.run(),
        Command::Get(command) => command.run(),
        Command::Watch(command) => command.run(),
        Command::Top(command) => command.run(),
        Command::Holds(command) => command.run(),
        Command::Call(command) => command.run(),
        Command::Bench(command) => command.run(),
        Command::Snapshot(command) => command.run(),
        Command::Log(command) => command.run(),
        Command::Reshard(command) => command.run(),
        Command::Backup(command) => command.run(),
        Command::Restore(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Key(command) => command.run(),
        Command::Audit(command) => command.run(),
        Command::Config(command) => command.run(),
        Command::Health(command) => command.run(),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let label = console::style("error:").red().bold().for_stderr();
            output::print_error(format_args!("{label} {}", client::explain(&error)));
            ExitCode::from(client::exit_code(&error))
        }
    }
}
