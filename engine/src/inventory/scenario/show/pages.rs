//! How seat maps, pages, overviews and what follows look in a scenario.

use super::{
    super::super::{
        capacities::{CapacityOf, OverCommitted},
        lookups::{Cursor, Page},
        overview::{Counts, Overview, PoolOverview},
        seat_bitmap::SeatBitmap,
        seat_map::SeatMap,
    },
    Names, hold, mark, time,
};
use crate::{event::Event, ids::SeatIndex};

impl Names<'_> {
    pub(in super::super) fn seats(&self, map: &SeatMap) -> String {
        let all = || (0..self.0.manifest.seats()).map(SeatIndex);
        let is_in = |of: &Option<SeatBitmap>, seat| of.as_ref().is_some_and(|seats| seats.contains(seat));
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

    /// Units that could be held.
    pub(in super::super) fn rooms(&self, map: &SeatMap) -> String {
        let units =
            map.ga.iter().map(|ga| format!("{} {} of {}, ", self.section(ga.section), ga.available, ga.capacity));
        format!("{}{} in all", units.collect::<String>(), map.available_at_once)
    }

    pub(in super::super) fn over_committed(&self, over: &OverCommitted) -> String {
        match &over.of {
            CapacityOf::Section(section) => format!("{} over by {}", self.section(*section), over.places),
            CapacityOf::Pool(name) => format!("pool {name} over by {}", over.places),
            CapacityOf::Show => format!("the show over by {}", over.places),
        }
    }

    pub(in super::super) fn page(&self, page: &Page) -> String {
        let mut parts: Vec<String> =
            page.holds.iter().map(|view| format!("{} {}", hold(view.hold_id), self.hold(view))).collect();
        parts.extend(page.waiting.as_ref().map(|entry| format!("{} waiting", hold(entry.hold_id))));
        parts.extend(page.next.map(|next| match next {
            Cursor::After(id) => format!("more after {}", hold(id)),
            Cursor::At(position) => format!("more from {position}"),
            Cursor::Before(_, id) => format!("more before {}", hold(id)),
        }));
        if parts.is_empty() { "nothing".to_owned() } else { parts.join(" | ") }
    }

    /// Available, held, sold and blocked places, by section and channel; what is withheld; who has something.
    pub(in super::super) fn overview(&self, overview: &Overview) -> String {
        let counts = |of: &Counts| format!("{}+{}+{}+{}", of.available, of.held, of.sold, of.blocked);
        let sections =
            overview.sections.iter().map(|(section, of)| format!("{} {}", self.section(*section), counts(of)));
        let mut parts = vec![overview.state.to_string(), sections.collect::<Vec<_>>().join(" ")];
        if overview.capacity.1.is_some() || !overview.pools.is_empty() {
            parts.push(format!("{} in all", overview.counts.available));
        }
        for pool in &overview.pools {
            let PoolOverview { name, capacity, taken, available } = pool;
            parts.push(format!("{name} {taken} of {capacity} taken {available} left"));
        }
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
        parts.extend(overview.over_committed.iter().map(|over| self.over_committed(over)));
        parts.join(", ")
    }

    /// What followed, or what time brought about.
    pub(in super::super) fn event(&self, event: &Event) -> String {
        match event {
            Event::OfferMade(made) => {
                let offer = &made.granted;
                let places = self.places(&offer.places);
                let taken_over = made.taken_over.iter().map(|(loser, places)| (hold(*loser), self.places(places)));
                let taken_over: String = taken_over.map(|(loser, places)| format!(", {places} from {loser}")).collect();
                let (offered, until) = (hold(offer.hold_id), time(offer.expires_at));
                format!("{offered} offered {places} {}, until {until}{taken_over}", offer.total_minor)
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
            Event::HoldLapsed { hold_id } => format!("{} lapsed", hold(*hold_id)),
            Event::HoldExpired { hold_id } => format!("{} expired", hold(*hold_id)),
            other => panic!("{other:?} follows from nothing"),
        }
    }
}
