//! Events as JSON: one object an event, every field of it.
//!
//! The names of events and fields are for scripts and never change; fields may be added. Times are milliseconds since
//! 1970 (`_ms`), money is in minor units (`_minor`), a hold's id is a UUID. What shows consist of is in `json_shows`.

use serde::Serialize;
use serde_json::{Value, json};
use usher_engine::{
    command::{Adjacency, ReturnTo, Wish},
    event::{EntryJoined, Event, GrantedOnTerms, HoldGranted, MarkedPlaces, OfferMade, ShowLoaded},
    ids::{BuyerId, ChannelIndex, HoldId, Name, Reference, SeatIndex, SeatRange, SectionIndex, ShowId},
    inventory::{
        blocks::{BlockKind, Mark},
        hold_best::{Placement, Step},
        manifest::CategoryIndex,
        places::Places,
    },
    time::Timestamp,
};

use super::{Entry, json_shows, kind_of, names::Show};

/// What every line begins with.
#[derive(Serialize)]
struct Line<'a> {
    shard: u32,
    lsn: u64,
    epoch: u64,
    clock_ms: u64,
    time: String,
    show_number: u32,
    show_id: Option<&'a str>,
    event: &'static str,
    #[serde(flatten)]
    fields: Value,
}

pub(super) fn line(entry: &Entry<'_>) -> String {
    let at = entry.position;
    let show = entry.names.show(entry.number);
    let line = Line {
        shard: at.shard.0,
        lsn: at.lsn.0,
        epoch: at.epoch.0,
        clock_ms: at.clock.0,
        time: at.clock.to_string(),
        show_number: entry.number.0,
        show_id: show.map(|show| show.id().as_str()),
        event: kind_of(entry.event),
        fields: Json(show).fields(entry.event),
    };
    serde_json::to_string(&line).expect("text, numbers and maps with text for keys can be written")
}

pub(super) fn text(name: Option<&Name>) -> Option<&str> {
    name.map(Name::as_str)
}

pub(super) fn ms(at: Option<Timestamp>) -> Option<u64> {
    at.map(|at| at.0)
}

fn id(hold_id: HoldId) -> String {
    hold_id.to_string()
}

/// As text where it is text; it may be any bytes.
fn buyer(buyer: &BuyerId) -> Value {
    let bytes = buyer.bytes();
    match std::str::from_utf8(&bytes) {
        Ok(text) => text.into(),
        Err(_) => json!({ "hex": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() }),
    }
}

fn from_until(opens_at: Timestamp, closes_at: Option<Timestamp>) -> Value {
    json!({ "opens_at_ms": opens_at.0, "closes_at_ms": ms(closes_at) })
}

fn loaded(loaded: &ShowLoaded) -> Value {
    json!({ "of_shard": loaded.of_shard, "of_lsn": loaded.of_lsn, "state_bytes": loaded.state.len() })
}

fn joined_group(hold_id: HoldId, shows: &[ShowId]) -> Value {
    json!({ "hold_id": id(hold_id), "shows": shows.iter().map(ShowId::as_str).collect::<Vec<_>>() })
}

fn sold_for(hold_id: HoldId, order: &Reference, payment: &Reference) -> Value {
    json!({ "hold_id": id(hold_id), "order": order.to_string(), "payment": payment.to_string() })
}

fn with_places(mut value: Value, places: Value) -> Value {
    value["places"] = places;
    value
}

/// The shape of what is about one show, whose names it needs.
#[derive(Clone, Copy)]
pub(super) struct Json<'a>(pub(super) Option<&'a Show>);

impl Json<'_> {
    fn fields(self, event: &Event) -> Value {
        match event {
            Event::ShowCreated(created) => self.created(created),
            Event::ShowLoaded(loaded) => self::loaded(loaded),
            Event::ShowLeft { to_shard } => json!({ "to_shard": to_shard }),
            Event::HoldGranted(granted) => self.granted(granted),
            Event::HoldGrantedOnTerms(on_terms) => self.granted_on_terms(on_terms),
            Event::HoldExtended { hold_id, expires_at } | Event::HoldPinned { hold_id, expires_at } => {
                json!({ "hold_id": id(*hold_id), "expires_at_ms": expires_at.0 })
            }
            Event::GroupJoined(joined) => self::joined_group(joined.0, &joined.1),
            Event::MemberPrepared { hold_id, order, payment } => sold_for(*hold_id, order, payment),
            Event::HoldReleased { hold_id, places } => {
                json!({ "hold_id": id(*hold_id), "places": self.places_or_all(places.as_ref()) })
            }
            Event::HoldFenced { hold_id, buyer: own } | Event::BookingTransferred { hold_id, buyer: own } => {
                json!({ "hold_id": id(*hold_id), "buyer": buyer(own) })
            }
            Event::HoldConfirmed { hold_id, order, payment, places } => {
                with_places(sold_for(*hold_id, order, payment), self.places_or_all(places.as_ref()))
            }
            Event::HoldConfirmedLate { hold_id, order, payment, places } => {
                with_places(sold_for(*hold_id, order, payment), self.places(places))
            }
            Event::HoldExpired { hold_id }
            | Event::HoldUnpinned { hold_id }
            | Event::HoldLapsed { hold_id }
            | Event::EntryLeft { hold_id }
            | Event::GatheringEnded { hold_id } => json!({ "hold_id": id(*hold_id) }),
            Event::HoldSplit { hold_id, rest_id, rest } => {
                json!({ "hold_id": id(*hold_id), "rest_id": id(*rest_id), "rest": self.places(rest) })
            }
            Event::BookingCancelled { hold_id, places, return_to } => json!({
                "hold_id": id(*hold_id), "places": self.places_or_all(places.as_ref()), "return_to": returned(return_to),
            }),
            Event::BookingExchanged { hold_id, places, difference_minor, override_reason } => json!({
                "hold_id": id(*hold_id), "places": self.places(places), "difference_minor": difference_minor,
                "override_reason": text(override_reason.as_ref()),
            }),
            Event::EntryJoined(joined) => self.joined(joined),
            Event::OfferMade(made) => self.offer(made),
            Event::PlacesGathered { hold_id, places, until } => self.gathered(*hold_id, places, *until),
            Event::PlacesBlocked(marked) | Event::PlacesUnblocked(marked) | Event::ReturnsQueued(marked) => {
                self.marked(marked)
            }
            Event::ReleaseScheduled { mark: own, at } => json!({ "mark": mark(own), "at_ms": ms(*at) }),
            Event::ChannelSet { key, public_at } => json!({ "key": key.as_str(), "public_at_ms": ms(*public_at) }),
            Event::ChannelOpened { channel } => json!({ "channel": self.channel(*channel) }),
            Event::ChannelAssigned { channel, seats } => self.assigned(*channel, seats),
            Event::SeatsRetired { seats } => json!({ "seats": self.ranges(seats) }),
            Event::SaleScheduled { opens_at, closes_at } => from_until(*opens_at, *closes_at),
            Event::SalePaused { stop_clocks } => json!({ "stop_clocks": stop_clocks }),
            // Nobody gets the first one: it is read as today's.
            Event::ShowCreatedV1(_)
            | Event::SaleOpened
            | Event::SaleClosed
            | Event::ShowCancelled
            | Event::ShowArchived => json!({}),
            Event::PolicyChanged(policy) => json!({ "policy": json_shows::policy(policy) }),
            Event::ManifestChanged(change) => json!({ "change": self.change(change) }),
        }
    }

    fn assigned(self, channel: Option<ChannelIndex>, seats: &[SeatRange]) -> Value {
        json!({ "channel": channel.map(|channel| self.channel(channel)), "seats": self.ranges(seats) })
    }

    fn gathered(self, hold_id: HoldId, places: &Places, until: Timestamp) -> Value {
        json!({ "hold_id": id(hold_id), "places": self.places(places), "until_ms": until.0 })
    }

    fn granted(self, granted: &HoldGranted) -> Value {
        let HoldGranted { hold_id, buyer: own, places, ttl, expires_at, total_minor } = granted;
        json!({
            "hold_id": id(*hold_id), "buyer": buyer(own), "places": self.places(places), "ttl_ms": ttl.ms(),
            "expires_at_ms": expires_at.0, "total_minor": total_minor,
        })
    }

    fn granted_on_terms(self, on_terms: &GrantedOnTerms) -> Value {
        let GrantedOnTerms {
            granted,
            replaces,
            moved_from,
            request,
            placement: chosen,
            tickets,
            extendable_until,
            override_reason,
        } = on_terms;
        let tickets = tickets.iter().map(|ticket| (ticket.ticket_type.to_string(), ticket.count.into()));
        let mut value = self.granted(granted);
        value["replaces"] = json!(replaces.map(id));
        value["moved_from"] = moved_from.iter().copied().map(id).collect();
        // As text: JSON's numbers lose the last digits in many readers.
        value["request_hash"] = json!(request.map(|request| format!("{request:016x}")));
        value["placement"] = json!(chosen.as_ref().map(placement));
        value["tickets"] = Value::Object(tickets.collect());
        value["extendable_until_ms"] = extendable_until.0.into();
        value["override_reason"] = json!(text(override_reason.as_ref()));
        value
    }

    fn joined(self, joined: &EntryJoined) -> Value {
        let EntryJoined { hold_id, buyer: own, wish, priority, channels, is_possible } = joined;
        let channels = (0u8..64).filter(|channel| channels & (1 << channel) != 0);
        let channels: Value = channels.map(|channel| self.channel(ChannelIndex(channel))).collect();
        json!({
            "hold_id": id(*hold_id), "buyer": buyer(own), "wish": self.wish(wish), "priority": priority,
            "channels": channels, "is_possible": is_possible,
        })
    }

    fn wish(self, wish: &Wish) -> Value {
        let Wish {
            quantity,
            at_least,
            adjacency,
            categories,
            sections,
            price_minor_max,
            exclude_restricted,
            bays,
            companions,
        } = wish;
        let adjacency = match adjacency {
            Adjacency::Required => "required",
            Adjacency::Preferred => "preferred",
            Adjacency::Any => "any",
        };
        json!({
            "quantity": quantity, "at_least": at_least, "adjacency": adjacency,
            "categories": categories.iter().map(|category| self.category(*category)).collect::<Value>(),
            "sections": sections.iter().map(|section| self.section(*section)).collect::<Value>(),
            "price_minor_max": price_minor_max, "exclude_restricted": exclude_restricted, "bays": bays,
            "companions": companions,
        })
    }

    fn offer(self, made: &OfferMade) -> Value {
        let OfferMade { granted, placement: chosen, taken_over } = made;
        let taken =
            |(entry, places): &(HoldId, Places)| json!({ "hold_id": id(*entry), "places": self.places(places) });
        let mut value = self.granted(granted);
        value["placement"] = placement(chosen);
        value["taken_over"] = taken_over.iter().map(taken).collect();
        value
    }

    fn marked(self, marked: &MarkedPlaces) -> Value {
        let MarkedPlaces { mark: own, seats, ga } = marked;
        json!({ "mark": mark(own), "seats": self.ranges(seats), "ga": self.ga(ga.iter().copied()) })
    }

    /// `null` where an event is about all places that a hold had.
    fn places_or_all(self, places: Option<&Places>) -> Value {
        places.map_or(Value::Null, |places| self.places(places))
    }

    fn places(self, places: &Places) -> Value {
        let seats: Value = places.seats().map(|seat| self.seat(seat)).collect();
        json!({ "seats": seats, "ga": self.ga(places.ga()) })
    }

    fn seat(self, seat: SeatIndex) -> Value {
        json!({ "index": seat.0, "label": self.0.and_then(|show| show.seat(seat)) })
    }

    fn ga(self, units: impl Iterator<Item = (SectionIndex, u32)>) -> Value {
        let unit = |(section, quantity)| json!({ "section": self.section(section), "quantity": quantity });
        units.map(unit).collect()
    }

    /// Consecutive seats by the first and the last of them.
    pub(super) fn ranges(self, ranges: &[SeatRange]) -> Value {
        let range = |range: &SeatRange| {
            let last = SeatIndex((range.first.0 + range.count).saturating_sub(1));
            json!({ "first": self.seat(range.first), "last": self.seat(last), "count": range.count })
        };
        ranges.iter().map(range).collect()
    }

    pub(super) fn section(self, section: SectionIndex) -> Value {
        json!({ "index": section.0, "name": self.0.and_then(|show| show.section(section)) })
    }

    pub(super) fn category(self, category: CategoryIndex) -> Value {
        json!({ "index": category.0, "name": self.0.and_then(|show| show.category(category)) })
    }

    fn channel(self, channel: ChannelIndex) -> Value {
        json!({ "index": channel.0, "key": self.0.and_then(|show| show.channel(channel)) })
    }
}

fn placement(placement: &Placement) -> Value {
    let step = match placement.step {
        Step::Together => "together",
        Step::TogetherLeavingOne => "together_leaving_one",
        Step::Split => "split",
        Step::AcrossSections => "across_sections",
        Step::Scattered => "scattered",
        Step::Units => "units",
    };
    json!({ "step": step, "score": placement.score })
}

fn mark(mark: &Mark) -> Value {
    let kind = match mark.kind {
        BlockKind::House => "house",
        BlockKind::Kill => "kill",
        BlockKind::Block => "block",
        BlockKind::Returning => "returning",
    };
    json!({ "kind": kind, "reason": mark.reason.as_str() })
}

/// The mark under which returned places are withheld; `null` where they are available.
fn returned(return_to: &ReturnTo) -> Value {
    match return_to {
        ReturnTo::Available => json!({ "blocked": null }),
        ReturnTo::Blocked(own) => json!({ "blocked": mark(own) }),
    }
}
