//! Holds, seats and reports as they read in a terminal, and as JSON.

use serde_json::{Value, json};
use usher_proto::v1;

use super::{format::Column, log::thousands, places::money, when::utc};

/// Names that are printed of a long list; JSON has them all.
const NAMES_PRINTED_MAX: usize = 20;

/// `held`, `confirmed`, ...
pub(super) fn state_name(state: v1::HoldState) -> String {
    state.as_str_name().trim_start_matches("HOLD_STATE_").to_lowercase()
}

pub(super) fn id_text(id: &[u8]) -> String {
    uuid::Uuid::from_slice(id).map(|id| id.to_string()).unwrap_or_default()
}

pub(super) fn label_text(label: Option<&v1::SeatLabel>) -> String {
    label.map(|label| format!("{}/{}/{}", label.section, label.row, label.seat)).unwrap_or_default()
}

fn seats_text(seats: &[v1::Seat]) -> String {
    first_of(seats.iter().map(|seat| label_text(seat.label.as_ref())), seats.len())
}

/// The first of so many names.
pub(super) fn first_of(names: impl Iterator<Item = String>, count: usize) -> String {
    let named: Vec<String> = names.take(NAMES_PRINTED_MAX).collect();
    let more = count.saturating_sub(named.len());
    if more == 0 { named.join(", ") } else { format!("{} and {more} more", named.join(", ")) }
}

/// A hold in full.
pub(super) fn print_hold(hold: &v1::Hold, json: bool) {
    if json {
        println!("{}", hold_json(hold));
        return;
    }
    let (id, currency) = (id_text(&hold.hold_id), &hold.currency);
    let offered = if hold.is_offer && hold.state() == v1::HoldState::Held { ", an offer" } else { "" };
    let pinned = if hold.is_pinned { ", pinned" } else { "" };
    println!("{id} {}{offered}{pinned}", console::style(state_name(hold.state())).green());
    for seat in &hold.seats {
        let (label, price) = (label_text(seat.label.as_ref()), money(seat.price_minor, currency));
        println!("  {label:<24} {:<16} {price}", seat.category);
    }
    for ga in &hold.ga {
        let price = money(ga.unit_price_minor * u64::from(ga.quantity), currency);
        println!("  {:<24} {:<16} {price}", format!("{} x {}", ga.quantity, ga.section), ga.category);
    }
    if !hold.seats.is_empty() || !hold.ga.is_empty() {
        println!("  {:<24} {:<16} {}", "total", "", money(hold.total_minor, currency));
    }
    print_details(hold);
    print_end(hold);
    if hold.state() == v1::HoldState::Held {
        let (show, buyer) = (&hold.show_id, &hold.buyer_id);
        println!("Sell it with: usher confirm {show} {id} --buyer {buyer} --order ORDER");
    }
}

/// Until when it is held, or to whom it is sold.
fn print_end(hold: &v1::Hold) {
    let (until, at_most) = (utc(hold.expires_at_ms), utc(hold.extendable_until_ms));
    match hold.state() {
        v1::HoldState::Held if hold.is_pinned => println!("  pinned until {until}"),
        v1::HoldState::Held if hold.extendable_until_ms > hold.expires_at_ms => {
            println!("  held until {until}, can be extended until {at_most}");
        }
        v1::HoldState::Held => println!("  held until {until}, cannot be extended"),
        v1::HoldState::Expired => println!("  expired at {until}"),
        _ => {}
    }
    if let Some(booking) = &hold.booking {
        println!("  sold at {} with {}", utc(booking.confirmed_at_ms), refs_text(booking));
    }
}

/// The order of a booking, and its payment if there is one.
fn refs_text(booking: &v1::Booking) -> String {
    let payment =
        if booking.payment_ref.is_empty() { String::new() } else { format!(", payment {}", booking.payment_ref) };
    format!("order {}{payment}", booking.order_ref)
}

/// Says so where a booking was there before, with another order or payment than was asked for now.
pub(super) fn print_sold_before(hold: &v1::Hold, order: &str, payment: &str, json: bool) {
    let Some(booking) = &hold.booking else { return };
    if !json && booking.order_ref != order {
        println!("  sold before, with order {}; order {order} is not kept", booking.order_ref);
    } else if !json && !payment.is_empty() && booking.payment_ref != payment {
        println!("  sold before, with payment {:?}; payment {payment:?} is not kept", booking.payment_ref);
    }
}

/// What few holds have.
fn print_details(hold: &v1::Hold) {
    if let Some(placement) = &hold.placement {
        println!("  {}", placement_text(placement, hold));
    }
    if !hold.tickets.is_empty() {
        let tickets: Vec<String> = hold.tickets.iter().map(|(name, count)| format!("{count} {name}")).collect();
        println!("  tickets: {}", tickets.join(", "));
    }
    if !hold.orphans.is_empty() {
        println!("  leaves single seats over: {}", seats_text(&hold.orphans));
    }
    if hold.refunded_minor > 0 {
        println!("  cancelled so far: places for {}", money(hold.refunded_minor, &hold.currency));
    }
    if !hold.override_reason.is_empty() {
        println!("  limits set aside: {}", hold.override_reason);
    }
    if hold.refund_due {
        println!("  the show is cancelled: refund {}", money(hold.total_minor, &hold.currency));
    }
}

fn placement_text(placement: &v1::Placement, hold: &v1::Hold) -> String {
    let how = match placement.step() {
        v1::PlacementStep::Together => "together",
        v1::PlacementStep::TogetherLeavingOne => "together, leaving a single seat over",
        v1::PlacementStep::Split => "split within a section",
        v1::PlacementStep::AcrossSections => "split across sections",
        v1::PlacementStep::Scattered if hold.seats.is_empty() => "standing",
        v1::PlacementStep::Scattered if placement.is_together => "the best seats, which are together",
        v1::PlacementStep::Scattered => "the best seats, wherever they are",
        v1::PlacementStep::Units => "standing",
        v1::PlacementStep::Unspecified => "chosen",
    };
    let name = |index: &u32| {
        let seat = hold.seats.iter().find(|seat| seat.seat_index == *index);
        seat.and_then(|seat| seat.label.as_ref()).map_or_else(|| index.to_string(), |label| label.seat.clone())
    };
    let group = |group: &v1::SeatGroup| {
        let (first, last) = (group.seat_indexes.first().map(name), group.seat_indexes.last().map(name));
        let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
        let seats = if first == last { first } else { format!("{first} to {last}") };
        format!("{}/{} {seats}", group.section, group.row)
    };
    let groups: Vec<String> = placement.groups.iter().map(group).collect();
    if groups.is_empty() { how.to_owned() } else { format!("{how}: {}", groups.join("; ")) }
}

pub(super) fn hold_json(hold: &v1::Hold) -> Value {
    let seats: Vec<Value> = hold.seats.iter().map(|seat| {
        let label = label_text(seat.label.as_ref());
        json!({ "seat": label, "index": seat.seat_index, "category": seat.category, "price_minor": seat.price_minor })
    }).collect();
    let ga: Vec<Value> = hold
        .ga
        .iter()
        .map(|ga| json!({ "section": ga.section, "quantity": ga.quantity, "unit_price_minor": ga.unit_price_minor }))
        .collect();
    let mut value = json!({
        "hold_id": id_text(&hold.hold_id), "state": state_name(hold.state()), "buyer_id": hold.buyer_id,
        "seats": seats, "ga": ga, "total_minor": hold.total_minor, "currency": hold.currency,
        "expires_at_ms": hold.expires_at_ms, "extendable_until_ms": hold.extendable_until_ms,
        "order_ref": hold.booking.as_ref().map(|booking| booking.order_ref.clone()),
        "payment_ref": hold.booking.as_ref().map(|booking| booking.payment_ref.clone()),
        "confirmed_at_ms": hold.booking.as_ref().map(|booking| booking.confirmed_at_ms),
        "is_offer": hold.is_offer, "is_pinned": hold.is_pinned, "refund_due": hold.refund_due,
        "difference_minor": hold.difference_minor, "refunded_minor": hold.refunded_minor,
        "override_reason": hold.override_reason, "tickets": hold.tickets,
    });
    let orphans: Vec<String> = hold.orphans.iter().map(|seat| label_text(seat.label.as_ref())).collect();
    value["orphans"] = orphans.into();
    if let Some(placement) = &hold.placement {
        let step = placement.step().as_str_name().trim_start_matches("PLACEMENT_STEP_").to_lowercase();
        let groups: Vec<Value> = placement
            .groups
            .iter()
            .map(|group| json!({ "section": group.section, "row": group.row, "indexes": group.seat_indexes }))
            .collect();
        value["placement"] = json!({
            "step": step, "score": placement.score, "is_together": placement.is_together, "groups": groups,
        });
    }
    value
}

/// Holds in lines.
pub(super) const HOLD_COLUMNS: &[Column] = &[
    Column::Left("ID"),
    Column::Left("STATE"),
    Column::Left("BUYER"),
    Column::Right("TOTAL"),
    Column::Left("ORDER"),
    Column::Left("UNTIL"),
    Column::Left("PLACES"),
];

pub(super) fn hold_row(hold: &v1::Hold) -> Vec<String> {
    let mut places: Vec<String> = hold.seats.iter().map(|seat| label_text(seat.label.as_ref())).collect();
    places.extend(hold.ga.iter().map(|ga| format!("{} x {}", ga.quantity, ga.section)));
    let is_held = hold.state() == v1::HoldState::Held;
    let refund = if hold.refund_due { ", refund due" } else { "" };
    vec![
        id_text(&hold.hold_id),
        format!("{}{refund}", state_name(hold.state())),
        hold.buyer_id.clone(),
        money(hold.total_minor, &hold.currency),
        hold.booking.as_ref().map(|booking| booking.order_ref.clone()).unwrap_or_default(),
        if is_held { utc(hold.expires_at_ms) } else { String::new() },
        places.join(", "),
    ]
}

/// An entry of the waitlist among holds.
pub(super) fn entry_row(entry: &v1::WaitlistEntry) -> Vec<String> {
    let wanted = entry.wish.as_ref().map_or(0, |wish| wish.quantity);
    let (id, buyer) = (id_text(&entry.hold_id), entry.buyer_id.clone());
    vec![id, "waiting".to_owned(), buyer, String::new(), String::new(), String::new(), format!("{wanted} wanted")]
}

pub(super) fn entry_json(entry: &v1::WaitlistEntry) -> Value {
    json!({
        "hold_id": id_text(&entry.hold_id), "state": "waiting", "buyer_id": entry.buyer_id,
        "quantity": entry.wish.as_ref().map_or(0, |wish| wish.quantity),
        "waiting": entry.waiting, "gathered": entry.gathered, "possible": entry.possible,
    })
}

/// An entry of the waitlist.
pub(super) fn print_entry(entry: &v1::WaitlistEntry, json: bool) {
    if json {
        println!("{}", entry_json(entry));
        return;
    }
    let (id, quantity) = (id_text(&entry.hold_id), entry.wish.as_ref().map_or(0, |wish| wish.quantity));
    let gathered = if entry.gathered > 0 { format!(", {} kept for it so far", entry.gathered) } else { String::new() };
    println!("{id} waiting for {quantity}{gathered}; {} waiting in all", entry.waiting);
    if !entry.possible {
        println!("  the house as it is could not meet this wish even if all of it were free");
    }
}

/// What became of a bulk command. `did` is such as "blocked".
pub(super) fn print_report(report: &v1::BulkReport, did: &str, json: bool) {
    if json {
        let seats: Vec<String> = report.refused_seats.iter().map(|seat| label_text(seat.label.as_ref())).collect();
        let ga = |own: &v1::BlockedUnits| json!({ "section": own.section, "before": own.before, "after": own.after });
        let ga: Vec<Value> = report.ga.iter().map(ga).collect();
        println!(
            "{}",
            json!({
                "changed": report.changed, "refused": report.refused, "refused_seats": seats,
                "refused_ga": report.refused_ga, "ga": ga, "queued": report.queued, "waiting": report.waiting,
            })
        );
        return;
    }
    println!("{} {did}, {} left alone", report.changed, report.refused);
    for units in &report.ga {
        println!("  {}: {} -> {} units blocked", units.section, units.before, units.after);
    }
    if !report.refused_seats.is_empty() {
        // The report itself names at most 1,000 seats; units count as left alone, too, where their section is named.
        let named = report.refused_seats.len();
        let seats = if report.refused_ga.is_empty() { report.refused as usize } else { named };
        let names = report.refused_seats.iter().map(|seat| label_text(seat.label.as_ref()));
        println!("  left alone: {}", first_of(names, seats.max(named)));
    }
    if !report.refused_ga.is_empty() {
        println!("  too few units in: {}", report.refused_ga.join(", "));
    }
    if report.queued > 0 {
        println!("  {} of them are offered a few at a time to the {} who wait", report.queued, report.waiting);
    }
}

/// So many of something, as one says it.
pub(super) fn counted(count: impl Into<u64>, what: &str) -> String {
    let count = count.into();
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", thousands(count))
}
