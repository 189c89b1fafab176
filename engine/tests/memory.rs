//! What a show costs in memory, by the bytes that are asked of the allocator: an idle seat, a live hold, and an entry of
//! the waitlist.
//!
//! Transient peaks, the allocator's own rounding and the log's buffers are not counted.
#![expect(clippy::unwrap_used, reason = "a test")]
#![expect(unsafe_code, reason = "an allocator that counts must implement `GlobalAlloc`")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use usher_engine::{
    command::{Adjacency, BlockPlaces, Command, HoldSeats, JoinWaitlist, Selection, Wish},
    event::{Event, ShowCreated},
    ids::{BuyerId, HoldId, Name, SeatIndex, SectionIndex, ShowId, ShowNumber},
    inventory::{
        Inventory,
        blocks::{BlockKind, Mark},
        manifest::{Category, CategoryIndex, ManifestParts, Row, SeatNames, SeatRun, Section, SectionKind},
        places::Places,
        policy::Policy,
        sale::Sale,
    },
    time::Timestamp,
};
use xxhash_rust::xxh3::xxh3_128;

const SHOW: ShowNumber = ShowNumber(0);
const NOW: Timestamp = Timestamp(1_700_000_000_000);
const BYTES_PER_IDLE_SEAT_MAX: f64 = 16.0;
const BYTES_PER_HOLD_MAX: f64 = 200.0;
const BYTES_PER_ENTRY_MAX: f64 = 128.0;

thread_local! {
    /// Bytes and blocks that this thread has asked for and not given back. Each test runs on a thread of its own.
    static LIVE: Cell<(i64, i64)> = const { Cell::new((0, 0)) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(bytes: usize, sign: i64) {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    // A thread that ends has no counter any more, and nobody who would read it.
    let _ = LIVE.try_with(|live| live.set((live.get().0 + sign * bytes, live.get().1 + sign)));
}

// SAFETY: every call is passed on to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: as above; the block came from the system's allocator.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Bytes and blocks that are live now and were not before.
struct Cost {
    bytes: i64,
    blocks: i64,
}

/// Runs `work` and measures what its result keeps.
fn measure<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let (bytes, blocks) = LIVE.get();
    let result = work();
    let (bytes_now, blocks_now) = LIVE.get();
    (result, Cost { bytes: bytes_now - bytes, blocks: blocks_now - blocks })
}

fn per(bytes: i64, count: u32) -> f64 {
    // Exact: far fewer than 2^52 bytes.
    f64::from(u32::try_from(bytes).expect("less than 4 GiB")) / f64::from(count)
}

/// Rows of a hundred numbered seats, twenty rows to a section.
fn manifest(seats: u32) -> ManifestParts {
    let names = SeatNames::Numbered { first: 1, step: 1, count: 100 };
    let row = |row: u32| Row::new((row + 1).to_string(), vec![SeatRun::new(CategoryIndex(0), names.clone())]);
    let section = |section: u32| {
        let rows = (0..20).map(row).collect();
        Section { name: format!("Block {section}"), kind: SectionKind::Reserved(rows) }
    };
    ManifestParts {
        name: "Stadium".to_owned(),
        currency: "EUR".to_owned(),
        categories: vec![Category { name: "Seat".to_owned(), price_minor: 5_000 }],
        sections: (0..seats / 2_000).map(section).collect(),
        capacity: None,
        pools: Vec::new(),
    }
}

fn show(seats: u32) -> Inventory {
    let (mut inventory, mut events) = (Inventory::default(), Vec::new());
    let show_id = ShowId::new("stadium").unwrap();
    let created = ShowCreated { show_id, manifest: manifest(seats), policy: Policy::default(), sale: Sale::default() };
    inventory.decide_create(created, &mut events).unwrap();
    commit(&mut inventory, &mut events);
    inventory
}

fn commit(inventory: &mut Inventory, events: &mut Vec<Event>) {
    events.drain(..).for_each(|mut event| inventory.apply(SHOW, &mut event, NOW));
}

/// An id, and a buyer of its own, whose id is as long as a UUID.
fn who(number: u32) -> (HoldId, BuyerId) {
    let hold_id = HoldId::new(&xxh3_128(&number.to_le_bytes()).to_le_bytes()).unwrap();
    let buyer = BuyerId::new(format!("{hold_id}").as_bytes()).unwrap();
    assert_eq!(buyer.bytes().len(), 36);
    (hold_id, buyer)
}

/// One seat.
fn hold(number: u32) -> Command {
    let (hold_id, buyer) = who(number);
    let places = Places::new([SeatIndex(number)], []).unwrap();
    Command::HoldSeats(HoldSeats { hold_id, buyer, places, ttl: None, terms: None })
}

fn grant(inventory: &mut Inventory, holds: u32) {
    let mut events = Vec::new();
    for number in 0..holds {
        inventory.decide(SHOW, &hold(number), NOW, &mut events).unwrap();
        commit(inventory, &mut events);
    }
}

#[test]
fn an_idle_seat_costs_at_most_sixteen_bytes() {
    let seats = 100_000;
    let (inventory, cost) = measure(|| show(seats));
    let each = per(cost.bytes, seats);
    println!("{seats} idle seats: {} bytes in {} blocks, {each:.2} a seat", cost.bytes, cost.blocks);
    assert_eq!(inventory.show(SHOW).unwrap().manifest().seats(), seats);
    assert!(each <= BYTES_PER_IDLE_SEAT_MAX, "{each:.2} bytes a seat");
}

/// The unlucky numbers are those just after a table or a list has grown.
#[test]
fn a_live_hold_costs_at_most_two_hundred_bytes_also_just_after_growth() {
    let mut too_large = Vec::new();
    for holds in [70_000, 100_000, 115_000] {
        let mut inventory = show(120_000);
        let ((), cost) = measure(|| grant(&mut inventory, holds));
        let (each, blocks) = (per(cost.bytes, holds), per(cost.blocks, holds));
        println!("{holds} live holds: {} bytes, {each:.2} a hold in {blocks:.2} blocks", cost.bytes);
        if each > BYTES_PER_HOLD_MAX {
            too_large.push(format!("{each:.2} bytes a hold at {holds}"));
        }
    }
    assert_eq!(too_large, [""; 0]);
}

/// A party of one to four, of one of six wishes.
fn join(number: u32) -> Command {
    let (hold_id, buyer) = who(number);
    let adjacency = if number.is_multiple_of(3) { Adjacency::Required } else { Adjacency::Preferred };
    let sections = if number.is_multiple_of(2) { vec![SectionIndex(0)] } else { Vec::new() };
    let wish = Wish { sections, ..Wish::seats(1 + number % 3, adjacency) };
    Command::JoinWaitlist(Box::new(JoinWaitlist { hold_id, buyer, wish, priority: 0, channels: Vec::new() }))
}

/// A show of which every seat is withheld, with room for so many who wait.
fn sold_out(waitlist_max: u32) -> Inventory {
    let (mut inventory, mut events) = (show(2_000), Vec::new());
    let selection = Selection { sections: vec![SectionIndex(0)], ..Selection::default() };
    let mark = Mark { kind: BlockKind::Block, reason: Name::new("sold elsewhere").unwrap() };
    let policy = Policy { waitlist_max, ..Policy::default() };
    for command in
        [Command::BlockPlaces(Box::new(BlockPlaces { selection, mark })), Command::ChangePolicy(Box::new(policy))]
    {
        inventory.decide(SHOW, &command, NOW, &mut events).unwrap();
        commit(&mut inventory, &mut events);
    }
    inventory
}

/// Those who wait, as a shard lets them in: what follows is asked for after each.
fn wait(inventory: &mut Inventory, entries: u32) {
    let mut events = Vec::new();
    for number in 0..entries {
        inventory.decide(SHOW, &join(number), NOW, &mut events).unwrap();
        commit(inventory, &mut events);
        assert_eq!(inventory.follow(SHOW, NOW), None);
    }
}

/// The unlucky numbers are those just after a table or a list has grown.
#[test]
fn a_waiting_entry_costs_at_most_128_bytes_also_just_after_growth() {
    let mut too_large = Vec::new();
    for entries in [10_000, 14_400, 57_500, 66_000, 100_000, 115_000] {
        let mut inventory = sold_out(entries);
        let ((), cost) = measure(|| wait(&mut inventory, entries));
        let (each, blocks) = (per(cost.bytes, entries), per(cost.blocks, entries));
        println!("{entries} waiting: {} bytes, {each:.2} an entry in {blocks:.2} blocks", cost.bytes);
        if each > BYTES_PER_ENTRY_MAX {
            too_large.push(format!("{each:.2} bytes an entry at {entries}"));
        }
    }
    assert_eq!(too_large, [""; 0]);
}

/// Most shows have few of anything, and there are many shows.
#[test]
fn the_first_hold_and_the_first_entry_cost_little() {
    let mut inventory = show(2_000);
    let ((), cost) = measure(|| grant(&mut inventory, 1));
    println!("the first hold: {} bytes", cost.bytes);
    assert!(cost.bytes <= 50_000);
    let mut inventory = sold_out(1);
    let ((), cost) = measure(|| wait(&mut inventory, 1));
    println!("the first entry: {} bytes", cost.bytes);
    assert!(cost.bytes <= 5_000);
}
