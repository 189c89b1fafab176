//! `usher best`: the best places that meet a wish, chosen and held in one step.

use anyhow::bail;
use clap::Args;
use usher_proto::v1;

use super::{
    client::{ServerArgs, WrongUsage, advised, of_new},
    matching,
    places::{HoldIdArg, parse_length_ms},
    print::print_hold,
    terms::{TermsArgs, WishArgs, parse_ticket},
};
use crate::token::new_hold_id;

/// The answer says how the party sits: together, or split into which groups.
#[derive(Debug, Args)]
pub(super) struct Best {
    /// Show to hold places in
    show: String,
    /// Whom the places are for
    #[arg(long)]
    buyer: String,
    #[command(flatten)]
    wish: WishArgs,
    /// Tickets of one type, kept with the hold; may stand several times. Their sum is the quantity
    #[arg(long = "ticket", value_name = "TYPE=COUNT", value_parser = parse_ticket)]
    tickets: Vec<(String, u32)>,
    /// Id of the hold, a UUID; repeat a call with the same id if its answer was lost [default: a new one]
    #[arg(long, value_name = "UUID")]
    id: Option<HoldIdArg>,
    /// How long, 5s to 2h [default: the show's]
    #[arg(long, value_name = "LENGTH", value_parser = parse_length_ms)]
    ttl: Option<u64>,
    /// Another hold of the buyer, which ends in the same step: its places may be among the new ones
    #[arg(long, value_name = "UUID")]
    replaces: Option<HoldIdArg>,
    #[command(flatten)]
    terms: TermsArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl Best {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut wish = self.wish.into_wish();
        if wish.quantity == 0 {
            wish.quantity = self.tickets.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count));
        }
        if wish.quantity == 0 {
            bail!(WrongUsage(
                "say how many with --quantity N, or by type with --ticket adult=2 --ticket child=1".to_owned()
            ));
        }
        let show_id = self.show;
        let id = self.id.unwrap_or_else(|| HoldIdArg(new_hold_id()));
        let request = v1::HoldBestRequest {
            show_id: show_id.clone(),
            hold_id: id.bytes(),
            buyer_id: self.buyer,
            wish: Some(wish.clone()),
            tickets: self.tickets.into_iter().collect(),
            ttl_ms: self.ttl,
            terms: Some(self.terms.into_terms(self.replaces)),
        };
        self.server.block_on(async |inventory| {
            match inventory.hold_best(request).await {
                Ok(answer) => print_hold(&answer.hold.unwrap_or_default(), self.server.json()),
                Err(refusal) => {
                    return Err(match matching::advice(&refusal, &inventory, &show_id, &wish).await {
                        None => of_new(&show_id, id.0, refusal),
                        advice => advised(refusal, advice),
                    });
                }
            }
            Ok(())
        })
    }
}
