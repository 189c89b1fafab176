//! `usher hold`, `usher confirm` and `usher release`: for people and scripts.

use clap::Args;
use usher_proto::v1::{self, inventory_client::InventoryClient};

use super::{
    client::ServerArgs,
    places::{HoldIdArg, PlacesArgs, money, parse_length_ms},
};
use crate::token::new_hold_id;

/// All of the places are held, or none.
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
    #[command(flatten)]
    server: ServerArgs,
}

/// Confirming again returns the first booking.
#[derive(Debug, Args)]
pub(super) struct Confirm {
    /// Show that the hold is in
    show: String,
    /// The hold's id
    hold: HoldIdArg,
    /// Whose hold it is
    #[arg(long)]
    buyer: String,
    /// Your order's reference
    #[arg(long)]
    order: String,
    /// Your payment's reference
    #[arg(long, default_value = "")]
    payment: String,
    /// Without any place, all of the hold; otherwise these, and the rest is released
    #[command(flatten)]
    places: PlacesArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Releasing again is a success. Releasing an id that was never held fences it against a late duplicate.
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

impl Hold {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let id = self.id.unwrap_or_else(|| HoldIdArg(new_hold_id()));
        let request = v1::HoldSeatsRequest {
            show_id: self.show,
            hold_id: id.bytes(),
            buyer_id: self.buyer,
            places: self.places.into_places(),
            ttl_ms: self.ttl,
            terms: None,
        };
        self.server.block_on(async |channel| {
            let answer = InventoryClient::new(channel).hold_seats(request).await?.into_inner();
            print_hold(&answer.hold.unwrap_or_default(), self.server.json)
        })
    }
}

impl Confirm {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let request = v1::ConfirmHoldRequest {
            show_id: self.show,
            hold_id: self.hold.bytes(),
            buyer_id: self.buyer,
            order_ref: self.order,
            payment_ref: self.payment,
            places: self.places.into_places(),
            accept_late: false,
        };
        self.server.block_on(async |channel| {
            let answer = InventoryClient::new(channel).confirm_hold(request).await?.into_inner();
            print_hold(&answer.hold.unwrap_or_default(), self.server.json)
        })
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
        self.server.block_on(async |channel| {
            let state = InventoryClient::new(channel).release_hold(request).await?.into_inner().state();
            if self.server.json {
                println!("{}", serde_json::json!({ "hold_id": self.hold.0.to_string(), "state": state_name(state) }));
            } else {
                println!("{} {}", self.hold.0, state_name(state));
            }
            Ok(())
        })
    }
}

/// `held`, `confirmed`, ...
fn state_name(state: v1::HoldState) -> String {
    state.as_str_name().trim_start_matches("HOLD_STATE_").to_lowercase()
}

fn print_hold(hold: &v1::Hold, json: bool) -> anyhow::Result<()> {
    let id = uuid::Uuid::from_slice(&hold.hold_id)?;
    let label = |seat: &v1::GrantedSeat| {
        let label = seat.label.clone().unwrap_or_default();
        format!("{}/{}/{}", label.section, label.row, label.seat)
    };
    if json {
        let seats: Vec<_> = hold.seats.iter().map(|seat| {
            serde_json::json!({ "seat": label(seat), "index": seat.seat_index, "category": seat.category, "price_minor": seat.price_minor })
        }).collect();
        let ga: Vec<_> = hold.ga.iter().map(|ga| {
            serde_json::json!({ "section": ga.section, "quantity": ga.quantity, "unit_price_minor": ga.unit_price_minor })
        }).collect();
        let order = hold.booking.as_ref().map(|booking| booking.order_ref.clone());
        println!(
            "{}",
            serde_json::json!({
                "hold_id": id.to_string(), "state": state_name(hold.state()), "buyer_id": hold.buyer_id, "seats": seats, "ga": ga,
                "total_minor": hold.total_minor, "currency": hold.currency, "expires_at_ms": hold.expires_at_ms, "order_ref": order,
            })
        );
        return Ok(());
    }
    println!("{id} {}", console::style(state_name(hold.state())).green());
    for seat in &hold.seats {
        println!("  {:<24} {:<16} {}", label(seat), seat.category, money(seat.price_minor, &hold.currency));
    }
    for ga in &hold.ga {
        let price = money(ga.unit_price_minor * u64::from(ga.quantity), &hold.currency);
        println!("  {:<24} {:<16} {price}", format!("{} x {}", ga.quantity, ga.section), ga.category);
    }
    println!("  {:<24} {:<16} {}", "total", "", money(hold.total_minor, &hold.currency));
    if hold.state() == v1::HoldState::Held {
        let show = &hold.show_id;
        println!("Sell it with: usher confirm {show} {id} --buyer {} --order ORDER", hold.buyer_id);
    }
    Ok(())
}
