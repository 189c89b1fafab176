//! `usher show channel`: seats that only those may take who bring a key.

use clap::{Args, Subcommand};
use usher_proto::v1;

use super::mark::SelectionArgs;
use crate::cli::{
    client::ServerArgs,
    print::print_report,
    when::{parse_when, utc},
};

/// What to do with channels.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Channel {
    /// Define a channel, or change when it opens to the public
    Set(Set),
    /// Put seats into a channel, or take them out of theirs
    Assign(Assign),
}

/// A key is a name, not a secret: the frontend decides who may use it.
#[derive(Debug, Args)]
pub(in crate::cli) struct Set {
    /// Show that the channel is of
    show: String,
    /// The channel's key, 1 to 64 bytes
    key: String,
    /// From when on its places are public: +10m, 2026-12-24T18:00:00Z, or milliseconds since 1970 [default: never]
    #[arg(long, value_name = "WHEN", value_parser = parse_when)]
    public_at: Option<u64>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Held and sold seats go there when they come back.
#[derive(Debug, Args)]
pub(in crate::cli) struct Assign {
    /// Show that the channel is of
    show: String,
    /// The channel's key
    #[arg(long, required_unless_present = "none")]
    key: Option<String>,
    /// Out of any channel
    #[arg(long, conflicts_with = "key")]
    none: bool,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl Channel {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Set(command) => command.run(),
            Self::Assign(command) => command.run(),
        }
    }
}

impl Set {
    fn run(self) -> anyhow::Result<()> {
        let (key, public_at_ms) = (self.key.clone(), self.public_at);
        let request = v1::SetChannelRequest { show_id: self.show, key, public_at_ms };
        self.server.block_on(async |inventory| {
            inventory.set_channel(request).await?;
            let key = &self.key;
            match (self.server.json(), self.public_at) {
                (true, at) => println!("{}", serde_json::json!({ "key": key, "public_at_ms": at })),
                (false, Some(at)) => println!("{key} opens to the public at {}", utc(at)),
                (false, None) => println!("{key} stays closed to the public"),
            }
            Ok(())
        })
    }
}

impl Assign {
    fn run(self) -> anyhow::Result<()> {
        let (key, selection) = (self.key.unwrap_or_default(), Some(self.selection.into_selection()));
        let request = v1::AssignChannelRequest { show_id: self.show, selection, key };
        self.server.block_on(async |inventory| {
            let answer = inventory.assign_channel(request).await?;
            print_report(&answer.report.unwrap_or_default(), "moved", self.server.json());
            Ok(())
        })
    }
}
