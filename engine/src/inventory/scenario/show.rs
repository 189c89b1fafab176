//! How answers, rejections and events look in a scenario.

use super::{
    super::{
        Answer, BulkReport, HoldState, HoldView, Show,
        blocks::{BlockKind, Mark},
        hold::Prices,
        lookups::{Cursor, Page},
        overview::{Counts, Overview},
        places::Places,
        seat_map::SeatMap,
    },
    parse::{START, UNKNOWN_SEATS},
};
use crate::{
    event::{Event, MarkedPlaces},
    ids::{HoldId, SeatIndex, SectionIndex},
    rejection::{Conflicts, Rejection},
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
            Answer::Waiting(entry) if entry.gathered > 0 => {
                format!("waiting, {} in all, {} gathered", entry.waiting, entry.gathered)
            }
            Answer::Waiting(entry) => format!("waiting, {} in all", entry.waiting),
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
                let over = report.over_committed.iter();
                let over = over.map(|(section, units)| format!(", {} over by {units}", self.section(*section)));
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
            return state(hold.state);
        }
        let order = hold.booking.as_ref().map_or("nothing", |booking| booking.order.as_str());
        let buyer = String::from_utf8_lossy(hold.buyer.as_bytes());
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
        parts.extend(more.refund_due.then(|| "refund due".to_owned()));
        parts.extend(more.difference_minor.map(|minor| format!("difference {minor}")));
        let parts: String = parts.into_iter().map(|part| format!(", {part}")).collect();
        parts + &self.orphans(&more.orphans)
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
        for (count, what) in [(report.queued, "queued"), (report.waiting, "waiting")] {
            if count > 0 {
                text += &format!(", {count} {what}");
            }
        }
        text
    }

    pub(super) fn rejection(&self, rejection: &Rejection) -> String {
        match rejection {
            Rejection::IdReused { field } => format!("id reused, another {field}"),
            Rejection::HoldUnknown => "hold unknown".to_owned(),
            Rejection::HoldOfAnotherBuyer => "hold of another buyer".to_owned(),
            Rejection::HoldFenced => "fenced".to_owned(),
            Rejection::HoldReleased => "released".to_owned(),
            Rejection::HoldConfirmed => "confirmed".to_owned(),
            Rejection::HoldCancelled => "cancelled".to_owned(),
            Rejection::HoldPinned => "pinned".to_owned(),
            Rejection::HoldNotConfirmed => "not confirmed".to_owned(),
            Rejection::HoldWaiting => "waiting".to_owned(),
            Rejection::HoldNotWaiting => "not waiting".to_owned(),
            Rejection::HoldExpired { expires_at } => format!("expired at {}", time(*expires_at)),
            Rejection::ShowNotOpen { state, opens_at } => {
                let opens = opens_at.map_or_else(String::new, |at| format!(", opens at {}", time(at)));
                format!("the show is {state}{opens}")
            }
            Rejection::ManifestInvalid(error) => format!("manifest invalid, {error}"),
            Rejection::CoolingDown { until } => format!("cooling down until {}", time(*until)),
            Rejection::WaitsAlready { hold_id } => format!("waits already as {}", hold(*hold_id)),
            Rejection::PlacesNotInHold(places) => format!("places not in hold {}", self.conflicts(places, true)),
            Rejection::PlacesUnknown(places) => format!("places unknown {}", self.conflicts(places, false)),
            Rejection::PlacesTaken(places) => format!("places taken {}", self.conflicts(places, true)),
            Rejection::PlacesProtected(places) => format!("places protected {}", self.conflicts(places, true)),
            Rejection::OrphansLeft(places) => format!("orphans left {}", self.conflicts(places, true)),
            Rejection::ManifestChanged { version, places } => {
                format!("manifest changed to version {version}: {}", self.conflicts(places, false))
            }
            Rejection::SoldOut { requested, available } => format!("sold out, {requested} wanted, {available} there"),
            Rejection::NotTogether { requested, available } => {
                format!("not together, {requested} wanted, {available} there")
            }
            Rejection::CapacityReached { pool, requested, available } => {
                let whose = pool.as_deref().unwrap_or("the show");
                format!("capacity of {whose}, {requested} wanted, {available} left")
            }
            other => other.to_string(),
        }
    }

    fn conflicts(&self, conflicts: &Conflicts, with_units: bool) -> String {
        let ga = conflicts.ga.iter().map(|shortage| {
            let units = format!(" {}>{}", shortage.requested, shortage.available);
            format!("{}{}", self.section(shortage.section), if with_units { units.as_str() } else { "" })
        });
        let seats = conflicts.seats.iter().map(|seat| self.seat(*seat));
        seats.chain(ga).collect::<Vec<_>>().join(" ")
    }

    /// What followed, or what time brought about.
    pub(super) fn event(&self, event: &Event) -> String {
        match event {
            Event::OfferMade(made) => {
                let offer = &made.granted;
                let places = self.places(&offer.places);
                format!(
                    "{} offered {places} {}, until {}",
                    hold(offer.hold_id),
                    offer.total_minor,
                    time(offer.expires_at)
                )
            }
            Event::PlacesGathered { hold_id, places, until } => {
                format!("{} gathers {}, until {}", hold(*hold_id), self.places(places), time(*until))
            }
            Event::GatheringEnded { hold_id } => format!("{} gathers no more", hold(*hold_id)),
            Event::ChannelOpened { channel } => {
                format!("{} public", self.0.channels.all[usize::from(channel.0)].key)
            }
            Event::PlacesUnblocked(places) => format!("{} from {}", self.marked(places), mark(&places.mark)),
            Event::ReturnsQueued(places) => format!("{} queued from {}", self.marked(places), mark(&places.mark)),
            Event::ReleaseScheduled { mark: released, .. } => format!("{} released", mark(released)),
            Event::SaleClosed => "sale closed".to_owned(),
            Event::HoldExpired { hold_id } => format!("{} expired", hold(*hold_id)),
            other => panic!("{other:?} follows from nothing"),
        }
    }

    pub(super) fn seats(&self, map: &SeatMap) -> String {
        let all = || (0..self.0.manifest.seats()).map(SeatIndex);
        let is_in = |of: &Option<super::super::seat_bitmap::SeatBitmap>, seat| {
            of.as_ref().is_some_and(|seats| seats.contains(seat))
        };
        let (sold, available) = (|seat| map.sold.contains(seat), |seat| map.available.contains(seat));
        let (blocked, retired) = (|seat| is_in(&map.blocked, seat), |seat| is_in(&map.retired, seat));
        let held = |seat| !sold(seat) && !available(seat) && !blocked(seat) && !retired(seat);
        let of = |status: &str, wanted: &dyn Fn(SeatIndex) -> bool| {
            let names = self.seat_names(all().filter(|seat| wanted(*seat)));
            (!names.is_empty()).then(|| format!("{} {status}", names.join(" ")))
        };
        let mut parts = vec![of("held", &held), of("sold", &sold), of("blocked", &blocked), of("retired", &retired)];
        for ga in &map.ga {
            let counts = [(ga.held, "held"), (ga.sold, "sold"), (ga.blocked, "blocked"), (ga.over_committed, "over")];
            let part = |(units, status)| format!("{units}x{} {status}", self.section(ga.section));
            parts.extend(counts.map(|count| (count.0 > 0).then(|| part(count))));
        }
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "all available".to_owned() } else { parts.join(", ") }
    }

    pub(super) fn page(&self, page: &Page) -> String {
        let mut parts: Vec<String> =
            page.holds.iter().map(|view| format!("{} {}", hold(view.hold_id), self.hold(view))).collect();
        parts.extend(page.waiting.as_ref().map(|entry| format!("{} waiting", hold(entry.hold_id))));
        parts.extend(page.next.map(|next| match next {
            Cursor::After(id) => format!("more after {}", hold(id)),
            Cursor::At(position) => format!("more from {position}"),
        }));
        if parts.is_empty() { "nothing".to_owned() } else { parts.join(" | ") }
    }

    /// Available, held, sold and blocked places, by section and channel; what is withheld; who has something.
    pub(super) fn overview(&self, overview: &Overview) -> String {
        let counts = |of: &Counts| format!("{}+{}+{}+{}", of.available, of.held, of.sold, of.blocked);
        let sections =
            overview.sections.iter().map(|(section, of)| format!("{} {}", self.section(*section), counts(of)));
        let mut parts = vec![overview.state.to_string(), sections.collect::<Vec<_>>().join(" ")];
        for channel in &overview.channels {
            let opens = match channel.public_at {
                _ if channel.is_public => "public".to_owned(),
                Some(at) => format!("public at {}", time(at)),
                None => "never public".to_owned(),
            };
            parts.push(format!("{} {} {opens}", channel.key, counts(&channel.counts)));
        }
        for block in &overview.blocks {
            let units = self.units(block.ga.iter().copied()).join(" ");
            let at = block.released_at.map_or_else(String::new, |at| format!(" until {}", time(at)));
            parts.push(format!("{} {} {units}", mark(&block.mark), block.seats).trim_end().to_owned() + &at);
        }
        let (holds, bookings, waiting) = (overview.live_holds, overview.bookings, overview.waiting);
        parts.push(format!("{holds} holds {bookings} bookings {waiting} waiting"));
        parts.extend((overview.gathered > 0).then(|| format!("{} gathered", overview.gathered)));
        parts.extend(overview.capacity.1.map(|capacity| format!("{} of {capacity} taken", overview.capacity.0)));
        parts.join(", ")
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
