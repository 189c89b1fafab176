//! How seat maps, pages, overviews and what follows look in a scenario.

use super::{
    super::super::{
        lookups::{Cursor, Page},
        overview::{Counts, Overview},
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

    pub(in super::super) fn page(&self, page: &Page) -> String {
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
    pub(in super::super) fn overview(&self, overview: &Overview) -> String {
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

    /// What followed, or what time brought about.
    pub(in super::super) fn event(&self, event: &Event) -> String {
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
            Event::HoldLapsed { hold_id } => format!("{} lapsed", hold(*hold_id)),
            Event::HoldExpired { hold_id } => format!("{} expired", hold(*hold_id)),
            other => panic!("{other:?} follows from nothing"),
        }
    }
}
