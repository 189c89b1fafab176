//! `usher show schedule`, `open`, `pause`, `close`, `cancel`, `archive`: when a show is sold.

use anyhow::bail;
use clap::Args;
use usher_proto::v1;

use super::describe::{sale_text, show_json};
use crate::cli::{
    client::{ServerArgs, WrongUsage},
    places::money,
    when::parse_when,
};

/// By the server's clock. A pause goes on until the sale is opened by hand; a sale that is over does not open again.
#[derive(Debug, Args)]
pub(in crate::cli) struct Schedule {
    /// Show to schedule
    show: String,
    /// From when on places can be held: +10m, 2026-12-24T18:00:00Z, or milliseconds since 1970
    #[arg(long, value_name = "WHEN", value_parser = parse_when)]
    opens_at: u64,
    /// From when on they cannot, for good: a sale that has closed does not open again [default: never]
    #[arg(long, value_name = "WHEN", value_parser = parse_when)]
    closes_at: Option<u64>,
    #[command(flatten)]
    server: ServerArgs,
}

/// A show and a server.
#[derive(Debug, Args)]
pub(in crate::cli) struct Only {
    /// The show
    show: String,
    #[command(flatten)]
    server: ServerArgs,
}

/// What is held may still be confirmed. Pausing a paused sale again stops the clocks, or lets them go on.
#[derive(Debug, Args)]
pub(in crate::cli) struct Pause {
    /// Show to pause
    show: String,
    /// Deadlines of holds stand still from now on, until the sale goes on or is paused again without this
    #[arg(long)]
    stop_clocks: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Every hold ends, every booking is to be refunded: `usher holds SHOW --all` names them. It cannot be taken back.
#[derive(Debug, Args)]
pub(in crate::cli) struct Cancel {
    /// Show to cancel
    show: String,
    /// Only count what it would end
    #[arg(long)]
    dry_run: bool,
    /// Do it
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    server: ServerArgs,
}

impl Schedule {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (opens_at_ms, closes_at_ms) = (self.opens_at, self.closes_at);
        let request = v1::ScheduleSaleRequest { show_id: self.show, opens_at_ms, closes_at_ms };
        self.server.block_on(async |inventory| {
            let answer = inventory.schedule_sale(request).await?;
            let is_paused = answer.show.as_ref().is_some_and(|show| show.state() == v1::ShowState::Paused);
            print_show(answer.show, self.server.json());
            if is_paused && !self.server.json() {
                println!("  no time to open ends a pause: `usher show open` does");
            }
            Ok(())
        })
    }
}

impl Only {
    pub(super) fn open(self) -> anyhow::Result<()> {
        self.server.block_on(async |inventory| {
            let request = v1::OpenSaleRequest { show_id: self.show };
            print_show(inventory.open_sale(request).await?.show, self.server.json());
            Ok(())
        })
    }

    pub(super) fn close(self) -> anyhow::Result<()> {
        self.server.block_on(async |inventory| {
            let request = v1::CloseSaleRequest { show_id: self.show };
            print_show(inventory.close_sale(request).await?.show, self.server.json());
            Ok(())
        })
    }

    pub(super) fn archive(self) -> anyhow::Result<()> {
        self.server.block_on(async |inventory| {
            let request = v1::ArchiveShowRequest { show_id: self.show };
            print_show(inventory.archive_show(request).await?.show, self.server.json());
            Ok(())
        })
    }
}

impl Pause {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let request = v1::PauseSaleRequest { show_id: self.show, stop_clocks: self.stop_clocks };
        self.server.block_on(async |inventory| {
            print_show(inventory.pause_sale(request).await?.show, self.server.json());
            Ok(())
        })
    }
}

impl Cancel {
    pub(super) fn run(self) -> anyhow::Result<()> {
        self.server.block_on(async |inventory| {
            let dry_run = self.dry_run || !self.yes;
            let request = v1::CancelShowRequest { show_id: self.show.clone(), dry_run };
            let report = inventory.cancel_show(request).await?;
            let request = v1::GetShowRequest { show_id: self.show.clone() };
            let currency = inventory.get_show(request).await?.manifest.unwrap_or_default().currency;
            print_cancelled(&report, &currency, dry_run, self.server.json());
            if !self.dry_run && !self.yes {
                bail!(WrongUsage(
                    "nothing was done: it cannot be taken back. Add --yes to do it, or --dry-run to only count"
                        .to_owned()
                ));
            }
            Ok(())
        })
    }
}

fn print_cancelled(report: &v1::CancelShowResponse, currency: &str, dry_run: bool, json: bool) {
    if json {
        let value = serde_json::json!({
            "dry_run": dry_run, "holds": report.holds, "held_places": report.held_places,
            "bookings": report.bookings, "sold_places": report.sold_places,
            "refund_minor": report.refund_minor, "currency": currency, "waiting": report.waiting,
        });
        println!("{value}");
        return;
    }
    println!("{}:", if dry_run { "Cancelling it would end" } else { "Cancelled" });
    println!("  {:>9} holds with {} places", report.holds, report.held_places);
    println!("  {:>9} waiting entries", report.waiting);
    let refund = money(report.refund_minor, currency);
    println!("  {:>9} bookings with {} places to be refunded, {refund}", report.bookings, report.sold_places);
}

fn print_show(show: Option<v1::Show>, json: bool) {
    let show = show.unwrap_or_default();
    if json {
        println!("{}", show_json(&show));
    } else {
        println!("{}: {}", show.show_id, sale_text(&show));
    }
}
