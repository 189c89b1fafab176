//! What readers see of the naive model: statuses, counts, lookups.

use usher_engine::{
    ids::{BuyerId, HoldId, Reference, SeatIndex, SectionIndex},
    inventory::{
        HoldState, HoldView, WaitView,
        manifest::{CategoryIndex, Pool},
        overview::{BlockOverview, ChannelOverview, Counts, Overview},
        places::Places,
        policy::Policy,
        sale::Sale,
        seat_map::GaCounts,
    },
    time::Timestamp,
};

use super::{
    records::{Owner, Seat},
    show::Show,
};

/// Available, sold, blocked, retired; what is none of all is held.
pub type Statuses = [bool; 4];

impl Show {
    /// Every seat's status, by number.
    pub fn statuses(&self) -> impl Iterator<Item = Statuses> + '_ {
        self.seats.iter().map(|seat| {
            let is_sold = matches!(seat.owner, Owner::Sold(_));
            [seat.is_available(), is_sold, seat.is_blocked(), seat.owner == Owner::Retired]
        })
    }

    /// Every seat's category, by number.
    pub fn categories(&self) -> impl Iterator<Item = CategoryIndex> + '_ {
        self.seats.iter().map(|seat| seat.category)
    }

    /// What every category costs.
    pub fn prices(&self) -> impl Iterator<Item = u64> + '_ {
        self.parts.categories.iter().map(|category| category.price_minor)
    }

    /// Its rules, and when it is sold.
    #[must_use]
    pub fn rules(&self) -> (Policy, Sale) {
        (self.policy, self.sale)
    }

    /// How many places may be held and sold at once, in all and by pool.
    #[must_use]
    pub fn capacities(&self) -> (Option<u32>, &[Pool]) {
        (self.parts.capacity, &self.parts.pools)
    }

    /// Every general-admission section's counts, in the order of the manifest.
    #[must_use]
    pub fn ga_counts(&self) -> Vec<GaCounts> {
        let sections = self.units.iter().map(|(&section, units)| {
            let held = units.held.values().chain(units.gathered.values()).sum();
            let (sold, blocked): (u32, u32) = (units.sold.values().sum(), units.blocked.values().sum());
            let over_committed = (units.taken() + blocked).saturating_sub(units.capacity);
            let (capacity, available) = (units.capacity, self.room(section, &Places::default()));
            GaCounts { section, capacity, available, held, sold, blocked, over_committed }
        });
        sections.collect()
    }

    /// Free seats and units that every capacity allows to be held at once.
    #[must_use]
    pub fn available_at_once(&self) -> u32 {
        let sections: Vec<SectionIndex> = self.units.keys().copied().collect();
        self.at_once(self.count(|_| true).available, &sections)
    }

    /// Every id that is remembered.
    pub fn ids(&self) -> impl Iterator<Item = HoldId> + '_ {
        self.holds.keys().copied().chain(self.entries.iter().map(|entry| entry.id))
    }

    /// All that a buyer has and had, and his entry.
    #[must_use]
    pub fn of_buyer(&self, buyer: &BuyerId, now: Timestamp) -> (Vec<Box<HoldView>>, Option<Box<WaitView>>) {
        let own = self.holds.iter().filter(|(_, hold)| hold.buyer == *buyer);
        let entry = self.entries.iter().find(|entry| entry.buyer == *buyer);
        (own.map(|(id, _)| self.view_now(*id, now)).collect(), entry.map(|entry| Box::new(self.wait_view(entry))))
    }

    /// The bookings of an order.
    #[must_use]
    pub fn of_order(&self, order: &Reference, now: Timestamp) -> Vec<Box<HoldView>> {
        let all = self.holds.keys().map(|id| self.view_now(*id, now));
        all.filter(|hold| hold.booking.as_ref().is_some_and(|booking| booking.order == *order)).collect()
    }

    /// Live holds and bookings with places in one of these sections, or anywhere if none is named; granted last first.
    #[must_use]
    pub fn newest(&self, sections: &[SectionIndex], now: Timestamp) -> Vec<Box<HoldView>> {
        let is_in = |hold: &HoldView| {
            let seats = hold.places.seats().map(|seat| self.seat(seat).section);
            let mut own = seats.chain(hold.places.ga().map(|(section, _)| section));
            own.any(|section| sections.is_empty() || sections.contains(&section))
        };
        let all = self.holds.keys().map(|id| self.view_now(*id, now));
        let mut own: Vec<Box<HoldView>> = all.filter(|hold| is_in(hold)).collect();
        own.sort_by_key(|hold| (hold.granted_at, hold.hold_id));
        own.reverse();
        own
    }

    /// All bookings, in the order in which they were confirmed.
    #[must_use]
    pub fn sales(&self, now: Timestamp) -> Vec<Box<HoldView>> {
        self.booked.iter().map(|id| self.view_now(*id, now)).collect()
    }

    /// What an organiser sees. The version is the engine's own.
    #[must_use]
    pub fn overview(&self, version: u64, now: Timestamp) -> Overview {
        let sections = (0u32..).map(SectionIndex).take(self.parts.sections.len());
        let categories = (0u8..).map(CategoryIndex).take(self.parts.categories.len());
        let bookings = self.holds.values().filter(|hold| hold.state == HoldState::Confirmed);
        let gathered = self.entries.iter().map(|entry| self.places_of(entry.id).count());
        Overview {
            as_of: now,
            state: self.state_at(now),
            version,
            manifest_version: self.manifest_version,
            counts: self.count_all(),
            sections: sections.map(|section| (section, self.count_section(section))).collect(),
            categories: categories.map(|category| (category, self.count_category(category))).collect(),
            channels: self.channel_overviews(),
            blocks: self.block_overviews(),
            live_holds: self.live_holds(),
            bookings: u32::try_from(bookings.count()).unwrap(),
            waiting: self.waiting(),
            gathered: gathered.sum(),
            capacity: (self.taken(), self.parts.capacity),
            pools: self.pool_overviews(),
            over_committed: self.over_committed(),
        }
    }

    fn count_all(&self) -> Counts {
        let counts = self.ga_counts().into_iter().fold(self.count(|_| true), add_units);
        Counts { available: self.available_at_once(), ..counts }
    }

    fn count_section(&self, section: SectionIndex) -> Counts {
        let counts = self.capped(self.count(|seat| seat.section == section));
        self.ga_counts().into_iter().filter(|units| units.section == section).fold(counts, add_units)
    }

    /// No more than the show's capacity leaves.
    fn capped(&self, counts: Counts) -> Counts {
        Counts { available: counts.available.min(self.room_of_show(&Places::default())), ..counts }
    }

    fn count_category(&self, category: CategoryIndex) -> Counts {
        let counts = self.count(|seat| seat.category == category);
        let is_own = |section: &SectionIndex| self.units[section].category == category;
        let sections: Vec<SectionIndex> = self.units.keys().copied().filter(is_own).collect();
        let available = self.at_once(counts.available, &sections);
        let own = self.ga_counts().into_iter().filter(|units| is_own(&units.section));
        Counts { available, ..own.fold(counts, add_units) }
    }

    fn count(&self, is_one: impl Fn(&Seat) -> bool) -> Counts {
        let mut counts = Counts::default();
        for seat in self.seats.iter().filter(|seat| is_one(seat)) {
            match seat.owner {
                Owner::Nobody if seat.mark.is_some() => counts.blocked += 1,
                Owner::Nobody => counts.available += 1,
                Owner::Held(_) | Owner::Gathered(_) => counts.held += 1,
                Owner::Sold(_) => counts.sold += 1,
                Owner::Retired => {}
            }
        }
        counts
    }

    fn channel_overviews(&self) -> Vec<ChannelOverview> {
        let channels = self.channels.iter().enumerate().map(|(position, channel)| ChannelOverview {
            key: channel.key.clone(),
            public_at: channel.public_at,
            is_public: channel.is_open,
            counts: self.capped(self.count(|seat| seat.channel == Some(position))),
        });
        channels.collect()
    }

    fn block_overviews(&self) -> Vec<BlockOverview> {
        let blocks = self.marks.iter().map(|mark| {
            let (seats, ga): (Vec<SeatIndex>, _) = self.marked(mark);
            let released_at = self.releases.get(mark).copied();
            BlockOverview { mark: mark.clone(), seats: u32::try_from(seats.len()).unwrap(), ga, released_at }
        });
        blocks.filter(|block| block.seats > 0 || !block.ga.is_empty() || block.released_at.is_some()).collect()
    }
}

fn add_units(counts: Counts, units: GaCounts) -> Counts {
    Counts {
        available: counts.available + units.available,
        held: counts.held + units.held,
        sold: counts.sold + units.sold,
        blocked: counts.blocked + units.blocked,
    }
}
