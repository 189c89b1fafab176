//! Requests, briefly; and any command sent either alone or in a batch, with answers of one shape.

use prost::bytes::Bytes;
use usher_proto::v1::{self, command::Command, outcome::Outcome};

use super::{Clients, refusal::Refused};

/// Seats of a row in [`hall`].
const ROW_SEATS: u32 = 1_000;

/// A hold's id from a number that is not 0.
pub(crate) fn id(number: u128) -> Bytes {
    Bytes::copy_from_slice(&number.to_be_bytes())
}

/// Seats by their numbers.
pub(crate) fn seats(indexes: &[u32]) -> v1::Places {
    v1::Places { seat_indexes: indexes.to_vec(), ..v1::Places::default() }
}

/// A seat of [`hall`] by its label.
pub(crate) fn label(section: &str, row: &str, seat: &str) -> v1::SeatLabel {
    v1::SeatLabel { section: section.to_owned(), row: row.to_owned(), seat: seat.to_owned() }
}

/// Asks for places, for the show's default time.
pub(crate) fn hold(show_id: &str, hold_id: u128, buyer_id: &str, places: v1::Places) -> v1::HoldSeatsRequest {
    let (show_id, buyer_id) = (show_id.to_owned(), buyer_id.to_owned());
    v1::HoldSeatsRequest {
        show_id,
        hold_id: id(hold_id),
        buyer_id,
        places: Some(places),
        ..v1::HoldSeatsRequest::default()
    }
}

/// Asks for the same seat in each of these shows.
pub(crate) fn hold_group(group_id: u128, buyer_id: &str, shows: &[&str], seat: u32) -> v1::HoldGroupRequest {
    let member = |show_id: &&str| v1::GroupMember {
        show_id: (*show_id).to_owned(),
        what: Some(v1::group_member::What::Places(seats(&[seat]))),
        terms: None,
    };
    let members = shows.iter().map(member).collect();
    v1::HoldGroupRequest { group_id: id(group_id), buyer_id: buyer_id.to_owned(), members, ttl_ms: None }
}

/// Sells a group that one of its shows knows.
pub(crate) fn confirm_group(show_id: &str, group_id: u128, buyer_id: &str) -> v1::ConfirmGroupRequest {
    let (show_id, buyer_id, order_ref) = (show_id.to_owned(), buyer_id.to_owned(), "order".to_owned());
    v1::ConfirmGroupRequest { group_id: id(group_id), show_id, buyer_id, order_ref, payment_ref: String::new() }
}

/// Gives a group back.
pub(crate) fn release_group(show_id: &str, group_id: u128, buyer_id: &str) -> v1::ReleaseGroupRequest {
    let (show_id, buyer_id) = (show_id.to_owned(), buyer_id.to_owned());
    v1::ReleaseGroupRequest { group_id: id(group_id), show_id, buyer_id }
}

/// Sells all of a hold.
pub(crate) fn confirm(show_id: &str, hold_id: u128, buyer_id: &str, order_ref: &str) -> v1::ConfirmHoldRequest {
    v1::ConfirmHoldRequest {
        show_id: show_id.to_owned(),
        hold_id: id(hold_id),
        buyer_id: buyer_id.to_owned(),
        order_ref: order_ref.to_owned(),
        payment_ref: format!("paid-{order_ref}"),
        ..v1::ConfirmHoldRequest::default()
    }
}

/// Gives all of a hold back.
pub(crate) fn release(show_id: &str, hold_id: u128, buyer_id: &str) -> v1::ReleaseHoldRequest {
    let (show_id, buyer_id) = (show_id.to_owned(), buyer_id.to_owned());
    v1::ReleaseHoldRequest { show_id, hold_id: id(hold_id), buyer_id, places: None }
}

/// Asks for more time.
pub(crate) fn extend(show_id: &str, hold_id: u128, buyer_id: &str, ttl_ms: Option<u64>) -> v1::ExtendHoldRequest {
    let (show_id, buyer_id) = (show_id.to_owned(), buyer_id.to_owned());
    v1::ExtendHoldRequest { show_id, hold_id: id(hold_id), buyer_id, ttl_ms }
}

/// Asks for a hold.
pub(crate) fn get(show_id: &str, hold_id: u128) -> v1::GetHoldRequest {
    v1::GetHoldRequest { show_id: show_id.to_owned(), hold_id: id(hold_id) }
}

/// Asks for the best seats, for the show's default time.
pub(crate) fn best(show_id: &str, hold_id: u128, buyer_id: &str, quantity: u32) -> v1::HoldBestRequest {
    let wish = Some(v1::Wish { quantity, ..v1::Wish::default() });
    let (show_id, buyer_id) = (show_id.to_owned(), buyer_id.to_owned());
    v1::HoldBestRequest { show_id, hold_id: id(hold_id), buyer_id, wish, ..v1::HoldBestRequest::default() }
}

/// Sells places at once.
pub(crate) fn sell(
    show_id: &str,
    hold_id: u128,
    buyer_id: &str,
    order_ref: &str,
    places: v1::Places,
) -> v1::SellPlacesRequest {
    v1::SellPlacesRequest {
        show_id: show_id.to_owned(),
        hold_id: id(hold_id),
        buyer_id: buyer_id.to_owned(),
        order_ref: order_ref.to_owned(),
        places: Some(places),
        ..v1::SellPlacesRequest::default()
    }
}

/// Takes all of a sale back.
pub(crate) fn cancel(show_id: &str, hold_id: u128, buyer_id: &str) -> v1::CancelBookingRequest {
    let (show_id, buyer_id) = (show_id.to_owned(), buyer_id.to_owned());
    v1::CancelBookingRequest { show_id, hold_id: id(hold_id), buyer_id, places: None, return_to: None }
}

/// Gives a booking to another buyer.
pub(crate) fn transfer(show_id: &str, hold_id: u128, buyer_id: &str, to: &str) -> v1::TransferBookingRequest {
    let (show_id, buyer_id) = (show_id.to_owned(), buyer_id.to_owned());
    v1::TransferBookingRequest { show_id, hold_id: id(hold_id), buyer_id, to_buyer_id: to.to_owned() }
}

/// Gives a booking other places.
pub(crate) fn exchange(show_id: &str, hold_id: u128, buyer_id: &str, places: v1::Places) -> v1::ExchangeSeatsRequest {
    let (show_id, buyer_id) = (show_id.to_owned(), buyer_id.to_owned());
    v1::ExchangeSeatsRequest { show_id, hold_id: id(hold_id), buyer_id, places: Some(places), terms: None }
}

/// Waits for the best seats.
pub(crate) fn join(show_id: &str, hold_id: u128, buyer_id: &str, quantity: u32) -> v1::JoinWaitlistRequest {
    let wish = Some(v1::Wish { quantity, ..v1::Wish::default() });
    let (show_id, buyer_id) = (show_id.to_owned(), buyer_id.to_owned());
    v1::JoinWaitlistRequest { show_id, hold_id: id(hold_id), buyer_id, wish, ..v1::JoinWaitlistRequest::default() }
}

/// Keeps a hold.
pub(crate) fn pin(show_id: &str, hold_id: u128, buyer_id: &str) -> v1::PinHoldRequest {
    v1::PinHoldRequest { show_id: show_id.to_owned(), hold_id: id(hold_id), buyer_id: buyer_id.to_owned() }
}

/// Lets a hold go on.
pub(crate) fn unpin(show_id: &str, hold_id: u128, buyer_id: &str) -> v1::UnpinHoldRequest {
    v1::UnpinHoldRequest { show_id: show_id.to_owned(), hold_id: id(hold_id), buyer_id: buyer_id.to_owned() }
}

/// Waits no more.
pub(crate) fn leave(show_id: &str, hold_id: u128, buyer_id: &str) -> v1::LeaveWaitlistRequest {
    v1::LeaveWaitlistRequest { show_id: show_id.to_owned(), hold_id: id(hold_id), buyer_id: buyer_id.to_owned() }
}

/// Section `Stalls` with `seats` seats in rows `1`, `2`, ... of up to 1,000, each numbered from 1, and section `Floor`
/// with `ga` units if there are any. Default rules.
pub(crate) fn hall(show_id: &str, seats: u32, ga: u32) -> v1::CreateShowRequest {
    let category = "Gold".to_owned();
    let rows = (0..seats.div_ceil(ROW_SEATS)).map(|row| {
        let count = (seats - row * ROW_SEATS).min(ROW_SEATS);
        let names = Some(v1::seat_run::Names::Numbered(v1::NumberedSeats { first: 1, count, step: 1 }));
        let runs = vec![v1::SeatRun { category: category.clone(), names, ..v1::SeatRun::default() }];
        v1::Row { name: (row + 1).to_string(), runs, ..v1::Row::default() }
    });
    let stalls = v1::section::Kind::Reserved(v1::ReservedSection { rows: rows.collect() });
    let mut sections = vec![v1::Section { name: "Stalls".to_owned(), kind: Some(stalls) }];
    if ga > 0 {
        let floor = v1::GeneralAdmission { capacity: ga, category: category.clone() };
        let kind = Some(v1::section::Kind::GeneralAdmission(floor));
        sections.push(v1::Section { name: "Floor".to_owned(), kind });
    }
    let categories = vec![v1::Category { name: category, price_minor: 4_500 }];
    let (name, currency) = ("Hall".to_owned(), "EUR".to_owned());
    let manifest = v1::Manifest { name, currency, categories, sections, ..v1::Manifest::default() };
    v1::CreateShowRequest { show_id: show_id.to_owned(), manifest: Some(manifest), ..v1::CreateShowRequest::default() }
}

impl Clients {
    /// Sends one command as the unary call of its kind.
    pub(crate) async fn call(&mut self, command: Command) -> Result<Outcome, Refused> {
        // Behind the semicolon: requests that stand behind a pointer in a command.
        macro_rules! send {
            ($($kind:ident: $method:ident,)*; $($boxed:ident: $boxed_method:ident,)*) => {
                match command {
                    $(Command::$kind(request) => {
                        self.inventory.$method(request).await.map(|it| Outcome::$kind(it.into_inner()))
                    })*
                    $(Command::$boxed(request) => {
                        self.inventory.$boxed_method(*request).await.map(|it| Outcome::$boxed(it.into_inner()))
                    })*
                }
            };
        }
        let answered = send! {
            HoldSeats: hold_seats,
            ExtendHold: extend_hold,
            ReleaseHold: release_hold,
            ConfirmHold: confirm_hold,
            GetHold: get_hold,
            PinHold: pin_hold,
            UnpinHold: unpin_hold,
            CancelBooking: cancel_booking,
            TransferBooking: transfer_booking,
            LeaveWaitlist: leave_waitlist,
            ;
            HoldBest: hold_best,
            SellPlaces: sell_places,
            ExchangeSeats: exchange_seats,
            JoinWaitlist: join_waitlist,
        };
        answered.map_err(Refused::from)
    }

    /// Sends commands as one batch; as many outcomes as there were commands.
    pub(crate) async fn batch(
        &mut self,
        show_id: &str,
        commands: Vec<Command>,
    ) -> Result<Vec<Result<Outcome, Refused>>, Refused> {
        let count = commands.len();
        let commands = commands.into_iter().map(|command| v1::Command { command: Some(command) }).collect();
        let request = v1::ExecuteRequest { show_id: show_id.to_owned(), commands };
        let outcomes = self.inventory.execute(request).await.map_err(Refused::from)?.into_inner().outcomes;
        assert_eq!(outcomes.len(), count, "an outcome for each command");
        let answered = outcomes.into_iter().map(|outcome| match outcome.outcome.unwrap() {
            Outcome::Rejection(rejection) => Err(Refused::from(rejection)),
            answer => Ok(answer),
        });
        Ok(answered.collect())
    }

    /// The show's version at this instant. Asking for one more is refused with the present one, past every cache.
    pub(crate) async fn version(&mut self, show_id: &str) -> u64 {
        let map = v1::GetSeatMapRequest { show_id: show_id.to_owned(), min_version: u64::MAX };
        let refused = Refused::from(self.availability.get_seat_map(map).await.unwrap_err());
        assert_eq!(refused.reason, "VERSION_NOT_REACHED");
        refused.said("version").parse().unwrap()
    }

    /// The map at this instant.
    pub(crate) async fn seat_map(&mut self, show_id: &str) -> v1::GetSeatMapResponse {
        let min_version = self.version(show_id).await;
        let request = v1::GetSeatMapRequest { show_id: show_id.to_owned(), min_version };
        self.availability.get_seat_map(request).await.unwrap().into_inner()
    }
}
