//! `usher show`: create, change, organise and look at shows. This file names the subcommands; lists and prints.

use clap::{Args, Subcommand};
use usher_proto::v1::{self, shows_client::ShowsClient};

use super::client::ServerArgs;
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
    /// Print its seating plan in Usher's JSON instead
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
            let mut shows = ShowsClient::new(channel).max_decoding_message_size(MANIFEST_BYTES_MAX);
            if self.plan {
                let answer = shows.get_show(v1::GetShowRequest { show_id: self.show }).await?.into_inner();
                let manifest = convert::manifest::manifest(answer.manifest);
                let manifest = manifest.map_err(crate::status::Refusal::into_status)?;
                println!("{}", serde_json::to_string_pretty(&usher_json::write(manifest.parts()))?);
                return Ok(());
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
