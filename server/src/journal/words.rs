//! Events in words: one line an event, for people.
//!
//! The words may change; scripts read the JSON. What is ours to print and others' to choose (buyers, orders, reasons)
//! is escaped, so that it cannot command a terminal.

use std::fmt::Write as _;

use usher_engine::{
    command::ReturnTo,
    event::{Event, HoldGranted, MarkedPlaces},
    ids::{BuyerId, ChannelIndex, SeatIndex, SeatRange, SectionIndex, ShowId},
    inventory::{
        blocks::{BlockKind, Mark},
        manifest::{CategoryIndex, ManifestChange},
        places::Places,
    },
    time::Timestamp,
};

use super::names::Show;

/// Names in a line; more are counted.
const NAMES_MAX: usize = 8;

pub(super) fn of(event: &Event, show: Option<&Show>) -> String {
    Words(show).of(event)
}

fn printable(text: &str) -> String {
    text.escape_debug().to_string()
}

fn buyer(buyer: &BuyerId) -> String {
    printable(&buyer.to_string())
}

fn mark(mark: &Mark) -> String {
    let kind = match mark.kind {
        BlockKind::House => "house",
        BlockKind::Kill => "kill",
        BlockKind::Block => "block",
        BlockKind::Returning => "returning",
    };
    format!("{kind}/{}", printable(mark.reason.as_str()))
}

fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(NAMES_MAX);
    let mut text = names.take(NAMES_MAX).collect::<Vec<_>>().join(", ");
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}

fn from_until(opens_at: Timestamp, closes_at: Option<Timestamp>) -> String {
    closes_at.map_or_else(|| format!("from {opens_at} on"), |closes_at| format!("from {opens_at} until {closes_at}"))
}

struct Words<'a>(Option<&'a Show>);

impl Words<'_> {
    #[expect(clippy::too_many_lines, reason = "one arm an event, so that none can be forgotten")]
    fn of(&self, event: &Event) -> String {
        match event {
            Event::ShowCreatedV1(_) => "show created".to_owned(),
            Event::ShowCreated(created) => {
                format!("show created from plan {}", printable(&created.manifest.name))
            }
            Event::ShowLoaded(loaded) => {
                format!("show loaded as it was at LSN {} of shard {}", loaded.of_lsn, loaded.of_shard)
            }
            Event::ShowLeft { to_shard } => format!("show left for shard {to_shard}"),
            Event::HoldGranted(granted) => self.granted(granted),
            Event::HoldGrantedOnTerms(on_terms) => {
                let mut text = self.granted(&on_terms.granted);
                if let Some(replaced) = on_terms.replaces {
                    let _ = write!(text, ", in place of {replaced}");
                }
                if let Some(reason) = &on_terms.override_reason {
                    let _ = write!(text, ", limits set aside: {}", printable(reason.as_str()));
                }
                text
            }
            Event::HoldExtended { hold_id, expires_at } => format!("hold {hold_id} extended until {expires_at}"),
            Event::HoldReleased { hold_id, places } => format!("hold {hold_id} released {}", self.or_all(places)),
            Event::HoldFenced { hold_id, buyer: own } => {
                format!("hold {hold_id} fenced by {} before it was ever held", buyer(own))
            }
            Event::HoldConfirmed { hold_id, order, places, .. } => {
                format!("hold {hold_id} sold {}, order {}", self.or_all(places), printable(&order.to_string()))
            }
            Event::HoldConfirmedLate { hold_id, order, places, .. } => {
                format!("hold {hold_id} sold late {}, order {}", self.places(places), printable(&order.to_string()))
            }
            Event::HoldExpired { hold_id } => format!("hold {hold_id} expired"),
            Event::HoldLapsed { hold_id } => format!("hold {hold_id} lapsed; its places come back later"),
            Event::HoldPinned { hold_id, expires_at } => format!("hold {hold_id} pinned until {expires_at}"),
            Event::GroupJoined(joined) => {
                let shows: Vec<_> = joined.1.iter().map(ShowId::as_str).collect();
                format!("hold {} is one of a group, with the shows {}", joined.0, shows.join(", "))
            }
            Event::MemberPrepared { hold_id, order, .. } => {
                format!("hold {hold_id} waits for its group's decision, order {}", printable(&order.to_string()))
            }
            Event::HoldUnpinned { hold_id } => format!("hold {hold_id} unpinned"),
            Event::HoldSplit { hold_id, rest_id, rest } => {
                format!("hold {hold_id} split: {} to {rest_id}", self.places(rest))
            }
            Event::BookingCancelled { hold_id, places, return_to } => {
                let to = match return_to {
                    ReturnTo::Available => "available again".to_owned(),
                    ReturnTo::Blocked(own) => format!("blocked as {}", mark(own)),
                };
                format!("booking {hold_id} cancelled: {} {to}", self.or_all(places))
            }
            Event::BookingTransferred { hold_id, buyer: own } => {
                format!("booking {hold_id} transferred to {}", buyer(own))
            }
            Event::BookingExchanged { hold_id, places, difference_minor, .. } => {
                format!("booking {hold_id} exchanged for {}, {difference_minor:+} minor units", self.places(places))
            }
            Event::EntryJoined(joined) => {
                format!("entry {} of {} waits for {}", joined.hold_id, buyer(&joined.buyer), joined.wish.quantity)
            }
            Event::EntryLeft { hold_id } => format!("entry {hold_id} waits no more"),
            Event::OfferMade(made) => format!("offer to a waiting entry: {}", self.granted(&made.granted)),
            Event::PlacesGathered { hold_id, places, until } => {
                format!("entry {hold_id} gathers {} until {until}", self.places(places))
            }
            Event::GatheringEnded { hold_id } => format!("entry {hold_id} gives back what was gathered"),
            Event::PlacesBlocked(marked) => format!("blocked {}", self.marked(marked)),
            Event::PlacesUnblocked(marked) => format!("unblocked {}", self.marked(marked)),
            Event::ReturnsQueued(marked) => format!("to be offered bit by bit: {}", self.marked(marked)),
            Event::ReleaseScheduled { mark: own, at: Some(at) } => format!("{} is unblocked at {at}", mark(own)),
            Event::ReleaseScheduled { mark: own, at: None } => format!("{} is not unblocked by time", mark(own)),
            Event::ChannelSet { key, public_at } => {
                let public = public_at.map_or_else(|| "never public".to_owned(), |at| format!("public at {at}"));
                format!("channel {} set, {public}", printable(key.as_str()))
            }
            Event::ChannelOpened { channel } => format!("channel {} is public", self.channel(*channel)),
            Event::ChannelAssigned { channel: Some(channel), seats } => {
                format!("channel {} has {}", self.channel(*channel), self.ranges(seats))
            }
            Event::ChannelAssigned { channel: None, seats } => format!("no channel has {}", self.ranges(seats)),
            Event::SeatsRetired { seats } => format!("retired {}", self.ranges(seats)),
            Event::SaleScheduled { opens_at, closes_at } => {
                format!("sale scheduled {}", from_until(*opens_at, *closes_at))
            }
            Event::SaleOpened => "sale opened".to_owned(),
            Event::SalePaused { stop_clocks: true } => "sale paused, deadlines stand still".to_owned(),
            Event::SalePaused { stop_clocks: false } => "sale paused".to_owned(),
            Event::SaleClosed => "sale closed".to_owned(),
            Event::ShowCancelled => "show cancelled".to_owned(),
            Event::ShowArchived => "show archived".to_owned(),
            Event::PolicyChanged(_) => "rules changed".to_owned(),
            Event::ManifestChanged(change) => format!("manifest changed: {}", self.change(change)),
        }
    }

    fn granted(&self, granted: &HoldGranted) -> String {
        let HoldGranted { hold_id, buyer: own, places, expires_at, total_minor, .. } = granted;
        let (units, hundredths) = (total_minor / 100, total_minor % 100);
        let currency = self.0.map(Show::currency).unwrap_or_default();
        let (places, own) = (self.places(places), buyer(own));
        format!("hold {hold_id} held {places} by {own} until {expires_at} for {units}.{hundredths:02} {currency}")
    }

    fn change(&self, change: &ManifestChange) -> String {
        match change {
            ManifestChange::AddRows { section, rows } => {
                format!("rows added to {}: {}", self.section(*section), rows.len())
            }
            ManifestChange::AddSection(section) => format!("section {} is new", printable(&section.name)),
            ManifestChange::AddCategory(category) => format!("category {} is new", printable(&category.name)),
            ManifestChange::Recategorise { seats, category } => {
                format!("category {} for {}", self.category(*category), self.ranges(seats))
            }
            ManifestChange::Reprice { category, price_minor } => {
                format!("category {} costs {price_minor} minor units", self.category(*category))
            }
            ManifestChange::SetGaCapacity { section, capacity } => {
                format!("{} has {capacity} units", self.section(*section))
            }
            ManifestChange::SetCapacity(Some(capacity)) => format!("at most {capacity} places at once"),
            ManifestChange::SetCapacity(None) => "as many places at once as there are".to_owned(),
            ManifestChange::SetPool(pool) => format!("pool {} of {}", printable(&pool.name), pool.capacity),
            ManifestChange::RemovePool(name) => format!("no pool {}", printable(name)),
        }
    }

    fn or_all(&self, places: &Option<Places>) -> String {
        places.as_ref().map_or_else(|| "all it had".to_owned(), |places| self.places(places))
    }

    fn places(&self, places: &Places) -> String {
        let seats = listed(places.seats().map(|seat| self.seat(seat)));
        let units = listed(places.ga().map(|unit| self.units(unit)));
        [seats, units].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }

    fn marked(&self, marked: &MarkedPlaces) -> String {
        let units = listed(marked.ga.iter().map(|unit| self.units(*unit)));
        let parts = [self.ranges(&marked.seats), units];
        let places = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        format!("{places} as {}", mark(&marked.mark))
    }

    fn ranges(&self, ranges: &[SeatRange]) -> String {
        let range = |range: &SeatRange| {
            let last = SeatIndex((range.first.0 + range.count).saturating_sub(1));
            match range.count {
                1 => self.seat(range.first),
                _ => format!("{} to {}", self.seat(range.first), self.seat(last)),
            }
        };
        listed(ranges.iter().map(range))
    }

    fn seat(&self, seat: SeatIndex) -> String {
        self.0.and_then(|show| show.seat(seat)).map_or_else(|| format!("seat {}", seat.0), |label| printable(&label))
    }

    fn units(&self, (section, units): (SectionIndex, u32)) -> String {
        format!("{units} x {}", self.section(section))
    }

    fn section(&self, section: SectionIndex) -> String {
        self.0.and_then(|show| show.section(section)).map_or_else(|| format!("section {}", section.0), printable)
    }

    fn category(&self, category: CategoryIndex) -> String {
        self.0.and_then(|show| show.category(category)).map_or_else(|| category.0.to_string(), printable)
    }

    fn channel(&self, channel: ChannelIndex) -> String {
        self.0.and_then(|show| show.channel(channel)).map_or_else(|| channel.0.to_string(), printable)
    }
}
