//! Answers for the wire: holds with their places and prices, entries that wait, and the outcome of each command.

use usher_engine::{
    command::{Adjacency, TicketCount, Wish},
    ids::{HoldId, SeatIndex, SectionIndex},
    inventory::{
        Answer, Booking, HoldDetails, HoldState, HoldView, Prices, WaitView,
        manifest::{CategoryIndex, Manifest},
    },
    shard::Outcome as Decided,
};
use usher_proto::v1::{self, command::Command as Wire, outcome::Outcome};

use super::placement::placement;
use crate::status::Refusal;

/// What a shard said to a command, as one outcome of a batch.
#[must_use]
pub fn decided(asked: &Wire, decided: Decided, show_id: &str, manifest: &Manifest) -> Outcome {
    match decided {
        Ok(answer) => outcome(asked, answer, show_id, manifest),
        Err(no) => Outcome::Rejection(Refusal::rejected(&no, manifest).into_rejection()),
    }
}

/// What became of a command, as one outcome of a batch. `asked` says what the answer is called.
#[must_use]
pub fn outcome(asked: &Wire, answer: Answer, show_id: &str, manifest: &Manifest) -> Outcome {
    let some = |view: Box<HoldView>| Some(hold(*view, show_id, manifest));
    match (asked, answer) {
        (Wire::HoldSeats(_), Answer::Held(view)) => Outcome::HoldSeats(v1::HoldSeatsResponse { hold: some(view) }),
        (Wire::HoldBest(_), Answer::Held(view)) => Outcome::HoldBest(v1::HoldBestResponse { hold: some(view) }),
        (Wire::ConfirmHold(_), Answer::Confirmed(view)) => {
            Outcome::ConfirmHold(v1::ConfirmHoldResponse { hold: some(view) })
        }
        (Wire::SellPlaces(_), Answer::Confirmed(view)) => {
            Outcome::SellPlaces(v1::SellPlacesResponse { hold: some(view) })
        }
        (Wire::GetHold(_), Answer::Found(view)) => {
            Outcome::GetHold(v1::GetHoldResponse { hold: some(view), waiting: None })
        }
        (Wire::GetHold(_), Answer::Waiting(entry)) => {
            let hold = Some(waiting_hold(&entry, show_id, manifest));
            Outcome::GetHold(v1::GetHoldResponse { hold, waiting: Some(Box::new(waitlist_entry(*entry, manifest))) })
        }
        (Wire::CancelBooking(_), Answer::Booking(view)) => {
            let refund_minor = view.more.as_ref().and_then(|more| more.refund_minor).unwrap_or(0);
            Outcome::CancelBooking(v1::CancelBookingResponse { hold: some(view), refund_minor })
        }
        (Wire::TransferBooking(_), Answer::Booking(view)) => {
            Outcome::TransferBooking(v1::TransferBookingResponse { hold: some(view) })
        }
        (Wire::ExchangeSeats(_), Answer::Booking(view)) => {
            Outcome::ExchangeSeats(v1::ExchangeSeatsResponse { hold: some(view) })
        }
        (asked, answer) => short_outcome(asked, answer, show_id, manifest),
    }
}

/// The outcomes that are no hold.
fn short_outcome(asked: &Wire, answer: Answer, show_id: &str, manifest: &Manifest) -> Outcome {
    use v1::join_waitlist_response::Standing;
    match (asked, answer) {
        (Wire::ReleaseHold(_), Answer::Released { state, orphans }) => {
            let orphans = orphans.into_iter().filter_map(|orphan| seat(orphan, manifest)).collect();
            Outcome::ReleaseHold(v1::ReleaseHoldResponse { state: hold_state(state).into(), orphans })
        }
        (Wire::LeaveWaitlist(_), Answer::Released { state, .. }) => {
            Outcome::LeaveWaitlist(v1::LeaveWaitlistResponse { state: hold_state(state).into() })
        }
        (Wire::JoinWaitlist(_), Answer::Waiting(entry)) => {
            let standing = Some(Standing::Waiting(waitlist_entry(*entry, manifest)));
            Outcome::JoinWaitlist(v1::JoinWaitlistResponse { standing })
        }
        (Wire::JoinWaitlist(_), Answer::Found(view)) => {
            let standing = Some(Standing::Hold(hold(*view, show_id, manifest).into()));
            Outcome::JoinWaitlist(v1::JoinWaitlistResponse { standing })
        }
        (asked, Answer::Extended { expires_at, extendable_until }) => {
            let (expires_at_ms, extendable_until_ms) = (expires_at.0, extendable_until.0);
            match asked {
                Wire::PinHold(_) => Outcome::PinHold(v1::PinHoldResponse { expires_at_ms, extendable_until_ms }),
                Wire::UnpinHold(_) => Outcome::UnpinHold(v1::UnpinHoldResponse { expires_at_ms, extendable_until_ms }),
                _ => Outcome::ExtendHold(v1::ExtendHoldResponse { expires_at_ms, extendable_until_ms }),
            }
        }
        _ => Outcome::Rejection(Refusal::internal("an answer of another kind than the command").into_rejection()),
    }
}

/// A hold with its places, at the prices that it keeps.
#[must_use]
pub fn hold(view: HoldView, show_id: &str, manifest: &Manifest) -> v1::Hold {
    let details = view.more.map_or_else(HoldDetails::default, |more| *more);
    let HoldDetails { placement: chosen, tickets, prices, orphans, override_reason, group, .. } = details;
    v1::Hold {
        show_id: show_id.to_owned(),
        hold_id: bytes(view.hold_id),
        buyer_id: view.buyer.to_string(),
        state: hold_state(view.state).into(),
        seats: view.places.seats().filter_map(|seat| granted_seat(seat, &prices, manifest)).collect(),
        ga: view.places.ga().filter_map(|(section, units)| granted_ga(section, units, &prices, manifest)).collect(),
        total_minor: view.total_minor,
        currency: manifest.parts().currency.clone(),
        granted_at_ms: view.granted_at.0,
        expires_at_ms: view.expires_at.0,
        extendable_until_ms: view.extendable_until.0,
        booking: view.booking.map(booking),
        placement: chosen.map(|chosen| Box::new(placement(chosen, &view.places, manifest))),
        tickets: tickets.into_iter().map(ticket_count).collect(),
        orphans: orphans.into_iter().filter_map(|orphan| seat(orphan, manifest)).collect(),
        is_offer: details.is_offer,
        is_pinned: details.is_pinned,
        group_show_ids: group.map_or_else(Vec::new, |group| group.shows.iter().map(ToString::to_string).collect()),
        refund_due: details.refund_due,
        difference_minor: details.difference_minor,
        refunded_minor: details.refunded_minor,
        override_reason: override_reason.map_or_else(String::new, |reason| reason.as_str().to_owned()),
    }
}

/// A hold that has no places yet.
fn waiting_hold(entry: &WaitView, show_id: &str, manifest: &Manifest) -> v1::Hold {
    v1::Hold {
        show_id: show_id.to_owned(),
        hold_id: bytes(entry.hold_id),
        buyer_id: entry.buyer.to_string(),
        state: v1::HoldState::Waiting.into(),
        currency: manifest.parts().currency.clone(),
        ..v1::Hold::default()
    }
}

fn bytes(hold_id: HoldId) -> prost::bytes::Bytes {
    prost::bytes::Bytes::copy_from_slice(hold_id.as_bytes())
}

fn booking(booking: Booking) -> v1::Booking {
    v1::Booking {
        order_ref: booking.order.to_string(),
        payment_ref: booking.payment.to_string(),
        confirmed_at_ms: booking.confirmed_at.0,
    }
}

fn ticket_count(tickets: TicketCount) -> (String, u32) {
    (tickets.ticket_type.as_str().to_owned(), tickets.count)
}

/// A seat by number and label; `None` for one that does not exist.
pub(super) fn seat(seat: SeatIndex, manifest: &Manifest) -> Option<v1::Seat> {
    Some(v1::Seat { seat_index: seat.0, label: Some(label(seat, manifest)?) })
}

fn label(seat: SeatIndex, manifest: &Manifest) -> Option<v1::SeatLabel> {
    let label = manifest.label(seat)?;
    Some(v1::SeatLabel { section: label.section, row: label.row, seat: label.seat })
}

fn granted_seat(seat: SeatIndex, kept: &Prices, manifest: &Manifest) -> Option<v1::GrantedSeat> {
    let category = manifest.seat_category(seat)?;
    let kept = kept.seats.iter().find(|(own, _)| *own == seat).map(|(_, price)| *price);
    Some(v1::GrantedSeat {
        seat_index: seat.0,
        label: Some(label(seat, manifest)?),
        category: category.name.clone(),
        price_minor: kept.unwrap_or(category.price_minor),
    })
}

fn granted_ga(section: SectionIndex, quantity: u32, kept: &Prices, manifest: &Manifest) -> Option<v1::GrantedGa> {
    let category = manifest.ga_category(section)?;
    let kept = kept.ga.iter().find(|(own, _)| *own == section).map(|(_, price)| *price);
    Some(v1::GrantedGa {
        section: manifest.section_name(section).to_owned(),
        quantity,
        category: category.name.clone(),
        unit_price_minor: kept.unwrap_or(category.price_minor),
    })
}

/// An entry as its caller sees it.
pub(super) fn waitlist_entry(entry: WaitView, manifest: &Manifest) -> v1::WaitlistEntry {
    v1::WaitlistEntry {
        hold_id: bytes(entry.hold_id),
        buyer_id: entry.buyer.to_string(),
        wish: Some(wish(entry.wish, manifest)),
        waiting: entry.waiting,
        gathered: entry.gathered,
        possible: entry.is_possible,
    }
}

fn wish(wish: Wish, manifest: &Manifest) -> v1::Wish {
    let adjacency = match wish.adjacency {
        Adjacency::Required => v1::Adjacency::Required,
        Adjacency::Preferred => v1::Adjacency::Preferred,
        Adjacency::Any => v1::Adjacency::Any,
    };
    let category = |category: CategoryIndex| manifest.parts().categories[usize::from(category.0)].name.clone();
    v1::Wish {
        quantity: wish.quantity,
        at_least: wish.at_least,
        adjacency: adjacency.into(),
        categories: wish.categories.into_iter().map(category).collect(),
        sections: wish.sections.into_iter().map(|section| manifest.section_name(section).to_owned()).collect(),
        price_minor_max: wish.price_minor_max,
        exclude_restricted_view: wish.exclude_restricted,
        wheelchair_bays: wish.bays,
        companions: wish.companions,
    }
}

pub(super) fn hold_state(state: HoldState) -> v1::HoldState {
    match state {
        HoldState::Held => v1::HoldState::Held,
        HoldState::Confirmed => v1::HoldState::Confirmed,
        HoldState::Released => v1::HoldState::Released,
        HoldState::Expired => v1::HoldState::Expired,
        HoldState::Fenced => v1::HoldState::Fenced,
        HoldState::Waiting => v1::HoldState::Waiting,
        HoldState::Cancelled => v1::HoldState::Cancelled,
    }
}
