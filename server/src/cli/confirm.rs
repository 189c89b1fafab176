//! `usher confirm`, `sell`, `pin`, `unpin`: how a hold becomes a sale.

use clap::Args;
use usher_client::{Error, Reason};
use usher_proto::v1;

use super::{
    client::{ServerArgs, advised, of_new},
    hold::print_deadline,
    places::{HoldIdArg, PlacesArgs},
    print::{print_hold, print_sold_before},
    terms::TermsArgs,
};
use crate::token::new_hold_id;

/// Confirming again returns the first booking, also with another order, other places or another id for the rest: what is
/// printed is the booking as it is.
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
    /// Keep the rest, if there is any, held under this new id, a UUID, until the same deadline
    #[arg(long, value_name = "UUID")]
    keep_rest_as: Option<HoldIdArg>,
    /// Also if the hold expired a moment ago and every place is still free
    #[arg(long)]
    accept_late: bool,
    /// Without any place, all of the hold; otherwise these, and the rest is released or kept
    #[command(flatten)]
    places: PlacesArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// For the box office; works before the sale opens, too. Selling again under the same id returns the first booking.
#[derive(Debug, Args)]
pub(super) struct Sell {
    /// Show to sell places of
    show: String,
    /// Whom the places are for
    #[arg(long)]
    buyer: String,
    /// Your order's reference
    #[arg(long)]
    order: String,
    /// Your payment's reference
    #[arg(long, default_value = "")]
    payment: String,
    #[command(flatten)]
    places: PlacesArgs,
    /// Id of the booking, a UUID; repeat a call with the same id if its answer was lost [default: a new one]
    #[arg(long, value_name = "UUID")]
    id: Option<HoldIdArg>,
    #[command(flatten)]
    terms: TermsArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// While the outcome of its payment is unknown. A pin ends by time too: nothing is held for ever.
#[derive(Debug, Args)]
pub(super) struct Pin {
    /// Show that the hold is in
    show: String,
    /// The hold's id
    hold: HoldIdArg,
    /// Whose hold it is
    #[arg(long)]
    buyer: String,
    #[command(flatten)]
    server: ServerArgs,
}

/// It has the deadline again that it had before, which may have passed.
#[derive(Debug, Args)]
pub(super) struct Unpin {
    #[command(flatten)]
    pin: Pin,
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
            accept_late: self.accept_late,
            keep_rest_as: self.keep_rest_as.map(HoldIdArg::bytes).unwrap_or_default(),
        };
        self.server.block_on(async |inventory| {
            let (order, payment) = (request.order_ref.clone(), request.payment_ref.clone());
            let answer = inventory.confirm_hold(request).await;
            let answer = answer.map_err(|refusal| late_advice(refusal, self.accept_late))?;
            let hold = answer.hold.unwrap_or_default();
            print_hold(&hold, self.server.json());
            print_sold_before(&hold, &order, &payment, self.server.json());
            Ok(())
        })
    }
}

/// What is left to do about a payment that landed too late.
fn late_advice(refusal: Error, accept_late: bool) -> anyhow::Error {
    let advice = match refusal.reason() {
        Some(Reason::HoldExpired) if accept_late => {
            "That is longer ago than the show's late_confirm_max (`usher show policy SHOW`): give the money back, or hold \
             the places again under a new id."
        }
        Some(Reason::PlacesTaken | Reason::CapacityReached) => {
            "The hold expired, and others have its places: give the money back, or hold other places under a new id."
        }
        _ => return refusal.into(),
    };
    advised(refusal, Some(advice.to_owned()))
}

impl Sell {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let id = self.id.unwrap_or_else(|| HoldIdArg(new_hold_id()));
        let request = v1::SellPlacesRequest {
            show_id: self.show,
            hold_id: id.bytes(),
            buyer_id: self.buyer,
            places: self.places.into_places(),
            order_ref: self.order,
            payment_ref: self.payment,
            terms: Some(self.terms.into_terms(None)),
        };
        self.server.block_on(async |inventory| {
            let (order, payment) = (request.order_ref.clone(), request.payment_ref.clone());
            let show = request.show_id.clone();
            let answer = inventory.sell_places(request).await.map_err(|error| of_new(&show, id.0, error))?;
            let hold = answer.hold.unwrap_or_default();
            print_hold(&hold, self.server.json());
            print_sold_before(&hold, &order, &payment, self.server.json());
            Ok(())
        })
    }
}

impl Pin {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (hold_id, buyer_id) = (self.hold.bytes(), self.buyer);
        let request = v1::PinHoldRequest { show_id: self.show, hold_id, buyer_id };
        self.server.block_on(async |inventory| {
            let answer = inventory.pin_hold(request).await?;
            print_deadline(self.hold, answer.expires_at_ms, answer.extendable_until_ms, self.server.json());
            Ok(())
        })
    }
}

impl Unpin {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Pin { show, hold, buyer, server } = self.pin;
        let request = v1::UnpinHoldRequest { show_id: show, hold_id: hold.bytes(), buyer_id: buyer };
        server.block_on(async |inventory| {
            let answer = inventory.unpin_hold(request).await?;
            print_deadline(hold, answer.expires_at_ms, answer.extendable_until_ms, server.json());
            Ok(())
        })
    }
}
