//! `usher booking`: what is done to a booking after the sale.

use clap::{Args, Subcommand};
use usher_proto::v1;

use super::{
    client::ServerArgs,
    places::{HoldIdArg, PlacesArgs, money},
    print::{hold_json, print_hold},
    show::mark::{Kind, mark},
    terms::TermsArgs,
};

/// What to do with a booking. All of it may be sent again.
#[derive(Debug, Subcommand)]
pub(super) enum Booking {
    /// Take a sale back, all or some of it; the places go to whoever waits for them first
    Cancel(Cancel),
    /// Give a booking to another buyer: the same places, the same order
    Transfer(Transfer),
    /// Give a booking other places in one step
    Exchange(Exchange),
}

/// Without any place, all of the booking. Units are counted from the booking as it was confirmed, so that it may be sent
/// again: of 3 units `--ga Floor=1` leaves 2, and then `--ga Floor=2` leaves 1.
#[derive(Debug, Args)]
pub(super) struct Cancel {
    /// Show that the booking is in
    show: String,
    /// The booking's id
    booking: HoldIdArg,
    /// Whose booking it is
    #[arg(long)]
    buyer: String,
    #[command(flatten)]
    places: PlacesArgs,
    /// Withhold the places in this way instead of offering them; needs --reason
    #[arg(long, requires = "reason")]
    return_to: Option<Kind>,
    /// Why they are withheld, such as "camera"
    #[arg(long, requires = "return_to", value_name = "TAG")]
    reason: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

/// The new buyer's limits count.
#[derive(Debug, Args)]
pub(super) struct Transfer {
    /// Show that the booking is in
    show: String,
    /// The booking's id
    booking: HoldIdArg,
    /// Whose booking it is
    #[arg(long)]
    buyer: String,
    /// Whose it is to be
    #[arg(long, value_name = "BUYER")]
    to: String,
    #[command(flatten)]
    server: ServerArgs,
}

/// Name all places that the booking is to have; its own may be among them. The answer says what the exchange costs.
#[derive(Debug, Args)]
pub(super) struct Exchange {
    /// Show that the booking is in
    show: String,
    /// The booking's id
    booking: HoldIdArg,
    /// Whose booking it is
    #[arg(long)]
    buyer: String,
    #[command(flatten)]
    places: PlacesArgs,
    #[command(flatten)]
    terms: TermsArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl Booking {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Cancel(command) => command.run(),
            Self::Transfer(command) => command.run(),
            Self::Exchange(command) => command.run(),
        }
    }
}

impl Cancel {
    fn run(self) -> anyhow::Result<()> {
        let return_to = self.return_to.zip(self.reason).map(|(kind, reason)| mark(kind, reason));
        let request = v1::CancelBookingRequest {
            show_id: self.show,
            hold_id: self.booking.bytes(),
            buyer_id: self.buyer,
            places: self.places.into_places(),
            return_to,
        };
        self.server.block_on(async |inventory| {
            let answer = inventory.cancel_booking(request).await?;
            let hold = answer.hold.unwrap_or_default();
            if self.server.json() {
                let mut value = hold_json(&hold);
                value["refund_minor"] = answer.refund_minor.into();
                println!("{value}");
                return Ok(());
            }
            print_hold(&hold, false);
            match answer.refund_minor {
                0 => println!("  nothing more to refund"),
                refund => println!("  refund {}", money(refund, &hold.currency)),
            }
            Ok(())
        })
    }
}

impl Transfer {
    fn run(self) -> anyhow::Result<()> {
        let (hold_id, buyer_id) = (self.booking.bytes(), self.buyer);
        let request = v1::TransferBookingRequest { show_id: self.show, hold_id, buyer_id, to_buyer_id: self.to };
        self.server.block_on(async |inventory| {
            let answer = inventory.transfer_booking(request).await?;
            let hold = answer.hold.unwrap_or_default();
            print_hold(&hold, self.server.json());
            if !self.server.json() {
                println!("  it is {}'s now", hold.buyer_id);
            }
            Ok(())
        })
    }
}

/// What the buyer owes after an exchange, or gets back.
fn difference_text(difference: i64, currency: &str) -> String {
    let amount = money(difference.unsigned_abs(), currency);
    match difference {
        0 => format!("the exchange cost {amount}"),
        1.. => format!("the exchange cost {amount} more"),
        _ => format!("the exchange cost {amount} less: refund them"),
    }
}

impl Exchange {
    fn run(self) -> anyhow::Result<()> {
        let request = v1::ExchangeSeatsRequest {
            show_id: self.show,
            hold_id: self.booking.bytes(),
            buyer_id: self.buyer,
            places: self.places.into_places(),
            terms: Some(self.terms.into_terms(None)),
        };
        self.server.block_on(async |inventory| {
            let answer = inventory.exchange_seats(request).await?;
            let hold = answer.hold.unwrap_or_default();
            print_hold(&hold, self.server.json());
            if let (false, Some(difference)) = (self.server.json(), hold.difference_minor) {
                println!("  {}", difference_text(difference, &hold.currency));
            }
            Ok(())
        })
    }
}
