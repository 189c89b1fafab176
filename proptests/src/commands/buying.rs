//! What buyers, and those who sell to them, ask for.

use rand::RngExt;
use usher_engine::{
    command::{
        Adjacency, CancelBooking, Command, ConfirmHold, ExchangeSeats, ExtendHold, HoldBest, HoldSeats, JoinGroup,
        JoinWaitlist, OwnHold, Part, ReleaseHold, ReturnTo, SellMember, SellPlaces, Terms, TicketCount,
        TransferBooking, Wish,
    },
    ids::{BuyerId, HoldId, Name, Reference, SeatIndex, SectionIndex, ShowId},
    inventory::{manifest::CategoryIndex, places::Places},
    time::HoldTtl,
};

use super::{BUYERS, Generator, HOLD_IDS, ORDERS, hold_id, shows::FLOORS};

const TTLS_MS: [u64; 4] = [5_000, 6_000, 10_000, 60_000];

impl Generator {
    /// `kind` is below 930.
    pub(super) fn buying(&mut self, kind: u32) -> Command {
        if self.chance(8) {
            return self.of_group();
        }
        let number = match kind {
            0..340 | 640..685 | 810..915 => self.fresh_number(),
            625..640 => self.number_of(|generator| &generator.pinned),
            685..810 => self.number_of(|generator| &generator.sold),
            915.. => self.number_of(|generator| &generator.joined),
            _ => self.known_number(),
        };
        match kind {
            430..560 | 640..685 => self.sold.push(number),
            605..625 => self.pinned.push(number),
            810..915 => self.joined.push(number),
            _ => {}
        }
        let (hold_id, buyer) = (hold_id(number), self.buyer(number));
        match kind {
            0..210 => {
                let (places, ttl, terms) = (self.places(), self.ttl(), self.some_terms(number).map(Box::new));
                self.asked[usize::from(number)] = Some(places.clone());
                Command::HoldSeats(HoldSeats { hold_id, buyer, places, ttl, terms })
            }
            210..340 => self.hold_best(number, buyer),
            340..385 => {
                let ttl = self.ttl();
                Command::ExtendHold(ExtendHold { hold_id, buyer, ttl })
            }
            385..430 => {
                let places = self.part_of(number);
                Command::ReleaseHold(ReleaseHold { hold_id, buyer, places })
            }
            430..560 => {
                let (places, (order, payment), accept_late) =
                    (self.part_of(number), self.references(), self.chance(40));
                let keep_rest_as = self.chance(60).then(|| self.another_of(number));
                let part = places.map(|places| Box::new(Part { places, keep_rest_as }));
                Command::ConfirmHold(ConfirmHold { hold_id, buyer, order, payment, part, accept_late })
            }
            560..605 => Command::GetHold(hold_id),
            605..625 => Command::PinHold(OwnHold { hold_id, buyer }),
            625..640 => Command::UnpinHold(OwnHold { hold_id, buyer }),
            _ => self.selling(kind, number, buyer),
        }
    }

    /// Sales without a hold, what becomes of sales, and the waitlist.
    fn selling(&mut self, kind: u32, number: u8, buyer: BuyerId) -> Command {
        let hold_id = hold_id(number);
        match kind {
            640..685 => {
                let (places, (order, payment)) = (self.places(), self.references());
                self.asked[usize::from(number)] = Some(places.clone());
                let terms = Terms { replaces: None, ..self.some_terms(number).unwrap_or_default() };
                Command::SellPlaces(Box::new(SellPlaces { hold_id, buyer, places, order, payment, terms }))
            }
            685..740 => {
                let places = if self.chance(30) { None } else { self.part_of(number) };
                let return_to = if self.chance(70) { ReturnTo::Available } else { ReturnTo::Blocked(self.mark()) };
                Command::CancelBooking(CancelBooking { hold_id, buyer, places, return_to })
            }
            740..765 => {
                let to_buyer = self.any_buyer();
                Command::TransferBooking(TransferBooking { hold_id, buyer, to_buyer })
            }
            765..810 => {
                let places = if self.chance(40) { self.part_of(number) } else { None };
                let places = places.unwrap_or_else(|| self.places());
                let terms = Terms { replaces: None, ..self.some_terms(number).unwrap_or_default() };
                Command::ExchangeSeats(Box::new(ExchangeSeats { hold_id, buyer, places, terms }))
            }
            810..915 => {
                let mut wish = self.wish();
                if self.chance(35) {
                    // A party for which places are gathered.
                    let quantity = self.rng.random_range(2..6);
                    wish = Wish { sections: wish.sections, ..Wish::seats(quantity, Adjacency::Any) };
                }
                let (priority, channels) = (self.rng.random_range(0..3), self.keys());
                self.note_ttls();
                Command::JoinWaitlist(Box::new(JoinWaitlist { hold_id, buyer, wish, priority, channels }))
            }
            _ => Command::LeaveWaitlist(OwnHold { hold_id, buyer }),
        }
    }

    /// What is done to one of a group.
    fn of_group(&mut self) -> Command {
        let kind = self.rng.random_range(0..100);
        let number =
            if kind < 40 { self.used.last().copied().unwrap_or(0) } else { self.number_of(|own| &own.grouped) };
        let (hold_id, buyer) = (hold_id(number), self.buyer(number));
        match kind {
            0..40 => {
                self.grouped.push(number);
                let shows = if self.chance(80) { ["show-0", "show-1"] } else { ["show-1", "show-0"] };
                let shows = shows.into_iter().map(|id| ShowId::new(id).unwrap()).collect();
                Command::JoinGroup(Box::new(JoinGroup { hold_id, buyer, shows }))
            }
            40..88 => {
                let (order, payment) = self.references();
                let is_prepared = self.chance(55);
                let member = Box::new(SellMember { hold_id, buyer, order, payment });
                if is_prepared { Command::PrepareMember(member) } else { Command::ConfirmMember(member) }
            }
            _ => Command::ReleaseMember(OwnHold { hold_id, buyer }),
        }
    }

    /// Mostly an id that was not asked for yet.
    fn fresh_number(&mut self) -> u8 {
        let fresh: Vec<u8> = (0..HOLD_IDS).filter(|number| !self.used.contains(number)).collect();
        let number = if self.chance(75) && !fresh.is_empty() {
            fresh[self.rng.random_range(0..fresh.len())]
        } else {
            self.rng.random_range(0..HOLD_IDS)
        };
        self.used.push(number);
        number
    }

    /// Mostly an id that was asked for, and often lately.
    fn known_number(&mut self) -> u8 {
        let (count, lately) = (self.used.len(), self.chance(50));
        if count == 0 || self.chance(6) {
            return self.rng.random_range(0..HOLD_IDS);
        }
        self.used[self.rng.random_range(if lately { count.saturating_sub(5) } else { 0 }..count)]
    }

    /// Mostly one of these.
    fn number_of(&mut self, list: impl Fn(&Self) -> &Vec<u8>) -> u8 {
        let count = list(self).len();
        if count == 0 || self.chance(20) {
            return self.known_number();
        }
        let position = self.rng.random_range(0..count);
        list(self)[position]
    }

    fn hold_best(&mut self, number: u8, buyer: BuyerId) -> Command {
        let (wish, ttl) = (self.wish(), self.ttl());
        let terms = self.some_terms(number).unwrap_or_default();
        let mut tickets = Vec::new();
        if self.chance(20) {
            tickets.push(TicketCount { ticket_type: Name::new("adult").unwrap(), count: wish.quantity });
        }
        Command::HoldBest(Box::new(HoldBest { hold_id: hold_id(number), buyer, wish, tickets, ttl, terms }))
    }

    /// An id of the same buyer's.
    fn another_of(&mut self, number: u8) -> HoldId {
        hold_id(number % BUYERS + BUYERS * self.rng.random_range(0..HOLD_IDS / BUYERS))
    }

    /// Mostly none.
    fn some_terms(&mut self, number: u8) -> Option<Terms> {
        if self.chance(60) {
            return None;
        }
        let another = self.another_of(number);
        let version = [0, 1, 1, 1, 2, 3][self.rng.random_range(0..6)];
        Some(Terms {
            replaces: self.chance(35).then_some(another),
            channels: self.keys(),
            accessible: self.chance(40),
            house: self.chance(25),
            manifest_version: self.chance(25).then_some(version),
            override_reason: self.chance(10).then(|| Name::new("vip").unwrap()),
        })
    }

    /// Keys of channels, in whatever order.
    fn keys(&mut self) -> Vec<Name> {
        let keys: &[&str] = match self.rng.random_range(0..100) {
            0..65 => &[],
            65..80 => &["fan"],
            80..92 => &["press"],
            92..99 => &["press", "fan"],
            _ => &["fan", "nobody"],
        };
        keys.iter().map(|key| Name::new(key).unwrap()).collect()
    }

    fn wish(&mut self) -> Wish {
        let adjacency = [Adjacency::Required, Adjacency::Preferred, Adjacency::Preferred, Adjacency::Any];
        let adjacency = adjacency[self.rng.random_range(0..4)];
        let quantity = [1, 1, 2, 2, 2, 3, 3, 4, 5, 7][self.rng.random_range(0..10)];
        let mut wish = Wish::seats(quantity, adjacency);
        if self.chance(25) {
            wish.categories = [&[0][..], &[1], &[0, 1], &[2]][self.rng.random_range(0..4)]
                .iter()
                .map(|category| CategoryIndex(*category))
                .collect();
        }
        wish.sections = [&[][..], &[], &[0], &[1], &[0, 1], &[2], &[2], &[3], &[0, 2], &[4]]
            [self.rng.random_range(0..10)]
        .iter()
        .map(|section| SectionIndex(*section))
        .collect();
        if self.chance(1) {
            wish.sections.push(SectionIndex(90));
        }
        wish.price_minor_max = self.chance(12).then(|| [1_900, 3_000, 4_999][self.rng.random_range(0..3)]);
        wish.exclude_restricted = self.chance(15);
        if self.chance(30) {
            wish.at_least = Some(self.rng.random_range(1..=quantity));
        }
        if self.chance(12) {
            wish.bays = self.rng.random_range(1..=quantity.min(2));
            wish.companions = self.rng.random_range(0..=(quantity - wish.bays).min(1));
        }
        wish
    }

    fn references(&mut self) -> (Reference, Reference) {
        let order = order(self.rng.random_range(0..ORDERS));
        (order, Reference::payment(if self.chance(50) { "paid" } else { "" }).unwrap())
    }

    /// Mostly the one that an id belongs to.
    fn buyer(&mut self, number: u8) -> BuyerId {
        if self.chance(92) { buyer_id(number % BUYERS) } else { self.any_buyer() }
    }

    fn any_buyer(&mut self) -> BuyerId {
        buyer_id(self.rng.random_range(0..BUYERS))
    }

    fn ttl(&mut self) -> Option<HoldTtl> {
        let ms = TTLS_MS[self.rng.random_range(0..TTLS_MS.len())];
        self.deadlines.push(self.now.plus_ms(ms));
        self.note_ttls();
        self.chance(60).then(|| HoldTtl::from_ms(ms).unwrap())
    }

    /// Where the policy may end what begins now.
    fn note_ttls(&mut self) {
        let Some(policy) = self.shows.first().map(|show| show.policy) else { return };
        let ends = [policy.hold_ttl_default.ms(), policy.hold_life_ms_max, policy.offer_ttl.ms(), policy.gather_ms_max];
        self.deadlines.extend(ends.map(|ms| self.now.plus_ms(ms)));
    }

    /// Seats and units that mostly exist, few at a time, mostly side by side.
    pub(super) fn places(&mut self) -> Places {
        let mut seats = Vec::new();
        let mut ga = Vec::new();
        // Mostly the stalls, often all that every show has, now and then what there is not.
        let end = match self.rng.random_range(0..100) {
            0..50 => 13,
            50..94 => self.seats.min(25),
            _ => self.seats + 3,
        };
        let first = self.rng.random_range(0..end);
        for offset in 0..[1, 1, 1, 2, 2, 3, 0, 5][self.rng.random_range(0..8)] {
            let seat = if self.chance(75) { first + offset } else { self.rng.random_range(0..end) };
            seats.push(SeatIndex(seat));
        }
        seats.sort_unstable();
        seats.dedup();
        if seats.is_empty() || self.chance(20) {
            let section = if self.chance(4) { SectionIndex(0) } else { FLOORS[self.rng.random_range(0..2)] };
            let many = self.chance(8);
            ga.push((section, self.rng.random_range(1..if many { 80 } else { 5 })));
        }
        Places::new(seats, ga).unwrap()
    }

    /// All, a part of what was asked for under an id, or something else.
    fn part_of(&mut self, number: u8) -> Option<Places> {
        let asked = self.asked[usize::from(number)].clone();
        match (self.rng.random_range(0..10), asked) {
            (0..5, _) => None,
            (5..9, Some(asked)) => {
                let seats: Vec<_> = asked.seats().filter(|_| self.rng.random_bool(0.5)).collect();
                let ga: Vec<_> =
                    asked.ga().map(|(section, units)| (section, self.rng.random_range(1..=units))).collect();
                Places::new(seats, ga).ok()
            }
            _ => Some(self.places()),
        }
    }
}

/// The order of a number.
pub(crate) fn order(number: u8) -> Reference {
    Reference::order(&format!("order-{number}")).unwrap()
}

/// The buyer of a number.
pub(crate) fn buyer_id(number: u8) -> BuyerId {
    BuyerId::new(format!("buyer-{number}").as_bytes()).unwrap()
}
