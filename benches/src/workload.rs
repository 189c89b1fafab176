//! Shows of a given number of seats, and commands for them in random order.
//!
//! Hold ids are 16 random bytes, as UUIDs are; each buyer is another one, with an id of 36 characters.

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use usher_engine::{
    command::{Adjacency, Command, ConfirmHold, HoldBest, HoldSeats, JoinWaitlist, SellPlaces, Terms, Wish},
    event::{Event, ShowCreated},
    ids::{BuyerId, HoldId, Reference, SeatIndex, SectionIndex, ShowId, ShowNumber},
    inventory::{
        Inventory,
        manifest::{Category, CategoryIndex, ManifestParts, Row, SeatNames, SeatRun, Section, SectionKind},
        places::{PLACES_PER_HOLD_MAX, Places},
        policy::Policy,
        sale::Sale,
    },
    time::Timestamp,
};

/// The one show.
pub const SHOW: ShowNumber = ShowNumber(0);
/// The instant at which everything happens.
pub const NOW: Timestamp = Timestamp(1_700_000_000_000);
const SEED: u64 = 2_026;
const ROW_SEATS: u32 = 50;

/// An inventory of one show with this many seats, a multiple of 50, all of them available.
#[must_use]
pub fn show(seats: u32) -> Inventory {
    created(plain_show("stadium", seats))
}

/// The description of a show with this many seats, a multiple of 50.
#[must_use]
pub fn plain_show(id: &str, seats: u32) -> ShowCreated {
    let row = |row: u32| {
        let names = SeatNames::Numbered { first: 1, step: 1, count: ROW_SEATS };
        Row::new((row + 1).to_string(), vec![SeatRun::new(CategoryIndex(0), names)])
    };
    let rows = (0..seats / ROW_SEATS).map(row).collect();
    let manifest = ManifestParts {
        name: "Stadium".to_owned(),
        currency: "EUR".to_owned(),
        categories: vec![Category { name: "Seat".to_owned(), price_minor: 5_000 }],
        sections: vec![Section { name: "A".to_owned(), kind: SectionKind::Reserved(rows) }],
        capacity: None,
        pools: Vec::new(),
    };
    description(id, manifest)
}

fn description(id: &str, manifest: ManifestParts) -> ShowCreated {
    let policy = Policy { places_per_hold_max: PLACES_PER_HOLD_MAX, ..Policy::default() };
    ShowCreated { show_id: ShowId::new(id).expect("a show id"), manifest, policy, sale: Sale::default() }
}

/// An inventory of this show alone.
#[must_use]
pub fn created(created: ShowCreated) -> Inventory {
    let mut inventory = Inventory::default();
    let mut events = Vec::new();
    inventory.decide_create(created, &mut events).expect("a new show");
    events.iter_mut().for_each(|event| inventory.apply(SHOW, event, NOW));
    inventory
}

/// The same with these holds in it.
#[must_use]
pub fn show_with(seats: u32, holds: &[HoldSeats]) -> Inventory {
    let mut inventory = show(seats);
    let mut events = Vec::new();
    for hold in holds {
        execute(&mut inventory, &Command::HoldSeats(hold.clone()), &mut events);
    }
    inventory
}

/// Decides and applies, as a shard does without its log. Says whether it was granted.
pub fn execute(inventory: &mut Inventory, command: &Command, events: &mut Vec<Event>) -> bool {
    let decided = inventory.decide(SHOW, command, NOW, events);
    events.iter_mut().for_each(|event| inventory.apply(SHOW, event, NOW));
    events.clear();
    while let Some(mut event) = inventory.follow(SHOW, NOW) {
        inventory.apply(SHOW, &mut event, NOW);
    }
    decided.is_ok()
}

/// So many holds of a seat each, in random order over the whole show. Another `salt` gives other ids and buyers for the
/// same seats.
#[must_use]
pub fn holds(seats: u32, count: usize, salt: u64) -> Vec<HoldSeats> {
    let mut order: Vec<u32> = (0..seats).collect();
    order.shuffle(&mut StdRng::seed_from_u64(SEED));
    let mut rng = StdRng::seed_from_u64(SEED + 1 + salt);
    order.into_iter().take(count).map(|seat| hold(&mut rng, seat)).collect()
}

pub(crate) fn hold(rng: &mut StdRng, seat: u32) -> HoldSeats {
    let (hold_id, buyer) = (random_id(rng), random_buyer(rng));
    let places = Places::new([SeatIndex(seat)], []).expect("a seat");
    HoldSeats { hold_id, buyer, places, ttl: None, terms: None }
}

/// Confirms of these holds, in another random order.
#[must_use]
pub fn confirms(holds: &[HoldSeats]) -> Vec<Command> {
    let confirm = |hold: &HoldSeats| {
        let order = Reference::order("order-12345678").expect("an order");
        let payment = Reference::payment("payment-12345678").expect("a payment");
        let (hold_id, buyer) = (hold.hold_id, hold.buyer.clone());
        Command::ConfirmHold(ConfirmHold { hold_id, buyer, order, payment, part: None, accept_late: false })
    };
    let mut commands: Vec<Command> = holds.iter().map(confirm).collect();
    commands.shuffle(&mut StdRng::seed_from_u64(SEED + 1));
    commands
}

/// Seats of a stadium: 100 sections of 20 rows of 50, in four categories.
pub const STADIUM_SEATS: u32 = 100_000;
const STADIUM_SECTIONS: u32 = 100;
const STADIUM_CATEGORIES: u8 = 4;

/// An inventory of one stadium, all of its seats available.
#[must_use]
pub fn stadium() -> Inventory {
    let section = |section: u32| {
        let category = CategoryIndex(u8::try_from(section % u32::from(STADIUM_CATEGORIES)).expect("a few"));
        let names = SeatNames::Numbered { first: 1, step: 1, count: ROW_SEATS };
        let row = |row: u32| Row::new((row + 1).to_string(), vec![SeatRun::new(category, names.clone())]);
        let rows = (0..STADIUM_SEATS / STADIUM_SECTIONS / ROW_SEATS).map(row).collect();
        Section { name: format!("Block {section}"), kind: SectionKind::Reserved(rows) }
    };
    let category = |number: u8| Category { name: format!("Category {number}"), price_minor: 9_000 - u64::from(number) };
    let manifest = ManifestParts {
        name: "Stadium".to_owned(),
        currency: "EUR".to_owned(),
        categories: (0..STADIUM_CATEGORIES).map(category).collect(),
        sections: (0..STADIUM_SECTIONS).map(section).collect(),
        capacity: None,
        pools: Vec::new(),
    };
    created(description("stadium", manifest))
}

/// Sells groups of so many neighbours, in random order, until this many seats are left. A row is a multiple of a group.
pub fn fill(inventory: &mut Inventory, seats_left: u32, group: u32) {
    let mut groups: Vec<u32> = (0..STADIUM_SEATS / group).collect();
    groups.shuffle(&mut StdRng::seed_from_u64(SEED));
    let mut rng = StdRng::seed_from_u64(SEED + 2);
    let mut events = Vec::new();
    for number in groups.into_iter().take(((STADIUM_SEATS - seats_left) / group) as usize) {
        let seats = (number * group..(number + 1) * group).map(SeatIndex);
        let sale = sell(&mut rng, Places::new(seats, []).expect("neighbours"));
        assert!(execute(inventory, &sale, &mut events), "every group is sold once");
    }
}

/// A sale to a new buyer.
pub fn sell(rng: &mut StdRng, places: Places) -> Command {
    let (order, payment) = (Reference::order("order-12345678").expect("an order"), Reference::default());
    let (hold_id, buyer) = (random_id(rng), random_buyer(rng));
    Command::SellPlaces(Box::new(SellPlaces { hold_id, buyer, places, order, payment, terms: Terms::default() }))
}

/// A party of a new buyer.
pub fn best(rng: &mut StdRng, wish: Wish) -> HoldBest {
    let (hold_id, buyer) = (random_id(rng), random_buyer(rng));
    HoldBest { hold_id, buyer, wish, tickets: Vec::new(), ttl: None, terms: Terms::default() }
}

/// One who waits, for one to six seats in one of the categories and half of the time in one of the sections.
pub fn join(rng: &mut StdRng) -> JoinWaitlist {
    let adjacency = [Adjacency::Required, Adjacency::Preferred, Adjacency::Any][rng.random_range(0..3)];
    let section = rng.random_range(0..STADIUM_SECTIONS);
    let category = u8::try_from(section % u32::from(STADIUM_CATEGORIES)).expect("a few");
    let wish = Wish {
        categories: vec![CategoryIndex(category)],
        sections: if rng.random_bool(0.5) { vec![SectionIndex(section)] } else { Vec::new() },
        ..Wish::seats(rng.random_range(1..=6), adjacency)
    };
    let (hold_id, buyer) = (random_id(rng), random_buyer(rng));
    JoinWaitlist { hold_id, buyer, wish, priority: 0, channels: Vec::new() }
}

pub(crate) fn random_id(rng: &mut StdRng) -> HoldId {
    HoldId::new(&rng.random::<[u8; 16]>()).expect("16 bytes that are not all zero")
}

pub(crate) fn random_buyer(rng: &mut StdRng) -> BuyerId {
    BuyerId::new(random_id(rng).to_string().as_bytes()).expect("36 characters")
}
