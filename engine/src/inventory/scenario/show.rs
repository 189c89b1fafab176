//! How answers, rejections and events look in a scenario.

mod pages;
mod refused;

use super::{
    super::{
        Answer, BulkReport, HoldState, HoldView, Show,
        blocks::{BlockKind, Mark},
        hold::Prices,
        places::Places,
    },
    parse::{START, UNKNOWN_SEATS},
};
use crate::{
    event::MarkedPlaces,
    ids::{HoldId, SeatIndex, SectionIndex},
    time::Timestamp,
};

/// So many seats side by side are written as a range.
const RANGE_MIN: u32 = 5;

/// Names of a show's places.
pub(super) struct Names<'a>(pub(super) &'a Show);

impl Names<'_> {
    fn seat(&self, seat: SeatIndex) -> String {
        match self.0.manifest.label(seat) {
            Some(label) => format!("{}{}", label.row, label.seat),
            None => format!("A{}", seat.0 - UNKNOWN_SEATS),
        }
    }

    fn section(&self, section: SectionIndex) -> &str {
        let sections = &self.0.manifest.parts().sections;
        sections.get(section.0 as usize).map_or("nowhere", |section| section.name.as_str())
    }

    fn seat_names(&self, seats: impl IntoIterator<Item = SeatIndex>) -> Vec<String> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for seat in seats {
            let starts_row = self.0.manifest.rows().iter().any(|row| row.first_seat == seat.0);
            match runs.last_mut() {
                Some((first, count)) if *first + *count == seat.0 && !starts_row => *count += 1,
                _ => runs.push((seat.0, 1)),
            }
        }
        let mut names = Vec::new();
        for (first, count) in runs {
            if count >= RANGE_MIN {
                names.push(format!("{}-{}", self.seat(SeatIndex(first)), self.seat(SeatIndex(first + count - 1))));
            } else {
                names.extend((first..first + count).map(|seat| self.seat(SeatIndex(seat))));
            }
        }
        names
    }

    fn units(&self, ga: impl IntoIterator<Item = (SectionIndex, u32)>) -> Vec<String> {
        ga.into_iter().map(|(section, units)| format!("{units}x{}", self.section(section))).collect()
    }

    fn places(&self, places: &Places) -> String {
        [self.seat_names(places.seats()), self.units(places.ga())].concat().join(" ")
    }

    fn marked(&self, places: &MarkedPlaces) -> String {
        let seats = places.seats.iter().flat_map(|range| range.seats());
        [self.seat_names(seats), self.units(places.ga.iter().copied())].concat().join(" ")
    }

    pub(super) fn answer(&self, answer: &Answer) -> String {
        match answer {
            Answer::Held(hold) => {
                let is_chosen = hold.more.as_ref().is_some_and(|more| more.placement.is_some());
                let places = if is_chosen { format!(" {}", self.places(&hold.places)) } else { String::new() };
                format!("{}{places} {}{}", state(hold.state), until(hold), self.more(hold))
            }
            Answer::Extended { expires_at, extendable_until } => {
                format!("extended to {} of {}", time(*expires_at), time(*extendable_until))
            }
            Answer::Released { state: now, orphans } => format!("{}{}", state(*now), self.orphans(orphans)),
            Answer::Confirmed(hold) | Answer::Booking(hold) => self.booking(hold),
            Answer::Found(hold) => self.hold(hold),
            Answer::Waiting(entry) => {
                let mut parts = vec![format!("waiting, {} in all", entry.waiting)];
                parts.extend((entry.gathered > 0).then(|| format!("{} gathered", entry.gathered)));
                parts.extend((!entry.is_possible).then(|| "never as the house is".to_owned()));
                parts.join(", ")
            }
            Answer::Bulk(report) => self.bulk(report),
            Answer::Sale(state) => state.to_string(),
            Answer::ShowCancelled(report) => format!(
                "{} holds with {}, {} bookings with {} to refund {}, {} waiting",
                report.holds,
                report.held_places,
                report.bookings,
                report.sold_places,
                report.refund_minor,
                report.waiting
            ),
            Answer::ManifestChanged(report) => {
                let over = report.over_committed.iter().map(|over| format!(", {}", self.over_committed(over)));
                format!("version {}{}", report.version, over.collect::<String>())
            }
            Answer::Done => "done".to_owned(),
        }
    }

    /// A hold in any state.
    fn hold(&self, hold: &HoldView) -> String {
        if hold.places.is_empty() {
            return format!("{}{}", state(hold.state), self.more(hold));
        }
        format!("{} {} {}{}", state(hold.state), self.places(&hold.places), until(hold), self.more(hold))
    }

    fn booking(&self, hold: &HoldView) -> String {
        if hold.places.is_empty() {
            return state(hold.state) + &refund(hold);
        }
        let order = hold.booking.as_ref().map_or("nothing".to_owned(), |booking| booking.order.to_string());
        let buyer = hold.buyer.to_string();
        let by = if buyer == "ada" { String::new() } else { format!(" by {buyer}") };
        let places = self.places(&hold.places);
        format!("{} {places} {} for {order}{by}{}", state(hold.state), hold.total_minor, self.more(hold))
    }

    /// What few holds have.
    fn more(&self, hold: &HoldView) -> String {
        let Some(more) = &hold.more else { return String::new() };
        let mut parts = Vec::new();
        parts.extend(more.placement.map(|placement| words(&format!("{:?}", placement.step))));
        let tickets: Vec<_> =
            more.tickets.iter().map(|ticket| format!("{}:{}", ticket.ticket_type, ticket.count)).collect();
        parts.extend((!tickets.is_empty()).then(|| format!("tickets {}", tickets.join(","))));
        if more.prices != Prices::default() {
            let seats = more.prices.seats.iter().map(|(seat, price)| format!(" {}={price}", self.seat(*seat)));
            let ga = more.prices.ga.iter().map(|(section, price)| format!(" {}={price}", self.section(*section)));
            parts.push(format!("kept{}", seats.chain(ga).collect::<String>()));
        }
        parts.extend(more.is_offer.then(|| "offer".to_owned()));
        parts.extend(more.is_pinned.then(|| "pinned".to_owned()));
        parts.extend(more.group.as_ref().map(|group| match &group.prepared {
            Some(prepared) => format!("prepared for {}", prepared.order),
            None => format!("one of {}", group.shows.len()),
        }));
        parts.extend(more.refund_due.then(|| "refund due".to_owned()));
        parts.extend(more.difference_minor.map(|minor| format!("difference {minor}")));
        parts.extend(more.override_reason.as_ref().map(|reason| format!("override {reason}")));
        let parts: String = parts.into_iter().map(|part| format!(", {part}")).collect();
        parts + &refund(hold) + &self.orphans(&more.orphans)
    }

    fn orphans(&self, orphans: &[SeatIndex]) -> String {
        if orphans.is_empty() {
            return String::new();
        }
        format!(", leaves {} alone", self.seat_names(orphans.iter().copied()).join(" "))
    }

    fn bulk(&self, report: &BulkReport) -> String {
        let mut text = format!("{} changed", report.changed);
        if report.refused > 0 {
            let ga = report.refused_ga.iter().map(|section| self.section(*section).to_owned()).collect();
            let names = [self.seat_names(report.refused_seats.iter().copied()), ga].concat();
            text += &format!(", {} refused: {}", report.refused, names.join(" "));
        }
        for units in &report.ga {
            text += &format!(", {} {}>{}", self.section(units.section), units.before, units.after);
        }
        for (count, what) in [(report.queued, "queued"), (report.waiting, "waiting")] {
            if count > 0 {
                text += &format!(", {count} {what}");
            }
        }
        text
    }
}

/// What was taken back of a booking now, and in all.
fn refund(hold: &HoldView) -> String {
    let Some(more) = &hold.more else { return String::new() };
    match (more.refund_minor, more.refunded_minor) {
        (Some(refund), all) if refund == all => format!(", refund {refund}"),
        (Some(refund), all) => format!(", refund {refund} of {all}"),
        (None, 0) => String::new(),
        (None, all) => format!(", refunded {all}"),
    }
}

fn until(hold: &HoldView) -> String {
    format!("{}, until {}", hold.total_minor, time(hold.expires_at))
}

fn time(at: Timestamp) -> String {
    let seconds = at.ms_since(START) / 1_000;
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

fn state(state: HoldState) -> String {
    format!("{state:?}").to_lowercase()
}

fn hold(id: HoldId) -> String {
    format!("h{}", id.as_bytes()[0])
}

fn mark(mark: &Mark) -> String {
    let kind = match mark.kind {
        BlockKind::House => "house",
        BlockKind::Kill => "kill",
        BlockKind::Block => "block",
        BlockKind::Returning => "returning",
    };
    format!("{kind}:{}", mark.reason)
}

/// "LeavingOne" as "leaving one".
fn words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}
