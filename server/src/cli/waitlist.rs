//! `usher waitlist`: wait for places to come back.

use anyhow::bail;
use clap::{Args, Subcommand};
use usher_proto::v1::{self, join_waitlist_response::Standing};

use super::{
    client::{ServerArgs, WrongUsage, of_new},
    places::HoldIdArg,
    print::{print_entry, print_hold, state_name},
    terms::WishArgs,
};
use crate::token::new_hold_id;

/// What to do with a waitlist.
#[derive(Debug, Subcommand)]
pub(super) enum Waitlist {
    /// Wait for places; an offer is a hold under the entry's id: ask `usher get`
    Join(Join),
    /// Wait no more, or decline the offer
    Leave(Leave),
}

/// A buyer has one entry or offer of a show at a time. The offer is for exactly what is wished.
#[derive(Debug, Args)]
pub(super) struct Join {
    /// Show to wait for
    show: String,
    /// Who waits
    #[arg(long)]
    buyer: String,
    #[command(flatten)]
    wish: WishArgs,
    /// 0 to 255: higher is served earlier, where the show's waitlist goes by priority
    #[arg(long, value_name = "N", default_value_t = 0)]
    priority: u8,
    /// Key of a channel that the offer may draw from; may stand several times
    #[arg(long = "channel", value_name = "KEY")]
    channels: Vec<String>,
    /// Id of the entry, a UUID; repeat a call with the same id if its answer was lost [default: a new one]
    #[arg(long, value_name = "UUID")]
    id: Option<HoldIdArg>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Leaving again is a success. Leaving under an id that never waited fences it against a late duplicate.
#[derive(Debug, Args)]
pub(super) struct Leave {
    /// Show that was waited for
    show: String,
    /// The entry's id
    entry: HoldIdArg,
    /// Who waits
    #[arg(long)]
    buyer: String,
    #[command(flatten)]
    server: ServerArgs,
}

impl Waitlist {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Join(command) => command.run(),
            Self::Leave(command) => command.run(),
        }
    }
}

impl Join {
    fn run(self) -> anyhow::Result<()> {
        let (id, wish) = (self.id.unwrap_or_else(|| HoldIdArg(new_hold_id())), self.wish.into_wish());
        if wish.quantity == 0 {
            bail!(WrongUsage("say how many with --quantity N".to_owned()));
        }
        let request = v1::JoinWaitlistRequest {
            show_id: self.show,
            hold_id: id.bytes(),
            buyer_id: self.buyer,
            wish: Some(wish),
            priority: self.priority.into(),
            channel_keys: self.channels,
        };
        self.server.block_on(async |inventory| {
            let show = request.show_id.clone();
            let answer = inventory.join_waitlist(request).await.map_err(|error| of_new(&show, id.0, error))?;
            match &answer.standing {
                Some(Standing::Waiting(entry)) => print_entry(entry, self.server.json()),
                Some(Standing::Hold(hold)) => print_hold(hold, self.server.json()),
                None => {}
            }
            Ok(())
        })
    }
}

impl Leave {
    fn run(self) -> anyhow::Result<()> {
        let (hold_id, buyer_id) = (self.entry.bytes(), self.buyer);
        let request = v1::LeaveWaitlistRequest { show_id: self.show, hold_id, buyer_id };
        self.server.block_on(async |inventory| {
            let answer = inventory.leave_waitlist(request).await?;
            let (id, state) = (self.entry.0, state_name(answer.state()));
            if self.server.json() {
                println!("{}", serde_json::json!({ "hold_id": id.to_string(), "state": state }));
            } else {
                println!("{id} {state}");
                if answer.state() == v1::HoldState::Fenced {
                    println!("  nobody waited under this id, and nobody can now");
                }
            }
            Ok(())
        })
    }
}
