//! `usher hold`, `extend`, `release`, `get`: a hold's life but for its end in a sale.

use clap::Args;
use usher_proto::v1;

use super::{
    client::{ServerArgs, of_new},
    places::{HoldIdArg, PlacesArgs, parse_length_ms},
    print::{label_text, print_entry, print_hold, state_name},
    terms::TermsArgs,
    when::utc,
};
use crate::token::new_hold_id;

/// All of the places are held, or none. Seats that the buyer holds already move into the new hold.
#[derive(Debug, Args)]
pub(super) struct Hold {
    /// Show to hold places in
    show: String,
    /// Whom the places are for
    #[arg(long)]
    buyer: String,
    #[command(flatten)]
    places: PlacesArgs,
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

/// At most to the end of the hold's longest life; never shortens.
#[derive(Debug, Args)]
pub(super) struct Extend {
    /// Show that the hold is in
    show: String,
    /// The hold's id
    hold: HoldIdArg,
    /// Whose hold it is
    #[arg(long)]
    buyer: String,
    /// How long from now, 5s to 2h [default: the show's]
    #[arg(long, value_name = "LENGTH", value_parser = parse_length_ms)]
    ttl: Option<u64>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Releasing again is a success. Releasing an id that was never held fences it against a late duplicate. Units are counted
/// from the grant, so that it may be sent again: of 3 units `--ga Floor=1` leaves 2, and then `--ga Floor=2` leaves 1.
#[derive(Debug, Args)]
pub(super) struct Release {
    /// Show that the hold is in
    show: String,
    /// The hold's id
    hold: HoldIdArg,
    /// Whose hold it is
    #[arg(long)]
    buyer: String,
    /// Without any place, all of the hold
    #[command(flatten)]
    places: PlacesArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// In order with every command before it: it tells the fate of an id whose answer was lost.
#[derive(Debug, Args)]
pub(super) struct Get {
    /// Show that it is in
    show: String,
    /// Id of the hold, the booking or the waiting entry
    hold: HoldIdArg,
    #[command(flatten)]
    server: ServerArgs,
}

impl Hold {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let id = self.id.unwrap_or_else(|| HoldIdArg(new_hold_id()));
        let request = v1::HoldSeatsRequest {
            show_id: self.show,
            hold_id: id.bytes(),
            buyer_id: self.buyer,
            places: self.places.into_places(),
            ttl_ms: self.ttl,
            terms: Some(Box::new(self.terms.into_terms(self.replaces))),
        };
        self.server.block_on(async |inventory| {
            let show = request.show_id.clone();
            let answer = inventory.hold_seats(request).await.map_err(|error| of_new(&show, id.0, error))?;
            print_hold(&answer.hold.unwrap_or_default(), self.server.json());
            Ok(())
        })
    }
}

impl Extend {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (hold_id, buyer_id) = (self.hold.bytes(), self.buyer);
        let request = v1::ExtendHoldRequest { show_id: self.show, hold_id, buyer_id, ttl_ms: self.ttl };
        self.server.block_on(async |inventory| {
            let answer = inventory.extend_hold(request).await?;
            print_deadline(self.hold, answer.expires_at_ms, answer.extendable_until_ms, self.server.json());
            Ok(())
        })
    }
}

pub(super) fn print_deadline(hold: HoldIdArg, expires_at_ms: u64, extendable_until_ms: u64, json: bool) {
    if json {
        let id = hold.0.to_string();
        let value = serde_json::json!({
            "hold_id": id, "expires_at_ms": expires_at_ms, "extendable_until_ms": extendable_until_ms,
        });
        println!("{value}");
    } else {
        let (until, at_most) = (utc(expires_at_ms), utc(extendable_until_ms));
        // A pin lasts longer than extending can.
        let unpinned = if extendable_until_ms < expires_at_ms { "once it is unpinned, " } else { "" };
        println!("{} is good until {until}; {unpinned}it can be extended until {at_most}", hold.0);
    }
}

impl Release {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let request = v1::ReleaseHoldRequest {
            show_id: self.show,
            hold_id: self.hold.bytes(),
            buyer_id: self.buyer,
            places: self.places.into_places(),
        };
        self.server.block_on(async |inventory| {
            let answer = inventory.release_hold(request).await?;
            let state = state_name(answer.state());
            let orphans: Vec<String> = answer.orphans.iter().map(|seat| label_text(seat.label.as_ref())).collect();
            if self.server.json() {
                let id = self.hold.0.to_string();
                println!("{}", serde_json::json!({ "hold_id": id, "state": state, "orphans": orphans }));
            } else {
                println!("{} {state}", self.hold.0);
                if !orphans.is_empty() {
                    println!("  single seats came back: {}", orphans.join(", "));
                }
            }
            Ok(())
        })
    }
}

impl Get {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let request = v1::GetHoldRequest { show_id: self.show, hold_id: self.hold.bytes() };
        self.server.block_on(async |inventory| {
            let answer = inventory.get_hold(request).await?;
            match &answer.waiting {
                Some(entry) => print_entry(entry, self.server.json()),
                None => print_hold(&answer.hold.unwrap_or_default(), self.server.json()),
            }
            Ok(())
        })
    }
}
