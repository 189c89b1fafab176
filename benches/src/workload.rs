//! Shows of a given number of seats, and commands for them in random order.
//!
//! Hold ids are 16 random bytes, as UUIDs are; each buyer is another one, with an id of 36 characters.

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use usher_engine::{
    command::{Command, ConfirmHold, HoldSeats},
    event::{Event, ShowCreated},
    ids::{BuyerId, HoldId, Reference, SeatIndex, ShowId, ShowNumber},
    inventory::{
        Inventory,
        manifest::{Category, CategoryIndex, ManifestParts, Row, SeatNames, SeatRun, Section, SectionKind},
        places::Places,
        policy::Policy,
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
    let row = |row: u32| {
        let names = SeatNames::Numbered { first: 1, step: 1, count: ROW_SEATS };
        Row { name: (row + 1).to_string(), runs: vec![SeatRun { category: CategoryIndex(0), names }] }
    };
    let rows = (0..seats / ROW_SEATS).map(row).collect();
    let manifest = ManifestParts {
        name: "Stadium".to_owned(),
        currency: "EUR".to_owned(),
        categories: vec![Category { name: "Seat".to_owned(), price_minor: 5_000 }],
        sections: vec![Section { name: "A".to_owned(), kind: SectionKind::Reserved(rows) }],
    };
    let show_id = ShowId::new("stadium").expect("a show id");
    let mut inventory = Inventory::default();
    let mut events = Vec::new();
    let created = ShowCreated { show_id, manifest, policy: Policy::default() };
    inventory.decide_create(created, &mut events).expect("a new show");
    events.drain(..).for_each(|event| inventory.apply(SHOW, event, NOW));
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
    for event in events.drain(..) {
        inventory.apply(SHOW, event, NOW);
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

fn hold(rng: &mut StdRng, seat: u32) -> HoldSeats {
    let hold_id = HoldId::new(&rng.random::<[u8; 16]>()).expect("16 bytes that are not all zero");
    let buyer = HoldId::new(&rng.random::<[u8; 16]>()).expect("16 bytes that are not all zero").to_string();
    let buyer = BuyerId::new(buyer.as_bytes()).expect("36 characters");
    let places = Places::new([SeatIndex(seat)], []).expect("a seat");
    HoldSeats { hold_id, buyer, places, ttl: None }
}

/// Confirms of these holds, in another random order.
#[must_use]
pub fn confirms(holds: &[HoldSeats]) -> Vec<Command> {
    let confirm = |hold: &HoldSeats| {
        let order = Reference::order("order-12345678").expect("an order");
        let payment = Reference::payment("payment-12345678").expect("a payment");
        let (hold_id, buyer) = (hold.hold_id, hold.buyer.clone());
        Command::ConfirmHold(ConfirmHold { hold_id, buyer, order, payment, places: None })
    };
    let mut commands: Vec<Command> = holds.iter().map(confirm).collect();
    commands.shuffle(&mut StdRng::seed_from_u64(SEED + 1));
    commands
}
