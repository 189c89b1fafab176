//! `usher show`: create, change, organise and look at shows. This file names the subcommands; lists and prints.

use clap::{Args, Subcommand};
use usher_engine::{ids::SeatIndex, inventory::manifest::Manifest};
use usher_proto::v1::{self, availability_client::AvailabilityClient, shows_client::ShowsClient};

use super::{
    client::ServerArgs,
    credentials::Connection,
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

/// Largest answer that is read: a whole manifest.
pub(super) const MANIFEST_BYTES_MAX: usize = 64 << 20;

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

impl List {
    fn run(self) -> anyhow::Result<()> {
        self.server.block_on(async |channel| {
            let mut client = ShowsClient::new(channel);
            let mut page_token = String::new();
            loop {
                let request = v1::ListShowsRequest { page_size: 1_000, page_token };
                let page = client.list_shows(request).await?.into_inner();
                for show in &page.shows {
                    if self.server.json {
                        println!("{}", show_json(show));
                    } else {
                        println!(
                            "{:<24} {:>9} places  shard {:<3} {}, {}",
                            show.show_id,
                            show.places,
                            show.shard,
                            show.name,
                            sale_text(show)
                        );
                    }
                }
                if page.next_page_token.is_empty() {
                    return Ok(());
                }
                page_token = page.next_page_token;
            }
        })
    }
}

impl Get {
    fn run(self) -> anyhow::Result<()> {
        self.server.block_on(async |channel| {
            let mut shows = ShowsClient::new(channel.clone()).max_decoding_message_size(MANIFEST_BYTES_MAX);
            if self.plan {
                let show = self.show;
                let answer = shows.get_show(v1::GetShowRequest { show_id: show.clone() }).await?.into_inner();
                let manifest = convert::manifest::manifest(answer.manifest);
                let manifest = manifest.map_err(crate::status::Refusal::into_status)?;
                println!("{}", serde_json::to_string_pretty(&usher_json::write(manifest.parts()))?);
                return note_retired(channel, show, &manifest).await;
            }
            let request = v1::GetShowOverviewRequest { show_id: self.show };
            let overview = shows.get_show_overview(request).await?.into_inner();
            if self.server.json {
                println!("{}", overview_json(&overview));
            } else {
                print_overview(&overview, self.sections);
            }
            Ok(())
        })
    }
}

/// A plan has no word for retired seats, and without them others would seem to be side by side: they are named beside it.
async fn note_retired(channel: Connection, show_id: String, manifest: &Manifest) -> anyhow::Result<()> {
    let mut maps = AvailabilityClient::new(channel.clone()).max_decoding_message_size(MANIFEST_BYTES_MAX);
    // A map may be older than what was done last.
    let request = v1::GetShowOverviewRequest { show_id: show_id.clone() };
    let min_version = ShowsClient::new(channel).get_show_overview(request).await?.into_inner().version;
    let map = maps.get_seat_map(v1::GetSeatMapRequest { show_id, min_version }).await?.into_inner();
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
