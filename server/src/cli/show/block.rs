//! `usher show block`, `unblock`, `retire`, `schedule-release`: what the organiser withholds.

use clap::Args;
use usher_proto::v1;

use super::mark::{MarkArgs, SelectionArgs, parse_ga_blocked};
use crate::cli::{
    client::ServerArgs,
    print::print_report,
    when::{parse_when, utc},
};

/// What is held, sold or blocked otherwise is left alone and named.
#[derive(Debug, Args)]
pub(in crate::cli) struct Block {
    /// Show to withhold places of
    show: String,
    #[command(flatten)]
    selection: SelectionArgs,
    /// Units of a general-admission section that are blocked afterwards in this way and for this reason, not so many
    /// more; it never lowers their number. `--section` blocks all of it. May stand several times
    #[arg(long = "ga-blocked", value_name = "SECTION=UNITS", value_parser = parse_ga_blocked)]
    ga: Vec<v1::GaBlocked>,
    #[command(flatten)]
    mark: MarkArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// First to those who wait, then to the public. Up to 64 places are offered at once, more than that at the rate of the
/// show's returns_per_second_max.
#[derive(Debug, Args)]
pub(in crate::cli) struct Unblock {
    /// Show to offer places of
    show: String,
    #[command(flatten)]
    selection: SelectionArgs,
    /// Units of a general-admission section that stay blocked in this way and for this reason: 0 frees all of it, as
    /// `--section` does; it never raises their number. May stand several times
    #[arg(long = "ga-blocked", value_name = "SECTION=UNITS", value_parser = parse_ga_blocked)]
    ga: Vec<v1::GaBlocked>,
    #[command(flatten)]
    mark: MarkArgs,
    /// Only count, and tell how many wait
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Only seats that are available or blocked; it cannot be taken back.
#[derive(Debug, Args)]
pub(in crate::cli) struct Retire {
    /// Show to take seats out of
    show: String,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// What is blocked in this way then comes back; setting it again moves the time.
#[derive(Debug, Args)]
pub(in crate::cli) struct ScheduleRelease {
    /// Show to release places of
    show: String,
    #[command(flatten)]
    mark: MarkArgs,
    /// When: +10m, 2026-12-24T18:00:00Z, or milliseconds since 1970
    #[arg(long, value_name = "WHEN", value_parser = parse_when, required_unless_present = "forget")]
    at: Option<u64>,
    /// Forget the plan
    #[arg(long, conflicts_with = "at")]
    forget: bool,
    #[command(flatten)]
    server: ServerArgs,
}

impl Block {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (selection, mark) = (Some(self.selection.into_selection()), Some(self.mark.into_mark()));
        let request = v1::BlockPlacesRequest { show_id: self.show, selection, mark, ga: self.ga };
        self.server.block_on(async |inventory| {
            let answer = inventory.block_places(request).await?;
            print_report(&answer.report.unwrap_or_default(), "blocked", self.server.json());
            Ok(())
        })
    }
}

impl Unblock {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (selection, mark) = (Some(self.selection.into_selection()), Some(self.mark.into_mark()));
        let (ga, dry_run) = (self.ga, self.dry_run);
        let request = v1::UnblockPlacesRequest { show_id: self.show, selection, mark, ga, dry_run };
        self.server.block_on(async |inventory| {
            let answer = inventory.unblock_places(request).await?;
            let did = if dry_run { "would be unblocked" } else { "unblocked" };
            let report = answer.report.unwrap_or_default();
            print_report(&report, did, self.server.json());
            if dry_run && !self.server.json() && report.queued == 0 {
                match report.waiting {
                    0 => println!("  nobody waits"),
                    waiting => println!("  {waiting} wait; those whose wish it meets would be offered it at once"),
                }
            }
            Ok(())
        })
    }
}

impl Retire {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let selection = Some(self.selection.into_selection());
        let request = v1::RetireSeatsRequest { show_id: self.show, selection };
        self.server.block_on(async |inventory| {
            let answer = inventory.retire_seats(request).await?;
            print_report(&answer.report.unwrap_or_default(), "retired", self.server.json());
            Ok(())
        })
    }
}

impl ScheduleRelease {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let request =
            v1::ScheduleReleaseRequest { show_id: self.show, mark: Some(self.mark.into_mark()), at_ms: self.at };
        self.server.block_on(async |inventory| {
            inventory.schedule_release(request).await?;
            match (self.server.json(), self.at) {
                (true, at) => println!("{}", serde_json::json!({ "at_ms": at })),
                (false, Some(at)) => println!("they come back at {}", utc(at)),
                (false, None) => println!("they do not come back by themselves"),
            }
            Ok(())
        })
    }
}
