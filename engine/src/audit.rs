//! An independent reading of the log: was anything sold twice?
//!
//! It follows the events with the plainest bookkeeping there is and shares no code with the inventory, so that a mistake
//! there does not hide here. It is for operators, demos and tests; nothing is decided by it.

use std::collections::{BTreeMap, BTreeSet};

use usher_wal::{Frame, Lsn};

use crate::{
    codec::{CodecError, read_payload},
    event::Event,
    ids::{HoldId, ShowId, ShowNumber},
    inventory::{HoldState, Show, places::Places, stored},
    shard::Loaded,
    time::Timestamp,
};

#[cfg(test)]
mod tests;

/// Violations that are kept with their text; all are counted.
const KEPT_VIOLATIONS_MAX: usize = 20;

/// What the log of one shard says.
#[derive(Debug, Default)]
pub struct Audit {
    shows: BTreeMap<ShowNumber, AuditedShow>,
    /// Things that must not be, the first few of them.
    violations: Vec<String>,
    /// How many there are.
    pub violations_count: u64,
    /// Of a show that was not followed from its creation: the frame up to which everything is believed.
    believed: BTreeMap<ShowNumber, Lsn>,
}

/// What the log says about one show.
#[derive(Debug)]
pub struct AuditedShow {
    /// Its id.
    pub show_id: ShowId,
    /// Holds that were granted.
    pub grants: u64,
    /// Seats and units that are sold.
    pub places_sold: u64,
    /// Seats that were sold more than once.
    pub seats_sold_twice: u64,
    /// What live holds have.
    live: BTreeMap<HoldId, Places>,
    /// Live holds that wait for the decision about their group: their show's end is not theirs.
    prepared: BTreeSet<HoldId>,
    /// What expired holds had: a late payment may still sell it.
    expired: BTreeMap<HoldId, Places>,
    /// What is withheld for entries of the waitlist.
    gathered: BTreeMap<HoldId, Places>,
    seat_owner: BTreeMap<u32, HoldId>,
    sold: BTreeMap<HoldId, Places>,
    sold_seats: BTreeMap<u32, HoldId>,
}

impl Audit {
    /// Of a log that begins behind its first frame: what the snapshots say is believed.
    #[must_use]
    pub fn of_snapshots(loaded: &Loaded) -> Self {
        let shows = loaded.inventory.shows().map(|(number, show)| (number, AuditedShow::of(show)));
        let believed = (0u32..).map(ShowNumber).zip(loaded.lsns.iter().copied());
        Self { shows: shows.collect(), believed: believed.collect(), ..Self::default() }
    }

    /// Reads one frame's events.
    ///
    /// # Errors
    /// [`CodecError`] when the bytes are no events.
    pub fn read(&mut self, frame: &Frame<'_>) -> Result<(), CodecError> {
        for record in read_payload(frame.payload, Timestamp(frame.clock_ms)) {
            let (number, event) = record?;
            if self.believed.get(&number).is_none_or(|lsn| frame.lsn > *lsn) {
                self.event(number, event);
            }
        }
        Ok(())
    }

    /// Every show that was created.
    pub fn shows(&self) -> impl Iterator<Item = &AuditedShow> {
        self.shows.values()
    }

    /// The first few things that must not be.
    #[must_use]
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    fn event(&mut self, number: ShowNumber, event: Event) {
        let found = match event {
            Event::ShowCreated(created) => {
                let known = self.shows.insert(number, AuditedShow::new(created.show_id));
                known.map(|known| format!("show {} was created twice", known.show_id))
            }
            Event::ShowLoaded(loaded) => match stored::read(&loaded.state) {
                Ok(show) => {
                    self.shows.insert(number, AuditedShow::of(&show));
                    None
                }
                Err(error) => Some(format!("show number {} was loaded, but is none: {error}", number.0)),
            },
            Event::ShowLeft { .. } => {
                let known = self.shows.remove(&number);
                known.is_none().then(|| format!("show number {}, which was never created, left", number.0))
            }
            event => match self.shows.get_mut(&number) {
                Some(show) => show.event(event).map(|what| format!("show {}: {what}", show.show_id)),
                None => Some(format!("an event of show number {}, which was never created", number.0)),
            },
        };
        if let Some(violation) = found {
            self.violations_count += 1;
            if self.violations.len() < KEPT_VIOLATIONS_MAX {
                self.violations.push(violation);
            }
        }
    }
}

impl AuditedShow {
    fn new(show_id: ShowId) -> Self {
        Self {
            show_id,
            grants: 0,
            places_sold: 0,
            seats_sold_twice: 0,
            live: BTreeMap::new(),
            prepared: BTreeSet::new(),
            expired: BTreeMap::new(),
            gathered: BTreeMap::new(),
            seat_owner: BTreeMap::new(),
            sold: BTreeMap::new(),
            sold_seats: BTreeMap::new(),
        }
    }

    /// As a show is: its holds, sales and what is gathered.
    fn of(show: &Show) -> Self {
        let mut audited = Self::new(show.id().clone());
        for (hold_id, state, places) in show.owned() {
            audited.grants += 1;
            let kept = match state {
                HoldState::Held => &mut audited.live,
                HoldState::Confirmed => &mut audited.sold,
                HoldState::Waiting => &mut audited.gathered,
                _ => &mut audited.expired,
            };
            kept.insert(hold_id, places.clone());
            if matches!(state, HoldState::Held | HoldState::Waiting | HoldState::Confirmed) {
                audited.seat_owner.extend(places.seats().map(|seat| (seat.0, hold_id)));
            }
            if state == HoldState::Confirmed {
                audited.places_sold += u64::from(places.count());
                audited.sold_seats.extend(places.seats().map(|seat| (seat.0, hold_id)));
            }
        }
        audited.prepared.extend(show.prepared(None, usize::MAX, Timestamp(0)).iter().map(|hold| hold.hold_id));
        audited
    }

    /// Whether this hold was sold, and how many places it has.
    #[must_use]
    pub fn places_of_sale(&self, hold_id: HoldId) -> Option<u32> {
        self.sold.get(&hold_id).map(Places::count)
    }

    /// Returns what must not be.
    fn event(&mut self, event: Event) -> Option<String> {
        match event {
            Event::HoldGranted(granted) => self.grant(granted.hold_id, granted.places),
            Event::HoldGrantedOnTerms(on_terms) => {
                let granted = on_terms.granted;
                if let Some(replaced) = on_terms.replaces {
                    self.give_back(replaced, None);
                }
                on_terms.moved_from.iter().for_each(|loser| self.lose(*loser, &granted.places));
                self.grant(granted.hold_id, granted.places)
            }
            Event::OfferMade(offer) => {
                let granted = offer.granted;
                self.end_gathering(granted.hold_id);
                offer.taken_over.iter().for_each(|(loser, places)| self.take_over(*loser, places));
                self.grant(granted.hold_id, granted.places)
            }
            Event::HoldReleased { hold_id, places } => {
                let missing = self.must_live(hold_id, "released");
                self.give_back(hold_id, places.as_ref());
                missing
            }
            Event::HoldSplit { hold_id, rest_id, rest } => {
                let missing = self.must_live(hold_id, "split");
                self.give_back(hold_id, Some(&rest));
                let taken = self.grant(rest_id, rest);
                self.grants -= 1;
                missing.or(taken)
            }
            Event::HoldExpired { hold_id } if self.prepared.contains(&hold_id) => {
                Some(format!("hold {hold_id} expired while it waited for its group"))
            }
            Event::HoldExpired { hold_id } => {
                let missing = self.must_live(hold_id, "expired");
                self.expired.extend(self.live.get(&hold_id).map(|places| (hold_id, places.clone())));
                self.give_back(hold_id, None);
                missing
            }
            Event::HoldFenced { hold_id, .. } => {
                self.live.contains_key(&hold_id).then(|| format!("live hold {hold_id} was fenced"))
            }
            Event::HoldConfirmed { hold_id, places, .. } => self.sell(hold_id, places),
            Event::HoldConfirmedLate { hold_id, places, .. } => {
                let had = self.expired.remove(&hold_id);
                let foreign = had.is_none_or(|had| !places.without(&had).is_empty());
                let violation = foreign.then(|| format!("{hold_id} was sold places late that it never had"));
                let taken = self.grant(hold_id, places);
                self.grants -= 1;
                violation.or(taken).or(self.sell(hold_id, None))
            }
            Event::PlacesGathered { hold_id, places, .. } => self.gather(hold_id, &places),
            Event::GatheringEnded { hold_id } | Event::EntryLeft { hold_id } => {
                self.end_gathering(hold_id);
                None
            }
            event => self.event_of_live(event),
        }
    }

    /// What takes nothing from a live hold.
    fn event_of_live(&mut self, event: Event) -> Option<String> {
        match event {
            Event::HoldExtended { hold_id, .. } => self.must_live(hold_id, "extended"),
            Event::HoldPinned { hold_id, .. } => self.must_live(hold_id, "pinned"),
            Event::HoldUnpinned { hold_id } => self.must_live(hold_id, "unpinned"),
            Event::HoldLapsed { hold_id } => self.must_live(hold_id, "lapsed"),
            Event::GroupJoined(joined) => self.must_live(joined.0, "made one of a group"),
            Event::MemberPrepared { hold_id, .. } => {
                self.prepared.insert(hold_id);
                self.must_live(hold_id, "prepared")
            }
            event => self.event_of_bookings(event),
        }
    }

    /// What happens to sales, and to the show.
    fn event_of_bookings(&mut self, event: Event) -> Option<String> {
        match event {
            Event::BookingCancelled { hold_id, places, .. } => self.take_back(hold_id, places.as_ref()),
            Event::BookingExchanged { hold_id, places, .. } => {
                let missing = self.take_back(hold_id, None);
                let taken = self.grant(hold_id, places);
                self.grants -= 1;
                missing.or(taken).or(self.sell(hold_id, None))
            }
            Event::ShowCancelled => {
                self.live.retain(|hold_id, _| self.prepared.contains(hold_id));
                self.gathered.clear();
                self.seat_owner.clone_from(&self.sold_seats);
                let live = self.live.iter().flat_map(|(id, places)| places.seats().map(|seat| (seat.0, *id)));
                self.seat_owner.extend(live);
                None
            }
            Event::PlacesBlocked(places) => {
                let seats = places.seats.iter().flat_map(|range| range.seats());
                let owned = seats.filter_map(|seat| self.seat_owner.get(&seat.0).map(|owner| (seat, *owner))).next();
                owned.map(|(seat, owner)| format!("seat {} was blocked while {owner} had it", seat.0))
            }
            Event::SeatsRetired { seats } => {
                let seats = seats.iter().flat_map(|range| range.seats());
                let owned = seats.filter_map(|seat| self.seat_owner.get(&seat.0).map(|owner| (seat, *owner))).next();
                owned.map(|(seat, owner)| format!("seat {} was retired while {owner} had it", seat.0))
            }
            _ => None,
        }
    }

    fn must_live(&self, hold_id: HoldId, what: &str) -> Option<String> {
        (!self.live.contains_key(&hold_id)).then(|| format!("hold {hold_id} was {what}, but is not live"))
    }

    fn grant(&mut self, hold_id: HoldId, places: Places) -> Option<String> {
        self.grants += 1;
        let mut violation = None;
        for seat in places.seats() {
            if let Some(other) = self.seat_owner.insert(seat.0, hold_id) {
                violation = Some(format!("seat {} was granted to {hold_id} while {other} had it", seat.0));
            }
        }
        self.live.insert(hold_id, places);
        violation
    }

    fn give_back(&mut self, hold_id: HoldId, places: Option<&Places>) {
        let Some(own) = self.live.remove(&hold_id) else { return };
        self.prepared.remove(&hold_id);
        let back = places.unwrap_or(&own);
        for seat in back.seats() {
            self.seat_owner.remove(&seat.0);
        }
        if let Some(places) = places {
            self.live.insert(hold_id, own.without(places));
        }
    }

    /// Seats that are among these go to another hold of the same buyer.
    fn lose(&mut self, hold_id: HoldId, places: &Places) {
        let Some(own) = self.live.remove(&hold_id) else { return };
        let lost = Places::new(own.seats().filter(|seat| places.contains_seat(*seat)), []).unwrap_or_default();
        for seat in lost.seats() {
            self.seat_owner.remove(&seat.0);
        }
        let left = own.without(&lost);
        if !left.is_empty() {
            self.live.insert(hold_id, left);
        }
    }

    fn gather(&mut self, hold_id: HoldId, places: &Places) -> Option<String> {
        let mut violation = None;
        for seat in places.seats() {
            if let Some(other) = self.seat_owner.insert(seat.0, hold_id) {
                violation = Some(format!("seat {} was withheld for {hold_id} while {other} had it", seat.0));
            }
        }
        let gathered = self.gathered.entry(hold_id).or_default();
        *gathered = gathered.with(places);
        violation
    }

    /// Gathered places are for another entry, which gets them with its offer.
    fn take_over(&mut self, loser: HoldId, places: &Places) {
        let gathered = self.gathered.remove(&loser).unwrap_or_default();
        for seat in places.seats() {
            self.seat_owner.remove(&seat.0);
        }
        let left = gathered.without(places);
        if !left.is_empty() {
            self.gathered.insert(loser, left);
        }
    }

    fn end_gathering(&mut self, hold_id: HoldId) {
        for seat in self.gathered.remove(&hold_id).unwrap_or_default().seats() {
            self.seat_owner.remove(&seat.0);
        }
    }

    /// Sold places are nobody's any more.
    fn take_back(&mut self, hold_id: HoldId, places: Option<&Places>) -> Option<String> {
        let Some(own) = self.sold.remove(&hold_id) else {
            return Some(format!("{hold_id} lost places, but is no booking"));
        };
        let back = places.unwrap_or(&own);
        for seat in back.seats() {
            self.seat_owner.remove(&seat.0);
            self.sold_seats.remove(&seat.0);
        }
        self.places_sold -= u64::from(back.count());
        let left = own.without(back);
        if !left.is_empty() {
            self.sold.insert(hold_id, left);
        }
        None
    }

    fn sell(&mut self, hold_id: HoldId, places: Option<Places>) -> Option<String> {
        let Some(own) = self.live.remove(&hold_id) else {
            return Some(format!("hold {hold_id} was confirmed, but is not live"));
        };
        self.prepared.remove(&hold_id);
        let sold = places.unwrap_or_else(|| own.clone());
        for seat in own.without(&sold).seats() {
            self.seat_owner.remove(&seat.0);
        }
        self.places_sold += u64::from(sold.count());
        let mut violation = None;
        for seat in sold.seats() {
            if let Some(other) = self.sold_seats.insert(seat.0, hold_id) {
                self.seats_sold_twice += 1;
                violation = Some(format!("seat {} was sold to {hold_id} after {other}", seat.0));
            }
        }
        self.sold.insert(hold_id, sold);
        violation
    }
}
