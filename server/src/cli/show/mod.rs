//! `usher show`: create, change, organise and look at shows. This file names the subcommands; lists and prints.

use clap::{Args, Subcommand};
use usher_client::Inventory;
use usher_engine::{ids::SeatIndex, inventory::manifest::Manifest};
use usher_proto::v1;

use super::{
    client::ServerArgs,
    format::{self, Column},
    log::thousands,
    output::print_error,
    print::{first_of, label_text},
};
use crate::{convert, plan::usher_json};

mod block;
mod change;
mod channel;
mod describe;
mod fragment;
mod import;
pub(super) mod mark;
mod policy;
mod sale;

use describe::{overview_json, print_overview, sale_text, show_json};

/// What to do with shows.
#[derive(Debug, Subcommand)]
pub(super) enum Show {
    /// Create a show from a seating plan (Usher's JSON or pretix seating-plan JSON)
    Import(Box<import::Import>),
    /// List shows
    List(List),
    /// Print a show: how many places are available, held, sold and blocked, and what is withheld from whom
    Get(Get),
    /// Print the JSON Schema of Usher's seating plans
    Schema,
    /// Set when the sale opens and closes
    Schedule(sale::Schedule),
    /// Open the sale now, or go on after a pause
    Open(sale::Only),
    /// Take no new holds for a while
    Pause(sale::Pause),
    /// End the sale for good
    Close(sale::Only),
    /// The show does not take place
    Cancel(sale::Cancel),
    /// Take nothing any more, only look up
    Archive(sale::Only),
    /// Print or change the rules
    Policy(Box<policy::Policy>),
    /// Change what is sold and for how much
    #[command(subcommand)]
    Change(change::Change),
    /// Withhold places: for the house, as killed, or for the time being
    Block(block::Block),
    /// Offer withheld places
    Unblock(block::Unblock),
    /// Take seats out of the show for good
    Retire(block::Retire),
    /// Unblock at a time
    ScheduleRelease(block::ScheduleRelease),
    /// Seats for those who bring a key
    #[command(subcommand)]
    Channel(channel::Channel),
}

/// In the order of their ids.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    server: ServerArgs,
}

/// Counts as of this instant.
#[derive(Debug, Args)]
pub(super) struct Get {
    /// Show to print
    show: String,
    /// Print its seating plan in Usher's JSON instead; seats that were retired are in it, and named on standard error
    #[arg(long)]
    plan: bool,
    /// Print every section, however many there are
    #[arg(long)]
    sections: bool,
    #[command(flatten)]
    server: ServerArgs,
}

impl Show {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Import(command) => command.run(),
            Self::List(command) => command.run(),
            Self::Get(command) => command.run(),
            Self::Schema => {
                println!("{:#}", usher_json::schema());
                Ok(())
            }
            Self::Schedule(command) => command.run(),
            Self::Open(command) => command.open(),
            Self::Pause(command) => command.run(),
            Self::Close(command) => command.close(),
            Self::Cancel(command) => command.run(),
            Self::Archive(command) => command.archive(),
            Self::Policy(command) => command.run(),
            Self::Change(command) => command.run(),
            Self::Block(command) => command.run(),
            Self::Unblock(command) => command.run(),
            Self::Retire(command) => command.run(),
            Self::ScheduleRelease(command) => command.run(),
            Self::Channel(command) => command.run(),
        }
    }
}

/// Shows in lines.
const COLUMNS: &[Column] = &[
    Column::Left("SHOW"),
    Column::Right("PLACES"),
    Column::Right("SHARD"),
    Column::Left("NAME"),
    Column::Left("SALE"),
];

impl List {
    fn run(self) -> anyhow::Result<()> {
        self.server.block_on(async |inventory| {
            let mut list = format::List::new(self.server.format(), COLUMNS);
            let mut page_token = String::new();
            loop {
                let page = inventory.list_shows(v1::ListShowsRequest { page_size: 1_000, page_token }).await?;
                page.shows.iter().for_each(|show| list.add(|| show_json(show), || row(show)));
                list.page();
                if page.next_page_token.is_empty() {
                    list.end("There are no shows. `usher show import SHOW PLAN` creates one.");
                    return Ok(());
                }
                page_token = page.next_page_token;
            }
        })
    }
}

fn row(show: &v1::Show) -> Vec<String> {
    let v1::Show { show_id, name, .. } = show.clone();
    vec![show_id, thousands(show.places.into()), show.shard.to_string(), name, sale_text(show)]
}

impl Get {
    fn run(self) -> anyhow::Result<()> {
        self.server.block_on(async |inventory| {
            if self.plan {
                let show_id = self.show;
                let answer = inventory.get_show(v1::GetShowRequest { show_id: show_id.clone() }).await?;
                let manifest = convert::manifest::manifest(answer.manifest);
                let manifest = manifest.map_err(crate::status::Refusal::into_status)?;
                println!("{}", serde_json::to_string_pretty(&usher_json::write(manifest.parts()))?);
                return note_retired(&inventory, show_id, &manifest).await;
            }
            let overview = inventory.get_show_overview(v1::GetShowOverviewRequest { show_id: self.show }).await?;
            if self.server.json() {
                println!("{}", overview_json(&overview));
            } else {
                print_overview(&overview, self.sections);
            }
            Ok(())
        })
    }
}

/// A plan has no word for retired seats, and without them others would seem to be side by side: they are named beside it.
async fn note_retired(inventory: &Inventory, show_id: String, manifest: &Manifest) -> anyhow::Result<()> {
    // A map may be older than what was done last.
    let request = v1::GetShowOverviewRequest { show_id: show_id.clone() };
    let min_version = inventory.get_show_overview(request).await?.version;
    let map = inventory.get_seat_map(v1::GetSeatMapRequest { show_id, min_version }).await?;
    let is_retired = |seat: &u32| map.retired.get(*seat as usize / 8).is_some_and(|byte| byte >> (seat % 8) & 1 == 1);
    let retired: Vec<u32> = (0..map.seats).filter(is_retired).collect();
    if !retired.is_empty() {
        let label = |seat: &u32| {
            let label = manifest.label(SeatIndex(*seat));
            let label = label.map(|own| v1::SeatLabel { section: own.section, row: own.row, seat: own.seat });
            label_text(label.as_ref())
        };
        let names = first_of(retired.iter().map(label), retired.len());
        print_error(format_args!("note: retired seats are in this plan ({}): {names}", retired.len()));
    }
    Ok(())
}
